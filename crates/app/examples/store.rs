//! Fills a data folder with many events by the real writer, 30 days of them, for `xtask bench <binary> store`:
//!
//! ```sh
//! cargo run --release -p app --example store -- <folder> <events>
//! ```
//!
//! 200 projects, 100,000 hashes, and one issue with a fifth of all events. What a day brings is received on that
//! day, by a clock that is set.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use backends::open::{StorageConfig, lock_folder, open};
use pipeline::directory::Directory;
use pipeline::ingest::quota::Quota;
use pipeline::ingest::record::{Form, Meta};
use pipeline::worker::{Progress, Worker};
use protocol::time::{Clock, SystemClock};
use serde_json::json;
use storage::queue::{Record, Track};
use storage::relational::{people, projects};
use storage::stores::Catalog;

const DAYS: i64 = 30;
const DAY: i64 = 86_400_000_000;
const PROJECTS: usize = 200;
const HASHES: usize = 100_000;
/// Records that are queued before they are applied.
const CHUNK: usize = 4096;
/// Threads that queue, so that a group has one sync.
const SENDERS: usize = 64;

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The event with this number: which project, and its JSON.
fn event(n: usize, time: i64) -> (usize, serde_json::Value) {
    // Every fifth is of the one busy issue; the others spread, the first hashes more often.
    let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let hash = match n % 5 {
        0 => 0,
        1 | 2 => spread % 1000,
        _ => spread % HASHES,
    };
    let project = hash % PROJECTS;
    let id = (n as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128;
    let words = [
        "timeout",
        "refused",
        "unexpected",
        "missing",
        "overflow",
        "denied",
        "stale",
    ];
    let frames: Vec<_> = (0..6)
        .map(|f| {
            json!({ "function": format!("step_{hash}_{f}"), "module": format!("shop.part{}", (hash + f) % 40),
                "filename": format!("shop/part{}.py", (hash + f) % 40), "lineno": 10 + f, "in_app": f > 2 })
        })
        .collect();
    let event = json!({
        "event_id": format!("{id:032x}"), "platform": "python", "level": if n.is_multiple_of(9) { "warning" } else { "error" },
        "timestamp": time as f64 / 1e6, "release": format!("shop@1.{}.0", n % 12), "environment": (["production", "staging"][n % 2]),
        "server_name": format!("web-{}", n % 12), "transaction": format!("/checkout/{}", hash % 9),
        "exception": { "values": [{ "type": format!("Error{}", hash % 500), "value": format!("order {n} {} {}", words[hash % 7], words[n % 7]),
            "stacktrace": { "frames": frames } }] },
        "user": { "id": (spread % 50_000).to_string() },
        "tags": { "region": (["eu", "us", "ap"][n % 3]), "shard": (n % 16).to_string(), "customer": format!("c{}", spread % 2000) },
    });
    (project, event)
}

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().context("store <folder> <events>")?;
    let events: usize = args.next().context("store <folder> <events>")?.parse()?;
    let folder = Path::new(&folder);
    let _lock = lock_folder(folder)?;
    let today = SystemClock.now();
    let clock = Arc::new(Set(AtomicI64::new(today - (DAYS - 1) * DAY)));
    let config = StorageConfig {
        data_dir: folder.to_owned(),
        database_url: None,
        queue_limit: 4 << 30,
    };
    let catalog = Catalog {
        errors: &processing::ERRORS,
    };
    let stores = open(&config, catalog, clock.clone())?;
    let numbers = stores.sql.writing(|c| {
        let org = people::add_organization(c, "acme", "Acme", today)?;
        (0..PROJECTS)
            .map(|n| {
                let name = format!("project-{n}");
                let id = projects::add(c, org, &name, &name, None, today)?;
                projects::add_key(c, id, "Default", &api::new_key(), &api::new_key(), today)?;
                Ok(u64::try_from(id).unwrap_or(0))
            })
            .collect::<Result<Vec<u64>, _>>()
    })?;
    let worker = Worker {
        track: Track::Quick,
        symbols: Arc::new(processing::NoSymbols),
        directory: Arc::new(Directory::open(stores.sql.clone(), 90, Arc::new(|_, _| None))?),
        stores,
        quota: Arc::new(Quota::default()),
        geo: Arc::new(processing::NoGeo),
        pool: pipeline::worker::pool(Track::Quick, 2)?,
        progress: Arc::new(Progress::default()),
        stop: Arc::default(),
    };
    let start = Instant::now();
    let mut told = Instant::now();
    let mut n = 0;
    while n < events {
        let to = (n + CHUNK).min(events);
        let now =
            today - (DAYS - 1) * DAY + (n as i128 * i128::from((DAYS - 1) * DAY) / events as i128) as i64;
        clock.0.store(now, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for first in 0..SENDERS {
                let (worker, numbers) = (&worker, &numbers);
                scope.spawn(move || {
                    for n in (n + first..to).step_by(SENDERS) {
                        let (project, event) = event(n, now);
                        let key = numbers[project];
                        let meta = Meta {
                            received: now,
                            project: key,
                            form: Form::Store,
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
                        let bytes = meta.write(event.to_string().as_bytes());
                        if let Err(e) = futures_executor::block_on(worker.stores.queue.append(Record {
                            key,
                            bytes,
                            ..Record::default()
                        })) {
                            eprintln!("event {n} was not queued: {e}");
                        }
                    }
                });
            }
        });
        worker.drain();
        n = to;
        if told.elapsed().as_secs() >= 10 {
            told = Instant::now();
            eprintln!(
                "{n} of {events}, {:.0}/s",
                n as f64 / start.elapsed().as_secs_f64()
            );
        }
    }
    worker.stores.columns.flush()?;
    println!("{events} events in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
