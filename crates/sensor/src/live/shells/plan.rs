//! Which functions of a shell are probed, and what each probe is told.
//!
//! Invariant: a shell is known by what it exports, never by its name or path.

use forebear_model::Shell;

use super::elf::{Place, Symbols};
use crate::live::BuiltinScope;

/// Builtins that scripts call in loops: in a shell that is not interactive they are left out
/// unless they are asked for by name.
pub(super) const NOISY: [&str; 7] = [":", "[", "test", "true", "false", "echo", "printf"];

/// bash's functions that are called for more than the name in theirs.
const BASH_NAMES: [(&str, &[&str]); 5] = [
    ("colon", &[":", "true"]),
    ("test", &["test", "["]),
    ("source", &["source", "."]),
    ("declare", &["declare", "typeset"]),
    ("mapfile", &["mapfile", "readarray"]),
];

const INTERACTIVE: u64 = 1 << 16;
const RETURNS: u64 = 1 << 17;

/// At least so many exported builtins make a bash: no other program has them.
const BASH_BUILTINS: usize = 10;

/// The probes of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) shell: Shell,
    pub(super) programs: Programs,
    /// Functions that are builtins or run them.
    pub(super) calls: Vec<Probe>,
    /// Those whose return is probed too.
    pub(super) returns: Vec<Probe>,
    /// The function that asks for a line.
    pub(super) asks: Vec<Probe>,
    /// The function that runs what was not typed before the prompt.
    pub(super) prompt: Vec<Probe>,
}

/// The programs that know this shell's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) call: &'static str,
    pub(super) asks: &'static str,
    pub(super) line: &'static str,
}

const OF_BASH: Programs =
    Programs { call: "on_bash_builtin", asks: "on_bash_asks", line: "on_bash_line" };
const OF_ZSH: Programs =
    Programs { call: "on_zsh_builtin", asks: "on_zsh_asks", line: "on_zsh_line" };

/// One place in a file, and what its program is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) offset: u64,
    pub(super) cookie: u64,
}

/// Whether a symbol is of interest.
pub(super) fn is_wanted(symbol: &str) -> bool {
    symbol.ends_with("_builtin")
        || [
            "this_command_name",
            "execute_command",
            "execute_variable_command",
            "readline",
            "current_command_line_count",
            "executing_builtin",
            "execbuiltin",
            "zleentry",
        ]
        .contains(&symbol)
}

/// The names that a function of bash is called as.
pub(crate) fn names_of(function: &str) -> Vec<&str> {
    match BASH_NAMES.iter().find(|(name, _)| *name == function) {
        Some((_, names)) => names.to_vec(),
        None => vec![function],
    }
}

/// Whether a probe on a builtin that scripts call in loops would cost them too much, where it
/// costs five times as much as others: a loop of `:` in bash takes nine times as long then.
fn is_too_dear(names: &[&str], scope: &BuiltinScope) -> bool {
    matches!(scope, BuiltinScope::Interactive) && names.iter().any(|name| NOISY.contains(name))
}

/// The flags of a builtin in this scope; `None` if it is left out.
pub(super) fn flags(names: &[&str], scope: &BuiltinScope) -> Option<u64> {
    let is_noisy = names.iter().any(|name| NOISY.contains(name));
    // What loops call most is not worth a second probe.
    let returns = if is_noisy { 0 } else { RETURNS };
    match scope {
        BuiltinScope::Interactive => Some(returns | INTERACTIVE),
        BuiltinScope::All if is_noisy => Some(INTERACTIVE),
        BuiltinScope::All => Some(returns),
        BuiltinScope::Named(wanted) => {
            let is_wanted = names.iter().any(|name| wanted.iter().any(|other| other == name));
            is_wanted.then_some(returns)
        }
    }
}

/// The probes for a file with these symbols; `None` if it is no shell that is known. `number`
/// gives a function its number.
pub(super) fn plan(
    symbols: &Symbols,
    scope: &BuiltinScope,
    number: &mut dyn FnMut(Shell, &str) -> u16,
) -> Option<Plan> {
    bash(symbols, scope, number).or_else(|| zsh(symbols, scope, number))
}

fn bash(
    symbols: &Symbols,
    scope: &BuiltinScope,
    number: &mut dyn FnMut(Shell, &str) -> u16,
) -> Option<Plan> {
    let name_at = *symbols.variables.get("this_command_name")?;
    symbols.functions.get("execute_command")?;
    let mut builtins: Vec<(&str, Place)> = symbols
        .functions
        .iter()
        .filter_map(|(symbol, place)| Some((symbol.strip_suffix("_builtin")?, *place)))
        // Functions that look builtins up.
        .filter(|(name, _)| !matches!(*name, "find_shell" | "find_special"))
        .collect();
    if builtins.len() < BASH_BUILTINS {
        return None;
    }
    builtins.sort_unstable_by_key(|(name, place)| (place.offset, *name));
    builtins.dedup_by_key(|(_, place)| place.offset);
    let mut plan = Plan::empty(Shell::Bash, OF_BASH);
    for (function, place) in builtins {
        let names = names_of(function);
        if !place.is_emulated && is_too_dear(&names, scope) {
            continue;
        }
        let Some(flags) = flags(&names, scope) else { continue };
        let cookie =
            distance(place, Some(name_at)) << 32 | flags | u64::from(number(Shell::Bash, function));
        plan.call(Probe { offset: place.offset, cookie });
    }
    if let Some(place) = symbols.functions.get("readline") {
        let variable = |name: &str| symbols.variables.get(name).copied();
        let cookie = distance(*place, variable("current_command_line_count")) << 32
            | distance(*place, variable("executing_builtin"));
        plan.asks.push(Probe { offset: place.offset, cookie });
    }
    if let Some(place) = symbols.functions.get("execute_variable_command") {
        plan.prompt.push(Probe { offset: place.offset, cookie: 0 });
    }
    Some(plan)
}

fn zsh(
    symbols: &Symbols,
    scope: &BuiltinScope,
    number: &mut dyn FnMut(Shell, &str) -> u16,
) -> Option<Plan> {
    let place = symbols.functions.get("execbuiltin")?;
    let editor = symbols.functions.get("zleentry")?;
    let mut plan = Plan::empty(Shell::Zsh, OF_ZSH);
    // What a name changes is in the map of names.
    let flags = match scope {
        BuiltinScope::Interactive => RETURNS | INTERACTIVE,
        BuiltinScope::All | BuiltinScope::Named(_) => RETURNS,
    };
    let cookie = flags | u64::from(number(Shell::Zsh, ""));
    plan.call(Probe { offset: place.offset, cookie });
    plan.asks.push(Probe { offset: editor.offset, cookie: 0 });
    Some(plan)
}

/// How far a variable lies behind a function, as the 32 bits of a cookie's half; 0 if there is no
/// such variable, or it is too far.
fn distance(function: Place, variable: Option<u64>) -> u64 {
    let distance = variable.map(|at| at.wrapping_sub(function.address).cast_signed());
    let short = distance.and_then(|distance| i32::try_from(distance).ok()).unwrap_or(0);
    u64::from(short.cast_unsigned())
}

impl Plan {
    fn empty(shell: Shell, programs: Programs) -> Self {
        Self { shell, programs, calls: vec![], returns: vec![], asks: vec![], prompt: vec![] }
    }

    fn call(&mut self, probe: Probe) {
        self.calls.push(probe);
        if probe.cookie & RETURNS != 0 {
            self.returns.push(probe);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(functions: &[&str], variables: &[&str]) -> Symbols {
        let place = |(index, name): (usize, &&str)| {
            let address = 0x2_0000 + 16 * index as u64;
            let is_emulated = *name != "colon_builtin";
            ((*name).to_owned(), Place { address, offset: address - 0x1000, is_emulated })
        };
        Symbols {
            functions: functions.iter().enumerate().map(place).collect(),
            variables: variables.iter().map(|name| ((*name).to_owned(), 0x1_0000)).collect(),
        }
    }

    const BASH: [&str; 14] = [
        "execute_command",
        "readline",
        "cd_builtin",
        "export_builtin",
        "source_builtin",
        "test_builtin",
        "colon_builtin",
        "echo_builtin",
        "kill_builtin",
        "exec_builtin",
        "eval_builtin",
        "unset_builtin",
        "history_builtin",
        "find_shell_builtin",
    ];

    fn planned(functions: &[&str], variables: &[&str], scope: &BuiltinScope) -> Option<Plan> {
        let mut count = 0;
        plan(&symbols(functions, variables), scope, &mut |_, _| {
            count += 1;
            count
        })
    }

    #[test]
    fn a_bash_is_known_by_what_it_exports() {
        let whole = planned(&BASH, &["this_command_name"], &BuiltinScope::Interactive).unwrap();
        assert_eq!(whole.shell, Shell::Bash);
        assert_eq!(whole.calls.len(), 10, "neither what looks builtins up, nor what is too dear");
        assert_eq!(whole.returns.len(), 8, "not those that loops call");
        let all = planned(&BASH, &["this_command_name"], &BuiltinScope::All).unwrap();
        assert_eq!(all.calls.len(), 11, "what is asked for is not too dear");
        assert_eq!(whole.asks.len(), 1);
        assert_eq!(planned(&BASH, &[], &BuiltinScope::All), None);
        assert_eq!(planned(&BASH[..6], &["this_command_name"], &BuiltinScope::All), None);
    }

    #[test]
    fn the_name_lies_before_or_behind_the_function() {
        let place = Place { address: 0x3000, offset: 0, is_emulated: true };
        assert_eq!(distance(place, Some(0x3010)), 0x10);
        assert_eq!(distance(place, Some(0x2ff0)), 0xffff_fff0);
        assert_eq!(distance(place, Some(u64::MAX / 2)), 0);
        assert_eq!(distance(place, None), 0);
    }

    #[test]
    fn a_list_of_names_probes_these_and_their_other_names() {
        let named = BuiltinScope::Named(vec!["cd".to_owned(), "[".to_owned()]);
        let plan = planned(&BASH, &["this_command_name"], &named).unwrap();
        assert_eq!(plan.calls.len(), 2);
        assert!(plan.calls.iter().all(|probe| probe.cookie & INTERACTIVE == 0));
    }

    #[test]
    fn what_loops_call_is_left_out_where_nobody_types() {
        assert_eq!(flags(&[":", "true"], &BuiltinScope::All), Some(INTERACTIVE));
        assert_eq!(flags(&["cd"], &BuiltinScope::All), Some(RETURNS));
        assert_eq!(flags(&["echo"], &BuiltinScope::Interactive), Some(INTERACTIVE));
    }

    #[test]
    fn a_zsh_has_one_function_for_all_builtins() {
        let plan = planned(&["execbuiltin", "zleentry"], &[], &BuiltinScope::All).unwrap();
        assert_eq!(plan.shell, Shell::Zsh);
        assert_eq!((plan.calls.len(), plan.returns.len(), plan.asks.len()), (1, 1, 1));
        assert_eq!(planned(&["execbuiltin"], &[], &BuiltinScope::All), None);
    }
}
