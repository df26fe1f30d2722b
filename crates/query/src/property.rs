//! The properties with a name of their own, and what each is made of.
//!
//! The table is the language's vocabulary beside the exported fields, and the reference is
//! generated from it.

use std::fmt;

use crate::ast::Operator;
use crate::catalogue::{self, Found};

/// What a property's values are, and so which operators it takes and how a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text, matched as a pattern.
    Text,
    /// One of a few words, matched as a pattern.
    Word,
    /// A UUID, matched as a pattern.
    Uuid,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A moment.
    Time,
    /// A time of day.
    TimeOfDay,
    /// A day of the week.
    Weekday,
    /// `internal` or `external`.
    AddressType,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Word,
        Self::Uuid,
        Self::Integer,
        Self::Boolean,
        Self::Time,
        Self::TimeOfDay,
        Self::Weekday,
        Self::AddressType,
    ];

    /// What it is called in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Word => "word",
            Self::Uuid => "UUID",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::TimeOfDay => "time of day",
            Self::Weekday => "day of the week",
            Self::AddressType => "address type",
        }
    }

    /// The operators that it takes.
    pub fn operators(self) -> &'static [Operator] {
        use Operator::{Equal, In, NotEqual, NotIn};
        match self {
            Self::Text | Self::Word | Self::Uuid | Self::Weekday | Self::AddressType => {
                &[Equal, NotEqual, In, NotIn]
            }
            Self::Boolean => &[Equal, NotEqual],
            Self::Integer | Self::Time | Self::TimeOfDay => &Operator::ALL,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a property is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// What was run.
    Command,
    /// The inception session behind it.
    Session,
    /// The machine.
    Server,
}

/// A property with a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// What its values are.
    pub kind: Kind,
    /// What it means and what it is made of.
    pub meaning: &'static str,
    pub(crate) reading: Reading,
}

/// How a property's values come out of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// One field.
    Field(&'static str),
    /// The first of two fields that is there.
    First(&'static str, &'static str),
    /// The arguments of the builtin or the program joined by blanks, without the first so many.
    Arguments { without: usize },
    /// Whether the event is of a builtin; events that are of no command do not say.
    IsBuiltin,
    /// A field of the last user-entered process and of the parent: two values.
    Dual { field: &'static str, is_joined: bool },
}

/// What stands before the key of a label.
pub(crate) const LABEL: &str = "server_label_";
/// What stands before the name of a saved query.
pub(crate) const MACRO: &str = "macro_";

/// The two processes behind a dual-valued property.
pub(crate) const DUAL_ROLES: [&str; 2] = ["last_user_entered", "parent"];

/// Rows of the table.
macro_rules! properties {
    ($($subject:ident { $($name:ident: $kind:ident = $reading:expr, $meaning:literal;)* })*) => {
        &[$($(Property {
            name: stringify!($name),
            subject: Subject::$subject,
            kind: Kind::$kind,
            meaning: $meaning,
            reading: $reading,
        },)*)*]
    };
}

use Reading::{Arguments, Dual, Field, First, IsBuiltin};

/// Every property with a name of its own, but for labels and macros.
pub static PROPERTIES: &[Property] = properties! {
    Command {
        cmd: Text = Arguments { without: 0 },
            "The arguments, the program's name included, joined by blanks: `builtin.argv` of a builtin, otherwise `self.argv`.";
        cmd_root: Text = First("builtin.name", "self.name"),
            "What was run: `builtin.name` of a builtin, otherwise `self.name`.";
        cmd_parameters: Text = Arguments { without: 1 },
            "As `cmd`, without the first word.";
        cmd_exec_path: Text = Field("self.exe"),
            "Path of the executable file: `self.exe`; of a builtin that of the shell.";
        cmd_working_directory: Text = Field("self.cwd"),
            "Working directory: `self.cwd`.";
        cmd_line: Text = First("builtin.line", "exec.line"),
            "The line that a person typed: `builtin.line` or `exec.line`.";
        cmd_pid: Integer = Field("self.pid"),
            "Process id: `self.pid`; of a builtin that of the shell.";
        cmd_parent_pid: Integer = Field("self.ppid"),
            "Process id of the parent: `self.ppid`.";
        cmd_parent_cmd: Text = Dual { field: "argv", is_joined: true },
            "Dual-valued: the arguments, joined by blanks, of the last user-entered process and of the parent.";
        cmd_parent_cmd_root: Text = Dual { field: "name", is_joined: false },
            "Dual-valued: `name` of the last user-entered process and of the parent.";
        cmd_parent_exec_path: Text = Dual { field: "exe", is_joined: false },
            "Dual-valued: `exe` of the last user-entered process and of the parent.";
        cmd_user_typed: Boolean = Field("self.user_entered"),
            "Whether a person typed it: `self.user_entered`; of a builtin whether the shell was typed.";
        cmd_exec_user: Text = Field("self.effective_user"),
            "The Linux user with whose rights it ran: `self.effective_user`.";
        cmd_user: Text = Field("cmd_user"),
            "The verified person behind it.";
        cmd_roles: Text = Field("cmd_roles"),
            "The roles of that person: `=` and `IN` hold if any of them matches, `!=` and `NOT IN` if none does.";
        cmd_date: Time = Field("event_time"),
            "When it happened: `event_time`.";
        cmd_hour_of_day: TimeOfDay = Field("event_time"),
            "At what time of day it happened: `event_time`.";
        cmd_day_of_week: Weekday = Field("event_time"),
            "On what day of the week it happened: `event_time`.";
        cmd_event_type: Word = Field("event_type"),
            "The type of the event: `event_type`.";
        cmd_is_builtin: Boolean = IsBuiltin,
            "Whether a shell did it itself: true for BUILTIN, false for EXEC and BACKFILL.";
        cmd_interactive: Boolean = Field("self.interactive"),
            "Whether it had a controlling terminal: `self.interactive`.";
        cmd_tty: Text = Field("self.tty.name"),
            "The controlling terminal: `self.tty.name`.";
        cmd_container_id: Text = Field("self.container.id"),
            "The container: `self.container.id`.";
    }
    Session {
        session: Uuid = Field("inception_session.uuid"),
            "Identity of the inception session: `inception_session.uuid`.";
        session_user: Text = Field("inception_session.user"),
            "The Linux user that it is of: `inception_session.user`.";
        session_ip: Text = Field("inception_session.source.ip"),
            "The address that it came from: `inception_session.source.ip`.";
        session_ip_type: AddressType = Field("inception_session.source.ip"),
            "`internal` for an address of a private network (RFC 1918, RFC 4193), of the link or of the machine itself, otherwise `external`.";
        session_how_connected: Word = Field("inception_session.entry"),
            "The door: `inception_session.entry`. `sshd` is accepted for `ssh`.";
        session_pid: Integer = Field("inception_session.pid"),
            "Process id: `inception_session.pid`.";
        session_date: Time = Field("inception_session.start_time"),
            "When it began: `inception_session.start_time`.";
        session_hour_of_day: TimeOfDay = Field("inception_session.start_time"),
            "At what time of day it began: `inception_session.start_time`.";
        session_day_of_week: Weekday = Field("inception_session.start_time"),
            "On what day of the week it began: `inception_session.start_time`.";
        session_interactive: Boolean = Field("inception_session.interactive"),
            "Whether it has a controlling terminal: `inception_session.interactive`.";
        session_kind: Word = Field("inception_session.kind"),
            "Whether somebody came in from outside: `inception_session.kind`.";
    }
    Server {
        server: Uuid = Field("host.id"),
            "Identity of the machine: `host.id`.";
        server_name: Text = First("host.labels.name", "host.name"),
            "What it is called: the label `name`, without one its host name.";
        server_hostname: Text = Field("host.name"),
            "Its host name: `host.name`.";
        server_group: Text = Field("host.labels.group"),
            "The label `group`.";
        server_os: Text = Field("host.labels.os"),
            "The label `os`. The kernel is `host.kernel`.";
    }
};

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    /// A property of the table, with the words that its field may hold.
    Named(&'static Property, Vec<String>),
    /// A field by its path, or a label.
    Field(catalogue::Entry),
    /// A saved query; what stands behind the prefix.
    Macro(String),
    /// A group of fields; their names.
    Group(Vec<String>),
    /// Keys of the operator's choice; an example.
    Map,
}

/// What this name stands for; `None` if for nothing.
pub(crate) fn resolve(name: &str) -> Option<Resolved> {
    if let Some(property) = PROPERTIES.iter().find(|property| property.name == name) {
        let words = match property.reading {
            Field(path) => match catalogue::find(path) {
                Some(Found::Field(entry)) => entry.words,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        return Some(Resolved::Named(property, words));
    }
    let key = |prefix| name.strip_prefix(prefix).filter(|key: &&str| !key.is_empty());
    if let Some(key) = key(MACRO) {
        return Some(Resolved::Macro(key.to_owned()));
    }
    let found = match key(LABEL) {
        Some(key) => catalogue::find(&format!("host.labels.{key}")),
        None => catalogue::find(name),
    };
    Some(match found? {
        Found::Field(entry) => Resolved::Field(entry),
        Found::Group(fields) => Resolved::Group(fields),
        Found::Map => Resolved::Map,
    })
}

/// The known name that is nearest to a wrong one, if any is near.
pub(crate) fn nearest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // Nothing that is called so is as long; the distance costs the product of both lengths.
    if wrong.len() > 64 {
        return None;
    }
    let wrong = wrong.to_lowercase();
    let far = wrong.chars().count().div_ceil(3);
    known
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_the_table_names_is_exported_and_of_the_right_type() {
        let kind = |path: &str| match catalogue::find(path) {
            Some(Found::Field(entry)) => entry.kind,
            other => panic!("{path} is {other:?}"),
        };
        for property in PROPERTIES {
            match property.reading {
                Field(path) => {
                    let expected = match property.kind {
                        Kind::TimeOfDay | Kind::Weekday => Kind::Time,
                        Kind::AddressType => Kind::Text,
                        other => other,
                    };
                    assert_eq!(kind(path), expected, "{}", property.name);
                }
                First(one, other) => {
                    assert_eq!([kind(one), kind(other)], [property.kind; 2], "{}", property.name);
                }
                Dual { field, .. } => {
                    for role in DUAL_ROLES {
                        assert_eq!(kind(&format!("{role}.{field}")), property.kind);
                    }
                }
                Arguments { .. } | IsBuiltin => {}
            }
        }
    }

    #[test]
    fn names_are_used_once() {
        for (index, property) in PROPERTIES.iter().enumerate() {
            assert!(PROPERTIES[index + 1..].iter().all(|other| other.name != property.name));
            let exported = catalogue::find(property.name).is_some();
            // These two are fields of the same meaning.
            assert_eq!(exported, ["cmd_user", "cmd_roles"].contains(&property.name));
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = || PROPERTIES.iter().map(|property| property.name);
        assert_eq!(nearest("cmd_rot", names()), Some("cmd_root"));
        assert_eq!(nearest("SESSION_USER", names()), Some("session_user"));
        assert_eq!(nearest("colour", names()), None);
        assert_eq!(nearest(&"cmd".repeat(10_000), names()), None);
    }
}
