//! A backup of everything in one file, made while the server runs, and its way back into an empty folder.
//!
//! What is derived (the index, event ids) is left out and built anew. Order makes it whole: with the worker held
//! for a moment, the database's state is fixed and what is not applied by then is copied from the queue; packs
//! are copied up to the lengths of that state, and nothing is removed until the end.

mod archive;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::time::Clock;
use serde_json::{Value, json};
use storage::payloads::Partition;
use storage::queue::Record;
use storage::relational::{dump, positions};
use storage::sql::{Connection, SqlError};
use storage::stores::{Catalog, Stores};

use self::archive::{Kind, Reader, Writer, join, split};
use crate::open::{StorageConfig, open};

/// The version of what entries hold.
const VERSION: u64 = 2;
/// Bytes of a blob in an entry; version 1 had it whole.
const PIECE: u64 = 8 << 20;
/// Bytes of records in an entry, about.
const STEP: usize = 1 << 20;

/// Why there is no backup, or no way back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The disk says no.
    #[error(transparent)]
    Disk(#[from] std::io::Error),
    /// A store says no.
    #[error("{0}")]
    Store(String),
    /// The file is something else.
    #[error("this is not a backup that `vedette backup` made")]
    NoBackup,
    /// The file was changed or cut.
    #[error("the backup is damaged: {0}; nothing was restored")]
    Damaged(String),
    /// It was made by a later version.
    #[error("the backup was made by a later version ({0}); use that or a newer one")]
    Later(String),
    /// There is something already.
    #[error("{0} is not empty; a backup is restored into an empty place")]
    NotEmpty(String),
}

fn store(e: impl std::fmt::Display) -> BackupError {
    BackupError::Store(e.to_string())
}

/// What a backup holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the database.
    pub rows: u64,
    /// Stored events.
    pub events: u64,
    /// Attachments.
    pub blobs: u64,
    /// Source maps, debug files and other uploaded files.
    pub files: u64,
    /// Envelopes that were not processed yet.
    pub queued: u64,
}

impl Counts {
    /// As the command prints it.
    pub fn to_json(&self) -> Value {
        json!({
            "rows": self.rows, "events": self.events, "attachments": self.blobs, "files": self.files,
            "queued": self.queued,
        })
    }

    fn add(&mut self, kind: Kind, bytes: &[u8]) -> Result<(), BackupError> {
        let bad = || BackupError::Damaged("an entry cannot be read".into());
        match kind {
            Kind::Rows => {
                let rows: Value = serde_json::from_slice(bytes).map_err(|_| bad())?;
                self.rows += rows["rows"].as_array().map_or(0, Vec::len) as u64;
            }
            Kind::Records => self.events += split(bytes).ok_or_else(bad)?.len().saturating_sub(1) as u64,
            Kind::Blob if bytes.get(4..).is_some_and(|b| b.starts_with(b"files/")) => self.files += 1,
            Kind::Blob => self.blobs += 1,
            Kind::Queued => self.queued += 1,
            Kind::About | Kind::File | Kind::Piece | Kind::End => {}
        }
        Ok(())
    }
}

/// Writes a backup to a file that is not there yet, and reads it through. `files` are small files of the data
/// folder that go with it.
///
/// # Errors
/// [`BackupError`]; then there is no file.
pub fn create(stores: &Stores, files: &[(&str, Vec<u8>)], path: &Path) -> Result<Counts, BackupError> {
    if path.exists() {
        return Err(BackupError::NotEmpty(path.display().to_string()));
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let _ = fs::remove_file(&part);
    let made = write(stores, files, &part).and_then(|()| verify(&part));
    match made {
        Ok(counts) => {
            fs::rename(&part, path)?;
            Ok(counts)
        }
        Err(e) => {
            let _ = fs::remove_file(&part);
            Err(e)
        }
    }
}

fn write(stores: &Stores, files: &[(&str, Vec<u8>)], path: &Path) -> Result<(), BackupError> {
    let _kept = stores.gates.removal.lock();
    let mut out = Writer::create(path)?;
    let about = json!({
        "version": VERSION, "made": protocol::time::format_rfc3339(stores.clock.now()),
        "vedette": env!("CARGO_PKG_VERSION"),
    });
    out.put(Kind::About, &[about.to_string().as_bytes()])?;
    for (name, bytes) in files {
        out.put(Kind::File, &[&join(&[name.as_bytes().to_vec(), bytes.clone()])])?;
    }
    let mut failed = None;
    let mut packs = Vec::new();
    let read = stores.sql.reading(|c| {
        let mut work = |c: &mut dyn Connection| -> Result<(), BackupError> {
            let held = stores.gates.apply.lock();
            // The first question fixes what the others see.
            let mut applied = Vec::new();
            for partition in 0..stores.queue.partitions() {
                applied.push(positions::applied_seen(c, partition).map_err(store)?);
            }
            let mut wrong = None;
            stores
                .queue
                .scan(&mut |claimed| {
                    let done = applied.get(claimed.partition as usize);
                    if done.is_some_and(|position| claimed.position < *position) {
                        return true;
                    }
                    let put = out.put(Kind::Queued, &[&claimed.key.to_le_bytes(), &claimed.bytes]);
                    wrong = put.err();
                    wrong.is_none()
                })
                .map_err(store)?;
            drop(held);
            if let Some(e) = wrong {
                return Err(e);
            }
            for table in dump::TABLES {
                let columns = dump::columns(c, table.0).map_err(store)?;
                dump::table(c, *table, &mut |rows| {
                    let entry = json!({ "table": table.0, "columns": columns, "rows": rows });
                    out.put(Kind::Rows, &[entry.to_string().as_bytes()])
                        .map_err(|e| SqlError::Other(e.to_string()))
                })
                .map_err(store)?;
            }
            packs = positions::packs_seen(c).map_err(store)?;
            Ok(())
        };
        if let Err(e) = work(c) {
            failed = Some(e);
        }
        Ok(())
    });
    if let Some(e) = failed {
        return Err(e);
    }
    read.map_err(store)?;
    for (partition, length) in packs {
        write_pack(stores, partition, length, &mut out)?;
    }
    // Pieces of files that are being uploaded are left out, as their table is.
    let keys = stores.blobs.list("").map_err(store)?;
    for key in keys.into_iter().filter(|k| !k.starts_with("chunks/")) {
        write_blob(stores, &key, &mut out)?;
    }
    out.finish()
}

/// A large blob goes in pieces, so that it is not held in memory.
fn write_blob(stores: &Stores, key: &str, out: &mut Writer) -> Result<(), BackupError> {
    use std::io::Read as _;
    let mut file = fs::File::open(stores.blobs.file(key).map_err(store)?)?;
    let mut read = || -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        (&mut file).take(PIECE).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let name = (key.len() as u32).to_le_bytes();
    let mut bytes = read()?;
    loop {
        let next = match bytes.len() as u64 {
            PIECE => read()?,
            _ => vec![],
        };
        let kind = if next.is_empty() { Kind::Blob } else { Kind::Piece };
        out.put(kind, &[&name, key.as_bytes(), &bytes])?;
        if next.is_empty() {
            return Ok(());
        }
        bytes = next;
    }
}

fn write_pack(
    stores: &Stores,
    partition: Partition,
    length: u64,
    out: &mut Writer,
) -> Result<(), BackupError> {
    let name = partition.to_string().into_bytes();
    let mut step = vec![name.clone()];
    let mut size = 0;
    let mut failed = None;
    stores
        .payloads
        .scan(partition, 0, length, &mut |_, _, bytes| {
            step.push(bytes.to_vec());
            size += bytes.len();
            if size >= STEP && failed.is_none() {
                failed = out.put(Kind::Records, &[&join(&step)]).err();
                step.truncate(1);
                size = 0;
            }
        })
        .map_err(store)?;
    if let Some(e) = failed {
        return Err(e);
    }
    if step.len() > 1 {
        out.put(Kind::Records, &[&join(&step)])?;
    }
    Ok(())
}

/// Reads a backup through and says what it holds.
///
/// # Errors
/// [`BackupError::NoBackup`], [`BackupError::Damaged`] or [`BackupError::Later`].
pub fn verify(path: &Path) -> Result<Counts, BackupError> {
    let mut reader = Reader::open(path)?;
    let mut counts = Counts::default();
    let mut first = true;
    while let Some((kind, bytes)) = reader.next()? {
        if std::mem::take(&mut first) {
            let about: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if kind != Kind::About || about["version"].as_u64().is_none() {
                return Err(BackupError::NoBackup);
            }
            if about["version"].as_u64() > Some(VERSION) {
                return Err(BackupError::Later(about["vedette"].to_string()));
            }
        }
        counts.add(kind, &bytes)?;
    }
    Ok(counts)
}

/// Restores a backup into a folder that is empty or not there, and a database without organizations.
///
/// # Errors
/// [`BackupError`]; a folder that was not there is not there after an error either.
pub fn restore(
    path: &Path,
    config: &StorageConfig,
    catalog: Catalog,
    clock: Arc<dyn Clock>,
) -> Result<Counts, BackupError> {
    let counts = verify(path)?;
    let dir = &config.data_dir;
    let full = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if full {
        return Err(BackupError::NotEmpty(dir.display().to_string()));
    }
    let mut half = dir.as_os_str().to_owned();
    half.push(".restoring");
    let half = PathBuf::from(half);
    let _ = fs::remove_dir_all(&half);
    let there = StorageConfig {
        data_dir: half.clone(),
        queue_limit: u64::MAX,
        ..config.clone()
    };
    match read(path, &there, catalog, clock) {
        Ok(()) => {
            let _ = fs::remove_dir(dir);
            fs::rename(&half, dir)?;
            Ok(counts)
        }
        Err(e) => {
            let _ = fs::remove_dir_all(&half);
            Err(e)
        }
    }
}

fn read(
    path: &Path,
    config: &StorageConfig,
    catalog: Catalog,
    clock: Arc<dyn Clock>,
) -> Result<(), BackupError> {
    let _lock = crate::open::lock_folder(&config.data_dir).map_err(store)?;
    let stores = open(config, catalog, clock).map_err(store)?;
    let none = stores
        .sql
        .reading(|c| c.query("select 1 from organizations limit 1", &[]))
        .map_err(store)?
        .is_empty();
    if !none {
        return Err(BackupError::NotEmpty("the database".into()));
    }
    // The database is filled in one transaction, which holds only if everything else came as well.
    let mut failed = None;
    let written = stores.sql.writing(|c| {
        failed = fill(path, config, &stores, c).err();
        match &failed {
            Some(e) => Err(SqlError::Other(e.to_string())),
            None => Ok(()),
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    written.map_err(store)?;
    for (partition, end) in positions::packs(&*stores.sql).map_err(store)? {
        storage::rebuild::partition(&stores, partition, end).map_err(store)?;
    }
    stores.queue.close();
    stores.columns.flush().map_err(store)?;
    stores.ids.flush().map_err(store)
}

fn fill(
    path: &Path,
    config: &StorageConfig,
    stores: &Stores,
    c: &mut dyn Connection,
) -> Result<(), BackupError> {
    let bad = || BackupError::Damaged("an entry cannot be read".into());
    for (table, _) in dump::TABLES.iter().rev() {
        c.execute(&format!("delete from {table}"), &[]).map_err(store)?;
    }
    let mut lengths: Vec<(Partition, u64)> = Vec::new();
    let mut queued = Vec::new();
    let mut reader = Reader::open(path)?;
    while let Some((kind, bytes)) = reader.next()? {
        match kind {
            Kind::About | Kind::End => {}
            Kind::File => {
                let parts = split(&bytes).ok_or_else(bad)?;
                let [name, content] = parts.as_slice() else {
                    return Err(bad());
                };
                let name = std::str::from_utf8(name).map_err(|_| bad())?;
                if name.contains('/') || name.starts_with('.') {
                    return Err(bad());
                }
                use std::io::Write as _;
                use std::os::unix::fs::OpenOptionsExt as _;
                let mut options = fs::File::options();
                let options = options.write(true).create(true).truncate(true).mode(0o600);
                options.open(config.data_dir.join(name))?.write_all(content)?;
            }
            Kind::Rows => {
                let entry: Value = serde_json::from_slice(&bytes).map_err(|_| bad())?;
                let columns: Vec<String> =
                    serde_json::from_value(entry["columns"].clone()).map_err(|_| bad())?;
                let table = entry["table"].as_str().ok_or_else(bad)?;
                dump::load(c, table, &columns, &entry["rows"]).map_err(store)?;
            }
            Kind::Records => {
                let mut records = split(&bytes).ok_or_else(bad)?;
                let name = records.remove(0);
                let partition = std::str::from_utf8(&name).ok().and_then(Partition::parse);
                let partition = partition.ok_or_else(bad)?;
                let (_, length) = stores.payloads.append(partition, &records).map_err(store)?;
                lengths.retain(|(p, _)| *p != partition);
                lengths.push((partition, length));
            }
            Kind::Piece | Kind::Blob => {
                let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(bad)?;
                let split = rest.split_at_checked(u32::from_le_bytes(*length) as usize);
                let (key, content) = split.ok_or_else(bad)?;
                let key = std::str::from_utf8(key).map_err(|_| bad())?;
                let pieces = config.data_dir.join("pieces");
                use std::io::Write as _;
                if kind == Kind::Piece {
                    let file = fs::File::options().create(true).append(true).open(&pieces);
                    file?.write_all(content)?;
                } else if let Ok(mut before) = fs::File::open(&pieces) {
                    let mut whole = std::io::Read::chain(&mut before, content);
                    stores.blobs.put_from(key, &mut whole).map_err(store)?;
                    fs::remove_file(&pieces)?;
                } else {
                    stores.blobs.put(key, content).map_err(store)?;
                }
            }
            Kind::Queued => {
                let (key, content) = bytes.split_first_chunk::<8>().ok_or_else(bad)?;
                queued.push(Record {
                    key: u64::from_le_bytes(*key),
                    bytes: content.to_vec(),
                    ..Record::default()
                });
            }
        }
    }
    dump::loaded(c).map_err(store)?;
    // Events that were waiting follow what is applied, as they did.
    for partition in 0..stores.queue.partitions() {
        let applied = positions::applied_seen(c, partition).map_err(store)?;
        stores.queue.seek(partition, applied).map_err(store)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for record in queued {
        runtime.block_on(stores.queue.append(record)).map_err(store)?;
    }
    let applied = positions::applied_seen(c, 0).map_err(store)?;
    positions::advance(c, 0, applied, &lengths).map_err(store)
}
