//! Opening the stores of a data folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::time::Clock;
use storage::payloads::PayloadError;
use storage::sql::Sql;
use storage::stores::{Catalog, Stores};

use crate::blobs::files::Files;
use crate::columns::embedded::Embedded;
use crate::payloads::{ids::Ids, packs::Packs};
use crate::queue::lanes::Lanes;
use crate::sql::{migrate, postgres::Postgres, sqlite::Sqlite};

/// Where things are kept.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The data folder.
    pub data_dir: PathBuf,
    /// `postgres://…` to keep what is relational there instead of in the folder.
    pub database_url: Option<String>,
    /// The most bytes that may wait in the queue.
    pub queue_limit: u64,
}

/// Why the stores could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the folder.
    #[error("the data folder {0} is in use by another process")]
    InUse(PathBuf),
    /// The folder or a file in it cannot be used.
    #[error("{0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// A store says no.
    #[error("{0}: {1}")]
    Store(&'static str, String),
}

/// The lock on a data folder; it is released when this is dropped.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

/// Takes the lock of a data folder, creating the folder if need be.
///
/// # Errors
/// [`OpenError::InUse`] if another process has it.
pub fn lock_folder(folder: &Path) -> Result<FolderLock, OpenError> {
    let failed = |e| OpenError::Folder(folder.to_owned(), e);
    if !folder.exists() {
        // Events hold what nobody else on the machine should read.
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
    }
    let file = File::create(folder.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(e)) => Err(failed(e)),
    }
}

fn store<T, E: std::fmt::Display>(name: &'static str, result: Result<T, E>) -> Result<T, OpenError> {
    result.map_err(|e| OpenError::Store(name, e.to_string()))
}

/// Opens every store and brings them together: migrates the database, cuts off what was never committed, and
/// reads what the indexes have not seen from the packs.
///
/// # Errors
/// [`OpenError`] naming the store that failed.
pub fn open(config: &StorageConfig, catalog: Catalog, clock: Arc<dyn Clock>) -> Result<Stores, OpenError> {
    let dir = &config.data_dir;
    std::fs::create_dir_all(dir).map_err(|e| OpenError::Folder(dir.clone(), e))?;
    let sql: Arc<dyn Sql> = match &config.database_url {
        Some(url) => Arc::new(store("PostgreSQL", Postgres::open(url))?),
        None => Arc::new(store("SQLite", Sqlite::open(&dir.join("vedette.sqlite")))?),
    };
    store("migrations", migrate(&*sql))?;
    let stores = Stores {
        sql,
        columns: Arc::new(store(
            "index",
            Embedded::open(&dir.join("index"), &[catalog.errors]),
        )?),
        payloads: Arc::new(store("packs", Packs::open(&dir.join("packs")))?),
        blobs: Arc::new(Files::new(&dir.join("blobs"))),
        queue: Arc::new(store(
            "queue",
            Lanes::open(&dir.join("queue"), config.queue_limit),
        )?),
        ids: Arc::new(store("event ids", Ids::open(&dir.join("ids")))?),
        clock,
        catalog,
        gates: Arc::default(),
    };
    recover(&stores)?;
    Ok(stores)
}

/// Brings packs, indexes and queue to what the database says is applied.
fn recover(stores: &Stores) -> Result<(), OpenError> {
    let committed = store("database", storage::relational::positions::packs(&*stores.sql))?;
    for (partition, length) in store("packs", stores.payloads.partitions())? {
        match committed.iter().find(|(p, _)| *p == partition) {
            Some((_, end)) if *end < length => {
                tracing::info!(%partition, bytes = length - end, "cut off bytes of a batch that was not committed");
                store("packs", stores.payloads.truncate(partition, *end))?;
            }
            Some(_) => {}
            None => store("packs", stores.payloads.drop_partition(partition))?,
        }
    }
    for (partition, end) in &committed {
        if let Err(e) = storage::rebuild::partition(stores, *partition, *end) {
            if matches!(e, PayloadError::Damaged(..) | PayloadError::Missing(_)) {
                tracing::error!(error = %e, "a pack is damaged or missing; its events behind that are not searchable");
            } else {
                return Err(OpenError::Store("packs", e.to_string()));
            }
        }
    }
    for partition in 0..stores.queue.partitions() {
        let applied = storage::relational::positions::applied(&*stores.sql, partition);
        store("queue", stores.queue.seek(partition, store("database", applied)?))?;
    }
    Ok(())
}
