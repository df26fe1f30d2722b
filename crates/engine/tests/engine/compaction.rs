//! Objects of lines become objects of columns: everything once, whatever is asked and however often
//! it is done; what is not whole is left alone.

use std::path::Path;

use forebear_archive::{Access, Archive, Compression, Destination, Environment, Packer};
use forebear_engine::compact::{Compacted, compact};

use crate::shelf::{Shelf, over, rows, run};

const HOST: &str = "5f2b9f3c-53a4-8c1e-a0de-0d2f6a3ee1aa";

fn event(hour: u64, seq: u64) -> String {
    // Later numbers are not always later.
    let second = 1_795_392_000 + hour * 3600 + (seq * 7) % 100;
    let time = jiff::Timestamp::from_second(i64::try_from(second).unwrap()).unwrap();
    format!(
        "{{\"schema_version\":\"1.0\",\"event_uuid\":\"{hour}-{seq}\",\"event_type\":\"EXEC\",\
         \"event_time\":\"{time}\",\"seq\":{seq},\
         \"agent\":{{\"run_uuid\":\"7d8a4a36-92a6-4f65-b6a6-51f1f8f0a001\"}},\
         \"host\":{{\"id\":\"{HOST}\",\"boot_id\":\"0e2c1c1a-7f6e-4b55-9c59-1f1a4a4f6b10\"}},\
         \"self\":{{\"name\":\"p{seq}\"}},\"unheard_of\":{{\"x\":[{seq}]}}}}"
    )
}

fn archive(folder: &Path, access: Access) -> Archive {
    let destination = Destination::new("test", format!("file://{}", folder.display()));
    Archive::open(&destination, &Environment::default(), access).unwrap()
}

/// Puts one object of each range of numbers.
fn put(folder: &Path, hour: u64, ranges: &[(u64, u64)]) {
    let archive = archive(folder, Access::Write);
    run(async {
        for (first, last) in ranges {
            let mut packer = Packer::new(Compression::Zstd).unwrap();
            for seq in *first..=*last {
                packer.push(event(hour, seq).as_bytes()).unwrap();
            }
            archive.put_batch(&packer.finish(None).unwrap()).await.unwrap();
        }
    });
}

fn done(from: &Path, to: &Path, remove: bool) -> Result<Compacted, String> {
    let (from, to) = (archive(from, Access::Read), archive(to, Access::Write));
    run(compact(&from, &to, 2, remove, &mut |_| {})).map_err(|error| error.to_string())
}

/// The objects of a folder, without their folders and ids.
fn objects(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("events-v1")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let path = path.to_str().unwrap();
                    let hour = path.split("hour=").nth(1).unwrap();
                    found.push(format!("{} {}", &hour[..2], path.rsplit("a001-").next().unwrap()));
                }
            }
        }
    }
    found.sort();
    found
}

fn asked(folders: &[&Path]) -> Vec<String> {
    let word = folders[0].to_str().unwrap();
    let mut all = rows(&over(word), "SELECT line FROM events").unwrap();
    for folder in &folders[1..] {
        all.extend(rows(&over(folder.to_str().unwrap()), "SELECT line FROM events").unwrap());
    }
    all.sort();
    all
}

fn expected(of: &[(u64, u64, u64)]) -> Vec<String> {
    let mut lines: Vec<String> = of
        .iter()
        .flat_map(|(hour, first, last)| (*first..=*last).map(|seq| event(*hour, seq)))
        .collect();
    lines.sort();
    lines
}

#[test]
fn every_event_is_there_once_before_and_after_in_one_place_and_in_two() {
    let (from, to) = (Shelf::new(), Shelf::new());
    put(from.path(), 0, &[(1, 50), (51, 90)]);
    put(from.path(), 1, &[(91, 95)]);
    let compacted = done(from.path(), to.path(), false).unwrap();
    assert_eq!((compacted.found, compacted.done, compacted.written), (3, 3, 2), "{compacted:?}");
    assert_eq!((compacted.events, compacted.left.len()), (95, 0), "{compacted:?}");
    assert_eq!(objects(to.path()), ["00 1-90.parquet", "01 91-95.parquet"]);
    let all = expected(&[(0, 1, 90), (1, 91, 95)]);
    assert_eq!(asked(&[to.path()]), all);
    // Sorted by time, and with the same order of columns as ever.
    let sql = "SELECT event_time FROM events WHERE seq <= 90";
    let times = rows(&over(to.path().to_str().unwrap()), sql).unwrap();
    assert!(times.is_sorted(), "{times:?}");
    // In one place.
    done(from.path(), from.path(), false).unwrap();
    assert_eq!(asked(&[from.path()]), all);
    assert_eq!(from.lines("event_type = '*'").0.len(), 95);
    assert_eq!(from.lines("seq = '60'").0, [event(0, 60)]);
}

#[test]
fn doing_it_again_does_what_is_left() {
    let (from, to) = (Shelf::new(), Shelf::new());
    put(from.path(), 0, &[(1, 50)]);
    done(from.path(), to.path(), false).unwrap();
    let again = done(from.path(), to.path(), false).unwrap();
    assert_eq!((again.done_before, again.done, again.written), (1, 0, 0));
    put(from.path(), 0, &[(51, 60), (61, 70)]);
    let more = done(from.path(), to.path(), false).unwrap();
    assert_eq!((more.done_before, more.done, more.written), (1, 2, 1));
    assert_eq!(objects(to.path()), ["00 1-50.parquet", "00 51-70.parquet"]);
    assert_eq!(asked(&[to.path()]), expected(&[(0, 1, 70)]));
}

#[test]
fn what_is_not_whole_is_left_alone_and_told() {
    let (from, to) = (Shelf::new(), Shelf::new());
    put(from.path(), 0, &[(1, 10), (11, 20), (21, 30)]);
    let folder = from.path().join(format!("events-v1/date=2026-11-23/hour=00/host={HOST}"));
    let broken = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let broken = broken.into_iter().find(|path| path.to_str().unwrap().contains("-11-20")).unwrap();
    let bytes = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() - 9]).unwrap();
    from.put("events-v1/notes.txt", "nothing");
    let endless = broken.to_str().unwrap().replace("-11-20.ndjson.zst", "-31-31.ndjson");
    std::fs::write(&endless, event(0, 31)).unwrap();
    let compacted = done(from.path(), to.path(), true).unwrap();
    assert_eq!((compacted.found, compacted.done, compacted.removed), (4, 2, 2), "{compacted:?}");
    assert_eq!(compacted.left.len(), 3, "{compacted:?}");
    assert!(compacted.left[0].contains("notes.txt"), "{compacted:?}");
    for name in ["-11-20.ndjson.zst", "-31-31.ndjson"] {
        assert!(compacted.left[1..].iter().any(|why| why.contains(name)), "{compacted:?}");
    }
    assert_eq!(asked(&[to.path()]), expected(&[(0, 1, 10), (0, 21, 30)]));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "they stay");
}

#[test]
fn lines_are_removed_only_if_somebody_wants_it_and_the_columns_hold_them() {
    let (from, to) = (Shelf::new(), Shelf::new());
    put(from.path(), 0, &[(1, 10), (11, 20)]);
    // Somebody else has put something of that name.
    let other = Shelf::new();
    put(other.path(), 0, &[(1, 20)]);
    done(other.path(), to.path(), false).unwrap();
    let column = format!("events-v1/date=2026-11-23/hour=00/host={HOST}");
    let name = std::fs::read_dir(to.path().join(&column)).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&name).unwrap();
    std::fs::write(&name, crate::shelf::parquet(&Shelf::new().engine())).unwrap();
    let refused = done(from.path(), to.path(), true).unwrap_err();
    assert!(
        refused.contains("is not in it") && refused.contains("nothing was removed"),
        "{refused}"
    );
    assert_eq!(objects(from.path()).len(), 2);
    std::fs::write(&name, &good).unwrap();
    let removed = done(from.path(), to.path(), true).unwrap();
    assert_eq!((removed.done_before, removed.removed), (2, 2));
    assert!(objects(from.path()).is_empty());
    assert_eq!(asked(&[to.path()]), expected(&[(0, 1, 20)]));
}
