//! The decoder against bytes that no kernel has written: never a panic, never a wrong text.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

use forebear_model::observation::Argv;
use forebear_model::{BootTime, Observation, Shell};
use forebear_sensor::wire::layout::{self, Builtin, Exec, Key, Line, Record, Return};
use forebear_sensor::wire::{Decoder, Malformed};
use proptest::prelude::*;
use zerocopy::{FromZeros, IntoBytes};

/// An exec record with texts that fit.
fn exec_record() -> Vec<u8> {
    let mut exec = Exec::new_zeroed();
    exec.record = Record {
        kind: layout::KIND_EXEC,
        flags: layout::EXE_PRESENT
            | layout::EXE_WALKED
            | layout::CWD_WALKED
            | layout::FILENAME_READ
            | layout::PARENT
            | layout::PARENT_CWD_SAME
            | layout::ARGV_READ,
        at: 5,
    };
    exec.process = Key { start: 4, pid: 3, unused: 0 };
    exec.argv_total = 3;
    let texts: [&[u8]; 6] =
        [b"a\0\0", b"true\0bin\0", b"", b"script\0", b"/bin/sh\0", b"leaf\0top\0"];
    exec.argv_length = 3;
    exec.exe_length = texts[1].len() as u32;
    exec.filename_length = texts[3].len() as u32;
    exec.interpreter_length = texts[4].len() as u32;
    exec.cgroup_length = texts[5].len() as u32;
    let mut record = exec.as_bytes().to_vec();
    for text in texts {
        record.extend_from_slice(text);
    }
    record
}

#[test]
fn texts_are_taken_apart_by_their_lengths() {
    let record = exec_record();
    let mut decoder = Decoder::new(4096);
    let Ok(Some(Observation::Exec(exec))) = decoder.decode(&record) else { panic!() };
    assert_eq!(exec.argv, Argv::whole(b"a\0\0"));
    assert_eq!(exec.executable.path, Ok(&b"/bin/true"[..]));
    assert_eq!(exec.cwd, Ok(&b"/"[..]));
    assert_eq!(exec.filename, Ok(&b"script"[..]));
    assert_eq!(exec.interpreter, Some(&b"/bin/sh"[..]));
    assert_eq!(exec.place.cgroup_path, Some(&b"/top/leaf"[..]));
    assert_eq!(exec.parent_facts.as_ref().unwrap().cwd, exec.cwd);
}

#[test]
fn short_lists_keep_to_the_limit_too() {
    let record = exec_record();
    let mut decoder = Decoder::new(2);
    let Ok(Some(Observation::Exec(exec))) = decoder.decode(&record) else { panic!() };
    assert_eq!(exec.argv, Argv { bytes: b"a\0", total: 3 });
    assert_eq!(exec.executable.path, Ok(&b"/bin/true"[..]));
    assert_eq!(decoder.argv_incomplete(), 0);
}

#[test]
fn a_record_that_is_cut_anywhere_is_refused() {
    let record = exec_record();
    for length in 0..record.len() {
        let mut decoder = Decoder::new(4096);
        assert!(decoder.decode(&record[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn an_unknown_kind_is_refused() {
    let mut record = exec_record();
    record[0] = 77;
    assert_eq!(Decoder::new(0).decode(&record), Err(Malformed::Kind(77)));
}

#[test]
fn the_second_record_of_one_end_is_dropped_where_it_may_come() {
    let exit = layout::Exit {
        record: Record { kind: layout::KIND_EXIT, flags: 0, at: 9 },
        process: Key { start: 4, pid: 3, unused: 0 },
        status: 0,
        unused: 0,
    };
    let mut decoder = Decoder::new(0);
    assert!(decoder.decode(exit.as_bytes()).unwrap().is_some());
    assert!(decoder.decode(exit.as_bytes()).unwrap().is_some());
    decoder.drop_repeated_exits();
    assert!(decoder.decode(exit.as_bytes()).unwrap().is_some());
    assert!(decoder.decode(exit.as_bytes()).unwrap().is_none());
}

/// The record of a function of bash that was called as `name`.
fn builtin_record(function: u16, name: &[u8], words: &[u8], at: u64) -> Vec<u8> {
    let mut builtin = Builtin::new_zeroed();
    let flags = layout::NAME_READ | layout::ARGV_READ | layout::CWD_WALKED | layout::RETURNS;
    builtin.record = Record { kind: layout::KIND_BUILTIN, flags, at };
    builtin.process = Key { start: 4, pid: 3, unused: 0 };
    builtin.function = function.into();
    builtin.name_length = name.len() as u32;
    builtin.argv_length = words.len() as u32;
    builtin.argv_total = words.len() as u64;
    [builtin.as_bytes(), name, words].concat()
}

fn return_record(function: u16, status: i32) -> Vec<u8> {
    let mut returned = Return::new_zeroed();
    returned.record = Record { kind: layout::KIND_RETURN, flags: 0, at: 9 };
    returned.process = Key { start: 4, pid: 3, unused: 0 };
    (returned.function, returned.status) = (function.into(), status.cast_unsigned());
    returned.as_bytes().to_vec()
}

/// What comes out of records: names and what they returned, `exec` and `line` for others.
fn fed(decoder: &mut Decoder, records: &[Vec<u8>]) -> Vec<(String, Option<i32>)> {
    let mut told = Vec::new();
    for record in records {
        decoder
            .feed(record, &mut |observation| {
                told.push(match observation {
                    Observation::Builtin(builtin) => {
                        assert_eq!(builtin.argv.iter().next(), Some(builtin.name));
                        (String::from_utf8_lossy(builtin.name).into_owned(), builtin.exit_status)
                    }
                    Observation::Exec(_) => ("exec".to_owned(), None),
                    Observation::Line(_) => ("line".to_owned(), None),
                    other => panic!("{other:?}"),
                });
            })
            .unwrap();
    }
    told
}

#[test]
fn a_builtin_is_told_with_what_it_returned() {
    let mut decoder = Decoder::new(4096);
    let cd = decoder.number_of(Shell::Bash, "cd");
    let records = [builtin_record(cd, b"cd\0", b"/tmp\0", 5), return_record(cd, 1)];
    assert_eq!(fed(&mut decoder, &records), [("cd".to_owned(), Some(1))]);
}

#[test]
fn what_a_process_does_next_does_not_wait_for_its_builtin() {
    let mut decoder = Decoder::new(4096);
    let eval = decoder.number_of(Shell::Bash, "eval");
    let cd = decoder.number_of(Shell::Bash, "cd");
    let records = [
        builtin_record(eval, b"eval\0", b"cd\0", 5),
        builtin_record(cd, b"cd\0", b"", 6),
        return_record(cd, 0),
        return_record(eval, 0),
        builtin_record(eval, b"eval\0", b"exec true\0", 7),
        exec_record(),
    ];
    let told = fed(&mut decoder, &records);
    let expected = [("eval", None), ("cd", Some(0)), ("eval", None), ("exec", None)];
    assert_eq!(told, expected.map(|(name, status)| (name.to_owned(), status)));
}

#[test]
fn what_a_shell_calls_for_another_builtin_is_not_told() {
    let mut decoder = Decoder::new(4096);
    let pushd = decoder.number_of(Shell::Bash, "pushd");
    let cd = decoder.number_of(Shell::Bash, "cd");
    let records = [
        builtin_record(pushd, b"pushd\0", b"/\0", 5),
        builtin_record(cd, b"pushd\0", b"/\0", 6),
        return_record(cd, 0),
        return_record(pushd, 0),
    ];
    assert_eq!(fed(&mut decoder, &records), [("pushd".to_owned(), Some(0))]);
}

#[test]
fn a_builtin_that_does_not_return_is_told_after_a_while() {
    let mut decoder = Decoder::new(4096);
    let read = decoder.number_of(Shell::Bash, "read");
    assert_eq!(fed(&mut decoder, &[builtin_record(read, b"read\0", b"x\0", 5)]), []);
    let mut told = 0;
    decoder.feed_overdue(BootTime(6), &mut |_| told += 1).unwrap();
    assert_eq!(told, 0);
    decoder.feed_overdue(BootTime(2_000_000_000), &mut |_| told += 1).unwrap();
    assert_eq!(told, 1);
    assert_eq!(fed(&mut decoder, &[return_record(read, 0)]), []);
}

#[test]
fn the_names_of_one_function_are_told_apart() {
    let mut decoder = Decoder::new(4096);
    let test = decoder.number_of(Shell::Bash, "test");
    let exit = decoder.number_of(Shell::Bash, "exit");
    let records = [
        builtin_record(test, b"[\0", b"a\0]\0", 5),
        builtin_record(test, b"test\0", b"a\0", 5),
        // The end of the input: bash still has the name of what it ran last.
        builtin_record(exit, b"ls\0", b"", 5),
        exec_record(),
    ];
    let names: Vec<String> = fed(&mut decoder, &records).into_iter().map(|told| told.0).collect();
    assert_eq!(names, ["[", "test", "exit", "exec"]);
}

#[test]
fn a_line_of_zsh_is_told_as_it_was_typed() {
    let mut line = Line::new_zeroed();
    line.record = Record { kind: layout::KIND_LINE, flags: layout::LINE_TEXT, at: 5 };
    line.editor = layout::LINE_OF_ZSH;
    let bytes = b"print \x83\xa3\n\0";
    (line.total, line.length) = (bytes.len() as u64, bytes.len() as u32);
    let record = [line.as_bytes(), bytes].concat();
    let mut decoder = Decoder::new(4096);
    let Ok(Some(Observation::Line(line))) = decoder.decode(&record) else { panic!() };
    let text = line.text.unwrap();
    assert_eq!((text.bytes, text.total), (&b"print \x83"[..], 7));
}

/// Its builtin waits for its return, and turns out to be malformed when the exec ends the wait.
#[test]
fn a_malformed_builtin_costs_nothing_but_itself() {
    let mut decoder = Decoder::new(4096);
    let cd = decoder.number_of(Shell::Bash, "cd");
    let mut malformed = builtin_record(cd, b"cd\0", b"/tmp\0", 5);
    malformed.truncate(malformed.len() - 1);
    decoder.feed(&malformed, &mut |_| panic!("it waits")).unwrap();
    let mut told = 0;
    let fed = decoder.feed(&exec_record(), &mut |_| told += 1);
    assert!(fed.is_err(), "the malformed one is reported");
    assert_eq!(told, 1, "the exec is told");
}

#[test]
fn a_function_that_nobody_numbered_is_refused() {
    let record = builtin_record(7, b"cd\0", b"", 5);
    assert_eq!(Decoder::new(4096).decode(&record), Err(Malformed::Value("function")));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        kind in 0u8..10,
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 1..4),
    ) {
        let mut decoder = Decoder::new(4096);
        decoder.number_of(Shell::Bash, "cd");
        for mut record in records {
            if let Some(first) = record.first_mut() {
                *first = kind;
            }
            for high in record.iter_mut().take(4).skip(1) {
                *high = 0;
            }
            let _ = decoder.decode(&record);
            let _ = decoder.feed(&record, &mut |_| ());
            let _ = decoder.running(&record);
        }
    }

    #[test]
    fn any_damage_to_a_record_is_survived(
        damage in prop::collection::vec((0usize..430, any::<u8>()), 1..8),
    ) {
        let mut record = exec_record();
        for (at, byte) in damage {
            if let Some(place) = record.get_mut(at) {
                *place = byte;
            }
        }
        let mut decoder = Decoder::new(4096);
        if let Ok(Some(Observation::Exec(exec))) = decoder.decode(&record) {
            prop_assert!(exec.argv.bytes.len() <= record.len());
        }
    }
}
