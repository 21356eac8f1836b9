//! What was made of a stack trace, kept for when the same one comes again: the stacks of an application repeat
//! all day.
//!
//! The key is everything that the answer depends on, in full, so that an answer is never that of another stack.
//! A stack is remembered when it comes for the second time; what comes once costs a lookup. Each thread has its
//! own memory.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;

/// Bytes of keys that a thread remembers; answers take about as much again.
const REMEMBERED: usize = 4 << 20;

/// Longer keys are not remembered, bytes.
const MAX_KEY: usize = 64 << 10;

/// Stacks that came once and of which only that is known.
const ONCE: usize = 16_384;

/// Answers by key.
pub(crate) struct Memo<V> {
    state: RandomState,
    known: HashMap<Box<[u8]>, Arc<V>, RandomState>,
    once: HashSet<u64>,
    bytes: usize,
}

impl<V> Default for Memo<V> {
    fn default() -> Memo<V> {
        Memo {
            state: RandomState::default(),
            known: HashMap::default(),
            once: HashSet::new(),
            bytes: 0,
        }
    }
}

impl<V> Memo<V> {
    /// What is known under a key; if it came before and nothing is known, what `make` answers is kept.
    pub(crate) fn get(&mut self, key: &[u8], make: impl FnOnce() -> V) -> Option<Arc<V>> {
        if let Some(found) = self.known.get(key) {
            return Some(found.clone());
        }
        if key.len() > MAX_KEY {
            return None;
        }
        let hash = self.state.hash_one(key);
        if !self.once.remove(&hash) {
            if self.once.len() >= ONCE {
                self.once.clear();
            }
            self.once.insert(hash);
            return None;
        }
        if self.bytes + key.len() > REMEMBERED {
            self.known.clear();
            self.bytes = 0;
        }
        let made = Arc::new(make());
        self.bytes += key.len();
        self.known.insert(key.into(), made.clone());
        Some(made)
    }
}

/// Appends a text so that no two lists of texts look the same.
pub(crate) fn text(key: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => key.extend_from_slice(&u32::MAX.to_le_bytes()),
        Some(t) => {
            key.extend_from_slice(&(t.len() as u32).to_le_bytes());
            key.extend_from_slice(t.as_bytes());
        }
    }
}
