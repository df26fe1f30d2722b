//! A disk in memory that fails when told to. For tests, here and in crates that use the spool.
//!
//! Every call that changes something is a *step*. At a chosen step the disk can refuse once, or
//! stop for good, as when the process is killed: a write that is stopped has half happened.
//! It can be full, have sectors that cannot be read, and flipped bits.
//! [`Faulty::restart`] is what comes after a stop: what was not synced is kept after a kill, and
//! after a power cut is kept or not, sector by sector, as a seed decides.
//!
//! Stricter than most real disks: only [`FileSystem::sync_dir`] makes names durable.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{File, FileSystem};

/// What can survive a power cut on its own.
const SECTOR: usize = 512;

/// What a stop does to what was written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the process was killed and the kernel lives.
    Nothing,
    /// The power went: each unsynced sector, size and the unsynced names are kept or lost, as
    /// this seed decides.
    Unsynced(u64),
}

/// One view of a disk in memory, ended by a restart. Clones are the same view.
#[derive(Clone)]
pub struct Faulty {
    world: Arc<Mutex<World>>,
    epoch: u64,
}

#[derive(Default)]
struct World {
    /// Restarts so far; files and views of an earlier time do nothing.
    epoch: u64,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    locks: BTreeSet<usize>,
    steps: u64,
    stop_at: Option<u64>,
    stopped: bool,
    refuse_at: Option<(u64, io::ErrorKind)>,
    capacity: Option<u64>,
}

#[derive(Default)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    unreadable: Vec<Range<u64>>,
}

/// What a step may do.
enum Step {
    /// All of it.
    Whole,
    /// Half of it, and then nothing more.
    Half,
}

impl Default for Faulty {
    fn default() -> Faulty {
        Faulty::new()
    }
}

impl Faulty {
    /// An empty disk without faults.
    pub fn new() -> Faulty {
        Faulty { world: Arc::default(), epoch: 0 }
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.world().steps
    }

    /// Stops for good at this step, counted from the disk's beginning.
    pub fn stop_at(&self, step: u64) {
        self.world().stop_at = Some(step);
    }

    /// Whether the disk has stopped.
    pub fn has_stopped(&self) -> bool {
        self.world().stopped
    }

    /// Refuses this one step.
    pub fn refuse_at(&self, step: u64, kind: io::ErrorKind) {
        self.world().refuse_at = Some((step, kind));
    }

    /// How many bytes all files together may have; `None` for any number.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.world().capacity = bytes;
    }

    /// Bytes in all files.
    pub fn used(&self) -> u64 {
        self.world().used()
    }

    /// Ends this view as a kill or a power cut does, and gives the view after it, with no fault
    /// pending. Locks are free again.
    #[must_use]
    pub fn restart(&self, loss: Loss) -> Faulty {
        let mut world = self.world();
        if let Loss::Unsynced(seed) = loss {
            world.lose(seed);
        }
        world.epoch += 1;
        world.locks.clear();
        world.stop_at = None;
        world.refuse_at = None;
        world.stopped = false;
        Faulty { world: Arc::clone(&self.world), epoch: world.epoch }
    }

    /// Flips the lowest bit of one byte; counted from the end when `offset` is negative.
    /// Says whether there is such a byte.
    pub fn flip(&self, path: &Path, offset: i64) -> bool {
        let mut world = self.world();
        let Some(inode) = world.inode_of(path) else { return false };
        let length = inode.content.len();
        let at = usize::try_from(offset)
            .ok()
            .or_else(|| length.checked_sub(usize::try_from(offset.unsigned_abs()).ok()?));
        for bytes in [&mut inode.content, &mut inode.durable] {
            if let Some(byte) = at.and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1;
            }
        }
        at.is_some_and(|at| at < length)
    }

    /// Makes a range of a file fail when it is read, as a bad sector does.
    pub fn make_unreadable(&self, path: &Path, range: Range<u64>) {
        if let Some(inode) = self.world().inode_of(path) {
            inode.unreadable.push(range);
        }
    }

    /// A file's content; `None` if there is no such file.
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        self.world().inode_of(path).map(|inode| inode.content.clone())
    }

    /// Puts a file there, durable, in place of whatever was there.
    pub fn put(&self, path: &Path, content: &[u8]) {
        let mut world = self.world();
        let number = world.inodes.len();
        let (content, durable) = (content.to_vec(), content.to_vec());
        world.inodes.push(Inode { content, durable, unreadable: Vec::new() });
        world.names.insert(path.to_owned(), number);
        world.durable_names.insert(path.to_owned(), number);
    }

    /// Deletes a file behind the spool's back. Says whether it was there.
    pub fn delete(&self, path: &Path) -> bool {
        let mut world = self.world();
        world.durable_names.remove(path);
        world.names.remove(path).is_some()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world, if this view still lives.
    fn living(&self) -> io::Result<MutexGuard<'_, World>> {
        let world = self.world();
        if world.stopped || world.epoch != self.epoch {
            return Err(io::Error::other("the disk has stopped"));
        }
        Ok(world)
    }

    /// The world, for one step.
    fn step(&self) -> io::Result<(MutexGuard<'_, World>, Step)> {
        let mut world = self.living()?;
        world.steps += 1;
        if world.stop_at.is_some_and(|step| step <= world.steps) {
            world.stopped = true;
            return Ok((world, Step::Half));
        }
        let now = world.steps;
        if let Some((_, kind)) = world.refuse_at.take_if(|(step, _)| *step == now) {
            return Err(kind.into());
        }
        Ok((world, Step::Whole))
    }

    /// The world, for a step that happens or not.
    fn whole_step(&self) -> io::Result<MutexGuard<'_, World>> {
        match self.step()? {
            (world, Step::Whole) => Ok(world),
            (_, Step::Half) => Err(io::Error::other("the disk has stopped")),
        }
    }

    fn file(&self, inode: usize, is_lock: bool) -> Arc<dyn File> {
        Arc::new(FaultyFile { disk: self.clone(), inode, is_lock })
    }
}

impl World {
    fn used(&self) -> u64 {
        self.names
            .values()
            .filter_map(|&number| self.inodes.get(number))
            .map(|inode| inode.content.len() as u64)
            .sum()
    }

    fn inode_of(&mut self, path: &Path) -> Option<&mut Inode> {
        let number = *self.names.get(path)?;
        self.inodes.get_mut(number)
    }

    fn lose(&mut self, seed: u64) {
        let mut dice = Dice(seed | 1);
        if dice.says_yes() {
            self.names = self.durable_names.clone();
        } else {
            self.durable_names = self.names.clone();
        }
        for inode in &mut self.inodes {
            let mut survivors = inode.durable.clone();
            if dice.says_yes() {
                survivors.resize(inode.content.len(), 0);
            }
            let sectors = survivors.chunks_mut(SECTOR).zip(inode.content.chunks(SECTOR));
            for (kept, written) in sectors {
                if dice.says_yes() {
                    for (kept, written) in kept.iter_mut().zip(written) {
                        *kept = *written;
                    }
                }
            }
            inode.durable.clone_from(&survivors);
            inode.content = survivors;
        }
    }
}

/// A small generator of decisions (xorshift), so that a seed tells the whole story.
struct Dice(u64);

impl Dice {
    fn says_yes(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 & 0x10 != 0
    }
}

impl FileSystem for Faulty {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let world = self.living()?;
        if world.names.contains_key(dir) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let world = self.living()?;
        let inside = world.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut world = self.whole_step()?;
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = world.inodes.len();
        world.inodes.push(Inode::default());
        world.names.insert(path.to_owned(), number);
        Ok(self.file(number, false))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let world = self.living()?;
        let number = *world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(number, false))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.whole_step()?;
        world.names.remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.whole_step()?;
        let number = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), number);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut world = self.whole_step()?;
        let world = &mut *world;
        world.durable_names.retain(|path, _| path.parent() != Some(dir));
        let inside = world.names.iter().filter(|(path, _)| path.parent() == Some(dir));
        world.durable_names.extend(inside.map(|(path, number)| (path.clone(), *number)));
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Arc<dyn File>>> {
        let mut world = self.living()?;
        let number = match world.names.get(path) {
            Some(&number) => number,
            None => {
                let number = world.inodes.len();
                world.inodes.push(Inode::default());
                world.names.insert(path.to_owned(), number);
                number
            }
        };
        Ok(world.locks.insert(number).then(|| self.file(number, true)))
    }

    fn holder(&self) -> u32 {
        std::process::id()
    }
}

struct FaultyFile {
    disk: Faulty,
    inode: usize,
    is_lock: bool,
}

impl Drop for FaultyFile {
    fn drop(&mut self) {
        let mut world = self.disk.world();
        if self.is_lock && world.epoch == self.disk.epoch {
            world.locks.remove(&self.inode);
        }
    }
}

impl File for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.disk.living()?;
        let inode = world.inodes.get(self.inode).ok_or(io::ErrorKind::NotFound)?;
        let end = offset + buffer.len() as u64;
        if inode.unreadable.iter().any(|bad| bad.start < end && offset < bad.end) {
            return Err(io::Error::other("a sector cannot be read"));
        }
        let rest = usize::try_from(offset).ok().and_then(|start| inode.content.get(start..));
        let mut count = 0;
        for (to, from) in buffer.iter_mut().zip(rest.unwrap_or_default()) {
            *to = *from;
            count += 1;
        }
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let (mut world, step) = self.disk.step()?;
        let used = world.used();
        let capacity = world.capacity;
        let inode = world.inodes.get_mut(self.inode).ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut count = match step {
            Step::Whole => bytes.len(),
            Step::Half => bytes.len() / 2,
        };
        if let Some(capacity) = capacity {
            // What is overwritten in place needs no room.
            let free = capacity.saturating_sub(used);
            let end = (inode.content.len() as u64).saturating_add(free);
            count = count.min(usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX));
            if count == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        let end = start.saturating_add(count);
        if inode.content.len() < end {
            inode.content.resize(end, 0);
        }
        for (to, from) in inode.content.iter_mut().skip(start).zip(bytes.iter().take(count)) {
            *to = *from;
        }
        match step {
            Step::Whole => Ok(count),
            Step::Half => Err(io::Error::other("the disk has stopped")),
        }
    }

    fn size(&self) -> io::Result<u64> {
        let world = self.disk.living()?;
        let inode = world.inodes.get(self.inode).ok_or(io::ErrorKind::NotFound)?;
        Ok(inode.content.len() as u64)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        let mut world = self.disk.whole_step()?;
        let inode = world.inodes.get_mut(self.inode).ok_or(io::ErrorKind::NotFound)?;
        inode.content.resize(usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.disk.whole_step()?;
        let inode = world.inodes.get_mut(self.inode).ok_or(io::ErrorKind::NotFound)?;
        inode.durable.clone_from(&inode.content);
        Ok(())
    }
}
