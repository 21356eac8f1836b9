//! A partition of the queue as append-only segment files with group commit.
//!
//! A record is `length u32, crc u32, key u64, bytes`; its position is its offset in the whole log. One thread
//! writes: it takes what waits, writes it with one call and one `fdatasync`, then answers all of them. A torn
//! record at the end of the last segment was never acknowledged and is cut off at start.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use storage::queue::{Batch, BoxFuture, Claimed, Depth, QueueError, Record};
use tokio::sync::oneshot;

use crate::files::{create_dir, sync_dir};

const HEADER: usize = 16;
/// A new segment is begun above this size.
const SEGMENT: u64 = 64 << 20;
/// Records waiting for the writer; beyond, an append waits for its turn.
const WAITING: usize = 4096;
/// Bytes written by one group at most.
const GROUP_BYTES: usize = 8 << 20;

/// A record of more bytes is not copied to be written.
const LARGE: usize = 1 << 20;

/// The log.
pub struct Log {
    shared: Arc<Shared>,
    sender: Mutex<Option<SyncSender<Waiting>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    partition: u32,
}

struct Waiting {
    record: Record,
    answer: oneshot::Sender<Result<u64, QueueError>>,
}

struct Shared {
    root: PathBuf,
    state: Mutex<State>,
    signal: Arc<Signal>,
}

/// Wakes who waits for records of any log.
#[derive(Default)]
pub struct Signal {
    arrivals: Mutex<u64>,
    arrived: Condvar,
}

impl Signal {
    /// How often something arrived.
    pub fn count(&self) -> u64 {
        *self.arrivals.lock()
    }

    fn ring(&self) {
        *self.arrivals.lock() += 1;
        self.arrived.notify_all();
    }

    /// Waits until more arrived than `seen`, or for so long.
    pub fn wait(&self, seen: u64, wait: Duration) {
        let mut arrivals = self.arrivals.lock();
        if *arrivals == seen {
            self.arrived.wait_for(&mut arrivals, wait);
        }
    }
}

#[derive(Default)]
struct State {
    /// Segments by the position of their first byte.
    segments: BTreeMap<u64, Arc<File>>,
    /// The end of what is durable.
    end: u64,
    /// Where the next claim starts.
    read: u64,
    /// What is applied.
    acked: u64,
    /// End, key and size of the records behind `acked`, to count them.
    pending: VecDeque<(u64, u64, u64)>,
    /// What of them is whose.
    keys: HashMap<u64, Depth>,
    closed: bool,
}

impl State {
    fn push(&mut self, end: u64, key: u64, size: u64) {
        self.pending.push_back((end, key, size));
        let depth = self.keys.entry(key).or_default();
        depth.records += 1;
        depth.bytes += size;
    }

    /// Forgets what lies before a position.
    fn pop(&mut self, position: u64) {
        while let Some((_, key, size)) = self.pending.pop_front_if(|(end, ..)| *end <= position) {
            if let Entry::Occupied(mut entry) = self.keys.entry(key) {
                let depth = entry.get_mut();
                depth.records -= 1;
                depth.bytes -= size;
                if depth.records == 0 {
                    entry.remove();
                }
            }
        }
    }

    fn depth(&self) -> Depth {
        Depth {
            records: self.pending.len() as u64,
            bytes: self.end - self.acked.min(self.end),
        }
    }
}

fn disk(e: impl std::fmt::Display) -> QueueError {
    QueueError::Disk(e.to_string())
}

fn segment_path(root: &Path, start: u64) -> PathBuf {
    root.join(format!("{start:020}.log"))
}

impl Log {
    /// Opens the log of a partition below a folder; the signal is rung when records arrive and when it closes.
    ///
    /// # Errors
    /// [`QueueError::Disk`] as the disk says.
    pub fn open(root: &Path, partition: u32, signal: Arc<Signal>) -> Result<Log, QueueError> {
        create_dir(root).map_err(disk)?;
        let mut starts = Vec::new();
        for entry in fs::read_dir(root).map_err(disk)? {
            let name = entry.map_err(disk)?.file_name();
            if let Some(start) = name
                .to_str()
                .and_then(|n| n.strip_suffix(".log"))
                .and_then(|n| n.parse().ok())
            {
                starts.push(start);
            }
        }
        starts.sort_unstable();
        let mut state = State::default();
        let last = starts.last().copied();
        for start in starts {
            let path = segment_path(root, start);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(&path)
                .map_err(disk)?;
            let length = file.metadata().map_err(disk)?.len();
            let mut at = 0;
            while let Some((record, next)) = read_record(&file, at, length).map_err(disk)? {
                state.push(start + next, record.key, next - at);
                at = next;
            }
            if at < length {
                if Some(start) != last {
                    tracing::error!(segment = %path.display(), at, "a record of the queue is damaged; what follows it in its segment is lost");
                } else {
                    tracing::warn!(segment = %path.display(), bytes = length - at, "cut off a torn record that was never acknowledged");
                }
                file.set_len(at).map_err(disk)?;
                file.sync_all().map_err(disk)?;
            }
            state.end = start + at;
            state.segments.insert(start, Arc::new(file));
        }
        let first = state.segments.keys().next().copied().unwrap_or(0);
        (state.acked, state.read) = (first, first);
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            state: Mutex::new(state),
            signal,
        });
        let (sender, receiver) = sync_channel(WAITING);
        let writer = {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name("queue".into())
                .spawn(move || write_loop(&shared, &receiver))
                .map_err(disk)?
        };
        Ok(Log {
            shared,
            sender: Mutex::new(Some(sender)),
            writer: Mutex::new(Some(writer)),
            partition,
        })
    }
}

/// Reads the record at an offset of a segment; `None` if there is no whole and sound one.
fn read_record(file: &File, at: u64, length: u64) -> std::io::Result<Option<(Claimed, u64)>> {
    if at + HEADER as u64 > length {
        return Ok(None);
    }
    let mut head = [0u8; HEADER];
    file.read_exact_at(&mut head, at)?;
    let size = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    let mut key = [0u8; 8];
    key.copy_from_slice(&head[8..]);
    let next = at + (HEADER + size) as u64;
    if next > length {
        return Ok(None);
    }
    let mut bytes = vec![0u8; size];
    file.read_exact_at(&mut bytes, at + HEADER as u64)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&head[8..]);
    hasher.update(&bytes);
    if hasher.finalize() != crc || size == 0 {
        return Ok(None);
    }
    Ok(Some((
        Claimed {
            partition: 0,
            position: at,
            key: u64::from_le_bytes(key),
            bytes,
        },
        next,
    )))
}

fn write_loop(shared: &Shared, receiver: &Receiver<Waiting>) {
    let mut buffer = Vec::new();
    while let Ok(first) = receiver.recv() {
        let mut group = vec![first];
        let mut bytes = group[0].record.bytes.len();
        while bytes < GROUP_BYTES {
            match receiver.try_recv() {
                Ok(next) => {
                    bytes += next.record.bytes.len();
                    group.push(next);
                }
                Err(_) => break,
            }
        }
        buffer.clear();
        let mut ends = Vec::with_capacity(group.len());
        let mut length = 0;
        // The last may be large: its bytes are then written from where they are.
        let last = group.len() - 1;
        let mut apart: &[u8] = &[];
        for (i, waiting) in group.iter().enumerate() {
            buffer.extend_from_slice(&header(&waiting.record));
            if i == last && waiting.record.bytes.len() > LARGE {
                apart = &waiting.record.bytes;
            } else {
                buffer.extend_from_slice(&waiting.record.bytes);
            }
            length += (HEADER + waiting.record.bytes.len()) as u64;
            ends.push(length);
        }
        match write_group(shared, &[&buffer, apart]) {
            Ok(start) => {
                let mut state = shared.state.lock();
                state.end = start + length;
                let mut at = 0;
                for (waiting, end) in group.iter().zip(&ends) {
                    state.push(start + end, waiting.record.key, end - at);
                    at = *end;
                }
                drop(state);
                shared.signal.ring();
                let mut at = start;
                for (waiting, end) in group.into_iter().zip(ends) {
                    let _ = waiting.answer.send(Ok(at));
                    at = start + end;
                }
            }
            Err(e) => {
                for waiting in group {
                    let _ = waiting.answer.send(Err(e.clone()));
                }
            }
        }
        if buffer.capacity() > GROUP_BYTES {
            buffer = Vec::new();
        }
    }
}

/// What stands before a record's bytes.
fn header(record: &Record) -> [u8; HEADER] {
    let length = u32::try_from(record.bytes.len()).unwrap_or(u32::MAX);
    let key = record.key.to_le_bytes();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&key);
    hasher.update(&record.bytes);
    let mut out = [0; HEADER];
    out[..4].copy_from_slice(&length.to_le_bytes());
    out[4..8].copy_from_slice(&hasher.finalize().to_le_bytes());
    out[8..].copy_from_slice(&key);
    out
}

/// Writes a group behind the end and makes it durable; answers where it starts. A failed write leaves nothing
/// behind that could be read as a record.
fn write_group(shared: &Shared, pieces: &[&[u8]]) -> Result<u64, QueueError> {
    let (end, current) = {
        let state = shared.state.lock();
        let last = state.segments.last_key_value().map(|(s, f)| (*s, f.clone()));
        (state.end, last.filter(|(s, _)| state.end - s < SEGMENT))
    };
    let (start, file) = match current {
        Some(found) => found,
        None => {
            let path = segment_path(&shared.root, end);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(path)
                .map_err(disk)?;
            sync_dir(&shared.root).map_err(disk)?;
            let file = Arc::new(file);
            shared.state.lock().segments.insert(end, file.clone());
            (end, file)
        }
    };
    let begun = Instant::now();
    let mut at = end - start;
    let mut written = Ok(());
    for piece in pieces.iter().filter(|p| !p.is_empty()) {
        written = written.and_then(|()| file.write_all_at(piece, at));
        at += piece.len() as u64;
    }
    let written = written.and_then(|()| file.sync_data());
    metrics::histogram!("vedette_queue_sync_seconds").record(begun.elapsed().as_secs_f64());
    if let Err(e) = written {
        let _ = file.set_len(end - start);
        return Err(disk(e));
    }
    Ok(end)
}

impl Shared {
    fn read_from(
        &self,
        from: u64,
        to: u64,
        segments: &[(u64, Arc<File>)],
        see: &mut dyn FnMut(Claimed) -> bool,
    ) -> Result<u64, QueueError> {
        let mut at = from;
        for (i, (start, file)) in segments.iter().enumerate() {
            let stop = segments.get(i + 1).map_or(to, |(next, _)| *next).min(to);
            while at >= *start && at < stop {
                let Some((mut claimed, next)) = read_record(file, at - start, stop - start).map_err(disk)?
                else {
                    return Err(disk(format!("the record at {at} cannot be read back")));
                };
                claimed.position = at;
                at = start + next;
                if !see(claimed) {
                    return Ok(at);
                }
            }
            if at < to
                && segments
                    .get(i + 1)
                    .is_some_and(|(next, _)| at < *next && at >= stop)
            {
                at = segments[i + 1].0;
            }
        }
        Ok(at)
    }
}

impl Log {
    /// As [`storage::queue::Queue::append`].
    pub fn append(&self, record: Record) -> BoxFuture<'_, Result<u64, QueueError>> {
        let sender = self.sender.lock().clone();
        Box::pin(async move {
            let Some(sender) = sender else {
                return Err(QueueError::Closed);
            };
            let (answer, answered) = oneshot::channel();
            if let Err(e) = sender.try_send(Waiting { record, answer }) {
                return Err(match e {
                    std::sync::mpsc::TrySendError::Full(_) => QueueError::Full(WAITING as u64),
                    std::sync::mpsc::TrySendError::Disconnected(_) => QueueError::Closed,
                });
            }
            drop(sender);
            answered.await.unwrap_or(Err(QueueError::Closed))
        })
    }

    /// As [`storage::queue::Queue::seek`].
    pub fn seek(&self, position: u64) -> Result<(), QueueError> {
        let mut state = self.shared.state.lock();
        let position = position.clamp(
            state.segments.keys().next().copied().unwrap_or(0),
            state.end.max(position),
        );
        if position > state.end {
            // The log was lost or cut behind what the stores have applied: positions go on from there.
            tracing::warn!(
                position,
                end = state.end,
                "the queue ends before what is applied; it goes on from there"
            );
            for start in std::mem::take(&mut state.segments).into_keys() {
                fs::remove_file(segment_path(&self.shared.root, start)).map_err(disk)?;
            }
            state.end = position;
            state.pending.clear();
            state.keys.clear();
        }
        state.read = position;
        state.acked = position;
        state.pop(position);
        Ok(())
    }

    /// As [`storage::queue::Queue::claim`], without waiting.
    pub fn claim(&self, records: usize, bytes: usize) -> Result<Batch, QueueError> {
        let state = self.shared.state.lock();
        let (from, to) = (state.read, state.end);
        let segments: Vec<_> = state.segments.iter().map(|(s, f)| (*s, f.clone())).collect();
        drop(state);
        let mut batch = Batch {
            partition: self.partition,
            next: from,
            records: Vec::new(),
        };
        let mut size = 0;
        batch.next = self.shared.read_from(from, to, &segments, &mut |mut claimed| {
            claimed.partition = self.partition;
            size += claimed.bytes.len();
            batch.records.push(claimed);
            batch.records.len() < records && size < bytes
        })?;
        self.shared.state.lock().read = batch.next;
        Ok(batch)
    }

    /// As [`storage::queue::Queue::ack`].
    pub fn ack(&self, position: u64) -> Result<(), QueueError> {
        let mut state = self.shared.state.lock();
        state.acked = state.acked.max(position);
        state.pop(position);
        let starts: Vec<u64> = state.segments.keys().copied().collect();
        for pair in starts.windows(2) {
            if pair[1] <= state.acked {
                state.segments.remove(&pair[0]);
                fs::remove_file(segment_path(&self.shared.root, pair[0])).map_err(disk)?;
            }
        }
        Ok(())
    }

    /// What is not acknowledged yet: all of it, and what of it is of a key.
    pub fn depth(&self, key: u64) -> (Depth, Depth) {
        let state = self.shared.state.lock();
        (state.depth(), state.keys.get(&key).copied().unwrap_or_default())
    }

    /// Whether it is closed.
    pub fn closed(&self) -> bool {
        self.shared.state.lock().closed
    }

    /// As [`storage::queue::Queue::scan`]; answers false if `see` did.
    pub fn scan(&self, see: &mut dyn FnMut(&Claimed) -> bool) -> Result<bool, QueueError> {
        let state = self.shared.state.lock();
        let (from, to) = (state.acked, state.end);
        let segments: Vec<_> = state.segments.iter().map(|(s, f)| (*s, f.clone())).collect();
        drop(state);
        let mut on = true;
        self.shared.read_from(from, to, &segments, &mut |mut c| {
            c.partition = self.partition;
            on = see(&c);
            on
        })?;
        Ok(on)
    }

    /// As [`storage::queue::Queue::close`].
    pub fn close(&self) {
        self.sender.lock().take();
        if let Some(writer) = self.writer.lock().take() {
            let _ = writer.join();
        }
        self.shared.state.lock().closed = true;
        self.shared.signal.ring();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}
