//! The committed reference is what the code says. `UPDATE=1` writes it anew.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::Path;

#[test]
fn the_committed_reference_is_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cql.md");
    let text = forebear_query::reference::markdown();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "docs/reference/cql.md is stale; run with UPDATE=1");
}
