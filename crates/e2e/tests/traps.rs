//! Ways of running a program that have caught recorders before.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use forebear_testkit::means::{DEED, Means, available};
use forebear_testkit::scene::{Stage, marker};
use forebear_testkit::{Expect, account, deed};
use serde_json::json;

/// Runs a deed that has to succeed, with nothing to read and nothing shown, in the session of a
/// shell: the leader of the one that the tests run in may be nobody that can be seen.
#[track_caller]
fn run(program: &Path, arguments: &[&str]) {
    let mut command = Command::new("setsid");
    // More than one command, so that the shell forks.
    command.args(["--wait", "sh", "-c", "\"$@\"; exit $?", "sh"]);
    command.arg(program).args(arguments).stdin(Stdio::null());
    account::run(&mut command, "run a deed");
}

#[test]
fn a_thread_that_runs_a_program_is_its_process() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("thread_exec", stage.folder());
    let marker = marker("thread-exec");
    run(&deed, &["echo", &marker]);
    let before = stage.agent.wait_for_exec_of(&[deed.to_str().unwrap(), "echo", &marker]);
    let echo = stage.agent.wait_for_exec_of(&["echo", &marker]);
    Expect::of(&echo, "the program that the thread ran")
        .process("self", before.uuid("self").unwrap())
        .is("self.pid", before.number("self.pid"))
        .is("self.exec_count", before.number("self.exec_count").unwrap() + 1)
        .is("exec.previous_exe", deed.to_str())
        .process("parent", before.uuid("parent").unwrap())
        .met();
    stage.finish();
}

#[test]
fn a_process_lives_on_when_its_leading_thread_has_ended() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("leader_exit", stage.folder());
    let (child, last) = (marker("child"), marker("last"));
    run(&deed, &["echo", &child, &last]);
    let before = stage.agent.wait_for("the deed's EXEC", |event| {
        event.is_exec() && event.name() == "leader_exit" && event.mentions(&last)
    });
    let child = stage.agent.wait_for_exec_of(&["echo", &child]);
    let last = stage.agent.wait_for_exec_of(&["echo", &last]);
    Expect::of(&child, "the child of the other thread")
        .process("parent", before.uuid("self").unwrap())
        .is("parent.name", "leader_exit")
        .absent("self.creator_uuid")
        .absent("missing")
        .met();
    Expect::of(&last, "what the other thread ran at last")
        .process("self", before.uuid("self").unwrap())
        .is("self.pid", before.number("self.pid"))
        .met();
    stage.finish();
}

#[test]
fn a_child_that_borrows_its_parents_memory_is_recorded_like_any_other() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("vfork_exec", stage.folder());
    let marker = marker("vfork");
    run(&deed, &["echo", &marker]);
    let parent = stage.agent.wait_for_exec_of(&[deed.to_str().unwrap(), "echo", &marker]);
    let echo = stage.agent.wait_for_exec_of(&["echo", &marker]);
    Expect::of(&echo, "the child of vfork")
        .process("parent", parent.uuid("self").unwrap())
        .is("parent.name", "vfork_exec")
        .is("self.exec_count", 1)
        .met();
    stage.finish();
}

/// The kernel's parent is the creator's parent; inheritance follows the creator.
#[test]
fn a_sibling_made_by_clone_parent_knows_its_creator() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("clone_parent", stage.folder());
    let marker = marker("clone-parent");
    run(&deed, &["echo", &marker]);
    let creator = stage.agent.wait_for_exec_of(&[deed.to_str().unwrap(), "echo", &marker]);
    let echo = stage.agent.wait_for_exec_of(&["echo", &marker]);
    Expect::of(&echo, "the sibling")
        .process("parent", creator.uuid("parent").unwrap())
        .is("self.ppid", creator.number("self.ppid"))
        .is("self.creator_uuid", creator.uuid("self"))
        .process("inception_session", creator.uuid("inception_session").unwrap())
        .met();
    stage.finish();
}

#[test]
fn a_program_in_memory_is_marked() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("memfd_exec", stage.folder());
    let marker = marker("memfd");
    run(&deed, &["/bin/echo", "echo", &marker]);
    let echo = stage.agent.wait_for_exec_of(&["echo", &marker]);
    Expect::of(&echo, "the program in memory")
        .contains("self.exe_flags", "memfd")
        .holds("exe names the memory file", |event| {
            event.text("self.exe").is_some_and(|exe| exe.contains("forebear-deed"))
        })
        .holds("it is called as its memory file", |event| event.name().contains("forebear-deed"))
        .met();
    stage.finish();
}

#[test]
fn a_program_whose_file_is_deleted_is_marked() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("deleted_exec", stage.folder());
    let victim = stage.folder().join("victim");
    fs_err::copy("/bin/echo", &victim).unwrap();
    let marker = marker("deleted");
    run(&deed, &[victim.to_str().unwrap(), "echo", &marker]);
    let echo = stage.agent.wait_for_exec_of(&["echo", &marker]);
    Expect::of(&echo, "the program without a file")
        .contains("self.exe_flags", "deleted")
        .is("self.exe", victim.to_str())
        .is("self.name", "victim")
        .met();
    stage.finish();
}

#[test]
fn a_script_is_called_by_its_own_name_and_tells_its_interpreter() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let marker = marker("script");
    let script = stage.folder().join("a-script.sh");
    fs_err::write(&script, "#!/bin/sh -e\n:\n").unwrap();
    fs_err::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    run(&script, &[&marker]);
    let path = script.to_str().unwrap();
    let event = stage.agent.wait_for_exec_of(&["/bin/sh", "-e", path, &marker]);
    Expect::of(&event, "the script")
        .is("self.name", "a-script.sh")
        .is("self.exe", fs_err::canonicalize("/bin/sh").unwrap().to_str())
        .is("exec.filename", path)
        .is("exec.interpreter", "/bin/sh")
        .is("self.exec_count", 1)
        .met();
    stage.finish();
}

/// Since 5.18 the kernel puts one empty argument in the place of none.
#[test]
fn an_empty_argument_list_is_recorded_as_it_is() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("empty_argv", stage.folder());
    let program = stage.folder().join("nameless");
    fs_err::copy("/bin/true", &program).unwrap();
    run(&deed, &[program.to_str().unwrap()]);
    let path = program.to_str().unwrap().to_owned();
    let event = stage
        .agent
        .wait_for("the EXEC without arguments", |event| event.text("exec.filename") == Some(&path));
    Expect::of(&event, "the program without arguments")
        .holds("argv is what the kernel made of it", |event| {
            let argv = event.at("self.argv");
            argv == Some(&json!([""])) || argv == Some(&json!([]))
        })
        .is("self.name", "nameless")
        .absent("self.argv_truncated")
        .absent("self.unknown")
        .met();
    stage.finish();
}

#[test]
fn empty_arguments_are_kept_also_the_last() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let marker = marker("empty");
    Command::new("echo").args(["", &marker, "", ""]).stdout(Stdio::null()).status().unwrap();
    let event = stage.agent.wait_for_exec_of(&["echo", "", &marker, "", ""]);
    Expect::of(&event, "echo").absent("self.argv_truncated").met();
    // An empty name of its own as well.
    Command::new("echo")
        .arg0("")
        .args([&marker, "nameless"])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let event = stage.agent.wait_for_exec_of(&["", &marker, "nameless"]);
    Expect::of(&event, "echo without a name").is("self.name", "echo").met();
    stage.finish();
}

/// The size of the default cap: what is not longer than it is whole.
const CAP: usize = 128 * 1024;

/// Arguments of exactly `total` bytes, as the kernel counts them, no single one over its limit.
fn arguments(marker: &str, total: usize) -> Vec<String> {
    let mut list = vec!["true".to_owned(), marker.to_owned()];
    let used: usize = list.iter().map(|argument| argument.len() + 1).sum();
    let first = (total - used) / 2;
    list.push("f".repeat(first - 1));
    list.push("g".repeat(total - used - first - 1));
    list
}

#[test]
fn arguments_of_128_kib_are_whole() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let list = arguments(&marker("whole"), CAP);
    Command::new("true").args(&list[1..]).status().unwrap();
    let wanted: Vec<&str> = list.iter().map(String::as_str).collect();
    let event = stage
        .agent
        .wait_for("the EXEC of 128 KiB", |event| event.is_exec() && event.mentions(&list[1]));
    assert!(event.argv_is(&wanted), "the arguments differ from what ran");
    Expect::of(&event, "128 KiB of arguments").absent("self.argv_truncated").met();
    stage.finish();
}

#[test]
fn arguments_beyond_the_cap_are_cut_and_say_so() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let list = arguments(&marker("cut"), CAP + 70_000);
    Command::new("true").args(&list[1..]).status().unwrap();
    let event = stage
        .agent
        .wait_for("the EXEC beyond the cap", |event| event.is_exec() && event.mentions(&list[1]));
    Expect::of(&event, "arguments beyond the cap").is("self.argv_truncated", CAP + 70_000).met();
    let argv = event.argv();
    let kept: usize = argv.iter().map(|argument| argument.len()).sum();
    let separators = argv.len() - 1;
    assert!((CAP - 1..=CAP).contains(&(kept + separators)), "{kept} bytes were kept");
    for (found, ran) in argv.iter().zip(&list) {
        assert!(ran.starts_with(found), "an argument was changed");
    }
    stage.finish();
}

#[test]
fn a_parents_arguments_are_cut_at_4_kib_and_say_so() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let marker = marker("long-parent");
    let script = format!("ls {marker}; :");
    let filler = "p".repeat(100_000);
    Command::new("sh").args(["-c", &script, &filler]).output().unwrap();
    let total = "sh".len() + "-c".len() + script.len() + filler.len() + 4;
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "the child of a process with long arguments")
        .is("parent.argv_truncated", total)
        .holds("4 KiB are kept", |event| {
            let list = event.at("parent.argv").and_then(|list| list.as_array()).unwrap();
            let kept: usize = list.iter().map(|item| item.as_str().unwrap().len()).sum();
            (4096 - 4..=4096).contains(&kept)
        })
        .absent("self.argv_truncated")
        .met();
    stage.finish();
}

#[test]
fn bytes_that_are_not_utf_8_survive() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let marker = marker("bytes");
    let odd: &[u8] = b"odd-\xff\xc3(-\xed\xa0\x80\n\x1b\"\\";
    let name: &[u8] = b"prog-\xfe-name";
    let folder = stage.folder().join(OsStr::from_bytes(b"dir-\xf0\x28"));
    fs_err::create_dir(&folder).unwrap();
    let program = folder.join(OsStr::from_bytes(name));
    fs_err::copy("/bin/true", &program).unwrap();
    let status = Command::new(&program)
        .arg(&marker)
        .arg(OsStr::from_bytes(odd))
        .current_dir(&folder)
        .status();
    assert!(status.unwrap().success());
    let event = stage
        .agent
        .wait_for("the EXEC with odd bytes", |event| event.is_exec() && event.mentions(&marker));
    let bytes = |path: &std::path::PathBuf| path.clone().into_os_string().into_vec();
    let wanted = vec![bytes(&program), marker.clone().into_bytes(), odd.to_vec()];
    assert_eq!(event.argv_bytes(), wanted, "{event}");
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    Expect::of(&event, "the program with odd bytes")
        .is("self.name", text(name))
        .is("self.exe", text(&bytes(&program)))
        .is("self.cwd", text(&bytes(&folder)))
        .present("self.name_b64")
        .present("self.exe_b64")
        .present("self.cwd_b64")
        .present("exec.filename_b64")
        .met();
    assert_eq!(event.bytes("self.cwd"), bytes(&folder));
    assert_eq!(event.bytes("self.exe"), bytes(&program));
    assert_eq!(event.bytes("self.name"), name);
    stage.finish();
}

#[test]
fn a_program_that_cannot_be_run_is_no_event() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let (failed, next) = (marker("failed"), marker("next"));
    let absent = stage.folder().join("absent");
    assert!(Command::new(&absent).arg(&failed).status().is_err());
    Command::new("true").arg(&next).status().unwrap();
    stage.agent.wait_for_exec_of(&["true", &next]);
    let recording = stage.finish();
    assert!(recording.execs(|event| event.mentions(&failed)).is_empty());
}

/// Its two processes have the same pid and are two.
#[test]
fn a_reused_pid_is_a_new_process() {
    if !available(DEED) || !available(&[Means::Path("/proc/sys/kernel/ns_last_pid")]) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("reuse_pid", stage.folder());
    let (first, second) = (marker("first"), marker("second"));
    run(&deed, &[&first, &second]);
    let deed = stage.agent.wait_for("the deed's EXEC", |event| {
        event.is_exec() && event.name() == "reuse_pid" && event.mentions(&first)
    });
    let first = stage.agent.wait_for_exec_of(&["ls", &first]);
    let second = stage.agent.wait_for_exec_of(&["ls", &second]);
    assert_eq!(first.number("self.pid"), second.number("self.pid"));
    assert_ne!(first.uuid("self"), second.uuid("self"));
    for event in [&first, &second] {
        Expect::of(event, "a process with that pid")
            .process("parent", deed.uuid("self").unwrap())
            .is("self.exec_count", 1)
            .met();
    }
    stage.finish();
}

#[test]
fn a_stream_without_a_place_in_a_file_system_is_anonymous() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("anon_stdin", stage.folder());
    let marker = marker("anon");
    run(&deed, &["echo", &marker]);
    let echo = stage.agent.wait_for_exec_of(&["echo", &marker]);
    Expect::of(&echo, "echo")
        .is("self.stdin.kind", "anon")
        .is("self.stdin.is_ctty", false)
        .is("self.stdout.kind", "pipe")
        .met();
    stage.finish();
}
