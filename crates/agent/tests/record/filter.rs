//! `record --filter`: what is written, what is counted, and that a wrong query attaches nothing.

use std::process::{Command, Stdio};
use std::time::Duration;

use forebear_testkit::process::Owned;
use forebear_testkit::wait;
use rustix::process::Signal;

use crate::agent::{Agent, can_record, program, run_true};

#[test]
fn only_what_the_query_is_true_of_is_written_and_the_rest_is_counted() {
    if !can_record() {
        return;
    }
    let own = std::process::id();
    let query = format!("cmd = '/bin/true *-end' and cmd_parent_pid = {own}");
    let mut agent = Agent::to_file(&["--filter", &query]);
    let mut words = Vec::new();
    for _ in 0..5 {
        words.push(run_true());
        // The same program, and a parent that is not the one that is asked for.
        let shell = ["-c", "/bin/true elsewhere-end; exit 0"];
        assert!(Command::new("/bin/sh").args(shell).status().unwrap().success());
    }
    for word in &words {
        agent.wait_for_line(word);
    }
    agent.signal(Signal::INT);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());

    let events = agent.events();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], index + 1, "a gap would tell of a loss");
    }
    let (first, last) = (events.first().unwrap(), events.last().unwrap());
    assert_eq!((&first["reason"], &last["reason"]), (&"start".into(), &"stop".into()));
    let told: Vec<_> = events.iter().filter(|event| event["event_type"] != "AGENT").collect();
    assert!(told.iter().all(|event| event["event_type"] == "EXEC"), "{told:#?}");
    let found: Vec<_> = told.iter().map(|event| event["self"]["argv"][1].clone()).collect();
    assert_eq!(found, words);
    assert!(told.iter().all(|event| event["parent"]["pid"] == own));

    // Everything that was running, five shells, and five programs of another parent.
    assert_eq!(first["counters"]["filtered"], 0);
    assert!(last["counters"]["filtered"].as_u64().unwrap() > 10, "{last}");
    assert_eq!(last["counters"]["emitted"], events.len());
    assert_eq!(last["counters"]["lost_user"], 0);
}

#[test]
fn what_is_filtered_is_known_all_the_same() {
    if !can_record() {
        return;
    }
    let mut agent = Agent::to_file(&["--filter", "cmd_parameters = '*-end'"]);
    let word = run_true();
    agent.wait_for_line(&word);
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    let events = agent.events();
    let exec = events.iter().find(|e| e["self"]["argv"][1] == word.as_str()).unwrap();
    // Its own BACKFILL event is not there.
    assert_eq!(exec["parent"]["pid"], std::process::id());
    assert!(exec["parent"]["exe"].is_string(), "{exec}");
    assert!(events.iter().all(|event| event["self"]["pid"] != std::process::id()));
}

#[test]
fn a_wrong_query_is_told_before_anything_is_attached() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("events");
    let mut command = Command::new(program());
    command.args(["record", "--filter", "cmd_rot = 'wget' or cmd_pid = 'x'", "--output"]);
    command.arg(&output).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut agent = Owned::new("the agent", child);
    assert_eq!(agent.wait(wait::SOON.min(Duration::from_secs(10))).code(), Some(2));
    let mut talk = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut talk).unwrap();
    assert_eq!(
        talk,
        "error: the query of --filter is wrong\n\
         error[unknown-property]: there is no property `cmd_rot`\n  \
           cmd_rot = 'wget' or cmd_pid = 'x'\n  \
           ^^^^^^^\n  \
           help: did you mean `cmd_root`?\n\
         error[bad-integer]: `x` is not a whole number\n  \
           cmd_rot = 'wget' or cmd_pid = 'x'\n                                 \
                                          ^\n  \
           expected: such as '136'\n  \
           docs/reference/cql.md has the language\n"
    );
    assert!(!output.exists(), "nothing was opened");
}
