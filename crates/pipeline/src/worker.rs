//! From the queue to the stores: [`prepare`] turns records into what is to be written (pure, on every core),
//! [`apply`] writes a batch, [`Worker`] runs the loop.

pub mod apply;
pub mod prepare;
pub(crate) mod unpack;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use processing::{Geo, Symbolicate};
use rayon::prelude::*;
use storage::queue::{Batch, Track};
use storage::stores::Stores;

use crate::directory::Directory;
use crate::ingest::quota::Quota;
use crate::ingest::record::Meta;

/// Records of a batch at most.
const RECORDS: usize = 512;
/// Bytes of a batch, about.
const BYTES: usize = 8 << 20;
/// How long a claim waits for the first record.
const WAIT: Duration = Duration::from_millis(250);

/// Threads that process events.
///
/// # Errors
/// If the system gives none.
pub fn pool(track: Track, threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    let (name, threads) = match track {
        Track::Quick => ("process", threads),
        // They wait for disks and servers more than they compute.
        Track::Symbols => ("symbols", threads.max(2) * 2),
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(move |n| format!("{name}-{n}"))
        .build()
}

/// Figures of a running worker.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records applied since the start.
    pub records: AtomicU64,
    /// Batches applied since the start.
    pub batches: AtomicU64,
    /// Events stored since the start.
    pub events: AtomicU64,
    /// Batches that failed and were tried again.
    pub failures: AtomicU64,
    /// By track, when the oldest record was received that is claimed and not applied yet, µs; 0 if none is.
    waiting: [AtomicI64; 2],
    /// The last failure to apply a batch, and when, µs.
    pub last_error: Mutex<Option<(i64, String)>>,
}

impl Progress {
    /// When the oldest record was received that is claimed and not applied yet, µs; 0 if none is.
    pub fn waiting_since(&self) -> i64 {
        let all = self.waiting.iter().map(|w| w.load(Ordering::Relaxed));
        all.filter(|since| *since != 0).min().unwrap_or(0)
    }

    fn wait_since(&self, track: Track, since: i64) {
        self.waiting[track as usize].store(since, Ordering::Relaxed);
    }
}

/// How an attempt to apply a batch ended.
enum Attempt {
    Done,
    Stopped,
    Panicked,
}

/// The worker.
pub struct Worker {
    /// Which records it applies.
    pub track: Track,
    /// The stores.
    pub stores: Stores,
    /// Keys and projects.
    pub directory: Arc<Directory>,
    /// What limits refused, to be written down.
    pub quota: Arc<Quota>,
    /// What turns frames into source.
    pub symbols: Arc<dyn Symbolicate + Send + Sync>,
    /// Where addresses are.
    pub geo: Arc<dyn Geo + Send + Sync>,
    /// The threads that process. They live as long as the worker: what they remember and their memory stay
    /// warm.
    pub pool: rayon::ThreadPool,
    /// Figures.
    pub progress: Arc<Progress>,
    /// Set to end the loop.
    pub stop: Arc<AtomicBool>,
}

impl Worker {
    /// Runs until it is told to stop; then what is claimed is still applied.
    pub fn run(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.stores.queue.claim(self.track, RECORDS, BYTES, WAIT) {
                Ok(batch) if batch.records.is_empty() => self.write_refused(),
                Ok(batch) => self.apply_until_done(&batch),
                Err(e) => {
                    tracing::error!(error = %e, "the queue cannot be read");
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
        }
        self.write_refused();
    }

    /// Applies everything that waits, then returns; for tests and tools.
    pub fn drain(&self) {
        loop {
            match self
                .stores
                .queue
                .claim(self.track, RECORDS, BYTES, Duration::ZERO)
            {
                Ok(batch) if !batch.records.is_empty() => self.apply_until_done(&batch),
                _ => break,
            }
        }
        self.write_refused();
    }

    fn apply_until_done(&self, batch: &Batch) {
        let oldest = batch.records.first().and_then(|r| Meta::read(&r.bytes));
        let since = oldest.map_or(0, |(meta, _)| meta.received);
        self.progress.wait_since(self.track, since);
        if !self.apply_all(batch) {
            // Something in it makes applying panic: record by record, it stands alone.
            for (i, record) in batch.records.iter().enumerate() {
                let next = batch.records.get(i + 1).map_or(batch.next, |r| r.position);
                let one = Batch {
                    partition: batch.partition,
                    next,
                    records: vec![record.clone()],
                };
                if !self.apply_all(&one) {
                    self.set_aside(&one);
                }
                if self.stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
        self.progress.wait_since(self.track, 0);
    }

    /// Applies a batch, again and again while a store refuses. Answers false if applying panics twice; then
    /// nothing of it counts.
    fn apply_all(&self, batch: &Batch) -> bool {
        let mut panics = 0;
        loop {
            let prepared = self.prepare(batch);
            match self.attempt(batch, prepared) {
                Attempt::Done => return true,
                Attempt::Stopped => return true,
                Attempt::Panicked if panics > 0 => return false,
                Attempt::Panicked => panics += 1,
            }
        }
    }

    /// Keeps the only record of a batch aside.
    fn set_aside(&self, batch: &Batch) {
        let Some(record) = batch.records.first() else {
            return;
        };
        let error = "writing it panics; the log of the server says where";
        tracing::error!(
            position = record.position,
            project = record.key,
            "a record cannot be written; it is kept aside"
        );
        let aside = prepare::aside(record, error.into());
        if matches!(self.attempt(batch, vec![aside]), Attempt::Panicked) {
            // Without an answer from the stores the record stays in the queue; the next start claims it.
            tracing::error!("a record could not be kept aside");
        }
    }

    fn attempt(&self, batch: &Batch, prepared: Vec<prepare::Prepared>) -> Attempt {
        let packs: BTreeSet<_> = prepared
            .iter()
            .flat_map(|p| p.events.iter().map(|e| e.partition))
            .collect();
        let mut prepared = Some(prepared);
        let mut pause = Duration::from_millis(100);
        loop {
            let ready = prepared.take().unwrap_or_else(|| self.prepare(batch));
            let gate = self.stores.gates.apply.lock();
            let applied = catch_unwind(AssertUnwindSafe(|| apply::apply(self, batch, ready)));
            let applied = match applied {
                Ok(applied) => applied,
                Err(panic) => {
                    let error = prepare::said(&*panic);
                    self.failed(&error);
                    tracing::error!(error, "applying a batch panicked");
                    match apply::undo(self, batch, &packs) {
                        Ok(false) => return Attempt::Panicked,
                        Ok(true) => {
                            tracing::error!(
                                "the batch is stored but may not be in the index; `vedette rebuild-index` reads it from the packs"
                            );
                            Ok(0)
                        }
                        Err(e) => Err(e),
                    }
                }
            };
            drop(gate);
            match applied {
                Ok(events) => {
                    self.progress
                        .records
                        .fetch_add(batch.records.len() as u64, Ordering::Relaxed);
                    self.progress.batches.fetch_add(1, Ordering::Relaxed);
                    self.progress.events.fetch_add(events, Ordering::Relaxed);
                    return Attempt::Done;
                }
                Err(e) => {
                    // The records stay in the queue: a restart or the next try applies them.
                    self.failed(&e.to_string());
                    tracing::error!(error = %e, records = batch.records.len(), "a batch could not be applied; trying again");
                    if self.stop.load(Ordering::Relaxed) {
                        return Attempt::Stopped;
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    /// Notes that a batch could not be applied.
    pub(crate) fn failed(&self, error: &str) {
        self.progress.failures.fetch_add(1, Ordering::Relaxed);
        *self.progress.last_error.lock() = Some((self.stores.clock.now(), error.to_owned()));
    }

    fn prepare(&self, batch: &Batch) -> Vec<prepare::Prepared> {
        let mut stage = apply::Stage::begin();
        let today = protocol::time::day_of(self.stores.clock.now());
        // Events of the other track take too long each for eight to share a thread.
        let shortest = if self.track == Track::Quick { 8 } else { 1 };
        let one = |claimed| prepare::prepare(claimed, &self.directory, &*self.geo, &*self.symbols, today);
        let prepared = self
            .pool
            .install(|| batch.records.par_iter().with_min_len(shortest).map(one).collect());
        stage.ends("process");
        prepared
    }

    /// Writes down what limits refused, when no batch does it.
    fn write_refused(&self) {
        let counts = self.quota.take_refused();
        if counts.is_empty() {
            return;
        }
        if let Err(e) = self
            .stores
            .sql
            .writing(|c| storage::relational::outcomes::add(c, &counts))
        {
            tracing::error!(error = %e, "refused events could not be counted yet");
            self.quota.put_back(counts);
        }
    }
}
