//! One readable line per event, for a person at a terminal.
//!
//! An EXEC: `03:04:05.123 alice→root ssh 10.0.0.1 pts/0 typed # ls -l [4127]`: time of day (UTC),
//! who, the door and where from, the terminal, how it came about, the command line behind a
//! prompt, the pid.
//! Invariant: no byte of an event reaches the terminal as a control character or changes the
//! direction of text, whatever a process was called or given; see `shell`.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::v1::{
    BuiltinCall, BuiltinSource, Entry, Event, Execution, InceptionKind, Process, Processes, Reason,
    Report, VerificationOutcome, Verify,
};

mod shell;
#[cfg(test)]
mod tests;

use shell::{Quoted, Shown};

const FAINT: Style = Style::new().dimmed();
const PERSON: Style = AnsiColor::Cyan.on_default();
const POWER: Style = AnsiColor::Red.on_default().bold();
const DOOR: Style = AnsiColor::Blue.on_default();
const SUSPECT: Style = AnsiColor::Yellow.on_default().bold();
const TYPED: Style = AnsiColor::Green.on_default();
const COMMAND: Style = Style::new().bold();
const ALARM: Style =
    AnsiColor::White.on_default().bg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))).bold();

/// How many characters of a command line are shown.
const COMMAND_CHARACTERS: usize = 400;

/// Appends the line of an event, with its newline; with colours (ANSI escapes) if asked.
pub fn line(event: &Event, colour: bool, out: &mut String) {
    let mut line = Line { out, colour, style: None };
    let time = event.envelope().event_time.to_string();
    let clock = time.get(11..23).unwrap_or_default();
    match event {
        Event::Exec(exec) => {
            line.styled(FAINT, clock);
            if let Some(processes) = event.processes() {
                line.exec(processes, &exec.exec);
            }
        }
        Event::Builtin(builtin) => {
            line.styled(FAINT, clock);
            if let Some(processes) = event.processes() {
                line.builtin(processes, &builtin.builtin);
            }
        }
        Event::Verify(verify) => {
            line.styled(FAINT, clock);
            line.verification(verify);
        }
        Event::Backfill(backfill) => line.running(clock, &backfill.this),
        Event::Agent(report) => line.report(clock, report),
    }
    line.out.push('\n');
}

struct Line<'o> {
    out: &'o mut String,
    colour: bool,
    /// Everything in this style, instead of the parts' own.
    style: Option<Style>,
}

impl Line<'_> {
    fn exec(&mut self, processes: Processes<'_>, how: &Execution) {
        let this = processes.this;
        self.place(processes);
        self.gap();
        self.ancestry(processes);
        self.prompt(this);
        self.command(this, COMMAND);
        for flag in &this.exe_flags {
            self.gap();
            self.styled(SUSPECT, format_args!("({})", Shown(flag.as_str())));
        }
        for (is_set, what) in [(how.setuid, " (setuid)"), (how.setgid, " (setgid)")] {
            if is_set {
                self.styled(POWER, what);
            }
        }
        self.pid(this);
    }

    fn builtin(&mut self, processes: Processes<'_>, call: &BuiltinCall) {
        let this = processes.this;
        self.place(processes);
        self.gap();
        match (&call.line, &this.name) {
            (Some(_), _) => self.styled(TYPED, "typed"),
            (None, Some(name)) => self.styled(FAINT, format_args!("in {}", Quoted(name))),
            (None, None) => self.styled(FAINT, format_args!("in pid {}", this.pid)),
        }
        self.prompt(this);
        self.words(&call.argv, call.argv_truncated.is_some(), COMMAND);
        let how = match call.source {
            BuiltinSource::Effect => "builtin, by its effect",
            _ => "builtin",
        };
        self.styled(FAINT, format_args!(" ({how})"));
        if let Some(status) = call.exit_status.filter(|status| *status != 0) {
            self.styled(SUSPECT, format_args!(" (status {status})"));
        }
        self.pid(this);
    }

    fn verification(&mut self, verify: &Verify) {
        let about = &verify.verification;
        let remote = about.remote.as_deref().unwrap_or("here");
        self.gap();
        self.styled(
            FAINT,
            format_args!(
                "{} for {} from {}: ",
                Shown(&about.service),
                Shown(&about.user),
                Shown(remote)
            ),
        );
        let is_verified = about.outcome == VerificationOutcome::Verified;
        let style = if is_verified { PERSON } else { SUSPECT };
        let account = about.account.as_deref().unwrap_or("nobody");
        self.styled(style, format_args!("{} {}", Shown(account), Shown(about.outcome.as_str())));
        if let Some(method) = &about.method {
            self.styled(FAINT, format_args!(" by {}", Shown(method.as_str())));
        }
        self.styled(FAINT, format_args!(" (attempts {})", about.attempts));
        if let Some(this) = &verify.this {
            self.pid(this);
        }
    }

    fn prompt(&mut self, this: &Process) {
        self.styled(FAINT, if this.euid == 0 { " # " } else { " $ " });
    }

    /// Who, through which door, on which terminal, in which container.
    fn place(&mut self, processes: Processes<'_>) {
        let this = processes.this;
        self.gap();
        self.who(this);
        self.door(processes);
        if let Some(tty) = &this.tty {
            self.gap();
            match &tty.name {
                Some(name) => self.styled(FAINT, Shown(name)),
                None => self.styled(FAINT, format_args!("tty{}:{}", tty.major, tty.minor)),
            }
        }
        if let Some(container) = &this.container {
            let runtime = container.runtime.as_deref().unwrap_or("container");
            let id = container.id.get(..12).unwrap_or(&container.id);
            self.gap();
            self.styled(DOOR, format_args!("{}:{}", Shown(runtime), Shown(id)));
        }
    }

    fn running(&mut self, clock: &str, this: &Process) {
        self.whole(FAINT, |line| {
            line.plain(clock);
            line.gap();
            line.who(this);
            line.plain(" running ");
            line.command(this, FAINT);
            line.pid(this);
        });
    }

    fn report(&mut self, clock: &str, report: &Report) {
        let count = |name: &str| report.counters.get(name).copied().unwrap_or(0);
        let lost: u64 = report
            .counters
            .iter()
            .filter(|(name, _)| name.starts_with("lost"))
            .fold(0, |sum, (_, count)| sum.saturating_add(*count));
        self.styled(FAINT, clock);
        let what = match &report.reason {
            Reason::Start => "recording",
            Reason::Status => "status",
            Reason::Lost => "EVENTS LOST",
            Reason::Stop => "stopped",
            Reason::Later(word) => word,
        };
        self.gap();
        let is_alarm = report.reason == Reason::Lost;
        self.styled(if is_alarm { ALARM } else { FAINT }, format_args!("── {} ──", Shown(what)));
        if report.reason == Reason::Start {
            self.gap();
            self.styled(FAINT, format_args!("on {}", Shown(&report.host.name)));
        } else {
            self.gap();
            let (observed, emitted) = (count("observed"), count("emitted"));
            self.styled(FAINT, format_args!("{observed} observed, {emitted} recorded"));
        }
        if lost > 0 {
            self.gap();
            self.styled(ALARM, format_args!("{lost} lost"));
            for (name, count) in report.counters.iter().filter(|(name, _)| name.starts_with("lost"))
            {
                self.gap();
                self.styled(SUSPECT, format_args!("{}={count}", Shown(name)));
            }
        }
        for lack in &report.sensor.degraded {
            self.gap();
            self.styled(SUSPECT, format_args!("degraded: {}", Shown(lack)));
        }
    }

    /// The person who logged in, else the user, and as whom the process acts if that differs.
    fn who(&mut self, this: &Process) {
        let effective = User(this.effective_user.as_deref(), this.euid);
        let person = match this.login_uid {
            Some(uid) => User(this.login_user.as_deref(), uid),
            None => User(this.user.as_deref(), this.uid),
        };
        self.styled(PERSON, &person);
        if person.1 != effective.1 {
            self.styled(FAINT, "→");
            self.styled(if effective.1 == 0 { POWER } else { PERSON }, &effective);
        }
    }

    fn door(&mut self, processes: Processes<'_>) {
        self.gap();
        let Some(inception) = processes.inception_session else {
            let why = processes.missing.get("inception_session");
            let why = why.map_or("unknown", |why| why.as_str());
            return self.styled(SUSPECT, format_args!("inception missing ({})", Shown(why)));
        };
        let suspect = inception.kind == InceptionKind::External
            && matches!(inception.entry, Entry::Pty | Entry::Unknown);
        let style = if suspect { SUSPECT } else { DOOR };
        self.styled(style, Shown(inception.entry.as_str()));
        if let Some(source) = &inception.source {
            self.gap();
            self.styled(style, source.ip);
        }
        if matches!(inception.entry, Entry::Service | Entry::Container)
            && let Some(name) = &inception.process.name
            && inception.process.uuid != processes.this.uuid
        {
            self.gap();
            self.styled(style, Quoted(name));
        }
    }

    /// How the process came about, in few words: typed by a person, or made by its parent, and on
    /// behalf of which typed command.
    fn ancestry(&mut self, processes: Processes<'_>) {
        let this = processes.this;
        let inception = processes.inception_session;
        if inception.is_some_and(|inception| inception.process.uuid == this.uuid) {
            let external =
                inception.is_some_and(|inception| inception.kind == InceptionKind::External);
            return if external {
                self.styled(TYPED, "login")
            } else {
                self.styled(FAINT, "start")
            };
        }
        if this.user_entered {
            return self.styled(TYPED, "typed");
        }
        match processes.parent {
            Some(Process { name: Some(name), .. }) => {
                self.styled(FAINT, format_args!("by {}", Quoted(name)));
            }
            Some(parent) => self.styled(FAINT, format_args!("by pid {}", parent.pid)),
            None => self.styled(FAINT, "by a process that was missed"),
        }
        if let Some(typed) = processes.last_user_entered
            && let Some(name) = &typed.name
            && processes.parent.is_none_or(|parent| parent.uuid != typed.uuid)
        {
            self.styled(FAINT, format_args!(" for {}", Quoted(name)));
        }
    }

    /// The command line as a shell would take it. A script or a program under another name than
    /// its own is told by what was really run.
    fn command(&mut self, this: &Process, style: Style) {
        match this.argv.as_deref() {
            None | Some([]) => {
                let known = this.exe.as_ref().or(this.name.as_ref());
                let name = known.map_or("(not known)", String::as_str);
                self.styled(style, Shown(name));
            }
            Some(argv) => self.words(argv, this.argv_truncated.is_some(), style),
        }
        let given = this.argv.as_ref().and_then(|argv| argv.first());
        if let (Some(given), Some(name)) = (given, &this.name)
            && given.rsplit('/').next().map(|given| given.trim_start_matches('-')) != Some(name)
        {
            self.styled(FAINT, format_args!(" (is {})", Quoted(name)));
        }
    }

    fn words(&mut self, argv: &[String], is_cut: bool, style: Style) {
        let mut text = String::new();
        for (index, argument) in argv.iter().enumerate() {
            let gap = if index > 0 { " " } else { "" };
            _ = write!(text, "{gap}{}", Quoted(argument));
            if text.len() > COMMAND_CHARACTERS * 4 {
                break;
            }
        }
        let cut = text.char_indices().nth(COMMAND_CHARACTERS).map(|(at, _)| at);
        let shown = cut.and_then(|at| text.get(..at)).unwrap_or(&text);
        self.styled(style, shown);
        if cut.is_some() || is_cut {
            self.styled(FAINT, "…");
        }
    }

    fn pid(&mut self, this: &Process) {
        self.gap();
        self.styled(FAINT, format_args!("[{}]", this.pid));
    }

    fn gap(&mut self) {
        self.plain(" ");
    }

    fn plain(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Text that is already safe to show.
    fn styled(&mut self, style: Style, text: impl std::fmt::Display) {
        // Writing to a string does not fail.
        if self.colour && self.style.is_none() {
            _ = write!(self.out, "{style}{text}{style:#}");
        } else {
            _ = write!(self.out, "{text}");
        }
    }

    /// A stretch in one style.
    fn whole(&mut self, style: Style, stretch: impl FnOnce(&mut Self)) {
        if self.colour {
            _ = write!(self.out, "{style}");
        }
        self.style = Some(style);
        stretch(self);
        self.style = None;
        if self.colour {
            _ = write!(self.out, "{style:#}");
        }
    }
}

/// A user by name, or by number where there is no name.
struct User<'a>(Option<&'a str>, u32);

impl std::fmt::Display for &User<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(name) => write!(f, "{}", Shown(name)),
            None => write!(f, "uid {}", self.1),
        }
    }
}
