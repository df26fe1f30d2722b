//! `[[identity.rule]]`: who has to prove who they are, by queries over the login.

use forebear_query::{Moment, Query};
use toml::de::DeTable;

use super::keys::{Key, Section, quoted};
use super::problems::Problems;
use super::table::{self, Table};

/// What is known of a session while somebody logs in.
const KNOWN: [&str; 7] = [
    "session_user",
    "session_ip",
    "session_ip_type",
    "session_how_connected",
    "session_date",
    "session_hour_of_day",
    "session_day_of_week",
];

/// More than anybody keeps in their head.
const MAX_RULES: usize = 64;

/// What holds for the logins that a query is true of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The query; without one every login is meant. It is compiled anew for each login, since
    /// `yesterday` is another day then.
    pub when: Option<String>,
    /// Whether they have to prove who they are.
    pub verify: Verify,
    /// What happens if they cannot.
    pub on_failure: OnFailure,
}

/// Whether somebody has to prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// They have to.
    #[default]
    Required,
    /// They are asked, and may decline.
    Optional,
    /// They are not asked.
    Exempt,
}

/// What happens to somebody who could not prove who they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// They are not let in.
    #[default]
    StopSession,
    /// They are let in, and the log has a warning.
    Alert,
    /// They are let in.
    Allow,
}

/// Its keys.
pub static RULE: Section = Section {
    name: "identity.rule",
    is_array: true,
    doc: "Who has to prove who they are: the first rule whose query is true of the login holds, and\n\
          without one it is required. What is not known of a login makes no query true.",
    keys: &[
        Key {
            name: "when",
            doc: "A query (CQL) over the login: session_user, session_ip, session_ip_type,\n\
                  session_how_connected, session_date, session_hour_of_day (UTC) and\n\
                  session_day_of_week. Without it every login is meant.",
            default: |_| None,
            example: "\"session_user = 'backup' and session_ip_type = 'internal'\"",
        },
        Key {
            name: "verify",
            doc: "\"required\", \"optional\" (the return key declines) or \"exempt\" (nobody is asked).",
            default: |_| quoted("required"),
            example: "",
        },
        Key {
            name: "on_failure",
            doc: "What happens after too many wrong answers: \"stop-session\", or let in as nobody with\n\
                  \"alert\" (a warning in the log) or \"allow\".",
            default: |_| quoted("stop-session"),
            example: "",
        },
    ],
};

/// The rules, in their order.
pub(super) fn read<'t>(top: &DeTable<'t>, problems: &mut Problems<'t>) -> Vec<Rule> {
    let tables = table::several(top, &RULE, problems);
    if tables.len() > MAX_RULES {
        let text = format!("there are {} rules; at most {MAX_RULES} are possible", tables.len());
        problems.at(tables[0].1, text);
    }
    let rule = |(entries, place)| {
        let table = &mut Table::new(&RULE, Some(entries), place, problems);
        Rule {
            when: table.parsed("when", when),
            verify: table.parsed("verify", verify).unwrap_or_default(),
            on_failure: table.parsed("on_failure", on_failure).unwrap_or_default(),
        }
    };
    tables.into_iter().map(rule).collect()
}

fn when(text: String) -> Result<String, String> {
    let query = Query::compile(&text, Moment::utc(0)).map_err(|mistakes| {
        let shown = forebear_query::render(&text, &mistakes);
        format!("the query is wrong\n{}", shown.trim_end()).replace('\n', "\n      ")
    })?;
    match query.properties().find(|property| !KNOWN.contains(property)) {
        None => Ok(text),
        Some(property) => {
            let known = KNOWN.join(", ");
            Err(format!("{property} is not known while somebody logs in; what is: {known}"))
        }
    }
}

fn verify(text: String) -> Result<Verify, String> {
    match &*text {
        "required" => Ok(Verify::Required),
        "optional" => Ok(Verify::Optional),
        "exempt" => Ok(Verify::Exempt),
        _ => Err("write \"required\", \"optional\" or \"exempt\"".to_owned()),
    }
}

fn on_failure(text: String) -> Result<OnFailure, String> {
    match &*text {
        "stop-session" => Ok(OnFailure::StopSession),
        "alert" => Ok(OnFailure::Alert),
        "allow" => Ok(OnFailure::Allow),
        _ => Err("write \"stop-session\", \"alert\" or \"allow\"".to_owned()),
    }
}
