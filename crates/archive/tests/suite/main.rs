//! One behaviour over every store, and what is particular to some.
//!
//! `checks` holds the behaviour; it is run over memory, a folder, an S3 server and a Cloud Storage
//! look-alike in this process, and a real SeaweedFS. Everything stays on loopback.

#![expect(clippy::unwrap_used, reason = "a check that fails is a failed test")]

mod checks;
mod credentials;
mod faults;
mod history;
mod lines;
mod paging;
mod places;
mod reading;
mod refusals;
mod seaweed;
mod verify;

/// Stamps out the checks for one place, each with a place of its own.
macro_rules! behaves {
    ($place:ident: $($check:ident)*) => {
        mod $place {
            $(
                #[tokio::test]
                async fn $check() {
                    crate::checks::$check(&crate::places::$place()).await;
                }
            )*
        }
    };
}

macro_rules! every_check {
    ($($place:ident)*) => {
        $(behaves!($place:
            a_place_that_works_passes_the_probe
            a_batch_is_written_once
            another_batch_of_that_name_is_a_conflict_and_changes_nothing
            a_batch_is_not_doubled_by_another_compression
            a_missing_manifest_is_made_up_for
            objects_are_found_by_time_and_host
            every_compression_is_read_back
            a_large_object_is_put_in_parts
            a_chain_without_faults_is_verified
            what_was_done_to_objects_is_found
            nothing_is_in_an_empty_place
        );)*
    };
}

every_check!(memory folder s3 gcs);
