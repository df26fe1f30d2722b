//! The module's arguments in its line of `/etc/pam.d` (pam.conf(5)).

use std::ffi::CStr;
use std::time::Duration;

/// The longest that is waited for one message of the agent. It waits for the person itself, so
/// this is longer than it gives them.
const PATIENCE: Duration = Duration::from_secs(660);

/// What happens where nobody can decide who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// Nobody is let in.
    Closed,
    /// They are let in, and nobody knows who they are.
    Open,
}

/// The module's options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) socket: String,
    pub(crate) unavailable: Unavailable,
    /// Linux users who are let in unasked.
    pub(crate) except: Vec<String>,
    pub(crate) timeout: Duration,
}

impl Options {
    /// What the arguments say, and what is wrong with them: the first thing that is. What is right
    /// counts all the same, so that a mistake in one does not lock the excepted out.
    pub(crate) fn read(args: &[&CStr]) -> (Self, Option<String>) {
        let mut options = Self {
            socket: forebear_door::SOCKET.to_owned(),
            unavailable: Unavailable::Closed,
            except: vec![],
            timeout: PATIENCE,
        };
        let mut problem = None;
        for arg in args {
            let arg = arg.to_string_lossy();
            if let Err(wrong) = options.take(&arg) {
                problem.get_or_insert(format!("the option {arg:?} of pam_forebear.so: {wrong}"));
            }
        }
        (options, problem)
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

    fn read(args: &[&CStr]) -> (Options, Option<String>) {
        Options::read(args)
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
            read(&[c"fail=open", c"except=root,,ops", c"socket=/tmp/s", c"timeout=5"]);
        assert_eq!(problem, None);
        assert_eq!(options.unavailable, Unavailable::Open);
        assert_eq!(options.except, ["root", "ops"]);
        assert_eq!(options.socket, "/tmp/s");
        assert_eq!(options.timeout, Duration::from_secs(5));
    }

    #[test]
    fn a_wrong_option_is_told_and_the_right_ones_count() {
        for wrong in [c"fail=maybe", c"socket=x", c"timeout=0", c"timeout=x", c"debug", c"=", c""] {
            let (options, problem) = read(&[wrong, c"except=root"]);
            let problem = problem.unwrap_or_default();
            assert!(problem.contains(&format!("{wrong:?}")), "{problem}");
            assert_eq!(options.except, ["root"]);
            assert_eq!(options.unavailable, Unavailable::Closed);
        }
    }
}
