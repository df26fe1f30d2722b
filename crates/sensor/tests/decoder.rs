//! The decoder against bytes that no kernel has written: never a panic, never a wrong text.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

use forebear_model::Observation;
use forebear_model::observation::Argv;
use forebear_sensor::wire::layout::{self, Exec, Key, Record};
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

proptest! {
    #[test]
    fn any_bytes_are_survived(
        kind in 0u8..8,
        records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..900), 1..4),
    ) {
        let mut decoder = Decoder::new(4096);
        for mut record in records {
            if let Some(first) = record.first_mut() {
                *first = kind;
            }
            for high in record.iter_mut().take(4).skip(1) {
                *high = 0;
            }
            let _ = decoder.decode(&record);
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
