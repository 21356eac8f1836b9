//! The queue of accepted envelopes: a partitioned log.
//!
//! No key may take all of it: what waits of one is at most as much as is free, so that others always find room. And
//! none waits for all of another's: records of a key with a large backlog may be claimed after later ones of others.
//! Records of one key keep their order within a partition.
//!
//! A record is durable when [`Queue::append`] has answered; the position it answers grows within its
//! partition. A reader claims what follows the last acknowledged position; what was claimed and not
//! acknowledged is claimed again after a restart, with the same bytes in the same order.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A future that a port answers.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a record waits behind. Events that need symbols may wait for other servers; no other event waits for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Track {
    /// Everything that is processed from memory.
    #[default]
    Quick,
    /// Events of projects with symbols, and crash dumps.
    Symbols,
}

/// One record on its way in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// What the partition is chosen by: the project.
    pub key: u64,
    /// What it waits behind.
    pub track: Track,
    /// The bytes; the queue does not look inside.
    pub bytes: Vec<u8>,
}

/// A record that came out, with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its partition.
    pub partition: u32,
    /// Its position within the partition; the next record's is greater.
    pub position: u64,
    /// The project.
    pub key: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Records of one partition, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// The partition.
    pub partition: u32,
    /// The position after the last record: what to acknowledge.
    pub next: u64,
    /// The records.
    pub records: Vec<Claimed>,
}

/// Why the queue refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QueueError {
    /// Its limit is reached: the workers are behind.
    #[error("the queue is at its limit of {0} bytes; the workers are behind")]
    Full(u64),
    /// The key has its share: what is free is for others.
    #[error("this project has {0} bytes waiting, its share of the queue; the workers are behind")]
    Crowded(u64),
    /// The disk refused, with its words.
    #[error("the queue cannot be written: {0}")]
    Disk(String),
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Records that are not acknowledged.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The port.
pub trait Queue: Send + Sync {
    /// Appends a record; answers its position when it is durable.
    fn append(&self, record: Record) -> BoxFuture<'_, Result<u64, QueueError>>;

    /// Whether a record of a key would be taken now, as far as is known before it is read.
    ///
    /// # Errors
    /// [`QueueError::Full`] or [`QueueError::Crowded`].
    fn room(&self, key: u64) -> Result<(), QueueError>;

    /// The partitions there are; they are numbered from 0.
    fn partitions(&self) -> u32;

    /// Sets where reading starts: the position that the stores say is applied. Called before the first claim.
    ///
    /// # Errors
    /// [`QueueError::Disk`] as the disk says; so for the methods below.
    fn seek(&self, partition: u32, position: u64) -> Result<(), QueueError>;

    /// The next records of a partition of a track after what was claimed last, up to `records` and about `bytes`;
    /// waits up to `wait` for the first. Empty if there is none or the queue is closed. Blocks its thread.
    fn claim(&self, track: Track, records: usize, bytes: usize, wait: Duration) -> Result<Batch, QueueError>;

    /// Everything before `position` is applied and may be forgotten.
    fn ack(&self, partition: u32, position: u64) -> Result<(), QueueError>;

    /// What is not acknowledged yet.
    fn depth(&self) -> Depth;

    /// Calls `see` for every record that is not acknowledged, oldest first, until it answers false.
    fn scan(&self, see: &mut dyn FnMut(&Claimed) -> bool) -> Result<(), QueueError>;

    /// Takes no more; claims end once what is there is read.
    fn close(&self);
}
