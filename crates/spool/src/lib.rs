//! Survives a crash, a full disk and a month offline: segments of opaque records on a local disk.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! use forebear_spool::{Item, Options, Spool};
//!
//! let (mut writer, spool, recovery) = Spool::open(dir, &Options::default(), &["bucket"])?;
//! assert!(!recovery.has_damage());
//! writer.append(b"a record");
//! writer.flush(); // a kill of the process loses nothing from here on
//! spool.sync()?; // and a power cut nothing from here on
//! writer.seal();
//!
//! while let Some(id) = spool.next_for("bucket") {
//!     let mut segment = spool.read(id)?;
//!     while let Some(item) = segment.next() {
//!         match item {
//!             Item::Record(record) => assert_eq!(record, b"a record"),
//!             Item::Damage(damage) => eprintln!("skipped: {damage:?}"),
//!         }
//!     }
//!     spool.confirm("bucket", id, b"what to remember")?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Conventions
//!
//! - One [`Writer`], on one thread; any number of [`Spool`] handles, on any. No threads are made
//!   here and no clock is read (but for the timeout of [`Spool::wait_for`]).
//! - The writer never waits for a sync, never fails and never stops recording: what cannot be
//!   stored is dropped and counted.
//! - Damage is never an error. It is skipped, counted, and told where it is met: in [`Recovery`],
//!   as [`Damage`] between records, in [`Stats`].
//! - After an [`Error`] everything is as it was, and the call may be repeated.
//! - Records are opaque. This crate knows nothing of events and of what is made of them.
//!
//! # Constraints
//!
//! - A *segment* is a file of records, written once from front to end, then *sealed*. It is the
//!   unit of everything: of handing over, of confirming, of removing. Whoever seals decides how
//!   large segments are, so that one segment can be one object at a destination, and delivering
//!   it again gives the same bytes.
//! - Segments have numbers that grow by one. A number that a consumer could confirm is never used
//!   for other records.
//! - *Consumers* have names and take the sealed segments in order, each at its own pace. A segment
//!   is removed when all of them have confirmed it.
//! - A record has at most [`MAX_RECORD_LEN`] bytes. There are at most [`MAX_CONSUMERS`] consumers.
//! - A segment is kept in memory as a few numbers, a reader has at most one record in memory or a
//!   quarter of a megabyte, the writer about a megabyte.
//! - One process at a time, by a lock (`flock(2)`) that ends with the process. The folder has to
//!   be on a local file system.
//!
//! # On disk
//!
//! ```text
//! DIR/lock                       flock; the text is the holder's process number, for people
//! DIR/ledger                     positions, notes, counts: two copies      ledger.rs
//! DIR/00000000000000000001.seg   header, records, footer                   segment.rs, record.rs
//! DIR/ledger.new                 a ledger in the making; removed by the next start
//! DIR/ledger.damaged             a ledger of which nothing could be read; for people
//! ```
//!
//! Every file but the lock begins with a *preamble* (preamble.rs) that is the same in all
//! versions. Each record has a checksum, each head of a record has one that includes its place,
//! and each segment has one over all of its records. Files are for the owner alone.
//!
//! # Operations
//!
//! - *Append* (writer.rs) copies a record into memory behind its head. *Flush* is one `write(2)`.
//!   *Seal* writes the footer and wakes the consumers.
//! - *Sync* (spool.rs) is called by a thread of the caller's, about once a second: segments, the
//!   folder, then the ledger.
//! - *Read* (reader.rs) walks a sealed segment. A damaged record costs itself, a damaged head
//!   costs what lies before the next good one.
//! - *Confirm* (spool.rs) writes the ledger, both copies with a sync each, and then removes what
//!   everybody has confirmed. Position and note are one write: they never disagree.
//! - *Open* (open.rs, recover.rs) looks at both ends of every segment, refuses what a later
//!   version wrote before it changes anything, cuts and seals the unsealed, removes what a crash
//!   kept from being removed, and counts what is missing.
//!
//! # What is promised
//!
//! - After a **kill** of the process at any moment: every record that was flushed is delivered.
//!   What was confirmed is not delivered again, and its note is there.
//! - After a **power cut** at any moment: the same for every record that was flushed before the
//!   last sync that returned, and for every confirmation that returned. Of later records any may
//!   be missing; none is altered.
//! - **Nothing twice**: within one segment a record is read once, segments are handed to a
//!   consumer in order, and a confirmed one is not handed over again. Between a delivery and its
//!   confirmation a crash repeats the delivery, with the same records under the same number.
//! - **Damage**: a flipped bit costs at most the record it is in, or in a head the records up to
//!   the next good head, which is the same one record. A lost segment costs itself, and the next
//!   start knows how many records it held. A damaged copy of the ledger costs nothing.
//! - **Full**: when [`Options::max_bytes`] is reached, or the disk is full, the oldest segments
//!   give way that are nobody's next (limits.rs). If there are none, the new records are
//!   rejected. Both are counted, in total and for each consumer. Confirming needs no new room,
//!   since the ledger is overwritten in place.
//! - **Counts add up**: for each consumer, records delivered = records appended − rejected −
//!   dropped − missing − damaged, by the totals of [`Stats`]. After a kill they still do: what
//!   was dropped is counted as dropped, or, if the kill came while the ledger was being written by
//!   somebody else, as missing. Not exact in these cases: damage is counted once in each run that
//!   reads the segment to its end; a power cut loses records that were never synced, and the
//!   counts of the last second with them.
//!
//! # Odd decisions
//!
//! - *A consumer's next segments are not dropped*, as many as it may work ahead
//!   ([`Options::ahead`]). They may be delivered already, and not yet confirmed. Counting them as
//!   dropped would make the counts a lie.
//! - *The first copy of the ledger is durable before the second is touched*, and there is no
//!   rename. A rename needs a new file, and a confirmation is what frees room on a full disk.
//! - *The writer notes the ledger without a sync, and only if nobody else has it.* It may not
//!   wait for a disk. What it could not note is found by the next start, since each segment says
//!   with which record it begins: the dropped are then missing, other words for the same sum.
//! - *Damage in the middle of an unsealed segment is left there*, and only the tail is cut. The
//!   records behind it are good, and whoever reads them is told what was between.
//! - *Recovery seals even if it cannot write the footer.* Then the footer lives in memory, and
//!   the next start walks the segment again.
//! - *Removed consumers are remembered*, so that one that was left out of a configuration by
//!   mistake does not lose its note.

mod bytes;
mod error;
pub mod fs;
mod inventory;
mod ledger;
mod limits;
mod open;
mod preamble;
mod reader;
mod record;
mod recover;
mod segment;
mod segment_id;
mod shared;
mod spool;
mod stats;
mod writer;

pub use error::{Error, ErrorKind};
pub use ledger::{Lost, MAX_CONSUMERS, MAX_NAME_LEN, MAX_NOTE_LEN, Totals, decode_ledger};
pub use open::Options;
pub use preamble::VERSION;
pub use reader::{Damage, DamageKind, Item, SegmentReader, decode_segment};
pub use record::MAX_RECORD_LEN;
pub use recover::{LedgerState, Recovery};
pub use segment_id::SegmentId;
pub use spool::Spool;
pub use stats::{ConsumerStats, Stats};
pub use writer::{Flushed, Writer};
