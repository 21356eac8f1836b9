//! What makes processing panic is kept aside with its bytes, never blocks the queue, and can be tried again.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use backends::open::{StorageConfig, open};
use pipeline::directory::Directory;
use pipeline::ingest::quota::Quota;
use pipeline::ingest::record::{Form, Meta};
use pipeline::worker::{Progress, Worker};
use processing::{Geo, Place};
use protocol::ids::EventId;
use protocol::time::{Clock as _, SystemClock};
use storage::payloads::{Locator, Partition, PayloadError, Payloads, See};
use storage::queue::Record;
use storage::relational::{aside, outcomes, people, projects};
use storage::stores::{Catalog, Stores};

/// An address whose place makes processing panic, as long as it should.
const SICK: &str = "203.0.113.66";

struct PanicGeo {
    sick: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Geo for PanicGeo {
    fn find(&self, ip: IpAddr) -> Option<Place> {
        if ip == SICK.parse::<IpAddr>().unwrap() && self.sick.load(Ordering::Relaxed) {
            self.asked.fetch_add(1, Ordering::Relaxed);
            panic!("no place like this");
        }
        None
    }
}

/// Packs that panic at a record with a certain text.
struct PanicPacks {
    inner: Arc<dyn Payloads>,
    sick: Arc<AtomicBool>,
}

impl Payloads for PanicPacks {
    fn append(&self, partition: Partition, records: &[Vec<u8>]) -> Result<(Vec<Locator>, u64), PayloadError> {
        let answer = self.inner.append(partition, records)?;
        let bad = |r: &Vec<u8>| r.windows(4).any(|w| w == b"SICK");
        // After the bytes are written: what is left of them must not count.
        assert!(
            !self.sick.load(Ordering::Relaxed) || !records.iter().any(bad),
            "cannot be written"
        );
        Ok(answer)
    }
    fn get(&self, locators: &[Locator]) -> Vec<Result<Vec<u8>, PayloadError>> {
        self.inner.get(locators)
    }
    fn scan(&self, partition: Partition, from: u64, to: u64, see: See<'_>) -> Result<(), PayloadError> {
        self.inner.scan(partition, from, to, see)
    }
    fn partitions(&self) -> Result<Vec<(Partition, u64)>, PayloadError> {
        self.inner.partitions()
    }
    fn truncate(&self, partition: Partition, length: u64) -> Result<(), PayloadError> {
        self.inner.truncate(partition, length)
    }
    fn drop_partition(&self, partition: Partition) -> Result<(), PayloadError> {
        self.inner.drop_partition(partition)
    }
}

struct Bench {
    worker: Worker,
    project: u64,
    sick: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

fn stores(folder: &Path) -> Stores {
    let config = StorageConfig {
        data_dir: folder.to_owned(),
        database_url: None,
        queue_limit: 1 << 30,
    };
    let catalog = Catalog {
        errors: &processing::ERRORS,
    };
    open(&config, catalog, Arc::new(SystemClock)).unwrap()
}

fn bench(folder: &Path) -> Bench {
    let mut stores = stores(folder);
    let sick = Arc::new(AtomicBool::new(true));
    stores.payloads = Arc::new(PanicPacks {
        inner: stores.payloads.clone(),
        sick: sick.clone(),
    });
    let project = stores
        .sql
        .writing(|c| {
            let org = people::add_organization(c, "acme", "Acme", 0)?;
            let id = projects::add(c, org, "shop", "Shop", None, 0)?;
            projects::add_key(c, id, "Default", &api::new_key(), &api::new_key(), 0)?;
            Ok(id)
        })
        .unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let worker = Worker {
        directory: Arc::new(Directory::open(stores.sql.clone(), 90).unwrap()),
        stores,
        quota: Arc::new(Quota::default()),
        geo: Arc::new(PanicGeo {
            sick: sick.clone(),
            asked: asked.clone(),
        }),
        pool: pipeline::worker::pool(2).unwrap(),
        progress: Arc::new(Progress::default()),
        stop: Arc::default(),
    };
    Bench {
        worker,
        project: project.try_into().unwrap(),
        sick,
        asked,
    }
}

impl Bench {
    fn send(&self, n: u128, value: &str, address: &str) {
        let id = EventId(n.to_be_bytes());
        let event = serde_json::json!({ "event_id": id.to_string(), "user": { "ip_address": address },
            "exception": { "values": [{ "type": "Boom", "value": value }] } });
        let header = serde_json::json!({ "event_id": id.to_string() });
        let body = format!("{header}\n{{\"type\":\"event\"}}\n{event}\n");
        let meta = Meta {
            received: SystemClock.now(),
            project: self.project,
            form: Form::Envelope,
            event_id: None,
            sent_at: None,
            content_type: None,
            client: None,
            address: None,
            user_agent: None,
            release: None,
            environment: None,
            limited: false,
        };
        let record = Record {
            key: self.project,
            bytes: meta.write(body.as_bytes()),
        };
        futures_executor::block_on(self.worker.stores.queue.append(record)).unwrap();
    }

    /// The state of an event id.
    fn state(&self, n: u128) -> String {
        let places = pipeline::whereabouts::find(&self.worker.stores, EventId(n.to_be_bytes())).unwrap();
        let states: Vec<_> = places.iter().filter_map(|p| p["state"].as_str()).collect();
        states.join(",")
    }

    fn counted(&self, outcome: &str) -> i64 {
        let id = i64::try_from(self.project).unwrap();
        let all = self
            .worker
            .stores
            .sql
            .reading(|c| outcomes::read(c, &[id], 0, i64::MAX))
            .unwrap();
        all.iter()
            .filter(|o| o.outcome == outcome)
            .map(|o| o.quantity)
            .sum()
    }

    fn aside(&self) -> Vec<aside::Aside> {
        self.worker
            .stores
            .sql
            .reading(|c| aside::newest(c, None, 100))
            .unwrap()
    }
}

#[test]
fn an_event_that_processing_panics_at_is_kept_aside_and_can_be_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    bench.send(1, "well", "192.0.2.1");
    bench.send(2, "sick", SICK);
    bench.send(3, "well", "192.0.2.1");
    bench.worker.drain();
    assert_eq!(
        [1, 2, 3].map(|n| bench.state(n)),
        ["stored", "discarded", "stored"]
    );
    assert_eq!(
        bench.asked.load(Ordering::Relaxed),
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
    bench.sick.store(false, Ordering::Relaxed);
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
    bench.sick.store(false, Ordering::Relaxed);
    let kept = bench.aside();
    assert!(pipeline::aside::retry(&bench.worker.stores, kept[0].id).unwrap());
    bench.worker.drain();
    assert_eq!(bench.state(2), "stored");
    assert_eq!((bench.counted("accepted"), bench.counted("invalid")), (4, 0));
    // The packs hold four records and nothing of the attempts.
    drop(bench);
    let stores = stores(folder.path());
    let mut records = 0;
    for (partition, end) in stores.payloads.partitions().unwrap() {
        stores
            .payloads
            .scan(partition, 0, end, &mut |_, _, _| records += 1)
            .unwrap();
    }
    assert_eq!(records, 4);
}
