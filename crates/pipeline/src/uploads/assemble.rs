//! Putting files together: the chunks are joined into a blob while the whole is hashed, then it is read for what it
//! is to become, then noted. That runs on a thread of its own; requests wait for it for some seconds.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use storage::blobs::BlobError;
use storage::relational::artifacts::{self, NewBundle};
use storage::relational::{chunks, debug_files, stored_files};
use storage::uploads::{Assembly, FILE, Purpose, State, UploadError};
use symbolicate::bundle::{Bundle, Manifest};

use super::reading::{Checked, Joined};
use super::{Inner, Uploads, guarded, refused};

/// How a file ended is remembered so long for a client that asks again.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A file that is being put together.
pub struct Slot {
    end: Mutex<Option<Result<State, UploadError>>>,
    ended: Condvar,
    began: Instant,
}

/// Puts a file together, or says how far that is after some time.
pub fn assemble(uploads: &Uploads, assembly: &Assembly, patience: Duration) -> Result<State, UploadError> {
    let waiting = uploads.running.lock().get(assembly).cloned();
    let slot = match waiting {
        Some(slot) => slot,
        None => {
            let source = match ready(&uploads.inner, assembly)? {
                Ready::Now(state) => return Ok(state),
                Ready::From(source) => source,
            };
            begin(uploads, assembly, source)
        }
    };
    // Several may wait for one file; none holds its slot when the list is asked.
    let end = {
        let mut end = slot.end.lock();
        let until = Instant::now() + patience;
        while end.is_none() && !slot.ended.wait_until(&mut end, until).timed_out() {}
        end.clone()
    };
    let Some(end) = end else {
        return Ok(State::Assembling);
    };
    let mut running = uploads.running.lock();
    if running.get(assembly).is_some_and(|s| Arc::ptr_eq(s, &slot)) {
        running.remove(assembly);
    }
    end
}

/// Where the bytes of a file come from.
enum Source {
    /// It is kept already.
    Kept(String),
    Chunks,
}

enum Ready {
    Now(State),
    From(Source),
}

/// Whether a file is there already, can be put together, or lacks something.
fn ready(inner: &Inner, assembly: &Assembly) -> Result<Ready, UploadError> {
    let sql = &inner.stores.sql;
    if let Some(kept) = kept(inner, assembly)? {
        return Ok(Ready::Now(kept));
    }
    let (org, sha1) = (assembly.org, &*assembly.sha1);
    if let Some(file) = sql.reading(|c| stored_files::find(c, org, sha1))? {
        match inner.stores.blobs.file(&file.blob) {
            Ok(_) => return Ok(Ready::From(Source::Kept(file.blob))),
            Err(BlobError::Missing) => {}
            Err(e) => return Err(e.into()),
        }
    }
    let there = sql.reading(|c| chunks::have(c, org, &assembly.chunks))?;
    let there: std::collections::HashMap<String, i64> = there.into_iter().collect();
    let mut named = HashSet::new();
    let missing = assembly.chunks.iter();
    let missing = missing.filter(|s| !there.contains_key(*s) && named.insert(*s));
    let missing: Vec<String> = missing.cloned().collect();
    if !missing.is_empty() || assembly.chunks.is_empty() {
        return Ok(Ready::Now(State::Missing(missing)));
    }
    let sizes = assembly.chunks.iter().filter_map(|s| there.get(s));
    let size: u64 = sizes.map(|s| u64::try_from(*s).unwrap_or(0)).sum();
    if size > FILE {
        let what = format!("The file has {size} bytes; at most {FILE} are kept.");
        return Ok(Ready::Now(State::Failed(what)));
    }
    if let Some(why) = inner.beyond(org, size)? {
        return Ok(Ready::Now(State::Failed(why)));
    }
    Ok(Ready::From(Source::Chunks))
}

/// What is answered for a file that is what it is to become already.
fn kept(inner: &Inner, assembly: &Assembly) -> Result<Option<State>, UploadError> {
    let (org, sha1, now) = (assembly.org, &*assembly.sha1, inner.now());
    let sql = &inner.stores.sql;
    match &assembly.purpose {
        Purpose::Bundle { projects, release } => {
            if sql.reading(|c| artifacts::by_sha1(c, org, sha1))?.is_none() {
                return Ok(None);
            }
            let _gate = inner.stores.gates.files.lock();
            let release = release.as_ref().map(|(v, d)| (v.as_str(), d.as_str()));
            let linked = sql.writing(|c| {
                let Some(bundle) = artifacts::by_sha1(c, org, sha1)? else {
                    return Ok(None);
                };
                artifacts::link(c, bundle.id, projects, release, now)?;
                Ok(Some(()))
            })?;
            drop(_gate);
            if linked.is_some() {
                (inner.settings.changed)();
            }
            Ok(linked.map(|()| State::Kept(vec![])))
        }
        Purpose::DebugFile {
            project,
            name,
            debug_id,
        } => {
            let files = sql.reading(|c| debug_files::by_sha1(c, *project, sha1))?;
            // What does not say its id in itself may come again under another one.
            let asked = debug_id
                .clone()
                .or_else(|| symbolicate::object::proguard_id(name));
            let asked = asked.as_deref().and_then(symbolicate::bundle::debug_id);
            let named = files.iter().any(|f| f.debug_id == asked);
            let itself = files.iter().any(|f| {
                !matches!(
                    &*f.kind,
                    "proguard" | "il2cpp" | "bcsymbolmap" | "uuidmap" | "dartsymbolmap"
                )
            });
            Ok((named || itself).then_some(State::Kept(files)))
        }
    }
}

fn begin(uploads: &Uploads, assembly: &Assembly, source: Source) -> Arc<Slot> {
    let mut running = uploads.running.lock();
    running.retain(|_, slot| slot.end.lock().is_none() || slot.began.elapsed() < REMEMBERED);
    if let Some(slot) = running.get(assembly) {
        return slot.clone();
    }
    let slot = Arc::new(Slot {
        end: Mutex::new(None),
        ended: Condvar::new(),
        began: Instant::now(),
    });
    running.insert(assembly.clone(), slot.clone());
    let (inner, assembly, told) = (uploads.inner.clone(), assembly.clone(), slot.clone());
    uploads.readers.spawn(move || {
        let end = guarded(|| work(&inner, &assembly, &source));
        let end = match end {
            Err(UploadError::Refused(why)) => Ok(State::Failed(why)),
            other => other,
        };
        *told.end.lock() = Some(end);
        told.ended.notify_all();
    });
    slot
}

/// The files of the chunks, or those that are lost.
fn pieces(inner: &Inner, assembly: &Assembly) -> Result<Result<Vec<PathBuf>, Vec<String>>, UploadError> {
    let (mut paths, mut lost) = (Vec::new(), Vec::new());
    for sha1 in &assembly.chunks {
        match inner.stores.blobs.file(&chunks::key(assembly.org, sha1)) {
            Ok(path) => paths.push(path),
            Err(BlobError::Missing) if lost.contains(sha1) => {}
            Err(BlobError::Missing) => {
                inner
                    .stores
                    .sql
                    .writing(|c| chunks::remove(c, assembly.org, sha1))?;
                lost.push(sha1.clone());
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(if lost.is_empty() { Ok(paths) } else { Err(lost) })
}

fn join(inner: &Inner, key: &str, sha1: &str, paths: &[PathBuf]) -> Result<(), UploadError> {
    let whole = Checked::new(Joined::new(paths.to_vec()), FILE, Some(sha1));
    let put = inner.put(key, whole);
    put.map(|_| ()).map_err(|e| match e {
        UploadError::Refused(why) => {
            UploadError::Refused(format!("The file could not be put together: {why}."))
        }
        other => other,
    })
}

fn work(inner: &Inner, assembly: &Assembly, source: &Source) -> Result<State, UploadError> {
    let sha1 = &*assembly.sha1;
    let key = match source {
        Source::Kept(key) => key.clone(),
        Source::Chunks => stored_files::key(assembly.org, sha1),
    };
    let mut paths = Vec::new();
    if let Source::Chunks = source {
        paths = match pieces(inner, assembly)? {
            Ok(paths) => paths,
            Err(lost) => return Ok(State::Missing(lost)),
        };
        join(inner, &key, sha1, &paths)?;
    }
    let bring = || match source {
        Source::Chunks => join(inner, &key, sha1, &paths),
        Source::Kept(_) => Err(UploadError::Refused(
            "The file was removed while it was read; upload it again.".into(),
        )),
    };
    // Bytes that come to nothing stay out of the blobs, also if their reader did not survive.
    let done = guarded(|| become_what_it_is(inner, assembly, &key, bring));
    if done.is_err() {
        inner.discard(&key)?;
    }
    done
}

fn become_what_it_is(
    inner: &Inner,
    assembly: &Assembly,
    key: &str,
    bring: impl Fn() -> Result<(), UploadError>,
) -> Result<State, UploadError> {
    let path = inner.stores.blobs.file(key)?;
    let store = |e: std::io::Error| UploadError::Store(e.to_string());
    match &assembly.purpose {
        Purpose::Bundle { projects, release } => {
            let file = File::open(&path).map_err(store)?;
            let size = file.metadata().map_err(store)?.len();
            let read = || Bundle::open(BufReader::new(file))?.manifest();
            let manifest = read().map_err(refused)?;
            if manifest.files.is_empty() {
                return Err(UploadError::Refused(
                    "the bundle holds no minified file, source map or source".into(),
                ));
            }
            note_bundle(
                inner,
                assembly,
                &manifest,
                (projects, release.as_ref()),
                size,
                bring,
            )
        }
        Purpose::DebugFile {
            project,
            name,
            debug_id,
        } => {
            let size = std::fs::metadata(&path).map_err(store)?.len();
            let found = inner.known(&path, name, debug_id.as_deref())?;
            let about = (name.as_str(), &*assembly.sha1, size);
            let files = inner.note_debug_files((assembly.org, *project), about, &found, bring)?;
            Ok(State::Kept(files))
        }
    }
}

fn note_bundle(
    inner: &Inner,
    assembly: &Assembly,
    manifest: &Manifest,
    (projects, release): (&[i64], Option<&(String, String)>),
    size: u64,
    bring: impl Fn() -> Result<(), UploadError>,
) -> Result<State, UploadError> {
    let (org, sha1, now) = (assembly.org, &*assembly.sha1, inner.now());
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let spare = uuid_of(sha1);
    let said = manifest.debug_id();
    let own = manifest
        .attribute("release")
        .map(|version| (version, manifest.attribute("dist").unwrap_or("")));
    let long = |text: &str, most| text.chars().count() > most || text.chars().any(char::is_control);
    if own.is_some_and(|(version, dist)| long(version, 250) || long(dist, 64)) {
        return Err(UploadError::Refused(
            "release or dist in manifest.json is too long or holds a control character".into(),
        ));
    }
    let release = release.map(|(v, d)| (v.as_str(), d.as_str())).or(own);
    let files: Vec<artifacts::BundleFile> = manifest
        .files
        .iter()
        .map(|f| artifacts::BundleFile {
            id: 0,
            path: f.path.clone(),
            url: f.url.clone(),
            kind: f.kind.name().to_owned(),
            debug_id: f.debug_id.clone(),
            source_map: f.source_map.clone(),
            size: i64::try_from(f.size).unwrap_or(i64::MAX),
            headers: serde_json::json!(f.headers),
        })
        .collect();
    inner.note(&stored_files::key(org, sha1), bring, |c| {
        let blob = stored_files::add(c, org, sha1, size, now)?.blob;
        let bundle = match artifacts::by_sha1(c, org, sha1)? {
            Some(bundle) => bundle.id,
            None => artifacts::add(
                c,
                &NewBundle {
                    org,
                    bundle_id: said.as_deref().unwrap_or(&spare),
                    spare_id: &spare,
                    sha1,
                    blob: &blob,
                    size,
                    files: &files,
                },
                now,
            )?,
        };
        artifacts::link(c, bundle, projects, release, now)
    })?;
    (inner.settings.changed)();
    Ok(State::Kept(vec![]))
}

/// A UUID that the content of a file gives.
fn uuid_of(sha1: &str) -> String {
    let part = |from, to| sha1.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
