//! What is counted before a dump is read. The reader checks that lists lie within the file; but many entries of a
//! list may point to one long name, of which each would get a copy.

use minidump::Endian;

use super::{Dump, MinidumpError};

/// Streams of a dump.
const MAX_STREAMS: u32 = 10_000;

/// Modules, threads and names of threads.
const MAX_ENTRIES: usize = 10_000;

/// Regions of memory.
const MAX_REGIONS: usize = 500_000;

/// All names of modules together, and all names of threads, bytes.
const MAX_NAMES: usize = 32 << 20;

const THREADS: u32 = 3;
pub(super) const MODULES: u32 = 4;
const MEMORY: u32 = 5;
const MEMORY_64: u32 = 9;
const THREAD_NAMES: u32 = 24;

/// The size of a module's entry, and where the offset of its name and the size of its debug record are.
const MODULE: (usize, usize, usize) = (108, 20, 76);

/// The same of a thread's name.
const THREAD_NAME: (usize, usize) = (12, 4);

/// The number of streams, which the reader walks over before anything else.
pub(super) fn check_header(bytes: &[u8]) -> Result<(), MinidumpError> {
    let endian = if bytes.starts_with(b"PMDM") {
        Endian::Big
    } else {
        Endian::Little
    };
    match u32_at(bytes, 8, endian) {
        Some(n) if n > MAX_STREAMS => Err(MinidumpError::TooMany("streams")),
        _ => Ok(()),
    }
}

/// Counts the entries of the lists and adds up the lengths of what they point to.
pub(super) fn check(bytes: &[u8], dump: &Dump<'_>) -> Result<(), MinidumpError> {
    let endian = dump.endian;
    let stream = |kind| dump.get_raw_stream(kind).unwrap_or_default();
    let count = |list: &[u8]| u32_at(list, 0, endian).unwrap_or(0) as usize;
    for (kind, name, most) in [
        (THREADS, "threads", MAX_ENTRIES),
        (MODULES, "modules", MAX_ENTRIES),
        (THREAD_NAMES, "thread names", MAX_ENTRIES),
        (MEMORY, "regions of memory", MAX_REGIONS),
        (MEMORY_64, "regions of memory", MAX_REGIONS),
    ] {
        if count(stream(kind)) > most {
            return Err(MinidumpError::TooMany(name));
        }
    }
    let (size, name_at, record_at) = MODULE;
    let modules = stream(MODULES);
    let mut total = 0usize;
    for entry in entries(modules, count(modules), size) {
        let name = u32_at(entry, name_at, endian).unwrap_or(0) as usize;
        total = total
            .saturating_add(u32_at(bytes, name, endian).unwrap_or(0) as usize)
            .saturating_add(u32_at(entry, record_at, endian).unwrap_or(0) as usize);
    }
    if total > MAX_NAMES {
        return Err(MinidumpError::TooMany("names of modules"));
    }
    let (size, name_at) = THREAD_NAME;
    let names = stream(THREAD_NAMES);
    let mut total = 0usize;
    for entry in entries(names, count(names), size) {
        // An offset of 64 bits: what lies beyond the file has no length.
        let halves = [u32_at(entry, name_at, endian), u32_at(entry, name_at + 4, endian)];
        let name = match (halves, endian) {
            ([Some(low), Some(0)], Endian::Little) | ([Some(0), Some(low)], Endian::Big) => low as usize,
            _ => continue,
        };
        total = total.saturating_add(u32_at(bytes, name, endian).unwrap_or(0) as usize);
    }
    if total > MAX_NAMES {
        return Err(MinidumpError::TooMany("names of threads"));
    }
    Ok(())
}

/// The entries of a list, which may have padding behind its count.
fn entries(list: &[u8], count: usize, size: usize) -> impl Iterator<Item = &[u8]> {
    let padding = list.len().saturating_sub(4) == count.saturating_mul(size) + 4;
    let from = if padding { 8 } else { 4 };
    list.get(from..)
        .unwrap_or_default()
        .chunks_exact(size)
        .take(count)
}

pub(super) fn u32_at(bytes: &[u8], at: usize, endian: Endian) -> Option<u32> {
    let piece: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(match endian {
        Endian::Little => u32::from_le_bytes(piece),
        Endian::Big => u32::from_be_bytes(piece),
    })
}
