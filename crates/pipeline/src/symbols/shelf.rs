//! Scripts, maps and sources for the events of a project: from uploads, and from the web where that is allowed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sha1::{Digest as _, Sha1};
use storage::cache::CacheError;
use storage::relational::{artifacts, release_files};
use storage::sql::SqlError;
use symbolicate::bundle::Bundle;
use symbolicate::files::Bytes;
use symbolicate::js::{Artifact, Artifacts, Build, FetchError, Found, Kind, urls};

use super::convert::{Job, What, open};
use super::web;
use super::{LARGEST, Symbols};
use crate::directory::ProjectEntry;

/// How long an answer is remembered, µs; an upload makes all be forgotten at once.
const REMEMBER: i64 = 600_000_000;
/// A use is noted when the last one that is known is older than this, µs.
const DAY: i64 = 86_400_000_000;
/// Files that are fetched from the web for an event, at most.
const FETCHES: usize = 20;

/// How long files may be fetched for an event.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// A file by its debug id.
    DebugId(i64, String, Kind),
    /// A file by release, dist and name.
    Name(i64, String, String, String),
}

/// Where a file lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// The blob.
    blob: String,
    /// The name of the blob's content.
    sha1: String,
    /// The file in it, if it is an archive.
    path: Option<String>,
    /// Its address as it was uploaded.
    url: String,
    /// The map that its headers name.
    map: Option<String>,
    found: Found,
}

/// Everything for the events of one project.
pub struct Shelf<'s> {
    symbols: &'s Symbols,
    project: &'s ProjectEntry,
    fetched: AtomicUsize,
    begun: Instant,
}

impl<'s> Shelf<'s> {
    /// What a project has.
    pub fn new(symbols: &'s Symbols, project: &'s ProjectEntry) -> Shelf<'s> {
        Shelf {
            symbols,
            project,
            fetched: AtomicUsize::new(0),
            begun: Instant::now(),
        }
    }

    /// Asks once, and remembers.
    fn ask(
        &self,
        question: Question,
        look: impl FnOnce(&mut dyn storage::sql::Connection) -> Result<Option<Place>, SqlError>,
    ) -> Option<Place> {
        let symbols = self.symbols;
        let (generation, now) = (symbols.directory.generation(), symbols.stores.clock.now());
        if let Some(known) = symbols.places.get(generation, &question, now) {
            return known.map(|p: Arc<Place>| Place::clone(&p));
        }
        let mut look = Some(look);
        let answer = symbols.stores.sql.reading(|c| match look.take() {
            Some(look) => look(c),
            None => Ok(None),
        });
        match answer {
            Ok(place) => {
                let kept = place.clone().map(Arc::new);
                symbols.places.put(generation, question, kept, now + REMEMBER);
                place
            }
            Err(e) => {
                tracing::error!(error = %e, "uploaded files cannot be looked up; frames stay as they came");
                None
            }
        }
    }

    fn note(
        &self,
        date_used: i64,
        write: impl Fn(&mut dyn storage::sql::Connection, i64) -> Result<(), SqlError>,
    ) {
        let now = self.symbols.stores.clock.now();
        if now - date_used < DAY {
            return;
        }
        if let Err(e) = self.symbols.stores.sql.writing(|c| write(c, now)) {
            tracing::warn!(error = %e, "the use of an upload could not be noted");
        }
    }

    /// The file at a place, as a file of the cache.
    fn artifact(&self, place: &Place) -> Option<Artifact> {
        let made_of = format!("{}/{}", place.sha1, place.path.as_deref().unwrap_or_default());
        let key = format!("file-{}", hash(&[&made_of]));
        let file = match &place.path {
            None => self
                .symbols
                .stores
                .blobs
                .file(&place.blob)
                .map_err(|e| CacheError::Failed(e.to_string())),
            Some(path) => self
                .symbols
                .cache
                .file(&key, &mut |out| self.extract(place, path, out)),
        };
        match file.and_then(|file| Ok((open(&file)?, file))) {
            Ok((bytes, file)) => Some(Artifact {
                key,
                url: place.url.clone(),
                bytes,
                path: Some(file),
                map: place.map.clone(),
                found: place.found,
            }),
            Err(e) => {
                tracing::warn!(error = %e, file = place.url, "an uploaded file cannot be read");
                None
            }
        }
    }

    fn extract(&self, place: &Place, path: &str, out: &Path) -> Result<(), CacheError> {
        let failed = |e: String| CacheError::Failed(e);
        let blob = self
            .symbols
            .stores
            .blobs
            .file(&place.blob)
            .map_err(|e| failed(e.to_string()))?;
        let file = std::fs::File::open(blob).map_err(|e| failed(e.to_string()))?;
        let mut bundle =
            Bundle::open(std::io::BufReader::new(file)).map_err(|e| CacheError::Bad(e.to_string()))?;
        let bytes = bundle
            .read(path, LARGEST)
            .map_err(|e| CacheError::Bad(e.to_string()))?;
        std::fs::write(out, bytes).map_err(|e| failed(e.to_string()))
    }

    fn placed(&self, found: artifacts::Found, by: Found) -> Place {
        let bundle = found.bundle.id;
        self.note(found.bundle.date_used, |c, now| artifacts::used(c, bundle, now));
        Place {
            blob: found.bundle.blob,
            sha1: found.bundle.sha1,
            path: Some(found.file.path),
            url: found.file.url.unwrap_or_default(),
            map: found.file.source_map,
            found: by,
        }
    }

    fn by_one_name(&self, version: &str, dist: &str, name: &str) -> Option<Place> {
        let (org, project) = (self.project.project.org_id, self.project.project.id);
        let question = Question::Name(project, version.to_owned(), dist.to_owned(), name.to_owned());
        let (mut bundle, mut single) = (None, None);
        let place = self.ask(question, |c| {
            bundle = artifacts::by_url(c, (org, project), (version, dist), name)?;
            if bundle.is_none() {
                single = release_files::by_name(c, (org, project), (version, dist), name)?;
            }
            let of_bundle = bundle.clone().map(|f| Place {
                blob: f.bundle.blob,
                sha1: f.bundle.sha1,
                path: Some(f.file.path),
                url: f.file.url.unwrap_or_default(),
                map: f.file.source_map,
                found: Found::Release,
            });
            Ok(of_bundle.or_else(|| {
                single.clone().map(|f| Place {
                    map: header(&f.headers, &["sourcemap", "x-sourcemap"]),
                    blob: f.blob,
                    sha1: f.sha1,
                    path: None,
                    url: f.name,
                    found: Found::ReleaseFile,
                })
            }))
        });
        if let Some(found) = bundle {
            self.placed(found, Found::Release);
        } else if let Some(file) = single {
            self.note(file.date_used, |c, now| release_files::used(c, file.id, now));
        }
        place
    }
}

/// A header of an upload by one of its names, in whatever case.
fn header(headers: &serde_json::Value, names: &[&str]) -> Option<String> {
    let named = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    let map = headers.as_object()?;
    let (_, value) = map.iter().find(|(name, _)| named(name))?;
    value.as_str().map(str::to_owned)
}

/// The name of what is made of these.
pub(super) fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha1::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

impl Artifacts for Shelf<'_> {
    fn by_debug_id(&self, id: &str, kind: Kind) -> Option<Artifact> {
        let (org, project) = (self.project.project.org_id, self.project.project.id);
        let name = match kind {
            Kind::Script => "minified_source",
            Kind::Map => "source_map",
            Kind::Source => "source",
        };
        let mut seen = None;
        let place = self.ask(Question::DebugId(project, id.to_owned(), kind), |c| {
            seen = artifacts::by_debug_id(c, org, project, id, name)?;
            Ok(seen.clone().map(|f| Place {
                blob: f.bundle.blob,
                sha1: f.bundle.sha1,
                path: Some(f.file.path),
                url: f.file.url.unwrap_or_default(),
                map: f.file.source_map,
                found: Found::DebugId,
            }))
        });
        if let Some(found) = seen {
            self.placed(found, Found::DebugId);
        }
        self.artifact(&place?)
    }

    fn by_name(&self, build: Build<'_>, names: &[String]) -> Option<Artifact> {
        let version = build.release?;
        if !self.project.symbols.scripts {
            return None;
        }
        let dist = build.dist.unwrap_or_default();
        // Files that were uploaded without a distribution are of all of them.
        let dists = if dist.is_empty() { vec![""] } else { vec![dist, ""] };
        let places = dists
            .iter()
            .flat_map(|dist| names.iter().map(move |name| (dist, name)));
        for (dist, name) in places {
            if let Some(place) = self.by_one_name(version, dist, name) {
                return self.artifact(&place);
            }
        }
        None
    }

    fn fetches(&self) -> bool {
        self.project.symbols.fetch
    }

    fn fetch(&self, url: &str) -> Result<Artifact, FetchError> {
        if self.fetched.fetch_add(1, Ordering::Relaxed) >= FETCHES {
            return Err(FetchError {
                reason: "other",
                details: format!("{FETCHES} files were fetched for this event, and no more are"),
            });
        }
        if self.begun.elapsed() > PATIENCE {
            return Err(FetchError {
                reason: "timeout",
                details: format!(
                    "files were fetched for this event for {} s, and no more are",
                    PATIENCE.as_secs()
                ),
            });
        }
        web::fetch(self.symbols, self.project, url)
    }

    fn ready(&self, script: Option<&Artifact>, map: &Artifact) -> Result<Bytes, String> {
        let script_key = script.map_or("", |s| s.key.as_str());
        let name = format!("map1-{}", hash(&[script_key, &map.key]));
        let file = self.symbols.cache.file(&name, &mut |out| {
            let path = |a: &Artifact| -> Result<PathBuf, CacheError> {
                a.path
                    .clone()
                    .ok_or_else(|| CacheError::Failed("it is not on disk".into()))
            };
            self.symbols.convert.convert(&Job {
                what: What::SourceMap {
                    script: script.map(path).transpose()?,
                    map: path(map)?,
                },
                output: out.to_owned(),
            })
        });
        file.and_then(|file| open(&file)).map_err(|e| e.to_string())
    }

    fn inline(&self, script: &Artifact, bytes: Vec<u8>) -> Result<Artifact, String> {
        let key = format!("inline-{}", hash(&[&script.key]));
        let file = self.symbols.cache.file(&key, &mut |out| {
            std::fs::write(out, &bytes).map_err(|e| CacheError::Failed(e.to_string()))
        });
        let file = file.map_err(|e| e.to_string())?;
        Ok(Artifact {
            bytes: open(&file).map_err(|e| e.to_string())?,
            path: Some(file),
            key,
            url: script.url.clone(),
            map: None,
            found: Found::Inline,
        })
    }
}

/// The names under which a release could hold what stands at an address, for people who look for it; none for what
/// engines and runtimes bring along.
pub fn names(url: &str) -> Vec<String> {
    if urls::is_mappable(url) {
        urls::candidates(url)
    } else {
        Vec::new()
    }
}
