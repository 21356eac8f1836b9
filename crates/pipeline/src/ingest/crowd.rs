//! Requests that are read at the same time, in all and by project: no project may hold more than are free.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// Room for requests.
#[derive(Debug)]
pub struct Crowd {
    room: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    by_project: HashMap<u64, usize>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// For nobody.
    Full,
    /// For this project.
    Share,
}

/// A request's place, given back when it is dropped.
#[derive(Debug)]
pub struct Slot {
    crowd: Arc<Crowd>,
    project: u64,
}

impl Crowd {
    /// Room for so many requests.
    pub fn new(room: usize) -> Crowd {
        Crowd {
            room,
            state: Mutex::default(),
        }
    }

    /// A place for a request of a project (0: not known yet).
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn enter(self: &Arc<Crowd>, project: u64) -> Result<Slot, NoRoom> {
        let mut state = self.state.lock();
        let free = self.room.saturating_sub(state.held);
        if free == 0 {
            return Err(NoRoom::Full);
        }
        let own = state.by_project.entry(project).or_default();
        if *own >= free {
            return Err(NoRoom::Share);
        }
        *own += 1;
        state.held += 1;
        Ok(Slot {
            crowd: self.clone(),
            project,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.crowd.state.lock();
        state.held -= 1;
        if let Some(own) = state.by_project.get_mut(&self.project) {
            *own -= 1;
            if *own == 0 {
                state.by_project.remove(&self.project);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_project_leaves_room_for_others() {
        let crowd = Arc::new(Crowd::new(8));
        let mut loud = Vec::new();
        while let Ok(slot) = crowd.enter(1) {
            loud.push(slot);
        }
        assert_eq!(loud.len(), 4);
        assert_eq!(crowd.enter(1).err(), Some(NoRoom::Share));
        let quiet = crowd.enter(2).unwrap();
        loud.pop();
        drop(quiet);
        assert!(crowd.enter(1).is_ok());
        drop(loud);
        assert_eq!(crowd.state.lock().held, 0);
        assert!(crowd.state.lock().by_project.is_empty());
        let tiny = Arc::new(Crowd::new(1));
        let _one = tiny.enter(1).unwrap();
        assert_eq!(tiny.enter(2).err(), Some(NoRoom::Full));
    }
}
