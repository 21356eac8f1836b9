//! What every queue must do.

use std::time::{Duration, Instant};

use super::{Case, Open, wait};
use crate::queue::{Batch, Queue, QueueError, Record, Track};

/// Every case; the place must take at least 1 MB and at most [`LIMIT`].
pub const CASES: &[Case<dyn Queue>] = &[
    ("what is appended comes out in order", in_order),
    ("a claim takes no more than asked", bounded),
    ("what was not acknowledged comes again after a restart", again),
    ("what was acknowledged does not come again", acknowledged),
    ("reading starts where the stores say", seek),
    (
        "reading goes on when the log ends before what is applied",
        seek_beyond,
    ),
    ("a claim waits for the first record", waits),
    ("depth counts what is not acknowledged", depth),
    ("a scan sees what is not acknowledged", scan),
    (
        "it is full at its limit and takes again after an acknowledgement",
        full,
    ),
    ("no key takes all of it", shares),
    ("a key with little does not wait for one with much", turns),
    ("a track does not wait for another", tracks),
    ("closed, it takes no more and gives what it has", closed),
    ("appends of many threads are all there", many),
    ("records of every size", sizes),
];

/// The limit in bytes with which the cases expect the queue to be opened.
pub const LIMIT: u64 = 4 << 20;

const NOW: Duration = Duration::from_millis(1);

fn put(queue: &dyn Queue, key: u64, bytes: &[u8]) -> u64 {
    let record = Record {
        key,
        track: Track::Quick,
        bytes: bytes.to_vec(),
    };
    wait(queue.append(record)).expect("appended")
}

fn claim(queue: &dyn Queue, records: usize) -> Batch {
    queue
        .claim(Track::Quick, records, usize::MAX, NOW)
        .expect("claimed")
}

fn texts(batch: &Batch) -> Vec<String> {
    let text = |c: &crate::queue::Claimed| String::from_utf8_lossy(&c.bytes).into_owned();
    batch.records.iter().map(text).collect()
}

fn in_order(open: Open<'_, dyn Queue>) {
    let queue = open();
    let positions: Vec<u64> = ["a", "b", "c"]
        .iter()
        .zip(7..)
        .map(|(t, key)| put(&*queue, key, t.as_bytes()))
        .collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let batch = claim(&*queue, 10);
    assert_eq!(texts(&batch), ["a", "b", "c"]);
    assert_eq!(batch.records.iter().map(|c| c.key).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(
        batch.records.iter().map(|c| c.position).collect::<Vec<_>>(),
        positions
    );
    assert!(batch.next > positions[2]);
    assert!(claim(&*queue, 10).records.is_empty(), "claimed twice");
}

fn bounded(open: Open<'_, dyn Queue>) {
    let queue = open();
    for n in 0..10u8 {
        put(&*queue, 1, &[n; 100]);
    }
    let first = claim(&*queue, 3);
    assert_eq!(first.records.len(), 3);
    assert_eq!(claim(&*queue, 1).records[0].position, first.next);
    let by_bytes = queue.claim(Track::Quick, 100, 250, NOW).expect("claimed");
    assert!(
        (2..=3).contains(&by_bytes.records.len()),
        "{}",
        by_bytes.records.len()
    );
    let one = queue.claim(Track::Quick, 100, 1, NOW).expect("claimed");
    assert_eq!(one.records.len(), 1, "a record larger than the bound comes alone");
}

fn again(open: Open<'_, dyn Queue>) {
    let queue = open();
    put(&*queue, 1, b"one");
    put(&*queue, 2, b"two");
    let before = claim(&*queue, 10);
    drop(queue);
    let queue = open();
    assert_eq!(claim(&*queue, 10), before);
}

fn acknowledged(open: Open<'_, dyn Queue>) {
    let queue = open();
    put(&*queue, 1, b"one");
    put(&*queue, 1, b"two");
    put(&*queue, 1, b"three");
    let two = claim(&*queue, 2);
    queue.ack(two.partition, two.next).expect("acknowledged");
    assert_eq!(texts(&claim(&*queue, 10)), ["three"]);
    drop(queue);
    let queue = open();
    queue.seek(two.partition, two.next).expect("sought");
    assert_eq!(texts(&claim(&*queue, 10)), ["three"]);
    // New records follow the old ones.
    let position = put(&*queue, 1, b"four");
    assert!(position > two.next);
}

fn seek(open: Open<'_, dyn Queue>) {
    let queue = open();
    put(&*queue, 1, b"one");
    let second = put(&*queue, 1, b"two");
    put(&*queue, 1, b"three");
    drop(queue);
    let queue = open();
    queue.seek(0, second).expect("sought");
    assert_eq!(texts(&claim(&*queue, 10)), ["two", "three"]);
    assert_eq!(queue.depth().records, 2);
    queue.seek(0, 0).expect("sought");
    assert_eq!(
        texts(&claim(&*queue, 10)).last().map(String::as_str),
        Some("three")
    );
}

fn seek_beyond(open: Open<'_, dyn Queue>) {
    let queue = open();
    put(&*queue, 1, b"one");
    queue.seek(0, 1_000_000).expect("sought");
    let position = put(&*queue, 1, b"two");
    assert!(
        position >= 1_000_000,
        "{position}: the stores would take it for applied"
    );
    assert_eq!(texts(&claim(&*queue, 10)), ["two"]);
    drop(queue);
    let queue = open();
    queue.seek(0, position).expect("sought");
    assert_eq!(texts(&claim(&*queue, 10)), ["two"]);
}

fn waits(open: Open<'_, dyn Queue>) {
    let queue = open();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let batch = queue.claim(Track::Quick, 10, usize::MAX, Duration::from_secs(60));
            (batch.expect("claimed"), Instant::now())
        });
        std::thread::sleep(Duration::from_millis(20));
        put(&*queue, 1, b"late");
        let put_at = Instant::now();
        let (batch, at) = reader.join().expect("read");
        assert_eq!(texts(&batch), ["late"]);
        assert!(
            at < put_at + Duration::from_secs(30),
            "it slept through the record"
        );
    });
}

fn depth(open: Open<'_, dyn Queue>) {
    let queue = open();
    assert_eq!(queue.depth().records, 0);
    put(&*queue, 1, &[1; 500]);
    put(&*queue, 1, &[2; 500]);
    let depth = queue.depth();
    assert_eq!(depth.records, 2);
    assert!(depth.bytes >= 1000, "{depth:?}");
    let one = claim(&*queue, 1);
    assert_eq!(queue.depth().records, 2, "claimed is not acknowledged");
    queue.ack(one.partition, one.next).expect("acknowledged");
    assert_eq!(queue.depth().records, 1);
    let rest = claim(&*queue, 9);
    queue.ack(rest.partition, rest.next).expect("acknowledged");
    assert_eq!(queue.depth().records, 0);
    assert_eq!(queue.depth().bytes, 0);
}

fn scan(open: Open<'_, dyn Queue>) {
    let queue = open();
    for text in ["a", "b", "c"] {
        put(&*queue, 1, text.as_bytes());
    }
    let one = claim(&*queue, 1);
    queue.ack(one.partition, one.next).expect("acknowledged");
    let _ = claim(&*queue, 1);
    let mut seen = Vec::new();
    queue
        .scan(&mut |c| {
            seen.push(c.bytes.clone());
            true
        })
        .expect("scanned");
    assert_eq!(seen, [b"b", b"c"]);
    let mut count = 0;
    queue
        .scan(&mut |_| {
            count += 1;
            false
        })
        .expect("scanned");
    assert_eq!(count, 1, "it goes on after a no");
    assert_eq!(texts(&claim(&*queue, 9)), ["c"], "a scan claims nothing");
}

/// Claims and acknowledges until nothing is left.
fn drain(queue: &dyn Queue) -> Vec<crate::queue::Claimed> {
    let mut all = Vec::new();
    loop {
        let batch = claim(queue, usize::MAX);
        if batch.records.is_empty() {
            return all;
        }
        queue.ack(batch.partition, batch.next).expect("acknowledged");
        all.extend(batch.records);
    }
}

/// Appends until it is refused; answers how many were taken, and why no more.
fn fill(queue: &dyn Queue, key: u64) -> (u64, QueueError) {
    let record = || Record {
        key,
        track: Track::Quick,
        bytes: vec![9; 64 << 10],
    };
    let mut taken = 0u64;
    loop {
        match wait(queue.append(record())) {
            Ok(_) => taken += 1,
            Err(e) => return (taken, e),
        }
        assert!(taken < 1000, "no limit");
    }
}

fn full(open: Open<'_, dyn Queue>) {
    let queue = open();
    let mut taken = 0;
    for key in 1..=64 {
        let (more, _) = fill(&*queue, key);
        taken += more;
    }
    let (_, error) = fill(&*queue, 99);
    assert!(matches!(error, QueueError::Full(LIMIT)), "{error}");
    assert!(taken >= 16, "{taken}");
    let all = drain(&*queue);
    assert_eq!(all.len() as u64, taken, "what was refused is not there");
    put(&*queue, 1, b"again");
    assert_eq!(texts(&claim(&*queue, 9)), ["again"]);
}

fn shares(open: Open<'_, dyn Queue>) {
    let queue = open();
    let (loud, error) = fill(&*queue, 1);
    assert!(matches!(error, QueueError::Crowded(_)), "{error}");
    assert!(loud >= 8, "{loud}");
    assert!(matches!(queue.room(1), Ok(()) | Err(QueueError::Crowded(_))));
    queue.room(2).expect("room for another");
    let (next, _) = fill(&*queue, 2);
    assert!(next >= loud / 4, "{next} of another beside {loud}");
    put(&*queue, 3, b"a third finds room as well");
    drain(&*queue);
    put(&*queue, 1, b"and the first again, when it is done");
}

fn turns(open: Open<'_, dyn Queue>) {
    let queue = open();
    let (loud, _) = fill(&*queue, 1);
    put(&*queue, 2, b"quiet");
    // What a worker claims while it is at it: the quiet record does not wait for all of the others.
    let mut before = 0;
    loop {
        let batch = claim(&*queue, 4);
        assert!(!batch.records.is_empty(), "the record is lost");
        if batch.records.iter().any(|r| r.key == 2) {
            break;
        }
        before += batch.records.len();
        queue.ack(batch.partition, batch.next).expect("acknowledged");
    }
    assert!((before as u64) < loud, "{before} of {loud} came before it");
    drop(queue);
    // After a restart both partitions go on.
    let queue = open();
    assert!(drain(&*queue).iter().any(|r| r.key == 2));
}

fn tracks(open: Open<'_, dyn Queue>) {
    let queue = open();
    let slow = Record {
        key: 1,
        track: Track::Symbols,
        bytes: b"slow".to_vec(),
    };
    wait(queue.append(slow)).expect("appended");
    put(&*queue, 1, b"quick");
    assert_eq!(texts(&claim(&*queue, 9)), ["quick"]);
    assert_eq!(queue.depth().records, 2);
    let batch = queue.claim(Track::Symbols, 9, usize::MAX, NOW).expect("claimed");
    assert_eq!(texts(&batch), ["slow"]);
    queue.ack(batch.partition, batch.next).expect("acknowledged");
    assert_eq!(queue.depth().records, 1);
    drop(queue);
    let again = open();
    let seek = |partition| {
        again.seek(
            partition,
            if partition == batch.partition {
                batch.next
            } else {
                0
            },
        )
    };
    (0..again.partitions()).for_each(|p| seek(p).expect("sought"));
    let none = again.claim(Track::Symbols, 9, usize::MAX, NOW).expect("claimed");
    assert!(none.records.is_empty(), "what is acknowledged stays so");
    assert_eq!(texts(&claim(&*again, 9)), ["quick"]);
}

fn closed(open: Open<'_, dyn Queue>) {
    let queue = open();
    put(&*queue, 1, b"one");
    queue.close();
    let refused = wait(queue.append(Record {
        key: 1,
        track: Track::Quick,
        bytes: b"two".to_vec(),
    }));
    assert!(matches!(refused, Err(QueueError::Closed)), "{refused:?}");
    assert_eq!(texts(&claim(&*queue, 9)), ["one"]);
    let before = Instant::now();
    let none = queue
        .claim(Track::Quick, 9, usize::MAX, Duration::from_secs(60))
        .expect("claimed");
    assert!(none.records.is_empty());
    assert!(
        before.elapsed() < Duration::from_secs(30),
        "a closed queue waits for nothing"
    );
}

fn many(open: Open<'_, dyn Queue>) {
    let queue = open();
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let queue = &queue;
            scope.spawn(move || {
                for n in 0..50u64 {
                    put(&**queue, thread, &n.to_le_bytes());
                }
            });
        }
    });
    let check = |queue: &dyn Queue| {
        let batch = claim(queue, usize::MAX);
        assert!(batch.records.is_sorted_by(|a, b| a.position < b.position));
        for thread in 0..8u64 {
            let of: Vec<_> = batch
                .records
                .iter()
                .filter(|c| c.key == thread)
                .map(|c| c.bytes.clone())
                .collect();
            let want: Vec<_> = (0..50u64).map(|n| n.to_le_bytes().to_vec()).collect();
            assert_eq!(of, want, "one project's records keep their order");
        }
    };
    check(&*queue);
    drop(queue);
    check(&*open());
}

fn sizes(open: Open<'_, dyn Queue>) {
    let queue = open();
    let bytes = |n: usize| (0..n).map(|i| (i % 251) as u8).collect::<Vec<_>>();
    let sizes = [1, 2, 15, 16, 17, 4095, 4096, 4097, 1 << 20];
    for (key, n) in (0..=u64::MAX).rev().zip(sizes) {
        put(&*queue, key, &bytes(n));
    }
    drop(queue);
    let queue = open();
    let batch = claim(&*queue, usize::MAX);
    assert_eq!(batch.records.len(), sizes.len());
    for ((claimed, key), n) in batch.records.iter().zip((0..=u64::MAX).rev()).zip(sizes) {
        assert_eq!((claimed.key, &claimed.bytes), (key, &bytes(n)));
    }
}
