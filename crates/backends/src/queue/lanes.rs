//! The queue as logs: for each track a calm lane for most, and a busy one for projects with a large backlog. Claims take
//! turns, so that a project that sends a little is not kept waiting by one that sends more than can be processed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use storage::queue::{Batch, BoxFuture, Claimed, Depth, Queue, QueueError, Record, Track};

use super::log::{Log, Signal};

/// Records of a project that may wait in a calm lane.
const CALM_RECORDS: u64 = 1_000;
/// Their bytes, at most; an eighth of the limit if that is less.
const CALM_BYTES: u64 = 8 << 20;

/// Partitions: the calm and the busy lane of the quick track, then those of the track of symbols.
const PARTITIONS: u32 = 4;

/// The lanes of a track.
struct Pair {
    calm: Log,
    busy: Log,
    signal: Arc<Signal>,
    /// The busy lane is next.
    turn: AtomicBool,
}

impl Pair {
    fn open(root: &Path, first: u32) -> Result<Pair, QueueError> {
        let signal = Arc::new(Signal::default());
        Ok(Pair {
            calm: Log::open(root, first, signal.clone())?,
            busy: Log::open(&root.join("busy"), first + 1, signal.clone())?,
            signal,
            turn: AtomicBool::new(false),
        })
    }

    fn claim(&self, records: usize, bytes: usize, wait: Duration) -> Result<Batch, QueueError> {
        let end = Instant::now().checked_add(wait);
        loop {
            let seen = self.signal.count();
            let busy_first = self.turn.load(Ordering::Relaxed);
            let lanes = if busy_first {
                [&self.busy, &self.calm]
            } else {
                [&self.calm, &self.busy]
            };
            for (lane, is_busy) in lanes.into_iter().zip([busy_first, !busy_first]) {
                let batch = lane.claim(records, bytes)?;
                if !batch.records.is_empty() {
                    self.turn.store(!is_busy, Ordering::Relaxed);
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

    fn logs(&self) -> [&Log; 2] {
        [&self.calm, &self.busy]
    }
}

/// The queue.
pub struct Lanes {
    quick: Pair,
    symbols: Pair,
    limit: u64,
}

impl Lanes {
    /// Opens the queue below a folder. `limit` is the most bytes that may wait.
    ///
    /// # Errors
    /// [`QueueError::Disk`] as the disk says.
    pub fn open(root: &Path, limit: u64) -> Result<Lanes, QueueError> {
        Ok(Lanes {
            quick: Pair::open(root, 0)?,
            symbols: Pair::open(&root.join("symbols"), 2)?,
            limit,
        })
    }

    fn track(&self, track: Track) -> &Pair {
        match track {
            Track::Quick => &self.quick,
            Track::Symbols => &self.symbols,
        }
    }

    fn logs(&self) -> impl Iterator<Item = &Log> {
        self.quick.logs().into_iter().chain(self.symbols.logs())
    }

    fn lane(&self, partition: u32) -> &Log {
        match partition {
            1 => &self.quick.busy,
            2 => &self.symbols.calm,
            3 => &self.symbols.busy,
            _ => &self.quick.calm,
        }
    }

    /// The lane of a record of a key, if it is taken.
    fn choose(&self, key: u64, track: Track, length: u64) -> Result<&Log, QueueError> {
        let (mut all, mut own) = (0, 0);
        for log in self.logs() {
            let (of_all, of_key) = log.depth(key);
            all += of_all.bytes;
            own += of_key.bytes;
        }
        let free = self.limit.saturating_sub(all);
        if length > free {
            return Err(QueueError::Full(self.limit));
        }
        if own + length > free {
            return Err(QueueError::Crowded(own));
        }
        let pair = self.track(track);
        let (own_calm, own_busy) = (pair.calm.depth(key).1, pair.busy.depth(key).1);
        let large = own_calm.bytes + length > CALM_BYTES.min(self.limit / 8);
        // Once in the busy lane, a project stays there until nothing of it is left: its order is kept.
        let to_busy =
            own_busy.records > 0 || own_calm.records >= CALM_RECORDS || (large && own_calm.records > 0);
        Ok(if to_busy { &pair.busy } else { &pair.calm })
    }
}

impl Queue for Lanes {
    fn append(&self, record: Record) -> BoxFuture<'_, Result<u64, QueueError>> {
        match self.choose(record.key, record.track, record.bytes.len() as u64) {
            Ok(lane) => lane.append(record),
            Err(e) => Box::pin(std::future::ready(Err(e))),
        }
    }

    fn room(&self, key: u64) -> Result<(), QueueError> {
        self.choose(key, Track::Quick, 1).map(|_| ())
    }

    fn partitions(&self) -> u32 {
        PARTITIONS
    }

    fn seek(&self, partition: u32, position: u64) -> Result<(), QueueError> {
        self.lane(partition).seek(position)
    }

    fn claim(&self, track: Track, records: usize, bytes: usize, wait: Duration) -> Result<Batch, QueueError> {
        self.track(track).claim(records, bytes, wait)
    }

    fn ack(&self, partition: u32, position: u64) -> Result<(), QueueError> {
        self.lane(partition).ack(position)
    }

    fn depth(&self) -> Depth {
        let mut sum = Depth::default();
        for log in self.logs() {
            let depth = log.depth(0).0;
            sum.records += depth.records;
            sum.bytes += depth.bytes;
        }
        sum
    }

    fn scan(&self, see: &mut dyn FnMut(&Claimed) -> bool) -> Result<(), QueueError> {
        for log in self.logs() {
            if !log.scan(see)? {
                break;
            }
        }
        Ok(())
    }

    fn close(&self) {
        for pair in [&self.symbols, &self.quick] {
            pair.busy.close();
            pair.calm.close();
        }
    }
}
