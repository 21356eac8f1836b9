//! Durable files: what every backend on disk needs to say to the operating system.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Writes a file whole: a reader sees the old one or the new one, however many write it at once. Until it is
/// whole it stands beside under its name with `~` and a number.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_from(path, &mut &*bytes).map(|_| ())
}

/// As [`write_whole`], with what a reader gives; answers how many bytes.
pub fn write_from(path: &Path, reader: &mut dyn io::Read) -> io::Result<u64> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    create_dir(folder)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!("~{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let temporary = Path::new(&temporary);
    let written = File::create(temporary).and_then(|mut file| {
        let size = io::copy(reader, &mut file)?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        Ok(size)
    });
    if written.is_err() {
        let _ = fs::remove_file(temporary);
    }
    let size = written?;
    sync_dir(folder)?;
    Ok(size)
}
