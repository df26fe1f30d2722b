//! A folder, and what somebody with an editor did to it.

use std::collections::BTreeMap;

use forebear_archive::{Compression, Destination, Environment};
use fs_err as fs;
use tempfile::TempDir;

use crate::host::{Host, Put};
use crate::program::Said;
use crate::verify;

/// A folder with three objects of one host: events 1 to 3, 4 to 6, 7 to 9.
pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) host: Host,
    pub(crate) put: Vec<Put>,
}

impl Folder {
    /// Whose objects are text that can be edited.
    pub(crate) fn of_text() -> Self {
        Self::with([Compression::None; 3])
    }

    fn with(compressions: [Compression; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Self::host_in(&folder, 0xa1);
        let put = compressions.map(|compression| host.put(compression)).into();
        Self { folder, host, put }
    }

    fn host_in(folder: &TempDir, id: u128) -> Host {
        let place = Destination::of_source(folder.path().to_str().unwrap());
        Host::at(&place, &Environment::default(), id)
    }

    /// Another host that uses the same folder.
    pub(crate) fn another_host(&self) -> Host {
        Self::host_in(&self.folder, 0xa2)
    }

    pub(crate) fn verify(&self, more: &[&str]) -> Said {
        let mut arguments = vec![self.folder.path().to_str().unwrap()];
        arguments.extend(more);
        verify(&arguments, BTreeMap::new())
    }

    fn read(&self, below: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(below)).unwrap()
    }

    fn write(&self, below: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(below), bytes).unwrap();
    }

    pub(crate) fn edit(&self, below: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(below)).unwrap();
        assert!(text.contains(from), "{text}");
        self.write(below, text.replacen(from, to, 1));
    }

    fn remove(&self, below: &str) {
        fs::remove_file(self.folder.path().join(below)).unwrap();
    }
}

#[test]
fn nothing_is_wrong_with_what_nobody_touched() {
    let folder = Folder::with([Compression::Zstd, Compression::Gzip, Compression::None]);
    let chain = format!("; chain {}", folder.host.chain());
    folder.verify(&[]).found(
        0,
        &[
            "host 00000000-0000-0000-0000-0000000000a1: 9 events in 3 objects of 1 runs, \
             2026-11-24T03:00:00",
            &chain,
            "All is well: 9 events in 3 objects.\n",
        ],
    );
    let report = folder.verify(&["--json"]).report(0);
    assert_eq!(report["findings"], serde_json::json!([]));
    assert_eq!((&report["objects"], &report["events"]), (&3.into(), &9.into()));
    assert_eq!(report["hosts"][0]["head"], folder.host.chain());
}

#[test]
fn a_missing_object_is_named_by_its_manifest() {
    let folder = Folder::of_text();
    folder.remove(&folder.put[1].object);
    let said = folder.verify(&[]);
    said.found(
        1,
        &[
            "missing: host 00000000-0000-0000-0000-0000000000a1 run",
            "events 4 to 6: its manifest is there and the object is not",
            &folder.put[1].object,
            "1 thing is wrong; 2 objects were looked at.\n",
        ],
    );
    let report = folder.verify(&["--json"]).report(1);
    assert_eq!(report["findings"][0]["kind"], "missing");
    assert_eq!(report["findings"][0]["first_seq"], 4);
}

#[test]
fn an_object_missing_with_its_manifest_is_named_by_the_chain() {
    let folder = Folder::of_text();
    folder.remove(&folder.put[1].object);
    folder.remove(&folder.put[1].manifest);
    folder.verify(&[]).found(
        1,
        &[
            "missing: ",
            "is not there",
            "events 4 to 6: these events are in no object, and the chain is broken here",
            "2 things are wrong; 2 objects were looked at.\n",
        ],
    );
}

#[test]
fn altered_bytes_are_found_and_named() {
    let folder = Folder::of_text();
    folder.edit(&folder.put[2].object, r#""name":"ls""#, r#""name":"rm""#);
    folder
        .verify(&[])
        .found(1, &["altered: ", "events 7 to 9: its lines have SHA-256", &folder.put[2].object]);
}

#[test]
fn without_contents_only_a_changed_size_is_found() {
    let folder = Folder::of_text();
    folder.edit(&folder.put[0].object, r#""name":"ls""#, r#""name":"rm""#);
    folder.verify(&["--no-contents"]).found(0, &["All is well"]);
    folder.edit(&folder.put[0].object, r#""name":"rm""#, r#""name":"rmdir""#);
    folder.verify(&["--no-contents"]).found(1, &["altered: ", "events 1 to 3: it has"]);
}

#[test]
fn a_cut_object_is_damaged() {
    let folder = Folder::with([Compression::Zstd; 3]);
    let object = &folder.put[0].object;
    let bytes = folder.read(object);
    folder.write(object, &bytes[..bytes.len() / 2]);
    folder.verify(&[]).found(1, &["damaged: ", "events 1 to 3: after 0 lines", object]);
}

#[test]
fn a_doubled_object_is_found() {
    let folder = Folder::with([Compression::Gzip; 3]);
    // The same events in another compression are the same object under another name.
    let same = Folder::with([Compression::Zstd; 3]);
    let doubled = &same.put[1].object;
    folder.write(doubled, same.read(doubled));
    let text = format!("events 4 to 6: the same events are there as gzip too ({doubled})");
    folder.verify(&[]).found(1, &["doubled: ", &text, "1 thing is wrong; 4 objects"]);
}

#[test]
fn a_doubled_line_is_found() {
    let folder = Folder::of_text();
    let object = &folder.put[0].object;
    let text = String::from_utf8(folder.read(object)).unwrap();
    let first = text.lines().next().unwrap();
    folder.write(object, format!("{first}\n{text}"));
    folder
        .verify(&[])
        .found(1, &["altered: ", "doubled: ", "1 lines have the number of the line before"]);
}

#[test]
fn reordered_lines_are_found() {
    let folder = Folder::of_text();
    let object = &folder.put[1].object;
    let text = String::from_utf8(folder.read(object)).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.reverse();
    folder.write(object, lines.join("\n") + "\n");
    folder.verify(&[]).found(
        1,
        &["altered: ", "out of order: ", "events 4 to 6: 2 lines have a lower number than before"],
    );
}

#[test]
fn objects_that_follow_the_same_one_are_out_of_order() {
    let mut folder = Folder::of_text();
    let link = folder.host.link();
    folder.host.put(Compression::None);
    folder.host.set_link(link);
    folder.host.put(Compression::None);
    let said = folder.verify(&[]);
    said.found(1, &["out of order: ", "events 7 to 9: 2 objects say that they follow it"]);
    assert!(!said.out.contains("; chain "), "a chain with two ends has no value:\n{}", said.out);
}

#[test]
fn events_that_were_lost_before_the_upload_are_told_apart_from_missing_ones() {
    let mut folder = Folder::of_text();
    folder.host.lose(5);
    folder.host.put(Compression::None);
    let said = folder.verify(&[]);
    said.found(1, &["dropped: ", "events 10 to 14: these events never came; the chain is whole"]);
    assert!(!said.out.contains("missing"), "{}", said.out);
}

#[test]
fn a_missing_manifest_and_an_edited_one_are_found() {
    let folder = Folder::of_text();
    folder.edit(&folder.put[1].manifest, r#""event_count":3"#, r#""event_count":2"#);
    folder.verify(&[]).found(1, &["altered: ", "events 4 to 6: it has 3 lines, and 2"]);
    folder.write(&folder.put[1].manifest, "not a manifest\n");
    folder.verify(&[]).found(1, &["altered: ", "events 4 to 6: the manifest cannot be read"]);
    folder.remove(&folder.put[1].manifest);
    folder.verify(&[]).found(1, &["no manifest: ", "events 4 to 6: the object has no manifest"]);
}

#[test]
fn what_is_not_ours_is_named() {
    let folder = Folder::of_text();
    let hour = folder.put[0].object.rsplit_once("/host=").unwrap().0;
    let notes = format!("{hour}/notes.txt");
    folder.write(&notes, "hello");
    folder.verify(&[]).found(1, &[&format!("foreign: it is not named as objects are ({notes})")]);
}

#[test]
fn a_folder_without_objects_proves_nothing() {
    let empty = tempfile::tempdir().unwrap();
    let place = empty.path().to_str().unwrap();
    let said = verify(&[place], BTreeMap::new());
    said.found(1, &[&format!("There are no objects at file://{place}.\n")]);
}

#[test]
fn a_source_that_is_no_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("events");
    let missing = missing.to_str().unwrap();
    verify(&[missing], BTreeMap::new())
        .refused_in_a_line(2, &["cannot open", missing, "create the folder"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    verify(&[file], BTreeMap::new())
        .refused_in_a_line(2, &["cannot open", file, "it is not a folder"]);
}
