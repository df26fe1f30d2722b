//! The writer against the readers that it must survive.

use std::fs::File;
use std::io::{Read, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::sink::Sink;
use super::{Ended, Output, Unwritten};
use crate::exit::Exit;
use crate::failure::{Failure, render};
use crate::options::Target;
use crate::pipeline::Lines;
use crate::recording::Stream as _;

const LINE: &[u8] = b"{\"seq\":1}\n";

fn output_on(fd: impl AsFd) -> Output {
    Output {
        sink: Sink::from_inherited(fd.as_fd()).unwrap(),
        name: "test".to_owned(),
        pending: vec![],
        written: 0,
        full: None,
        ended: None,
    }
}

fn pipe() -> (File, OwnedFd) {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    (File::from(reader), writer)
}

/// Fills a pipe until it takes no more.
fn stuff(output: &mut Output) {
    while output.is_settled() {
        for _ in 0..1000 {
            output.buffer().extend_from_slice(LINE);
        }
        output.write().unwrap();
    }
}

#[test]
fn a_stuck_reader_never_blocks_a_write() {
    let (_reader, writer) = pipe();
    let mut output = output_on(writer);
    stuff(&mut output);
    output.write().unwrap();
    assert!(!output.is_settled());
}

#[test]
fn a_reader_that_goes_on_gets_every_byte_once_and_in_order() {
    let (mut reader, writer) = pipe();
    let mut output = output_on(&writer);
    drop(writer);
    let expected: Vec<u8> = (0..50_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
    output.buffer().extend_from_slice(&expected);
    output.write().unwrap();
    assert!(!output.is_settled());
    let reading = std::thread::spawn(move || {
        let mut got = vec![];
        reader.read_to_end(&mut got).unwrap();
        got
    });
    assert_eq!(output.finish(&mut || true).unwrap(), None);
    drop(output);
    assert!(reading.join().unwrap() == expected);
}

#[test]
fn a_stuck_reader_is_left_after_the_grace_with_a_count() {
    let (_reader, writer) = pipe();
    let mut output = output_on(writer);
    stuff(&mut output);
    let began = Instant::now();
    let Unwritten { bytes, events } =
        output.finish(&mut || false).unwrap().expect("something is left");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(events, bytes.div_ceil(LINE.len()));
}

#[test]
fn a_closed_pipe_is_a_reader_that_has_gone() {
    let (reader, writer) = pipe();
    let mut output = output_on(writer);
    output.attend();
    assert!(!output.has_ended());
    drop(reader);
    output.buffer().extend_from_slice(LINE);
    assert!(matches!(output.write(), Err(Ended::ReaderGone)));
    output.attend();
    assert!(output.has_ended());
    assert_eq!(output.conclude(&mut || true).unwrap(), Exit::Done);
}

#[test]
fn a_closed_socket_is_a_reader_that_has_gone() {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut output = output_on(ours);
    output.buffer().extend_from_slice(LINE);
    output.write().unwrap();
    drop(theirs);
    output.buffer().extend_from_slice(LINE);
    assert!(matches!(output.write(), Err(Ended::ReaderGone)));
}

#[test]
fn a_stuck_socket_never_blocks_a_write() {
    let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut output = output_on(ours);
    stuff(&mut output);
    assert!(!output.is_settled());
}

#[test]
fn an_inherited_pipe_keeps_its_blocking_mode() {
    let (_reader, writer) = pipe();
    let output = output_on(&writer);
    assert!(matches!(output.sink, Sink::NonBlocking(_)));
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
}

#[test]
fn a_pipe_that_cannot_be_opened_anew_is_polled_before_each_write() {
    let (mut reader, writer) = pipe();
    let mut output = output_on(&writer);
    output.sink = Sink::Polled(writer, rustix::pipe::PIPE_BUF);
    stuff(&mut output);
    let mut page = [0; 8192];
    reader.read_exact(&mut page).unwrap();
    let before = output.written;
    output.write().unwrap();
    assert!(output.is_settled() || output.written > before);
}

#[test]
fn a_full_disk_holds_the_rest_and_ends_with_a_count() {
    let device = File::options().write(true).open("/dev/full").unwrap();
    let mut output = output_on(device);
    output.buffer().extend_from_slice(LINE);
    output.buffer().extend_from_slice(LINE);
    output.write().unwrap();
    assert!(output.full.is_some());
    assert!(!output.is_settled());
    // Not tried again before it is due.
    output.write().unwrap();
    let left = output.finish(&mut || true).unwrap();
    assert_eq!(left, Some(Unwritten { bytes: 2 * LINE.len(), events: 2 }));
}

#[test]
fn a_new_file_is_private_and_an_existing_one_is_appended_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.ndjson");
    for _ in 0..2 {
        let mut output = Output::open(&Target::File(path.clone())).unwrap();
        output.buffer().extend_from_slice(LINE);
        output.write().unwrap();
        assert!(output.is_settled());
    }
    assert_eq!(fs_err::read(&path).unwrap(), [LINE, LINE].concat());
    let mode = fs_err::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_torn_last_line_is_ended_before_anything_is_appended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.ndjson");
    File::create(&path).unwrap().write_all(b"{\"se").unwrap();
    let mut output = Output::open(&Target::File(path.clone())).unwrap();
    output.buffer().extend_from_slice(LINE);
    output.write().unwrap();
    assert_eq!(fs_err::read(&path).unwrap(), b"{\"se\n{\"seq\":1}\n");
}

#[track_caller]
fn refusal(path: &std::path::Path) -> String {
    let error = Output::open(&Target::File(path.to_owned())).unwrap_err();
    assert_eq!(Failure::exit_of(&error).code(), 2);
    render(&error).replace(&path.display().to_string(), "PATH")
}

#[test]
fn a_directory_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        refusal(directory.path()),
        "error: cannot write to PATH: is a directory\n  name a file in it instead"
    );
}

#[test]
fn a_place_that_does_not_exist_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        refusal(&directory.path().join("no/file")),
        "error: cannot write to PATH: no such file or directory\n  create the directory first"
    );
}

#[test]
fn a_fifo_without_a_reader_is_refused_instead_of_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert_eq!(
        refusal(&path),
        "error: cannot write to PATH: no such device or address\n  it is a FIFO without a reader: \
         start the reader first"
    );
}
