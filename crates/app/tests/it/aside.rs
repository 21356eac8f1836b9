//! What makes processing panic is kept aside with its bytes, never blocks the queue, and can be tried again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use protocol::time::SystemClock;
use storage::relational::aside;

use crate::inside::{SICK, bench, stores};

#[test]
fn an_event_that_processing_panics_at_is_kept_aside_and_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    bench.faults.geo.store(true, Ordering::Relaxed);
    bench.send(1, "well", "192.0.2.1");
    bench.send(2, "sick", SICK);
    bench.send(3, "well", "192.0.2.1");
    bench.worker.drain();
    assert_eq!(
        [1, 2, 3].map(|n| bench.state(n)),
        ["stored", "discarded", "stored"]
    );
    assert_eq!(
        bench.faults.asked.load(Ordering::Relaxed),
        2,
        "it was tried a second time"
    );
    assert_eq!((bench.counted("accepted"), bench.counted("invalid")), (2, 1));
    let kept = bench.aside();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].error, "no place like this");
    let (_, payload) = bench
        .worker
        .stores
        .sql
        .reading(|c| aside::find(c, kept[0].id))
        .unwrap()
        .unwrap();
    assert!(String::from_utf8(payload).unwrap().contains("\"sick\""));

    // Still sick: it is kept aside again, and counted once.
    assert!(pipeline::aside::retry(&bench.worker.stores, kept[0].id).unwrap());
    bench.worker.drain();
    assert_eq!((bench.counted("accepted"), bench.counted("invalid")), (2, 1));
    let kept = bench.aside();
    assert_eq!(kept.len(), 1);

    // Healed: it is stored as if it had just come.
    bench.faults.geo.store(false, Ordering::Relaxed);
    assert!(pipeline::aside::retry(&bench.worker.stores, kept[0].id).unwrap());
    bench.worker.drain();
    assert_eq!(bench.state(2), "stored");
    assert_eq!((bench.counted("accepted"), bench.counted("invalid")), (3, 0));
    assert_eq!(bench.aside(), vec![]);
    assert!(!pipeline::aside::retry(&bench.worker.stores, kept[0].id).unwrap());
}

#[test]
fn an_event_that_cannot_be_written_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    bench.faults.packs.store(true, Ordering::Relaxed);
    bench.send(1, "well", "192.0.2.1");
    bench.send(2, "SICK", "192.0.2.1");
    bench.send(3, "well", "192.0.2.1");
    bench.worker.drain();
    bench.send(4, "well", "192.0.2.1");
    bench.worker.drain();
    assert_eq!(
        [1, 2, 3, 4].map(|n| bench.state(n)),
        ["stored", "discarded", "stored", "stored"]
    );
    assert_eq!((bench.counted("accepted"), bench.counted("invalid")), (3, 1));
    bench.faults.packs.store(false, Ordering::Relaxed);
    let kept = bench.aside();
    assert!(pipeline::aside::retry(&bench.worker.stores, kept[0].id).unwrap());
    bench.worker.drain();
    assert_eq!(bench.state(2), "stored");
    assert_eq!((bench.counted("accepted"), bench.counted("invalid")), (4, 0));
    // The packs hold four records and nothing of the attempts.
    drop(bench);
    let stores = stores(folder.path(), Arc::new(SystemClock));
    let mut records = 0;
    for (partition, end) in stores.payloads.partitions().unwrap() {
        stores
            .payloads
            .scan(partition, 0, end, &mut |_, _, _| records += 1)
            .unwrap();
    }
    assert_eq!(records, 4);
}
