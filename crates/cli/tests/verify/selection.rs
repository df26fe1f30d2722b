//! A part of what is there: by time and by host.

use std::collections::BTreeMap;

use forebear_archive::Compression;

use crate::folder::Folder;
use crate::verify;

#[test]
fn a_part_of_the_time_is_looked_at_alone() {
    let folder = Folder::of_text();
    folder.edit(&folder.put[0].object, r#""name":"ls""#, r#""name":"rm""#);
    folder.verify(&["--since", "2026-11-24T04:00:00Z"]).found(0, &["6 events in 2 objects."]);
    folder.verify(&["--until", "2026-11-24T04:00:00Z"]).found(1, &["events 1 to 3"]);
    folder.verify(&["--since", "2027-01-01T00:00:00Z"]).found(1, &["There are no objects at"]);
}

#[test]
fn one_host_of_several_is_looked_at_alone() {
    let folder = Folder::of_text();
    let mut other = folder.another_host();
    other.put(Compression::Zstd);
    folder.edit(&folder.put[0].object, r#""name":"ls""#, r#""name":"rm""#);
    folder.verify(&["--host", &other.id.to_string()]).found(0, &["3 events in 1 objects."]);
    let both = folder.verify(&[]);
    both.found(1, &["1 thing is wrong; 4 objects", "00a1: 9 events", "00a2: 3 events"]);
    let hosts = [folder.host.id.to_string(), other.id.to_string()];
    folder.verify(&["--host", &hosts[0], "--host", &hosts[1]]).found(1, &["4 objects"]);
}

#[test]
fn a_time_or_a_host_that_is_none_is_wrong_usage() {
    for (argument, value) in [("--since", "yesterday"), ("--host", "web-1")] {
        let said = verify(&["/", argument, value], BTreeMap::new());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(value) && said.out.is_empty(), "{}", said.err);
    }
}
