//! What is committed is what the types say: schema, field catalogue, reference, samples.
//! `UPDATE=1` writes the files anew.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::{Path, PathBuf};

use forebear_events::{ddl, fields, samples, schema};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn check(path: &str, text: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let committed = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("cannot read {path}: {error}; run with UPDATE=1"));
    assert!(committed == text, "{path} is not what the types say; run with UPDATE=1");
}

#[test]
fn the_committed_schema_is_what_the_types_say() {
    check("schema/event.v1.schema.json", &schema::json_schema());
}

#[test]
fn the_committed_catalogue_is_what_the_types_say() {
    check("schema/fields.v1.tsv", &fields::tsv());
}

#[test]
fn the_committed_reference_is_what_the_types_say() {
    check("docs/reference/events.md", &fields::markdown());
}

#[test]
fn the_committed_tables_are_what_the_types_say() {
    for engine in ddl::Engine::ALL {
        check(&format!("schema/ddl/{}.sql", engine.name()), &ddl::statements(engine));
    }
}

#[test]
fn the_committed_samples_are_the_samples() {
    let mut names = Vec::new();
    for (name, event) in samples::all() {
        let text = serde_json::to_string_pretty(&event).unwrap() + "\n";
        check(&format!("schema/samples/{name}.json"), &text);
        names.push(format!("{name}.json"));
    }
    for entry in std::fs::read_dir(root().join("schema/samples")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&name), "schema/samples/{name} is no sample any more");
    }
}
