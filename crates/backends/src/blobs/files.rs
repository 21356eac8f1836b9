//! Blobs as files: the key is the path below a folder.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use storage::blobs::{BlobError, Blobs, Result, valid_key};

use crate::files::{write_from, write_whole};

/// A folder of blobs.
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Blobs below a folder, which is created when the first one comes.
    pub fn new(root: &Path) -> Files {
        Files {
            root: root.to_owned(),
        }
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        if valid_key(key) {
            Ok(self.root.join(key))
        } else {
            Err(BlobError::BadKey)
        }
    }
}

fn convert(e: &std::io::Error) -> BlobError {
    if e.kind() == ErrorKind::NotFound {
        BlobError::Missing
    } else {
        BlobError::Store(e.to_string())
    }
}

impl Blobs for Files {
    fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(key)?;
        if fs::metadata(&path).is_ok_and(|m| m.len() == bytes.len() as u64) {
            return Ok(());
        }
        write_whole(&path, bytes).map_err(|e| convert(&e))
    }

    fn put_from(&self, key: &str, reader: &mut dyn Read) -> Result<u64> {
        write_from(&self.path(key)?, reader).map_err(|e| BlobError::Store(e.to_string()))
    }

    fn file(&self, key: &str) -> Result<PathBuf> {
        let path = self.path(key)?;
        match fs::metadata(&path) {
            Ok(m) if m.is_file() => Ok(path),
            Ok(_) => Err(BlobError::Missing),
            Err(e) => Err(convert(&e)),
        }
    }

    fn get(&self, key: &str) -> Result<Vec<u8>> {
        fs::read(self.path(key)?).map_err(|e| convert(&e))
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let mut out = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => return Err(convert(&e)),
            };
            for entry in entries {
                let path = entry.map_err(|e| convert(&e))?.path();
                let Ok(relative) = path.strip_prefix(&self.root) else {
                    continue;
                };
                let key = relative.to_string_lossy().into_owned();
                if path.is_dir() {
                    if key.starts_with(prefix) || prefix.starts_with(&key) {
                        folders.push(path);
                    }
                } else if key.starts_with(prefix) && valid_key(&key) {
                    out.push(key);
                }
            }
        }
        out.sort();
        Ok(out)
    }

    fn delete(&self, key: &str) -> Result<()> {
        match fs::remove_file(self.path(key)?) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(convert(&e)),
            _ => Ok(()),
        }
    }

    fn delete_prefix(&self, prefix: &str) -> Result<()> {
        let folder = self.path(prefix.strip_suffix('/').ok_or(BlobError::BadKey)?)?;
        match fs::remove_dir_all(folder) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(convert(&e)),
            _ => Ok(()),
        }
    }
}
