//! The queue as two logs: a calm lane for most, a busy one for projects with a large backlog. Claims take turns, so
//! that a project that sends a little is not kept waiting by one that sends more than can be processed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use storage::queue::{Batch, BoxFuture, Claimed, Depth, Queue, QueueError, Record};

use super::log::{Log, Signal};

/// Records of a project that may wait in the calm lane.
const CALM_RECORDS: u64 = 1_000;
/// Their bytes, at most; an eighth of the limit if that is less.
const CALM_BYTES: u64 = 8 << 20;

/// Partitions by lane.
const CALM: u32 = 0;
const BUSY: u32 = 1;

/// The queue.
pub struct Lanes {
    calm: Log,
    busy: Log,
    signal: Arc<Signal>,
    limit: u64,
    /// The busy lane is next.
    turn: AtomicBool,
}

impl Lanes {
    /// Opens the queue below a folder. `limit` is the most bytes that may wait.
    ///
    /// # Errors
    /// [`QueueError::Disk`] as the disk says.
    pub fn open(root: &Path, limit: u64) -> Result<Lanes, QueueError> {
        let signal = Arc::new(Signal::default());
        Ok(Lanes {
            calm: Log::open(root, CALM, signal.clone())?,
            busy: Log::open(&root.join("busy"), BUSY, signal.clone())?,
            signal,
            limit,
            turn: AtomicBool::new(false),
        })
    }

    fn lane(&self, partition: u32) -> &Log {
        if partition == BUSY { &self.busy } else { &self.calm }
    }

    /// The lane of a record of a key, if it is taken.
    fn choose(&self, key: u64, length: u64) -> Result<&Log, QueueError> {
        let (calm, own_calm) = self.calm.depth(key);
        let (busy, own_busy) = self.busy.depth(key);
        let free = self.limit.saturating_sub(calm.bytes + busy.bytes);
        if length > free {
            return Err(QueueError::Full(self.limit));
        }
        let own = own_calm.bytes + own_busy.bytes;
        if own + length > free {
            return Err(QueueError::Crowded(own));
        }
        let large = own_calm.bytes + length > CALM_BYTES.min(self.limit / 8);
        // Once in the busy lane, a project stays there until nothing of it is left: its order is kept.
        let to_busy =
            own_busy.records > 0 || own_calm.records >= CALM_RECORDS || (large && own_calm.records > 0);
        Ok(if to_busy { &self.busy } else { &self.calm })
    }
}

impl Queue for Lanes {
    fn append(&self, record: Record) -> BoxFuture<'_, Result<u64, QueueError>> {
        match self.choose(record.key, record.bytes.len() as u64) {
            Ok(lane) => lane.append(record),
            Err(e) => Box::pin(std::future::ready(Err(e))),
        }
    }

    fn room(&self, key: u64) -> Result<(), QueueError> {
        self.choose(key, 1).map(|_| ())
    }

    fn partitions(&self) -> u32 {
        2
    }

    fn seek(&self, partition: u32, position: u64) -> Result<(), QueueError> {
        self.lane(partition).seek(position)
    }

    fn claim(&self, records: usize, bytes: usize, wait: Duration) -> Result<Batch, QueueError> {
        let end = Instant::now().checked_add(wait);
        loop {
            let seen = self.signal.count();
            let lanes = if self.turn.load(Ordering::Relaxed) {
                [&self.busy, &self.calm]
            } else {
                [&self.calm, &self.busy]
            };
            for lane in lanes {
                let batch = lane.claim(records, bytes)?;
                if !batch.records.is_empty() {
                    self.turn.store(batch.partition == CALM, Ordering::Relaxed);
                    return Ok(batch);
                }
            }
            let left = end.map_or(wait, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() || self.calm.closed() {
                return Ok(Batch::default());
            }
            self.signal.wait(seen, left);
        }
    }

    fn ack(&self, partition: u32, position: u64) -> Result<(), QueueError> {
        self.lane(partition).ack(position)
    }

    fn depth(&self) -> Depth {
        let (calm, busy) = (self.calm.depth(0).0, self.busy.depth(0).0);
        Depth {
            records: calm.records + busy.records,
            bytes: calm.bytes + busy.bytes,
        }
    }

    fn scan(&self, see: &mut dyn FnMut(&Claimed) -> bool) -> Result<(), QueueError> {
        if self.calm.scan(see)? {
            self.busy.scan(see)?;
        }
        Ok(())
    }

    fn close(&self) {
        self.busy.close();
        self.calm.close();
    }
}
