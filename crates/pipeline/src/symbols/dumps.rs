//! Crash dumps: from the bytes that a client sends to the parts of an event.

use std::collections::HashMap;
use std::path::PathBuf;

use protocol::json::Map;
use serde::{Deserialize, Serialize};
use storage::cache::CacheError;
use symbolicate::files::{Answer, Candidate, Files, Form, Module, Status};
use symbolicate::minidump;

use super::Symbols;
use super::convert::{Job, What, open};
use super::debug_files::DebugFiles;
use super::shelf::hash;
use crate::directory::ProjectEntry;

/// Unwind information of a module, for the process that walks the stacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unwind {
    /// The file.
    pub path: Option<PathBuf>,
    /// How asking for it ended.
    pub status: Status,
    /// Where it was looked for.
    pub candidates: Vec<Candidate>,
}

/// What tells one module of a dump from the others.
fn key(module: &Module<'_>) -> String {
    let text = |t: &Option<std::borrow::Cow<'_, str>>| t.as_deref().unwrap_or_default().to_owned();
    format!(
        "{} {} {:x}",
        text(&module.debug_id),
        text(&module.code_id),
        module.address
    )
}

/// What was found of each module, as whoever walks the stacks asks for it.
struct Found<'f>(&'f HashMap<String, Unwind>);

impl Files for Found<'_> {
    fn find(&self, module: &Module<'_>, _: Form) -> Answer {
        let Some(held) = self.0.get(&key(module)) else {
            return Answer {
                file: None,
                status: Status::Missing,
                candidates: Vec::new(),
            };
        };
        let file = held.path.as_deref().and_then(|path| open(path).ok());
        Answer {
            status: if held.path.is_some() && file.is_none() {
                Status::FetchingFailed
            } else {
                held.status
            },
            file,
            candidates: held.candidates.clone(),
        }
    }
}

/// Walks the stacks of a dump: the parts of an event, as JSON. This is done by a process of its own.
///
/// # Errors
/// What is wrong with the dump.
pub(super) fn walk(bytes: &[u8], unwind: &HashMap<String, Unwind>) -> Result<Vec<u8>, CacheError> {
    let parts = minidump::process(bytes, &Found(unwind)).map_err(|e| CacheError::Bad(e.to_string()))?;
    let mut out = Vec::new();
    protocol::json::Json::Object(parts).write(&mut out);
    Ok(out)
}

/// The parts of an event that a minidump becomes.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn minidump(
    symbols: &Symbols,
    project: &ProjectEntry,
    bytes: &[u8],
) -> Result<Map<'static>, String> {
    let summary = minidump::read(bytes).map_err(|e| e.to_string())?;
    let files = DebugFiles::new(symbols, project);
    let mut unwind = HashMap::new();
    if project.symbols.any_debug_files() {
        for module in &summary.modules {
            let held = files.held(module, Form::Unwind);
            let held = Unwind {
                path: held.path,
                status: held.status,
                candidates: held.candidates,
            };
            unwind.insert(key(module), held);
        }
    }
    let content = hash_of(bytes);
    let dump = symbols.cache.file(&format!("dump-{content}"), &mut |out| {
        std::fs::write(out, bytes).map_err(|e| CacheError::Failed(e.to_string()))
    });
    let dump = dump.map_err(|e| e.to_string())?;
    // What the walk finds follows from the dump and from the files that there were.
    let mut paths: Vec<String> = unwind
        .iter()
        .map(|(key, held)| format!("{key} {:?} {:?}", held.path, held.status))
        .collect();
    paths.sort();
    let paths: Vec<&str> = std::iter::once(content.as_str())
        .chain(paths.iter().map(String::as_str))
        .collect();
    let walked = symbols
        .cache
        .file(&format!("walk2-{}", hash(&paths)), &mut |out| {
            symbols.convert.convert(&Job {
                what: What::Minidump {
                    dump: dump.clone(),
                    unwind: unwind.clone(),
                },
                output: out.to_owned(),
            })
        });
    let parts = walked.and_then(|path| open(&path)).map_err(|e| e.to_string())?;
    let (parts, _) = protocol::json::parse(&parts).map_err(|e| e.to_string())?;
    match parts.into_owned() {
        protocol::json::Json::Object(parts) => Ok(parts),
        _ => Err("the minidump came to nothing".into()),
    }
}

fn hash_of(bytes: &[u8]) -> String {
    use sha1::{Digest as _, Sha1};
    Sha1::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
