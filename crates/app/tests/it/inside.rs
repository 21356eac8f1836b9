//! The worker on real stores inside the test's process, with a clock that the test sets and faults at the ports.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use backends::open::{StorageConfig, open};
use pipeline::directory::Directory;
use pipeline::ingest::quota::Quota;
use pipeline::ingest::record::{Form, Meta};
use pipeline::worker::{Progress, Worker};
use processing::{Geo, Place};
use protocol::ids::EventId;
use protocol::time::{Clock, SystemClock};
use storage::payloads::{Locator, Partition, PayloadError, Payloads, See};
use storage::queue::{Record, Track};
use storage::relational::{aside, outcomes, people, projects};
use storage::sql::{Body, Dialect, Sql, SqlError};
use storage::stores::{Catalog, Stores};

/// A clock that stands ahead of the system's.
#[derive(Default)]
pub struct Ahead(AtomicI64);

impl Ahead {
    /// Moves it on to a minute after the next full hour.
    pub fn to_full_hour(&self) {
        let left = 3_600_000_000 - self.now() % 3_600_000_000;
        self.0.fetch_add(left + 60_000_000, Ordering::Relaxed);
    }

    /// Moves it on by days.
    pub fn days(&self, n: i64) {
        self.0.fetch_add(n * 86_400_000_000, Ordering::Relaxed);
    }
}

impl Clock for Ahead {
    fn now(&self) -> i64 {
        SystemClock.now() + self.0.load(Ordering::Relaxed)
    }
}

/// A database that can be read but not written while it is sick.
struct ReadOnlySql {
    inner: Arc<dyn Sql>,
    sick: Arc<AtomicBool>,
}

impl Sql for ReadOnlySql {
    fn read(&self, body: Body<'_>) -> Result<(), SqlError> {
        self.inner.read(body)
    }
    fn write(&self, body: Body<'_>) -> Result<(), SqlError> {
        if self.sick.load(Ordering::Relaxed) {
            return Err(SqlError::Unavailable(
                "attempt to write a readonly database".into(),
            ));
        }
        self.inner.write(body)
    }
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
}

/// An address whose place makes processing panic, as long as it should.
pub const SICK: &str = "203.0.113.66";

struct PanicGeo(Arc<Faults>);

impl Geo for PanicGeo {
    fn find(&self, ip: IpAddr) -> Option<Place> {
        if ip == SICK.parse::<IpAddr>().unwrap() && self.0.geo.load(Ordering::Relaxed) {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
            panic!("no place like this");
        }
        None
    }
}

/// Packs that panic at a record with a certain text, and can be slow.
struct FaultyPacks {
    inner: Arc<dyn Payloads>,
    faults: Arc<Faults>,
}

impl Payloads for FaultyPacks {
    fn append(&self, partition: Partition, records: &[Vec<u8>]) -> Result<(Vec<Locator>, u64), PayloadError> {
        std::thread::sleep(Duration::from_millis(
            self.faults.slow_ms.load(Ordering::Relaxed) as u64
        ));
        let answer = self.inner.append(partition, records)?;
        let bad = |r: &Vec<u8>| r.windows(4).any(|w| w == b"SICK");
        // After the bytes are written: what is left of them must not count.
        assert!(
            !self.faults.packs.load(Ordering::Relaxed) || !records.iter().any(bad),
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

/// What is wrong.
#[derive(Default)]
pub struct Faults {
    /// Processing panics at [`SICK`].
    pub geo: AtomicBool,
    /// How often it did.
    pub asked: AtomicUsize,
    /// Writing panics at the text `SICK`.
    pub packs: AtomicBool,
    /// Appending to a pack takes so long.
    pub slow_ms: AtomicUsize,
    /// The database cannot be written.
    pub read_only: Arc<AtomicBool>,
}

/// A worker on a folder.
pub struct Bench {
    /// The worker.
    pub worker: Worker,
    /// Its project.
    pub project: u64,
    /// What is wrong.
    pub faults: Arc<Faults>,
    /// The time.
    pub clock: Arc<Ahead>,
}

/// The stores of a folder.
pub fn stores(folder: &Path, clock: Arc<dyn Clock>) -> Stores {
    let config = StorageConfig {
        data_dir: folder.to_owned(),
        database_url: None,
        queue_limit: 1 << 30,
    };
    let catalog = Catalog {
        errors: &processing::ERRORS,
    };
    open(&config, catalog, clock).unwrap()
}

/// A worker on an empty folder, and nothing wrong.
pub fn bench(folder: &Path) -> Bench {
    let clock = Arc::new(Ahead::default());
    let mut stores = stores(folder, clock.clone());
    let faults = Arc::new(Faults::default());
    stores.payloads = Arc::new(FaultyPacks {
        inner: stores.payloads.clone(),
        faults: faults.clone(),
    });
    stores.sql = Arc::new(ReadOnlySql {
        inner: stores.sql.clone(),
        sick: faults.read_only.clone(),
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
    let worker = Worker {
        track: Track::Quick,
        symbols: Arc::new(processing::NoSymbols),
        directory: Arc::new(Directory::open(stores.sql.clone(), 90, Arc::new(|_, _| None)).unwrap()),
        stores,
        quota: Arc::new(Quota::default()),
        geo: Arc::new(PanicGeo(faults.clone())),
        pool: pipeline::worker::pool(Track::Quick, 2).unwrap(),
        progress: Arc::new(Progress::default()),
        stop: Arc::default(),
    };
    Bench {
        worker,
        project: project.try_into().unwrap(),
        faults,
        clock,
    }
}

impl Bench {
    /// Queues an event.
    pub fn send(&self, n: u128, value: &str, address: &str) {
        let id = EventId(n.to_be_bytes());
        let event = serde_json::json!({ "event_id": id.to_string(), "user": { "ip_address": address },
            "exception": { "values": [{ "type": "Boom", "value": value }] } });
        let header = serde_json::json!({ "event_id": id.to_string() });
        let body = format!("{header}\n{{\"type\":\"event\"}}\n{event}\n");
        let meta = Meta {
            received: self.clock.now(),
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
            ..Record::default()
        };
        futures_executor::block_on(self.worker.stores.queue.append(record)).unwrap();
    }

    /// The state of an event id.
    pub fn state(&self, n: u128) -> String {
        let places = pipeline::whereabouts::find(&self.worker.stores, EventId(n.to_be_bytes())).unwrap();
        let states: Vec<_> = places.iter().filter_map(|p| p["state"].as_str()).collect();
        states.join(",")
    }

    /// How many items ended so.
    pub fn counted(&self, outcome: &str) -> i64 {
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

    /// What is kept aside.
    pub fn aside(&self) -> Vec<aside::Aside> {
        self.worker
            .stores
            .sql
            .reading(|c| aside::newest(c, None, 100))
            .unwrap()
    }
}
