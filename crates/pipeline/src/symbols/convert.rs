//! Reading uploaded files into forms to look up in: the part that foreign bytes could make expensive. It is one job
//! on files, so that it can be done by a process of its own, under limits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::cache::CacheError;
use symbolicate::convert::ConvertError;
use symbolicate::files::{ByteView, Bytes, Form};
use symbolicate::object::{Found, InspectError, inspect};

use super::LARGEST;
use super::dumps::{self, Unwind};

/// Maps a file of this machine.
///
/// # Errors
/// As the disk says.
pub fn open(path: &Path) -> Result<Bytes, CacheError> {
    let view = ByteView::open(path).map_err(|e| CacheError::Failed(format!("{}: {e}", path.display())))?;
    Ok(Arc::new(view))
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A source map with its script, if that was found.
    SourceMap {
        /// The script.
        script: Option<PathBuf>,
        /// The map.
        map: PathBuf,
    },
    /// A debug file.
    Form {
        /// What is made of it.
        form: Form,
        /// The file.
        file: PathBuf,
        /// Which of its objects.
        debug_id: Option<String>,
    },
    /// What a debug file is: the objects in it as JSON, none if its format is not known.
    Inspect {
        /// The file.
        file: PathBuf,
        /// Its name, which may say its id.
        name: String,
        /// Its id, if it does not say so in itself.
        id: Option<String>,
    },
    /// A cabinet, whose file comes out as it is.
    Cabinet {
        /// The cabinet.
        file: PathBuf,
    },
    /// A minidump, whose stacks are walked: the parts of an event, as JSON.
    Minidump {
        /// The dump.
        dump: PathBuf,
        /// Unwind information by module.
        unwind: HashMap<String, Unwind>,
    },
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// What is to be read.
    pub what: What,
    /// Where the form goes.
    pub output: PathBuf,
}

impl Job {
    /// The files that it reads.
    pub fn inputs(&self) -> Vec<&Path> {
        match &self.what {
            What::SourceMap { script, map } => script.as_deref().into_iter().chain([map.as_path()]).collect(),
            What::Form { file, .. } | What::Inspect { file, .. } | What::Cabinet { file } => vec![file],
            What::Minidump { dump, .. } => vec![dump],
        }
    }
}

/// What a debug file is: see [`What::Inspect`]. `output` is a place for the answer, which is gone afterwards.
///
/// # Errors
/// As [`Convert::convert`].
pub fn objects(
    convert: &dyn Convert,
    (file, name, id): (&Path, &str, Option<&str>),
    output: &Path,
) -> Result<Vec<Found>, CacheError> {
    let made = convert.convert(&Job {
        what: What::Inspect {
            file: file.to_owned(),
            name: name.to_owned(),
            id: id.map(str::to_owned),
        },
        output: output.to_owned(),
    });
    let said = made.and_then(|()| std::fs::read(output).map_err(|e| failed(output, &e)));
    let _ = std::fs::remove_file(output);
    serde_json::from_slice(&said?).map_err(|e| CacheError::Failed(e.to_string()))
}

/// Whoever does jobs, under limits of time and memory.
pub trait Convert: Send + Sync {
    /// Does a job.
    ///
    /// # Errors
    /// [`CacheError::Bad`] if the file is at fault, or too much for the limits.
    fn convert(&self, job: &Job) -> Result<(), CacheError>;
}

fn failed(path: &Path, e: &std::io::Error) -> CacheError {
    CacheError::Failed(format!("{}: {e}", path.display()))
}

fn create(path: &Path) -> Result<std::fs::File, CacheError> {
    std::fs::File::create(path).map_err(|e| failed(path, &e))
}

fn bad(e: ConvertError) -> CacheError {
    CacheError::Bad(e.to_string())
}

/// Does a job in this process.
///
/// # Errors
/// As [`Convert::convert`].
pub fn run(job: &Job) -> Result<(), CacheError> {
    let bytes = match &job.what {
        What::SourceMap { script, map } => {
            let script = script.as_deref().map(open).transpose()?;
            let mut out = std::io::BufWriter::new(create(&job.output)?);
            symbolicate::js::map::write(script.as_ref().map(|s| &***s), &open(map)?, &mut out)
                .map_err(bad)?;
            return out
                .into_inner()
                .map(|_| ())
                .map_err(|e| failed(&job.output, e.error()));
        }
        What::Form { form, file, debug_id } => {
            symbolicate::convert::convert(*form, &open(file)?, debug_id.as_deref()).map_err(bad)?
        }
        What::Inspect { file, name, id } => {
            let found = match inspect(&open(file)?, name, id.as_deref()) {
                Err(InspectError::Unknown) => Vec::new(),
                other => other.map_err(|e| CacheError::Bad(e.to_string()))?,
            };
            serde_json::to_vec(&found).map_err(|e| CacheError::Failed(e.to_string()))?
        }
        What::Cabinet { file } => {
            let mut out = create(&job.output)?;
            return symbolicate::cabinet::unpack(&open(file)?, LARGEST, &mut out)
                .map_err(|e| failed(&job.output, &e))?
                .map_err(bad);
        }
        What::Minidump { dump, unwind } => dumps::walk(&open(dump)?, unwind)?,
    };
    std::fs::write(&job.output, bytes)
        .map_err(|e| CacheError::Failed(format!("{}: {e}", job.output.display())))
}

/// Does jobs in this process, for tests and tools.
#[derive(Debug, Clone, Copy)]
pub struct Here;

impl Convert for Here {
    fn convert(&self, job: &Job) -> Result<(), CacheError> {
        run(job)
    }
}
