//! Where the stack traces of an event are.

use protocol::json::{Json, Map};

use crate::problems;

/// The values of an interface such as `exception`: under `values`, a bare list, or one alone.
fn values<'e, 'a>(interface: &'e mut Json<'a>) -> Vec<&'e mut Map<'a>> {
    let listed = interface.get("values").is_some_and(|v| v.as_array().is_some());
    let found = if listed {
        interface.get_mut("values")
    } else {
        Some(interface)
    };
    match found {
        Some(Json::Array(list)) => list.iter_mut().filter_map(Json::as_object_mut).collect(),
        Some(Json::Object(map)) => vec![map],
        _ => Vec::new(),
    }
}

/// The exceptions of an event.
pub(crate) fn exceptions<'e, 'a>(event: &'e mut Map<'a>) -> Vec<&'e mut Map<'a>> {
    event.get_mut("exception").map(values).unwrap_or_default()
}

/// What has a stack trace under `stacktrace`: exceptions, threads, and the event itself.
pub(crate) fn each<'a>(event: &mut Map<'a>, mut see: impl FnMut(&mut Map<'a>, Holder)) {
    for key in ["exception", "threads"] {
        for map in event.get_mut(key).map(values).unwrap_or_default() {
            if map.object("stacktrace").is_some() {
                see(map, Holder::Value);
            }
        }
    }
    if event.object("stacktrace").is_some() {
        see(event, Holder::Event);
    }
}

/// Who has a stack trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    /// An exception or a thread: what the client sent is kept beside.
    Value,
    /// The event.
    Event,
}

/// Puts other frames in the place of those of `holder`, and keeps the original as `raw_stacktrace`.
pub(crate) fn replace<'a>(holder: &mut Map<'a>, kind: Holder, frames: Vec<Json<'a>>) {
    let Some(Json::Object(stack)) = holder.get_mut("stacktrace") else {
        return;
    };
    let raw = (kind == Holder::Value).then(|| stack.clone());
    stack.set("frames", frames);
    if let Some(raw) = raw
        && holder.get("raw_stacktrace").is_none_or(Json::is_null)
    {
        holder.set("raw_stacktrace", raw);
    }
}

/// Puts the frames of an event back as the client sent them, so that they can be looked up again when more files are
/// there. Frames of a minidump are those of its walk, which may find other callers by then.
pub fn restore(event: &mut Map<'_>) {
    problems::clear(event);
    event.remove("scraping_attempts");
    each(event, |holder, _| {
        match holder.remove("raw_stacktrace") {
            Some(raw @ Json::Object(_)) => holder.set("stacktrace", raw),
            Some(other) => holder.set("raw_stacktrace", other),
            None => {}
        }
        let frames = holder
            .get_mut("stacktrace")
            .and_then(|s| s.get_mut("frames"))
            .and_then(Json::as_array_mut);
        for frame in frames.into_iter().flatten() {
            let Some(Json::Object(data)) = frame.get_mut("data") else {
                continue;
            };
            data.remove("symbolicator_status");
            if data.is_empty() {
                frame.remove("data");
            }
        }
    });
}

/// A number that clients write as `"0x1f"`, `"31"` or `31`.
pub(crate) fn address(value: Option<&Json<'_>>) -> Option<u64> {
    match value? {
        Json::Number(n) => n.as_u64(),
        Json::Str(s) => match s.strip_prefix("0x").or_else(|| s.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => s.parse().ok(),
        },
        _ => None,
    }
}
