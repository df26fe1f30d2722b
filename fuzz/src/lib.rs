//! Bodies of the fuzz targets: one function per decoder, from bytes to nothing.
//!
//! A body panics when a promise of its decoder is broken, and returns otherwise.
//! The test at the end runs each over its committed corpus on a stable compiler; fuzzing itself
//! is `cargo +nightly fuzz run --features libfuzzer TARGET`.

#![expect(clippy::expect_used, reason = "a broken promise has to panic")]

pub mod accounts;
pub mod login;
pub mod model;
pub mod ndjson;
pub mod procfs;
pub mod provider;
pub mod query;
pub mod trace;
pub mod wire;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Runs a body over the seeds of its target; a target without seeds is a failure.
    #[track_caller]
    fn run(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut seeds = 0;
        for entry in std::fs::read_dir(&folder).expect("the corpus is there") {
            let path = entry.expect("the corpus can be listed").path();
            check(&std::fs::read(&path).expect("a seed can be read"));
            seeds += 1;
        }
        assert!(seeds > 0, "{} has no seeds", folder.display());
    }

    #[test]
    fn every_seed_of_the_trace_reader_keeps_its_promises() {
        run("trace", super::trace::check);
    }

    #[test]
    fn every_seed_of_the_model_keeps_its_promises() {
        run("model", super::model::check);
    }

    #[test]
    fn every_seed_of_the_ndjson_reader_keeps_its_promises() {
        run("ndjson", super::ndjson::check);
    }

    #[test]
    fn every_seed_of_the_wire_decoder_keeps_its_promises() {
        run("wire", super::wire::check);
    }

    #[test]
    fn every_seed_of_the_proc_parsers_keeps_its_promises() {
        run("procfs", super::procfs::check);
    }

    #[test]
    fn every_seed_of_the_reader_of_accounts_keeps_its_promises() {
        run("accounts", super::accounts::check);
    }

    #[test]
    fn every_seed_of_a_providers_answers_keeps_its_promises() {
        run("provider", super::provider::check);
    }

    #[test]
    fn every_seed_of_a_login_keeps_its_promises() {
        run("login", super::login::check);
    }
    #[test]
    fn every_seed_of_a_query_keeps_its_promises() {
        run("query", super::query::check);
    }
}
