//! What the backends on disk do with files that are cut or changed: what is sound is kept, the rest is said.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use protocol::table::Row;
use storage::blobs::Blobs as _;
use storage::columns::{Columns as _, Placed, RowBatch};
use storage::payloads::{EventIds as _, Locator, Partition, PayloadError, Payloads as _};
use storage::queue::{Queue as _, Record, Track};
use storage::suite::rows::TABLE;

use crate::blobs::files::Files;
use crate::columns::embedded::Embedded;
use crate::payloads::{ids::Ids, packs::Packs};
use crate::queue::lanes::Lanes;

const PARTITION: Partition = Partition {
    retention: 90,
    day: 20_000,
};

/// The only file below a folder with this ending.
fn file(folder: &Path, ending: &str) -> PathBuf {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.path().to_string_lossy().ends_with(ending) {
                found.push(entry.path());
            }
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("read");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

fn queued(folder: &Path) -> Vec<Vec<u8>> {
    let log = Lanes::open(folder, 1 << 20).expect("opened");
    let batch = log
        .claim(Track::Quick, 100, usize::MAX, Duration::from_millis(1))
        .expect("claimed");
    batch.records.into_iter().map(|c| c.bytes).collect()
}

async fn queue(folder: &Path, records: &[&[u8]]) {
    let log = Lanes::open(folder, 1 << 20).expect("opened");
    for bytes in records {
        let record = Record {
            key: 1,
            bytes: bytes.to_vec(),
            ..Record::default()
        };
        log.append(record).await.expect("appended");
    }
}

#[tokio::test]
async fn a_torn_record_of_the_queue_is_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    queue(folder.path(), &[b"one", b"two", b"three"]).await;
    let whole = fs::read(file(folder.path(), ".log")).expect("read");
    // Wherever the machine stopped within the last record.
    for cut in 1..16 + 5 {
        fs::write(file(folder.path(), ".log"), &whole[..whole.len() - cut]).expect("written");
        assert_eq!(queued(folder.path()), [b"one", b"two"], "{cut} bytes are missing");
    }
    queue(folder.path(), &[b"four"]).await;
    assert_eq!(queued(folder.path()), [&b"one"[..], b"two", b"four"]);
}

#[tokio::test]
async fn a_changed_record_of_the_queue_is_not_given_out() {
    let folder = tempfile::tempdir().expect("a folder");
    queue(folder.path(), &[b"one", b"two"]).await;
    change(&file(folder.path(), ".log"), |bytes| {
        *bytes.last_mut().expect("bytes") ^= 1;
    });
    assert_eq!(queued(folder.path()), [b"one"]);
}

#[test]
fn a_changed_frame_of_a_pack_is_damaged_and_the_others_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let packs = Packs::open(folder.path()).expect("opened");
    let frame = |n: u8| vec![vec![n; 1000]];
    let places: Vec<(Locator, u64)> = (0..3)
        .map(|n| {
            let (at, end) = packs.append(PARTITION, &frame(n)).expect("appended");
            (at[0], end)
        })
        .collect();
    drop(packs);
    let middle = (places[1].1 - 1) as usize;
    change(&file(folder.path(), ".pack"), |bytes| bytes[middle] ^= 1);
    let packs = Packs::open(folder.path()).expect("opened");
    let got = packs.get(&places.iter().map(|p| p.0).collect::<Vec<_>>());
    assert!(got[0].is_ok() && got[2].is_ok());
    assert!(matches!(got[1], Err(PayloadError::Damaged(PARTITION, at, _)) if at == places[0].1));
    let mut seen = 0;
    let scanned = packs.scan(PARTITION, 0, places[2].1, &mut |_, _, _| seen += 1);
    assert!(matches!(scanned, Err(PayloadError::Damaged(..))));
    assert_eq!(seen, 1);
}

#[test]
fn a_pack_that_is_cut_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let packs = Packs::open(folder.path()).expect("opened");
    let (at, end) = packs.append(PARTITION, &[vec![1; 1000]]).expect("appended");
    drop(packs);
    for length in 0..end as usize {
        let path = file(folder.path(), ".pack");
        let whole = fs::read(&path).expect("read");
        change(&path, |bytes| bytes.truncate(length));
        let packs = Packs::open(folder.path()).expect("opened");
        assert!(packs.get(&at)[0].is_err(), "{length}");
        fs::write(path, whole).expect("written");
    }
}

#[test]
fn a_damaged_run_of_ids_is_asked_for_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let locator = Locator {
        partition: PARTITION,
        frame: 0,
        slot: 0,
    };
    let ids = Ids::open(folder.path()).expect("opened");
    ids.add(PARTITION, 10, &[(1, [1; 16], locator)]).expect("added");
    ids.flush().expect("flushed");
    drop(ids);
    change(&file(folder.path(), ".ids"), |bytes| {
        bytes.pop();
    });
    let ids = Ids::open(folder.path()).expect("opened");
    assert_eq!(ids.position(PARTITION).expect("asked"), 0);
    assert_eq!(ids.known(&[(1, [1; 16])]).expect("asked"), [false]);
    ids.add(PARTITION, 10, &[(1, [1; 16], locator)]).expect("added");
    ids.flush().expect("flushed");
    assert_eq!(ids.find([1; 16]).expect("asked"), [(1, locator)]);
}

#[test]
fn a_damaged_index_is_asked_for_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let batch = || RowBatch {
        partition: PARTITION,
        end: 10,
        rows: vec![Arc::new(Placed {
            row: Row::default(),
            seq: 1,
            locator: Locator {
                partition: PARTITION,
                frame: 0,
                slot: 0,
            },
        })],
    };
    let index = Embedded::open(folder.path(), &[&TABLE]).expect("opened");
    index.append(&TABLE, vec![batch()]).expect("appended");
    index.flush().expect("flushed");
    drop(index);
    for ending in ["/meta.json", ".term", ".idx", ".fast", ".store"] {
        change(&file(folder.path(), ending), |bytes| bytes.truncate(20));
        let index = Embedded::open(folder.path(), &[&TABLE]).expect(ending);
        assert_eq!(index.position(&TABLE, PARTITION).expect("asked"), 0, "{ending}");
        index.append(&TABLE, vec![batch()]).expect("appended");
        index.flush().expect("flushed");
        assert_eq!(index.position(&TABLE, PARTITION).expect("asked"), 10, "{ending}");
    }
}

#[test]
fn a_blob_that_was_not_finished_is_not_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Files::new(folder.path());
    blobs.put("a/one", b"1").expect("put");
    fs::write(folder.path().join("a/two~0"), b"2").expect("written");
    assert_eq!(blobs.list("").expect("listed"), ["a/one"]);
}
