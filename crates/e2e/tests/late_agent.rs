//! The agent started late: what was already running has the same ids and the same story as if it
//! had been seen from the beginning.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use forebear_testkit::agent::{self, Agent};
use forebear_testkit::event::ROLES;
use forebear_testkit::means::{DEED, LOGIN, Means, available};
use forebear_testkit::process::Owned;
use forebear_testkit::recording::Recording;
use forebear_testkit::scene::{Login, Scene, marker, readable_folder};
use forebear_testkit::{Event, Expect, account, deed, process, stream};
use serde_json::json;

/// A process that waits below a login, and its EXEC as the early agent saw it.
#[track_caller]
fn start_waiting(scene: &mut Scene, login: &mut Login) -> Event {
    let marker = scene.marker("waiting");
    login.run(&format!("sh -c 'sleep 1000; : {marker}' &"));
    scene.agent.wait_for_exec_of(&["sh", "-c", &format!("sleep 1000; : {marker}")])
}

/// The BACKFILL of the process of an EXEC.
#[track_caller]
fn backfill_of(agent: &mut Agent, exec: &Event) -> Event {
    let pid = exec.number("self.pid");
    agent.wait_for("its BACKFILL", |event| event.is_backfill() && event.number("self.pid") == pid)
}

#[test]
fn a_late_agent_tells_the_same_story_with_the_same_ids() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let early = start_waiting(&mut scene, &mut login);
    let mut agent = Agent::start(scene.account.folder());
    let late = backfill_of(&mut agent, &early);
    let mut expect = Expect::of(&late, "the BACKFILL of the waiting process").absent("exec");
    for role in ROLES {
        expect = match early.uuid(role) {
            Some(uuid) => expect.process(role, uuid),
            None => expect.absent(role),
        };
    }
    for field in ["pid", "ppid", "sid", "pgid", "exe", "name", "argv", "cwd", "uid", "euid"]
        .into_iter()
        .chain(["gid", "user", "login_uid", "audit_session", "tty", "stdin", "stdout", "stderr"])
        .chain(["parent_uuid", "session_leader_uuid", "user_entered", "interactive"])
    {
        for role in ["self", "parent", "session_leader", "inception_session"] {
            let path = format!("{role}.{field}");
            if let Some(value) = early.at(&path) {
                expect = expect.is(&path, value.clone());
            }
        }
    }
    expect
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "ssh")
        .is("inception_session.source", login.shell.at("inception_session.source").cloned())
        .on_pts("self", login.pts)
        .nobody_entered()
        .absent("missing")
        .met();
    let shell = backfill_of(&mut agent, &login.shell);
    Expect::of(&shell, "the BACKFILL of the login shell")
        .process("self", login.uuid())
        .process("parent", login.shell.uuid("parent").unwrap())
        .process("session_leader", login.shell.uuid("session_leader").unwrap())
        .process("inception_session", login.uuid())
        .met();

    // What happens from now on is the same for both agents.
    let marker = scene.marker("both");
    login.run(&format!("ls {marker}"));
    let (one, other) =
        (scene.agent.wait_for_exec_of(&["ls", &marker]), agent.wait_for_exec_of(&["ls", &marker]));
    for role in ROLES {
        assert_eq!(one.uuid(role), other.uuid(role), "{role} differs:\n{one}\n{other}");
    }
    agent.stop();
    login.logout();
    scene.finish();
}

#[test]
fn a_late_agent_backfills_everybody_once() {
    if !available(&[Means::Recording]) {
        return;
    }
    let folder = readable_folder();
    let living = |pid: &u32| process::lives(*pid);
    // Threads of the kernel have no address space and no event.
    let is_user = |pid: &u32| process::status_line(*pid, "VmSize").is_some();
    let before: Vec<u32> = process::all_pids().into_iter().filter(is_user).collect();
    let agent = Agent::start(folder.path());
    let mut throughout: Vec<u32> = before.into_iter().filter(living).filter(is_user).collect();
    let recording = agent.stop();
    let mut count: HashMap<u64, usize> = HashMap::new();
    for event in recording.events().iter().filter(|event| event.is_backfill()) {
        *count.entry(event.number("self.pid").unwrap()).or_default() += 1;
    }
    for pid in &throughout {
        assert_eq!(count.get(&u64::from(*pid)), Some(&1), "BACKFILLs of pid {pid}");
    }
    assert!(count.values().all(|count| *count == 1), "a process was backfilled twice");
    // The ids of one run are those of the next.
    let again = Agent::start(folder.path()).stop();
    let ids = |recording: &Recording| -> HashMap<u64, String> {
        let found = recording.events().iter().filter(|event| event.is_backfill());
        let id = |event: &Event| Some((event.number("self.pid")?, event.uuid("self")?.to_owned()));
        found.filter_map(id).collect()
    };
    let (first, second) = (ids(&recording), ids(&again));
    throughout.retain(living);
    for pid in throughout {
        let pid = u64::from(pid);
        assert_eq!(first.get(&pid), second.get(&pid), "the ids of pid {pid}");
    }
}

/// "One per living user-space process at start, before any EXEC of that run refers to it": also of
/// a process that runs programs all the while.
#[test]
fn a_process_is_backfilled_before_any_exec_refers_to_it() {
    if !available(DEED) {
        return;
    }
    let folder = readable_folder();
    let deed = deed::build("spawn_storm", folder.path());
    let arguments = ["1000", "1000000", &marker("busy")];
    let storm = Command::new(&deed).args(arguments).stdout(Stdio::null()).spawn().unwrap();
    let storm = Owned::new("the storm", storm);
    let pid = Some(u64::from(storm.pid()));
    let mut agent = Agent::start(folder.path());
    let is_below_it = |event: &Event| event.is_exec() && event.number("self.ppid") == pid;
    agent.wait_for("a program of the storm", is_below_it);
    drop(storm);
    let recording = agent.stop();
    recording.backfill("the storm's BACKFILL", |event| event.number("self.pid") == pid);
    let late = stream::late_backfills(recording.events());
    assert!(late.is_empty(), "told too late or twice:\n{}", late.join("\n"));
}

#[test]
fn a_late_agent_sees_that_a_running_program_has_no_file_any_more() {
    if !available(&[Means::Recording]) {
        return;
    }
    let folder = readable_folder();
    let program = folder.path().join("victim");
    fs_err::copy("/bin/sleep", &program).unwrap();
    let sleeping = Owned::new("victim", Command::new(&program).arg("1000").spawn().unwrap());
    fs_err::remove_file(&program).unwrap();
    let mut agent = Agent::start(folder.path());
    let pid = u64::from(sleeping.pid());
    let late = agent.wait_for("its BACKFILL", |event| {
        event.is_backfill() && event.number("self.pid") == Some(pid)
    });
    Expect::of(&late, "the BACKFILL of a program without a file")
        .is("self.exe", program.to_str())
        .is("self.name", "victim")
        .is("self.argv", json!([program.to_str(), "1000"]))
        .contains("self.exe_flags", "deleted")
        .process("parent", late.text("self.parent_uuid").unwrap())
        .is("parent.pid", std::process::id())
        .met();
    agent.stop();
}

/// "`--no-backfill` leaves out the BACKFILL events, not the knowledge."
#[test]
fn without_backfill_events_the_knowledge_is_still_there() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let mut agent = Agent::start_with(scene.account.folder(), &["--no-backfill"]);
    let marker = scene.marker("no-backfill");
    login.run(&format!("ls {marker}"));
    let ls = agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls after the agent came late")
        .process("parent", login.uuid())
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .is("self.user_entered", true)
        .absent("missing")
        .met();
    let recording = agent.stop();
    assert!(recording.events().iter().all(|event| !event.is_backfill()));
    login.logout();
    scene.finish();
}

/// A tmux server is adopted by PID 1; the audit session leads back to the login that made it.
#[test]
fn an_adopted_tmux_server_is_led_back_to_its_login() {
    if !available(LOGIN) || !available(&[Means::Program("tmux")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let bystander = scene.login();
    let socket = scene.account.home().join("tmux.socket").display().to_string();
    login.run(&format!("tmux -S {socket} -f /dev/null new-session -d"));
    let uid = u64::from(scene.account.uid());
    let pane = scene.agent.wait_for("the EXEC of the pane's shell", |event| {
        event.is_exec()
            && event.name() == "bash"
            && event.number("self.uid") == Some(uid)
            && event.text("parent.name") == Some("tmux")
    });
    let mut agent = Agent::start(scene.account.folder());
    let late = backfill_of(&mut agent, &pane);
    Expect::of(&late, "the BACKFILL of the pane's shell")
        .process("self", pane.uuid("self").unwrap())
        .process("parent", pane.uuid("parent").unwrap())
        .process("session_leader", pane.uuid("session_leader").unwrap())
        .process("inception_session", login.uuid())
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "ssh")
        .contains("inception_session.evidence", "inferred")
        // The client that was typed has gone with the server's ancestry.
        .is("missing", json!({ "last_user_entered": "exited_before_capture" }))
        .met();
    agent.stop();

    // The login has gone: nobody who is there made the server, and nobody is made up.
    login.logout();
    let mut agent = Agent::start(scene.account.folder());
    let orphaned = backfill_of(&mut agent, &pane);
    Expect::of(&orphaned, "the BACKFILL of the pane's shell after the logout")
        .process("self", pane.uuid("self").unwrap())
        .process("session_leader", pane.uuid("session_leader").unwrap())
        .holds("no service and no other login is made its inception", |event| {
            let inception = event.uuid("inception_session");
            let own = [event.uuid("self"), event.uuid("session_leader")].contains(&inception);
            match inception {
                None => event.text("missing.inception_session").is_some(),
                Some(_) => own && event.text("inception_session.kind") == Some("external"),
            }
        })
        .met();
    agent.stop();
    account::run(Command::new("tmux").args(["-S", &socket, "kill-server"]), "end tmux");
    bystander.logout();
    scene.finish();
}

/// `/proc` alone, as root and as anybody, gives the ids that the kernel's own view gives.
#[test]
fn a_snapshot_has_the_ids_of_a_recording() {
    if !available(LOGIN) || !available(&[Means::Program("runuser")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let waiting = start_waiting(&mut scene, &mut login);
    let program = scene.account.folder().join("forebear-agent");
    fs_err::copy(agent::program(), &program).unwrap();
    let mut as_root = Command::new(&program);
    let mut as_user = Command::new("runuser");
    as_user.args(["-u", scene.account.name(), "--"]).arg(&program);
    for command in [&mut as_root, &mut as_user] {
        command.args(["snapshot", "--format", "ndjson"]);
        let output = account::run(command, "take a snapshot");
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let events: Vec<Event> = lines.map(Event::parse).collect();
        let found = events.iter().find(|e| e.number("self.pid") == waiting.number("self.pid"));
        let found = found.expect("the snapshot has no event of the waiting process");
        Expect::of(found, "the snapshot of the waiting process")
            .is("event_type", "BACKFILL")
            .is("agent.sensor", "proc")
            .process("self", waiting.uuid("self").unwrap())
            .process("parent", login.uuid())
            .process("session_leader", login.uuid())
            .is("self.argv", waiting.at("self.argv").cloned())
            .controlled_from_pts("self", login.pts)
            .met();
    }
    login.logout();
    scene.finish();
}
