//! The normalizations that follow from what was sent alone, made once more and independent of the server.

use serde_json::{Map, Value, json};

use super::compare::{frames, same_units, sort_pairs};
use super::normalizations::hollow;

pub fn lists(event: &mut Value) {
    for key in ["exception", "threads", "breadcrumbs"] {
        if let Some(list @ Value::Array(_)) = event.get_mut(key) {
            *list = json!({ "values": list.take() });
        }
    }
}

pub fn message(event: &mut Value) {
    let map = event.as_object_mut().expect("an event");
    if let Some(message) = map.remove("message") {
        match (map.get_mut("logentry"), message) {
            (None | Some(Value::Null), Value::String(text)) if text.is_empty() => {}
            (None | Some(Value::Null), Value::String(text)) => {
                map.insert("logentry".into(), json!({ "formatted": text }));
            }
            (None | Some(Value::Null), entry) => {
                map.insert("logentry".into(), entry);
            }
            (Some(entry), text) => {
                if entry.get("formatted").is_none() {
                    entry["formatted"] = text;
                }
            }
        }
    }
    let Some(Value::Object(entry)) = map.get_mut("logentry") else {
        return;
    };
    let text =
        |entry: &Map<String, Value>, key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    if text(entry, "formatted").is_none()
        && let Some(template) = text(entry, "message")
    {
        let params = entry.get("params").and_then(Value::as_array).cloned();
        entry.insert(
            "formatted".into(),
            json!(fill(&template, &params.unwrap_or_default())),
        );
    }
    if text(entry, "formatted") == text(entry, "message") {
        entry.remove("message");
    }
}

/// Puts parameters in the places that templates of `%s`, `%d`, `%v` or `{}` have for them.
fn fill(template: &str, params: &[Value]) -> String {
    let mut text = template.to_owned();
    for param in params {
        let shown = param.as_str().map_or_else(|| param.to_string(), str::to_owned);
        let place = ["%s", "%d", "%v", "{}"].iter().filter_map(|p| text.find(p)).min();
        if let Some(at) = place {
            text.replace_range(at..at + 2, &shown);
        }
    }
    text
}

pub fn units(event: &mut Value) {
    *event = same_units(event);
    if let Some(Value::Object(tags)) = event.get_mut("tags") {
        for value in tags.values_mut() {
            match value {
                Value::Bool(b) => *value = json!(if *b { "True" } else { "False" }),
                Value::Number(n) => *value = json!(n.to_string()),
                _ => {}
            }
        }
    }
    let mut undash = |pointer: &str| {
        if let Some(Value::String(id)) = event.pointer_mut(pointer) {
            *id = id.replace('-', "");
        }
    };
    for pointer in ["/event_id", "/contexts/trace/trace_id", "/contexts/trace/span_id"] {
        undash(pointer);
    }
}

pub fn paths(event: &mut Value) {
    for frame in frames(event) {
        if matches!(frame.get("function").and_then(Value::as_str), Some("?" | "")) {
            frame.remove("function");
        }
        let has = |key: &str| {
            frame
                .get(key)
                .and_then(Value::as_str)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
        };
        let (name, path) = (has("filename"), has("abs_path"));
        let path = path.or_else(|| name.clone());
        let name = match (&name, &path) {
            (Some(name), Some(_)) if has("abs_path").is_some() => Some(name.clone()),
            (_, Some(path)) => Some(path_of_url(path)),
            _ => None,
        };
        for (key, value) in [("filename", name), ("abs_path", path)] {
            if let Some(value) = value {
                frame.insert(key.into(), json!(value));
            }
        }
    }
}

fn path_of_url(path: &str) -> String {
    let rest = path
        .strip_prefix("http://")
        .or_else(|| path.strip_prefix("file://"));
    match rest.and_then(|r| r.find('/').map(|at| r[at..].to_owned())) {
        Some(inner) if inner.len() > 1 => inner.split(['?', '#']).next().expect("a part").to_owned(),
        _ => path.to_owned(),
    }
}

pub fn url(event: &mut Value) {
    let Some(Value::Object(request)) = event.get_mut("request") else {
        return;
    };
    let Some(url) = request.get("url").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
    request.insert("url".into(), json!(base));
    for (key, part) in [("query_string", query), ("fragment", fragment)] {
        if !part.is_empty() && request.get(key).is_none_or(hollow) {
            request.insert(key.into(), json!(part));
        }
    }
}

pub fn pairs(event: &mut Value) {
    let Some(Value::Object(request)) = event.get_mut("request") else {
        return;
    };
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    let listed = |value: &Value| -> Vec<(String, String)> {
        match value {
            Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), text(v))).collect(),
            Value::Array(list) => list.iter().map(|p| (text(&p[0]), text(&p[1]))).collect(),
            _ => vec![],
        }
    };
    if let Some(headers) = request.remove("headers") {
        let mut headers: Vec<(String, String)> = listed(&headers)
            .into_iter()
            .map(|(name, value)| (capitalized(&name), value))
            .collect();
        if request.get("cookies").is_none_or(hollow)
            && let Some(at) = headers.iter().position(|(n, v)| n == "Cookie" && v.contains('='))
        {
            request.insert("cookies".into(), json!(headers.remove(at).1));
        }
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        request.insert("headers".into(), json!(headers));
    }
    for (key, between) in [("query_string", '&'), ("cookies", ';')] {
        let Some(value) = request.get_mut(key) else {
            continue;
        };
        let list = match value.as_str() {
            Some(text) => text
                .trim_start_matches('?')
                .split(between)
                .filter(|part| !part.trim().is_empty())
                .map(|part| part.trim().split_once('=').unwrap_or((part.trim(), "")))
                .map(|(k, v)| {
                    if between == '&' {
                        (unescaped(k), unescaped(v))
                    } else {
                        (k.to_owned(), v.to_owned())
                    }
                })
                .collect(),
            None => listed(value),
        };
        let list: Vec<(String, String)> = list;
        *value = json!(list);
    }
    notes_of_pairs(event);
    sort_pairs(event);
}

/// What the SDK notes about a header or cookie by its name is noted about the value of the pair.
fn notes_of_pairs(event: &mut Value) {
    for key in ["headers", "cookies", "query_string"] {
        let names: Vec<String> = event["request"][key]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|pair| pair[0].as_str().map(str::to_owned))
            .collect();
        let Some(Value::Object(notes)) = event.pointer_mut(&format!("/_meta/request/{key}")) else {
            continue;
        };
        let by_name = std::mem::take(notes);
        for (name, note) in by_name {
            match names.iter().position(|n| n.eq_ignore_ascii_case(&name)) {
                Some(i) => notes.insert(i.to_string(), json!({ "1": note })),
                None => notes.insert(name, note),
            };
        }
    }
}

fn capitalized(name: &str) -> String {
    let word = |w: &str| w[..1.min(w.len())].to_ascii_uppercase() + w.get(1..).unwrap_or("");
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |s: &[u8]| {
            std::str::from_utf8(s)
                .ok()
                .and_then(|s| u8::from_str_radix(s, 16).ok())
        };
        match (first, tail.get(..2).and_then(hex)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
            }
            (b'+', _) => {
                out.push(b' ');
                rest = tail;
            }
            (byte, _) => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(out).expect("text")
}

pub fn body(event: &mut Value) {
    let Some(Value::Object(request)) = event.get_mut("request") else {
        return;
    };
    let Some(text) = request.get("data").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let kind = request["headers"]
        .as_array()
        .and_then(|list| list.iter().find(|p| p[0] == "Content-Type"))
        .and_then(|p| p[1].as_str())
        .map(|kind| kind.split(';').next().expect("a part").to_owned());
    let json_of = |text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(|v| v.is_object() || v.is_array())
    };
    let value = match kind.as_deref() {
        Some("application/x-www-form-urlencoded") => Some(Value::Object(
            text.split('&')
                .filter_map(|part| part.split_once('='))
                .map(|(k, v)| (unescaped(k), json!(unescaped(v))))
                .collect(),
        )),
        Some("application/json") | None => json_of(&text),
        _ => None,
    };
    let kind = kind.or_else(|| value.is_some().then(|| "application/json".to_owned()));
    if let Some(kind) = kind {
        request.insert("inferred_content_type".into(), json!(kind));
    }
    if let Some(value) = value {
        request.insert("data".into(), value);
    }
}

pub fn contexts(event: &mut Value) {
    if let Some(Value::Object(contexts)) = event.get_mut("contexts") {
        for (name, context) in contexts.iter_mut() {
            if let Value::Object(context) = context
                && !context.is_empty()
                && context.get("type").is_none_or(Value::is_null)
            {
                context.insert("type".into(), json!(name));
            }
        }
    }
    if let Some(Value::Array(fingerprint)) = event.get_mut("fingerprint") {
        for part in fingerprint {
            if part.is_number() {
                *part = json!(part.to_string());
            }
        }
    }
}
