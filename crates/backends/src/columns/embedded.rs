//! The embedded event store: one Tantivy index per table and partition, and the newest rows in memory.
//!
//! Tantivy finds documents and reads columns; what is computed over them is ours
//! ([`storage::columns::accumulate`]), so the index and the rows in memory merge exactly. Rows are in memory
//! until a commit holds them; the commit carries the pack position up to which it has read.

mod schema;
mod segment;
mod writer;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};
use protocol::table::Table;
use storage::columns::accumulate::{Source, answer, store_error};
use storage::columns::{Answer, Columns, Placed, Result, RowBatch, Select};
use storage::memory::Rows;
use storage::payloads::Partition;
use tantivy::{Index, IndexReader, ReloadPolicy};

use self::schema::Fields;
use self::segment::Segment;

/// Rows in memory above which a commit is begun, bytes.
const COMMIT_BYTES: usize = 24 << 20;
/// Rows in memory above which an append waits for the commit, bytes.
const LIMIT_BYTES: usize = 64 << 20;

type Key = (&'static str, Partition);

/// A folder of indexes.
pub struct Embedded {
    shared: Arc<Shared>,
    committer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

struct Shared {
    root: PathBuf,
    fields: Fields,
    parts: RwLock<BTreeMap<Key, Arc<RwLock<Part>>>>,
    pressure: Mutex<Pressure>,
    changed: Condvar,
    /// Held while rows are committed and while a part goes.
    writer: Mutex<Option<writer::Open>>,
}

#[derive(Default)]
struct Pressure {
    bytes: usize,
    /// Somebody waits for everything to be committed: counts up.
    flush_asked: u64,
    flush_done: u64,
    stop: bool,
    failed: Option<String>,
}

struct Part {
    table: &'static Table,
    index: Index,
    reader: IndexReader,
    /// The pack position of the last commit.
    committed: u64,
    /// The pack position with the rows in memory.
    end: u64,
    fresh: Vec<Arc<Placed>>,
    bytes: usize,
    /// How many of `fresh` a commit holds that the reader does not show yet, and their bytes.
    saved: (usize, usize),
    /// It was dropped: a new part stands in its place.
    dropped: bool,
}

impl Shared {
    fn folder(&self, key: Key) -> PathBuf {
        self.root.join(key.0).join(key.1.to_string())
    }

    fn open_part(&self, table: &'static Table, partition: Partition) -> Result<Part> {
        let folder = self.folder((table.name, partition));
        fs::create_dir_all(&folder).map_err(store_error)?;
        // The reader opens every segment's files, and so sees which are cut.
        let open = |folder: &Path| -> tantivy::Result<(Index, IndexReader, u64)> {
            let directory = tantivy::directory::MmapDirectory::open(folder)?;
            let index = Index::open_or_create(directory, self.fields.schema.clone())?;
            let reader = index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .try_into()?;
            let payload = index.load_metas()?.payload;
            let committed = payload.and_then(|p| p.parse().ok()).unwrap_or(0);
            Ok((index, reader, committed))
        };
        let (index, reader, committed) = match open(&folder) {
            Ok(opened) => opened,
            Err(e) => {
                // Derived data: throw it away, the rows are read from the packs again.
                let error: String = e.to_string().chars().take(300).collect();
                tracing::warn!(folder = %folder.display(), error, "the index is damaged or of another version; it is built anew");
                fs::remove_dir_all(&folder).map_err(store_error)?;
                fs::create_dir_all(&folder).map_err(store_error)?;
                open(&folder).map_err(store_error)?
            }
        };
        Ok(Part {
            table,
            index,
            reader,
            committed,
            end: committed,
            fresh: Vec::new(),
            bytes: 0,
            saved: (0, 0),
            dropped: false,
        })
    }

    fn part(&self, table: &'static Table, partition: Partition) -> Result<Arc<RwLock<Part>>> {
        let key = (table.name, partition);
        if let Some(part) = self.parts.read().get(&key) {
            return Ok(part.clone());
        }
        let mut parts = self.parts.write();
        if let Some(part) = parts.get(&key) {
            return Ok(part.clone());
        }
        let part = Arc::new(RwLock::new(self.open_part(table, partition)?));
        parts.insert(key, part.clone());
        Ok(part)
    }
}

impl Shared {
    /// Takes a batch into memory unless it was taken before; answers its bytes.
    fn take(&self, table: &'static Table, batch: RowBatch) -> Result<usize> {
        loop {
            let part = self.part(table, batch.partition)?;
            let mut part = part.write();
            if part.dropped {
                continue;
            }
            if batch.end <= part.end {
                return Ok(0);
            }
            part.end = batch.end;
            let bytes = batch.rows.iter().map(|p| p.row.weight()).sum();
            part.bytes += bytes;
            part.fresh.extend(batch.rows);
            return Ok(bytes);
        }
    }
}

impl Embedded {
    /// Opens the indexes below a folder.
    ///
    /// # Errors
    /// [`storage::columns::ColumnsError::Store`] if the folder cannot be used.
    pub fn open(root: &Path, tables: &[&'static Table]) -> Result<Embedded> {
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            fields: schema::fields(),
            parts: RwLock::default(),
            pressure: Mutex::default(),
            changed: Condvar::new(),
            writer: Mutex::default(),
        });
        for table in tables {
            let folder = root.join(table.name);
            fs::create_dir_all(&folder).map_err(store_error)?;
            for entry in fs::read_dir(&folder).map_err(store_error)? {
                let name = entry.map_err(store_error)?.file_name();
                if let Some(partition) = name.to_str().and_then(Partition::parse) {
                    shared.part(table, partition)?;
                }
            }
        }
        let committer = {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name("index".into())
                .spawn(move || writer::commit_loop(&shared))
                .map_err(store_error)?
        };
        Ok(Embedded {
            shared,
            committer: Mutex::new(Some(committer)),
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.shared.pressure.lock().stop = true;
        self.shared.changed.notify_all();
        if let Some(committer) = self.committer.lock().take() {
            let _ = committer.join();
        }
    }
}

impl Columns for Embedded {
    fn append(&self, table: &'static Table, batches: Vec<RowBatch>) -> Result<()> {
        let mut added = 0;
        for batch in batches {
            added += self.shared.take(table, batch)?;
        }
        let mut pressure = self.shared.pressure.lock();
        pressure.bytes += added;
        self.shared.changed.notify_all();
        // A commit that fails is tried again: until the disk takes the rows, nothing more comes into memory.
        while pressure.bytes > LIMIT_BYTES && !pressure.stop {
            self.shared.changed.wait(&mut pressure);
        }
        Ok(())
    }

    fn select(&self, select: &Select) -> Result<Answer> {
        let parts: Vec<_> = {
            let parts = self.shared.parts.read();
            parts
                .iter()
                .filter(|((name, _), _)| *name == select.table.name)
                .map(|(_, p)| p.clone())
                .collect()
        };
        let mut searchers = Vec::new();
        let mut fresh = Vec::new();
        for part in &parts {
            // One lock for both, so that a commit in between shows no row twice and none not at all.
            let part = part.read();
            searchers.push((part.reader.searcher(), part.table));
            fresh.push(part.fresh.clone());
        }
        let partitions: Vec<Partition> = {
            let all = self.shared.parts.read();
            parts
                .iter()
                .map(|p| {
                    all.iter()
                        .find(|(_, q)| Arc::ptr_eq(p, q))
                        .map_or(Partition { retention: 0, day: 0 }, |(k, _)| k.1)
                })
                .collect()
        };
        let mut sources: Vec<Box<dyn Source + '_>> = Vec::new();
        for (((searcher, table), rows), partition) in searchers.iter().zip(&fresh).zip(partitions) {
            for reader in searcher.segment_readers() {
                if let Some(segment) = Segment::open(reader, &self.shared.fields, table, partition, select)? {
                    sources.push(Box::new(segment));
                }
            }
            sources.push(Box::new(Rows::new(table, rows)));
        }
        answer(select, &mut sources)
    }

    fn position(&self, table: &'static Table, partition: Partition) -> Result<u64> {
        Ok(self
            .shared
            .parts
            .read()
            .get(&(table.name, partition))
            .map_or(0, |p| p.read().committed))
    }

    fn partitions(&self, table: &'static Table) -> Result<Vec<Partition>> {
        Ok(self
            .shared
            .parts
            .read()
            .keys()
            .filter(|(n, _)| *n == table.name)
            .map(|(_, p)| *p)
            .collect())
    }

    fn drop_partition(&self, table: &'static Table, partition: Partition) -> Result<()> {
        let key = (table.name, partition);
        let gone = self.shared.parts.write().remove(&key);
        let mut open = self.shared.writer.lock();
        if let Some(part) = gone {
            writer::close(&mut open, &part);
            let mut part = part.write();
            let bytes = std::mem::take(&mut part.bytes);
            part.fresh.clear();
            part.saved = (0, 0);
            part.dropped = true;
            self.shared.pressure.lock().bytes -= bytes;
            self.shared.changed.notify_all();
        }
        match fs::remove_dir_all(self.shared.folder(key)) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(store_error(e)),
            _ => Ok(()),
        }
    }

    fn flush(&self) -> Result<()> {
        let mut pressure = self.shared.pressure.lock();
        pressure.flush_asked += 1;
        let wanted = pressure.flush_asked;
        self.shared.changed.notify_all();
        while pressure.flush_done < wanted && !pressure.stop {
            self.shared.changed.wait(&mut pressure);
        }
        match &pressure.failed {
            Some(e) => Err(store_error(e)),
            None => Ok(()),
        }
    }
}
