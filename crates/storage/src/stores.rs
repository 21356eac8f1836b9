//! The stores together, as the parts of the server are given them.

use std::sync::Arc;

use parking_lot::Mutex;
use protocol::table::Table;
use protocol::time::Clock;

use crate::blobs::Blobs;
use crate::columns::Columns;
use crate::payloads::Payloads;
use crate::queue::Queue;
use crate::sql::Sql;

/// Everything that keeps something.
#[derive(Clone)]
pub struct Stores {
    /// Issues, projects, people.
    pub sql: Arc<dyn Sql>,
    /// Rows to search and count.
    pub columns: Arc<dyn Columns>,
    /// Stored events.
    pub payloads: Arc<dyn Payloads>,
    /// Attachments.
    pub blobs: Arc<dyn Blobs>,
    /// Accepted envelopes.
    pub queue: Arc<dyn Queue>,
    /// Where each event id is.
    pub ids: Arc<dyn crate::payloads::EventIds>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The tables of every item kind.
    pub catalog: Catalog,
    /// What must not happen at the same time.
    pub gates: Arc<Gates>,
}

/// Locks between the worker, the jobs and a backup.
#[derive(Debug, Default)]
pub struct Gates {
    /// Held while a batch is applied.
    pub apply: Mutex<()>,
    /// Held while something is removed that was stored: by retention, and by a backup to keep it.
    pub removal: Mutex<()>,
    /// Held while it is decided whether an uploaded file is kept or removed; after `removal`, if both are.
    pub files: Mutex<()>,
}

/// The tables that item kinds keep, handed in by the binary.
#[derive(Clone, Copy, Debug)]
pub struct Catalog {
    /// Error events and security reports.
    pub errors: &'static Table,
}
