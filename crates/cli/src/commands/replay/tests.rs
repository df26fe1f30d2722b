//! Replays of traces written by hand, and every way in which a trace can be wrong.

use super::replay;
use crate::exit::Exit;
use crate::failure;

const HEADER: &str =
    "trace version=1 host=000102030405060708090a0b0c0d0e0f boot=101112131415161718191a1b1c1d1e1f";

/// The events of a trace, or the error as shown.
fn play(trace: impl AsRef<[u8]>) -> Result<String, String> {
    let mut events = Vec::new();
    let mut emit = |lines: &[u8]| {
        events.extend_from_slice(lines);
        Ok(())
    };
    match replay("login.trace", &mut trace.as_ref(), &mut emit) {
        Ok(()) => Ok(String::from_utf8(events).unwrap()),
        Err(error) => {
            assert_eq!(failure::exit_of(&error), Exit::Usage);
            Err(failure::render(&error))
        }
    }
}

#[test]
fn a_replay_begins_and_ends_with_an_agent_event() {
    let trace = format!("{HEADER}\nclock boot=1000 wall=1764000000000000000\n# nothing\n\n");
    let events = play(trace).unwrap();
    let lines: Vec<&str> = events.lines().collect();
    let [first, last] = lines[..] else { panic!("{events}") };
    assert!(first.contains("\"reason\":\"start\""), "{first}");
    assert!(last.contains("\"reason\":\"stop\""), "{last}");
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    let trace = format!("{HEADER}\nclock boot=1000 wall=1764000000000000000\n");
    assert_eq!(play(&trace).unwrap(), play(&trace).unwrap());
}

#[test]
fn losses_in_a_trace_are_told_in_the_stream() {
    let trace = format!(
        "{HEADER}\nclock boot=1000 wall=1764000000000000000\nlost at=2000 forks=1 execs=2 exits=3\n"
    );
    let events = play(trace).unwrap();
    assert!(events.contains("\"lost_kernel\":2"), "{events}");
}

#[test]
fn every_wrong_trace_is_answered_with_its_place() {
    let traces: [&[u8]; 9] = [
        b"",
        b"# only a comment\n",
        b"clock boot=1 wall=2\n",
        b"trace version=2 host=00 boot=00\n",
        b"{\"event_type\":\"EXEC\"}\n",
        b"H\nclock boot=1 wal=2\n",
        b"H\nexti at=1 process=1@1 status=0\n",
        b"H\nH\n",
        b"H\nclock boot=1 wall=\xff\n",
    ];
    let mut text = String::new();
    for trace in traces {
        let shown = String::from_utf8_lossy(trace).into_owned();
        let mut whole = Vec::new();
        for line in trace.split_inclusive(|byte| *byte == b'\n') {
            let is_header = line == b"H\n";
            whole.extend_from_slice(if is_header { HEADER.as_bytes() } else { line });
            if is_header {
                whole.push(b'\n');
            }
        }
        let error = play(whole).unwrap_err();
        text.push_str(&format!("{shown}=> {error}\n\n"));
    }
    insta::assert_snapshot!("wrong_traces", text);
}
