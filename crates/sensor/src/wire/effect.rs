//! What a shell has done to itself and to others, by its system calls: the builtins that they
//! come from.
//!
//! Invariant: what shells do for their own purposes is not told: a mask that is read by setting
//! and restoring it, signals of job control, a shell that ends itself by a signal.

use std::io::Write as _;

use forebear_model::observation::{Argv, Builtin, BuiltinSource, Observation};
use forebear_model::{BootTime, Shell};

use super::layout::{self, Effect};
use super::text::Texts;
use super::{Decoder, Malformed, fixed, known_path, parts};

/// In this time, in nanoseconds, a shell that only reads its mask has restored it.
const READ_BACK: u64 = 10_000_000;

const SIGINT: u64 = 2;
const SIGCONT: u64 = 18;
const SIGTTIN: u64 = 21;
const SIGTTOU: u64 = 22;

const RLIMIT_CORE: u64 = 4;
const UNLIMITED: u64 = u64::MAX;

/// Names of signals from 1 on, as on every machine that the programs run on (signal(7)).
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The options of bash's `ulimit`, by the resource's number.
const LIMITS: [&str; 16] = [
    "-t", "-f", "-d", "-s", "-c", "-m", "-u", "-n", "-l", "-v", "-x", "-i", "-q", "-e", "-r", "-R",
];

/// Whether a shell does this for its own purposes, whatever it does next.
pub(super) fn is_noise(record: &[u8]) -> Result<bool, Malformed> {
    let (effect, _) = fixed::<Effect>(record)?;
    let is_subshell = effect.record.flags & layout::SUBSHELL != 0;
    Ok(match effect.effect {
        // What a ksh does when it leaves a subshell that is no process of its own.
        layout::EFFECT_FCHDIR => shell(&effect)? != Shell::Fish,
        layout::EFFECT_KILL => {
            let [target, signal, _] = effect.values;
            let target = target_of(target);
            let own = if effect.place.level > 0 { effect.place.pid } else { effect.process.pid };
            let is_itself = target == i64::from(own);
            let is_own_group = target == 0 || target == -i64::from(effect.state.pgid);
            match signal {
                0 => true,
                // `fg` and `bg`; and the kill of a ksh wakes whom it has sent something else.
                SIGCONT => target < 0 || shell(&effect)? == Shell::Ksh,
                // Until it is in the foreground.
                SIGTTIN | SIGTTOU => is_itself || is_own_group,
                SIGINT => is_itself,
                _ => is_itself && is_subshell,
            }
        }
        // A ksh's child that ends by a signal wants no core file.
        layout::EFFECT_LIMIT => {
            let [resource, soft, _] = effect.values;
            shell(&effect)? == Shell::Ksh && is_subshell && (resource, soft) == (RLIMIT_CORE, 0)
        }
        _ => false,
    })
}

/// Whether the next one may show that the shell only wanted to know.
pub(super) fn may_be_taken_back(record: &[u8]) -> Result<bool, Malformed> {
    Ok(fixed::<Effect>(record)?.0.effect == layout::EFFECT_UMASK)
}

fn shell(effect: &Effect) -> Result<Shell, Malformed> {
    let index = usize::try_from(effect.shell).map_err(|_| Malformed::Value("shell"))?;
    Shell::ALL.get(index).copied().ok_or(Malformed::Value("shell"))
}

/// The number that a shell has in records.
pub(crate) fn number_of_shell(shell: Shell) -> u32 {
    let index = Shell::ALL.iter().position(|other| *other == shell);
    index.and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX)
}

/// kill(2) takes an `int`.
fn target_of(value: u64) -> i64 {
    let bytes = value.to_ne_bytes();
    let half = if cfg!(target_endian = "little") { &bytes[..4] } else { &bytes[4..] };
    i64::from(half.try_into().map_or(0, i32::from_ne_bytes))
}

impl Decoder {
    /// Whether a mask is the one before the last, restored at once: the shell only wanted to know
    /// it. Both are then forgotten.
    pub(super) fn takes_back(&mut self, record: &[u8]) -> Result<bool, Malformed> {
        let (effect, _) = fixed::<Effect>(record)?;
        if effect.effect != layout::EFFECT_UMASK {
            return Ok(false);
        }
        let Some(before) = self.calls.effect(effect.process) else { return Ok(false) };
        let (before, _) = fixed::<Effect>(before)?;
        let is_restored = before.values[1] == effect.values[0]
            && effect.record.at.saturating_sub(before.record.at) < READ_BACK;
        if is_restored && let Some(call) = self.calls.interrupt(effect.process.pid) {
            self.calls.put_back(call);
        }
        Ok(is_restored)
    }

    /// The builtin behind an effect.
    pub(super) fn effect<'d>(&'d mut self, record: &'d [u8]) -> Result<Observation<'d>, Malformed> {
        let (effect, rest) = fixed::<Effect>(record)?;
        let has = |flag: u32| effect.record.flags & flag != 0;
        let mut texts = Texts::new(rest);
        let path = match has(layout::PATH_READ) {
            true => Some(texts.take_terminated(effect.path_length)?),
            false => None,
        };
        let components = texts.take(effect.cwd_length)?;
        self.paths.clear();
        let cwd = known_path(has(layout::CWD_WALKED), components, &mut self.paths)?;
        let led_to = cwd.clone().ok().and_then(|range| self.paths.get(range));
        self.argv.clear();
        let name = write_argv(&effect, path.or(led_to), &mut self.argv)?;
        let mut total = self.argv.len() as u64;
        if name == "cd" && path.or(led_to).is_none() {
            total += 1;
            self.argv_incomplete += 1;
        }
        let limit = usize::try_from(self.max_argv).unwrap_or(usize::MAX);
        self.argv.truncate(limit);

        let this = &*self;
        Ok(Observation::Builtin(Box::new(Builtin {
            at: BootTime(effect.record.at),
            process: parts::key(effect.process),
            parent: parts::key(effect.parent),
            state: parts::state(&effect.state)?,
            place: parts::place(effect.place),
            cwd: this.text(cwd),
            shell: shell(&effect)?,
            source: BuiltinSource::Effect,
            name: name.as_bytes(),
            argv: Argv { bytes: &this.argv, total },
            exit_status: None,
        })))
    }
}

/// Writes the words of the builtin; returns its name.
fn write_argv(
    effect: &Effect,
    path: Option<&[u8]>,
    argv: &mut Vec<u8>,
) -> Result<&'static str, Malformed> {
    let [first, second, third] = effect.values;
    // Writing to a vector does not fail.
    let (name, _) = match effect.effect {
        layout::EFFECT_CHDIR | layout::EFFECT_FCHDIR => {
            argv.extend_from_slice(b"cd\0");
            if let Some(path) = path {
                argv.extend_from_slice(path);
                argv.push(0);
            }
            ("cd", Ok(()))
        }
        layout::EFFECT_UMASK => ("umask", write!(argv, "umask\0{first:04o}\0")),
        layout::EFFECT_KILL => {
            let index = usize::try_from(second).ok().and_then(|number| number.checked_sub(1));
            let target = target_of(first);
            let written = match index.and_then(|index| SIGNALS.get(index)) {
                Some(signal) => write!(argv, "kill\0-{signal}\0{target}\0"),
                None => write!(argv, "kill\0-{second}\0{target}\0"),
            };
            ("kill", written)
        }
        layout::EFFECT_LIMIT => {
            let option = usize::try_from(first).ok().and_then(|index| LIMITS.get(index));
            let option = option.ok_or(Malformed::Value("values"))?;
            let text = |limit: u64| match limit {
                UNLIMITED => "unlimited".to_owned(),
                limit => limit.to_string(),
            };
            let limit = match (text(second), text(third)) {
                (soft, hard) if soft == hard => soft,
                (soft, hard) => format!("{soft}:{hard}"),
            };
            ("ulimit", write!(argv, "ulimit\0{option}\0{limit}\0"))
        }
        _ => return Err(Malformed::Value("effect")),
    };
    Ok(name)
}

#[cfg(test)]
mod tests {
    use forebear_model::Observation;
    use zerocopy::{FromZeros, IntoBytes};

    use super::*;
    use crate::wire::layout::{Key, Record};

    const PID: u32 = 70;

    fn effect(shell: Shell, effect: u32, values: [u64; 3]) -> Effect {
        let mut head = Effect::new_zeroed();
        head.record = Record { kind: layout::KIND_EFFECT, flags: layout::CWD_WALKED, at: 5 };
        head.process = Key { start: 1, pid: PID, unused: 0 };
        head.state.pgid = 60;
        (head.effect, head.values, head.shell) = (effect, values, number_of_shell(shell));
        head
    }

    fn umask(at: u64, new: u64, old: u64) -> Effect {
        let mut head = effect(Shell::Dash, layout::EFFECT_UMASK, [new, old, 0]);
        head.record.at = at;
        head
    }

    fn kill(target: i32, signal: u64) -> Effect {
        let target = u64::from(target.cast_unsigned());
        effect(Shell::Dash, layout::EFFECT_KILL, [target, signal, 0])
    }

    fn in_subshell(mut head: Effect) -> Effect {
        head.record.flags |= layout::SUBSHELL;
        head
    }

    /// The words of what is told, by the time a second has passed.
    fn told(effects: &[Effect]) -> Vec<String> {
        let mut decoder = Decoder::new(4096);
        let mut told = Vec::new();
        let mut sink = |observation: &Observation<'_>| {
            let Observation::Builtin(builtin) = observation else { panic!("{observation:?}") };
            assert_eq!(builtin.argv.iter().next(), Some(builtin.name));
            let words: Vec<_> = builtin.argv.iter().map(String::from_utf8_lossy).collect();
            told.push(words.join(" "));
        };
        for effect in effects {
            let path: &[u8] = if effect.path_length == 0 { b"" } else { b"../x\0" };
            let record = [effect.as_bytes(), path, b"x\0tmp\0"].concat();
            decoder.feed(&record, &mut sink).unwrap();
        }
        decoder.feed_overdue(BootTime(u64::MAX), &mut sink).unwrap();
        told
    }

    /// With the working directory after it.
    fn walked(mut head: Effect) -> Effect {
        head.cwd_length = 6;
        head
    }

    #[test]
    fn a_directory_is_told_as_it_was_given() {
        let mut given = walked(effect(Shell::Dash, layout::EFFECT_CHDIR, [0; 3]));
        (given.record.flags, given.path_length) = (layout::CWD_WALKED | layout::PATH_READ, 5);
        let led = walked(effect(Shell::Fish, layout::EFFECT_FCHDIR, [0; 3]));
        assert_eq!(told(&[given, led]), ["cd ../x", "cd /tmp/x"]);
        let ksh = walked(effect(Shell::Ksh, layout::EFFECT_FCHDIR, [0; 3]));
        assert_eq!(told(&[ksh]), [""; 0], "it leaves a subshell");
    }

    #[test]
    fn a_mask_that_was_only_read_is_not_told() {
        // What dash does for `umask`, and for `umask 077`.
        assert_eq!(told(&[umask(1, 0, 0o22), umask(2, 0o22, 0)]), [""; 0]);
        let set = [umask(1, 0, 0o22), umask(2, 0o22, 0), umask(3, 0o77, 0o22)];
        assert_eq!(told(&set), ["umask 0077"]);
        // A person is slower than that.
        let apart = [umask(1, 0o77, 0o22), umask(READ_BACK + 1, 0o22, 0o77)];
        assert_eq!(told(&apart), ["umask 0077", "umask 0022"]);
    }

    #[test]
    fn signals_of_job_control_are_not_told() {
        assert_eq!(told(&[kill(80, 15), kill(-80, 9)]), ["kill -TERM 80", "kill -KILL -80"]);
        assert_eq!(told(&[kill(80, 18), kill(80, 40)]), ["kill -CONT 80", "kill -40 80"]);
        let own = PID.cast_signed();
        assert_eq!(told(&[kill(own, 9)]), ["kill -KILL 70"]);
        let noise = [
            kill(80, 0),
            kill(-80, 18),
            kill(0, 21),
            kill(-60, 22),
            kill(own, 2),
            in_subshell(kill(own, 15)),
        ];
        assert_eq!(told(&noise), [""; 0]);
    }

    #[test]
    fn limits_are_told_in_the_kernels_measure() {
        let limit =
            |resource, soft, hard| effect(Shell::Ksh, layout::EFFECT_LIMIT, [resource, soft, hard]);
        let limits = [limit(7, 500, 500), limit(4, 0, UNLIMITED), limit(9, 1, 1)];
        assert_eq!(told(&limits), ["ulimit -n 500", "ulimit -c 0:unlimited", "ulimit -v 1"]);
        assert_eq!(told(&[in_subshell(limit(4, 0, UNLIMITED))]), [""; 0]);
    }
}
