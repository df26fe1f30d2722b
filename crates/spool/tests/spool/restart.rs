//! The process or the machine stops at each step of a run, and of the start after it.

use std::collections::BTreeMap;

use forebear_spool::fs::{Faulty, Loss};
use forebear_spool::{SegmentId, Spool, Writer};

use crate::scene;

const NAMES: [&str; 2] = ["fast", "slow"];

/// What a run had been told before it ended.
#[derive(Debug, Default)]
struct Told {
    /// Appended so far; records are numbered from 1.
    appended: u64,
    /// Records up to this one were flushed.
    flushed: u64,
    /// Records up to this one were flushed when a sync returned.
    synced: u64,
    /// For each consumer: the records whose confirmation returned, and the note with it.
    confirmed: BTreeMap<&'static str, (Vec<u64>, Vec<u8>)>,
    /// Whether the power went before the start that is looked at.
    had_power_cut: bool,
    /// A confirmation that was begun and did not return.
    in_doubt: Option<(&'static str, Vec<u64>, Vec<u8>)>,
}

/// One run: seals often, syncs now and then, one consumer keeps up and one does not.
/// Ends early when the disk stops.
fn run(disk: &Faulty) -> Told {
    let mut told = Told::default();
    let Ok((mut writer, spool, _)) = scene::open(disk, &scene::UNLIMITED, &NAMES) else {
        return told;
    };
    for round in 0..7 {
        append(&mut writer, &mut told, 3);
        let flushed = writer.flush();
        if flushed.rejected > 0 {
            return told;
        }
        told.flushed = told.appended;
        append(&mut writer, &mut told, 1);
        if round % 3 == 2 {
            let flushed = told.flushed;
            // What is in memory may go along or not.
            if spool.sync().is_err() {
                return told;
            }
            told.synced = flushed;
        }
        if round % 2 == 1 {
            writer.seal();
            if writer.flush().rejected > 0 {
                return told;
            }
            told.flushed = told.appended;
        }
        if !deliver(&spool, &mut told, "fast")
            || (round == 4 && !deliver(&spool, &mut told, "slow"))
        {
            return told;
        }
    }
    told
}

fn append(writer: &mut Writer, told: &mut Told, count: u64) {
    for _ in 0..count {
        told.appended += 1;
        writer.append(format!("{:0700}", told.appended).as_bytes());
    }
}

fn numbers(spool: &Spool, id: SegmentId) -> Vec<u64> {
    let records = scene::records(spool, id);
    records.iter().map(|record| record.parse().expect("a number")).collect()
}

/// Takes one segment; whether the disk still goes.
fn deliver(spool: &Spool, told: &mut Told, name: &'static str) -> bool {
    let Some(id) = spool.next_for(name) else { return true };
    let Ok(reader) = spool.read(id) else { return false };
    drop(reader);
    let (records, note) = (numbers(spool, id), format!("{name} {id}").into_bytes());
    if spool.confirm(name, id, &note).is_err() {
        told.in_doubt = Some((name, records, note));
        return false;
    }
    let entry = told.confirmed.entry(name).or_default();
    entry.0.extend(records);
    entry.1 = note;
    true
}

/// The next start, and what it delivers, against what the run had been told.
fn check(disk: &Faulty, loss: Loss, told: &Told, moment: &str) {
    let disk = disk.restart(loss);
    let promised = if loss == Loss::Nothing { told.flushed } else { told.synced };
    let (_writer, spool, recovery) =
        scene::open(&disk, &scene::UNLIMITED, &NAMES).expect("it opens");
    if loss == Loss::Nothing && !told.had_power_cut {
        assert!(!recovery.has_damage(), "{moment}: {recovery:?}");
    }
    for name in NAMES {
        let (before, note) = told.confirmed.get(name).cloned().unwrap_or_default();
        let in_doubt = told.in_doubt.as_ref().filter(|(doubtful, ..)| *doubtful == name);
        let kept = spool.note(name).expect("it is a consumer");
        let is_new = in_doubt.is_some_and(|(.., new)| *new == kept);
        assert!(kept == note || is_new, "{moment}: {name} has the note {kept:?}");
        let mut all = before;
        if is_new {
            all.extend(in_doubt.map(|(_, records, _)| records.clone()).unwrap_or_default());
        }
        while let Some(id) = spool.next_for(name) {
            all.extend(numbers(&spool, id));
            spool.confirm(name, id, b"").expect("it is the next one");
        }
        let is_ascending = all.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(is_ascending, "{moment}: {name} got {all:?}");
        let missing: Vec<u64> = (1..=promised).filter(|number| !all.contains(number)).collect();
        assert!(missing.is_empty(), "{moment}: {name} did not get {missing:?}, but {all:?}");
        assert!(all.iter().all(|number| *number <= told.appended), "{moment}: {all:?}");
    }
}

/// Stops a run at each of its steps, and hands over the disk and what the run was told.
fn at_each_step(mut check: impl FnMut(&Faulty, &Told, u64)) -> u64 {
    for step in 1.. {
        let disk = Faulty::new();
        disk.stop_at(step);
        let told = run(&disk);
        let is_over = !disk.has_stopped();
        check(&disk, &told, step);
        if is_over {
            return step;
        }
    }
    unreachable!("a run has an end")
}

#[test]
fn a_kill_at_any_step_loses_nothing_that_was_flushed() {
    let steps = at_each_step(|disk, told, step| {
        check(disk, Loss::Nothing, told, &format!("step {step}"));
    });
    assert!(steps > 50, "the run has only {steps} steps");
}

#[test]
fn a_power_cut_at_any_step_loses_nothing_that_was_synced() {
    for seed in 0..20_u64 {
        at_each_step(|disk, told, step| {
            let loss = Loss::Unsynced(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            check(disk, loss, told, &format!("seed {seed}, step {step}"));
        });
    }
}

#[test]
fn a_start_that_is_stopped_at_any_step_is_followed_by_a_good_one() {
    for first_loss in [Loss::Nothing, Loss::Unsynced(77)] {
        for second_loss in [Loss::Nothing, Loss::Unsynced(13), Loss::Unsynced(6_000_000_007)] {
            stop_the_start(first_loss, second_loss);
        }
    }
}

/// Stops runs at every fifth step, then the start after it at each of its steps.
fn stop_the_start(first_loss: Loss, second_loss: Loss) {
    for step in (1..).step_by(5) {
        for restart_step in 1.. {
            let disk = Faulty::new();
            disk.stop_at(step);
            let mut told = run(&disk);
            let is_over = !disk.has_stopped();
            let disk = disk.restart(first_loss);
            if first_loss != Loss::Nothing {
                told.flushed = told.synced;
                told.had_power_cut = true;
            }
            disk.stop_at(disk.steps() + restart_step);
            let opened = scene::open(&disk, &scene::UNLIMITED, &NAMES).is_ok();
            let has_stopped = disk.has_stopped();
            assert!(opened || has_stopped);
            let moment = format!("{first_loss:?}, {second_loss:?}, step {step}/{restart_step}");
            check(&disk, second_loss, &told, &moment);
            if !has_stopped {
                if is_over {
                    return;
                }
                break;
            }
        }
    }
}
