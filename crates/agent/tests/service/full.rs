//! No room: what is dropped is admitted, and the numbers agree.

use std::process::Command;

use forebear_testkit::bucket::S3;
use forebear_testkit::wait;
use rustix::process::Signal;

use crate::account;
use crate::service::{Place, can_record, destination, program, run_many};

#[test]
fn what_a_full_spool_drops_is_admitted() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"100ms\"\nmax_bytes = \"32KiB\"");
    place.limit_spool("512KiB");
    s3.down();
    let service = place.start();
    wait::until("events to be dropped", || {
        run_many(100);
        let status = service.status();
        (status["spool"]["dropped_records"].as_u64() > Some(50)).then_some(())
    });
    assert!(service.status()["spool"]["bytes"].as_u64() <= Some(512 << 10));
    assert!(destination(&service.status(), "s3")["dropped_records"].as_u64() > Some(50));
    s3.up();
    service.signal(Signal::HUP);
    service.wait_for("the backlog to be uploaded", |status| {
        destination(status, "s3")["backlog_segments"] == 0
    });
    service.wait_until_told();
    let words = run_many(10);
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_accounted_for();
    account.assert_has(&words);
}

/// Mounts a small file system for the spool and becomes the service. Nothing of it is seen
/// outside.
const SCRIPT: &str = "mount -t tmpfs -o size=1m tmpfs \"$1\" && exec \"$2\" run --config \"$3\"";

#[test]
fn what_a_full_disk_drops_is_admitted() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"100ms\"\nmax_bytes = \"32KiB\"");
    fs_err::create_dir(place.path("spool")).unwrap();
    s3.down();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(place.path("spool")).arg(program());
    command.arg(place.path("agent.toml")).envs(place.variables.iter().cloned());
    let service = place.start_as(command);
    wait::until("events to be dropped", || {
        run_many(100);
        let spool = &service.status()["spool"];
        let lost = |name: &str| spool[name].as_u64().unwrap();
        (lost("dropped_records") + lost("rejected_records") > 50).then_some(())
    });
    s3.up();
    service.signal(Signal::HUP);
    service.wait_for("the backlog to be uploaded", |status| {
        destination(status, "s3")["backlog_segments"] == 0
    });
    service.wait_until_told();
    let words = run_many(10);
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_accounted_for();
    account.assert_has(&words);
}
