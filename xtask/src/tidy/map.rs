//! ARCHITECTURE.md names exactly the crates that exist.

use std::collections::BTreeSet;

use super::tree::File;

const MAP: &str = "ARCHITECTURE.md";

/// Crates without an entry in the code map, and entries without a crate.
pub(super) fn check(files: &[File]) -> Vec<String> {
    let exist: BTreeSet<&str> = files.iter().filter_map(|file| crate_of(&file.path)).collect();
    let Some(map) = files.iter().find(|file| file.path == MAP) else {
        return vec![format!("{MAP}: is missing")];
    };
    let named: BTreeSet<&str> = map.text.lines().filter_map(heading).collect();
    let unnamed = exist.difference(&named);
    let gone = named.difference(&exist);
    unnamed
        .map(|name| format!("{MAP}: has no heading \"### `crates/{name}`\""))
        .chain(gone.map(|name| format!("{MAP}: crates/{name} does not exist")))
        .collect()
}

/// The crate whose manifest this is.
fn crate_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
    (!name.contains('/')).then_some(name)
}

/// The crate that a heading of the code map is about.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("### `crates/")?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_crate_that_the_map_leaves_out_is_found() {
        let files = [file(MAP, "### `crates/a`\n"), file("crates/a/Cargo.toml", "")];
        assert!(check(&files).is_empty());
        let files = [file(MAP, "nothing\n"), file("crates/a/Cargo.toml", "")];
        assert_eq!(check(&files).len(), 1);
    }

    #[test]
    fn a_crate_that_is_gone_is_found() {
        assert_eq!(check(&[file(MAP, "### `crates/a`\n")]).len(), 1);
    }
}
