//! What a spool does when nothing goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use forebear_spool::fs::Loss;
use forebear_spool::{ErrorKind, MAX_NOTE_LEN, MAX_RECORD_LEN, Options, SegmentId, Spool};

use crate::scene::{self, Scene};

#[test]
fn every_consumer_gets_every_segment_in_order_and_confirmed_ones_go_away() {
    let mut scene = Scene::new(&["a", "b"]);
    let first = scene.sealed(&["one", "two"]);
    let second = scene.sealed(&["three"]);
    assert_eq!(scene.drain("a"), ["one", "two", "three"]);
    assert!(scene.disk.content(&scene::segment(first)).is_some(), "b has not confirmed it");
    assert_eq!(scene.spool.next_for("b"), Some(first));
    assert_eq!(scene.drain("b"), ["one", "two", "three"]);
    for id in [first, second] {
        assert!(scene.disk.content(&scene::segment(id)).is_none());
    }
    assert_eq!(scene.spool.stats().segments, 0);
}

#[test]
fn the_unsealed_segment_is_nobodys_yet() {
    let mut scene = Scene::new(&["a"]);
    scene.writer.append(b"one");
    scene.writer.flush();
    assert_eq!(scene.spool.next_for("a"), None);
    assert_eq!((scene.writer.len_records(), scene.writer.len_bytes()), (1, 3));
    scene.writer.seal();
    assert_eq!((scene.writer.len_records(), scene.writer.len_bytes()), (0, 0));
    assert_eq!(scene.drain("a"), ["one"]);
}

#[test]
fn a_segment_without_records_is_not_made() {
    let mut scene = Scene::new(&["a"]);
    assert_eq!(scene.writer.seal(), None);
    scene.writer.flush();
    assert_eq!(scene.writer.seal(), None);
    assert_eq!(scene.sealed(&["one"]), SegmentId(1));
}

#[test]
fn records_may_be_empty_or_large() {
    let mut scene = Scene::new(&["a"]);
    let large = "x".repeat(MAX_RECORD_LEN);
    let id = scene.sealed(&["", &large, "", "end"]);
    let (records, damages) = scene::read(&scene.spool, id);
    assert_eq!(damages, []);
    assert!(records == ["", &large, "", "end"]);
}

#[test]
fn a_record_above_the_limit_is_rejected_and_counted() {
    let mut scene = Scene::new(&["a"]);
    scene.writer.append(&vec![0; MAX_RECORD_LEN + 1]);
    scene.writer.append(b"one");
    let flushed = scene.writer.flush();
    assert_eq!((flushed.stored, flushed.rejected), (1, 1));
    assert_eq!(scene.spool.stats().totals.rejected_records, 1);
}

#[test]
fn a_note_is_kept_with_the_position() {
    let mut scene = Scene::new(&["a"]);
    assert_eq!(scene.spool.note("a").as_deref(), Some(b"".as_slice()));
    assert_eq!(scene.spool.note("b"), None);
    let id = scene.sealed(&["one"]);
    scene.spool.confirm("a", id, b"a hash").expect("it is the next one");
    let scene = Scene::on(scene.disk.restart(Loss::Unsynced(1)), &["a"]);
    assert_eq!(scene.spool.note("a").as_deref(), Some(b"a hash".as_slice()));
    assert_eq!(scene.spool.next_for("a"), None);
}

#[test]
fn only_the_next_segment_can_be_confirmed_and_again_changes_nothing() {
    let mut scene = Scene::new(&["a"]);
    let (first, second) = (scene.sealed(&["one"]), scene.sealed(&["two"]));
    let kind = |outcome: Result<(), forebear_spool::Error>| outcome.map_err(|error| error.kind());
    assert_eq!(kind(scene.spool.confirm("a", second, b"")), Err(ErrorKind::Misuse));
    assert_eq!(kind(scene.spool.confirm("b", first, b"")), Err(ErrorKind::Misuse));
    let long = [0; MAX_NOTE_LEN + 1];
    assert_eq!(kind(scene.spool.confirm("a", first, &long)), Err(ErrorKind::Misuse));
    assert_eq!(kind(scene.spool.confirm("a", first, b"1")), Ok(()));
    assert_eq!(kind(scene.spool.confirm("a", first, b"1")), Ok(()));
    assert_eq!(scene.spool.next_for("a"), Some(second));
    assert_eq!(kind(scene.spool.read(first).map(|_| ())), Err(ErrorKind::Gone));
}

#[test]
fn a_new_consumer_begins_at_the_oldest_segment_that_exists() {
    let mut scene = Scene::new(&["a", "b"]);
    let ids: Vec<_> = ["one", "two", "three"].map(|record| scene.sealed(&[record])).into();
    for name in ["a", "b"] {
        scene.spool.confirm(name, ids[0], b"").expect("it is the next one");
    }
    scene.spool.confirm("a", ids[1], b"").expect("it is the next one");
    scene.spool.set_consumers(&["a", "b", "new"]).expect("the names are good");
    assert_eq!(scene.spool.next_for("new"), Some(ids[1]));
}

#[test]
fn a_removed_consumer_holds_nothing_back_and_may_come_back() {
    let mut scene = Scene::new(&["a", "b"]);
    let first = scene.sealed(&["one"]);
    scene.spool.confirm("b", first, b"kept").expect("it is the next one");
    let second = scene.sealed(&["two"]);
    scene.spool.confirm("a", first, b"").expect("it is the next one");
    scene.spool.confirm("a", second, b"").expect("it is the next one");
    let mut scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
    assert_eq!(scene.spool.stats().segments, 0);
    scene.sealed(&["three"]);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["b", "a"]);
    assert_eq!(scene.spool.note("b").as_deref(), Some(b"kept".as_slice()));
    assert_eq!(scene.drain("b"), ["three"]);
    assert_eq!(scene.spool.stats().totals.missing.segments, 0, "nobody waited for it");
}

#[test]
fn names_of_consumers_are_checked() {
    let long = "x".repeat(65);
    let many: Vec<String> = (0..33).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for names in [&["a", "a"][..], &[""], &[&long], &many] {
        let opened = scene::open(&forebear_spool::fs::Faulty::new(), &scene::UNLIMITED, names);
        assert_eq!(opened.err().map(|error| error.kind()), Some(ErrorKind::Misuse), "{names:?}");
    }
}

#[test]
fn without_consumers_sealed_segments_are_not_kept() {
    let mut scene = Scene::new(&[]);
    scene.sealed(&["one"]);
    scene.sealed(&["two"]);
    scene.writer.append(b"three");
    scene.writer.flush();
    let stats = scene.spool.stats();
    assert_eq!((stats.segments, stats.totals), (0, forebear_spool::Totals::default()));
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
    assert_eq!(scene.drain("a"), ["three"]);
    assert_eq!(scene.spool.stats().totals.missing.segments, 0, "nobody waited for them");
}

#[test]
fn numbers_of_segments_go_on_after_a_restart() {
    let mut scene = Scene::new(&["a"]);
    let first = scene.sealed(&["one"]);
    scene.drain("a");
    let mut scene = Scene::on(scene.disk.restart(Loss::Unsynced(3)), &["a"]);
    assert!(scene.sealed(&["two"]) > first);
}

#[test]
fn a_waiting_consumer_is_woken_by_a_seal() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, spool, _) =
        Spool::open(dir.path(), &Options::default(), &["a"]).expect("the spool opens");
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    spool.on_sealed(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(spool.wait_for("a", Duration::ZERO), None);
    let waiting = spool.clone();
    let thread = std::thread::spawn(move || waiting.wait_for("a", Duration::from_secs(60)));
    writer.append(b"one");
    let id = writer.seal();
    assert_eq!(thread.join().expect("it ends"), id);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn the_writer_may_move_to_a_thread_and_handles_may_be_shared() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    is_send::<forebear_spool::Writer>();
    is_send::<forebear_spool::SegmentReader>();
    is_shared::<Spool>();
}

#[test]
fn stats_tell_the_backlog_of_each_consumer() {
    let mut scene = Scene::new(&["a", "b"]);
    let first = scene.sealed(&["one", "two"]);
    scene.sealed(&["three"]);
    scene.spool.confirm("a", first, b"").expect("it is the next one");
    let stats = scene.spool.stats();
    let backlog: Vec<_> = stats
        .consumers
        .iter()
        .map(|consumer| {
            (consumer.backlog_segments, consumer.backlog_records, consumer.backlog_bytes)
        })
        .collect();
    assert_eq!(backlog, [(1, 1, 5), (2, 3, 11)]);
    assert_eq!((stats.segments, stats.bytes), (2, 8192));
}
