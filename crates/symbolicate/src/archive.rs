//! Zip archives of strangers, read strictly: what two readers could understand in two ways is refused, nothing is
//! held that its writer did not write, and every number is bounded before anything is done with it.
//!
//! Read are archives of one part with stored and deflated entries, also with what stands before the archive (`SYSB`
//! and a version, in bundles) and with 64-bit fields.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};

use flate2::read::DeflateDecoder;

/// The most entries of an archive.
pub const MOST_ENTRIES: u64 = 100_000;
/// The most bytes of an archive's directory.
const MOST_DIRECTORY: u64 = 64 << 20;
/// An entry that inflates to more than this may not grow by more than [`MOST_RATIO`].
const SMALL: u64 = 8 << 20;
const MOST_RATIO: u64 = 300;
/// Bytes that are inflated at once.
const BLOCK: usize = 64 << 10;
/// The longest comment and what stands before it.
const TAIL: u64 = 65_535 + 22;

/// Why an archive cannot be read: one sentence for whoever uploaded it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It has no end of a zip archive.
    #[error("the file is no zip archive")]
    NotZip,
    /// It contradicts itself or ends too early.
    #[error("the zip archive is broken: {0}")]
    Malformed(&'static str),
    /// Too many entries.
    #[error("the zip archive has more than {MOST_ENTRIES} entries")]
    TooMany,
    /// An entry is larger than may be read.
    #[error("{0} is larger than {1} bytes")]
    TooLarge(String, u64),
    /// An entry would grow too much.
    #[error("{0} grows to more than {MOST_RATIO} times its size: this looks like a zip bomb")]
    Bomb(String),
    /// A name that leads elsewhere.
    #[error("the name {0:?} is refused: {1}")]
    Name(String, &'static str),
    /// Two entries have one name.
    #[error("{0} is in the zip archive twice")]
    Twice(String),
    /// An entry cannot be read without a password.
    #[error("{0} is encrypted")]
    Encrypted(String),
    /// An entry is compressed in another way.
    #[error("{0} is compressed by method {1}; only stored and deflated files are read")]
    Method(String, u16),
    /// No such entry.
    #[error("{0} is not in the zip archive")]
    Missing(String),
    /// Reading failed.
    #[error("reading failed: {0}")]
    Io(String),
}

impl From<std::io::Error> for ArchiveError {
    fn from(e: std::io::Error) -> ArchiveError {
        match e.kind() {
            ErrorKind::UnexpectedEof => ArchiveError::Malformed("it ends too early"),
            _ => ArchiveError::Io(e.to_string()),
        }
    }
}

type Result<T> = std::result::Result<T, ArchiveError>;

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    name: String,
    deflated: bool,
    crc: u32,
    compressed: u64,
    size: u64,
    header: u64,
}

/// An archive whose directory was read and checked.
#[derive(Debug)]
pub struct Archive<R> {
    reader: R,
    length: u64,
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N]> {
    bytes
        .get(at..)
        .and_then(|b| b.first_chunk())
        .copied()
        .ok_or(ArchiveError::Malformed("a field is cut off"))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    number(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    number(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64> {
    number(bytes, at).map(u64::from_le_bytes)
}

/// Where the directory is.
struct Directory {
    count: u64,
    start: u64,
    size: u64,
    /// What is added to every offset.
    base: u64,
}

fn read_at<R: Read + Seek>(reader: &mut R, at: u64, length: u64) -> Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(at))?;
    let mut out = Vec::new();
    if reader.by_ref().take(length).read_to_end(&mut out)? as u64 != length {
        return Err(ArchiveError::Malformed("it ends too early"));
    }
    Ok(out)
}

fn directory<R: Read + Seek>(reader: &mut R, length: u64) -> Result<Directory> {
    let tail_at = length.saturating_sub(TAIL);
    let tail = read_at(reader, tail_at, length - tail_at)?;
    // The last mark must be the end: a reader that took another one would see another archive.
    let at = tail
        .windows(4)
        .rposition(|w| w == b"PK\x05\x06")
        .ok_or(ArchiveError::NotZip)?;
    let end = &tail[at..];
    if end.len() != 22 + usize::from(u16_at(end, 20)?) {
        return Err(ArchiveError::Malformed("something stands behind its end"));
    }
    let end_at = tail_at + at as u64;
    let (mut count, mut size, mut offset, mut behind) = (
        u64::from(u16_at(end, 10)?),
        u64::from(u32_at(end, 12)?),
        u64::from(u32_at(end, 16)?),
        end_at,
    );
    let mut parts = u16_at(end, 4)? == 0 && u16_at(end, 6)? == 0 && u16_at(end, 8)? == u16_at(end, 10)?;
    let locator = end_at
        .checked_sub(20)
        .map(|at| read_at(reader, at, 20))
        .transpose()?;
    if locator.is_some_and(|l| l.starts_with(b"PK\x06\x07")) {
        behind = end_at
            .checked_sub(76)
            .ok_or(ArchiveError::Malformed("its 64-bit end is missing"))?;
        let long = read_at(reader, behind, 56)?;
        if !long.starts_with(b"PK\x06\x06") || u64_at(&long, 4)? != 44 {
            return Err(ArchiveError::Malformed("its 64-bit end is missing"));
        }
        count = u64_at(&long, 32)?;
        size = u64_at(&long, 40)?;
        offset = u64_at(&long, 48)?;
        parts = u32_at(&long, 16)? == 0 && u32_at(&long, 20)? == 0 && u64_at(&long, 24)? == count;
    }
    if !parts {
        return Err(ArchiveError::Malformed("it is one part of several"));
    }
    if count > MOST_ENTRIES {
        return Err(ArchiveError::TooMany);
    }
    if size > MOST_DIRECTORY {
        return Err(ArchiveError::Malformed("its directory is too large"));
    }
    let outside = ArchiveError::Malformed("its directory is outside");
    let start = behind.checked_sub(size).ok_or(outside.clone())?;
    let base = start.checked_sub(offset).ok_or(outside)?;
    Ok(Directory {
        count,
        start,
        size,
        base,
    })
}

/// Why a name may not be used.
fn bad_name(name: &str) -> Option<&'static str> {
    let bytes = name.as_bytes();
    if name.is_empty() || name.len() > 4096 {
        return Some("it is empty or too long");
    }
    if name.contains('\0') {
        return Some("it holds a NUL");
    }
    if name.starts_with(['/', '\\']) {
        return Some("it is absolute");
    }
    if bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' {
        return Some("it names a drive");
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Some("it climbs out of its folder");
    }
    None
}

/// Takes a field that has a place in the extra data if its short form is full.
fn long(short: u32, extra: &[u8], at: &mut usize) -> Result<u64> {
    if short != u32::MAX {
        return Ok(u64::from(short));
    }
    let value = u64_at(extra, *at)?;
    *at += 8;
    Ok(value)
}

/// The 64-bit fields among the extra data.
fn long_fields(mut extra: &[u8]) -> Result<&[u8]> {
    let mut found = None;
    while let [a, b, c, d, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*c, *d])).min(rest.len());
        if u16::from_le_bytes([*a, *b]) == 1 && found.replace(&rest[..length]).is_some() {
            return Err(ArchiveError::Malformed("an entry has its 64-bit fields twice"));
        }
        extra = &rest[length..];
    }
    Ok(found.unwrap_or_default())
}

/// Reads an entry of the directory; answers what follows it.
fn entry(bytes: &[u8], base: u64) -> Result<(Entry, &[u8])> {
    if !bytes.starts_with(b"PK\x01\x02") {
        return Err(ArchiveError::Malformed(
            "its directory has fewer entries than it says",
        ));
    }
    let (names, extras, comment) = (
        usize::from(u16_at(bytes, 28)?),
        usize::from(u16_at(bytes, 30)?),
        usize::from(u16_at(bytes, 32)?),
    );
    let cut = ArchiveError::Malformed("its directory is cut off");
    let name = bytes.get(46..46 + names).ok_or(cut.clone())?;
    let extra = bytes.get(46 + names..46 + names + extras).ok_or(cut.clone())?;
    let rest = bytes.get(46 + names + extras + comment..).ok_or(cut)?;
    let Ok(name) = std::str::from_utf8(name) else {
        let name = String::from_utf8_lossy(name).into_owned();
        return Err(ArchiveError::Name(name, "it is not UTF-8"));
    };
    let name = name.to_owned();
    if let Some(why) = bad_name(&name) {
        return Err(ArchiveError::Name(name, why));
    }
    // Plain and strong encryption, and masked headers.
    if u16_at(bytes, 8)? & (1 | 1 << 6 | 1 << 13) != 0 {
        return Err(ArchiveError::Encrypted(name));
    }
    let method = u16_at(bytes, 10)?;
    if method != 0 && method != 8 {
        return Err(ArchiveError::Method(name, method));
    }
    let (extra, mut at) = (long_fields(extra)?, 0);
    let size = long(u32_at(bytes, 24)?, extra, &mut at)?;
    let compressed = long(u32_at(bytes, 20)?, extra, &mut at)?;
    let header = long(u32_at(bytes, 42)?, extra, &mut at)?
        .checked_add(base)
        .ok_or(ArchiveError::Malformed("an entry is outside"))?;
    if size > SMALL && size / MOST_RATIO > compressed {
        return Err(ArchiveError::Bomb(name));
    }
    let entry = Entry {
        deflated: method == 8,
        crc: u32_at(bytes, 16)?,
        compressed,
        size,
        header,
        name,
    };
    Ok((entry, rest))
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    ///
    /// # Errors
    /// [`ArchiveError`]; so for the methods below.
    pub fn open(mut reader: R) -> Result<Archive<R>> {
        let length = reader.seek(SeekFrom::End(0))?;
        let directory = directory(&mut reader, length)?;
        let bytes = read_at(&mut reader, directory.start, directory.size)?;
        let mut rest = &bytes[..];
        let (mut entries, mut by_name) = (Vec::new(), HashMap::new());
        for i in 0..directory.count {
            let (entry, behind) = entry(rest, directory.base)?;
            rest = behind;
            if by_name.insert(entry.name.clone(), i as usize).is_some() {
                return Err(ArchiveError::Twice(entry.name));
            }
            entries.push(entry);
        }
        if !rest.is_empty() {
            return Err(ArchiveError::Malformed(
                "its directory has more entries than it says",
            ));
        }
        Ok(Archive {
            reader,
            length,
            entries,
            by_name,
        })
    }

    /// The names of its files, in order; folders are left out.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.entries.iter().map(|e| e.name.as_str());
        names.filter(|n| !n.ends_with(['/', '\\']))
    }

    /// Whether it has a file.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// What its directory says of the size of a file.
    pub fn size(&self, name: &str) -> Option<u64> {
        self.by_name
            .get(name)
            .and_then(|i| self.entries.get(*i))
            .map(|e| e.size)
    }

    /// The bytes of a file, at most so many.
    pub fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.copy(name, most, &mut out)?;
        Ok(out)
    }

    /// Writes the bytes of a file, at most so many; what was written counts only if there is no error.
    pub fn copy(&mut self, name: &str, most: u64, out: &mut dyn Write) -> Result<()> {
        let entry = self.by_name.get(name).and_then(|i| self.entries.get(*i));
        let entry = entry.ok_or_else(|| ArchiveError::Missing(name.to_owned()))?;
        if entry.size > most {
            return Err(ArchiveError::TooLarge(name.to_owned(), most));
        }
        let header = read_at(&mut self.reader, entry.header, 30)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(ArchiveError::Malformed("an entry has no header"));
        }
        let outside = ArchiveError::Malformed("an entry is outside");
        let skip = 30 + u64::from(u16_at(&header, 26)?) + u64::from(u16_at(&header, 28)?);
        let start = entry.header.checked_add(skip).ok_or(outside.clone())?;
        let end = start.checked_add(entry.compressed).ok_or(outside.clone())?;
        if end > self.length {
            return Err(outside);
        }
        self.reader.seek(SeekFrom::Start(start))?;
        let raw = self.reader.by_ref().take(entry.compressed);
        // One byte more than it says shows that it says too little.
        let limit = entry.size.saturating_add(1);
        let mut inflated: Box<dyn Read + '_> = match entry.deflated {
            true => Box::new(DeflateDecoder::new(raw).take(limit)),
            false => Box::new(raw.take(limit)),
        };
        let (mut size, mut crc) = (0, crc32fast::Hasher::new());
        let mut block = vec![0; BLOCK];
        loop {
            let n = match inflated.read(&mut block) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(ArchiveError::Malformed("an entry cannot be inflated")),
                Ok(0) => break,
                Ok(n) => n,
            };
            let some = block.get(..n).unwrap_or_default();
            size += n as u64;
            crc.update(some);
            out.write_all(some)?;
        }
        if size != entry.size {
            return Err(ArchiveError::Malformed("an entry has another size than it says"));
        }
        if crc.finalize() != entry.crc {
            return Err(ArchiveError::Malformed(
                "an entry has another checksum than it says",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use protocol::mutate::{Mutator, rounds};
    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    /// An archive of files.
    pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            zip.start_file(*name, options).expect("a file");
            zip.write_all(bytes).expect("its bytes");
        }
        zip.finish().expect("an archive").into_inner()
    }

    fn opened(bytes: &[u8]) -> Result<Archive<Cursor<&[u8]>>> {
        Archive::open(Cursor::new(bytes))
    }

    /// Writes over what stands at some bytes behind every mark.
    fn patched(bytes: &[u8], mark: &[u8; 4], at: usize, new: &[u8]) -> Vec<u8> {
        let mut out = bytes.to_vec();
        let places: Vec<usize> = (0..bytes.len() - 4)
            .filter(|i| bytes[*i..].starts_with(mark))
            .collect();
        assert!(!places.is_empty());
        for place in places {
            out[place + at..place + at + new.len()].copy_from_slice(new);
        }
        out
    }

    #[test]
    fn files_come_back() {
        let text = b"a text that is a text that is a text".repeat(100);
        let bytes = zipped(&[("a/b.txt", &text), ("c", b"")]);
        let before = [b"SYSB\x02\0\0\0", &bytes[..]].concat();
        for bytes in [&bytes, &before] {
            let mut archive = opened(bytes).expect("an archive");
            assert_eq!(archive.names().collect::<Vec<_>>(), ["a/b.txt", "c"]);
            assert_eq!(archive.read("a/b.txt", 1 << 20), Ok(text.clone()));
            assert_eq!(archive.read("c", 0), Ok(vec![]));
            let large = ArchiveError::TooLarge("a/b.txt".into(), 100);
            assert_eq!(archive.read("a/b.txt", 100), Err(large));
            assert_eq!(archive.read("d", 100), Err(ArchiveError::Missing("d".into())));
        }
    }

    #[test]
    fn fields_of_64_bits_are_read() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().large_file(true);
        zip.start_file("a", options).expect("a file");
        zip.write_all(b"text").expect("its bytes");
        let mut bytes = zip.finish().expect("an archive").into_inner();
        // The writer writes its fields twice, of which the first are not filled in.
        assert!(matches!(opened(&bytes), Err(ArchiveError::Malformed(_))));
        let unfilled = bytes
            .windows(8)
            .position(|w| w == b"\x01\0\x10\0\xff\xff\xff\xff")
            .expect("the first fields");
        bytes[unfilled] = 0x99;
        assert_eq!(
            opened(&bytes).expect("an archive").read("a", 9),
            Ok(b"text".to_vec())
        );
        let many: Vec<String> = (0..70_000).map(|i| i.to_string()).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|n| (n.as_str(), &b"x"[..])).collect();
        let bytes = zipped(&many);
        let mut archive = opened(&bytes).expect("an archive with more entries than fit into 16 bits");
        assert_eq!(archive.names().count(), 70_000);
        assert_eq!(archive.read("69999", 1), Ok(b"x".to_vec()));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "../a",
            "a/../b",
            "a\\..\\b",
            "..",
            "/etc/passwd",
            "\\a",
            "C:\\a",
            "c:a",
            "a/..",
            "a\0b",
        ] {
            let refused = opened(&zipped(&[("fine", b"x"), (name, b"x")])).expect_err(name);
            assert!(matches!(refused, ArchiveError::Name(_, _)), "{name:?}: {refused}");
        }
        for name in ["a..b", "...", "~/a", "_/_/a b", "ä", "ab:c/d"] {
            opened(&zipped(&[(name, b"x")])).expect(name);
        }
    }

    #[test]
    fn what_can_be_understood_in_two_ways_is_refused() {
        let bytes = zipped(&[("aa", b"text"), ("ab", b"text")]);
        let twice = patched(&bytes, b"PK\x01\x02", 46, b"aa");
        assert_eq!(
            opened(&twice).expect_err("twice"),
            ArchiveError::Twice("aa".into())
        );
        let encrypted = patched(&bytes, b"PK\x01\x02", 8, &[1, 0]);
        assert!(matches!(opened(&encrypted), Err(ArchiveError::Encrypted(_))));
        let method = patched(&bytes, b"PK\x01\x02", 10, &[12, 0]);
        assert!(matches!(opened(&method), Err(ArchiveError::Method(_, 12))));
        for count in [1, 3] {
            let wrong = patched(&bytes, b"PK\x05\x06", 8, &[count, 0, count, 0]);
            assert!(matches!(opened(&wrong), Err(ArchiveError::Malformed(_))));
        }
        let behind = [&bytes[..], b"x"].concat();
        assert!(matches!(opened(&behind), Err(ArchiveError::Malformed(_))));
        let two = [&bytes[..], &bytes[..]].concat();
        opened(&two).expect("the first stands before the second");
        let size = patched(&bytes, b"PK\x01\x02", 24, &[3, 0, 0, 0]);
        let size = opened(&size).expect("a directory").read("aa", 10);
        assert!(matches!(size, Err(ArchiveError::Malformed(_))), "{size:?}");
        let sum = patched(&bytes, b"PK\x01\x02", 16, &[3, 0, 0, 0]);
        assert!(matches!(
            opened(&sum).expect("a directory").read("aa", 10),
            Err(ArchiveError::Malformed(_))
        ));
        assert!(matches!(
            opened(b"nothing of this kind"),
            Err(ArchiveError::NotZip)
        ));
        for end in 0..bytes.len() {
            assert!(opened(&bytes[..end]).is_err());
        }
    }

    #[test]
    fn bombs_are_refused() {
        let bytes = zipped(&[("a", &vec![0; 9 << 20])]);
        assert!(matches!(opened(&bytes), Err(ArchiveError::Bomb(_))));
        // One that says that it is small is not inflated further than it says.
        let liar = patched(&bytes, b"PK\x01\x02", 24, &[100, 0, 0, 0]);
        let read = opened(&liar).expect("a directory").read("a", 1 << 30);
        assert!(matches!(read, Err(ArchiveError::Malformed(_))), "{read:?}");
        // A number of entries that is not there takes no memory.
        let bytes = patched(&zipped(&[("a", b"x")]), b"PK\x05\x06", 8, &[255, 255, 255, 255]);
        assert!(matches!(opened(&bytes), Err(ArchiveError::Malformed(_))));
    }

    #[test]
    fn changed_archives_are_read_or_refused() {
        let samples = [
            zipped(&[("a", b"text"), ("b/c", &b"more".repeat(50))]),
            zipped(&[("manifest.json", b"{}")]),
        ];
        let mut mutator = Mutator::new(
            21,
            &[
                "PK\u{1}\u{2}",
                "PK\u{5}\u{6}",
                "PK\u{6}\u{7}",
                "\u{0}",
                "../",
                "a",
            ],
        );
        let mut read = 0;
        for _ in 0..rounds(20_000) {
            let bytes = mutator.bytes(&samples);
            let Ok(mut archive) = opened(&bytes) else {
                continue;
            };
            let names: Vec<String> = archive.names().map(str::to_owned).collect();
            for name in names {
                if let Ok(bytes) = archive.read(&name, 1000) {
                    assert!(bytes.len() <= 1000);
                    read += 1;
                }
            }
        }
        assert!(read > 1000, "{read} read");
    }
}
