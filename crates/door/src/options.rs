//! The options of whatever asks: arguments of a line of `/etc/pam.d` (pam.conf(5)), or of a command.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The longest that is waited for one message of the agent. It waits for the person itself, so
/// this is longer than it gives them.
const PATIENCE: Duration = Duration::from_secs(660);

/// One option as people are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// How it is written.
    pub form: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// All options, for the reference.
pub const DESCRIBED: [Described; 5] = [
    Described {
        form: "except=USER,USER",
        meaning: "These Linux users are let in unasked: your way back in, so protect their keys well",
    },
    Described {
        form: "fail=closed",
        meaning: "The default: if the agent does not answer, nobody else is let in",
    },
    Described {
        form: "fail=open",
        meaning: "If the agent does not answer, they are let in, and no event names them",
    },
    Described {
        form: "socket=PATH",
        meaning: "Where the agent listens, if not at /run/forebear/identity.sock",
    },
    Described {
        form: "timeout=SECONDS",
        meaning: "How long one answer of the agent may take, at most: from 1 to 3600, and 660 \
                  without it",
    },
];

/// What happens where nobody can decide who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Nobody is let in.
    Closed,
    /// They are let in, and nobody knows who they are.
    Open,
}

/// The options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the agent listens.
    pub socket: String,
    /// What happens where nobody can decide.
    pub unavailable: Unavailable,
    /// Linux users who are let in unasked.
    pub except: Vec<String>,
    /// How long one message of the agent is waited for, at most.
    pub timeout: Duration,
}

impl Options {
    /// What the arguments say, and what is wrong with them: the first thing that is. What is right
    /// counts all the same, so that a mistake in one does not lock the excepted out.
    /// `of` is whose options they are.
    pub fn read<A: AsRef<str>>(
        of: &str,
        args: impl IntoIterator<Item = A>,
    ) -> (Self, Option<String>) {
        let mut options = Self {
            socket: crate::SOCKET.to_owned(),
            unavailable: Unavailable::Closed,
            except: vec![],
            timeout: PATIENCE,
        };
        let mut problem = None;
        for arg in args {
            let arg = arg.as_ref();
            if let Err(wrong) = options.take(arg) {
                problem.get_or_insert(format!("the option {arg:?} of {of}: {wrong}"));
            }
        }
        (options, problem)
    }

    /// Whether this Linux user is let in unasked.
    pub fn excepts(&self, user: &str) -> bool {
        self.except.iter().any(|name| name == user)
    }

    /// A connection to the agent, whose reads and writes end in time.
    ///
    /// # Errors
    /// If nobody listens there.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        Ok(stream)
    }

    fn take(&mut self, arg: &str) -> Result<(), &'static str> {
        match arg.split_once('=') {
            Some(("fail", "closed")) => self.unavailable = Unavailable::Closed,
            Some(("fail", "open")) => self.unavailable = Unavailable::Open,
            Some(("fail", _)) => return Err("write fail=closed or fail=open"),
            Some(("except", users)) => {
                self.except =
                    users.split(',').filter(|it| !it.is_empty()).map(Into::into).collect();
            }
            Some(("socket", path)) if path.starts_with('/') => path.clone_into(&mut self.socket),
            Some(("socket", _)) => return Err("write a path that begins with /"),
            Some(("timeout", seconds)) => match seconds.parse() {
                Ok(seconds @ 1..=3600) => self.timeout = Duration::from_secs(seconds),
                _ => return Err("write a number of seconds from 1 to 3600"),
            },
            _ => return Err("there are fail=, except=, socket= and timeout="),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> (Options, Option<String>) {
        Options::read("a login", args)
    }

    #[test]
    fn without_arguments_nobody_is_let_in_unasked() {
        let (options, problem) = read(&[]);
        assert_eq!(problem, None);
        assert_eq!(options.unavailable, Unavailable::Closed);
        assert!(options.except.is_empty());
        assert_eq!(options.socket, "/run/forebear/identity.sock");
    }

    #[test]
    fn every_option_is_understood() {
        let (options, problem) =
            read(&["fail=open", "except=root,,ops", "socket=/tmp/s", "timeout=5"]);
        assert_eq!(problem, None);
        assert_eq!(options.unavailable, Unavailable::Open);
        assert!(options.excepts("root") && options.excepts("ops") && !options.excepts(""));
        assert_eq!(options.socket, "/tmp/s");
        assert_eq!(options.timeout, Duration::from_secs(5));
    }

    #[test]
    fn what_is_described_is_understood() {
        for Described { form, meaning } in DESCRIBED {
            let given = form.replace("PATH", crate::SOCKET).replace("SECONDS", "660");
            let (options, problem) = read(&[&given]);
            assert_eq!(problem, None);
            let is_default = options == read(&[]).0;
            let says_default = !form.starts_with("except") && form != "fail=open";
            assert_eq!(is_default, says_default, "{form}");
            for default in [crate::SOCKET, "660"] {
                let is_told = given.contains(default);
                assert_eq!(meaning.contains(default), is_told, "{form}: {meaning}");
            }
        }
    }

    #[test]
    fn a_wrong_option_is_told_and_the_right_ones_count() {
        for wrong in ["fail=maybe", "socket=x", "timeout=0", "timeout=x", "debug", "=", ""] {
            let (options, problem) = read(&[wrong, "except=root"]);
            let problem = problem.unwrap_or_default();
            assert!(problem.contains(&format!("{wrong:?}")), "{problem}");
            assert!(options.excepts("root"));
            assert_eq!(options.unavailable, Unavailable::Closed);
        }
    }
}
