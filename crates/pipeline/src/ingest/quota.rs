//! Limits of client keys: at most so many events in a window. What is refused, by them or because of where it comes
//! from, is counted here and written down with the worker's next transaction.

use std::collections::HashMap;

use parking_lot::Mutex;
use protocol::category::{Category, Discard};
use protocol::time::hour_of;
use storage::relational::outcomes::{Counts, OutcomeKey};
use storage::relational::projects::Key;

#[derive(Default)]
struct State {
    /// By key: the window's start and what came in it.
    windows: HashMap<i64, (i64, i64)>,
    refused: Counts,
}

/// The counters.
#[derive(Default)]
pub struct Quota(Mutex<State>);

impl Quota {
    /// Takes one event of a key at `now` µs; answers the seconds to wait if its limit is used up.
    pub fn take(&self, key: &Key, now: i64) -> Result<(), u64> {
        let Some((count, window)) = key.rate_limit.filter(|(_, w)| *w > 0) else {
            return Ok(());
        };
        let length = window.saturating_mul(1_000_000);
        let start = now - now.rem_euclid(length);
        let mut state = self.0.lock();
        let entry = state.windows.entry(key.id).or_insert((start, 0));
        if entry.0 != start {
            *entry = (start, 0);
        }
        if entry.1 >= count {
            let wait = start + length - now;
            return Err(u64::try_from(wait.div_euclid(1_000_000) + 1).unwrap_or(1));
        }
        entry.1 += 1;
        Ok(())
    }

    /// Counts what was refused.
    pub fn refuse(&self, project: u64, category: Category, quantity: u64, now: i64, reason: Discard) {
        let key = OutcomeKey {
            project,
            hour: hour_of(now),
            outcome: reason.outcome().name(),
            category: category.name().to_owned(),
            reason: reason.name().to_owned(),
        };
        *self.0.lock().refused.entry(key).or_default() += quantity;
    }

    /// What was refused since the last call; the caller writes it down.
    pub fn take_refused(&self) -> Counts {
        std::mem::take(&mut self.0.lock().refused)
    }

    /// Puts back what could not be written down.
    pub fn put_back(&self, counts: Counts) {
        let mut state = self.0.lock();
        for (key, n) in counts {
            *state.refused.entry(key).or_default() += n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lets_so_many_through() {
        let key = Key {
            id: 1,
            project_id: 1,
            label: String::new(),
            public_key: String::new(),
            secret_key: String::new(),
            is_active: true,
            rate_limit: Some((2, 10)),
            date_added: 0,
        };
        let quota = Quota::default();
        assert_eq!(quota.take(&key, 1_000_000), Ok(()));
        assert_eq!(quota.take(&key, 2_000_000), Ok(()));
        assert_eq!(quota.take(&key, 3_000_000), Err(8));
        assert_eq!(quota.take(&key, 10_000_000), Ok(()));
    }
}
