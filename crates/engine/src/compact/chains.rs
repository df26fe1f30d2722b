//! Which objects of lines become one object of columns.

use std::collections::BTreeMap;

use forebear_archive::{BatchName, StoredObject};

/// Numbers of an object of columns at most, unless one object of lines has more.
const NUMBERS: u64 = 500_000;

/// Objects of lines of one run and partition, whose numbers follow each other without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The name of the object of columns.
    pub name: BatchName,
    pub objects: Vec<StoredObject>,
}

impl Chain {
    fn of(object: StoredObject) -> Self {
        Self { name: object.key.batch, objects: vec![object] }
    }

    /// Whether its objects are all that its name stands for.
    pub(super) fn is_complete(&self) -> bool {
        let mut next = self.name.first_seq;
        let follow = self.objects.iter().all(|object| {
            let batch = object.key.batch;
            let follows = batch.first_seq == next;
            next = batch.last_seq.saturating_add(1);
            follows
        });
        follow && next == self.name.last_seq.saturating_add(1)
    }

    /// Each of its objects as a chain of its own.
    pub(super) fn into_single(self) -> impl DoubleEndedIterator<Item = Self> {
        self.objects.into_iter().map(Self::of)
    }

    /// Takes an object in that follows the last one.
    fn take(&mut self, object: StoredObject) -> Result<(), StoredObject> {
        let next = object.key.batch;
        let first_seq = self.name.first_seq;
        let longer = BatchName { first_seq, ..next };
        let follows = self.name.last_seq.checked_add(1) == Some(next.first_seq)
            && longer.covers(&self.name)
            && (next.last_seq - first_seq) < NUMBERS;
        if !follows {
            return Err(object);
        }
        self.name = longer;
        self.objects.push(object);
        Ok(())
    }
}

/// Objects as chains, and those that objects of columns stand for already, by the columns.
///
/// Of objects with the same events one is taken.
pub(super) fn chains(
    mut objects: Vec<StoredObject>,
    columns: &[BatchName],
) -> (Vec<Chain>, Vec<Chain>) {
    objects.sort_by_key(|object| (object.key.batch, object.size));
    let mut done: BTreeMap<BatchName, Chain> = BTreeMap::new();
    let mut chains: Vec<Chain> = Vec::new();
    for object in objects {
        let batch = object.key.batch;
        if let Some(column) = columns.iter().find(|column| column.covers(&batch)) {
            let chain = done.entry(*column);
            let chain = chain.or_insert_with(|| Chain { name: *column, objects: Vec::new() });
            chain.objects.push(object);
            continue;
        }
        let is_twin =
            chains.last().and_then(|it| it.objects.last()).is_some_and(|it| it.key.batch == batch);
        if is_twin {
            continue;
        }
        match chains.last_mut() {
            Some(chain) => {
                if let Err(object) = chain.take(object) {
                    chains.push(Chain::of(object));
                }
            }
            None => chains.push(Chain::of(object)),
        }
    }
    (chains, done.into_values().collect())
}

#[cfg(test)]
mod tests {
    use forebear_archive::ObjectKey;

    use super::*;

    const RUN: &str = "events-v1/date=2026-11-24/hour=03/host=5f2b9f3c-53a4-8c1e-a0de-0d2f6a3ee1aa/\
                       0e2c1c1a-7f6e-4b55-9c59-1f1a4a4f6b10-7d8a4a36-92a6-4f65-b6a6-51f1f8f0a001";

    fn object(rest: &str) -> StoredObject {
        StoredObject { key: ObjectKey::parse(&format!("{RUN}{rest}")).unwrap(), size: 1 }
    }

    /// The numbers of each chain, and of its objects.
    fn shown(chains: &[Chain]) -> Vec<(u64, u64, usize)> {
        let chains = chains.iter();
        chains.map(|it| (it.name.first_seq, it.name.last_seq, it.objects.len())).collect()
    }

    #[track_caller]
    fn become_chains(
        objects: &[&str],
        columns: &[&str],
        wanted: &[(u64, u64, usize)],
        before: &[(u64, u64, usize)],
    ) {
        let objects = objects.iter().map(|rest| object(rest)).collect();
        let columns = columns.iter().map(|rest| format!("{RUN}{rest}.parquet"));
        let columns: Vec<BatchName> =
            columns.map(|path| BatchName::parse_columns(&path).unwrap()).collect();
        let (chains, done) = chains(objects, &columns);
        assert_eq!((shown(&chains).as_slice(), shown(&done).as_slice()), (wanted, before));
        assert!(chains.iter().all(Chain::is_complete));
    }

    #[test]
    fn what_follows_each_other_becomes_one_object() {
        become_chains(
            &["-10-19.ndjson.gz", "-1-9.ndjson.zst", "-20-20.ndjson"],
            &[],
            &[(1, 20, 3)],
            &[],
        );
        become_chains(&["-1-9.ndjson", "-11-20.ndjson"], &[], &[(1, 9, 1), (11, 20, 1)], &[]);
        become_chains(&["-1-9.ndjson", "-1-9.ndjson.gz"], &[], &[(1, 9, 1)], &[]);
        become_chains(
            &["-1-400000.ndjson", "-400001-600000.ndjson"],
            &[],
            &[(1, 400_000, 1), (400_001, 600_000, 1)],
            &[],
        );
    }

    #[test]
    fn what_is_in_columns_is_not_made_again() {
        let objects = ["-1-9.ndjson", "-10-20.ndjson", "-21-30.ndjson"];
        become_chains(&objects, &["-1-20"], &[(21, 30, 1)], &[(1, 20, 2)]);
        become_chains(&objects, &["-1-30", "-10-20"], &[], &[(1, 30, 3)]);
        become_chains(&objects[1..], &["-1-20"], &[(21, 30, 1)], &[(1, 20, 1)]);
    }
}
