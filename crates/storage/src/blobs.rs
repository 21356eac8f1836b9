//! The blob port: attachments and uploaded files by key, as an object store keeps them.

use std::io::Read;
use std::path::PathBuf;

/// Why a blob could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BlobError {
    /// No such blob.
    #[error("no such blob")]
    Missing,
    /// The key holds something other than letters, digits, `.`, `_`, `-` and single slashes.
    #[error("bad blob key")]
    BadKey,
    /// The store refused, with its words.
    #[error("the blob store cannot be used: {0}")]
    Store(String),
}

/// The result of a blob operation.
pub type Result<T> = std::result::Result<T, BlobError>;

/// The port. Keys are paths like `attachments/90-2026-11-26/<sha1>`; putting the same key twice is harmless.
pub trait Blobs: Send + Sync {
    /// Keeps bytes under a key, durable when it answers.
    ///
    /// # Errors
    /// [`BlobError`]; so for the methods below.
    fn put(&self, key: &str, bytes: &[u8]) -> Result<()>;

    /// Keeps what a reader gives, to its end, under a key; answers how many bytes. Large files go this way, as they
    /// are never held in memory. If reading fails nothing is kept.
    fn put_from(&self, key: &str, reader: &mut dyn Read) -> Result<u64>;

    /// A file of this machine that holds the bytes of a key, to be read and not changed. A driver that keeps blobs
    /// elsewhere fetches it first.
    fn file(&self, key: &str) -> Result<PathBuf>;

    /// The bytes of a key.
    fn get(&self, key: &str) -> Result<Vec<u8>>;

    /// The keys that start with a prefix, sorted.
    fn list(&self, prefix: &str) -> Result<Vec<String>>;

    /// Forgets one key; no error if it is not there.
    fn delete(&self, key: &str) -> Result<()>;

    /// Forgets every key under a prefix that ends with a slash.
    fn delete_prefix(&self, prefix: &str) -> Result<()>;
}

/// Whether a key may be used.
pub fn valid_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 512
        && key.split('/').all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        })
}
