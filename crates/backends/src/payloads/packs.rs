//! Day packs: append-only files of compressed frames.
//!
//! A frame holds up to 64 records that were appended together, so similar neighbours compress together:
//! `magic u32, crc u32, raw length u32, packed length u32, count u16, pad u16`, then the packed bytes; unpacked
//! they are `count` lengths (u32) followed by the records. The CRC covers everything after it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use storage::payloads::{Locator, Partition, PayloadError, Payloads, Result, See};

use crate::files::{create_dir, sync_dir};

const MAGIC: u32 = 0x3150_4456; // "VDP1"
const HEADER: usize = 20;
const FRAME_RECORDS: usize = 64;
const FRAME_BYTES: usize = 1 << 20;
/// zstd's fastest level: at 64 records a frame, level 3 saves a tenth of the bytes for twice the time.
const LEVEL: i32 = 1;
/// No frame is larger than this unpacked: a record of an attachment-sized event still fits.
const MAX_RAW: usize = 256 << 20;

/// A folder of packs.
pub struct Packs {
    root: PathBuf,
    open: Mutex<HashMap<Partition, Arc<Pack>>>,
}

struct Pack {
    file: File,
    length: Mutex<u64>,
}

fn disk(e: impl std::fmt::Display) -> PayloadError {
    PayloadError::Disk(e.to_string())
}

impl Packs {
    /// Packs below a folder.
    ///
    /// # Errors
    /// [`PayloadError::Disk`] if the folder cannot be made.
    pub fn open(root: &Path) -> Result<Packs> {
        create_dir(root).map_err(disk)?;
        Ok(Packs {
            root: root.to_owned(),
            open: Mutex::default(),
        })
    }

    fn path(&self, partition: Partition) -> PathBuf {
        self.root.join(format!("{partition}.pack"))
    }

    fn pack(&self, partition: Partition, create: bool) -> Result<Option<Arc<Pack>>> {
        let mut open = self.open.lock();
        if let Some(pack) = open.get(&partition) {
            return Ok(Some(pack.clone()));
        }
        let path = self.path(partition);
        let existed = path.exists();
        if !existed && !create {
            return Ok(None);
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(disk)?;
        if !existed {
            sync_dir(&self.root).map_err(disk)?;
        }
        let length = file.metadata().map_err(disk)?.len();
        let pack = Arc::new(Pack {
            file,
            length: Mutex::new(length),
        });
        open.insert(partition, pack.clone());
        Ok(Some(pack))
    }
}

fn write_frame(records: &[Vec<u8>], out: &mut Vec<u8>) -> Result<()> {
    let raw_length = records.iter().map(|r| r.len() + 4).sum::<usize>();
    let mut raw = Vec::with_capacity(raw_length);
    for record in records {
        raw.extend_from_slice(&u32::try_from(record.len()).map_err(disk)?.to_le_bytes());
    }
    records.iter().for_each(|r| raw.extend_from_slice(r));
    let packed = zstd::bulk::compress(&raw, LEVEL).map_err(disk)?;
    out.extend_from_slice(&MAGIC.to_le_bytes());
    let crc_at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&u32::try_from(raw.len()).map_err(disk)?.to_le_bytes());
    out.extend_from_slice(&u32::try_from(packed.len()).map_err(disk)?.to_le_bytes());
    out.extend_from_slice(&u32::try_from(records.len()).map_err(disk)?.to_le_bytes());
    out.extend_from_slice(&packed);
    let crc = crc32fast::hash(&out[crc_at + 4..]);
    out[crc_at..crc_at + 4].copy_from_slice(&crc.to_le_bytes());
    Ok(())
}

/// A frame's records unpacked, and the offset after it.
struct Frame {
    raw: Vec<u8>,
    count: usize,
    next: u64,
}

impl Frame {
    fn record(&self, slot: usize) -> Option<&[u8]> {
        if slot >= self.count {
            return None;
        }
        let length = |i: usize| -> Option<usize> {
            Some(u32::from_le_bytes(self.raw.get(i * 4..i * 4 + 4)?.try_into().ok()?) as usize)
        };
        let mut start = self.count * 4;
        for i in 0..slot {
            start += length(i)?;
        }
        self.raw.get(start..start + length(slot)?)
    }
}

fn read_frame(pack: &Pack, partition: Partition, at: u64, end: u64) -> Result<Frame> {
    let damaged = |what: &str| PayloadError::Damaged(partition, at, what.to_owned());
    let mut header = [0u8; HEADER];
    if at + HEADER as u64 > end {
        return Err(damaged("the frame's header is cut"));
    }
    pack.file.read_exact_at(&mut header, at).map_err(disk)?;
    let word = |i: usize| u32::from_le_bytes([header[i], header[i + 1], header[i + 2], header[i + 3]]);
    if word(0) != MAGIC {
        return Err(damaged("no frame starts here"));
    }
    let (crc, raw_length, packed_length, count) =
        (word(4), word(8) as usize, word(12) as usize, word(16) as usize);
    let next = at + HEADER as u64 + packed_length as u64;
    if next > end || raw_length > MAX_RAW || count * 4 > raw_length {
        return Err(damaged("the frame is cut"));
    }
    let mut packed = vec![0u8; packed_length];
    pack.file
        .read_exact_at(&mut packed, at + HEADER as u64)
        .map_err(disk)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[8..]);
    hasher.update(&packed);
    if hasher.finalize() != crc {
        return Err(damaged("the checksum does not fit"));
    }
    let raw = zstd::bulk::decompress(&packed, raw_length).map_err(|e| damaged(&e.to_string()))?;
    Ok(Frame { raw, count, next })
}

impl Payloads for Packs {
    fn append(&self, partition: Partition, records: &[Vec<u8>]) -> Result<(Vec<Locator>, u64)> {
        let pack = self
            .pack(partition, true)?
            .ok_or_else(|| disk("the pack cannot be made"))?;
        let mut length = pack.length.lock();
        let mut out = Vec::new();
        let mut locators = Vec::with_capacity(records.len());
        let mut rest = records;
        while !rest.is_empty() {
            let mut take = 0;
            let mut bytes = 0;
            while take < rest.len().min(FRAME_RECORDS)
                && (take == 0 || bytes + rest[take].len() < FRAME_BYTES)
            {
                bytes += rest[take].len();
                take += 1;
            }
            let frame = *length + out.len() as u64;
            locators.extend((0..take).map(|slot| Locator {
                partition,
                frame,
                slot: slot as u16,
            }));
            write_frame(&rest[..take], &mut out)?;
            rest = &rest[take..];
        }
        pack.file.write_all_at(&out, *length).map_err(disk)?;
        pack.file.sync_data().map_err(disk)?;
        *length += out.len() as u64;
        Ok((locators, *length))
    }

    fn get(&self, locators: &[Locator]) -> Vec<Result<Vec<u8>>> {
        let mut last: Option<(Partition, u64, Result<Frame>)> = None;
        let mut out = Vec::with_capacity(locators.len());
        for locator in locators {
            let same = last
                .as_ref()
                .is_some_and(|(p, f, _)| (*p, *f) == (locator.partition, locator.frame));
            if !same {
                let frame = match self.pack(locator.partition, false) {
                    Ok(Some(pack)) => {
                        let end = *pack.length.lock();
                        read_frame(&pack, locator.partition, locator.frame, end)
                    }
                    Ok(None) => Err(PayloadError::Missing(*locator)),
                    Err(e) => Err(e),
                };
                last = Some((locator.partition, locator.frame, frame));
            }
            out.push(match &last {
                Some((_, _, Ok(frame))) => frame
                    .record(usize::from(locator.slot))
                    .map(<[u8]>::to_vec)
                    .ok_or(PayloadError::Missing(*locator)),
                Some((_, _, Err(e))) => Err(e.clone()),
                None => Err(PayloadError::Missing(*locator)),
            });
        }
        out
    }

    fn scan(&self, partition: Partition, from: u64, to: u64, see: See<'_>) -> Result<()> {
        let Some(pack) = self.pack(partition, false)? else {
            return Ok(());
        };
        let end = to.min(*pack.length.lock());
        let mut at = from;
        while at < end {
            let frame = read_frame(&pack, partition, at, end)?;
            for slot in 0..frame.count {
                let record = frame
                    .record(slot)
                    .ok_or_else(|| PayloadError::Damaged(partition, at, "a record is cut".into()))?;
                see(
                    Locator {
                        partition,
                        frame: at,
                        slot: slot as u16,
                    },
                    frame.next,
                    record,
                );
            }
            at = frame.next;
        }
        Ok(())
    }

    fn partitions(&self) -> Result<Vec<(Partition, u64)>> {
        let mut out = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            let name = entry.file_name();
            let Some(partition) = name
                .to_str()
                .and_then(|n| n.strip_suffix(".pack"))
                .and_then(Partition::parse)
            else {
                continue;
            };
            out.push((partition, entry.metadata().map_err(disk)?.len()));
        }
        out.sort();
        Ok(out)
    }

    fn truncate(&self, partition: Partition, length: u64) -> Result<()> {
        let Some(pack) = self.pack(partition, false)? else {
            return Ok(());
        };
        let mut current = pack.length.lock();
        if *current > length {
            pack.file.set_len(length).map_err(disk)?;
            pack.file.sync_all().map_err(disk)?;
            *current = length;
        }
        Ok(())
    }

    fn drop_partition(&self, partition: Partition) -> Result<()> {
        self.open.lock().remove(&partition);
        match fs::remove_file(self.path(partition)) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(disk(e)),
            _ => sync_dir(&self.root).map_err(disk),
        }
    }
}
