//! Every query that the guide shows can be asked.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::Path;

use forebear_query::{Moment, Query, render};

#[test]
fn every_query_of_the_guide_can_be_asked() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/asking.md");
    let text = std::fs::read_to_string(file).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit_once("| `"));
    let queries: Vec<&str> = rows.map(|(_, query)| query).collect();
    assert!(queries.len() >= 10, "{queries:?}");
    for query in queries {
        if let Err(problems) = Query::compile(query, Moment::utc(0)) {
            panic!("{}", render(query, &problems));
        }
    }
}
