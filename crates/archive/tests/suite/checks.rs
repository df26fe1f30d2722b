//! What every place has to do. Each check wants an empty place, or one whose other hosts it does
//! not disturb.

use forebear_archive::verify::{Finding, FindingKind};
use forebear_archive::{
    Archive, Compression, Hour, Kind, Listed, Multipart, Outcome, ReadLimits, Report, Selection,
    StoredObject, VerifyOptions,
};
use forebear_events::v1::Timestamp;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{Attribute, GetOptions, ObjectStoreExt, PutMode, PutOptions};
use uuid::Uuid;

use crate::lines::{HOUR, Host, START};
use crate::places::Place;

pub(crate) async fn a_place_that_works_passes_the_probe(place: &Place) {
    let probe = place.archive.probe().await.unwrap();
    assert!(probe.left_behind.is_none(), "{probe:?}");
    let (store, prefix) = place.archive.object_store();
    let left: Vec<_> = store.list(Some(&prefix)).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

pub(crate) async fn a_batch_is_written_once(place: &Place) {
    let mut host = Host::new(0xa1);
    let lines = host.lines(3);
    let packed = host.pack(&lines, Compression::Zstd);
    let receipt = place.archive.put_batch(&packed).await.unwrap();
    assert_eq!((receipt.outcome, receipt.events), (Outcome::Written, 3));
    assert_eq!(receipt.key, packed.key());

    for archive in [&place.archive, &place.reopened(Compression::Zstd)] {
        let again = archive.put_batch(&packed).await.unwrap();
        assert_eq!(again.outcome, Outcome::AlreadyThere);
    }
    let [object] = listed(&place.archive, host.id).await.try_into().unwrap();
    assert_eq!(object.key, packed.key());
    assert_eq!(object.size, packed.body().len() as u64);
    assert_eq!(read(&place.archive, &object).await, lines);
    attributes_are_right(&place.archive, &object, 3).await;
}

async fn attributes_are_right(archive: &Archive, object: &StoredObject, events: u64) {
    let got = archive.object_store();
    let path = path(archive, &object.key.to_string());
    let options = GetOptions { head: true, ..GetOptions::default() };
    let attributes = got.0.get_opts(&path, options).await.unwrap().attributes;
    if archive.place().starts_with("file:") {
        assert!(attributes.is_empty(), "a folder keeps none");
        return;
    }
    let metadata = |name: &'static str| {
        attributes.get(&Attribute::Metadata(name.into())).map(|v| v.to_string())
    };
    assert_eq!(
        attributes.get(&Attribute::ContentType).map(AsRef::as_ref),
        Some("application/x-ndjson")
    );
    assert_eq!(
        attributes.get(&Attribute::ContentEncoding).map(AsRef::as_ref),
        object.key.compression.content_encoding()
    );
    assert_eq!(metadata("event_count"), Some(events.to_string()));
    assert_eq!(metadata("schema_version").as_deref(), Some("1.0"));
    assert!(metadata("first_time").unwrap().starts_with("2026-11-24T03:00:00"));
    assert!(metadata("last_time").is_some());
    assert_eq!(metadata("sha256").unwrap().len(), 64);
    assert_eq!(metadata("previous_sha256"), None, "the first of its host");
}

pub(crate) async fn another_batch_of_that_name_is_a_conflict_and_changes_nothing(place: &Place) {
    let host = Host::new(0xa2);
    let (mut one, mut other) = (host.clone(), host.clone());
    let (lines, others) = ([one.line("ls"), one.line("cat")], [other.line("ls"), other.line("rm")]);
    let (first, second) =
        (host.pack(&lines, Compression::Zstd), host.pack(&others, Compression::Zstd));
    assert_eq!(first.key(), second.key());
    place.archive.put_batch(&first).await.unwrap();

    for archive in [&place.archive, &place.reopened(Compression::Zstd)] {
        let error = archive.put_batch(&second).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        assert!(error.to_string().contains(&first.key().to_string()), "{error}");
    }
    let [object] = listed(&place.archive, host.id).await.try_into().unwrap();
    assert_eq!(read(&place.archive, &object).await, lines);
}

pub(crate) async fn a_batch_is_not_doubled_by_another_compression(place: &Place) {
    let mut host = Host::new(0xa3);
    let lines = host.lines(4);
    place.archive.put_batch(&host.pack(&lines, Compression::Zstd)).await.unwrap();
    // The program ends before it can confirm; meanwhile the setting is changed.
    let archive = place.reopened(Compression::Gzip);
    let receipt = archive.put_batch(&host.pack(&lines, Compression::Gzip)).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::AlreadyThere);
    assert_eq!(receipt.key.compression, Compression::Zstd);
    assert_eq!(listed(&archive, host.id).await.len(), 1);
    assert!(verified(&archive, host.id).await.is_clean());

    // The same when even the manifest was not written: it tells about what is there.
    delete(&archive, &receipt.key.batch.manifest_path()).await;
    let again = place.reopened(Compression::Gzip);
    again.put_batch(&host.pack(&lines, Compression::Gzip)).await.unwrap();
    let names_only = VerifyOptions { contents: false, ..VerifyOptions::default() };
    assert!(verify(&again, &of(host.id), &names_only).await.unwrap().is_clean());
    assert!(verified(&again, host.id).await.is_clean());
}

pub(crate) async fn a_missing_manifest_is_made_up_for(place: &Place) {
    let mut host = Host::new(0xa4);
    let packed = host.batch(2);
    place.archive.put_batch(&packed).await.unwrap();
    delete(&place.archive, &packed.manifest().batch().manifest_path()).await;
    assert_eq!(kinds(&verified(&place.archive, host.id).await), [FindingKind::NoManifest]);
    let receipt = place.archive.put_batch(&packed).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::AlreadyThere);
    assert!(verified(&place.archive, host.id).await.is_clean());
}

pub(crate) async fn objects_are_found_by_time_and_host(place: &Place) {
    let mut hosts = [Host::new(0xb1), Host::new(0xb2)];
    for host in &mut hosts {
        for hour in [0, 1, 30] {
            host.now = START + hour * HOUR;
            let packed = host.batch(2);
            place.archive.put_batch(&packed).await.unwrap();
            host.confirm(&packed);
        }
    }
    let ids = hosts.each_ref().map(|host| host.id);
    let hours = async |since: Option<i64>, until: Option<i64>, hosts: &[Uuid]| {
        let selection = Selection {
            since: since.map(|hours| Timestamp(START + hours * HOUR)),
            until: until.map(|hours| Timestamp(START + hours * HOUR)),
            hosts: hosts.to_vec(),
        };
        let mut found: Vec<(Uuid, i64)> = objects(&place.archive, &selection)
            .await
            .iter()
            .map(|object| object.key.batch)
            .filter(|batch| ids.contains(&batch.host))
            .map(|batch| (batch.host, batch.hour.0 - Hour::of(Timestamp(START)).0))
            .collect();
        found.sort();
        found
    };
    let [one, two] = ids;
    assert_eq!(hours(None, None, &[two]).await, [(two, 0), (two, 1), (two, 30)]);
    assert_eq!(hours(Some(1), Some(2), &ids).await, [(one, 1), (two, 1)]);
    assert_eq!(hours(Some(2), None, &[one]).await, [(one, 30)]);
    assert_eq!(hours(None, Some(1), &[one]).await, [(one, 0)]);
    assert_eq!(hours(Some(0), Some(31), &[one]).await, [(one, 0), (one, 1), (one, 30)]);
    assert_eq!(hours(Some(100), Some(200), &ids).await, []);
    assert_eq!(hours(Some(0), Some(31), &[]).await.len(), 6);
}

pub(crate) async fn every_compression_is_read_back(place: &Place) {
    let mut host = Host::new(0xa5);
    for compression in [Compression::Zstd, Compression::Gzip, Compression::None] {
        let mut lines = host.lines(100);
        // A line that is longer than a block.
        lines.push(host.line(&"x".repeat(700_000)));
        let packed = host.pack(&lines, compression);
        place.archive.put_batch(&packed).await.unwrap();
        host.confirm(&packed);
        let found = listed(&place.archive, host.id).await;
        let object = found.iter().find(|object| object.key == packed.key()).unwrap();
        assert_eq!(read(&place.archive, object).await, lines);
        assert_eq!(read_blocks(&place.archive, object).await, lines.join("\n") + "\n");
    }
    assert!(verified(&place.archive, host.id).await.is_clean());
}

pub(crate) async fn a_large_object_is_put_in_parts(place: &Place) {
    let mut host = Host::new(0xa6);
    // Text without repetition, so that it stays large.
    let mut random = 1u64;
    let mut text = String::new();
    while text.len() < 6 << 20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text += &format!("{random:x}");
    }
    let lines = vec![host.line(&text), host.line(&text)];
    let packed = host.pack(&lines, Compression::None);
    let parts = Multipart { above: 1 << 20, part: 5 << 20 };
    let archive = place.archive.with_multipart(parts);
    assert_eq!(archive.put_batch(&packed).await.unwrap().outcome, Outcome::Written);
    assert_eq!(archive.put_batch(&packed).await.unwrap().outcome, Outcome::AlreadyThere);
    let [object] = listed(&archive, host.id).await.try_into().unwrap();
    assert_eq!(object.size, packed.body().len() as u64);
    assert_eq!(read(&archive, &object).await, lines);
    attributes_are_right(&archive, &object, 2).await;
}

pub(crate) async fn a_chain_without_faults_is_verified(place: &Place) {
    let mut host = Host::new(0xa7);
    for _ in 0..4 {
        put(&place.archive, &mut host, 5).await;
    }
    host.restart();
    host.now += HOUR;
    put(&place.archive, &mut host, 5).await;
    let report = verified(&place.archive, host.id).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.objects, report.events), (5, 25));
    let [summary] = report.hosts.as_slice() else { panic!("{report:?}") };
    assert_eq!((summary.runs, summary.batches), (2, 5));
    assert_eq!(summary.head, host.link);
}

pub(crate) async fn what_was_done_to_objects_is_found(place: &Place) {
    let archive = &place.archive;
    let mut host = Host::new(0xa8);
    let mut names = Vec::new();
    for _ in 0..5 {
        names.push(put(archive, &mut host, 5).await);
    }
    let only = async |kind: FindingKind, part: &str| {
        let report = verified(archive, host.id).await;
        let of: Vec<&Finding> = report.findings.iter().filter(|found| found.kind == kind).collect();
        assert!(!of.is_empty(), "no {kind:?}: {report:?}");
        let text = of.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains(part), "{text}");
    };

    // An object is taken away; its manifest tells.
    let kept = fetch(archive, &names[1].0).await;
    delete(archive, &names[1].0).await;
    only(FindingKind::Missing, "the object is not").await;
    // Both are taken away; the chain and the numbers tell.
    let manifest = fetch(archive, &names[1].1).await;
    delete(archive, &names[1].1).await;
    only(FindingKind::Missing, "events 6 to 10").await;
    store(archive, &names[1].0, &kept).await;
    store(archive, &names[1].1, &manifest).await;
    assert!(verified(archive, host.id).await.is_clean());

    // Another object's bytes are put in its place.
    let other = fetch(archive, &names[2].0).await;
    store(archive, &names[1].0, &other).await;
    only(FindingKind::Altered, "SHA-256").await;
    // It is cut.
    store(archive, &names[1].0, &kept[..kept.len() / 2]).await;
    only(FindingKind::Damaged, "ends too early").await;
    store(archive, &names[1].0, &kept).await;

    // A manifest is edited.
    let text = String::from_utf8(manifest.clone()).unwrap();
    let edited = text.replace(r#""event_count":5"#, r#""event_count":4"#);
    assert_ne!(edited, text);
    store(archive, &names[1].1, edited.as_bytes()).await;
    only(FindingKind::Altered, "by its manifest").await;
    store(archive, &names[1].1, &manifest).await;

    // Something strange lies about.
    let strange = "events-v1/date=2026-11-24/hour=03/notes.txt";
    store(archive, strange, b"hello").await;
    let report = verify(archive, &Selection::default(), &VerifyOptions::default()).await.unwrap();
    assert!(report.findings.iter().any(|found| found.kind == FindingKind::Foreign));
    delete(archive, strange).await;
}

pub(crate) async fn nothing_is_in_an_empty_place(place: &Place) {
    let id = Uuid::from_u128(0xdead);
    assert_eq!(listed(&place.archive, id).await, []);
    let selection = Selection { since: Some(Timestamp(START)), ..Selection::default() };
    let _ = objects(&place.archive, &selection).await;
    assert!(verified(&place.archive, id).await.is_clean());
}

/// Puts the next batch; the paths of its object and manifest.
pub(crate) async fn put(archive: &Archive, host: &mut Host, events: u64) -> (String, String) {
    let packed = host.batch(events);
    archive.put_batch(&packed).await.unwrap();
    host.confirm(&packed);
    (packed.key().to_string(), packed.manifest().batch().manifest_path())
}

pub(crate) async fn objects(archive: &Archive, selection: &Selection) -> Vec<StoredObject> {
    let listed: Vec<Listed> = archive.list(selection).try_collect().await.unwrap();
    listed
        .into_iter()
        .filter_map(|listed| match listed {
            Listed::Object(object) => Some(object),
            Listed::Columns(_) | Listed::Foreign(_) => None,
        })
        .collect()
}

pub(crate) async fn listed(archive: &Archive, host: Uuid) -> Vec<StoredObject> {
    objects(archive, &of(host)).await
}

fn of(host: Uuid) -> Selection {
    Selection { hosts: vec![host], ..Selection::default() }
}

pub(crate) async fn read(archive: &Archive, object: &StoredObject) -> Vec<String> {
    let mut lines = archive.lines(object, &ReadLimits::default()).await.unwrap();
    let mut all = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        all.push(String::from_utf8(line.to_vec()).unwrap());
    }
    assert_eq!(lines.count(), all.len() as u64);
    all
}

async fn read_blocks(archive: &Archive, object: &StoredObject) -> String {
    let mut lines = archive.lines(object, &ReadLimits::default()).await.unwrap();
    let mut all = Vec::new();
    while let Some(block) = lines.next_block().await.unwrap() {
        assert_eq!(block.last(), Some(&b'\n'), "blocks hold whole lines");
        all.extend_from_slice(block);
    }
    String::from_utf8(all).unwrap()
}

pub(crate) async fn verified(archive: &Archive, host: Uuid) -> Report {
    verify(archive, &of(host), &VerifyOptions::default()).await.unwrap()
}

pub(crate) async fn verify(
    archive: &Archive,
    selection: &Selection,
    options: &VerifyOptions,
) -> Result<Report, forebear_archive::Error> {
    archive.verify(selection, options, &mut |_| {}).await
}

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

fn path(archive: &Archive, below: &str) -> Path {
    let (_, prefix) = archive.object_store();
    Path::parse(format!("{prefix}/{below}").trim_start_matches('/')).unwrap()
}

async fn fetch(archive: &Archive, below: &str) -> Vec<u8> {
    let got = archive.object_store().0.get(&path(archive, below)).await.unwrap();
    got.bytes().await.unwrap().to_vec()
}

async fn delete(archive: &Archive, below: &str) {
    archive.object_store().0.delete(&path(archive, below)).await.unwrap();
}

/// Overwrites an object as somebody with the right to do so would, without its attributes.
async fn store(archive: &Archive, below: &str, bytes: &[u8]) {
    let options = PutOptions { mode: PutMode::Overwrite, ..PutOptions::default() };
    let body = bytes.to_vec().into();
    archive.object_store().0.put_opts(&path(archive, below), body, options).await.unwrap();
}
