//! The cache port as a folder. What was used longest ago goes when the limit is reached.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::{Condvar, Mutex};
use protocol::time::Clock;
use storage::cache::{Cache, CacheError};

/// An hour, µs.
const HOUR: i64 = 3_600_000_000;
/// How long an unused file stays, µs.
const UNUSED: i64 = 7 * 24 * HOUR;
/// How long it is remembered that a file cannot be made, µs.
const BAD: i64 = 24 * HOUR;
/// The use of a file is written to its date when the date is older than this, µs.
const TOUCH: i64 = HOUR;
/// How often old files are looked for, µs.
const SWEEP: i64 = HOUR;
/// The end of names that say why a file cannot be made.
const BAD_END: &str = "_bad";

#[derive(Debug, Clone, Copy)]
struct Entry {
    size: u64,
    /// µs.
    used: i64,
    /// As the disk knows it.
    touched: i64,
}

#[derive(Default)]
struct State {
    entries: HashMap<String, Entry>,
    total: u64,
    making: HashSet<String>,
    /// When old files were last looked for, µs.
    swept: i64,
}

/// A folder of files that can be made again.
pub struct Folder {
    root: PathBuf,
    limit: u64,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    made: Condvar,
}

fn failed(e: &std::io::Error) -> CacheError {
    CacheError::Failed(format!("the cache cannot be written: {e}"))
}

/// µs since the epoch.
fn micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

impl Folder {
    /// Opens the folder; `limit` is the most bytes it may hold.
    ///
    /// # Errors
    /// If the folder cannot be read or made.
    pub fn open(root: &Path, limit: u64, clock: Arc<dyn Clock>) -> std::io::Result<Folder> {
        fs::create_dir_all(root)?;
        let mut state = State::default();
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let (name, data) = (entry.file_name(), entry.metadata()?);
            let Some(name) = name.to_str().filter(|n| valid(n)) else {
                // What was being written when the server stopped.
                let _ = fs::remove_file(entry.path());
                continue;
            };
            let used = data.modified().map_or(0, micros);
            state.total += data.len();
            let known = Entry {
                size: data.len(),
                used,
                touched: used,
            };
            state.entries.insert(name.to_owned(), known);
        }
        let folder = Folder {
            root: root.to_owned(),
            limit,
            clock,
            state: Mutex::new(state),
            made: Condvar::new(),
        };
        folder.make_room(&mut folder.state.lock(), "");
        Ok(folder)
    }

    /// What is known of a name: its file, or why there is none.
    fn known(&self, state: &mut State, name: &str) -> Option<Result<PathBuf, CacheError>> {
        let now = self.clock.now();
        let bad = format!("{name}{BAD_END}");
        if let Some(entry) = state.entries.get(&bad) {
            if now - entry.touched < BAD
                && let Ok(why) = fs::read_to_string(self.root.join(&bad))
            {
                return Some(Err(CacheError::Bad(why)));
            }
            self.remove(state, &bad);
        }
        let path = self.root.join(name);
        let entry = state.entries.get_mut(name)?;
        entry.used = now;
        if now - entry.touched > TOUCH {
            entry.touched = now;
            let touched = fs::File::options().append(true).open(&path).and_then(|f| {
                f.set_modified(SystemTime::UNIX_EPOCH + Duration::from_micros(now.unsigned_abs()))
            });
            if touched.is_err() {
                self.remove(state, name);
                return None;
            }
        } else if !path.exists() {
            self.remove(state, name);
            return None;
        }
        Some(Ok(path))
    }

    fn remove(&self, state: &mut State, name: &str) {
        if let Some(entry) = state.entries.remove(name) {
            state.total = state.total.saturating_sub(entry.size);
            let _ = fs::remove_file(self.root.join(name));
        }
    }

    fn insert(&self, state: &mut State, name: &str, size: u64) {
        let now = self.clock.now();
        let entry = Entry {
            size,
            used: now,
            touched: now,
        };
        if let Some(old) = state.entries.insert(name.to_owned(), entry) {
            state.total = state.total.saturating_sub(old.size);
        }
        state.total += size;
        if now - state.swept > SWEEP {
            state.swept = now;
            self.remove_old(state, now);
        }
        self.make_room(state, name);
    }

    /// Removes what was used longest ago until a tenth of the limit is free, never `fresh`.
    fn make_room(&self, state: &mut State, fresh: &str) {
        if state.total <= self.limit {
            return;
        }
        let mut by_use: Vec<(i64, String)> = state
            .entries
            .iter()
            .filter(|(name, _)| *name != fresh)
            .map(|(name, entry)| (entry.used, name.clone()))
            .collect();
        by_use.sort();
        for (_, name) in by_use {
            if state.total <= self.limit / 10 * 9 {
                break;
            }
            self.remove(state, &name);
        }
    }

    /// Removes what was not used for a week, and what cannot be made for a day.
    fn remove_old(&self, state: &mut State, now: i64) {
        let old: Vec<String> = state
            .entries
            .iter()
            .filter(|(name, entry)| {
                let most = if name.ends_with(BAD_END) { BAD } else { UNUSED };
                now - entry.used > most
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in old {
            self.remove(state, &name);
        }
    }

    /// Makes a file under a name of its own and gives it its name when it is whole.
    fn write(
        &self,
        name: &str,
        make: &mut dyn FnMut(&Path) -> Result<(), CacheError>,
    ) -> Result<PathBuf, CacheError> {
        let fresh = self.root.join(format!("{name}.new"));
        let result = make(&fresh).and_then(|()| {
            let size = fs::metadata(&fresh).map_err(|e| failed(&e))?.len();
            let path = self.root.join(name);
            fs::rename(&fresh, &path).map_err(|e| failed(&e))?;
            self.insert(&mut self.state.lock(), name, size);
            Ok(path)
        });
        if let Err(e) = &result {
            let _ = fs::remove_file(&fresh);
            if let CacheError::Bad(why) = e {
                let bad = format!("{name}{BAD_END}");
                if fs::write(self.root.join(&bad), why).is_ok() {
                    self.insert(&mut self.state.lock(), &bad, why.len() as u64);
                }
            }
        }
        result
    }
}

/// Lets others go on, also when making panics.
struct Making<'a>(&'a Folder, &'a str);

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.0.state.lock().making.remove(self.1);
        self.0.made.notify_all();
    }
}

fn valid(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl Cache for Folder {
    fn file(
        &self,
        name: &str,
        make: &mut dyn FnMut(&Path) -> Result<(), CacheError>,
    ) -> Result<PathBuf, CacheError> {
        if !valid(name) || name.ends_with(BAD_END) {
            return Err(CacheError::Failed(format!(
                "{name} is no name for a file of the cache"
            )));
        }
        {
            let mut state = self.state.lock();
            loop {
                if let Some(known) = self.known(&mut state, name) {
                    return known;
                }
                if state.making.insert(name.to_owned()) {
                    break;
                }
                self.made.wait(&mut state);
            }
        }
        let _making = Making(self, name);
        self.write(name, make)
    }

    fn usage(&self) -> (u64, u64) {
        let state = self.state.lock();
        (state.total, state.entries.len() as u64)
    }

    fn clear(&self) {
        let mut state = self.state.lock();
        let all: Vec<String> = state.entries.keys().cloned().collect();
        for name in all {
            self.remove(&mut state, &name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    /// A clock that stands where a test sets it.
    #[derive(Default)]
    struct Hours(AtomicI64);

    impl Clock for Hours {
        fn now(&self) -> i64 {
            1_800_000_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed)
        }
    }

    fn put(folder: &Folder, name: &str, size: usize) -> PathBuf {
        let mut make = |path: &Path| fs::write(path, vec![1; size]).map_err(|e| failed(&e));
        folder.file(name, &mut make).expect("made")
    }

    fn made(folder: &Folder, name: &str) -> bool {
        let mut made = false;
        let _ = folder.file(name, &mut |path| {
            made = true;
            fs::write(path, b"x").map_err(|e| failed(&e))
        });
        made
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(root.path(), 1000, Arc::new(Hours::default())).expect("opened");
        put(&folder, "a", 400);
        put(&folder, "b", 400);
        assert!(put(&folder, "a", 0).exists(), "it is there already");
        put(&folder, "c", 400);
        assert_eq!(folder.usage(), (800, 2));
        assert!(!made(&folder, "a") && !made(&folder, "c"));
        assert!(made(&folder, "b"));
        // One file beyond the limit is kept until the next comes.
        put(&folder, "large", 5000);
        assert_eq!(folder.usage(), (5000, 1));
        put(&folder, "d", 10);
        assert_eq!(folder.usage(), (10, 1));
    }

    #[test]
    fn it_is_there_again_after_a_restart() {
        let root = tempfile::tempdir().expect("a folder");
        put(
            &Folder::open(root.path(), 1000, Arc::new(Hours::default())).expect("opened"),
            "a",
            400,
        );
        fs::write(root.path().join("b.new"), b"half").expect("written");
        let folder = Folder::open(root.path(), 1000, Arc::new(Hours::default())).expect("opened");
        assert_eq!(folder.usage(), (400, 1));
        assert!(!made(&folder, "a"));
        assert!(!root.path().join("b.new").exists());
        fs::remove_file(root.path().join("a")).expect("removed");
        assert!(made(&folder, "a"), "what somebody removed is made again");
    }

    #[test]
    fn what_cannot_be_made_is_remembered() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(root.path(), 1000, Arc::new(Hours::default())).expect("opened");
        let bad = CacheError::Bad("it is broken".into());
        assert_eq!(folder.file("a", &mut |_| Err(bad.clone())), Err(bad.clone()));
        assert_eq!(folder.file("a", &mut |_| panic!("not again")), Err(bad));
        let once = CacheError::Failed("no network".into());
        assert_eq!(folder.file("b", &mut |_| Err(once.clone())), Err(once));
        assert!(made(&folder, "b"));
        assert!(folder.file("../c", &mut |_| Ok(())).is_err());
    }

    #[test]
    fn what_is_not_used_goes() {
        let root = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(Hours::default());
        let folder = Folder::open(root.path(), 1000, clock.clone()).expect("opened");
        put(&folder, "a", 10);
        let _ = folder.file("b", &mut |_| Err(CacheError::Bad("broken".into())));
        clock.0.fetch_add(BAD + 1, Ordering::Relaxed);
        assert!(!made(&folder, "a"), "it is used");
        assert!(made(&folder, "b"), "it is tried again");
        clock.0.fetch_add(UNUSED + 1, Ordering::Relaxed);
        put(&folder, "c", 10);
        assert_eq!(folder.usage(), (10, 1));
    }

    #[test]
    fn who_asks_for_the_same_waits() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(root.path(), 1000, Arc::new(Hours::default())).expect("opened");
        let times = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let path = folder.file("a", &mut |path| {
                        times.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                        fs::write(path, b"x").map_err(|e| failed(&e))
                    });
                    assert!(path.expect("made").exists());
                });
            }
        });
        assert_eq!(times.load(Ordering::Relaxed), 1);
    }
}
