//! The port of files that clients upload in pieces, as the API calls it. Its driver keeps, checks and reads them;
//! what is kept is asked of [`crate::relational`].

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::relational::debug_files::DebugFile;
use crate::relational::release_files::ReleaseFile;

/// The most bytes of a chunk before it is compressed.
pub const CHUNK: u64 = 8 << 20;
/// Chunks of one request.
pub const CHUNKS_PER_REQUEST: usize = 64;
/// Bytes of the chunks of one request, before they are compressed.
pub const REQUEST: u64 = 32 << 20;
/// The most bytes of a file.
pub const FILE: u64 = 2 << 30;
/// Requests that a client may send at once.
pub const CONCURRENCY: u64 = 8;
/// Chunks of a file; clients that cut smaller ones may send more of them.
pub const CHUNKS: usize = 4096;
/// Bytes of chunks that wait in an organization to be put together.
pub const WAITING: i64 = 32 << 30;
/// Bytes of a file in a zip archive that is uploaded whole, or that is taken out of a bundle.
pub const ENTRY: u64 = 512 << 20;

/// What a file is to become.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// An artifact bundle.
    Bundle {
        /// Of these projects, of which there is one at least.
        projects: Vec<i64>,
        /// Of this version and dist, which is empty if there is none; if not given, as its manifest says.
        release: Option<(String, String)>,
    },
    /// A debug file.
    DebugFile {
        /// Of this project.
        project: i64,
        /// Its name.
        name: String,
        /// Its debug id, for files that do not say theirs.
        debug_id: Option<String>,
    },
}

/// A file that is to be put together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Assembly {
    /// Its organization.
    pub org: i64,
    /// SHA-1 of the whole, lower case hex.
    pub sha1: String,
    /// SHA-1 of its chunks in order.
    pub chunks: Vec<String>,
    /// What it is to become.
    pub purpose: Purpose,
}

/// How far a file is.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// These chunks are not there.
    Missing(Vec<String>),
    /// It is being put together and read.
    Assembling,
    /// It is kept; the debug files that were in it, if it is one.
    Kept(Vec<DebugFile>),
    /// It is not kept: one sentence for whoever uploaded it.
    Failed(String),
}

/// Why something was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// What came is at fault: one sentence for whoever sent it.
    #[error("{0}")]
    Refused(String),
    /// The server cannot keep anything now.
    #[error("{0}")]
    Unavailable(String),
    /// A store failed.
    #[error("{0}")]
    Store(String),
}

impl From<crate::sql::SqlError> for UploadError {
    fn from(e: crate::sql::SqlError) -> UploadError {
        match e {
            crate::sql::SqlError::Unavailable(what) => UploadError::Unavailable(what),
            other => UploadError::Store(other.to_string()),
        }
    }
}

impl From<crate::blobs::BlobError> for UploadError {
    fn from(e: crate::blobs::BlobError) -> UploadError {
        UploadError::Store(e.to_string())
    }
}

/// The port. Methods block.
pub trait Uploads: Send + Sync {
    /// A folder for the bodies of requests while they are read. It is emptied at every start.
    fn folder(&self) -> &Path;

    /// The bytes that an organization may keep.
    fn limit(&self) -> Option<u64>;

    /// Why nothing can be taken now, if so.
    fn unwell(&self) -> Option<String>;

    /// Keeps a chunk, whose bytes must have the SHA-1 that names it.
    ///
    /// # Errors
    /// [`UploadError`]; so for the methods below.
    fn chunk(&self, org: i64, sha1: &str, gzip: bool, body: &mut dyn Read) -> Result<(), UploadError>;

    /// Begins to put a file together, and says how far that is once it has waited so long.
    fn assemble(&self, assembly: &Assembly, patience: Duration) -> Result<State, UploadError>;

    /// Keeps a file of a release, whose SHA-1, size, blob and dates are filled in; none if the release has one of
    /// this name.
    fn release_file(
        &self,
        file: ReleaseFile,
        body: &mut dyn Read,
    ) -> Result<Option<ReleaseFile>, UploadError>;

    /// Keeps a debug file, or those in a zip archive, of which others are left out, for an organization's project.
    fn debug_files(
        &self,
        project: (i64, i64),
        name: &str,
        body: &mut dyn Read,
    ) -> Result<Vec<DebugFile>, UploadError>;

    /// A file of a bundle by the key of the bundle and its name in it: what reads it, and its bytes.
    fn bundled(&self, blob: &str, path: &str) -> Result<(Box<dyn Read + Send>, u64), UploadError>;

    /// Removes files that nothing names any more, of an organization; the job does so as well, later.
    fn tidy(&self, org: i64) -> Result<(), UploadError>;
}

/// Whether a text is a SHA-1 as clients write it.
pub fn is_sha1(text: &str) -> bool {
    text.len() == 40
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
