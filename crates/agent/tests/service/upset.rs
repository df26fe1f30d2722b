//! A spool that was tampered with while the service did not run.

use forebear_testkit::bucket::S3;

use crate::account;
use crate::service::{Place, can_record};

#[track_caller]
fn assert_told(s3: &S3, place: &Place, at_least: u64) {
    let service = place.start();
    service.wait_until_uploaded("s3");
    service.stop();
    let account = account::of_s3(s3);
    account.assert_nothing_doubled();
    assert!(account.missing() >= at_least, "{}", account.missing());
    assert_eq!(account.missing(), account.admitted(), "{}", place.talk());
}

#[test]
fn a_deleted_batch_is_admitted() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::with_backlog(&s3, 4);
    fs_err::remove_file(&place.segments()[2]).unwrap();
    assert_told(&s3, &place, 1);
}

#[test]
fn a_flipped_byte_costs_one_event_which_is_admitted() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::with_backlog(&s3, 4);
    let path = &place.segments()[2];
    let mut bytes = fs_err::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs_err::write(path, bytes).unwrap();
    assert_told(&s3, &place, 1);
}

#[test]
fn a_torn_tail_costs_what_was_torn_and_nothing_else() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::with_backlog(&s3, 4);
    let path = place.segments().pop().unwrap();
    let file = fs_err::OpenOptions::new().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut &file, &[7; 100]).unwrap();
    let service = place.start();
    service.wait_until_uploaded("s3");
    service.stop();
    account::of_s3(&s3).assert_whole();
}
