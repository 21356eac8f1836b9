//! Exceptions, threads and the stack traces in them.

use protocol::json::{Json, Map};

use super::{frames, to_text, values};
use crate::meta::Notes;

pub(super) fn normalize(event: &mut Map<'_>, notes: &mut Notes) {
    exceptions(event, notes);
    threads(event, notes);
    if event.contains("stacktrace") {
        move_stack(event);
    }
    if let Some(stack) = event.get_mut("stacktrace") {
        notes.enter("stacktrace");
        let keep = frames::stack(stack, true, notes);
        notes.leave();
        if !keep {
            event.remove("stacktrace");
        }
    }
}

/// With one exception the stack of the event is that of the exception.
fn move_stack(event: &mut Map<'_>) {
    let Some(list) = event.get("exception").and_then(|e| e.get("values")?.as_array()) else {
        return;
    };
    let [Json::Object(only)] = list else { return };
    if only.get("stacktrace").is_some_and(|s| !s.is_null()) {
        return;
    }
    let Some(mut stack) = event.remove("stacktrace") else {
        return;
    };
    let mut notes = Notes::default();
    frames::stack(&mut stack, true, &mut notes);
    if let Some(Json::Array(list)) = event.get_mut("exception").and_then(|e| e.get_mut("values"))
        && let Some(Json::Object(only)) = list.first_mut()
    {
        only.set("stacktrace", stack);
    }
}

fn exceptions(event: &mut Map<'_>, notes: &mut Notes) {
    if !event.contains("exception") {
        return;
    }
    notes.enter("exception");
    notes.enter("values");
    let mut left = false;
    if let Some(list) = values(event, "exception") {
        let mut i = 0;
        list.retain_mut(|value| {
            notes.enter_index(i);
            let keep = exception(value, notes);
            notes.leave();
            i += 1;
            keep
        });
        left = !list.is_empty();
    }
    notes.leave();
    notes.leave();
    if !left {
        event.remove("exception");
    }
}

fn exception(value: &mut Json<'_>, notes: &mut Notes) -> bool {
    let Some(exception) = value.as_object_mut() else {
        if !value.is_null() {
            notes.invalid("expected an exception", value);
        }
        return false;
    };
    exception.0.retain(|(_, v)| !v.is_null());
    for key in ["type", "module"] {
        if let Some(v) = exception.get_mut(key) {
            match to_text(v) {
                Some(text) => *v = Json::from(text),
                None => {
                    exception.remove(key);
                }
            }
        }
    }
    if let Some(v) = exception.get_mut("value")
        && v.as_str().is_none()
    {
        let text = to_text(v).unwrap_or_else(|| v.to_string());
        *v = Json::from(text);
    }
    let no_type = exception.str("type").is_none_or(|t| t.is_empty());
    if no_type && let Some((kind, rest)) = exception.str("value").and_then(split_type) {
        exception.set("type", kind);
        exception.set("value", rest);
    }
    if let Some(v) = exception.get_mut("thread_id")
        && let Some(n) = v.as_i64()
    {
        *v = Json::from(n);
    }
    mechanism(exception);
    for key in ["stacktrace", "raw_stacktrace"] {
        if let Some(stack) = exception.get_mut(key) {
            notes.enter(key);
            let keep = frames::stack(stack, key == "stacktrace", notes);
            notes.leave();
            if !keep {
                exception.remove(key);
            }
        }
    }
    let nothing = |key: &str| exception.str(key).is_none_or(|t| t.is_empty());
    if nothing("type") && nothing("value") {
        notes.error(
            "missing_attribute",
            Some("an exception needs a type or a value"),
            None,
        );
        return false;
    }
    true
}

/// `Word: rest` is a type and a value.
fn split_type(value: &str) -> Option<(String, String)> {
    let (kind, rest) = value.split_once(':')?;
    let word = !kind.is_empty()
        && kind
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    (word && rest.starts_with(' ')).then(|| (kind.to_owned(), rest.trim().to_owned()))
}

fn mechanism(exception: &mut Map<'_>) {
    let Some(value) = exception.get_mut("mechanism") else {
        return;
    };
    match value {
        Json::Object(m) => {
            m.0.retain(|(_, v)| !v.is_null());
            if m.is_empty() {
                exception.remove("mechanism");
            } else if m.str("type").is_none_or(|t| t.is_empty()) {
                m.set("type", "generic");
            }
        }
        Json::Str(s) => {
            let kind = s.clone();
            value.make_object().set("type", kind);
        }
        _ => {
            exception.remove("mechanism");
        }
    }
}

fn threads(event: &mut Map<'_>, notes: &mut Notes) {
    if !event.contains("threads") {
        return;
    }
    notes.enter("threads");
    notes.enter("values");
    let mut left = false;
    if let Some(list) = values(event, "threads") {
        list.retain(|v| v.as_object().is_some());
        for (i, thread) in list.iter_mut().filter_map(Json::as_object_mut).enumerate() {
            notes.enter_index(i);
            for key in ["stacktrace", "raw_stacktrace"] {
                if let Some(stack) = thread.get_mut(key) {
                    notes.enter(key);
                    let keep = frames::stack(stack, key == "stacktrace", notes);
                    notes.leave();
                    if !keep {
                        thread.remove(key);
                    }
                }
            }
            notes.leave();
        }
        left = !list.is_empty();
    }
    notes.leave();
    notes.leave();
    if !left {
        event.remove("threads");
    }
}
