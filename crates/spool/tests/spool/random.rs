//! Random lists of actions: the real spool against its twin, and the counts against the deeds
//! when the disk fails in between.

use std::collections::BTreeSet;
use std::io;

use forebear_spool::fs::{Faulty, Loss};
use forebear_spool::{Item, Options, SegmentId};
use proptest::prelude::*;

use crate::scene::{self, Scene};
use crate::twin::{Record, Twin};

const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Action {
    Append(u16),
    Flush,
    Seal,
    Sync,
    /// The consumer takes its next segment.
    Deliver(usize),
    /// Only the consumers of this mask go on.
    SetConsumers(u8),
    Kill,
    PowerCut(u64),
    /// The disk refuses a step that many steps from now.
    Refuse(u8),
    /// The disk has that much room left, or no end of it.
    Capacity(Option<u16>),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        10 => (0..3000_u16).prop_map(Action::Append),
        4 => Just(Action::Flush),
        5 => Just(Action::Seal),
        2 => Just(Action::Sync),
        6 => (0..NAMES.len()).prop_map(Action::Deliver),
        1 => (1..8_u8).prop_map(Action::SetConsumers),
        1 => Just(Action::Kill),
        1 => any::<u64>().prop_map(Action::PowerCut),
    ]
}

fn action_with_faults() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => action(),
        2 => (0..8_u8).prop_map(Action::Refuse),
        1 => proptest::option::of(0..6000_u16).prop_map(Action::Capacity),
    ]
}

/// The names in a mask.
fn chosen(mask: u8) -> Vec<&'static str> {
    NAMES
        .iter()
        .enumerate()
        .filter(|(at, _)| mask & (1 << at) != 0)
        .map(|(_, name)| *name)
        .collect()
}

/// The real spool and its twin, and what must outlive a power cut.
struct Pair {
    scene: Scene,
    twin: Twin,
    active: Vec<&'static str>,
    serial: u64,
    /// Records that were flushed when the last sync returned.
    durable: BTreeSet<Record>,
}

impl Pair {
    fn new(options: Options) -> Pair {
        let active = vec!["a", "b"];
        Pair {
            scene: Scene::with(Faulty::new(), &options, &active),
            twin: Twin::new(options, &active),
            active,
            serial: 0,
            durable: BTreeSet::new(),
        }
    }

    /// A record that tells its place in the order of all, of about this length.
    fn record(&mut self, length: u16) -> Record {
        self.serial += 1;
        let mut record = format!("{:08}", self.serial).into_bytes();
        record.resize(record.len().max(usize::from(length)), b'.');
        record
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Append(length) => {
                let record = self.record(*length);
                self.scene.writer.append(&record);
                self.twin.buffered.push(record);
            }
            Action::Flush => {
                self.scene.writer.flush();
                self.twin.flush();
            }
            Action::Seal => {
                let id = self.scene.writer.seal();
                assert_eq!(id.map(|id| id.0), self.twin.seal());
            }
            Action::Sync => {
                self.scene.spool.sync().expect("the disk works");
                let sealed = self.twin.sealed.values().flatten();
                self.durable = sealed.chain(&self.twin.written).cloned().collect();
            }
            Action::Deliver(at) => self.deliver(NAMES[*at]),
            Action::SetConsumers(mask) => {
                self.active = chosen(*mask);
                self.scene.spool.set_consumers(&self.active).expect("the names are good");
                self.twin.set_consumers(&self.active);
            }
            Action::Kill => {
                self.reopen(Loss::Nothing);
                self.twin.kill();
            }
            Action::PowerCut(seed) => {
                self.reopen(Loss::Unsynced(*seed));
                self.twin.kill();
                self.adopt_losses();
            }
            Action::Refuse(_) | Action::Capacity(_) => {}
        }
        self.compare();
    }

    fn deliver(&mut self, name: &'static str) {
        let Some(id) = self.twin.next_for(name) else { return };
        assert_eq!(records(&self.scene, id), self.twin.sealed[&id]);
        let note = format!("{name} {id}").into_bytes();
        self.scene.spool.confirm(name, SegmentId(id), &note).expect("it is the next one");
        self.twin.confirm(name, id, &note);
    }

    fn reopen(&mut self, loss: Loss) {
        let disk = self.scene.disk.restart(loss);
        self.scene = Scene::with(disk, &self.twin.options, &self.active);
    }

    /// After a power cut: what is left must be in order, unaltered, and hold everything durable.
    /// Then the twin loses what the real one lost.
    fn adopt_losses(&mut self) {
        let mut left = std::collections::BTreeMap::new();
        for (id, was) in &self.twin.ever {
            if self.scene.spool.read(SegmentId(*id)).is_err() {
                // Dropped or confirmed before, or written since the last sync.
                let is_expected = self.twin.sealed.contains_key(id);
                let has_durable = was.iter().any(|record| self.durable.contains(record));
                assert!(!is_expected || !has_durable, "a durable segment is gone");
                continue;
            }
            let is = records(&self.scene, *id);
            let mut rest = was.iter();
            for record in &is {
                assert!(rest.any(|other| other == record), "altered or out of order");
            }
            for record in was.iter().filter(|record| self.durable.contains(*record)) {
                // Dropping makes nothing less durable, so this holds for what came back too.
                assert!(is.contains(record), "a durable record is gone");
            }
            let content = self.scene.disk.content(&scene::segment(SegmentId(*id)));
            let sealed =
                self.scene.spool.read(SegmentId(*id)).map(|reader| reader.sealed_records());
            let len = content.map_or(0, |content| content.len() as u64);
            self.twin.damaged.insert(*id, (len, sealed.unwrap_or(0)));
            left.insert(*id, is);
        }
        self.twin.sealed = left;
        // A segment that was lost before it was confirmed by anybody gives its number back.
        self.twin.next = self.probe_next();
        for stats in self.scene.spool.stats().consumers {
            let consumer = self.twin.consumers.get_mut(stats.name.as_str()).expect("it exists");
            consumer.lost = stats.dropped.records + stats.missing.records;
        }
    }

    /// The number of the next segment, by making one for nobody.
    fn probe_next(&mut self) -> u64 {
        let record = self.record(0);
        self.scene.writer.append(&record);
        let id = self.scene.writer.seal();
        // Under the limit the probe may be rejected; the real number is then still unused.
        let Some(id) = id else { return self.twin.next.min(self.highest() + 1) };
        self.twin.buffered.push(record);
        self.twin.next = id.0;
        assert_eq!(self.twin.seal(), Some(id.0));
        id.0 + 1
    }

    fn highest(&self) -> u64 {
        let positions = self.twin.consumers.values().map(|consumer| consumer.position);
        positions.chain(self.twin.sealed.keys().copied()).max().unwrap_or(0)
    }

    fn compare(&self) {
        for name in NAMES {
            let next = self.scene.spool.next_for(name).map(|id| id.0);
            assert_eq!(next, self.twin.next_for(name), "{name}");
        }
        let stats = self.scene.spool.stats();
        assert_eq!(stats.segments, self.twin.sealed.len() as u64);
        assert_eq!(stats.consumers.len(), self.active.len());
        for consumer in &stats.consumers {
            let twin = &self.twin.consumers[consumer.name.as_str()];
            let lost = consumer.dropped.records + consumer.missing.records;
            assert_eq!(lost, twin.lost, "{stats:?} against {:?}", self.twin);
            assert_eq!(self.scene.spool.note(&consumer.name).as_ref(), Some(&twin.note));
        }
        let len = self.twin.written.len() + self.twin.buffered.len();
        assert_eq!(self.scene.writer.len_records(), len as u64);
        assert!(stats.bytes <= self.twin.options.max_bytes.saturating_add(4096), "over the limit");
    }
}

fn records(scene: &Scene, id: u64) -> Vec<Record> {
    let mut reader = scene.spool.read(SegmentId(id)).expect("the segment is there");
    let mut records = Vec::new();
    while let Some(item) = reader.next() {
        if let Item::Record(record) = item {
            records.push(record.to_vec());
        }
    }
    records
}

/// One consumer, a disk with faults, and what was heard about each record.
struct Account {
    scene: Scene,
    appended: u64,
    /// Appended since the last flush: a kill loses them, and nobody is told.
    unflushed: u64,
    killed: u64,
    rejected: u64,
    delivered: Vec<u64>,
    /// A confirmation that failed: after a crash it may hold all the same.
    in_doubt: Option<(SegmentId, Vec<u64>)>,
}

impl Account {
    fn act(&mut self, action: &Action) {
        match action {
            Action::Append(length) => {
                self.appended += 1;
                self.unflushed += 1;
                let width = usize::from(*length).max(8);
                let record = format!("{:0width$}", self.appended);
                self.scene.writer.append(record.as_bytes());
            }
            Action::Flush => self.flush(),
            Action::Seal => {
                self.scene.writer.seal();
                self.flush();
            }
            // On a disk with faults it may fail, and is tried again.
            Action::Sync => drop(self.scene.spool.sync()),
            Action::Deliver(_) => self.deliver(),
            Action::SetConsumers(_) => {}
            Action::Kill | Action::PowerCut(_) => {
                self.killed += self.unflushed;
                self.unflushed = 0;
                self.scene.disk = self.scene.disk.restart(Loss::Nothing);
                self.reopen();
            }
            Action::Refuse(steps) => {
                let step = self.scene.disk.steps() + 1 + u64::from(*steps);
                self.scene.disk.refuse_at(step, io::ErrorKind::Other);
            }
            Action::Capacity(room) => {
                let used = self.scene.disk.used();
                self.scene.disk.set_capacity(room.map(|room| used + u64::from(room)));
            }
        }
    }

    fn flush(&mut self) {
        self.rejected += self.scene.writer.flush().rejected;
        self.unflushed = 0;
    }

    fn deliver(&mut self) {
        let Some(id) = self.scene.spool.next_for("a") else { return };
        let records = scene::records(&self.scene.spool, id);
        let numbers: Vec<u64> =
            records.iter().map(|record| record.parse().expect("a number")).collect();
        if self.scene.spool.confirm("a", id, id.to_string().as_bytes()).is_ok() {
            self.delivered.extend(numbers);
            self.in_doubt = None;
        } else {
            self.in_doubt = Some((id, numbers));
        }
    }

    fn reopen(&mut self) {
        let disk = self.scene.disk.clone();
        self.scene = Scene::on(disk, &["a"]);
        let note = self.scene.spool.note("a");
        if let Some((id, numbers)) = self.in_doubt.take()
            && note == Some(id.to_string().into_bytes())
        {
            self.delivered.extend(numbers);
        }
    }
}

/// More cases where there is time: `PROPTEST_CASES` is honoured.
fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 128 };
    ProptestConfig { cases, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_spool_does_what_its_twin_does(
        max_blocks in prop_oneof![Just(u64::MAX / 8192), 4..40_u64],
        ahead in 1..5_usize,
        actions in proptest::collection::vec(action(), 1..120),
    ) {
        let mut pair = Pair::new(Options { max_bytes: max_blocks * 4096, ahead });
        for action in &actions {
            pair.act(action);
        }
        for name in NAMES {
            while pair.twin.next_for(name).is_some() {
                pair.deliver(name);
                pair.compare();
            }
        }
    }

    #[test]
    fn on_a_failing_disk_the_counts_add_up_and_nothing_comes_twice(
        actions in proptest::collection::vec(action_with_faults(), 1..150),
    ) {
        let scene = Scene::new(&["a"]);
        let mut account = Account {
            scene, appended: 0, unflushed: 0, killed: 0, rejected: 0, delivered: Vec::new(),
            in_doubt: None,
        };
        for action in &actions {
            account.act(action);
        }
        account.scene.disk.set_capacity(None);
        account.scene.disk.refuse_at(u64::MAX, io::ErrorKind::Other);
        account.act(&Action::Seal);
        while account.scene.spool.next_for("a").is_some() {
            account.deliver();
        }
        let is_ascending = account.delivered.windows(2).all(|pair| pair[0] < pair[1]);
        prop_assert!(is_ascending, "twice or out of order: {:?}", account.delivered);
        let lost = &account.scene.spool.stats().consumers[0];
        prop_assert_eq!(
            account.delivered.len() as u64 + account.rejected + account.killed
                + lost.dropped.records + lost.missing.records,
            account.appended
        );
    }

    #[test]
    fn any_bytes_can_be_read_as_a_segment_and_as_a_ledger(
        bytes in proptest::collection::vec(any::<u8>(), 0..4096),
    ) {
        let mut length = 0;
        forebear_spool::decode_segment(SegmentId(1), &bytes, &mut |item| {
            length += match item {
                Item::Record(record) => record.len(),
                Item::Damage(damage) => usize::try_from(damage.bytes).expect("short"),
            };
        });
        prop_assert!(length <= bytes.len());
        forebear_spool::decode_ledger(&bytes);
    }

    #[test]
    fn damage_costs_only_the_records_that_it_touches(
        lengths in proptest::collection::vec(0..300_usize, 1..40),
        flips in proptest::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let mut scene = Scene::new(&["a"]);
        let texts: Vec<String> =
            lengths.iter().enumerate().map(|(at, length)| format!("{at:0length$}")).collect();
        let id = scene.sealed(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let whole = scene.disk.content(&scene::segment(id)).expect("it is sealed");
        let mut bytes = whole.clone();
        for flip in &flips {
            bytes[flip.index(whole.len())] ^= 0x80;
        }
        let mut at = 40;
        let mut expected = Vec::new();
        for text in &texts {
            let end = at + 12 + text.len();
            if bytes[at..end] == whole[at..end] {
                expected.push(text.clone().into_bytes());
            }
            at = end;
        }
        let mut found = Vec::new();
        forebear_spool::decode_segment(id, &bytes, &mut |item| {
            if let Item::Record(record) = item {
                found.push(record.to_vec());
            }
        });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_spool_with_damage_anywhere_opens_and_gives_what_is_whole(
        edits in proptest::collection::vec(
            (0..5_usize, any::<prop::sample::Index>(), any::<u8>(), 0..20_u8), 1..12,
        ),
    ) {
        let mut scene = Scene::new(&["a"]);
        for segment in 0..4 {
            for record in 0..5 {
                scene.writer.append(format!("{segment}{record}").as_bytes());
            }
            // The last one is left unsealed.
            let sealed = if segment < 3 { scene.writer.seal() } else { None };
            scene.writer.flush();
            prop_assert_eq!(sealed.is_some(), segment < 3);
        }
        let names: Vec<_> = (1..=4)
            .map(|id| scene::segment(SegmentId(id)))
            .chain([scene::path("ledger")])
            .collect();
        for (name, at, byte, kind) in &edits {
            let name = &names[*name];
            let Some(mut bytes) = scene.disk.content(name).filter(|bytes| !bytes.is_empty()) else {
                continue;
            };
            let at = at.index(bytes.len());
            match kind {
                0 => bytes.truncate(at),
                1 => bytes.extend(std::iter::repeat_n(*byte, at)),
                2 => bytes.insert(at, *byte),
                3 => drop(bytes.remove(at)),
                _ => bytes[at] ^= byte | 1,
            }
            scene.disk.put(name, &bytes);
        }
        let disk = scene.disk.restart(Loss::Nothing);
        let scene = Scene::on(disk, &["a"]);
        let records = scene.drain("a");
        let is_ascending = records.windows(2).all(|pair| pair[0] < pair[1]);
        prop_assert!(is_ascending, "altered, twice or out of order: {:?}", records);
        let scene = Scene::on(scene.disk.restart(Loss::Nothing), &["a"]);
        prop_assert_eq!(scene.spool.next_for("a"), None);
    }
}
