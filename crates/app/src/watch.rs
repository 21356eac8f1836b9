//! What the server knows of itself: looked at every two seconds, answered to health, `/metrics` and the status page.

pub mod figures;
pub mod metrics;
pub mod problems;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pipeline::jobs::{KeepFree, Space};
use pipeline::worker::Progress;
use protocol::time::{day_of, hour_of};
use serde_json::{Value, json};
use storage::relational::{aside, instance, outcomes, positions, projects};
use storage::sql::SqlError;
use storage::stores::Stores;

use crate::config::Config;
use figures::{Forecast, Partitions, forecast};
use problems::{Facts, problems};

/// Sizes of the stores are measured so often, in rounds of two seconds.
const MEASURE_ROUNDS: u64 = 30;
/// Rates are over so many samples: a minute.
const SAMPLES: usize = 30;
const DAY: i64 = 86_400_000_000;

/// The folders below the data folder, by what they keep.
const FOLDERS: [&str; 5] = ["queue", "packs", "index", "ids", "blobs"];

/// The room on a folder's disk.
pub fn space(folder: &Path) -> Option<Space> {
    let stats = fs4::statvfs(folder).ok()?;
    Some(Space {
        free: stats.available_space(),
        total: stats.total_space(),
    })
}

/// Watches the running server.
pub struct Watch {
    config: Config,
    stores: Stores,
    progress: Arc<Progress>,
    forwarding: Arc<api::Forwarding>,
    started: i64,
    free: AtomicU64,
    total: AtomicU64,
    sizes: Mutex<Vec<(&'static str, u64)>>,
    samples: Mutex<VecDeque<(i64, u64, u64)>>,
}

impl Watch {
    /// A watch over stores and a worker.
    pub fn new(
        config: &Config,
        stores: &Stores,
        progress: Arc<Progress>,
        forwarding: Arc<api::Forwarding>,
        started: i64,
    ) -> Watch {
        Watch {
            config: config.clone(),
            stores: stores.clone(),
            progress,
            forwarding,
            started,
            free: AtomicU64::new(u64::MAX),
            total: AtomicU64::new(u64::MAX),
            sizes: Mutex::default(),
            samples: Mutex::default(),
        }
    }

    /// Looks at disk and figures every two seconds, for ever. Blocks its thread.
    pub fn run(&self) {
        for round in 0u64.. {
            self.look();
            if round.is_multiple_of(MEASURE_ROUNDS) {
                self.measure();
            }
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// Looks at the disk and counts.
    pub fn look(&self) {
        if let Some(space) = space(&self.config.data_dir) {
            self.free.store(space.free, Ordering::Relaxed);
            self.total.store(space.total, Ordering::Relaxed);
        }
        let now = self.stores.clock.now();
        let mut samples = self.samples.lock();
        if samples.len() > SAMPLES {
            samples.pop_front();
        }
        let accepted = self.stores.queue.depth().records + self.progress.records.load(Ordering::Relaxed);
        samples.push_back((now, accepted, self.progress.events.load(Ordering::Relaxed)));
        metrics::gauges(self);
    }

    fn measure(&self) {
        let mut sizes: Vec<_> = FOLDERS
            .iter()
            .map(|name| (*name, figures::bytes_below(&self.config.data_dir.join(name))))
            .collect();
        let database = ["vedette.sqlite", "vedette.sqlite-wal"]
            .iter()
            .filter_map(|name| std::fs::metadata(self.config.data_dir.join(name)).ok())
            .map(|m| m.len())
            .sum();
        sizes.push(("database", database));
        *self.sizes.lock() = sizes;
    }

    /// Why nothing can be taken now, if so.
    pub fn unwell(&self) -> Option<String> {
        let free = self.free.load(Ordering::Relaxed);
        (free < self.config.min_free_disk).then(|| {
            format!(
                "the disk of the data folder has {} MB left, less than min-free-disk-mb ({})",
                free >> 20,
                self.config.min_free_disk >> 20
            )
        })
    }

    /// How long the oldest record that is not applied has been waiting, seconds.
    pub fn delay(&self) -> f64 {
        let since = self.progress.waiting_since();
        if since == 0 {
            return 0.0;
        }
        (self.stores.clock.now() - since).max(0) as f64 / 1e6
    }

    /// Records accepted and events stored a second, over the last minute.
    fn rates(&self) -> (f64, f64) {
        let samples = self.samples.lock();
        let (Some(first), Some(last)) = (samples.front(), samples.back()) else {
            return (0.0, 0.0);
        };
        let seconds = (last.0 - first.0) as f64 / 1e6;
        if seconds < 1.0 {
            return (0.0, 0.0);
        }
        (
            last.1.saturating_sub(first.1) as f64 / seconds,
            last.2.saturating_sub(first.2) as f64 / seconds,
        )
    }

    /// What health answers to who is signed in.
    pub fn brief(&self) -> Value {
        let depth = self.stores.queue.depth();
        let progress = &self.progress;
        json!({
            "queueRecords": depth.records, "queueBytes": depth.bytes,
            "delaySeconds": self.delay().round(),
            "appliedRecords": progress.records.load(Ordering::Relaxed),
            "storedEvents": progress.events.load(Ordering::Relaxed),
            "batches": progress.batches.load(Ordering::Relaxed),
            "failures": progress.failures.load(Ordering::Relaxed),
            "uptimeSeconds": (self.stores.clock.now() - self.started) / 1_000_000,
        })
    }

    /// Everything for the status page.
    ///
    /// # Errors
    /// As the database says.
    pub fn overview(&self) -> Result<Value, SqlError> {
        let now = self.stores.clock.now();
        let (set_aside, dropped, counted, packs, names) = self.stores.sql.reading(|c| {
            let all = projects::all_projects(c)?;
            let ids: Vec<i64> = all.iter().map(|p| p.id).collect();
            let counted = outcomes::read(c, &ids, hour_of(now) - 23, hour_of(now) + 1)?;
            let dropped = instance::get(c, pipeline::jobs::DROPPED_FOR_SPACE)?;
            let names: Vec<_> = all.into_iter().map(|p| (p.id, p.slug)).collect();
            Ok((
                aside::count(c)?,
                dropped,
                counted,
                positions::packs_seen(c)?,
                names,
            ))
        })?;
        let dropped: Value = dropped
            .and_then(|d| serde_json::from_str(&d).ok())
            .unwrap_or_else(|| json!([]));
        let sizes = self.sizes.lock().clone();
        let held = sizes.iter().map(|s| s.1).sum();
        let forecast = forecast(&Partitions {
            packs: &packs,
            held,
            free: self.free.load(Ordering::Relaxed),
            floor: self.config.min_free_disk,
            today: day_of(now),
            part_of_day: now.rem_euclid(DAY) as f64 / DAY as f64,
        });
        let depth = self.stores.queue.depth();
        let (accepted, stored) = self.rates();
        let keep_free = self.keep_free();
        let facts = Facts {
            delay: self.delay(),
            free: self.free.load(Ordering::Relaxed),
            min_free: self.config.min_free_disk,
            keep_free: keep_free.bytes(self.total.load(Ordering::Relaxed)),
            full_in_days: forecast.full_in_days,
            set_aside,
            last_error: self.progress.last_error.lock().clone(),
            now,
            untrusted_proxy: self.forwarding.untrusted_proxy().map(|a| a.to_string()),
            plain_http: self.forwarding.plain_http(),
            url_is_https: self.config.url.as_ref().is_some_and(|u| u.starts_with("https:")),
            newest_pack_day: packs.iter().map(|p| p.0.day).max(),
        };
        Ok(json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptimeSeconds": (now - self.started) / 1_000_000,
            "database": if self.config.database_url.is_some() { "PostgreSQL" } else { "SQLite" },
            "queue": {
                "records": depth.records, "bytes": depth.bytes, "limitBytes": self.config.queue_limit,
                "delaySeconds": self.delay().round(),
            },
            "throughput": { "acceptedPerSecond": accepted, "storedPerSecond": stored },
            "memoryBytes": figures::memory(),
            "disk": disk(&facts, self.total.load(Ordering::Relaxed), &forecast, &dropped),
            "stores": sizes.iter().map(|(n, b)| json!({ "name": n, "bytes": b })).collect::<Vec<_>>(),
            "setAside": set_aside,
            "failures": self.progress.failures.load(Ordering::Relaxed),
            "outcomes": figures::by_reason(&counted),
            "projects": figures::by_project(&counted, &names),
            "problems": problems(&facts),
        }))
    }

    /// What retention keeps free.
    pub fn keep_free(&self) -> KeepFree {
        keep_free(&self.config)
    }
}

/// What retention keeps free on the disk of a configuration's folder.
pub fn keep_free(config: &Config) -> KeepFree {
    KeepFree {
        share: f64::from(config.keep_free_percent) / 100.0,
        least: config.min_free_disk,
    }
}

fn disk(facts: &Facts, total: u64, forecast: &Forecast, dropped: &Value) -> Value {
    json!({
        "freeBytes": facts.free, "totalBytes": total, "minFreeBytes": facts.min_free,
        "keepFreeBytes": facts.keep_free, "bytesPerDay": forecast.per_day,
        "fullInDays": forecast.full_in_days, "droppedForSpace": dropped,
    })
}
