//! What happens when there is no more room.

use forebear_spool::fs::{Faulty, Loss};
use forebear_spool::{Lost, Options, SegmentId};

use crate::scene::{self, Scene};

/// One block on disk.
const BLOCK: u64 = 4096;

#[test]
fn the_oldest_that_is_nobodys_next_gives_way() {
    let mut scene = Scene::limited(Faulty::new(), 4 * BLOCK, &["slow"]);
    for record in ["1", "2", "3", "4", "5", "6"] {
        scene.sealed(&[record]);
    }
    let stats = scene.spool.stats();
    assert!(stats.bytes <= 4 * BLOCK, "{stats:?}");
    assert_eq!(stats.totals.dropped, Lost { segments: 2, records: 2 });
    assert_eq!(stats.consumers[0].dropped, Lost { segments: 2, records: 2 });
    assert_eq!(scene.drain("slow"), ["1", "4", "5", "6"]);
}

#[test]
fn what_a_consumer_may_have_delivered_already_does_not_give_way() {
    let options = Options { max_bytes: 5 * BLOCK, ahead: 3 };
    let mut scene = Scene::with(Faulty::new(), &options, &["ahead"]);
    for record in ["1", "2", "3", "4", "5", "6"] {
        scene.sealed(&[record]);
    }
    let after = |id| scene.spool.sealed_after(SegmentId(id)).map(|id| id.0);
    assert_eq!([after(1), after(2), after(3), after(6)], [Some(2), Some(3), Some(5), None]);
    assert_eq!(scene.spool.stats().totals.dropped, Lost { segments: 1, records: 1 });
    assert_eq!(scene.drain("ahead"), ["1", "2", "3", "5", "6"]);
}

#[test]
fn a_drop_counts_for_those_alone_that_had_not_confirmed() {
    let mut scene = Scene::limited(Faulty::new(), 4 * BLOCK, &["fast", "slow"]);
    for record in ["1", "2", "3", "4", "5", "6"] {
        scene.sealed(&[record]);
        assert_eq!(scene.drain("fast"), [record]);
    }
    let stats = scene.spool.stats();
    let dropped: Vec<_> = stats.consumers.iter().map(|consumer| consumer.dropped.records).collect();
    assert_eq!(dropped, [0, 2]);
}

#[test]
fn what_was_dropped_is_neither_missing_nor_dropped_again_after_a_restart() {
    for loss in [Loss::Nothing, Loss::Unsynced(5)] {
        let mut scene = Scene::limited(Faulty::new(), 4 * BLOCK, &["slow"]);
        for record in ["1", "2", "3", "4", "5", "6"] {
            scene.sealed(&[record]);
        }
        scene.spool.sync().expect("the disk works");
        let scene = Scene::limited(scene.disk.restart(loss), 4 * BLOCK, &["slow"]);
        assert_eq!(scene.recovery.missing, Lost::default());
        assert_eq!(scene.spool.stats().totals.dropped.records, 2);
        assert_eq!(scene.drain("slow"), ["1", "4", "5", "6"]);
    }
}

#[test]
fn what_was_dropped_since_the_last_sync_is_told_after_a_kill() {
    let mut scene = Scene::limited(Faulty::new(), 4 * BLOCK, &["slow"]);
    for record in ["1", "2", "3", "4", "5", "6"] {
        scene.sealed(&[record]);
    }
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!(scene.recovery.missing, Lost::default());
    assert_eq!(scene.spool.stats().consumers[0].dropped.records, 2);
}

#[test]
fn what_was_rejected_since_the_last_sync_is_told_after_a_kill() {
    let mut scene = Scene::new(&["slow"]);
    scene.disk.set_capacity(Some(scene.disk.used()));
    scene.writer.append(b"1");
    assert_eq!(scene.writer.flush().rejected, 1);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!(scene.spool.stats().totals.rejected_records, 1);
}

#[test]
fn a_drop_that_was_not_written_down_is_found_missing_with_its_records() {
    let mut scene = Scene::limited(Faulty::new(), 4 * BLOCK, &["slow"]);
    let ledger = scene::path("ledger");
    for record in ["1", "2", "3", "4"] {
        scene.sealed(&[record]);
    }
    let before = scene.disk.content(&ledger).expect("it is there");
    for record in ["5", "6"] {
        scene.sealed(&[record]);
    }
    scene.disk.put(&ledger, &before);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!(scene.recovery.missing, Lost { segments: 2, records: 2 });
    let consumer = &scene.spool.stats().consumers[0];
    assert_eq!((consumer.dropped.records, consumer.missing.records), (0, 2));
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!(scene.recovery.missing, Lost::default(), "told once");
}

#[test]
fn when_nothing_can_give_way_new_records_are_rejected_and_counted() {
    let mut scene = Scene::limited(Faulty::new(), 2 * BLOCK, &["slow"]);
    scene.sealed(&["1"]);
    scene.writer.append(b"2");
    assert_eq!(scene.writer.flush().stored, 2);
    scene.writer.append(&vec![b'x'; 5000]);
    let flushed = scene.writer.flush();
    assert_eq!((flushed.stored, flushed.rejected), (0, 1));
    scene.writer.append(b"3");
    assert_eq!(scene.writer.flush().stored, 1, "a small one still fits");
    scene.writer.seal();
    assert_eq!(scene.spool.stats().totals.rejected_records, 1);
    assert_eq!(scene.drain("slow"), ["1", "2", "3"]);
}

#[test]
fn a_full_disk_is_handled_like_the_limit() {
    let mut scene = Scene::new(&["slow"]);
    for record in ["1", "2", "3"] {
        scene.sealed(&[record]);
    }
    scene.disk.set_capacity(Some(scene.disk.used() + 10));
    let id = scene.sealed(&["4"]);
    assert_eq!(id, SegmentId(4));
    assert!(scene.spool.stats().totals.dropped.segments >= 1);
    let delivered = scene.drain("slow");
    assert_eq!(delivered.first().map(String::as_str), Some("1"));
    assert_eq!(delivered.last().map(String::as_str), Some("4"));
}

#[test]
fn a_full_disk_with_nothing_to_drop_costs_counted_records_and_nothing_else() {
    let mut scene = Scene::new(&["slow"]);
    scene.sealed(&["1"]);
    scene.writer.flush();
    // Room for the header and some of the records, not all.
    scene.disk.set_capacity(Some(scene.disk.used() + 100));
    for _ in 0..10 {
        scene.writer.append(b"0123456789");
    }
    let flushed = scene.writer.flush();
    assert_eq!((flushed.stored, flushed.rejected), (2, 8), "whole ones that fit are kept");
    let id = scene.writer.seal().expect("two records are in it");
    assert_eq!(scene.drain("slow"), ["1", "0123456789", "0123456789"], "confirming needs no room");
    assert_eq!(scene.spool.next_for("slow"), None);
    scene.disk.set_capacity(None);
    assert!(scene.sealed(&["2"]) > id);
    assert_eq!(scene.drain("slow"), ["2"]);
}

#[test]
fn a_segment_that_could_not_get_its_footer_is_delivered_and_recovered() {
    let mut scene = Scene::new(&["slow"]);
    scene.writer.append(b"1");
    scene.writer.flush();
    scene.disk.set_capacity(Some(scene.disk.used()));
    let id = scene.writer.seal().expect("a record is in it");
    assert_eq!(scene::records(&scene.spool, id), ["1"]);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!((scene.recovery.recovered.records, scene.recovery.unfinished), (1, 1));
    assert_eq!(scene::records(&scene.spool, id), ["1"]);
    scene.disk.set_capacity(None);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!((scene.recovery.recovered.records, scene.recovery.unfinished), (1, 0));
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["slow"]);
    assert_eq!(scene.recovery.recovered.records, 0);
    assert_eq!(scene.drain("slow"), ["1"]);
}

#[test]
fn a_broken_disk_never_stops_the_writer() {
    let mut scene = Scene::new(&["slow"]);
    scene.sealed(&["1"]);
    scene.disk.stop_at(scene.disk.steps() + 1);
    for _ in 0..100 {
        scene.writer.append(&vec![0; 100_000]);
        scene.writer.flush();
    }
    assert_eq!(scene.writer.seal(), None);
    assert_eq!(scene.spool.stats().totals.rejected_records, 100);
    assert_eq!(scene.spool.stats().totals.dropped.segments, 0, "dropping does not mend a disk");
}

#[test]
fn one_refused_write_costs_one_buffer_and_a_new_segment() {
    let mut scene = Scene::new(&["a"]);
    scene.writer.append(b"1");
    scene.writer.flush();
    scene.disk.refuse_at(scene.disk.steps() + 1, std::io::ErrorKind::Other);
    scene.writer.append(b"2");
    assert_eq!(scene.writer.flush().rejected, 1);
    scene.writer.append(b"3");
    scene.writer.seal();
    assert_eq!(scene.drain("a"), ["1", "3"]);
    assert_eq!(scene.spool.stats().totals.rejected_records, 1);
}
