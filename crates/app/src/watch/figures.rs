//! Figures of the server, worked out from what was read.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use storage::payloads::Partition;
use storage::relational::outcomes::Counted;

/// The bytes of all files below a folder; 0 if there is none.
pub fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let kind = entry.file_type().ok()?;
            if kind.is_dir() {
                return Some(bytes_below(&entry.path()));
            }
            // A file may go between the two calls.
            entry.metadata().ok().map(|m| m.len())
        })
        .sum()
}

/// The process's resident memory, bytes (`/proc/self/statm`, in pages of 4 KiB).
pub fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// What a forecast is made of.
pub struct Partitions<'a> {
    /// Every partition and the bytes of its pack.
    pub packs: &'a [(Partition, u64)],
    /// Bytes of the whole data folder.
    pub held: u64,
    /// Bytes free on its disk.
    pub free: u64,
    /// Bytes free below which nothing is taken.
    pub floor: u64,
    /// The day, since the epoch.
    pub today: i32,
    /// How much of it has passed, 0 to 1.
    pub part_of_day: f64,
}

/// What becomes of the disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Bytes that a day adds.
    pub per_day: u64,
    /// Days until the disk is full at this rate; `None` if retention frees as much before, or not within a year.
    pub full_in_days: Option<u32>,
}

/// Says when the disk is full if each day adds what the last seven whole days added on average (or today, if there
/// is none), and retention takes the days that are over.
pub fn forecast(p: &Partitions<'_>) -> Forecast {
    let packed: u64 = p.packs.iter().map(|(_, bytes)| bytes).sum();
    // Index, ids and attachments grow along with the packs.
    let whole = if packed == 0 {
        0.0
    } else {
        p.held.max(packed) as f64 / packed as f64
    };
    let of = |days: std::ops::Range<i32>| -> f64 {
        let inside = p.packs.iter().filter(|(part, _)| days.contains(&part.day));
        inside.map(|(_, bytes)| *bytes as f64 * whole).sum()
    };
    let first = p.packs.iter().map(|(part, _)| part.day).min().unwrap_or(p.today);
    let days = (p.today - first).clamp(0, 7);
    let per_day = if days > 0 {
        of(p.today - days..p.today) / f64::from(days)
    } else {
        // Of a day that has just begun little can be said: at least an hour's worth is waited for.
        of(p.today..p.today + 1) / p.part_of_day.max(1.0 / 24.0)
    };
    let retention = p.packs.iter().map(|(part, _)| i32::from(part.retention)).max();
    let mut free = p.free as f64 - p.floor as f64;
    let mut full_in_days = None;
    for day in 1..=365i32 {
        if free <= 0.0 {
            full_in_days = Some(u32::try_from(day - 1).unwrap_or(0));
            break;
        }
        free -= per_day;
        let gone = |part: &Partition| part.day + i32::from(part.retention) + 1 == p.today + day;
        let over = p.packs.iter().filter(|(part, _)| gone(part));
        free += over.map(|(_, bytes)| *bytes as f64 * whole).sum::<f64>();
        // The days to come end too.
        if retention.is_some_and(|r| day > r) {
            free += per_day;
        }
    }
    Forecast {
        per_day: per_day as u64,
        full_in_days: full_in_days.filter(|_| per_day >= 1.0),
    }
}

/// Sums by outcome, category and reason, the most first.
pub fn by_reason(counted: &[Counted]) -> Vec<Value> {
    let mut sums: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for c in counted {
        *sums.entry((&c.outcome, &c.category, &c.reason)).or_default() += c.quantity;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, n)| -n);
    let row = |((outcome, category, reason), n)| json!({ "outcome": outcome, "category": category, "reason": reason, "quantity": n });
    sums.into_iter().map(row).collect()
}

/// The ten projects that sent the most errors, with how many were accepted and how many were not.
pub fn by_project(counted: &[Counted], names: &[(i64, String)]) -> Vec<Value> {
    let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for c in counted.iter().filter(|c| c.category == "error") {
        let sum = sums.entry(c.project).or_default();
        if c.outcome == "accepted" {
            sum.0 += c.quantity;
        } else {
            sum.1 += c.quantity;
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, (accepted, other))| -(accepted + other));
    sums.truncate(10);
    sums.into_iter()
        .filter_map(|(id, (accepted, other))| {
            let (_, slug) = names.iter().find(|(n, _)| *n == id)?;
            Some(json!({ "project": slug, "accepted": accepted, "discarded": other }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packs(days: std::ops::Range<i32>, bytes: u64, retention: u16) -> Vec<(Partition, u64)> {
        days.map(|day| (Partition { retention, day }, bytes)).collect()
    }

    fn on(packs: &[(Partition, u64)], held: u64, free: u64, today: i32) -> Forecast {
        forecast(&Partitions {
            packs,
            held,
            free,
            floor: 100,
            today,
            part_of_day: 0.5,
        })
    }

    #[test]
    fn a_young_folder_fills_at_the_rate_of_its_whole_days() {
        // 3 whole days of 100 packed bytes, twice that with the index.
        let days = packs(100..103, 100, 90);
        let f = on(&days, 600, 2_100, 103);
        assert_eq!((f.per_day, f.full_in_days), (200, Some(10)));
    }

    #[test]
    fn retention_that_takes_as_much_as_comes_never_fills_it() {
        let days = packs(70..100, 100, 30);
        let f = on(&days, 3_000, 500, 100);
        assert_eq!((f.per_day, f.full_in_days), (100, None));
    }

    #[test]
    fn the_first_day_is_told_from_its_part() {
        let f = on(&packs(100..101, 100, 90), 100, 1_100, 100);
        assert_eq!((f.per_day, f.full_in_days), (200, Some(5)));
        assert_eq!(on(&[], 0, 1_100, 100).full_in_days, None);
    }
}
