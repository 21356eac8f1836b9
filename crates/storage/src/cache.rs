//! The cache port: files on a disk of this machine that can be made again, all together under one limit. What was not
//! used for a week goes by itself.

use std::path::{Path, PathBuf};

/// Why there is no file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made, and making it again would end the same way: this is remembered for a day.
    #[error("{0}")]
    Bad(String),
    /// It could not be made this time.
    #[error("{0}")]
    Failed(String),
}

/// The port. Names are made of letters, digits, `-` and `_`, and say all that a file is made of: the same name is the
/// same content.
pub trait Cache: Send + Sync {
    /// The file of a name. If it is not there, `make` writes it to the path that it is given; whoever asks for the
    /// same name meanwhile waits for it. The file may be removed at any time, so it is to be opened at once; what is
    /// open or mapped stays readable.
    ///
    /// # Errors
    /// As `make` says, or [`CacheError::Failed`] if the disk refuses.
    fn file(
        &self,
        name: &str,
        make: &mut dyn FnMut(&Path) -> Result<(), CacheError>,
    ) -> Result<PathBuf, CacheError>;

    /// Bytes and number of the files there are.
    fn usage(&self) -> (u64, u64);

    /// Removes everything.
    fn clear(&self);
}
