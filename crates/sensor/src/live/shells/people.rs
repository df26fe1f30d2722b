//! Which files are taken for shells by their names, and at which of their processes a person
//! types: for shells of which nothing else is known.

use forebear_model::Shell;
use forebear_model::observation::{Argv, State};

/// Applets of busybox that are shells.
const APPLETS: [&str; 3] = ["ash", "hush", "sh"];

/// Options of shells that are followed by a word of their own.
const WITH_WORD: [&str; 7] = ["-o", "+o", "-O", "+O", "--init-command", "--init-file", "--rcfile"];

/// The shell that a file of this path is taken for.
pub(crate) fn shell_called(path: &[u8]) -> Option<Shell> {
    Some(match last_name(path) {
        b"ash" | b"busybox" | b"busybox.static" => Shell::Busybox,
        b"bash" | b"bash-static" | b"rbash" => Shell::Bash,
        b"bsd-csh" | b"csh" | b"tcsh" => Shell::Csh,
        b"dash" => Shell::Dash,
        b"fish" => Shell::Fish,
        b"ksh" | b"ksh93" | b"loksh" | b"oksh" | b"rksh" | b"rksh93" => Shell::Ksh,
        b"lksh" | b"mksh" | b"mksh-static" => Shell::Mksh,
        b"sh" => Shell::Sh,
        b"yash" => Shell::Yash,
        b"rzsh" | b"zsh" | b"zsh-static" | b"zsh5" => Shell::Zsh,
        _ => return None,
    })
}

/// Whether a shell of this path takes its commands from a person: its standard input and standard
/// error are its controlling terminal, and it is given neither a command nor a script.
pub(crate) fn is_typed_at(path: &[u8], state: &State, argv: Argv<'_>) -> bool {
    let is_ctty = |stream: usize| {
        let stream = state.streams.as_ref().ok().and_then(|streams| streams.get(stream));
        stream.is_some_and(|stream| stream.as_ref().is_some_and(|stream| stream.is_ctty))
    };
    is_ctty(0) && is_ctty(2) && asks_for_commands(path, argv)
}

fn asks_for_commands(path: &[u8], argv: Argv<'_>) -> bool {
    let mut words = argv.iter();
    let first = words.next().unwrap_or_default();
    if last_name(path).starts_with(b"busybox") {
        let is_applet = |word: &[u8]| APPLETS.iter().any(|it| it.as_bytes() == word);
        let called = last_name(first.strip_prefix(b"-").unwrap_or(first));
        if !is_applet(called) && !words.next().is_some_and(is_applet) {
            return false;
        }
    }
    let mut is_word_of_option = false;
    for word in words {
        if std::mem::take(&mut is_word_of_option) {
            continue;
        }
        let is_option = matches!(word.first(), Some(b'-' | b'+'));
        let is_short = is_option && word.get(1) != Some(&b'-');
        let has_command = word.starts_with(b"--command") || is_short && word.contains(&b'c');
        if !is_option || has_command {
            return false;
        }
        // What follows are the parameters of commands that are typed.
        if word == b"-s" {
            return true;
        }
        is_word_of_option = WITH_WORD.iter().any(|option| option.as_bytes() == word);
    }
    true
}

fn last_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, argv: &[&str], expected: bool) {
        let bytes: String = argv.iter().map(|word| format!("{word}\0")).collect();
        let is_asking = asks_for_commands(path.as_bytes(), Argv::whole(bytes.as_bytes()));
        assert_eq!(is_asking, expected, "{path} {argv:?}");
    }

    #[test]
    fn a_command_or_a_script_is_nobody_typing() {
        for argv in [&["-dash"][..], &["dash", "-i"], &["sh", "-o", "vi"], &["sh", "-s", "a"]] {
            check("/bin/dash", argv, true);
        }
        for argv in [&["sh", "-c", "x"][..], &["sh", "-ec", "x"], &["sh", "x"], &["sh", "-e", "x"]]
        {
            check("/bin/dash", argv, false);
        }
        check("/usr/bin/fish", &["fish", "--command=cd", "x"], false);
        check("/usr/bin/fish", &["fish", "--init-command", "cd x"], true);
    }

    #[test]
    fn of_busybox_only_its_shells_count() {
        for argv in [&["-sh"][..], &["/bin/ash"], &["busybox", "sh"], &["busybox", "ash", "-l"]] {
            check("/bin/busybox", argv, true);
        }
        for argv in [&["vi"][..], &["busybox", "vi"], &["busybox"], &["busybox", "sh", "-c", "x"]] {
            check("/bin/busybox", argv, false);
        }
    }

    #[test]
    fn shells_have_names() {
        assert_eq!(shell_called(b"/usr/bin/dash"), Some(Shell::Dash));
        assert_eq!(shell_called(b"ksh93"), Some(Shell::Ksh));
        assert_eq!(shell_called(b"/usr/bin/bashful"), None);
    }
}
