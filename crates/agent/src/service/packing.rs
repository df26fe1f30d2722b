//! From a segment of the spool to an object ready to be put.

use forebear_archive::{Compression, Kind, Link, Packed, Packer};
use forebear_spool::{Item, SegmentId, Spool};

use crate::talk::say;

/// A segment, read.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: SegmentId,
    /// What was before it, which the object names.
    pub(super) previous: Option<Link>,
    /// The object; `None` if not one record could be read.
    pub(super) packed: Option<Packed>,
    /// Records in it when it was sealed.
    pub(super) records: u64,
    /// Records that were damaged on the disk.
    pub(super) damaged: u64,
    /// Records that are no events, and can be put nowhere.
    pub(super) odd: u64,
}

/// Why a segment could not be made an object.
#[derive(Debug, Clone)]
pub(super) enum Trouble {
    /// It is not there any more.
    Gone,
    /// The disk; worth trying again.
    Spool(String),
    /// What is in it can never be an object.
    Never {
        /// Why.
        reason: String,
        /// Records in it.
        records: u64,
    },
}

/// Reads a segment and compresses it. Takes a while: not for a thread that others wait for.
pub(super) fn pack(
    spool: &Spool,
    id: SegmentId,
    compression: Compression,
    previous: Option<Link>,
) -> Result<Prepared, Trouble> {
    let mut segment = spool.read(id).map_err(|error| match error.kind() {
        forebear_spool::ErrorKind::Gone => Trouble::Gone,
        _ => Trouble::Spool(error.to_string()),
    })?;
    let records = segment.sealed_records();
    let never =
        |error: forebear_archive::Error| Trouble::Never { reason: error.to_string(), records };
    let mut packer = Packer::new(compression).map_err(never)?;
    let (mut places, mut odd) = (0_u64, 0);
    while let Some(item) = segment.next() {
        match item {
            Item::Record(record) => match packer.push(record) {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::Damaged => odd += 1,
                Err(error) => return Err(never(error)),
            },
            Item::Damage(_) => places += 1,
        }
    }
    let damaged = segment.lost_records();
    if places > 0 {
        say(format_args!(
            "spool: batch {id}: {places} damaged places skipped, {damaged} of {records} events \
             are lost"
        ));
    }
    let packed = match packer.is_empty() {
        true => None,
        false => Some(packer.finish(previous.as_ref()).map_err(never)?),
    };
    Ok(Prepared { id, previous, packed, records, damaged, odd })
}
