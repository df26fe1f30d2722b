//! Argument lists: complete, whatever is in them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use forebear_sensor::LiveOptions;

use crate::deeds::deed;
use crate::watch::Watch;

#[track_caller]
fn arrives(arguments: &[&[u8]]) {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(
        Command::new("/bin/true").args(arguments.iter().map(|bytes| OsStr::from_bytes(bytes))),
    );
    let argv = watch.exec_of(pid).argv;
    assert!(!argv.is_cut());
    let found: Vec<&[u8]> = argv.iter().collect();
    assert_eq!(found[0], b"/bin/true");
    assert!(found[1..] == *arguments, "{} arguments of {}", found.len(), arguments.len() + 1);
    assert_eq!(watch.live.counters().argv_incomplete, 0);
}

#[test]
fn a_hundred_empty_arguments_arrive() {
    arrives(&[&b""[..]; 100]);
}

#[test]
fn arguments_need_not_be_text() {
    arrives(&[b"\xff\xfe", b"a\nb", b"\x1b[0m", b""]);
}

#[test]
fn a_long_list_arrives_in_pieces() {
    let long: Vec<Vec<u8>> = (0..96u8).map(|letter| vec![b' ' + letter % 90; 1300]).collect();
    let long: Vec<&[u8]> = long.iter().map(Vec::as_slice).collect();
    arrives(&long);
}

#[test]
fn a_list_just_beyond_the_inline_part_arrives() {
    for length in 2030..2050 {
        arrives(&[&vec![b'x'; length]]);
    }
}

#[test]
fn a_list_beyond_the_limit_is_cut_and_says_so() {
    let options = LiveOptions { max_argv: 40_000, ..LiveOptions::default() };
    let Some(mut watch) = Watch::attach_with(&options) else { return };
    let argument = "y".repeat(100_000);
    let pid = watch.run(Command::new("/bin/true").arg(&argument));
    let argv = watch.exec_of(pid).argv;
    assert_eq!((argv.bytes.len(), argv.total), (40_000, 10 + 100_000 + 1));
    assert!(argv.bytes.starts_with(b"/bin/true\0yyyy"));
    assert_eq!(watch.live.counters().argv_incomplete, 0);
}

#[test]
fn the_longest_list_of_all_arrives() {
    let options = LiveOptions { max_argv: 2 << 20, ..LiveOptions::default() };
    let Some(mut watch) = Watch::attach_with(&options) else { return };
    let argument = "z".repeat(120_000);
    let pid = watch.run(Command::new("/bin/true").args(vec![argument.as_str(); 15]));
    let argv = watch.exec_of(pid).argv;
    assert!(!argv.is_cut());
    assert_eq!(argv.total, 10 + 15 * 120_001);
    assert_eq!(argv.iter().filter(|found| *found == argument.as_bytes()).count(), 15);
}

#[test]
fn an_empty_list_is_what_the_kernel_makes_of_it() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut deed("exec-without-argv"));
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    // Since 5.18 an empty list becomes one empty argument; before, it stayed empty.
    assert!(exec.argv.iter().all(<[u8]>::is_empty), "{:?}", exec.argv);
    assert!(!exec.argv.is_cut());
}
