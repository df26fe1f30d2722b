//! Appending: records of an event's size, flushed a batch at a time as the agent does, checksums
//! included, sealed at 8 MiB, on the disk that holds the temporary folder.
//!
//! `waiting` has a consumer that takes nothing, so a full spool drops its oldest all the time:
//! the worst case. `memory` leaves the disk out: what the checksums and copies cost.
#![allow(missing_docs, reason = "a benchmark has no readers of its interface")]
#![allow(clippy::expect_used, reason = "a benchmark may stop")]

use std::io;
use std::path::Path;
use std::sync::Arc;

use divan::counter::BytesCount;
use forebear_spool::fs::{Disk, File, FileSystem};
use forebear_spool::{Options, Spool, Writer};

/// The size of a common event in bytes.
const RECORD: usize = 3500;
/// Records between two flushes.
const BATCH: usize = 64;
/// Batches of one sample: 112 MB.
const BATCHES: usize = 500;
const SEGMENT: u64 = 8 * 1024 * 1024;

fn main() {
    divan::main();
}

fn append(writer: &mut Writer, record: &[u8]) {
    for _ in 0..BATCHES {
        for _ in 0..BATCH {
            writer.append(record);
        }
        assert_eq!(writer.flush().rejected, 0);
        if writer.len_bytes() >= SEGMENT {
            writer.seal();
        }
    }
}

fn bench(bencher: divan::Bencher<'_, '_>, fs: Arc<dyn FileSystem>, dir: &Path) {
    let record: Vec<u8> = (b'!'..=b'~').cycle().take(RECORD).collect();
    let options = Options { max_bytes: 96 * 1024 * 1024, ..Options::default() };
    let (mut writer, _spool, _) =
        Spool::open_on(fs, dir, &options, &["waiting"]).expect("the spool opens");
    bencher
        .counter(BytesCount::new(RECORD * BATCH * BATCHES))
        .bench_local(|| append(&mut writer, &record));
}

#[divan::bench(sample_count = 10)]
fn waiting(bencher: divan::Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    bench(bencher, Arc::new(Disk), dir.path());
}

#[divan::bench(sample_count = 10)]
fn memory(bencher: divan::Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    bench(bencher, Arc::new(Nowhere), dir.path());
}

/// The real disk for everything but the content of segments, which goes nowhere.
struct Nowhere;

struct NoFile(Arc<dyn File>);

impl FileSystem for Nowhere {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        Disk.list(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(NoFile(Disk.create(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Disk.open(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Arc<dyn File>>> {
        Disk.lock(path)
    }

    fn holder(&self) -> u32 {
        Disk.holder()
    }
}

impl File for NoFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], _: u64) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn set_size(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
