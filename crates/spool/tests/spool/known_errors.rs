//! Damage of known kinds, each made by hand, and what it costs.

use forebear_spool::fs::{Disk, Faulty, FileSystem, Loss};
use forebear_spool::{DamageKind, Error, ErrorKind, LedgerState, Lost, Options, SegmentId, Spool};

use crate::scene::{self, Scene};

/// Where the first record's head begins, and how long a head and a footer are.
const HEADER: i64 = 40;
const HEAD: i64 = 12;
const FOOTER: i64 = 36;

/// Three records of four bytes, sealed, and the disk after a stop.
fn three() -> (Faulty, SegmentId) {
    let mut scene = Scene::new(&["a"]);
    let id = scene.sealed(&["1111", "2222", "3333"]);
    scene.spool.sync().expect("the disk works");
    (scene.disk.restart(Loss::Nothing), id)
}

/// Flips a byte of the three and reads them.
#[track_caller]
fn flipped(offset: i64, records: &[&str], kinds: &[DamageKind], lost: u64) {
    let (disk, id) = three();
    assert!(disk.flip(&scene::segment(id), offset));
    let scene = Scene::on(disk, &["a"]);
    let (found, damages) = scene::read(&scene.spool, id);
    assert_eq!(found, records);
    assert_eq!(damages.iter().map(|damage| damage.kind).collect::<Vec<_>>(), kinds);
    scene::read(&scene.spool, id);
    assert_eq!(scene.spool.stats().totals.damaged_records, lost, "counted once");
    assert_eq!(scene.drain("a"), records);
}

#[test]
fn a_flipped_byte_in_a_record_costs_that_record() {
    flipped(HEADER + HEAD, &["2222", "3333"], &[DamageKind::Record], 1);
    flipped(HEADER + HEAD + 4 + HEAD, &["1111", "3333"], &[DamageKind::Record], 1);
}

#[test]
fn a_flipped_byte_in_a_head_costs_that_record() {
    for at in 0..HEAD {
        let kinds = [DamageKind::Stretch, DamageKind::Count { sealed: 3, whole: 2 }];
        flipped(HEADER + HEAD + 4 + at, &["1111", "3333"], &kinds, 1);
    }
}

#[test]
fn a_flipped_byte_in_a_header_costs_nothing() {
    for at in 0..HEADER {
        flipped(at, &["1111", "2222", "3333"], &[DamageKind::Header], 0);
    }
}

#[test]
fn a_flipped_byte_in_a_footer_costs_nothing() {
    for at in 1..=FOOTER {
        flipped(-at, &["1111", "2222", "3333"], &[], 0);
    }
}

#[test]
fn a_header_and_the_next_head_flipped_cost_one_record() {
    let (disk, id) = three();
    disk.flip(&scene::segment(id), 3);
    disk.flip(&scene::segment(id), HEADER + 1);
    let scene = Scene::on(disk, &["a"]);
    assert_eq!(scene.recovery.damaged_headers, 1);
    assert_eq!(scene::records(&scene.spool, id), ["2222", "3333"]);
}

#[test]
fn a_torn_tail_is_cut_and_counted_at_every_length() {
    let mut scene = Scene::new(&["a"]);
    for record in ["1111", "2222", "3333"] {
        scene.writer.append(record.as_bytes());
    }
    scene.writer.flush();
    let name = scene::segment(SegmentId(1));
    let whole = scene.disk.content(&name).expect("it was flushed");
    let disk = scene.disk.restart(Loss::Nothing);
    for length in 0..=whole.len() {
        disk.put(&name, &whole[..length]);
        let scene = Scene::on(disk.restart(Loss::Nothing), &["a"]);
        let records = (length.saturating_sub(40) / 16) as u64;
        let cut = length.saturating_sub(40) as u64 % 16;
        assert_eq!(scene.recovery.cut_bytes, cut, "{length}");
        assert_eq!(scene.recovery.recovered.records, records, "{length}");
        assert_eq!(scene.recovery.empty_segments, u64::from(records == 0), "{length}");
        assert_eq!(scene.recovery.missing, Lost::default(), "{length}");
        assert!(!scene.recovery.has_damage(), "a killed run looks like this");
        if records > 0 {
            let (found, damages) = scene::read(&scene.spool, SegmentId(1));
            assert_eq!((found.len() as u64, damages), (records, vec![]));
        }
        drop(scene);
    }
}

#[test]
fn zeros_at_the_tail_are_cut() {
    let mut scene = Scene::new(&["a"]);
    scene.writer.append(b"1111");
    scene.writer.flush();
    let name = scene::segment(SegmentId(1));
    let mut content = scene.disk.content(&name).expect("it was flushed");
    content.resize(100_000, 0);
    scene.disk.put(&name, &content);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
    assert_eq!(scene.recovery.cut_bytes, 100_000 - 56);
    assert_eq!(scene.drain("a"), ["1111"]);
}

#[test]
fn damage_before_the_end_of_an_unsealed_segment_costs_only_itself() {
    let mut scene = Scene::new(&["a"]);
    for record in ["1111", "2222", "3333"] {
        scene.writer.append(record.as_bytes());
    }
    scene.writer.flush();
    scene.disk.flip(&scene::segment(SegmentId(1)), HEADER + HEAD + 4 + HEAD);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
    assert_eq!((scene.recovery.damaged_places, scene.recovery.cut_bytes), (1, 0));
    let (records, damages) = scene::read(&scene.spool, SegmentId(1));
    assert_eq!(records, ["1111", "3333"]);
    assert_eq!(damages.len(), 1);
    assert_eq!(scene.spool.stats().totals.damaged_records, 1);
}

#[test]
fn a_sector_that_cannot_be_read_costs_what_is_in_it() {
    let mut scene = Scene::new(&["a"]);
    let texts: Vec<String> = (0..4000).map(|number| format!("{number:0100}")).collect();
    let records: Vec<&str> = texts.iter().map(String::as_str).collect();
    let id = scene.sealed(&records);
    scene.disk.make_unreadable(&scene::segment(id), 8192..8200);
    let (found, damages) = scene::read(&scene.spool, id);
    // 4096 bytes hold 37 records of 112 bytes, and one on each side reaches in.
    assert!((3961..=3963).contains(&found.len()), "{}", found.len());
    assert!(!damages.is_empty());
    let lost = scene.spool.stats().totals.damaged_records;
    assert_eq!(lost, 4000 - found.len() as u64);
}

#[test]
fn an_unsealed_segment_that_cannot_be_read_is_not_cut() {
    let mut scene = Scene::new(&["a"]);
    let texts: Vec<String> = (0..400).map(|number| format!("{number:0100}")).collect();
    for text in &texts {
        scene.writer.append(text.as_bytes());
    }
    scene.writer.flush();
    let name = scene::segment(SegmentId(1));
    let before = scene.disk.content(&name);
    scene.disk.make_unreadable(&name, 30_000..90_000);
    let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
    assert_eq!((scene.recovery.unfinished, scene.recovery.cut_bytes), (1, 0));
    assert_eq!(scene.disk.content(&name), before);
    let records = scene::records(&scene.spool, SegmentId(1));
    assert!(records.len() > 200 && records == texts[..records.len()]);
    drop(scene);
}

#[test]
fn an_unsealed_segment_of_which_nothing_can_be_read_is_missing_and_not_removed() {
    let mut scene = Scene::new(&["a"]);
    scene.writer.append(b"1111");
    scene.writer.flush();
    let name = scene::segment(SegmentId(1));
    scene.disk.make_unreadable(&name, 0..90);
    let mut scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
    assert_eq!(scene.recovery.unfinished, 1);
    assert!(scene.disk.content(&name).is_some());
    assert_eq!(scene.sealed(&["2222"]), SegmentId(2));
    assert_eq!(scene.drain("a"), ["2222"]);
}

#[test]
fn a_file_that_shrinks_while_it_waits_is_damage() {
    let mut scene = Scene::new(&["a"]);
    let id = scene.sealed(&["1111", "2222"]);
    let content = scene.disk.content(&scene::segment(id)).expect("it is sealed");
    scene.disk.put(&scene::segment(id), &content[..60]);
    let (found, damages) = scene::read(&scene.spool, id);
    assert_eq!(found, ["1111"]);
    assert!(!damages.is_empty());
    assert_eq!(scene.spool.stats().totals.damaged_records, 1);
}

#[test]
fn whole_records_that_are_not_the_sealed_ones_are_noticed() {
    let mut scene = Scene::new(&["a"]);
    let id = scene.sealed(&["1111", "2222"]);
    let mut other = Scene::new(&["a"]);
    other.sealed(&["1111", "3333"]);
    let mut content = scene.disk.content(&scene::segment(id)).expect("it is sealed");
    let foreign = other.disk.content(&scene::segment(id)).expect("it is sealed");
    content[40..72].copy_from_slice(&foreign[40..72]);
    scene.disk.put(&scene::segment(id), &content);
    let (_, damages) = scene::read(&scene.spool, id);
    assert_eq!(damages.len(), 1);
    assert_eq!(damages[0].kind, DamageKind::Count { sealed: 2, whole: 2 });
}

#[test]
fn a_deleted_segment_is_counted_with_its_records() {
    for deleted in 0..3 {
        let mut scene = Scene::new(&["a", "b"]);
        let ids = [
            scene.sealed(&["1", "2"]),
            scene.sealed(&["3", "4", "5"]),
            scene.sealed(&["6", "7", "8", "9"]),
        ];
        scene.spool.confirm("b", ids[0], b"").expect("it is the next one");
        scene.spool.sync().expect("the disk works");
        assert!(scene.disk.delete(&scene::segment(ids[deleted])));
        let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a", "b"]);
        let lost = Lost { segments: 1, records: deleted as u64 + 2 };
        assert_eq!(scene.recovery.missing, lost, "segment {deleted}");
        assert!(scene.recovery.has_damage());
        let stats = scene.spool.stats();
        assert_eq!(stats.totals.missing, lost);
        let by_b = if deleted == 0 { Lost::default() } else { lost };
        assert_eq!([stats.consumers[0].missing, stats.consumers[1].missing], [lost, by_b]);
        assert_eq!(scene.drain("a").len() as u64, 9 - lost.records);
    }
}

#[test]
fn a_segment_deleted_while_it_waits_is_counted_and_passed_over() {
    let mut scene = Scene::new(&["a"]);
    let (first, second) = (scene.sealed(&["1", "2"]), scene.sealed(&["3"]));
    scene.disk.delete(&scene::segment(first));
    let error = scene.spool.read(first).err().expect("it is not there");
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert_eq!(scene.spool.next_for("a"), Some(second));
    assert_eq!(scene.spool.stats().totals.missing, Lost { segments: 1, records: 2 });
    assert_eq!(scene.drain("a"), ["3"]);
    assert_eq!(scene.spool.stats().consumers[0].missing.records, 2);
}

#[test]
fn one_damaged_copy_of_the_ledger_costs_nothing() {
    for slot in 0..2 {
        let mut scene = Scene::new(&["a"]);
        let first = scene.sealed(&["1"]);
        scene.sealed(&["2"]);
        scene.spool.confirm("a", first, b"note").expect("it is the next one");
        scene.disk.flip(&scene::path("ledger"), slot * 32768 + 40);
        let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
        assert_eq!(scene.recovery.ledger, LedgerState::Halved);
        assert_eq!(scene.spool.note("a").as_deref(), Some(b"note".as_slice()));
        assert_eq!(scene.drain("a"), ["2"]);
        let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
        assert_eq!(scene.recovery.ledger, LedgerState::Whole, "it was mended");
    }
}

#[test]
fn a_lost_ledger_costs_positions_and_no_record() {
    for is_deleted in [false, true] {
        let mut scene = Scene::new(&["a", "b"]);
        let first = scene.sealed(&["1"]);
        let second = scene.sealed(&["2"]);
        scene.spool.confirm("a", first, b"note").expect("it is the next one");
        scene.spool.confirm("b", first, b"note").expect("it is the next one");
        scene.spool.confirm("b", second, b"note").expect("it is the next one");
        let ledger = scene::path("ledger");
        if is_deleted {
            scene.disk.delete(&ledger);
        } else {
            scene.disk.flip(&ledger, 0);
            scene.disk.flip(&ledger, 32768);
        }
        let mut scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a", "b"]);
        assert_eq!(scene.recovery.ledger, LedgerState::Lost);
        assert_eq!(scene.recovery.missing, Lost::default());
        assert_eq!(scene.disk.content(&scene::path("ledger.damaged")).is_some(), !is_deleted);
        assert!(scene.sealed(&["3"]) > second);
        assert_eq!(scene.drain("b"), ["2", "3"]);
    }
}

#[test]
fn a_spool_of_a_later_version_is_refused_and_untouched() {
    // The preamble of version 2, made by hand: magic, version, checksum.
    for (name, magic) in [("ledger", b"fbledger"), (&SegmentId(2).file_name(), b"fbsegmnt")] {
        let (disk, _) = three();
        let mut later = magic.to_vec();
        later.extend_from_slice(&2_u32.to_le_bytes());
        later.extend_from_slice(&crc32c(&later).to_le_bytes());
        later.extend_from_slice(b"whatever that version has");
        disk.put(&scene::path(name), &later);
        // An unsealed segment, which this version would repair.
        disk.put(&scene::segment(SegmentId(3)), b"torn");
        let names = disk.list(std::path::Path::new(scene::DIR)).expect("it lists");
        let before: Vec<_> = names.iter().map(|name| disk.content(&scene::path(name))).collect();
        let steps = disk.steps();
        match scene::open(&disk, &scene::UNLIMITED, &["a"]) {
            Err(Error::NewerVersion { found: 2, known: 1, path }) => {
                assert_eq!(path, scene::path(name));
            }
            other => panic!("{:?}", other.err()),
        }
        let after: Vec<_> = names.iter().map(|name| disk.content(&scene::path(name))).collect();
        assert_eq!(names, disk.list(std::path::Path::new(scene::DIR)).expect("it lists"));
        // The lock says who has it, with two steps; nothing else was touched.
        for ((name, before), after) in names.iter().zip(&before).zip(&after) {
            assert!(name == "lock" || before == after, "{name}");
        }
        assert!(disk.steps() <= steps + 2);
    }
}

/// CRC32C bit by bit, so that the format is checked by other code than its own.
fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
        crc
    })
}

#[test]
fn a_second_agent_is_refused_by_the_name_of_the_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let open = || Spool::open(dir.path(), &Options::default(), &["a"]);
    let (writer, spool, _) = open().expect("the first one gets it");
    let error = open().err().expect("the second one does not");
    assert_eq!(error.kind(), ErrorKind::Locked);
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    drop(writer);
    assert!(open().is_err(), "a handle still has it");
    drop(spool);
    assert!(open().is_ok());
}

#[test]
fn a_path_that_is_no_folder_is_refused() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let error = Spool::open(file.path(), &Options::default(), &[]).err().expect("it is a file");
    assert!(matches!(error, Error::NotADirectory { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_told_with_its_path() {
    let dir = std::path::Path::new("/proc/no-such-folder/spool");
    let error = Spool::open(dir, &Options::default(), &[]).err().expect("nobody can write there");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(error.to_string().starts_with("cannot create /proc/no-such-folder/spool: "), "{error}");
}

#[test]
fn files_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().expect("a folder");
    let dir = parent.path().join("deep/spool");
    let (mut writer, _spool, _) =
        Spool::open(&dir, &Options::default(), &["a"]).expect("the spool opens");
    writer.append(b"a secret");
    writer.flush();
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&dir), 0o700);
    for name in Disk.list(&dir).expect("it lists") {
        assert_eq!(mode(&dir.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let (disk, _) = three();
    disk.put(&scene::path("README"), b"hello");
    disk.put(&scene::path("1.seg"), b"hello");
    let scene = Scene::on(disk, &["a"]);
    assert_eq!(scene.drain("a"), ["1111", "2222", "3333"]);
    for name in ["README", "1.seg"] {
        assert_eq!(scene.disk.content(&scene::path(name)).as_deref(), Some(b"hello".as_slice()));
    }
}
