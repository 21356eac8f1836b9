//! The limits of fields: what is longer is cut, and `_meta` says so.

use protocol::json::{Json, Map};

use crate::meta::{Notes, Remark};

/// How much of a field is kept.
#[derive(Clone, Copy)]
struct Text {
    /// Characters.
    max: usize,
    /// How much longer it may be before it is cut.
    allowance: usize,
}

/// A tree of values: bytes of JSON, and how deep.
#[derive(Clone, Copy)]
struct Bag {
    bytes: usize,
    depth: usize,
}

const fn text(max: usize, allowance: usize) -> Text {
    Text { max, allowance }
}

const TOP: [(&str, Text); 6] = [
    ("transaction", text(200, 0)),
    ("culprit", text(200, 0)),
    ("server_name", text(256, 20)),
    ("site", text(256, 20)),
    ("logger", text(64, 0)),
    ("checksum", text(128, 0)),
];

const FRAME: [(&str, Text); 7] = [
    ("function", text(256, 20)),
    ("raw_function", text(256, 20)),
    ("symbol", text(256, 20)),
    ("filename", text(256, 40)),
    ("abs_path", text(256, 40)),
    ("module", text(256, 20)),
    ("context_line", text(1000, 0)),
];

const REQUEST: [(&str, Bag); 6] = [
    (
        "query_string",
        Bag {
            bytes: 1024,
            depth: 3,
        },
    ),
    (
        "cookies",
        Bag {
            bytes: 2048,
            depth: 5,
        },
    ),
    (
        "data",
        Bag {
            bytes: 8192,
            depth: 7,
        },
    ),
    (
        "headers",
        Bag {
            bytes: 8192,
            depth: 7,
        },
    ),
    (
        "env",
        Bag {
            bytes: 8192,
            depth: 7,
        },
    ),
    (
        "fragment",
        Bag {
            bytes: 1124,
            depth: 1,
        },
    ),
];

/// Exceptions that are kept: the innermost and the outermost.
const INNER_EXCEPTIONS: usize = 50;
const OUTER_EXCEPTIONS: usize = 200;

/// Breadcrumbs that are kept: the newest.
const BREADCRUMBS: usize = 1000;

/// Threads that are kept, besides those that crashed or were running.
const THREADS: usize = 1000;

/// Contexts that are kept.
const CONTEXTS: usize = 250;

/// Leaves out what is more than anybody reads, before work is spent on it.
pub(super) fn counts(event: &mut Map<'_>, notes: &mut Notes) {
    some(event, "exception", notes, |list| {
        if list.len() > INNER_EXCEPTIONS + OUTER_EXCEPTIONS {
            list.drain(INNER_EXCEPTIONS..list.len() - OUTER_EXCEPTIONS);
        }
    });
    some(event, "breadcrumbs", notes, |list| {
        list.drain(..list.len().saturating_sub(BREADCRUMBS));
    });
    some(event, "threads", notes, |list| {
        let mut room = THREADS;
        let chosen = |thread: &Json<'_>| {
            ["crashed", "current"]
                .iter()
                .any(|key| thread.get(key).and_then(Json::as_bool) == Some(true))
        };
        // Of those as many again, should all say so.
        let mut chosen_room = THREADS;
        list.retain(|thread| {
            let room = if chosen(thread) {
                &mut chosen_room
            } else {
                &mut room
            };
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        });
    });
    if let Some(Json::Object(contexts)) = event.get_mut("contexts")
        && contexts.len() > CONTEXTS
    {
        let total = contexts.len();
        contexts.0.truncate(CONTEXTS);
        notes.enter("contexts");
        notes.shortened(total);
        notes.leave();
    }
}

/// Chooses among the values of an interface.
fn some<'a>(
    event: &mut Map<'a>,
    key: &'static str,
    notes: &mut Notes,
    choose: impl FnOnce(&mut Vec<Json<'a>>),
) {
    let Some(list) = super::values(event, key) else {
        return;
    };
    let total = list.len();
    choose(list);
    if list.len() < total {
        notes.enter(key);
        notes.enter("values");
        notes.shortened(total);
        notes.leave();
        notes.leave();
    }
}

/// Cuts what is too long.
pub(super) fn apply(event: &mut Map<'_>, notes: &mut Notes) {
    for (key, limit) in TOP {
        cut_field(event, key, limit, notes);
    }
    inside(event, "logentry", notes, |entry, notes| {
        cut_field(entry, "message", text(8192, 200), notes);
        cut_field(entry, "formatted", text(8192, 200), notes);
        cut_bag(
            entry,
            "params",
            Bag {
                bytes: 2048,
                depth: 5,
            },
            notes,
        );
    });
    each(event, "exception", notes, |exception, notes| {
        cut_field(exception, "type", text(256, 20), notes);
        cut_field(exception, "module", text(256, 20), notes);
        cut_field(exception, "value", text(8192, 200), notes);
        inside(exception, "stacktrace", notes, frames);
    });
    each(event, "threads", notes, |thread, notes| {
        inside(thread, "stacktrace", notes, frames)
    });
    inside(event, "stacktrace", notes, frames);
    each(event, "breadcrumbs", notes, |crumb, notes| {
        cut_field(crumb, "message", text(8192, 200), notes);
        cut_field(crumb, "type", text(128, 0), notes);
        cut_field(crumb, "category", text(128, 0), notes);
        cut_bag(
            crumb,
            "data",
            Bag {
                bytes: 2048,
                depth: 5,
            },
            notes,
        );
    });
    inside(event, "request", notes, |request, notes| {
        cut_field(request, "url", text(256, 1792), notes);
        for (key, limit) in REQUEST {
            cut_bag(request, key, limit, notes);
        }
    });
    inside(event, "user", notes, |user, notes| {
        for key in ["id", "username", "name", "segment"] {
            cut_field(user, key, text(128, 0), notes);
        }
        cut_field(user, "email", text(256, 0), notes);
        cut_bag(
            user,
            "data",
            Bag {
                bytes: 2048,
                depth: 5,
            },
            notes,
        );
    });
    cut_bag(
        event,
        "extra",
        Bag {
            bytes: 262_144,
            depth: 7,
        },
        notes,
    );
    cut_bag(
        event,
        "modules",
        Bag {
            bytes: 8192,
            depth: 7,
        },
        notes,
    );
    if let Some(Json::Object(contexts)) = event.get_mut("contexts") {
        notes.enter("contexts");
        for (key, value) in contexts.0.iter_mut() {
            // Its type says what a context is, and stays however large the rest of it is.
            let kind = value.as_object_mut().and_then(|context| {
                let place = context.0.iter().position(|(k, _)| *k == "type")?;
                Some((place, context.0.remove(place)))
            });
            notes.enter_name(key);
            limit_bag(
                value,
                Bag {
                    bytes: 8192,
                    depth: 7,
                },
                notes,
            );
            notes.leave();
            if let (Some((place, kind)), Some(context)) = (kind, value.as_object_mut()) {
                context.0.insert(place.min(context.0.len()), kind);
            }
        }
        notes.leave();
    }
}

fn inside<'a>(
    map: &mut Map<'a>,
    key: &'static str,
    notes: &mut Notes,
    act: impl Fn(&mut Map<'a>, &mut Notes),
) {
    if let Some(Json::Object(inner)) = map.get_mut(key) {
        notes.enter(key);
        act(inner, notes);
        notes.leave();
    }
}

fn each<'a>(map: &mut Map<'a>, key: &'static str, notes: &mut Notes, act: impl Fn(&mut Map<'a>, &mut Notes)) {
    let Some(list) = map
        .get_mut(key)
        .and_then(|v| v.get_mut("values"))
        .and_then(Json::as_array_mut)
    else {
        return;
    };
    notes.enter(key);
    notes.enter("values");
    for (i, value) in list.iter_mut().enumerate() {
        if let Some(inner) = value.as_object_mut() {
            notes.enter_index(i);
            act(inner, notes);
            notes.leave();
        }
    }
    notes.leave();
    notes.leave();
}

fn frames(stack: &mut Map<'_>, notes: &mut Notes) {
    let Some(list) = stack.get_mut("frames").and_then(Json::as_array_mut) else {
        return;
    };
    notes.enter("frames");
    for (i, frame) in list.iter_mut().enumerate() {
        let Some(frame) = frame.as_object_mut() else {
            continue;
        };
        notes.enter_index(i);
        for (key, limit) in FRAME {
            cut_field(frame, key, limit, notes);
        }
        cut_bag(
            frame,
            "vars",
            Bag {
                bytes: 2048,
                depth: 5,
            },
            notes,
        );
        notes.leave();
    }
    notes.leave();
}

fn cut_field(map: &mut Map<'_>, key: &'static str, limit: Text, notes: &mut Notes) {
    // A text of fewer bytes than characters allowed needs no counting.
    let Some(value) = map.get_mut(key) else { return };
    if value.as_str().is_some_and(|s| s.len() > limit.max) {
        notes.enter(key);
        cut(value, limit, notes);
        notes.leave();
    }
}

fn cut(value: &mut Json<'_>, limit: Text, notes: &mut Notes) {
    let Some(text) = value.as_str() else { return };
    let chars = text.chars().count();
    if chars <= limit.max + limit.allowance {
        return;
    }
    let keep = limit.max.saturating_sub(3);
    let end = text.char_indices().nth(keep).map_or(text.len(), |(i, _)| i);
    let short = format!("{}...", &text[..end]);
    notes.remark(
        &Remark {
            rule: "!limit".into(),
            how: "s",
            range: Some((keep, keep + 3)),
        },
        Some(chars),
    );
    *value = Json::from(short);
}

fn cut_bag(map: &mut Map<'_>, key: &'static str, limit: Bag, notes: &mut Notes) {
    if let Some(value) = map.get_mut(key) {
        notes.enter(key);
        limit_bag(value, limit, notes);
        notes.leave();
    }
}

fn limit_bag(value: &mut Json<'_>, limit: Bag, notes: &mut Notes) {
    let mut left = limit.bytes;
    if fits(value, limit.depth, &mut left) {
        return;
    }
    let mut left = limit.bytes;
    shrink(value, limit.depth, &mut left, notes);
}

/// Whether a tree is within its limit; counts down what is left.
fn fits(value: &Json<'_>, depth: usize, left: &mut usize) -> bool {
    let own = match value {
        Json::Null | Json::Bool(_) => 5,
        Json::Number(n) => n.text().len() + 1,
        Json::Str(s) => s.len() + 3,
        Json::Array(_) | Json::Object(_) => 2,
        Json::Rendered(text) => text.len() + 1,
    };
    let Some(rest) = left.checked_sub(own) else {
        return false;
    };
    *left = rest;
    match value {
        Json::Array(list) if depth > 0 => list.iter().all(|v| fits(v, depth - 1, left)),
        Json::Object(map) if depth > 0 => map.iter().all(|(k, v)| {
            let Some(rest) = left.checked_sub(k.len() + 4) else {
                return false;
            };
            *left = rest;
            fits(v, depth - 1, left)
        }),
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => true,
    }
}

/// Cuts a tree: texts are shortened, members beyond the limit removed, what lies too deep becomes text.
fn shrink(value: &mut Json<'_>, depth: usize, left: &mut usize, notes: &mut Notes) {
    let empty = match value {
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
        _ => true,
    };
    if depth == 0 && !empty {
        let text = value.to_string();
        notes.remark(
            &Remark {
                rule: "!limit".into(),
                how: "s",
                range: Some((0, text.len())),
            },
            None,
        );
        *value = Json::from(text);
    }
    match value {
        Json::Str(s) => {
            let max = left.saturating_sub(3);
            if s.len() > max {
                cut(value, text(max.max(3), 0), notes);
                *left = 0;
            } else {
                *left -= s.len() + 3;
            }
        }
        Json::Array(list) => {
            let total = list.len();
            let mut i = 0;
            list.retain_mut(|v| {
                i += 1;
                if *left < 8 {
                    return false;
                }
                notes.enter_index(i - 1);
                shrink(v, depth.saturating_sub(1), left, notes);
                notes.leave();
                true
            });
            if list.len() < total {
                notes.shortened(total);
            }
        }
        Json::Object(map) => {
            let total = map.len();
            map.0.retain_mut(|(k, v)| {
                if *left < k.len() + 8 {
                    *left = 0;
                    return false;
                }
                *left -= k.len() + 4;
                notes.enter_name(k);
                shrink(v, depth.saturating_sub(1), left, notes);
                notes.leave();
                true
            });
            if map.len() < total {
                notes.shortened(total);
            }
        }
        Json::Number(n) => *left = left.saturating_sub(n.text().len() + 1),
        _ => *left = left.saturating_sub(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_and_noted() {
        let mut event = Map::new();
        event.set("transaction", "x".repeat(250));
        let mut notes = Notes::default();
        apply(&mut event, &mut notes);
        assert_eq!(event.str("transaction").map(str::len), Some(200));
        notes.write(&mut event);
        assert_eq!(
            event.get("_meta").map(ToString::to_string).as_deref(),
            Some(r#"{"transaction":{"":{"rem":[["!limit","s",197,200]],"len":250}}}"#)
        );
    }

    #[test]
    fn of_many_those_that_matter_are_kept() {
        let list = |n: usize| (0..n).map(Json::from).collect::<Vec<_>>();
        let mut event = Map::new();
        event.set("exception", list(300));
        let mut crumbs = Map::new();
        crumbs.set("values", list(1001));
        event.set("breadcrumbs", crumbs);
        let mut threads = list(1200);
        threads[1100] = protocol::json::parse_str(r#"{"id":7,"crashed":true}"#).unwrap().0;
        event.set("threads", threads);
        let mut notes = Notes::default();
        counts(&mut event, &mut notes);
        let values = |key| {
            event
                .object(key)
                .and_then(|o| o.array("values"))
                .unwrap()
                .to_vec()
        };
        let exceptions = values("exception");
        assert_eq!((exceptions.len(), &exceptions[50]), (250, &Json::from(100usize)));
        let crumbs = values("breadcrumbs");
        assert_eq!((crumbs.len(), &crumbs[0]), (1000, &Json::from(1usize)));
        let threads = values("threads");
        assert_eq!(
            (threads.len(), threads[1000].get("id").and_then(Json::as_u64)),
            (1001, Some(7))
        );
        notes.write(&mut event);
        assert_eq!(
            event
                .get("_meta")
                .and_then(|m| m.path(&["threads", "values", ""]))
                .map(ToString::to_string),
            Some(r#"{"rem":[["!limit","x"]],"len":1200}"#.into())
        );
    }

    #[test]
    fn a_context_keeps_its_type() {
        let text = format!(
            r#"{{"contexts":{{"a":{{"text":"{}","more":1,"type":"os"}}}}}}"#,
            "x".repeat(9000)
        );
        let (event, _) = protocol::json::parse_str(&text).unwrap();
        let Json::Object(mut event) = event else {
            panic!("not an object")
        };
        apply(&mut event, &mut Notes::default());
        let context = event.get("contexts").and_then(|c| c.get("a"));
        assert_eq!(context.and_then(|c| c.str_at(&["type"])), Some("os"));
        assert!(context.is_some_and(|c| c.get("more").is_none()));
    }

    #[test]
    fn deep_values_become_text() {
        let (mut value, _) = protocol::json::parse_str(r#"{"a":{"b":{"c":[1,2]}}}"#).unwrap();
        limit_bag(
            &mut value,
            Bag {
                bytes: 1000,
                depth: 2,
            },
            &mut Notes::default(),
        );
        assert_eq!(value.to_string(), r#"{"a":{"b":"{\"c\":[1,2]}"}}"#);
    }

    #[test]
    fn wide_values_are_cut() {
        let text = format!(
            "{{{}}}",
            (0..100)
                .map(|i| format!("\"k{i}\":\"{}\"", "v".repeat(50)))
                .collect::<Vec<_>>()
                .join(",")
        );
        let (mut value, _) = protocol::json::parse_str(&text).unwrap();
        limit_bag(
            &mut value,
            Bag {
                bytes: 2048,
                depth: 5,
            },
            &mut Notes::default(),
        );
        let size = value.to_string().len();
        assert!((1900..2200).contains(&size), "{size}");
    }
}
