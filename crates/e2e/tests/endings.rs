//! How a recording ends: by a signal, by a reader that goes away or stops reading, by a full disk.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use forebear_testkit::agent;
use forebear_testkit::means::{DEED, Means, available};
use forebear_testkit::process::Owned;
use forebear_testkit::scene::{Stage, marker, readable_folder};
use forebear_testkit::{Event, account, deed, stream, wait};
use rustix::process::Signal;
use tempfile::TempDir;

/// Records one program, ends the agent by `signal`, and demands a complete recording.
#[track_caller]
fn ends_in_order(signal: Signal) {
    if !available(&[Means::Recording]) {
        return;
    }
    let stage = Stage::new();
    let marker = marker("last");
    Command::new("true").arg(&marker).status().unwrap();
    // Without waiting for the event: what has happened before the signal is still written.
    let recording = stage.agent.stop_by(signal);
    recording.exec_of(&["true", &marker]);
    assert_eq!(recording.last_report().text("reason"), Some("stop"));
}

#[test]
fn ctrl_c_ends_a_recording_in_order() {
    ends_in_order(Signal::INT);
}

#[test]
fn sigterm_ends_a_recording_in_order() {
    ends_in_order(Signal::TERM);
}

/// Nothing is left in the kernel, and what was written is whole lines but for the last.
#[test]
fn after_kill_9_the_next_agent_records_as_ever() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let before = marker("before");
    Command::new("true").arg(&before).status().unwrap();
    stage.agent.wait_for_exec_of(&["true", &before]);
    stage.agent.signal(Signal::KILL);
    stage.agent.wait_for_end();
    let written = fs_err::read(stage.agent.output()).unwrap();
    let whole = written.iter().rposition(|byte| *byte == b'\n').unwrap();
    let lines = written[..whole].split(|byte| *byte == b'\n');
    let seqs = lines.map(|line| Event::parse(line).number("seq").unwrap());
    assert!(seqs.zip(1..).all(|(found, wanted)| found == wanted), "a line is missing");

    let mut next = Stage::new();
    let after = marker("after");
    Command::new("true").arg(&after).status().unwrap();
    next.agent.wait_for_exec_of(&["true", &after]);
    next.finish();
}

/// An agent that writes to a pipe, ready to record.
#[track_caller]
fn agent_on_a_pipe(arguments: &[&str]) -> Owned {
    let mut command = agent::command(&["record", "--format", "ndjson", "--no-backfill"]);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut agent = Owned::new("the agent", command.spawn().unwrap());
    let mut talk = BufReader::new(agent.child().stderr.take().unwrap());
    let mut line = String::new();
    while talk.read_line(&mut line).unwrap() > 0 && !line.starts_with("ready") {
        line.clear();
    }
    assert!(line.starts_with("ready"), "the agent is not ready: {line}");
    // Kept open and read to the end, so that the agent can always talk.
    std::thread::spawn(move || std::io::copy(&mut talk, &mut std::io::sink()));
    agent
}

#[test]
fn a_reader_that_goes_away_ends_the_recording_quietly() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut agent = agent_on_a_pipe(&[]);
    let mut reader = BufReader::new(agent.child().stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains("\"AGENT\""), "{line}");
    drop(reader);
    let status = wait::until("the agent to end after its reader", || {
        // Something has to be written for it to notice.
        Command::new("true").status().unwrap();
        agent.ended()
    });
    assert_eq!(status.code(), Some(0));
}

/// The machine is not held up; what no longer fits into the buffers is counted, and what was
/// recorded is complete up to there.
#[test]
fn a_reader_that_stops_reading_does_not_hold_the_machine_up() {
    if !available(DEED) {
        return;
    }
    let folder = readable_folder();
    let deed = deed::build("spawn_storm", folder.path());
    let mut agent = agent_on_a_pipe(&["--buffer-size", "256KiB"]);
    let mut reader = agent.child().stdout.take().unwrap();
    let (mark, count) = (marker("unread"), 4000);
    let mut storm = Command::new(&deed);
    let output = account::run(storm.args(["100", &count.to_string(), &mark]), "run the storm");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), count.to_string());

    // The reader comes back; the recording goes on from there.
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    });
    agent.signal(Signal::TERM);
    let status = agent.wait(wait::SOON);
    assert_eq!(status.code(), Some(0));
    let bytes = reading.join().unwrap();
    let mut checker = stream::Checker::default();
    let (mut recorded, mut lost) = (0, 0);
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let event = Event::parse(line);
        checker.event(&event);
        recorded += u64::from(event.is_exec() && event.mentions(&mark));
        if event.kind() == "AGENT" {
            lost = event.number("counters.lost_kernel").unwrap();
        }
    }
    if let Err(problems) = checker.finish(false) {
        panic!("the recording contradicts the rules:\n{problems}");
    }
    assert!(recorded + lost >= count, "{recorded} recorded and {lost} lost are less than {count}");
}

/// An agent that writes to a small file system in a mount namespace of its own, so that nothing is
/// left to unmount.
struct OnSmallDisk {
    agent: Owned,
    /// The small file system, from outside.
    disk: PathBuf,
    talk: PathBuf,
    folder: TempDir,
}

impl OnSmallDisk {
    /// Starts the agent on a disk of 32 MiB that another file fills but for one, and waits until it
    /// records.
    #[track_caller]
    fn new() -> Self {
        let folder = readable_folder();
        let mount = folder.path().join("disk");
        fs_err::create_dir(&mount).unwrap();
        let talk = folder.path().join("stderr");
        let script = "mount -t tmpfs -o size=32m none \"$1\" && \
                      head -c 31M /dev/zero > \"$1/ballast\" && shift && exec \"$@\"";
        let agent = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(&mount)
            .arg(agent::program())
            .args(["record", "--no-backfill", "--format", "ndjson", "--output"])
            .arg(mount.join("events.ndjson"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs_err::File::create(&talk).unwrap().into_parts().0)
            .spawn();
        let agent = Owned::new("the agent", agent.unwrap());
        // Its root as it sees it (proc_pid_root(5)); the path below it is absolute.
        let root = PathBuf::from(format!("/proc/{}/root", agent.pid()));
        let disk = root.join(mount.strip_prefix("/").unwrap());
        let this = Self { agent, disk, talk, folder };
        this.waits_to_say("ready");
        this
    }

    /// Runs programs until the agent says that there is no space.
    #[track_caller]
    fn fill(&self) {
        let deed = deed::build("spawn_storm", self.folder.path());
        let mark = marker("disk-full");
        account::run(Command::new(deed).args(["100", "1500", &mark]), "run the storm");
        self.waits_to_say("no space left on device");
    }

    #[track_caller]
    fn waits_to_say(&self, text: &str) {
        wait::until(&format!("the agent to say {text:?}"), || {
            self.said().contains(text).then_some(())
        });
    }

    fn said(&self) -> String {
        fs_err::read_to_string(&self.talk).unwrap()
    }
}

fn can_have_a_small_disk() -> bool {
    available(DEED) && available(&[Means::Program("unshare"), Means::Program("mount")])
}

#[test]
fn a_full_disk_does_not_hold_the_machine_up_and_is_told() {
    if !can_have_a_small_disk() {
        return;
    }
    let mut small = OnSmallDisk::new();
    small.fill();
    small.agent.signal(Signal::TERM);
    let status = small.agent.wait(wait::SOON);
    let said = small.said();
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.contains("not written"), "{said}");
    assert_eq!(status.code(), Some(4), "events were left unwritten; it says:\n{said}");
}

#[test]
fn a_recording_goes_on_when_a_full_disk_has_space_again() {
    if !can_have_a_small_disk() {
        return;
    }
    let mut small = OnSmallDisk::new();
    small.fill();
    // Held open, since the disk goes away with the agent.
    let output = fs_err::File::open(small.disk.join("events.ndjson")).unwrap();
    fs_err::remove_file(small.disk.join("ballast")).unwrap();
    small.waits_to_say("there is space again");
    let after = marker("after");
    Command::new("true").arg(&after).status().unwrap();
    small.agent.signal(Signal::TERM);
    let status = small.agent.wait(wait::SOON);
    assert_eq!(status.code(), Some(0), "it says:\n{}", small.said());
    let mut checker = stream::Checker::default();
    let mut recorded = false;
    for line in BufReader::new(output).split(b'\n') {
        let event = Event::parse(&line.unwrap());
        checker.event(&event);
        recorded |= event.is_exec() && event.argv_is(&["true", &after]);
    }
    assert!(recorded, "what ran after there was space is not recorded");
    if let Err(problems) = checker.finish(true) {
        panic!("the recording contradicts the rules:\n{problems}");
    }
}
