//! What shells do: the records of builtins and lines into observations.
//!
//! Invariant: what a shell calls for its own purposes within a builtin (bash's `pushd` calls `cd`)
//! is not told again.

use forebear_model::observation::{Argv, Builtin, BuiltinSource, Line, Observation, TypedText};
use forebear_model::{BootTime, Shell};

use super::layout;
use super::text::Texts;
use super::{Decoder, Malformed, fixed, known_path, parts};
use crate::live::names_of;

/// zsh stores some bytes as two: this one, and the byte with a bit turned (Src/zsh.h, `Meta`).
const ZSH_META: u8 = 0x83;
const ZSH_TURNED: u8 = 32;

/// A function of a shell, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    shell: Shell,
    /// The builtin that it is; empty for a function that runs all of them.
    builtin: Box<str>,
}

impl Decoder {
    /// The number of a function of a shell, which its probe's records then have: `builtin` is the
    /// builtin that it is, or empty if it runs all.
    pub fn number_of(&mut self, shell: Shell, builtin: &str) -> u16 {
        let is_it = |known: &Function| known.shell == shell && &*known.builtin == builtin;
        let index = self.functions.iter().position(is_it).unwrap_or_else(|| {
            self.functions.push(Function { shell, builtin: builtin.into() });
            self.functions.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    /// Whether a record is of a function that a shell calls for another builtin's purposes: it
    /// then still has the other one's name.
    pub(super) fn is_internal(&self, record: &[u8]) -> Result<bool, Malformed> {
        let (builtin, rest) = fixed::<layout::Builtin>(record)?;
        let function = self.function(&builtin)?;
        let name = called_as(&builtin, &mut Texts::new(rest))?;
        Ok(function.name(name).is_none())
    }

    fn function(&self, builtin: &layout::Builtin) -> Result<&Function, Malformed> {
        let number = usize::try_from(builtin.function).map_err(|_| Malformed::Length)?;
        self.functions.get(number).ok_or(Malformed::Value("function"))
    }

    /// A builtin; `None` for one that [`is_internal`](Self::is_internal).
    pub(super) fn builtin<'d>(
        &'d mut self,
        record: &'d [u8],
        exit_status: Option<i32>,
    ) -> Result<Option<Observation<'d>>, Malformed> {
        let (builtin, rest) = fixed::<layout::Builtin>(record)?;
        let has = |flag: u32| builtin.record.flags & flag != 0;
        let mut texts = Texts::new(rest);
        let name = called_as(&builtin, &mut texts)?;
        let words = texts.take(builtin.argv_length)?;
        let cwd = texts.take(builtin.cwd_length)?;
        if words.len() as u64 > builtin.argv_total {
            return Err(Malformed::Value("argv_total"));
        }
        let mut own = std::mem::take(&mut self.name);
        let function = self.function(&builtin)?;
        let shell = function.shell;
        let Some(name) = function.name(name) else { return Ok(None) };
        own.clear();
        own.extend_from_slice(name);
        self.name = own;

        self.argv.clear();
        let mut total = builtin.argv_total;
        if shell == Shell::Bash {
            self.argv.extend_from_slice(&self.name);
            self.argv.push(0);
            total += self.argv.len() as u64;
        }
        let kept = self.argv.len();
        self.argv.extend_from_slice(words);
        // The walk keeps whole pieces, so a cut may lie within a word.
        if builtin.argv_total > words.len() as u64 && self.argv.last() != Some(&0) {
            self.argv.push(0);
        }
        if !has(layout::ARGV_READ) {
            self.argv_incomplete += 1;
            total = total.max(self.argv.len() as u64 + 1);
        }
        if shell == Shell::Zsh {
            let before = self.argv.len();
            unmetafy(&mut self.argv, kept);
            total -= (before - self.argv.len()) as u64;
            unmetafy(&mut self.name, 0);
        }
        let limit = usize::try_from(self.max_argv).unwrap_or(usize::MAX);
        self.argv.truncate(limit);
        self.paths.clear();
        let cwd = known_path(has(layout::CWD_WALKED), cwd, &mut self.paths)?;

        let this = &*self;
        Ok(Some(Observation::Builtin(Box::new(Builtin {
            at: BootTime(builtin.record.at),
            process: parts::key(builtin.process),
            parent: parts::key(builtin.parent),
            state: parts::state(&builtin.state)?,
            place: parts::place(builtin.place),
            cwd: this.text(cwd),
            shell,
            source: BuiltinSource::Call,
            name: &this.name,
            argv: Argv { bytes: &this.argv, total: total.max(this.argv.len() as u64) },
            exit_status,
        }))))
    }

    /// A line, or that the one before is over.
    pub(super) fn line<'d>(&'d mut self, record: &'d [u8]) -> Result<Observation<'d>, Malformed> {
        let (line, rest) = fixed::<layout::Line>(record)?;
        let has = |flag: u32| line.record.flags & flag != 0;
        let bytes = Texts::new(rest).take(line.length)?;
        if bytes.len() as u64 > line.total {
            return Err(Malformed::Value("total"));
        }
        self.argv.clear();
        self.argv.extend_from_slice(bytes);
        let mut total = line.total;
        if total == self.argv.len() as u64 && self.argv.last() == Some(&0) {
            self.argv.pop();
            total -= 1;
        }
        if line.editor == layout::LINE_OF_ZSH {
            let before = self.argv.len();
            unmetafy(&mut self.argv, 0);
            total -= (before - self.argv.len()) as u64;
        }
        if total == self.argv.len() as u64 && self.argv.last() == Some(&b'\n') {
            self.argv.pop();
            total -= 1;
        }
        Ok(Observation::Line(Line {
            at: BootTime(line.record.at),
            process: parts::key(line.process),
            text: has(layout::LINE_TEXT).then_some(TypedText { bytes: &self.argv, total }),
            continues: has(layout::LINE_CONTINUES),
        }))
    }
}

impl Function {
    /// What the builtin is called; `None` if it is called for another one's purposes.
    fn name<'a>(&'a self, called_as: Option<&'a [u8]>) -> Option<&'a [u8]> {
        let function = &*self.builtin;
        if function.is_empty() {
            return called_as;
        }
        let fits = |name: &&[u8]| names_of(function).iter().any(|it| it.as_bytes() == *name);
        match called_as {
            None => Some(function.as_bytes()),
            // At the end of its input bash calls it without a name.
            Some(name) if !fits(&name) => {
                matches!(function, "exit" | "logout").then_some(function.as_bytes())
            }
            Some(name) => Some(name),
        }
    }
}

/// The name that a builtin was called as, taken off its texts.
fn called_as<'r>(
    builtin: &layout::Builtin,
    texts: &mut Texts<'r>,
) -> Result<Option<&'r [u8]>, Malformed> {
    match builtin.record.flags & layout::NAME_READ != 0 {
        true => texts.take_terminated(builtin.name_length).map(Some),
        false => Ok(None),
    }
}

/// Undoes what zsh does to bytes that would mean something to it.
fn unmetafy(bytes: &mut Vec<u8>, from: usize) {
    let mut is_turned = false;
    let mut at = 0;
    bytes.retain_mut(|byte| {
        at += 1;
        if at <= from {
            return true;
        }
        if std::mem::take(&mut is_turned) {
            *byte ^= ZSH_TURNED;
            return true;
        }
        is_turned = *byte == ZSH_META;
        !is_turned
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_zsh_turns_is_turned_back() {
        let mut bytes = b"a\x83\xa0b\x83\xa3".to_vec();
        unmetafy(&mut bytes, 0);
        assert_eq!(bytes, b"a\x80b\x83");
        let mut cut = b"a\x83".to_vec();
        unmetafy(&mut cut, 0);
        assert_eq!(cut, b"a");
    }

    #[test]
    fn a_function_keeps_its_number() {
        let mut decoder = Decoder::new(0);
        let cd = decoder.number_of(Shell::Bash, "cd");
        let any = decoder.number_of(Shell::Zsh, "");
        assert_ne!(cd, any);
        assert_eq!(decoder.number_of(Shell::Bash, "cd"), cd);
    }
}
