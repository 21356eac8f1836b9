//! Debug files for the events of a project, in the forms that are looked up in.

use std::path::PathBuf;
use std::sync::Arc;

use storage::cache::CacheError;
use storage::relational::debug_files::{self, DebugFile};
use symbolicate::bundle::debug_id;
use symbolicate::files::{Answer, Candidate, Files, Form, Module, Status};

use super::Symbols;
use super::convert::{Job, What, open};
use super::shelf::hash;
use super::sources::Asking;
use crate::directory::ProjectEntry;

/// How long an answer is remembered, µs; an upload makes all be forgotten at once.
const REMEMBER: i64 = 600_000_000;
/// A use is noted when the last one that is known is older than this, µs.
const DAY: i64 = 86_400_000_000;
/// Files of one id that are tried for a form.
const TRIED: usize = 5;

/// The files of a project.
pub(super) struct DebugFiles<'s> {
    symbols: &'s Symbols,
    project: &'s ProjectEntry,
    asking: Asking<'s>,
}

/// An answer that can be given to another process.
pub(super) struct Held {
    /// The file.
    pub(super) path: Option<PathBuf>,
    /// How asking ended.
    pub(super) status: Status,
    /// Where it was looked for.
    pub(super) candidates: Vec<Candidate>,
}

/// How well a file serves for a form; `None` if it does not.
fn rank(file: &DebugFile, form: Form) -> Option<u8> {
    rank_of(&file.kind, &|feature| file.has(feature), form)
}

/// The same of a kind and its features.
pub(super) fn rank_of(kind: &str, has: &dyn Fn(&str) -> bool, form: Form) -> Option<u8> {
    let of_kind = |other: &str| kind == other;
    match form {
        // Lines before mere names, what a compiler wrote before what was derived from it.
        Form::Symbols if of_kind("portablepdb") || of_kind("sourcebundle") => None,
        Form::Symbols if has("debug") => Some(u8::from(of_kind("breakpad"))),
        Form::Symbols => has("symtab").then_some(if of_kind("breakpad") { 3 } else { 2 }),
        Form::Unwind => has("unwind").then_some(u8::from(of_kind("breakpad"))),
        Form::PortablePdb => (of_kind("portablepdb") || (of_kind("pe") && has("debug"))).then_some(0),
        Form::Sources if of_kind("sourcebundle") => Some(0),
        Form::Sources => has("sources").then_some(1),
        Form::Il2cpp => of_kind("il2cpp").then_some(0),
        Form::Proguard => of_kind("proguard").then_some(0),
    }
}

/// The name of a form in names of files.
pub(super) fn name_of(form: Form) -> &'static str {
    match form {
        Form::Symbols => "symbols1",
        Form::Unwind => "unwind1",
        Form::PortablePdb => "ppdb1",
        Form::Sources => "sources1",
        Form::Il2cpp => "il2cpp1",
        Form::Proguard => "proguard1",
    }
}

impl<'s> DebugFiles<'s> {
    pub(super) fn new(symbols: &'s Symbols, project: &'s ProjectEntry) -> DebugFiles<'s> {
        let asking = Asking::new(symbols, &project.symbols.sources);
        DebugFiles {
            symbols,
            project,
            asking,
        }
    }

    /// What the project has of a module.
    fn uploaded(&self, module: &Module<'_>) -> Arc<Vec<DebugFile>> {
        if !self.project.symbols.debug_files {
            return Arc::default();
        }
        let symbols = self.symbols;
        let (debug, code) = (
            module.debug_id.as_deref().and_then(debug_id).unwrap_or_default(),
            module.code_id.as_deref().unwrap_or_default().to_ascii_lowercase(),
        );
        let project = self.project.project.id;
        let key = (project, format!("{debug} {code}"));
        let (generation, now) = (symbols.directory.generation(), symbols.stores.clock.now());
        if let Some(known) = symbols.debug_files.get(generation, &key, now) {
            return known;
        }
        let found = symbols.stores.sql.reading(|c| {
            let found = debug_files::by_debug_id(c, project, &debug)?;
            if found.is_empty() {
                debug_files::by_code_id(c, project, &code)
            } else {
                Ok(found)
            }
        });
        match found {
            Ok(found) => {
                let found = Arc::new(found);
                symbols
                    .debug_files
                    .put(generation, key, found.clone(), now + REMEMBER);
                found
            }
            Err(e) => {
                tracing::error!(error = %e, "debug files cannot be looked up; frames stay as they came");
                Arc::default()
            }
        }
    }

    /// A form of a file.
    fn form(&self, file: &DebugFile, form: Form) -> Result<PathBuf, CacheError> {
        let id = file.debug_id.clone();
        let name = format!(
            "{}-{}",
            name_of(form),
            hash(&[&file.sha1, id.as_deref().unwrap_or_default()])
        );
        self.symbols.cache.file(&name, &mut |out| {
            let blob = self.symbols.stores.blobs.file(&file.blob);
            self.symbols.convert.convert(&Job {
                what: What::Form {
                    form,
                    file: blob.map_err(|e| CacheError::Failed(e.to_string()))?,
                    debug_id: id.clone(),
                },
                output: out.to_owned(),
            })
        })
    }

    fn note(&self, file: &DebugFile) {
        let now = self.symbols.stores.clock.now();
        if now - file.date_used < DAY {
            return;
        }
        // Known for a while: the next event must not write it again.
        let key = format!("used {}", file.id);
        if self.symbols.noted.get(0, &key, now).is_some() {
            return;
        }
        self.symbols.noted.put(0, key, (), now + DAY);
        let used = self
            .symbols
            .stores
            .sql
            .writing(|c| debug_files::used(c, &[file.id], now));
        if let Err(e) = used {
            tracing::warn!(error = %e, "the use of a debug file could not be noted");
        }
    }

    /// A form of the file of a module, as a file of this machine.
    pub(super) fn held(&self, module: &Module<'_>, form: Form) -> Held {
        let files = self.uploaded(module);
        let mut fit: Vec<(u8, &DebugFile)> = files.iter().filter_map(|f| Some((rank(f, form)?, f))).collect();
        fit.sort_by_key(|(rank, _)| *rank);
        let mut candidates = Vec::new();
        let mut worst = Status::Missing;
        for (_, file) in fit.into_iter().take(TRIED) {
            let mut candidate = Candidate {
                source: "uploaded".into(),
                location: file.object_name.clone(),
                status: Status::Found,
                details: None,
            };
            match self.form(file, form) {
                Ok(path) => {
                    self.note(file);
                    candidates.push(candidate);
                    return Held {
                        path: Some(path),
                        status: Status::Found,
                        candidates,
                    };
                }
                Err(e) => {
                    candidate.status = match e {
                        CacheError::Bad(_) => Status::Malformed,
                        CacheError::Failed(_) => Status::FetchingFailed,
                    };
                    worst = candidate.status;
                    candidate.details = Some(e.to_string());
                    candidates.push(candidate);
                }
            }
        }
        let asked = self.asking.held(module, form);
        candidates.extend(asked.candidates);
        Held {
            path: asked.path,
            status: match asked.status {
                Status::Missing => worst,
                status => status,
            },
            candidates,
        }
    }
}

impl Files for DebugFiles<'_> {
    fn find(&self, module: &Module<'_>, form: Form) -> Answer {
        let held = self.held(module, form);
        let file = held.path.as_deref().map(open);
        let (file, status) = match file {
            Some(Ok(file)) => (Some(file), held.status),
            Some(Err(_)) => (None, Status::FetchingFailed),
            None => (None, held.status),
        };
        Answer {
            file,
            status,
            candidates: held.candidates,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: &str, features: &[&str]) -> DebugFile {
        DebugFile {
            kind: kind.into(),
            features: features.iter().map(|f| (*f).to_owned()).collect(),
            ..DebugFile::default()
        }
    }

    #[test]
    fn the_best_file_serves() {
        let debug = file("elf", &["symtab", "debug"]);
        let stripped = file("elf", &["symtab", "unwind"]);
        let breakpad = file("breakpad", &["debug", "unwind"]);
        let sources = file("sourcebundle", &["sources"]);
        let by = |form: Form, f: &DebugFile| rank(f, form);
        assert!(by(Form::Symbols, &debug) < by(Form::Symbols, &breakpad));
        assert!(by(Form::Symbols, &breakpad) < by(Form::Symbols, &stripped));
        assert_eq!(by(Form::Symbols, &sources), None);
        assert_eq!(by(Form::Unwind, &debug), None);
        assert!(by(Form::Unwind, &stripped) < by(Form::Unwind, &breakpad));
        assert_eq!(by(Form::Sources, &sources), Some(0));
        assert_eq!(by(Form::Proguard, &file("proguard", &["mapping"])), Some(0));
    }
}
