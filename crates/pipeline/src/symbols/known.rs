//! What is remembered of questions for files, so that an event asks no database and no server for what the last one
//! asked.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

/// Answers that are remembered, at most.
const MOST: usize = 20_000;

struct State<K, V> {
    generation: u64,
    answers: HashMap<K, (V, i64)>,
}

/// Answers to questions, each until some time, all of them until uploads or settings change.
pub struct Known<K, V>(Mutex<State<K, V>>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Known(Mutex::new(State {
            generation: 0,
            answers: HashMap::new(),
        }))
    }
}

impl<K: Hash + Eq, V: Clone> Known<K, V> {
    /// The answer, if it is known and not too old.
    pub fn get(&self, generation: u64, key: &K, now: i64) -> Option<V> {
        let mut state = self.0.lock();
        if state.generation != generation {
            state.generation = generation;
            state.answers.clear();
        }
        let (value, until) = state.answers.get(key)?;
        (*until > now).then(|| value.clone())
    }

    /// Remembers an answer until a time, µs.
    pub fn put(&self, generation: u64, key: K, value: V, until: i64) {
        let mut state = self.0.lock();
        // An answer of before a change is of no use after it.
        if state.generation != generation {
            return;
        }
        if state.answers.len() >= MOST {
            state.answers.clear();
        }
        state.answers.insert(key, (value, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_until_its_time_or_a_change() {
        let known = Known::default();
        assert_eq!(known.get(1, &"a", 5), None);
        known.put(1, "a", 7, 10);
        assert_eq!(known.get(1, &"a", 9), Some(7));
        assert_eq!(known.get(1, &"a", 10), None);
        assert_eq!(known.get(2, &"a", 5), None);
        known.put(1, "a", 7, 10);
        assert_eq!(known.get(2, &"a", 5), None, "it was asked before the change");
    }
}
