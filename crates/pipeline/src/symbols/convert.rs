//! Reading uploaded files into forms to look up in: the part that foreign bytes could make expensive. It is one job
//! on files, so that it can be done by a process of its own, under limits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::cache::CacheError;
use symbolicate::convert::ConvertError;
use symbolicate::files::{ByteView, Bytes};

/// Maps a file of this machine.
///
/// # Errors
/// As the disk says.
pub fn open(path: &Path) -> Result<Bytes, CacheError> {
    let view = ByteView::open(path).map_err(|e| CacheError::Failed(format!("{}: {e}", path.display())))?;
    Ok(Arc::new(view))
}

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A source map with its script, if that was found.
    SourceMap {
        /// The script.
        script: Option<PathBuf>,
        /// The map.
        map: PathBuf,
    },
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        }
    }
}

/// Whoever does jobs, under limits of time and memory.
pub trait Convert: Send + Sync {
    /// Does a job.
    ///
    /// # Errors
    /// [`CacheError::Bad`] if the file is at fault, or too much for the limits.
    fn convert(&self, job: &Job) -> Result<(), CacheError>;
}

/// Does a job in this process.
///
/// # Errors
/// As [`Convert::convert`].
pub fn run(job: &Job) -> Result<(), CacheError> {
    let bytes = match &job.what {
        What::SourceMap { script, map } => {
            let script = script.as_deref().map(open).transpose()?;
            let map = open(map)?;
            symbolicate::js::map::convert(script.as_ref().map(|s| &***s), &map)
        }
    };
    let bytes = bytes.map_err(|e| match e {
        ConvertError::Malformed(why) => CacheError::Bad(why),
        ConvertError::Empty => CacheError::Bad(ConvertError::Empty.to_string()),
    })?;
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
