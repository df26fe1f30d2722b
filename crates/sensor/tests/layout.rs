//! Every record of `bpf/wire.h` against its Rust twin, from the compiled objects' own types.
//!
//! The list of structs is taken from the objects too: one that is only in C fails.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

use std::collections::BTreeSet;
use std::path::Path;

use forebear_sensor::wire::layout::LAYOUTS;
use libbpf_rs::HasSize;
use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{MemberAttr, Struct};

fn check(object: &str) -> BTreeSet<String> {
    let btf = Btf::from_path(Path::new(object)).unwrap();
    let mut names = BTreeSet::new();
    for structure in btf.type_by_kind::<Struct<'_>>() {
        let Some(name) = structure.name().and_then(|name| name.to_str()) else { continue };
        if !name.starts_with("fb_") {
            continue;
        }
        let (_, size, fields) = LAYOUTS
            .iter()
            .find(|(c_name, ..)| *c_name == name)
            .unwrap_or_else(|| panic!("struct {name} of bpf/wire.h has no twin"));
        assert_eq!(structure.size(), *size, "size of {name}");
        let in_c: Vec<(String, usize)> = structure
            .iter()
            .map(|member| {
                let MemberAttr::Normal { offset } = member.attr else {
                    panic!("{name} has a bit field")
                };
                let field = member.name.unwrap().to_string_lossy().into_owned();
                (field, offset as usize / 8)
            })
            .collect();
        let in_rust: Vec<(String, usize)> =
            fields.iter().map(|(field, offset)| ((*field).to_owned(), *offset)).collect();
        assert_eq!(in_c, in_rust, "fields of {name}");
        names.insert(name.to_owned());
    }
    names
}

#[test]
fn every_record_is_laid_out_as_in_c() {
    let mut names = check(env!("FOREBEAR_PROCESS_OBJECT"));
    names.extend(check(env!("FOREBEAR_RUNNING_OBJECT")));
    names.extend(check(env!("FOREBEAR_SHELL_OBJECT")));
    names.extend(check(env!("FOREBEAR_EFFECT_OBJECT")));
    let twins: BTreeSet<String> = LAYOUTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(names, twins);
}
