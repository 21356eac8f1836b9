//! How many events an hour may have before an archived issue counts as escalating.

use serde::{Deserialize, Serialize};

/// Hours of a week.
pub const WEEK: i64 = 168;
/// A forecast holds for so many hours; it is made anew halfway.
pub const HORIZON: i64 = 2 * WEEK;
/// No hour with so few events escalates.
pub const LEAST: i64 = 10;

/// Ceilings for the hours of 14 days, made of the events of the week before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Its first hour, counted from the epoch.
    pub from: i64,
    /// The ceiling of each hour of a week from there on; the second week is as the first. One number stands for
    /// all hours.
    pub ceilings: Vec<i64>,
}

fn above(n: i64) -> i64 {
    2 * n + (3.0 * (n.max(0) as f64).sqrt()).ceil() as i64
}

impl Forecast {
    /// A forecast from hour `now` on. `events` are those of the hours before, as (hour, events) in any order;
    /// `first` is the hour of the first event.
    ///
    /// - In an hour that was busy a week ago (it, or one beside it), twice as many may come, and thrice the square
    ///   root, as counts scatter.
    /// - In every other hour as many may come as in the busiest hour of the week.
    /// - An issue younger than a week has no habits yet: twice its busiest hour, at any time.
    /// - Never less than [`LEAST`].
    pub fn of(events: &[(i64, i64)], first: i64, now: i64) -> Forecast {
        let mut week = vec![0i64; WEEK as usize];
        for (hour, n) in events {
            if let Some(count) = usize::try_from(hour - (now - WEEK))
                .ok()
                .and_then(|i| week.get_mut(i))
            {
                *count += n;
            }
        }
        let busiest = week.iter().copied().max().unwrap_or(0);
        let ceilings = if first > now - WEEK {
            vec![above(busiest).max(LEAST)]
        } else {
            let n = week.len();
            (0..n)
                .map(|k| {
                    let season = week[(k + n - 1) % n].max(week[k]).max(week[(k + 1) % n]);
                    above(season).max(busiest).max(LEAST)
                })
                .collect()
        };
        Forecast { from: now, ceilings }
    }

    /// The ceiling of an hour; none before it begins and after its horizon.
    pub fn at(&self, hour: i64) -> Option<i64> {
        let k = usize::try_from(hour - self.from)
            .ok()
            .filter(|k| (*k as i64) < HORIZON)?;
        self.ceilings.get(k % self.ceilings.len().max(1)).copied()
    }

    /// Whether it is time for a new one.
    pub fn is_stale(&self, now: i64) -> bool {
        now - self.from >= WEEK || now < self.from
    }
}
