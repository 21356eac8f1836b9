//! Bytes that are counted, bounded and checked while they are read, so that none are held.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use sha1::{Digest as _, Sha1};

/// SHA-1 in lower case hex.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// Counts and hashes what is read. More bytes than allowed are an error, and so is another SHA-1 than expected at
/// the end; [`Checked::fault`] says which.
pub struct Checked<R> {
    inner: R,
    most: u64,
    expected: Option<String>,
    hash: Sha1,
    size: u64,
    fault: Option<String>,
}

impl<R: Read> Checked<R> {
    /// Reads at most so many bytes that must have a SHA-1, if one is given.
    pub fn new(inner: R, most: u64, expected: Option<&str>) -> Checked<R> {
        Checked {
            inner,
            most,
            expected: expected.map(str::to_owned),
            hash: Sha1::new(),
            size: 0,
            fault: None,
        }
    }

    /// What was wrong with the bytes: one sentence.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// SHA-1 and size of what was read.
    pub fn summary(&self) -> (String, u64) {
        (hex(&self.hash.clone().finalize()), self.size)
    }

    fn refuse(&mut self, what: String) -> io::Error {
        self.fault = Some(what.clone());
        io::Error::other(what)
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = match self.inner.read(out) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(e),
            Err(e) => return Err(self.refuse(format!("the bytes cannot be read: {e}"))),
            Ok(n) => n,
        };
        self.size += n as u64;
        if self.size > self.most {
            return Err(self.refuse(format!("it is larger than {} bytes", self.most)));
        }
        self.hash.update(out.get(..n).unwrap_or_default());
        if n == 0 && !out.is_empty() {
            let found = self.summary().0;
            if let Some(expected) = self.expected.clone().filter(|e| *e != found) {
                return Err(self.refuse(format!("its SHA-1 is {found}, not {expected}")));
            }
        }
        Ok(n)
    }
}

/// Files one after the other.
pub struct Joined {
    rest: std::vec::IntoIter<PathBuf>,
    open: Option<File>,
}

impl Joined {
    /// Reads these.
    pub fn new(files: Vec<PathBuf>) -> Joined {
        Joined {
            rest: files.into_iter(),
            open: None,
        }
    }
}

impl Read for Joined {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(file) = &mut self.open {
                let n = file.read(out)?;
                if n > 0 || out.is_empty() {
                    return Ok(n);
                }
            }
            match self.rest.next() {
                Some(path) => self.open = Some(File::open(path)?),
                None => return Ok(0),
            }
        }
    }
}
