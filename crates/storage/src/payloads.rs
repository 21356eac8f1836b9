//! The payload port: day packs of records. They are what is true of stored events; indexes are derived.

use std::fmt;

/// Records are kept together by how long they are kept and the day they were received.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Partition {
    /// Days to keep.
    pub retention: u16,
    /// The day received, days since 1970-01-01 UTC.
    pub day: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.retention, protocol::time::format_day(self.day))
    }
}

impl Partition {
    /// Reads `90-2026-11-26`, the name of a partition's file or folder.
    pub fn parse(name: &str) -> Option<Partition> {
        let (retention, day) = name.split_once('-')?;
        Some(Partition {
            retention: retention.parse().ok()?,
            day: protocol::time::parse_day(day)?,
        })
    }

    /// Whether its retention is over on the day `today`.
    pub fn expired(self, today: i32) -> bool {
        i64::from(self.day) + i64::from(self.retention) < i64::from(today)
    }
}

/// Where a record lies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Locator {
    /// The partition.
    pub partition: Partition,
    /// The frame's offset in the pack.
    pub frame: u64,
    /// The record's number within the frame.
    pub slot: u16,
}

/// Why a pack could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PayloadError {
    /// No such record: dropped by retention, or never there.
    #[error("no record at {0:?}")]
    Missing(Locator),
    /// The bytes are not what was written.
    #[error("pack {0} is damaged at byte {1}: {2}")]
    Damaged(Partition, u64, String),
    /// The disk refused, with its words.
    #[error("the pack cannot be used: {0}")]
    Disk(String),
}

/// The result of a payload operation.
pub type Result<T> = std::result::Result<T, PayloadError>;

/// Sees one record of a scan: where it is, the position after its frame, and its bytes.
pub type See<'a> = &'a mut dyn FnMut(Locator, u64, &[u8]);

/// The port.
pub trait Payloads: Send + Sync {
    /// Appends records to a partition, neighbours in frames; they are durable when it answers. Answers where
    /// each lies and the pack's new length.
    ///
    /// # Errors
    /// [`PayloadError`] as the disk says; so for the methods below.
    fn append(&self, partition: Partition, records: &[Vec<u8>]) -> Result<(Vec<Locator>, u64)>;

    /// Reads records, in the order asked.
    fn get(&self, locators: &[Locator]) -> Vec<Result<Vec<u8>>>;

    /// Calls `see` for every record of a partition from the frame at `from` up to `to`.
    fn scan(&self, partition: Partition, from: u64, to: u64, see: See<'_>) -> Result<()>;

    /// The partitions and their lengths.
    fn partitions(&self) -> Result<Vec<(Partition, u64)>>;

    /// Cuts off what lies behind `length`: bytes of a batch that was never committed.
    fn truncate(&self, partition: Partition, length: u64) -> Result<()>;

    /// Forgets a partition.
    fn drop_partition(&self, partition: Partition) -> Result<()>;
}

/// Where an event id is stored: derived from the packs, asked for every event that comes.
pub trait EventIds: Send + Sync {
    /// Which of these (project, id) are stored.
    ///
    /// # Errors
    /// [`PayloadError::Disk`]; so for the methods below.
    fn known(&self, ids: &[(u64, [u8; 16])]) -> Result<Vec<bool>>;

    /// Adds ids of a partition whose pack is now `end` long.
    fn add(&self, partition: Partition, end: u64, ids: &[(u64, [u8; 16], Locator)]) -> Result<()>;

    /// Where the events with this id are, with their projects, newest partition first.
    fn find(&self, id: [u8; 16]) -> Result<Vec<(u64, Locator)>>;

    /// Up to which byte of a partition's pack the ids would survive a crash.
    fn position(&self, partition: Partition) -> Result<u64>;

    /// The partitions it knows.
    fn partitions(&self) -> Result<Vec<Partition>>;

    /// Forgets a partition.
    fn drop_partition(&self, partition: Partition) -> Result<()>;

    /// Makes everything that was added survive a crash.
    fn flush(&self) -> Result<()>;
}
