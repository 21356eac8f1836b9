//! Durable files: what every backend on disk needs to say to the operating system.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes the entries of a folder durable.
///
/// # Errors
/// What the system says; so for the functions below.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Creates a folder and the folders above it.
pub fn create_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Writes a file whole: a reader sees the old one or the new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let folder = path.parent().unwrap_or(Path::new("."));
    create_dir(folder)?;
    let temporary = path.with_extension("part");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_dir(folder)
}
