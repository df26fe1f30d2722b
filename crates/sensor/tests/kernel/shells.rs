//! Builtins of shells, on private copies of them: never the machine's own.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use forebear_model::observation::{Builtin, Observation};
use forebear_model::{BuiltinSource, Pid, Shell};
use forebear_sensor::{BuiltinScope, LiveOptions, ShellOptions};
use tempfile::TempDir;

use crate::watch::Watch;

/// A sensor that is attached to a copy of a shell, and to no other.
struct Stage {
    watch: Watch,
    shell: PathBuf,
    folder: TempDir,
}

impl Stage {
    /// `None`, said on standard error, where the sensor or the shell is not there and not demanded.
    #[track_caller]
    fn with(shell: &str, copy: &str, builtins: BuiltinScope) -> Option<Self> {
        let original = ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(shell));
        let Some(original) = original.into_iter().find(|path| path.exists()) else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{shell} is not installed");
            eprintln!("not run: {shell} is not installed");
            return None;
        };
        Self::of(&original, copy, builtins)
    }

    /// The same with a file that is taken for a shell.
    #[track_caller]
    fn of(original: &Path, copy: &str, builtins: BuiltinScope) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let below = vec![folder.path().to_owned()];
        let shells = Some(ShellOptions { builtins, below });
        let watch = Watch::attach_with(&LiveOptions { shells, ..LiveOptions::default() })?;
        let shell = folder.path().join(copy);
        fs::copy(original, &shell).unwrap();
        let mut stage = Self { watch, shell, folder };
        stage.run("exit");
        stage.watch.until("the attached shell", |watch| watch.live.counters().shells_attached == 1);
        Some(stage)
    }

    #[track_caller]
    fn bash() -> Option<Self> {
        Self::with("bash", "bash", BuiltinScope::All)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.shell);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env_clear();
        command.env("PATH", "/usr/bin:/bin").current_dir(self.folder.path());
        command
    }

    /// Runs a script to its end; returns the shell's pid.
    #[track_caller]
    fn run(&mut self, script: &str) -> u32 {
        let mut command = self.command();
        self.watch.run(command.arg("-c").arg(script))
    }

    /// Runs a script; returns the builtins of all its processes as text, in order.
    #[track_caller]
    fn told(&mut self, script: &str) -> Vec<String> {
        let before = self.watch.seen.len();
        self.run(script);
        self.builtins().skip_while(|(at, _)| *at < before).map(|(_, it)| text(it)).collect()
    }

    fn builtins(&self) -> impl Iterator<Item = (usize, &Builtin<'static>)> {
        self.watch.seen.iter().enumerate().filter_map(|(at, observation)| match observation {
            Observation::Builtin(builtin) => Some((at, &**builtin)),
            _ => None,
        })
    }

    #[track_caller]
    fn last(&self, name: &str) -> &Builtin<'static> {
        let found = self.builtins().filter(|(_, it)| it.name == name.as_bytes()).last();
        found.unwrap_or_else(|| panic!("{name} was not told")).1
    }
}

/// The words with blanks between, and what was returned if that is known.
fn text(builtin: &Builtin<'_>) -> String {
    let words: Vec<_> = builtin.argv.iter().map(String::from_utf8_lossy).collect();
    let status = builtin.exit_status.map_or(String::new(), |status| format!(" = {status}"));
    words.join(" ") + &status
}

#[test]
fn what_runs_is_told_whatever_led_to_it() {
    let Some(mut stage) = Stage::bash() else { return };
    let script = "
        shopt -s expand_aliases
        alias go='cd /usr'
        go
        f() { local x=$1; cd \"$x\"; }
        f /tmp
        builtin cd /
        command cd /
        eval 'export A=b'
        cd /nowhere
        (umask 077)";
    assert_eq!(
        stage.told(script),
        [
            "shopt -s expand_aliases = 0",
            "alias go=cd /usr = 0",
            "cd /usr = 0",
            "local x=/tmp = 0",
            "cd /tmp = 0",
            "builtin cd /",
            "cd / = 0",
            "cd / = 0",
            "eval export A=b",
            "export A=b = 0",
            "cd /nowhere = 1",
            "umask 077 = 0",
        ]
    );
    let umask = stage.last("umask");
    assert_ne!(umask.process.pid, stage.last("eval").process.pid, "a subshell of its own");
    assert_eq!(umask.parent, stage.last("eval").process);
    assert_eq!((umask.shell, umask.source), (Shell::Bash, BuiltinSource::Call));
}

#[test]
fn facts_are_those_of_the_moment() {
    let Some(mut stage) = Stage::bash() else { return };
    let pid = stage.run("cd /usr; declare -i n=1 2>&-");
    let exec = stage.watch.exec_of(pid).clone();
    let cd = stage.last("cd");
    assert_eq!(cd.process, exec.process);
    assert_eq!(cd.parent, exec.parent);
    assert_eq!(cd.cwd, exec.cwd, "before the builtin");
    assert_eq!(cd.state, exec.state);
    assert!(cd.at > exec.at);
    let declare = stage.last("declare");
    assert_eq!(declare.cwd, Ok(&b"/usr"[..]));
    assert_eq!(declare.state.streams.as_ref().unwrap()[2], None, "closed for the builtin");
}

#[test]
fn builtins_and_programs_are_told_in_their_order() {
    let Some(mut stage) = Stage::bash() else { return };
    let before = stage.watch.seen.len();
    stage.run("cd /; /bin/true 1; cd /usr; eval '/bin/true 2; cd /tmp'; cd /; exec /bin/true 3");
    let told: Vec<String> = stage.watch.seen[before..]
        .iter()
        .filter_map(|observation| match observation {
            Observation::Builtin(builtin) => Some(text(builtin)),
            Observation::Exec(exec) if exec.filename == Ok(b"/bin/true") => {
                let last = exec.argv.iter().last().unwrap();
                Some(format!("true {}", String::from_utf8_lossy(last)))
            }
            _ => None,
        })
        .collect();
    let expected = [
        "cd / = 0",
        "true 1",
        "cd /usr = 0",
        "eval /bin/true 2; cd /tmp",
        "true 2",
        "cd /tmp = 0",
        "cd / = 0",
        "exec /bin/true 3",
        "true 3",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_names_of_one_builtin_are_told_apart() {
    let Some(mut stage) = Stage::bash() else { return };
    fs::write(stage.folder.path().join("sourced"), "umask 022").unwrap();
    let told = stage.told(". ./sourced; source ./sourced; typeset a=1; declare b=2");
    let expected = [
        ". ./sourced",
        "umask 022 = 0",
        "source ./sourced",
        "umask 022 = 0",
        "typeset a=1 = 0",
        "declare b=2 = 0",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_builtin_that_is_a_part_of_another_is_not_told_twice() {
    let Some(mut stage) = Stage::bash() else { return };
    assert_eq!(stage.told("pushd /usr; popd"), ["pushd /usr = 0", "popd = 0"]);
}

#[test]
fn what_never_returns_is_told_too() {
    let Some(mut stage) = Stage::bash() else { return };
    assert_eq!(stage.told("cd /; exit 3"), ["cd / = 0", "exit 3"]);
    assert_eq!(stage.told("set -e; cd /nowhere; cd /"), ["set -e = 0", "cd /nowhere = 1"]);
    assert_eq!(stage.told("kill -9 $$").len(), 1);

    let mut command = stage.command();
    let (stdin, keep_open) = std::io::pipe().unwrap();
    let mut child = command.args(["-c", "read x"]).stdin(stdin).spawn().unwrap();
    stage.watch.until("the builtin that waits", |watch| {
        watch.seen.iter().any(|it| matches!(it, Observation::Builtin(it) if it.name == b"read"))
    });
    assert_eq!(stage.last("read").exit_status, None);
    child.kill().unwrap();
    stage.watch.finish(&mut child);
    drop(keep_open);
}

#[test]
fn arguments_need_not_be_text() {
    let Some(mut stage) = Stage::bash() else { return };
    let mut command = stage.command();
    let script = OsStr::from_bytes(b"export A='a\nb' B=\xff\xfe C=");
    stage.watch.run(command.arg("-c").arg(script));
    let words: Vec<&[u8]> = stage.last("export").argv.iter().collect();
    assert_eq!(words, [&b"export"[..], b"A=a\nb", b"B=\xff\xfe", b"C="]);
    assert_eq!(stage.told("cd ''; cd -- /"), ["cd  = 0", "cd -- / = 0"]);
    assert_eq!(stage.last("cd").argv.iter().count(), 3);
}

#[test]
fn a_list_that_is_too_long_is_cut_and_says_how_long_it_was() {
    let Some(mut stage) = Stage::bash() else { return };
    stage.run("set -- {1..10000}; shift 10000");
    let set = stage.last("set").argv;
    let words: String = (1..=10000).map(|number| format!("{number}\0")).collect();
    assert_eq!(set.total, (4 + 3 + words.len()) as u64);
    assert!(set.is_cut() && set.bytes.len() > 15_000);
    let whole = format!("set\0--\0{words}").into_bytes();
    assert_eq!(set.bytes, &whole[..set.bytes.len()]);
    stage.run("umask -- \"$(printf '%100000s')\"");
    let umask = stage.last("umask").argv;
    assert_eq!(umask.total, 6 + 3 + 100_001);
    assert_eq!(stage.watch.live.counters().argv_incomplete, 0);
}

#[test]
fn what_loops_call_is_not_told_where_nobody_types() {
    let Some(mut stage) = Stage::bash() else { return };
    let script = ":; true; false; [ a ]; test a; echo a; printf a; cd /";
    assert_eq!(stage.told(script), ["cd / = 0"]);
}

#[test]
fn the_builtins_of_a_list_are_told_and_no_others() {
    let named = BuiltinScope::Named(vec!["[".to_owned(), "cd".to_owned()]);
    let Some(mut stage) = Stage::with("bash", "bash", named) else { return };
    assert_eq!(stage.told("umask 022; [ a ]; cd /"), ["[ a ]", "cd / = 0"]);
}

#[test]
fn a_shell_without_a_terminal_is_not_interactive() {
    let Some(mut stage) = Stage::with("bash", "bash", BuiltinScope::Interactive) else { return };
    assert_eq!(stage.told("cd /; umask 022"), [""; 0]);
}

#[test]
fn a_loop_does_not_drown_the_rest_and_what_is_left_out_is_counted() {
    let Some(mut stage) = Stage::bash() else { return };
    let told = stage.told("for ((i = 0; i < 20000; i++)); do cd /; done").len() as u64;
    let counters = stage.watch.live.counters();
    assert_eq!(told + counters.suppressed + counters.lost_builtins, 20_000);
    assert_eq!(counters.lost_builtins, 0);
    assert!(counters.suppressed > 10_000, "{counters:?}");
}

#[test]
fn a_shell_is_known_under_any_name() {
    let Some(mut stage) = Stage::with("bash", "a b\u{e9}", BuiltinScope::All) else { return };
    assert_eq!(stage.told("cd /"), ["cd / = 0"]);
    assert_eq!(stage.last("cd").shell, Shell::Bash);
}

#[test]
fn a_restricted_shell_tells_what_it_refused() {
    let Some(mut stage) = Stage::with("bash", "rbash", BuiltinScope::All) else { return };
    assert_eq!(stage.told("cd /"), ["cd / = 1"]);
}

#[test]
fn zsh_tells_its_builtins_with_their_assignments() {
    let Some(mut stage) = Stage::with("zsh", "zsh", BuiltinScope::All) else { return };
    let told = stage.told("cd /; export A='b c' D; f() { builtin cd /usr }; f; : no; eval 'cd /'");
    let expected = ["cd / = 0", "export A=b c D = 0", "cd /usr = 0", "eval cd /", "cd / = 0"];
    assert_eq!(told, expected);
    assert_eq!(stage.last("eval").shell, Shell::Zsh);
    let mut command = stage.command();
    let script = OsStr::from_bytes(b"export A=$'\\x83\\xff'");
    stage.watch.run(command.arg("-c").arg(script));
    let words: Vec<&[u8]> = stage.last("export").argv.iter().collect();
    assert_eq!(words, [&b"export"[..], b"A=\x83\xff"]);
}

/// Distributions build shells with a mark for indirect branches; Debian 12 does not.
#[test]
#[cfg(target_arch = "x86_64")]
fn functions_that_begin_with_a_mark_are_probed_behind_it() {
    const MARK: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("marked");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernel/marked.c");
    let mut clang = Command::new("clang");
    clang.args(["-O1", "-Wall", "-Werror", "-fcf-protection=branch", "-rdynamic", "-o"]);
    assert!(clang.arg(&program).arg(source).status().unwrap().success());
    let marks = fs::read(&program).unwrap().windows(4).filter(|bytes| *bytes == MARK).count();
    assert!(marks >= 3, "{marks} functions have one");
    let Some(mut stage) = Stage::of(&program, "marked", BuiltinScope::All) else { return };
    assert_eq!(stage.told(""), ["cd /usr = 6"]);
}

#[test]
fn a_shell_that_cannot_be_attached_is_told_once_and_stops_nothing() {
    let Some(mut stage) = Stage::bash() else { return };
    let below = |name: &str| stage.folder.path().join(name);
    let (truncated, silent) = (below("truncated/bash"), below("silent/sh"));
    for path in [&truncated, &silent] {
        fs::create_dir(path.parent().unwrap()).unwrap();
    }
    let original = fs::read(&stage.shell).unwrap();
    // It still runs: section headers lie at the end, and no loader needs them.
    fs::write(&truncated, &original[..original.len() - 1000]).unwrap();
    fs::copy("/bin/true", &silent).unwrap();
    fs::set_permissions(&truncated, fs::metadata(&stage.shell).unwrap().permissions()).unwrap();
    for path in [&truncated, &silent] {
        for _ in 0..2 {
            stage.watch.run(Command::new(path).arg("-c").arg("cd /").env_clear());
        }
    }
    stage.watch.drain(Duration::from_millis(10));
    let notes = stage.watch.live.take_notes();
    assert_eq!(notes.len(), 2, "{notes:?} {:?}", stage.watch.live.counters());
    assert!(notes[0].contains("truncated/bash") && notes[0].contains("damaged"), "{notes:?}");
    assert!(notes[1].contains("silent/sh") && notes[1].contains("symbols"), "{notes:?}");
    assert_eq!(stage.watch.live.counters().shells_refused, 2);
    assert_eq!(stage.told("cd /"), ["cd / = 0"]);
}

#[test]
fn a_shell_that_was_installed_anew_is_attached_anew() {
    let Some(mut stage) = Stage::bash() else { return };
    let next = stage.folder.path().join("next");
    fs::copy(&stage.shell, &next).unwrap();
    fs::rename(&next, &stage.shell).unwrap();
    stage.run("exit");
    stage.watch.until("the new shell", |watch| watch.live.counters().shells_attached == 2);
    assert_eq!(stage.told("cd /"), ["cd / = 0"]);
}

#[test]
fn a_shell_that_is_rewritten_in_place_is_let_go_of_and_attached_anew() {
    let Some(mut stage) = Stage::bash() else { return };
    let mut changed = fs::read(&stage.shell).unwrap();
    changed.push(0);
    fs::write(&stage.shell, &changed).unwrap();
    stage.run("exit");
    assert_eq!(stage.told("cd /"), ["cd / = 0"], "attached as it now is");
    assert_eq!(stage.watch.live.counters().shells_attached, 1);
    // Another program in the same file, where the probes would be in the middle of something.
    fs::copy("/bin/true", &stage.shell).unwrap();
    stage.run("exit");
    stage.watch.until("letting go", |watch| watch.live.counters().shells_attached == 0);
    for _ in 0..20 {
        assert!(stage.command().status().unwrap().success());
    }
}

#[test]
fn a_shell_without_a_name_is_let_go_of_when_nobody_runs_it() {
    let Some(mut stage) = Stage::bash() else { return };
    let (stdin, keep_open) = std::io::pipe().unwrap();
    let mut command = stage.command();
    let mut child = command.args(["-c", "read x; cd /usr"]).stdin(stdin).spawn().unwrap();
    fs::remove_file(&stage.shell).unwrap();
    std::thread::sleep(Duration::from_secs(12));
    stage.watch.drain(Duration::from_millis(10));
    assert_eq!(stage.watch.live.counters().shells_attached, 1, "somebody runs it");
    drop(keep_open);
    stage.watch.finish(&mut child);
    assert_eq!(stage.last("cd").argv.bytes, b"cd\0/usr\0");
    stage.watch.until("letting go", |watch| watch.live.counters().shells_attached == 0);
}

#[test]
fn one_shell_too_many_is_told_of_whatever_its_name() {
    const MOST: usize = 64;
    let Some(mut stage) = Stage::with("bash", "copy-0", BuiltinScope::All) else { return };
    let copy = |number: usize| stage.folder.path().join(format!("copy-{number}"));
    let copies: Vec<_> = (1..=MOST).map(copy).collect();
    for path in &copies {
        fs::copy(&stage.shell, path).unwrap();
        stage.watch.run(Command::new(path).arg("-c").arg("exit").env_clear());
    }
    stage.watch.drain(Duration::from_millis(10));
    let counters = stage.watch.live.counters();
    assert_eq!((counters.shells_attached, counters.shells_refused), (MOST as u64, 1));
    let notes = stage.watch.live.take_notes();
    let note = notes.first().unwrap();
    assert!(note.contains("/copy-64") && note.contains("one more than the 64"), "{notes:?}");
    assert!(note.contains("by their effects"), "{note}");
    // The others are as they were.
    assert_eq!(stage.told("cd /"), ["cd / = 0"]);
}

#[test]
fn a_shell_that_is_replaced_again_and_again_stops_nothing() {
    let Some(mut stage) = Stage::bash() else { return };
    let shell = stage.shell.clone();
    let next = stage.folder.path().join("next");
    let replacing = std::thread::spawn(move || {
        for _ in 0..40 {
            fs::copy("/bin/bash", &next).unwrap();
            fs::rename(&next, &shell).unwrap();
            let mut command = Command::new(&shell);
            command.arg("-c").arg("exit").env_clear().stdin(Stdio::null());
            // It may have been replaced by the time that the sensor looks.
            assert!(command.status().unwrap().success());
        }
    });
    while !replacing.is_finished() {
        stage.watch.drain(Duration::from_millis(1));
    }
    replacing.join().unwrap();
    stage.run("exit");
    assert_eq!(stage.told("cd /"), ["cd / = 0"]);
    let notes = stage.watch.live.take_notes();
    assert!(notes.is_empty(), "what is gone is no complaint: {notes:?}");
}

#[test]
fn signals_and_here_documents_change_nothing() {
    let Some(mut stage) = Stage::bash() else { return };
    let script = "trap 'cd /usr' USR1\nkill -USR1 $$\nread x <<EOF\ntext\nEOF\nexport X=$x";
    let told = stage.told(script);
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert!(told[1].starts_with("kill -USR1 "), "{told:?}");
    let rest = [told[0], told[2], told[3], told[4]];
    assert_eq!(rest, ["trap cd /usr USR1 = 0", "cd /usr = 0", "read x = 0", "export X=text = 0"]);
}

#[test]
fn without_being_asked_for_no_shell_is_attached() {
    let Some(mut watch) = Watch::attach() else { return };
    let folder = TempDir::new().unwrap();
    let shell = folder.path().join("bash");
    fs::copy("/bin/bash", &shell).unwrap();
    for _ in 0..2 {
        let pid = watch.run(Command::new(&shell).args(["-c", "cd /"]).env_clear());
        assert_eq!(watch.exec_of(pid).process.pid, Pid(pid));
    }
    assert_eq!(watch.live.counters().shells_attached, 0);
    assert!(!watch.live.description().hooks.iter().any(|hook| hook.starts_with("uprobe")));
    assert!(!watch.seen.iter().any(|it| matches!(it, Observation::Builtin(_))));
}
