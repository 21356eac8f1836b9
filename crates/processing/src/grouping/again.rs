//! Grouping of an event that is stored already, by other rules than it was stored with.

use protocol::ids::GroupHash;
use protocol::json::{Json, Map};

use super::rules::{BUILT_IN, Rule};
use super::{Rules, group, prepare};
use crate::context::ProjectRules;

/// Takes back what the rules of then settled on the frames of a stored event.
pub fn unsettle(event: &mut Json<'_>) {
    for key in ["exception", "threads"] {
        let interface = event.get_mut(key);
        let list = match interface {
            Some(Json::Array(list)) => Some(list),
            Some(other) => other.get_mut("values").and_then(Json::as_array_mut),
            None => None,
        };
        for entry in list.into_iter().flatten() {
            restore(entry.get_mut("stacktrace"));
        }
    }
    restore(event.get_mut("stacktrace"));
}

/// The hashes that a stored event would have by these rules; none if it cannot be read.
pub fn regroup(stored: &[u8], rules: &ProjectRules) -> Vec<GroupHash> {
    let Ok((mut event, _)) = protocol::json::parse(stored) else {
        return Vec::new();
    };
    unsettle(&mut event);
    let sets: [&[Rule]; 2] = [&BUILT_IN, &rules.stacktrace];
    prepare(&mut event, &sets);
    let by = Rules {
        stack: &sets,
        fingerprint: &rules.fingerprint,
    };
    group(&event, by).hashes
}

/// Takes back what the rules of then settled on frames.
fn restore(stack: Option<&mut Json<'_>>) {
    let frames = stack
        .and_then(|s| s.get_mut("frames"))
        .and_then(Json::as_array_mut);
    for frame in frames.into_iter().flatten().filter_map(Json::as_object_mut) {
        let data: Option<&mut Map<'_>> = frame.get_mut("data").and_then(Json::as_object_mut);
        let Some(data) = data else { continue };
        let before = data.remove("orig_in_app").and_then(|v| v.as_i64());
        data.remove("category");
        match before {
            Some(-1) => {
                frame.remove("in_app");
            }
            Some(n) => frame.set("in_app", n == 1),
            None => {}
        }
    }
}
