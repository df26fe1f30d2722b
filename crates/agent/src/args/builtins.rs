//! `builtins` and `shells`: which builtins are recorded, and of which shells.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use forebear_sensor::BuiltinScope;

/// Names that can be listed at most.
const MAX_NAMES: usize = 100;
/// The longest name of a builtin.
const MAX_NAME: usize = 15;

/// `interactive`, `all`, or names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Builtins {
    /// Those of interactive shells.
    #[default]
    Interactive,
    /// Those of every shell.
    All,
    /// These of every shell.
    Named(Vec<String>),
}

impl Builtins {
    /// What the sensor is asked for.
    pub fn scope(&self) -> BuiltinScope {
        match self {
            Self::Interactive => BuiltinScope::Interactive,
            Self::All => BuiltinScope::All,
            Self::Named(names) => BuiltinScope::Named(names.clone()),
        }
    }
}

impl FromStr for Builtins {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "interactive" => return Ok(Self::Interactive),
            "all" => return Ok(Self::All),
            _ => {}
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        let is_name = |name: &String| {
            (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match names.iter().find(|name| !is_name(name)) {
            Some(wrong) => Err(format!(
                "{wrong:?} is no name of a builtin; write interactive, all, or names such as \
                 cd,export,source"
            )),
            None if names.len() > MAX_NAMES => {
                Err(format!("these are {} names; at most {MAX_NAMES} are possible", names.len()))
            }
            None => Ok(Self::Named(names)),
        }
    }
}

impl fmt::Display for Builtins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interactive => f.write_str("interactive"),
            Self::All => f.write_str("all"),
            Self::Named(names) => f.write_str(&names.join(",")),
        }
    }
}

/// Paths of shells, or of folders that hold them; none means every shell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellPaths(pub Vec<PathBuf>);

impl FromStr for ShellPaths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let paths: Vec<PathBuf> = text.split(',').map(|path| path.trim().into()).collect();
        match paths.iter().find(|path| !path.is_absolute()) {
            Some(wrong) => Err(format!(
                "{:?} does not begin with /; write paths such as /usr/bin,/opt/bin/bash",
                wrong.display().to_string()
            )),
            None => Ok(Self(paths)),
        }
    }
}

impl fmt::Display for ShellPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.0.iter().map(|path| path.to_string_lossy()).collect();
        f.write_str(&paths.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_or_a_list_is_read_and_shown_alike() {
        for text in ["interactive", "all", "cd", "cd,[,.,:"] {
            assert_eq!(text.parse::<Builtins>().unwrap().to_string(), text);
        }
        assert_eq!("cd, eval".parse(), Ok(Builtins::Named(vec!["cd".into(), "eval".into()])));
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_right_form() {
        for text in ["", "cd,,ls", "a name", "averyverylongname"] {
            let error = text.parse::<Builtins>().unwrap_err();
            assert!(error.contains("cd,export,source"), "{error}");
        }
    }

    #[test]
    fn paths_of_shells_are_absolute() {
        let paths: ShellPaths = "/bin, /opt/x".parse().unwrap();
        assert_eq!(paths.to_string(), "/bin,/opt/x");
        assert!("bin".parse::<ShellPaths>().unwrap_err().contains("begin with /"));
        assert!("".parse::<ShellPaths>().is_err());
    }
}
