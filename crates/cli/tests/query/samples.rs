//! The samples of the format.

use std::path::Path;

/// The samples of the format, one a line, in the order in which they happened.
pub(crate) fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/samples");
    let mut lines: Vec<(u64, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            (value["seq"].as_u64().unwrap(), value.to_string())
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}
