//! From the queue to the stores: [`prepare`] turns records into what is to be written (pure, on every core),
//! [`apply`] writes a batch, [`Worker`] runs the loop.

pub mod apply;
pub mod prepare;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use processing::Geo;
use rayon::prelude::*;
use storage::queue::Batch;
use storage::stores::Stores;

use crate::directory::Directory;
use crate::ingest::quota::Quota;

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
pub fn pool(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("process-{n}"))
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
}

/// The worker.
pub struct Worker {
    /// The stores.
    pub stores: Stores,
    /// Keys and projects.
    pub directory: Arc<Directory>,
    /// What limits refused, to be written down.
    pub quota: Arc<Quota>,
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
            match self.stores.queue.claim(RECORDS, BYTES, WAIT) {
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
            match self.stores.queue.claim(RECORDS, BYTES, Duration::ZERO) {
                Ok(batch) if !batch.records.is_empty() => self.apply_until_done(&batch),
                _ => break,
            }
        }
        self.write_refused();
    }

    fn apply_until_done(&self, batch: &Batch) {
        let mut pause = Duration::from_millis(100);
        loop {
            let prepared = self.prepare(batch);
            let gate = self.stores.gates.apply.lock();
            let applied = apply::apply(self, batch, prepared);
            drop(gate);
            match applied {
                Ok(events) => {
                    self.progress
                        .records
                        .fetch_add(batch.records.len() as u64, Ordering::Relaxed);
                    self.progress.batches.fetch_add(1, Ordering::Relaxed);
                    self.progress.events.fetch_add(events, Ordering::Relaxed);
                    return;
                }
                Err(e) => {
                    // The records stay in the queue: a restart or the next try applies them.
                    self.progress.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(error = %e, records = batch.records.len(), "a batch could not be applied; trying again");
                    if self.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
        }
    }

    fn prepare(&self, batch: &Batch) -> Vec<prepare::Prepared> {
        let today = protocol::time::day_of(self.stores.clock.now());
        let one = |claimed| prepare::prepare(claimed, &self.directory, &*self.geo, today);
        self.pool
            .install(|| batch.records.par_iter().with_min_len(8).map(one).collect())
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
