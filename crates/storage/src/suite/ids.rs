//! What every index of event ids must do.

use super::{Case, Numbers, Open};
use crate::payloads::{EventIds, Locator, Partition};

/// Every case.
pub const CASES: &[Case<dyn EventIds>] = &[
    ("an id is known in its project only", by_project),
    ("an id is found where it was put, newest partition first", find),
    (
        "ids of a batch that was added before are not added again",
        repeated,
    ),
    (
        "what was flushed survives a restart, the rest is asked for again",
        survives,
    ),
    ("a dropped partition forgets its ids", drop_partition),
    ("many ids", many),
];

const OLD: Partition = Partition {
    retention: 90,
    day: 20_000,
};
const NEW: Partition = Partition {
    retention: 90,
    day: 20_001,
};

fn at(partition: Partition, frame: u64, slot: u16) -> Locator {
    Locator {
        partition,
        frame,
        slot,
    }
}

fn id(n: u64) -> [u8; 16] {
    let mut numbers = Numbers::new(n);
    let mut out = [0; 16];
    out[..8].copy_from_slice(&numbers.draw().to_be_bytes());
    out[8..].copy_from_slice(&numbers.draw().to_be_bytes());
    out
}

fn by_project(open: Open<'_, dyn EventIds>) {
    let ids = open();
    ids.add(OLD, 100, &[(1, id(1), at(OLD, 0, 0)), (2, id(2), at(OLD, 0, 1))])
        .expect("added");
    let ask = [(1, id(1)), (2, id(1)), (2, id(2)), (1, id(3))];
    let want = [true, false, true, false];
    assert_eq!(ids.known(&ask).expect("asked"), want);
    ids.flush().expect("flushed");
    assert_eq!(ids.known(&ask).expect("asked"), want);
    assert!(ids.known(&[]).expect("asked").is_empty());
}

fn find(open: Open<'_, dyn EventIds>) {
    let ids = open();
    ids.add(OLD, 10, &[(1, id(1), at(OLD, 5, 6))]).expect("added");
    ids.flush().expect("flushed");
    ids.add(NEW, 10, &[(2, id(1), at(NEW, 0, 63))]).expect("added");
    let want = vec![(2, at(NEW, 0, 63)), (1, at(OLD, 5, 6))];
    assert_eq!(ids.find(id(1)).expect("found"), want);
    assert!(ids.find(id(2)).expect("asked").is_empty());
    ids.flush().expect("flushed");
    drop(ids);
    assert_eq!(open().find(id(1)).expect("found"), want);
}

fn repeated(open: Open<'_, dyn EventIds>) {
    let ids = open();
    for _ in 0..2 {
        ids.add(OLD, 10, &[(1, id(1), at(OLD, 0, 0))]).expect("added");
    }
    assert_eq!(ids.find(id(1)).expect("found").len(), 1);
    ids.add(OLD, 9, &[(1, id(2), at(OLD, 0, 1))]).expect("added");
    assert!(ids.find(id(2)).expect("asked").is_empty(), "an older batch");
    ids.flush().expect("flushed");
    ids.add(OLD, 10, &[(1, id(1), at(OLD, 0, 0))]).expect("added");
    drop(ids);
    let ids = open();
    ids.add(OLD, 10, &[(1, id(1), at(OLD, 0, 0))]).expect("added");
    assert_eq!(ids.find(id(1)).expect("found").len(), 1);
}

fn survives(open: Open<'_, dyn EventIds>) {
    let ids = open();
    assert_eq!(ids.position(OLD).expect("asked"), 0);
    ids.add(OLD, 10, &[(1, id(1), at(OLD, 0, 0))]).expect("added");
    ids.flush().expect("flushed");
    assert_eq!(ids.position(OLD).expect("asked"), 10);
    ids.add(OLD, 20, &[(1, id(2), at(OLD, 10, 0))]).expect("added");
    assert_eq!(ids.position(OLD).expect("asked"), 10, "it would not survive yet");
    drop(ids);
    let ids = open();
    assert_eq!(ids.partitions().expect("listed"), [OLD]);
    let position = ids.position(OLD).expect("asked");
    let known = ids.known(&[(1, id(1)), (1, id(2))]).expect("asked");
    assert!(known[0]);
    assert_eq!(
        known[1],
        position == 20,
        "what is behind the position is not known"
    );
    ids.add(OLD, 20, &[(1, id(2), at(OLD, 10, 0))]).expect("added");
    assert_eq!(ids.find(id(2)).expect("found"), [(1, at(OLD, 10, 0))]);
}

fn drop_partition(open: Open<'_, dyn EventIds>) {
    let ids = open();
    ids.add(OLD, 10, &[(1, id(1), at(OLD, 0, 0))]).expect("added");
    ids.add(NEW, 10, &[(1, id(2), at(NEW, 0, 0))]).expect("added");
    ids.flush().expect("flushed");
    ids.drop_partition(OLD).expect("dropped");
    ids.drop_partition(OLD).expect("nothing to drop");
    drop(ids);
    let ids = open();
    assert_eq!(
        ids.known(&[(1, id(1)), (1, id(2))]).expect("asked"),
        [false, true]
    );
    assert_eq!(ids.partitions().expect("listed"), [NEW]);
    assert_eq!(ids.position(OLD).expect("asked"), 0);
}

fn many(open: Open<'_, dyn EventIds>) {
    const BATCH: u64 = 1000;
    const BATCHES: u64 = 100;
    let ids = open();
    for batch in 0..BATCHES {
        let rows: Vec<_> = (0..BATCH)
            .map(|n| (n % 3, id(batch * BATCH + n), at(OLD, batch, n as u16)))
            .collect();
        ids.add(OLD, (batch + 1) * 10, &rows).expect("added");
    }
    ids.flush().expect("flushed");
    drop(ids);
    let ids = open();
    assert_eq!(ids.position(OLD).expect("asked"), BATCHES * 10);
    for n in (0..BATCH * BATCHES).step_by(997) {
        let place = at(OLD, n / BATCH, (n % BATCH) as u16);
        assert_eq!(ids.find(id(n)).expect("found"), [(n % BATCH % 3, place)]);
    }
    let strangers: Vec<_> = (0..10_000).map(|n| (1, id(1_000_000 + n))).collect();
    assert!(ids.known(&strangers).expect("asked").iter().all(|k| !k));
}
