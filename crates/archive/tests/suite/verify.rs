//! Verification where the place itself does not matter.

use forebear_archive::verify::{FindingKind, Progress};
use forebear_archive::{Archive, Kind, Selection, VerifyOptions};
use forebear_events::v1::Timestamp;

use crate::checks;
use crate::lines::{HOUR, Host, START};

#[tokio::test]
async fn events_that_the_agent_dropped_are_told_apart() {
    let archive = Archive::memory("m");
    let mut host = Host::new(1);
    checks::put(&archive, &mut host, 3).await;
    host.drop_events(7);
    checks::put(&archive, &mut host, 3).await;
    let report = checks::verified(&archive, host.id).await;
    let [finding] = report.findings.as_slice() else { panic!("{report:?}") };
    assert_eq!(finding.kind, FindingKind::Dropped);
    assert_eq!((finding.first_seq, finding.last_seq), (Some(4), Some(10)));
}

#[tokio::test]
async fn a_look_at_a_part_of_the_time_takes_the_chain_as_it_is_there() {
    let archive = Archive::memory("m");
    let mut host = Host::new(1);
    for hour in 0..4 {
        host.now = START + hour * HOUR;
        checks::put(&archive, &mut host, 3).await;
    }
    let part = Selection {
        since: Some(Timestamp(START + HOUR)),
        until: Some(Timestamp(START + 3 * HOUR)),
        hosts: Vec::new(),
    };
    let mut steps = Vec::new();
    let mut note = |progress: Progress| steps.push((progress.done, progress.total));
    let report = archive.verify(&part, &VerifyOptions::default(), &mut note).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.events, 6);
    assert_eq!(steps, [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_is_no_finding() {
    let archive = Archive::memory("m");
    let mut host = Host::new(1);
    for hour in [5, 1, 3] {
        host.now = START + hour * HOUR;
        checks::put(&archive, &mut host, 3).await;
    }
    let report = checks::verified(&archive, host.id).await;
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn more_objects_than_the_limit_are_an_error_that_says_what_to_do() {
    let archive = Archive::memory("m");
    let mut host = Host::new(1);
    for _ in 0..4 {
        checks::put(&archive, &mut host, 1).await;
    }
    let options = VerifyOptions { max_objects: 3, ..VerifyOptions::default() };
    let verified = checks::verify(&archive, &Selection::default(), &options).await;
    let error = verified.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge);
    assert!(error.to_string().contains("shorter time"), "{error}");
}

#[tokio::test]
async fn findings_beyond_the_limit_are_counted() {
    let archive = Archive::memory("m");
    let mut host = Host::new(1);
    for _ in 0..5 {
        host.drop_events(1);
        checks::put(&archive, &mut host, 1).await;
    }
    let options = VerifyOptions { max_findings: 2, ..VerifyOptions::default() };
    let verified = checks::verify(&archive, &Selection::default(), &options).await;
    let report = verified.unwrap();
    assert_eq!((report.findings.len(), report.more_findings), (2, 3));
    assert!(!report.is_clean());
}

#[tokio::test]
async fn a_report_is_json() {
    let archive = Archive::memory("m");
    let mut host = Host::new(1);
    checks::put(&archive, &mut host, 1).await;
    host.drop_events(1);
    checks::put(&archive, &mut host, 1).await;
    let report = checks::verified(&archive, host.id).await;
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"][0]["kind"], "dropped");
    assert_eq!(json["hosts"][0]["head"], host.link.unwrap().chain.to_string());
}
