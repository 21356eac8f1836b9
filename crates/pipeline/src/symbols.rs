//! Symbolication with everything around it: who has files, what is remembered, what is made of uploads, and under
//! which limits. What is done with frames is `symbolicate`'s, as functions of bytes.

pub mod convert;
mod debug_files;
pub mod dumps;
mod fetch;
mod gcs;
mod known;
mod s3;
pub mod settings;
mod shelf;
pub mod source;
mod sources;
mod web;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use processing::Symbolicate;
use protocol::json::{Json, Map};
use storage::cache::Cache;
use storage::outgoing::Outgoing;
use storage::relational::debug_files::DebugFile;
use storage::stores::Stores;
use symbolicate::{apple, js, jvm, native};

use self::convert::Convert;
use self::debug_files::DebugFiles;
use self::fetch::Memory;
use self::known::Known;
use self::shelf::{Place, Question, Shelf};
use crate::directory::Directory;

pub use self::shelf::names;

/// The largest file of an archive that is read, bytes.
const LARGEST: u64 = 512 << 20;

/// Symbolication for every project.
pub struct Symbols {
    /// The stores.
    pub stores: Stores,
    /// What projects have.
    pub directory: Arc<Directory>,
    /// Files that are made of uploads and fetched ones.
    pub cache: Arc<dyn Cache>,
    /// Who makes them.
    pub convert: Arc<dyn Convert>,
    /// Asks other servers.
    pub outgoing: Arc<dyn Outgoing>,
    places: Known<Question, Option<Arc<Place>>>,
    /// Files that were not to be had from other servers, and servers that did not answer.
    unfetched: Memory,
    /// Scripts that did not come.
    unscraped: Memory,
    /// Tokens for stores of files.
    tokens: Known<String, String>,
    debug_files: Known<(i64, String), Arc<Vec<DebugFile>>>,
    /// Uses that were written down.
    noted: Known<String, ()>,
}

impl Symbols {
    /// With nothing remembered.
    pub fn new(
        stores: Stores,
        directory: Arc<Directory>,
        cache: Arc<dyn Cache>,
        convert: Arc<dyn Convert>,
        outgoing: Arc<dyn Outgoing>,
    ) -> Symbols {
        Symbols {
            stores,
            directory,
            cache,
            convert,
            outgoing,
            places: Known::default(),
            unfetched: Memory::default(),
            unscraped: Memory::default(),
            tokens: Known::default(),
            debug_files: Known::default(),
            noted: Known::default(),
        }
    }
}

impl Symbolicate for Symbols {
    fn crash(&self, kind: &str, bytes: &[u8], project: u64) -> Result<Map<'static>, String> {
        let project = self.directory.project(project).ok_or("the project is gone")?;
        let read = || match kind {
            "event.applecrashreport" => apple::process(bytes).map_err(|e| e.to_string()),
            _ => dumps::minidump(self, &project, bytes),
        };
        catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
            let error = crate::worker::prepare::said(&*panic);
            tracing::error!(error, "reading a crash report failed");
            Err(format!("reading it failed: {error}"))
        })
    }

    fn view_hierarchy(&self, bytes: &[u8], event: &Map<'_>, project: u64) -> Option<Vec<u8>> {
        let project = self.directory.project(project)?;
        if !project.symbols.debug_files || !jvm::concerns(event) {
            return None;
        }
        let renamed = || jvm::view_hierarchy(bytes, event, &DebugFiles::new(self, &project));
        catch_unwind(AssertUnwindSafe(renamed)).unwrap_or_else(|panic| {
            let error = crate::worker::prepare::said(&*panic);
            tracing::error!(
                error,
                "naming the views of a screen failed; they are kept as they came"
            );
            None
        })
    }

    fn symbolicate(&self, event: &mut Map<'_>, project: u64) {
        let Some(project) = self.directory.project(project) else {
            return;
        };
        // Also without any debug file an event of bare addresses says what is missing of which module.
        let native = native::concerns(event) && (project.symbols.debug_files || native::is_bare(event));
        if native || (project.symbols.debug_files && jvm::concerns(event)) {
            guarded(event, |event| {
                let files = DebugFiles::new(self, &project);
                jvm::apply(event, &files);
                native::apply(event, &files);
            });
        }
        if (project.symbols.scripts || project.symbols.fetch) && js::concerns(event) {
            guarded(event, |event| {
                js::apply(event, &Shelf::new(self, &project));
            });
        }
    }
}

/// Does something with an event; if it panics the event stays as it was, and says so.
fn guarded<'a>(event: &mut Map<'a>, work: impl Fn(&mut Map<'a>)) {
    let begun = std::time::Instant::now();
    let mut copy = event.clone();
    match catch_unwind(AssertUnwindSafe(|| work(&mut copy))) {
        Ok(()) => *event = copy,
        Err(panic) => {
            let error = crate::worker::prepare::said(&*panic);
            tracing::error!(error, "symbolication failed; the event is kept as it came");
            let errors = event.entry("errors");
            if errors.as_array().is_none() {
                *errors = Json::Array(Vec::new());
            }
            if let Some(list) = errors.as_array_mut() {
                let mut entry = Map::new();
                entry.set("type", "symbolication_failed");
                entry.set("details", error);
                list.push(Json::Object(entry));
            }
        }
    }
    metrics::histogram!("vedette_symbolicate_seconds").record(begun.elapsed().as_secs_f64());
}
