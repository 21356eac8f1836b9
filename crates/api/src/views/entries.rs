//! The parts of an event page: exceptions, threads, message, request, breadcrumbs, reports, images.
//!
//! Frames and mechanisms go from the protocol's snake case to the API's camel case.

use serde_json::{Map, Value, json};

/// An object, or an empty one.
pub fn object(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Object(map)) => Value::Object(map.clone()),
        _ => json!({}),
    }
}

fn get(value: &Value, key: &str) -> Value {
    value.get(key).cloned().unwrap_or(Value::Null)
}

fn values(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(list)) => list.iter().filter(|v| !v.is_null()).collect(),
        Some(Value::Object(map)) => match map.get("values") {
            Some(Value::Array(list)) => list.iter().filter(|v| !v.is_null()).collect(),
            _ => vec![],
        },
        _ => vec![],
    }
}

/// Every entry that the event has something for.
pub fn entries(event: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    let mut entry = |kind: &str, data: Value| out.push(json!({ "type": kind, "data": data }));
    if let Some(data) = message(event) {
        entry("message", data);
    }
    let exceptions = values(event.get("exception"));
    if !exceptions.is_empty() {
        entry("exception", exception(&exceptions));
    }
    if let Some(stack) = event.get("stacktrace").and_then(stacktrace) {
        entry("stacktrace", stack);
    }
    let threads = values(event.get("threads"));
    if !threads.is_empty() {
        entry(
            "threads",
            json!({ "values": threads.into_iter().map(thread).collect::<Vec<_>>() }),
        );
    }
    if let Some(data) = event.get("template").filter(|t| t.is_object()) {
        entry("template", template(data));
    }
    let crumbs = values(event.get("breadcrumbs"));
    if !crumbs.is_empty() {
        entry(
            "breadcrumbs",
            json!({ "values": crumbs.into_iter().map(breadcrumb).collect::<Vec<_>>() }),
        );
    }
    if let Some(data) = event
        .get("request")
        .filter(|r| r.as_object().is_some_and(|r| !r.is_empty()))
    {
        entry("request", request(data));
    }
    for kind in ["csp", "expectct", "expectstaple", "hpkp"] {
        if let Some(data) = event.get(kind).filter(|d| d.is_object()) {
            entry(kind, data.clone());
        }
    }
    let images = values(event.get("debug_meta").and_then(|d| d.get("images")));
    if !images.is_empty() {
        entry("debugmeta", json!({ "images": images }));
    }
    out
}

fn message(event: &Value) -> Option<Value> {
    let found = event.get("logentry").or_else(|| event.get("message"))?;
    match found {
        Value::String(text) if !text.is_empty() => {
            Some(json!({ "formatted": text, "message": text, "params": null }))
        }
        Value::Object(map) => {
            let formatted = map
                .get("formatted")
                .or(map.get("message"))
                .filter(|v| !v.is_null())?;
            Some(
                json!({ "formatted": formatted, "message": get(found, "message"), "params": get(found, "params") }),
            )
        }
        _ => None,
    }
}

fn exception(list: &[&Value]) -> Value {
    let shown: Vec<Value> = list
        .iter()
        .map(|e| {
            json!({
                "type": get(e, "type"), "value": get(e, "value"), "module": get(e, "module"),
                "threadId": get(e, "thread_id"), "mechanism": mechanism(e.get("mechanism")),
                "stacktrace": e.get("stacktrace").and_then(stacktrace),
                "rawStacktrace": e.get("raw_stacktrace").and_then(stacktrace),
            })
        })
        .collect();
    let system = shown
        .iter()
        .any(|e| e["stacktrace"]["hasSystemFrames"] == json!(true));
    json!({ "values": shown, "excOmitted": null, "hasSystemFrames": system })
}

/// The mechanism keeps its keys: clients read them as the protocol names them.
fn mechanism(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Object(map)) if !map.is_empty() => Value::Object(map.clone()),
        _ => Value::Null,
    }
}

fn thread(t: &Value) -> Value {
    json!({
        "id": get(t, "id"), "name": get(t, "name"), "crashed": get(t, "crashed"), "current": get(t, "current"),
        "state": get(t, "state"), "heldLocks": get(t, "held_locks"),
        "stacktrace": t.get("stacktrace").and_then(stacktrace),
        "rawStacktrace": t.get("raw_stacktrace").and_then(stacktrace),
    })
}

fn stacktrace(value: &Value) -> Option<Value> {
    let map = value.as_object()?;
    let frames: Vec<Value> = values(map.get("frames")).into_iter().map(frame).collect();
    if frames.is_empty() {
        return None;
    }
    let is_app = |f: &Value| f["inApp"] == json!(true);
    let mixed = frames.iter().any(is_app) && !frames.iter().all(is_app);
    Some(json!({
        "frames": frames, "framesOmitted": get(value, "frames_omitted"), "registers": get(value, "registers"),
        "hasSystemFrames": mixed,
    }))
}

fn frame(f: &Value) -> Value {
    json!({
        "filename": get(f, "filename"), "absPath": get(f, "abs_path"), "module": get(f, "module"),
        "package": get(f, "package"), "platform": get(f, "platform"), "instructionAddr": get(f, "instruction_addr"),
        "symbolAddr": get(f, "symbol_addr"), "function": get(f, "function"), "rawFunction": get(f, "raw_function"),
        "symbol": get(f, "symbol"), "context": context(f), "lineNo": get(f, "lineno"), "colNo": get(f, "colno"),
        "inApp": f.get("in_app").and_then(Value::as_bool).unwrap_or(false), "trust": get(f, "trust"),
        "errors": get(f, "errors"), "lock": get(f, "lock"), "vars": get(f, "vars"), "addrMode": get(f, "addr_mode"),
        "sourceLink": get(f, "source_link"), "data": get(f, "data"),
    })
}

/// Source lines with their numbers: `[[12, "def pay():"], …]`.
fn context(f: &Value) -> Vec<Value> {
    let (Some(line), Some(number)) = (f.get("context_line"), f.get("lineno").and_then(Value::as_i64)) else {
        return vec![];
    };
    if !line.is_string() {
        return vec![];
    }
    let lines = |key: &str| f.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let (before, after) = (lines("pre_context"), lines("post_context"));
    let start = number - i64::try_from(before.len()).unwrap_or(0);
    before
        .into_iter()
        .chain([line.clone()])
        .chain(after)
        .zip(start..)
        .map(|(text, n)| json!([n, text]))
        .collect()
}

fn template(t: &Value) -> Value {
    json!({
        "filename": get(t, "filename"), "absPath": get(t, "abs_path"), "lineNo": get(t, "lineno"), "context": context(t),
    })
}

fn breadcrumb(b: &Value) -> Value {
    let kind = match get(b, "type") {
        Value::Null => json!("default"),
        kind => kind,
    };
    let level = match get(b, "level") {
        Value::Null => json!("info"),
        level => level,
    };
    json!({
        "type": kind, "level": level, "category": get(b, "category"), "message": get(b, "message"),
        "timestamp": timestamp(b.get("timestamp")), "data": get(b, "data"), "event_id": get(b, "event_id"),
    })
}

fn timestamp(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Number(n)) => n
            .as_f64()
            .and_then(protocol::time::from_seconds)
            .map_or(Value::Null, super::time),
        Some(Value::String(text)) => match protocol::time::parse_time(text) {
            Some(t) => super::time(t),
            None => json!(text),
        },
        _ => Value::Null,
    }
}

fn request(r: &Value) -> Value {
    let pairs = |key: &str| match r.get(key) {
        Some(Value::Array(list)) => Value::Array(list.clone()),
        Some(Value::Object(map)) => Value::Array(map.iter().map(|(k, v)| json!([k, v])).collect()),
        Some(Value::String(s)) if !s.is_empty() => json!(s),
        _ => json!([]),
    };
    json!({
        "method": get(r, "method"), "url": get(r, "url"), "query": pairs("query_string"),
        "fragment": get(r, "fragment"), "data": get(r, "data"), "headers": pairs("headers"),
        "cookies": pairs("cookies"), "env": get(r, "env"), "inferredContentType": get(r, "inferred_content_type"),
        "apiTarget": get(r, "api_target"),
    })
}

/// Contexts, each with its type.
pub fn contexts(event: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    let Some(Value::Object(map)) = event.get("contexts") else {
        return out;
    };
    for (name, value) in map {
        if let Value::Object(context) = value {
            let mut context = context.clone();
            context.entry("type").or_insert_with(|| json!("default"));
            out.insert(name.clone(), Value::Object(context));
        }
    }
    out
}

/// What was wrong with the event as it came.
pub fn errors(event: &Value) -> Vec<Value> {
    values(event.get("errors"))
        .into_iter()
        .map(|e| {
            let mut data = e.as_object().cloned().unwrap_or_default();
            let kind = data.remove("type").unwrap_or_else(|| json!("invalid_data"));
            let message = match (data.get("name"), data.get("reason")) {
                (Some(name), Some(reason)) => json!(format!("{}: {}", plain(name), plain(reason))),
                (Some(name), None) => json!(plain(name)),
                _ => kind.clone(),
            };
            json!({ "type": kind, "message": message, "data": data })
        })
        .collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `_meta` of the event, with the names that the view uses at its top.
pub fn meta_by_entry(meta: &Value) -> Value {
    let mut out = Map::new();
    if let Value::Object(map) = meta {
        for (key, value) in map {
            let name = match key.as_str() {
                "extra" => "context",
                "modules" => "packages",
                other => other,
            };
            out.insert(name.to_owned(), value.clone());
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_with_source_and_groups() {
        let event = json!({
            "exception": { "values": [{ "type": "KeyError", "value": "'x'", "thread_id": 5,
                "mechanism": { "type": "django", "handled": false, "exception_id": 1 },
                "stacktrace": { "frames": [
                    { "filename": "lib.py", "function": "call", "lineno": 3, "in_app": false },
                    { "filename": "a.py", "function": "f", "lineno": 10, "in_app": true,
                      "pre_context": ["a", "b"], "context_line": "c", "post_context": ["d"], "vars": { "x": "1" } }
                ] } }] },
            "breadcrumbs": { "values": [{ "message": "hi", "timestamp": 1_700_000_000.5 }] },
            "request": { "method": "POST", "url": "https://x.y/z", "headers": [["A", "b"]] },
            "logentry": { "formatted": "hello 5", "message": "hello %s", "params": [5] }
        });
        let got = entries(&event);
        let kinds: Vec<_> = got.iter().map(|e| e["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "exception", "breadcrumbs", "request"]);
        let value = &got[1]["data"]["values"][0];
        assert_eq!(value["threadId"], 5);
        assert_eq!(value["mechanism"]["exception_id"], 1);
        let frame = &value["stacktrace"]["frames"][1];
        assert_eq!(
            frame["context"],
            json!([[8, "a"], [9, "b"], [10, "c"], [11, "d"]])
        );
        assert_eq!(frame["inApp"], true);
        assert_eq!(value["stacktrace"]["hasSystemFrames"], true);
        assert_eq!(
            got[2]["data"]["values"][0]["timestamp"],
            "2023-11-14T22:13:20.500000Z"
        );
        assert_eq!(got[3]["data"]["headers"][0][0], "A");
    }

    /// `serde_json` reads floats in a hurry and off by a last digit, unless its feature `float_roundtrip` is on.
    #[test]
    fn numbers_stay_as_they_were_sent() {
        for number in ["1795746361.0000823", "1795746361.0002465", "0.30000000000000004"] {
            let event: Value = serde_json::from_str(&format!(r#"{{"extra":{{"n":{number}}}}}"#)).unwrap();
            assert_eq!(event["extra"]["n"].to_string(), number);
        }
    }

    #[test]
    fn an_empty_event_has_no_entries() {
        assert!(entries(&json!({})).is_empty());
        assert!(
            entries(&json!({ "exception": null, "threads": { "values": [] }, "message": "" })).is_empty()
        );
    }
}
