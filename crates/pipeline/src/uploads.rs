//! Uploaded files: chunks are kept and checked, put together, read and noted. Nothing large is held in memory: chunks
//! go to the blobs as they come, and a whole file is read from there.
//!
//! A file counts from the transaction that notes it. Whether one is noted or removed is decided under
//! [`storage::stores::Gates::files`], so that none is removed while somebody notes it.

mod assemble;
mod reading;
pub mod sweep;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use parking_lot::Mutex;
use storage::blobs::BlobError;
use storage::cache::CacheError;
use storage::relational::debug_files::DebugFile;
use storage::relational::release_files::ReleaseFile;
use storage::relational::{artifacts, chunks, debug_files, release_files, stored_files};
use storage::stores::Stores;
use storage::uploads::{Assembly, CHUNK, ENTRY, FILE, State, UploadError, WAITING};
use symbolicate::archive::Archive;
use symbolicate::bundle::Bundle;
use symbolicate::object::{Found, InspectError};

use crate::symbols::convert::{Convert, objects};
use reading::Checked;

/// Threads that read what was uploaded.
const READERS: usize = 2;
/// The stack of each: parsers of foreign formats call themselves.
const STACK: usize = 16 << 20;
/// The most debug files of one archive.
const MOST_IN_ARCHIVE: usize = 1000;

/// What uploads are kept with.
pub struct Settings {
    /// A folder for bodies while they are read.
    pub folder: PathBuf,
    /// Bytes that an organization may keep.
    pub limit: Option<u64>,
    /// Why nothing can be taken now, if so.
    pub unwell: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    /// Reads what foreign bytes could make expensive.
    pub convert: Arc<dyn Convert>,
    /// Called when a project has other files than before.
    pub changed: Arc<dyn Fn() + Send + Sync>,
}

/// Uploaded files over the stores.
pub struct Uploads {
    inner: Arc<Inner>,
    readers: rayon::ThreadPool,
    /// Files that are being put together, and how that ended.
    running: Mutex<HashMap<Assembly, Arc<assemble::Slot>>>,
}

struct Inner {
    stores: Stores,
    settings: Settings,
}

impl Uploads {
    /// Uploads over stores; empties the folder.
    ///
    /// # Errors
    /// As the system says of the folder and of threads.
    pub fn open(stores: Stores, settings: Settings) -> std::io::Result<Uploads> {
        match fs::remove_dir_all(&settings.folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => fs::create_dir_all(&settings.folder)?,
        }
        let readers = rayon::ThreadPoolBuilder::new()
            .num_threads(READERS)
            .stack_size(STACK)
            .thread_name(|i| format!("upload-{i}"))
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Uploads {
            inner: Arc::new(Inner { stores, settings }),
            readers,
            running: Mutex::default(),
        })
    }
}

/// Runs what reads foreign bytes on a thread with a large stack; a panic is an answer.
fn aside<T: Send>(
    pool: &rayon::ThreadPool,
    work: impl FnOnce() -> Result<T, UploadError> + Send,
) -> Result<T, UploadError> {
    pool.install(|| guarded(work))
}

fn guarded<T>(work: impl FnOnce() -> Result<T, UploadError>) -> Result<T, UploadError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        tracing::error!("an uploaded file made its reader panic");
        Err(UploadError::Refused(
            "the file is broken in a way that its reader does not survive".into(),
        ))
    })
}

fn refused(e: impl std::fmt::Display) -> UploadError {
    UploadError::Refused(e.to_string())
}

/// A file of the folder that is gone when this is.
struct Temporary(PathBuf);

impl Temporary {
    fn new(folder: &Path) -> Temporary {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Temporary(folder.join(format!("whole-{}", NEXT.fetch_add(1, Ordering::Relaxed))))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Inner {
    fn now(&self) -> i64 {
        self.stores.clock.now()
    }

    /// Keeps the bytes of a key if they are as they must be.
    fn put(&self, key: &str, mut body: Checked<impl Read>) -> Result<(String, u64), UploadError> {
        match self.stores.blobs.put_from(key, &mut body) {
            Ok(_) => Ok(body.summary()),
            Err(e) => Err(match body.fault() {
                Some(fault) => UploadError::Refused(fault.to_owned()),
                None => e.into(),
            }),
        }
    }

    /// Why an organization cannot keep so many bytes more.
    fn beyond(&self, org: i64, more: u64) -> Result<Option<String>, UploadError> {
        let Some(limit) = self.settings.limit else {
            return Ok(None);
        };
        let (_, kept) = self.stores.sql.reading(|c| stored_files::total(c, org))?;
        let kept = u64::try_from(kept).unwrap_or(0);
        Ok((kept.saturating_add(more) > limit).then(|| {
            format!(
                "This organization keeps {kept} bytes of uploaded files and may keep {limit}: delete artifact bundles or \
                 debug files that are not needed, or raise artifact-limit-mb."
            )
        }))
    }

    /// Notes files under the gate, once their bytes are there: `bring` brings them again if they were removed in the
    /// meantime.
    fn note<T>(
        &self,
        key: &str,
        bring: impl Fn() -> Result<(), UploadError>,
        mut rows: impl FnMut(&mut dyn storage::sql::Connection) -> storage::sql::Result<T>,
    ) -> Result<T, UploadError> {
        let _gate = self.stores.gates.files.lock();
        match self.stores.blobs.file(key) {
            Err(BlobError::Missing) => bring()?,
            Err(e) => return Err(e.into()),
            Ok(_) => {}
        }
        Ok(self.stores.sql.writing(|c| rows(c))?)
    }

    /// Removes the bytes of a file that was not noted.
    fn discard(&self, key: &str) -> Result<(), UploadError> {
        let _gate = self.stores.gates.files.lock();
        if !self.stores.sql.reading(|c| stored_files::known(c, key))? {
            self.stores.blobs.delete(key)?;
        }
        Ok(())
    }

    /// Keeps the bytes of a file in the folder as one of the organization.
    fn keep(&self, org: i64, sha1: &str, path: &Path) -> Result<String, UploadError> {
        let key = stored_files::key(org, sha1);
        let file = File::open(path).map_err(|e| UploadError::Store(e.to_string()))?;
        self.put(&key, Checked::new(file, FILE, Some(sha1)))?;
        Ok(key)
    }

    /// Writes a body to the folder.
    fn spool(&self, body: &mut dyn Read) -> Result<(Temporary, String, u64), UploadError> {
        let store = |e: std::io::Error| UploadError::Store(e.to_string());
        let temporary = Temporary::new(&self.settings.folder);
        let mut file = File::create(&temporary.0).map_err(store)?;
        let mut body = Checked::new(body, FILE, None);
        if let Err(e) = std::io::copy(&mut body, &mut file).and_then(|_| file.flush()) {
            return Err(match body.fault() {
                Some(fault) => UploadError::Refused(fault.to_owned()),
                None => store(e),
            });
        }
        let (sha1, size) = body.summary();
        Ok((temporary, sha1, size))
    }

    /// Notes the debug files of a whole file that is kept under a key.
    fn note_debug_files(
        &self,
        (org, project): (i64, i64),
        (name, sha1, size): (&str, &str, u64),
        found: &[Found],
        bring: impl Fn() -> Result<(), UploadError>,
    ) -> Result<Vec<DebugFile>, UploadError> {
        let (now, key) = (self.now(), stored_files::key(org, sha1));
        let file_name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let files = self.note(&key, bring, |c| {
            stored_files::add(c, org, sha1, size.try_into().unwrap_or(i64::MAX), now)?;
            let mut files = Vec::new();
            for f in found {
                let mut file = DebugFile {
                    id: 0,
                    project,
                    debug_id: f.debug_id.clone(),
                    code_id: f.code_id.clone(),
                    kind: f.kind.clone(),
                    class: f.class.clone(),
                    object_name: match &*f.kind {
                        "proguard" => "proguard-mapping".to_owned(),
                        _ => file_name.chars().take(255).collect(),
                    },
                    cpu: f.arch.clone(),
                    features: f.features.clone(),
                    sha1: sha1.to_owned(),
                    size: size.try_into().unwrap_or(i64::MAX),
                    blob: key.clone(),
                    date_added: now,
                    date_used: now,
                };
                file.id = debug_files::add(c, &file)?;
                files.push(file);
            }
            Ok(files)
        })?;
        (self.settings.changed)();
        Ok(files)
    }

    /// Keeps a debug file that is in the folder.
    fn keep_debug_file(
        &self,
        (org, project): (i64, i64),
        (name, sha1, size): (&str, &str, u64),
        found: &[Found],
        path: &Path,
    ) -> Result<Vec<DebugFile>, UploadError> {
        if let Some(why) = self.beyond_for(org, sha1, size)? {
            return Err(UploadError::Refused(why));
        }
        let bring = || self.keep(org, sha1, path).map(|_| ());
        bring()?;
        self.note_debug_files((org, project), (name, sha1, size), found, bring)
    }

    /// The objects in a debug file of this machine; none if its format is not known.
    fn look(&self, path: &Path, name: &str, id: Option<&str>) -> Result<Vec<Found>, UploadError> {
        let answer = Temporary::new(&self.settings.folder);
        let convert = &*self.settings.convert;
        objects(convert, (path, name, id), &answer.0).map_err(|e| match e {
            CacheError::Bad(why) => UploadError::Refused(why),
            CacheError::Failed(why) => UploadError::Store(why),
        })
    }

    /// As [`Inner::look`], of a file that must be one.
    fn known(&self, path: &Path, name: &str, id: Option<&str>) -> Result<Vec<Found>, UploadError> {
        let found = self.look(path, name, id)?;
        if found.is_empty() {
            return Err(refused(InspectError::Unknown));
        }
        Ok(found)
    }

    /// [`Inner::beyond`] of a file, of which one that is kept already takes nothing.
    fn beyond_for(&self, org: i64, sha1: &str, size: u64) -> Result<Option<String>, UploadError> {
        let kept = self.stores.sql.reading(|c| stored_files::find(c, org, sha1))?;
        if kept.is_some() {
            return Ok(None);
        }
        self.beyond(org, size)
    }
}

impl storage::uploads::Uploads for Uploads {
    fn folder(&self) -> &Path {
        &self.inner.settings.folder
    }

    fn limit(&self) -> Option<u64> {
        self.inner.settings.limit
    }

    fn unwell(&self) -> Option<String> {
        (self.inner.settings.unwell)()
    }

    fn chunk(&self, org: i64, sha1: &str, gzip: bool, body: &mut dyn Read) -> Result<(), UploadError> {
        if !storage::uploads::is_sha1(sha1) {
            return Err(UploadError::Refused(
                "the file name of a chunk is its SHA-1 in lower case hex".into(),
            ));
        }
        let stores = &self.inner.stores;
        if stores.sql.reading(|c| chunks::bytes(c, org))? > WAITING {
            return Err(UploadError::Unavailable(
                "too many chunks wait to be put together; those that are a day old are removed".into(),
            ));
        }
        let body: Box<dyn Read + '_> = match gzip {
            true => Box::new(MultiGzDecoder::new(body)),
            false => Box::new(body),
        };
        let body = Checked::new(body, CHUNK, Some(sha1));
        let put = self.inner.put(&chunks::key(org, sha1), body);
        let (_, size) = put.map_err(|e| match e {
            UploadError::Refused(why) => UploadError::Refused(format!("chunk {sha1}: {why}")),
            other => other,
        })?;
        let (size, now) = (i64::try_from(size).unwrap_or(i64::MAX), self.inner.now());
        Ok(stores.sql.writing(|c| chunks::add(c, org, sha1, size, now))?)
    }

    fn assemble(&self, assembly: &Assembly, patience: Duration) -> Result<State, UploadError> {
        assemble::assemble(self, assembly, patience)
    }

    fn release_file(
        &self,
        file: ReleaseFile,
        body: &mut dyn Read,
    ) -> Result<Option<ReleaseFile>, UploadError> {
        let inner = &self.inner;
        let (spooled, sha1, size) = inner.spool(body)?;
        if let Some(why) = inner.beyond_for(file.org, &sha1, size)? {
            return Err(UploadError::Refused(why));
        }
        let (org, now) = (file.org, inner.now());
        let file = ReleaseFile {
            blob: inner.keep(org, &sha1, &spooled.0)?,
            size: size.try_into().unwrap_or(i64::MAX),
            date_added: now,
            date_used: now,
            sha1,
            ..file
        };
        let bring = || inner.keep(org, &file.sha1, &spooled.0).map(|_| ());
        let id = inner.note(&file.blob, bring, |c| {
            stored_files::add(c, org, &file.sha1, file.size, now)?;
            release_files::add(c, &file)
        })?;
        (self.inner.settings.changed)();
        Ok(id.map(|id| ReleaseFile { id, ..file }))
    }

    fn debug_files(
        &self,
        (org, project): (i64, i64),
        name: &str,
        body: &mut dyn Read,
    ) -> Result<Vec<DebugFile>, UploadError> {
        let inner = &self.inner;
        let (spooled, sha1, size) = inner.spool(body)?;
        let path = &spooled.0;
        aside(&self.readers, || {
            let mut start = Vec::new();
            let store = |e: std::io::Error| UploadError::Store(e.to_string());
            let mut file = File::open(path).map_err(store)?;
            (&file).take(4).read_to_end(&mut start).map_err(store)?;
            if start != b"PK\x03\x04" {
                let found = inner.known(path, name, None)?;
                return inner.keep_debug_file((org, project), (name, &sha1, size), &found, path);
            }
            file.rewind().map_err(store)?;
            let mut archive = Archive::open(BufReader::new(file)).map_err(refused)?;
            let names: Vec<String> = archive.names().map(str::to_owned).collect();
            let mut kept = Vec::new();
            for name in names {
                let entry = Temporary::new(&inner.settings.folder);
                let mut file = File::create(&entry.0).map_err(store)?;
                archive.copy(&name, ENTRY, &mut file).map_err(refused)?;
                match inner.look(&entry.0, &name, None) {
                    Err(UploadError::Refused(why)) => {
                        return Err(UploadError::Refused(format!("{name}: {why}")));
                    }
                    Err(e) => return Err(e),
                    Ok(found) if found.is_empty() => continue,
                    Ok(_) if kept.len() >= MOST_IN_ARCHIVE => {
                        return Err(UploadError::Refused(format!(
                            "the archive holds more than {MOST_IN_ARCHIVE} debug files"
                        )));
                    }
                    Ok(found) => {
                        let mut bytes = Checked::new(File::open(&entry.0).map_err(store)?, FILE, None);
                        std::io::copy(&mut bytes, &mut std::io::sink()).map_err(store)?;
                        let (sha1, size) = bytes.summary();
                        let about = (name.as_str(), sha1.as_str(), size);
                        kept.extend(inner.keep_debug_file((org, project), about, &found, &entry.0)?);
                    }
                }
            }
            Ok(kept)
        })
    }

    fn bundled(&self, blob: &str, path: &str) -> Result<(Box<dyn Read + Send>, u64), UploadError> {
        let store = |e: std::io::Error| UploadError::Store(e.to_string());
        let file = File::open(self.inner.stores.blobs.file(blob)?).map_err(store)?;
        let mut bundle = Bundle::open(BufReader::new(file)).map_err(refused)?;
        let temporary = Temporary::new(&self.inner.settings.folder);
        let mut file = File::create(&temporary.0).map_err(store)?;
        bundle.copy(path, ENTRY, &mut file).map_err(refused)?;
        // Once it is open it needs no name.
        let file = File::open(&temporary.0).map_err(store)?;
        let size = file.metadata().map_err(store)?.len();
        Ok((Box::new(file), size))
    }

    fn tidy(&self, org: i64) -> Result<(), UploadError> {
        // While a backup keeps everything, nobody waits for it: the job does this later.
        if self.inner.stores.gates.removal.is_locked() {
            return Ok(());
        }
        sweep::unnamed(&self.inner.stores, org)
            .map(|_| ())
            .map_err(|e| UploadError::Store(e.to_string()))
    }
}

/// Whether a project has uploaded files that symbolication can use.
///
/// # Errors
/// As the database says.
pub fn has_files(c: &mut dyn storage::sql::Connection, project: i64) -> storage::sql::Result<bool> {
    Ok(debug_files::any(c, project)? || artifacts::any(c, project, None)?)
}
