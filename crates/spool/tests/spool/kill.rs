//! A real process on a real disk, killed at random moments, over and over.
//!
//! The child is this test program itself, run with one test and a variable that says where the
//! spool is.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use forebear_spool::{Item, Options, Spool};

const SPOOL_DIR: &str = "FOREBEAR_SPOOL_KILL_TEST_DIR";
const ROUNDS: u64 = 25;
const NAME: &str = "bucket";

/// Writes numbered records until it is killed or `limit` is reached, and prints the number of
/// the last one after each flush. Delivers what is sealed into a file, as a destination would.
fn write_until_killed(dir: &Path, limit: u64, out: &mut dyn Write) {
    let options = Options::default();
    let (mut writer, spool, _) =
        Spool::open(&dir.join("spool"), &options, &[NAME]).expect("the spool opens");
    let mut number: u64 = std::fs::read_to_string(dir.join("next"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    let end = number.saturating_add(limit);
    while number < end {
        for _ in 0..20 {
            number += 1;
            writer.append(format!("{number:0500}").as_bytes());
        }
        assert_eq!(writer.flush().rejected, 0);
        writeln!(out, "{number}").and_then(|()| out.flush()).expect("the parent listens");
        if writer.len_bytes() > 100_000 {
            writer.seal();
            deliver(&spool, &dir.join("bucket"));
        }
        if number.is_multiple_of(500) {
            spool.sync().expect("the disk works");
        }
    }
}

/// Puts each segment into the bucket once: an object that is there is not written again.
fn deliver(spool: &Spool, bucket: &Path) {
    std::fs::create_dir_all(bucket).expect("a folder");
    while let Some(id) = spool.next_for(NAME) {
        let mut content = Vec::new();
        let mut reader = spool.read(id).expect("the segment is there");
        while let Some(item) = reader.next() {
            let Item::Record(record) = item else { panic!("{item:?}") };
            content.extend_from_slice(record);
            content.push(b'\n');
        }
        let unfinished = bucket.join("unfinished");
        std::fs::write(&unfinished, &content).expect("the disk works");
        let object = bucket.join(format!("{id}"));
        if let Ok(before) = std::fs::read(&object) {
            assert!(before == content, "segment {id} changed");
        }
        std::fs::rename(&unfinished, &object).expect("the disk works");
        spool.confirm(NAME, id, id.to_string().as_bytes()).expect("it is the next one");
    }
}

#[test]
fn the_child_writes_what_it_is_told() {
    if let Some(dir) = std::env::var_os(SPOOL_DIR) {
        // The harness may capture what is printed with a macro, not what is written so.
        write_until_killed(Path::new(&dir), u64::MAX, &mut std::io::stderr());
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut out = Vec::new();
    write_until_killed(dir.path(), 1000, &mut out);
    assert!(out.ends_with(b"1000\n"));
}

#[test]
fn a_killed_process_loses_nothing_and_delivers_nothing_twice() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut told = 0;
    for round in 1..=ROUNDS {
        let mut child = child(dir.path());
        told = kill_after(&mut child, told, round);
        // A record may be in the spool and its number not yet told; the next run skips those, so
        // that a number stands for one record.
        std::fs::write(dir.path().join("next"), format!("{}", told + 1000)).expect("it writes");
        told += 1000;
        check(dir.path(), round);
    }
}

fn child(dir: &Path) -> Child {
    let program = std::env::current_exe().expect("it runs");
    Command::new(program)
        .args(["--exact", "kill::the_child_writes_what_it_is_told", "--nocapture"])
        .env(SPOOL_DIR, dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the child starts")
}

/// Listens for a number of lines that differs from round to round, kills, and gives the last
/// number that was told. Notes every number that a flush stood behind.
fn kill_after(child: &mut Child, before: u64, round: u64) -> u64 {
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut told = before;
    let mut line = String::new();
    for _ in 0..1 + round * 37 % 61 {
        line.clear();
        let count = lines.read_line(&mut line).expect("the child talks");
        assert!(count > 0, "the child ended by itself");
        told = line.trim().parse().unwrap_or_else(|_| panic!("the child says: {line}"));
    }
    // SIGKILL, by the process's own handle.
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("the pipe ends");
    // A line that was cut is no promise.
    let whole = rest.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().next_back().and_then(|line| line.parse().ok()).unwrap_or(told)
}

/// Everything that was told is in the bucket or in the spool, once and in order.
fn check(dir: &Path, round: u64) {
    let (_writer, spool, recovery) =
        Spool::open(&dir.join("spool"), &Options::default(), &[NAME]).expect("the spool opens");
    assert!(!recovery.has_damage(), "round {round}: {recovery:?}");
    deliver(&spool, &dir.join("bucket"));
    let mut ids: Vec<u64> = std::fs::read_dir(dir.join("bucket"))
        .expect("it lists")
        .filter_map(|entry| entry.expect("it lists").file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    let mut last = 0;
    let mut runs = 0;
    for id in ids {
        let content = std::fs::read_to_string(dir.join("bucket").join(id.to_string()));
        for line in content.expect("it reads").lines() {
            let number: u64 = line.parse().expect("a number");
            if number != last + 1 {
                // Only a new run leaves numbers out, and it is told by how many.
                assert!(number > last, "round {round}: {number} after {last}");
                runs += 1;
            }
            last = number;
        }
    }
    assert!(runs < round, "round {round}: {runs} gaps");
    let told = std::fs::read_to_string(dir.join("next")).expect("it was noted");
    let told: u64 = told.parse().expect("a number");
    assert!(last + 1000 >= told, "round {round}: {last} is the last, {told} − 1000 was told");
}
