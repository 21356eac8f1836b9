//! Where each event id is: per partition sorted runs of ids with a Bloom filter in front, the newest in memory.
//!
//! A run file is `magic u32, count u32, end u64, crc u32` (of the filter), the filter (16 bits an id), then
//! `count` entries of 34 bytes sorted by id: `id, project u64, frame u64, slot u16`. It is derived from the packs: `end` says
//! up to which byte of the pack its ids are known, what lies behind is read again at start.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use storage::payloads::{EventIds, Locator, Partition, PayloadError, Result};

use crate::files::{create_dir, write_whole};

const MAGIC: u32 = 0x3149_4456; // "VDI1"
const HEADER: usize = 20;
const ENTRY: usize = 34;
/// Ids in memory before they become a run.
const RUN: usize = 65_536;

type Id = [u8; 16];
type Entry = (Id, u64, u64, u16);

/// A folder of runs, one folder a partition.
pub struct Ids {
    root: PathBuf,
    state: RwLock<BTreeMap<Partition, Part>>,
}

#[derive(Default)]
struct Part {
    runs: Vec<Run>,
    fresh: HashMap<Id, Vec<(u64, u64, u16)>>,
    fresh_len: usize,
    end: u64,
}

struct Run {
    file: File,
    count: usize,
    end: u64,
    filter: Vec<u8>,
}

fn disk(e: impl std::fmt::Display) -> PayloadError {
    PayloadError::Disk(e.to_string())
}

/// Event ids are random; an id's own bits serve as hashes, mixed so that a client's pattern does no harm.
fn probes(id: &Id, bits: u64) -> [u64; 6] {
    let h = storage::sketch::stable_hash(id);
    let (a, b) = (h, h.rotate_left(32) | 1);
    std::array::from_fn(|i| a.wrapping_add(b.wrapping_mul(i as u64)) % bits)
}

fn may_hold(filter: &[u8], id: &Id) -> bool {
    let bits = filter.len() as u64 * 8;
    bits > 0
        && probes(id, bits)
            .iter()
            .all(|p| filter[(p / 8) as usize] & (1 << (p % 8)) != 0)
}

impl Run {
    fn open(path: &Path) -> Option<Run> {
        let file = File::open(path).ok()?;
        let mut head = [0u8; HEADER];
        file.read_exact_at(&mut head, 0).ok()?;
        let word = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]);
        let count = word(4) as usize;
        let end = u64::from_le_bytes(head[8..16].try_into().ok()?);
        let mut filter = vec![0u8; count * 2];
        file.read_exact_at(&mut filter, HEADER as u64).ok()?;
        let length = HEADER + count * 2 + count * ENTRY;
        let whole = file.metadata().ok()?.len() == length as u64;
        (word(0) == MAGIC && whole && crc32fast::hash(&filter) == word(16)).then_some(Run {
            file,
            count,
            end,
            filter,
        })
    }

    fn entry(&self, i: usize) -> Result<Entry> {
        let mut bytes = [0u8; ENTRY];
        let at = HEADER + self.filter.len() + i * ENTRY;
        self.file.read_exact_at(&mut bytes, at as u64).map_err(disk)?;
        let mut id = [0u8; 16];
        id.copy_from_slice(&bytes[..16]);
        let long = |at: usize| {
            let mut b = [0u8; 8];
            b.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(b)
        };
        Ok((id, long(16), long(24), u16::from_le_bytes([bytes[32], bytes[33]])))
    }

    fn find(&self, id: &Id, out: &mut Vec<(u64, u64, u16)>) -> Result<()> {
        if !may_hold(&self.filter, id) {
            return Ok(());
        }
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.entry(middle)?.0 < *id {
                low = middle + 1
            } else {
                high = middle
            }
        }
        for i in low..self.count {
            let (found, project, frame, slot) = self.entry(i)?;
            if found != *id {
                break;
            }
            out.push((project, frame, slot));
        }
        Ok(())
    }
}

fn write_run(path: &Path, mut entries: Vec<Entry>, end: u64) -> Result<()> {
    entries.sort_unstable();
    let mut filter = vec![0u8; entries.len() * 2];
    let bits = filter.len() as u64 * 8;
    for (id, ..) in &entries {
        for p in probes(id, bits) {
            filter[(p / 8) as usize] |= 1 << (p % 8);
        }
    }
    let mut out = Vec::with_capacity(HEADER + filter.len() + entries.len() * ENTRY);
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&u32::try_from(entries.len()).map_err(disk)?.to_le_bytes());
    out.extend_from_slice(&end.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&filter).to_le_bytes());
    out.extend_from_slice(&filter);
    for (id, project, frame, slot) in entries {
        out.extend_from_slice(&id);
        out.extend_from_slice(&project.to_le_bytes());
        out.extend_from_slice(&frame.to_le_bytes());
        out.extend_from_slice(&slot.to_le_bytes());
    }
    write_whole(path, &out).map_err(disk)
}

impl Part {
    fn seal(&mut self, folder: &Path) -> Result<()> {
        if self.fresh_len == 0 {
            return Ok(());
        }
        let entries = self
            .fresh
            .iter()
            .flat_map(|(id, places)| places.iter().map(|(p, f, s)| (*id, *p, *f, *s)))
            .collect();
        create_dir(folder).map_err(disk)?;
        let path = folder.join(format!("{:020}.ids", self.end));
        write_run(&path, entries, self.end)?;
        self.runs
            .push(Run::open(&path).ok_or_else(|| disk("the run cannot be read back"))?);
        self.fresh.clear();
        self.fresh_len = 0;
        Ok(())
    }

    fn find(&self, id: &Id) -> Result<Vec<(u64, u64, u16)>> {
        let mut out = self.fresh.get(id).cloned().unwrap_or_default();
        for run in &self.runs {
            run.find(id, &mut out)?;
        }
        Ok(out)
    }
}

impl Ids {
    /// Opens the runs below a folder; a run that is damaged is deleted with all later ones of its partition.
    ///
    /// # Errors
    /// [`PayloadError::Disk`] as the disk says.
    pub fn open(root: &Path) -> Result<Ids> {
        create_dir(root).map_err(disk)?;
        let mut state = BTreeMap::new();
        for entry in fs::read_dir(root).map_err(disk)? {
            let path = entry.map_err(disk)?.path();
            let Some(partition) = path
                .file_name()
                .and_then(|n| n.to_str())
                .and_then(Partition::parse)
            else {
                continue;
            };
            let mut files: Vec<PathBuf> = fs::read_dir(&path)
                .map_err(disk)?
                .filter_map(|e| e.ok().map(|e| e.path()))
                .collect();
            files.sort();
            let mut part = Part::default();
            let mut sound = true;
            for file in files {
                match Run::open(&file).filter(|_| sound) {
                    Some(run) => {
                        part.end = run.end;
                        part.runs.push(run);
                    }
                    None => {
                        sound = false;
                        fs::remove_file(&file).map_err(disk)?;
                    }
                }
            }
            state.insert(partition, part);
        }
        Ok(Ids {
            root: root.to_owned(),
            state: RwLock::new(state),
        })
    }
}

impl EventIds for Ids {
    fn known(&self, ids: &[(u64, Id)]) -> Result<Vec<bool>> {
        let state = self.state.read();
        ids.iter()
            .map(|(project, id)| {
                for part in state.values().rev() {
                    if part.find(id)?.iter().any(|(p, ..)| p == project) {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .collect()
    }

    fn add(&self, partition: Partition, end: u64, ids: &[(u64, Id, Locator)]) -> Result<()> {
        let mut state = self.state.write();
        let part = state.entry(partition).or_default();
        if end <= part.end {
            return Ok(());
        }
        for (project, id, locator) in ids {
            part.fresh
                .entry(*id)
                .or_default()
                .push((*project, locator.frame, locator.slot));
        }
        part.fresh_len += ids.len();
        part.end = end;
        if part.fresh_len >= RUN {
            part.seal(&self.root.join(partition.to_string()))?;
        }
        Ok(())
    }

    fn find(&self, id: Id) -> Result<Vec<(u64, Locator)>> {
        let state = self.state.read();
        let mut out = Vec::new();
        for (partition, part) in state.iter().rev() {
            for (project, frame, slot) in part.find(&id)? {
                out.push((
                    project,
                    Locator {
                        partition: *partition,
                        frame,
                        slot,
                    },
                ));
            }
        }
        Ok(out)
    }

    fn position(&self, partition: Partition) -> Result<u64> {
        Ok(self
            .state
            .read()
            .get(&partition)
            .and_then(|p| p.runs.last())
            .map_or(0, |r| r.end))
    }

    fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(self.state.read().keys().copied().collect())
    }

    fn drop_partition(&self, partition: Partition) -> Result<()> {
        self.state.write().remove(&partition);
        match fs::remove_dir_all(self.root.join(partition.to_string())) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(disk(e)),
            _ => Ok(()),
        }
    }

    fn flush(&self) -> Result<()> {
        for (partition, part) in self.state.write().iter_mut() {
            part.seal(&self.root.join(partition.to_string()))?;
        }
        Ok(())
    }
}
