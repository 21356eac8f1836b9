//! The event store's port: rows of a table in, answers to a [`Select`] out.
//!
//! Contract: a row is visible to every question when [`Columns::append`] has answered, and counted once. Rows
//! are derived from the packs, so losing them costs a rebuild and nothing else: [`Columns::position`] says up to
//! which byte of a partition's pack the rows are safe, and the rest is read again at start.

pub mod accumulate;
mod evaluate;
mod select;

use std::sync::Arc;

use protocol::table::{Row, Table};

use crate::payloads::{Locator, Partition};

pub use evaluate::{Pattern, matches, tested, tokens};
pub use select::{
    Aggregate, Answer, Cell, Facet, FacetValue, Field, Filter, Found, Group, GroupOrder, Hidden, Latest,
    Order, Question, Select, Test,
};

/// A row with its place in the packs.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The row.
    pub row: Row,
    /// Its place in the order in which everything was applied.
    pub seq: u64,
    /// Where its record lies.
    pub locator: Locator,
}

/// Rows of one partition that were appended to its pack together.
#[derive(Clone, Debug)]
pub struct RowBatch {
    /// The partition.
    pub partition: Partition,
    /// The length of the pack with these rows' records in it.
    pub end: u64,
    /// The rows, shared with whoever tries again.
    pub rows: Vec<Arc<Placed>>,
}

/// Why the event store could not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ColumnsError {
    /// No such table.
    #[error("no table {0}")]
    NoTable(String),
    /// The store refused, with its words.
    #[error("the event store cannot be used: {0}")]
    Store(String),
}

/// The result of an event store operation.
pub type Result<T> = std::result::Result<T, ColumnsError>;

/// The port.
pub trait Columns: Send + Sync {
    /// Takes rows; they are visible when it answers. May wait when memory is at its limit.
    ///
    /// # Errors
    /// [`ColumnsError`]; so for the methods below.
    fn append(&self, table: &'static Table, batches: Vec<RowBatch>) -> Result<()>;

    /// Answers a question.
    fn select(&self, select: &Select) -> Result<Answer>;

    /// Up to which byte of a partition's pack the rows would survive a crash.
    fn position(&self, table: &'static Table, partition: Partition) -> Result<u64>;

    /// The partitions it has rows of.
    fn partitions(&self, table: &'static Table) -> Result<Vec<Partition>>;

    /// Forgets a partition.
    fn drop_partition(&self, table: &'static Table, partition: Partition) -> Result<()>;

    /// Makes everything that was appended survive a crash.
    fn flush(&self) -> Result<()>;
}
