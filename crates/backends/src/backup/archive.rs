//! The file of a backup: a zstd stream of entries, each `kind u8, length u32, crc u32` and its bytes. The first
//! entry says what it is, the last how many there were; a file without its last entry was cut.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use super::BackupError;

/// What stands in front of the stream.
const MAGIC: &[u8; 8] = b"VEDBKUP1";
/// No entry is longer: the largest blob and its key.
const LONGEST: usize = 512 << 20;
/// zstd's level: most of the bytes were compressed well in their packs.
const LEVEL: i32 = 3;

/// What an entry holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// JSON: what the backup is.
    About,
    /// JSON: rows of a table.
    Rows,
    /// Records of a pack.
    Records,
    /// A blob, with its key.
    Blob,
    /// A record of the queue.
    Queued,
    /// A small file of the data folder, with its name.
    File,
    /// JSON: the number of entries before it.
    End,
    /// What comes first of a large blob, with its key; more pieces and the blob follow.
    Piece,
}

const KINDS: [Kind; 8] = [
    Kind::About,
    Kind::Rows,
    Kind::Records,
    Kind::Blob,
    Kind::Queued,
    Kind::File,
    Kind::End,
    Kind::Piece,
];

/// Writes a backup.
pub struct Writer {
    out: zstd::Encoder<'static, BufWriter<File>>,
    entries: u64,
}

impl Writer {
    /// Begins a file, which only its owner may read.
    pub fn create(path: &Path) -> Result<Writer, BackupError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut file = BufWriter::new(file);
        file.write_all(MAGIC)?;
        Ok(Writer {
            out: zstd::Encoder::new(file, LEVEL)?,
            entries: 0,
        })
    }

    /// Adds an entry of several parts.
    pub fn put(&mut self, kind: Kind, parts: &[&[u8]]) -> Result<(), BackupError> {
        let length: usize = parts.iter().map(|p| p.len()).sum();
        if length > LONGEST {
            return Err(BackupError::Damaged(format!(
                "an entry of {length} bytes is too long"
            )));
        }
        let mut crc = crc32fast::Hasher::new();
        parts.iter().for_each(|p| crc.update(p));
        self.out.write_all(&[kind as u8])?;
        self.out.write_all(&(length as u32).to_le_bytes())?;
        self.out.write_all(&crc.finalize().to_le_bytes())?;
        for part in parts {
            self.out.write_all(part)?;
        }
        self.entries += 1;
        Ok(())
    }

    /// Ends the file and makes it durable.
    pub fn finish(mut self) -> Result<(), BackupError> {
        let end = serde_json::json!({ "entries": self.entries }).to_string();
        self.put(Kind::End, &[end.as_bytes()])?;
        let file = self.out.finish()?.into_inner().map_err(|e| e.into_error())?;
        file.sync_all()?;
        Ok(())
    }
}

/// Reads a backup, checking each entry.
pub struct Reader {
    input: zstd::Decoder<'static, BufReader<BufReader<File>>>,
    entries: u64,
}

impl Reader {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Reader, BackupError> {
        let mut file = BufReader::new(File::open(path)?);
        let mut magic = [0; 8];
        file.read_exact(&mut magic).map_err(|_| BackupError::NoBackup)?;
        if magic != *MAGIC {
            return Err(BackupError::NoBackup);
        }
        Ok(Reader {
            input: zstd::Decoder::new(file)?,
            entries: 0,
        })
    }

    /// The next entry; `None` after the last.
    pub fn next(&mut self) -> Result<Option<(Kind, Vec<u8>)>, BackupError> {
        let damaged = |n: u64, what: &str| BackupError::Damaged(format!("{what} at entry {}", n + 1));
        let mut head = [0; 9];
        let n = self.entries;
        self.input
            .read_exact(&mut head)
            .map_err(|e| damaged(n, &format!("it is cut or changed ({e})")))?;
        let kind = *KINDS
            .get(usize::from(head[0]))
            .ok_or_else(|| damaged(n, "there is an unknown kind"))?;
        let word = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
        let length = word(1) as usize;
        if length > LONGEST {
            return Err(damaged(n, "there is an impossible length"));
        }
        let mut bytes = Vec::new();
        (&mut self.input)
            .take(length as u64)
            .read_to_end(&mut bytes)
            .map_err(|e| damaged(n, &format!("it is cut or changed ({e})")))?;
        if bytes.len() != length || crc32fast::hash(&bytes) != word(5) {
            return Err(damaged(n, "the checksum does not fit"));
        }
        if kind == Kind::End {
            let end: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if end["entries"] != self.entries {
                return Err(damaged(n, "entries are missing"));
            }
            return Ok(None);
        }
        self.entries += 1;
        Ok(Some((kind, bytes)))
    }
}

/// Writes several byte strings as one: the length of each, then its bytes.
pub fn join(list: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(list.iter().map(|b| b.len() + 4).sum());
    for bytes in list {
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

/// Reads what [`join`] wrote.
pub fn split(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (one, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        out.push(one.to_vec());
        bytes = rest;
    }
    Some(out)
}
