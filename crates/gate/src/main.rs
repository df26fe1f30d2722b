//! `forebear-gate`: asks the agent who somebody is, at their terminal, and then becomes their shell.
//!
//! ```text
//! ForceCommand /usr/lib/forebear/forebear-gate [fail=closed|open] [except=USER,...] [socket=PATH] [timeout=SECONDS]
//! ```
//!
//! - It relays: what is asked, and whether an answer is right, is the agent's (`forebear-door`).
//! - It runs as whoever logs in, in their session, and execve(2)s their shell or their command, so
//!   that these have its pid, its session and its terminal.
//! - Its file is set-group-id: by that group the socket and the agent know it. It has the group only
//!   until it has connected, and what it becomes never has it.
//! - It believes nothing of its environment: user and shell are the password database's. Only
//!   `SSH_ORIGINAL_COMMAND` is taken, which sshd sets, and it is run as the user who could run
//!   anything.
//!
//! Deliberately not here: accounts, codes, policy. See docs/adr/0010.

#![forbid(unsafe_code)]

mod confine;
mod shell;
mod terminal;

use std::io::Write as _;
use std::process::ExitCode;

use forebear_door::{Asked, Hello, Options, Unavailable};

use shell::User;
use terminal::Tty;

/// What sshd and the log call it.
const NAME: &str = "forebear-gate";

fn main() -> ExitCode {
    // Before anything is read: whoever runs it has the same user id.
    if let Err(error) = confine::hide_memory() {
        complain(&format!("hiding this program's memory: {error}; tell whoever runs this machine"));
        return ExitCode::FAILURE;
    }
    let user = match User::own() {
        Ok(user) => user,
        Err(problem) => {
            complain(&problem);
            return ExitCode::FAILURE;
        }
    };
    let arguments = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let (options, problem) = Options::read(NAME, arguments);
    let is_let_in = options.excepts(&user.name)
        || match problem {
            Some(problem) => unavailable(&options, &problem),
            None => is_granted(&options, &user),
        };
    if !is_let_in {
        return ExitCode::FAILURE;
    }
    // Also where nobody was asked, and so nothing was given up.
    let error = match confine::give_up_group() {
        Ok(()) => user.become_shell(),
        Err(error) => format!("giving up this program's group: {error}"),
    };
    complain(&error);
    ExitCode::FAILURE
}

/// Whether the agent lets this user in.
fn is_granted(options: &Options, user: &User) -> bool {
    let connected = options.connect();
    // From here on only the connection has it.
    if let Err(error) = confine::give_up_group() {
        complain(&format!("giving up this program's group: {error}"));
        return false;
    }
    let mut stream = match connected {
        Ok(stream) => stream,
        Err(error) => {
            let problem = format!("no agent answers at {}: {error}", options.socket);
            return unavailable(options, &problem);
        }
    };
    let mut terminal = match Tty::open(options.timeout) {
        Ok(terminal) => terminal,
        Err(error) => {
            complain(&format!("opening the terminal: {error}"));
            return false;
        }
    };
    // The agent asks the kernel for the rest.
    let hello = Hello { service: NAME, user: &user.name, ..Hello::default() };
    match forebear_door::ask(&mut stream, hello, &mut terminal) {
        Asked::Granted => true,
        Asked::Denied => false,
        Asked::Terminal(error) => {
            complain(&format!("asking at the terminal: {error}"));
            false
        }
        Asked::Failed(error) => unavailable(options, &format!("the agent: {error}")),
    }
}

/// Nobody can decide. The person is told, since they can do nothing about it but tell others.
fn unavailable(options: &Options, problem: &str) -> bool {
    let is_open = options.unavailable == Unavailable::Open;
    let what = match options.unavailable {
        Unavailable::Closed => "nobody is let in until that is mended",
        Unavailable::Open => "going on without knowing who you are",
    };
    complain(&format!("{problem}; {what}"));
    is_open
}

/// Says what is wrong. Standard output may be somebody's data.
fn complain(text: &str) {
    // Nobody may be listening any more, which changes nothing.
    _ = writeln!(std::io::stderr(), "forebear: {text}");
}
