//! Chains made by hand, whole and then broken.

use proptest::prelude::*;

use super::*;
use crate::layout::Hour;
use crate::link::chain;

const HOUR: i64 = 3_600_000_000_000;

/// A host's objects: for each, its run and how many events it has.
fn chain_of(batches: &[(u128, u64)]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for (index, (run, events)) in batches.iter().enumerate() {
        let run = Uuid::from_u128(*run);
        let before = facts.iter().rev().find(|fact| fact.batch.run == run);
        let first_seq = before.map_or(1, |fact| fact.batch.last_seq + 1);
        let time = Timestamp(index as i64 * HOUR);
        let batch = BatchName {
            hour: Hour::of(time),
            host: Uuid::from_u128(1),
            boot: Uuid::from_u128(2),
            run,
            first_seq,
            last_seq: first_seq + events - 1,
        };
        let previous = facts.last().map(|fact| fact.link);
        let sha256 = Digest::of(batch.to_string().as_bytes());
        let previous_chain = previous.map(|link| link.chain);
        facts.push(Fact {
            batch,
            link: Link { sha256, chain: chain(previous_chain, sha256, &batch) },
            previous: previous_chain,
            previous_sha256: previous.map(|link| link.sha256),
            events: *events,
            first_time: time,
            last_time: time,
        });
    }
    facts
}

fn walked(facts: Vec<Fact>, begins_later: bool) -> Report {
    let mut report = Report::new(1000);
    walk(Uuid::from_u128(1), facts, begins_later, &mut report);
    report
}

#[track_caller]
fn kinds(facts: Vec<Fact>) -> Vec<FindingKind> {
    let report = walked(facts, false);
    report.findings.iter().map(|finding| finding.kind).collect()
}

fn whole() -> Vec<Fact> {
    chain_of(&[(10, 5), (10, 3), (10, 1), (11, 4), (11, 2)])
}

#[test]
fn a_whole_chain_is_clean_and_has_a_head() {
    let report = walked(whole(), false);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.hosts[0].head, whole().last().map(|fact| fact.link));
    assert_eq!((report.hosts[0].runs, report.events), (2, 15));
}

#[test]
fn an_object_taken_out_is_missing_with_its_events() {
    let mut facts = whole();
    facts.remove(1);
    let report = walked(facts, false);
    let [link, gap] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!((link.kind, gap.kind), (FindingKind::Missing, FindingKind::Missing));
    assert_eq!((gap.first_seq, gap.last_seq), (Some(6), Some(8)));
}

#[test]
fn the_first_object_taken_out_is_missing_unless_the_look_begins_later() {
    let mut facts = whole();
    facts.remove(0);
    assert_eq!(kinds(facts.clone()), [FindingKind::Missing, FindingKind::Missing]);
    assert!(walked(facts, true).is_clean());
}

#[test]
fn events_dropped_by_the_agent_are_told_apart_from_objects_removed() {
    let mut facts = chain_of(&[(10, 5), (10, 3)]);
    // The spool was full: numbers 6 to 9 never made an object.
    let previous = facts[0].link;
    let fact = &mut facts[1];
    (fact.batch.first_seq, fact.batch.last_seq) = (10, 12);
    fact.link.chain = chain(Some(previous.chain), fact.link.sha256, &fact.batch);
    let report = walked(facts, false);
    let [gap] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(gap.kind, FindingKind::Dropped);
    assert_eq!((gap.first_seq, gap.last_seq), (Some(6), Some(9)));
}

#[test]
fn a_clock_that_was_set_back_disturbs_nothing() {
    let mut facts = whole();
    for (index, fact) in facts.iter_mut().enumerate() {
        fact.first_time = Timestamp(-(index as i64) * HOUR);
    }
    assert!(walked(facts, false).is_clean());
}

#[test]
fn a_chain_that_begins_twice_is_told() {
    let mut facts = whole();
    facts.extend(chain_of(&[(12, 2)]));
    assert_eq!(kinds(facts), [FindingKind::ChainRestarted]);
}

#[test]
fn two_objects_after_one_are_told() {
    let mut facts = chain_of(&[(10, 5), (11, 3)]);
    facts.extend(chain_of(&[(10, 5), (12, 3)]).pop());
    assert_eq!(kinds(facts), [FindingKind::OutOfOrder]);
}

#[test]
fn the_same_events_in_two_objects_are_doubled() {
    let mut facts = chain_of(&[(10, 5), (10, 3)]);
    let previous = facts[0].link;
    let fact = &mut facts[1];
    fact.batch.first_seq = 4;
    fact.events = 5;
    fact.link.chain = chain(Some(previous.chain), fact.link.sha256, &fact.batch);
    let report = walked(facts, false);
    let [doubled] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(doubled.kind, FindingKind::Doubled);
    assert_eq!((doubled.first_seq, doubled.last_seq), (Some(4), Some(5)));
}

#[test]
fn lines_lost_inside_a_batch_are_told() {
    let mut facts = whole();
    facts[1].events = 1;
    assert_eq!(kinds(facts), [FindingKind::Dropped]);
}

proptest! {
    #[test]
    fn nothing_but_the_end_can_be_taken_out_unseen(
        batches in proptest::collection::vec((0u128..3, 1u64..5), 2..12),
        out in proptest::collection::vec(any::<proptest::sample::Index>(), 1..4),
    ) {
        // Runs follow each other; they do not take turns.
        let mut batches = batches;
        batches.sort();
        let whole = chain_of(&batches);
        let out: HashSet<usize> = out.iter().map(|index| index.index(whole.len())).collect();
        let left: Vec<Fact> = whole.iter().enumerate()
            .filter(|(index, _)| !out.contains(index)).map(|(_, fact)| *fact).collect();
        let is_prefix = left.as_slice() == &whole[..left.len()];
        prop_assert_eq!(walked(left, false).is_clean(), is_prefix);
    }

    #[test]
    fn any_facts_are_walked(
        numbers in proptest::collection::vec((0u128..2, 1u64.., 0u64.., 0u8..4, 0u8..4), 0..8),
        begins_later: bool,
    ) {
        let facts = numbers.iter().map(|(run, first, span, own, previous)| Fact {
            batch: BatchName {
                hour: Hour(0), host: Uuid::nil(), boot: Uuid::nil(), run: Uuid::from_u128(*run),
                first_seq: *first, last_seq: first.saturating_add(*span),
            },
            link: Link { sha256: Digest([*own; 32]), chain: Digest([*own; 32]) },
            previous: (*previous > 0).then_some(Digest([*previous; 32])),
            previous_sha256: None,
            events: 1,
            first_time: Timestamp(0),
            last_time: Timestamp(0),
        });
        let _ = walked(facts.collect(), begins_later);
    }
}
