//! What every payload store must do.

use super::{Case, Open};
use crate::payloads::{Locator, Partition, PayloadError, Payloads};

/// Every case.
pub const CASES: &[Case<dyn Payloads>] = &[
    ("what is appended is read, after a restart too", read),
    ("records are read in the order asked", order),
    (
        "a scan sees every record once, with the position after its frame",
        scan,
    ),
    (
        "a scan starts and stops at positions that appends answered",
        scan_between,
    ),
    ("what lies behind a length is cut off", truncate),
    ("partitions are known with their lengths", partitions),
    (
        "a dropped partition is missing and its neighbours are not",
        drop_partition,
    ),
    ("what was never there is missing", missing),
    ("many threads append at once", many),
];

const A: Partition = Partition {
    retention: 90,
    day: 20_000,
};
const B: Partition = Partition {
    retention: 30,
    day: 20_000,
};

fn record(n: usize) -> Vec<u8> {
    let size = [0, 1, 100, 5_000, 40_000][n % 5];
    let mut out = n.to_le_bytes().to_vec();
    out.extend((0..size).map(|i| ((i * 7 + n) % 256) as u8));
    out
}

fn records(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    range.map(record).collect()
}

fn all(store: &dyn Payloads, partition: Partition, from: u64, to: u64) -> Vec<(Locator, u64, Vec<u8>)> {
    let mut out = Vec::new();
    store
        .scan(partition, from, to, &mut |at, next, bytes| {
            out.push((at, next, bytes.to_vec()));
        })
        .expect("scanned");
    out
}

fn read(open: Open<'_, dyn Payloads>) {
    let store = open();
    let (first, _) = store.append(A, &records(0..200)).expect("appended");
    let (second, _) = store.append(A, &records(200..203)).expect("appended");
    drop(store);
    let store = open();
    let (third, _) = store.append(A, &records(203..204)).expect("appended");
    let at: Vec<Locator> = [first, second, third].concat();
    for (n, got) in store.get(&at).into_iter().enumerate() {
        assert_eq!(got.expect("read"), record(n), "record {n}");
    }
}

fn order(open: Open<'_, dyn Payloads>) {
    let store = open();
    let (a, _) = store.append(A, &records(0..100)).expect("appended");
    let (b, _) = store.append(B, &records(100..150)).expect("appended");
    let asked = [a[99], b[0], a[0], a[99], b[49], a[50]];
    let want = [99, 100, 0, 99, 149, 50];
    let got: Vec<_> = store.get(&asked).into_iter().map(|r| r.expect("read")).collect();
    assert_eq!(got, want.map(record));
    assert!(store.get(&[]).is_empty());
}

fn scan(open: Open<'_, dyn Payloads>) {
    let store = open();
    let (first, middle) = store.append(A, &records(0..150)).expect("appended");
    let (second, end) = store.append(A, &records(150..160)).expect("appended");
    let seen = all(&*store, A, 0, end);
    assert_eq!(seen.len(), 160);
    assert_eq!(
        seen.iter().map(|(at, ..)| *at).collect::<Vec<_>>(),
        [first, second].concat()
    );
    for (n, (_, next, bytes)) in seen.iter().enumerate() {
        assert_eq!(*bytes, record(n));
        assert!(
            *next <= end && (n < 150) == (*next <= middle),
            "record {n}: {next}"
        );
    }
    assert_eq!(seen.last().map(|s| s.1), Some(end));
    assert!(all(&*store, B, 0, u64::MAX).is_empty());
}

fn scan_between(open: Open<'_, dyn Payloads>) {
    let store = open();
    let mut ends = vec![0];
    for n in 0..5 {
        ends.push(
            store
                .append(A, &records(n * 70..n * 70 + 70))
                .expect("appended")
                .1,
        );
    }
    drop(store);
    let store = open();
    for from in 0..5 {
        for to in from..6 {
            let seen = all(&*store, A, ends[from], ends[to]);
            let want = records(from * 70..to * 70);
            assert_eq!(
                seen.into_iter().map(|s| s.2).collect::<Vec<_>>(),
                want,
                "{from}..{to}"
            );
        }
    }
}

fn truncate(open: Open<'_, dyn Payloads>) {
    let store = open();
    let (kept, end) = store.append(A, &records(0..10)).expect("appended");
    let (cut, longer) = store.append(A, &records(10..20)).expect("appended");
    assert!(longer > end);
    drop(store);
    let store = open();
    store.truncate(A, longer + 100).expect("nothing to cut");
    assert_eq!(store.partitions().expect("listed"), [(A, longer)]);
    store.truncate(A, end).expect("cut");
    store.truncate(B, 5).expect("nothing to cut");
    assert_eq!(store.partitions().expect("listed"), [(A, end)]);
    assert!(store.get(&kept).iter().all(Result::is_ok));
    assert!(store.get(&cut).iter().all(Result::is_err));
    let (again, length) = store.append(A, &records(30..31)).expect("appended");
    assert!(length > end);
    assert_eq!(store.get(&again).remove(0).expect("read"), record(30));
    assert_eq!(all(&*store, A, 0, length).len(), 11);
}

fn partitions(open: Open<'_, dyn Payloads>) {
    let store = open();
    assert!(store.partitions().expect("listed").is_empty());
    let (_, a) = store.append(A, &records(0..3)).expect("appended");
    let (_, b) = store.append(B, &records(0..1)).expect("appended");
    let want = [(B, b), (A, a)];
    assert_eq!(store.partitions().expect("listed"), want);
    drop(store);
    assert_eq!(open().partitions().expect("listed"), want);
}

fn drop_partition(open: Open<'_, dyn Payloads>) {
    let store = open();
    let (a, _) = store.append(A, &records(0..3)).expect("appended");
    let (b, _) = store.append(B, &records(0..3)).expect("appended");
    store.drop_partition(A).expect("dropped");
    store.drop_partition(A).expect("nothing to drop");
    assert!(
        store
            .get(&a)
            .iter()
            .all(|r| matches!(r, Err(PayloadError::Missing(_))))
    );
    assert!(store.get(&b).iter().all(Result::is_ok));
    let (new, _) = store.append(A, &records(5..6)).expect("appended");
    assert_eq!(store.get(&new).remove(0).expect("read"), record(5));
}

fn missing(open: Open<'_, dyn Payloads>) {
    let store = open();
    let nowhere = Locator {
        partition: A,
        frame: 0,
        slot: 0,
    };
    assert!(matches!(store.get(&[nowhere])[0], Err(PayloadError::Missing(_))));
    let (at, _) = store.append(A, &records(0..3)).expect("appended");
    let beyond = Locator { slot: 3, ..at[0] };
    let inside = Locator {
        frame: at[0].frame + 1,
        ..at[0]
    };
    let behind = Locator {
        frame: 1 << 40,
        ..at[0]
    };
    for wrong in [beyond, inside, behind] {
        let got = store.get(&[at[0], wrong, at[2]]);
        assert!(got[0].is_ok() && got[1].is_err() && got[2].is_ok(), "{wrong:?}");
    }
}

fn many(open: Open<'_, dyn Payloads>) {
    let store = open();
    let places: Vec<(usize, Vec<Locator>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|t| {
                let store = &store;
                scope.spawn(move || {
                    let range = t * 100..t * 100 + 100;
                    let (at, _) = store.append(A, &records(range)).expect("appended");
                    (t, at)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("ran")).collect()
    });
    drop(store);
    let store = open();
    for (t, at) in places {
        for (n, got) in store.get(&at).into_iter().enumerate() {
            assert_eq!(got.expect("read"), record(t * 100 + n));
        }
    }
}
