//! The HTTP request of an event.

use protocol::json::{Json, Map};

use super::to_text;
use crate::meta::Notes;

/// Fields of a form that are read; bodies with more stay text.
const MAX_FORM: usize = 1000;

pub(super) fn normalize(event: &mut Map<'_>, notes: &mut Notes) {
    let Some(Json::Object(request)) = event.get_mut("request") else {
        return;
    };
    request.0.retain(|(_, v)| !v.is_null());
    notes.enter("request");
    method(request, notes);
    url(request);
    query(request);
    headers(request);
    cookies(request);
    for key in ["env"] {
        if request
            .get(key)
            .is_some_and(|v| v.as_object().is_none_or(Map::is_empty))
        {
            request.remove(key);
        }
    }
    body(request);
    notes.leave();
    if request.is_empty() {
        event.remove("request");
    } else {
        move_meta(event);
    }
}

/// What the SDK notes about a header by its name moves to the place of the pair that the header became.
fn move_meta(event: &mut Map<'_>) {
    for key in ["headers", "cookies", "query_string"] {
        let names: Vec<String> = match event.object("request").and_then(|r| r.array(key)) {
            Some(pairs) => pairs
                .iter()
                .filter_map(|p| p.str_at(&["0"]).map(str::to_owned))
                .collect(),
            None => continue,
        };
        let meta = event
            .get_mut("_meta")
            .and_then(|m| m.get_mut("request"))
            .and_then(|r| r.get_mut(key));
        let Some(Json::Object(meta)) = meta else { continue };
        for (name, note) in &mut meta.0 {
            if let Some(i) = names.iter().position(|n| n.eq_ignore_ascii_case(name)) {
                let mut pair = Map::new();
                pair.set("1", std::mem::take(note));
                *note = pair.into();
                *name = i.to_string().into();
            }
        }
    }
}

fn method(request: &mut Map<'_>, notes: &mut Notes) {
    let Some(value) = request.get("method") else {
        return;
    };
    match value.as_str() {
        Some(m)
            if !m.is_empty()
                && m.len() <= 32
                && m.bytes()
                    .all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_')) =>
        {
            let upper = m.to_ascii_uppercase();
            request.set("method", upper);
        }
        _ => {
            notes.enter("method");
            notes.invalid("expected an HTTP method", value);
            notes.leave();
            request.remove("method");
        }
    }
}

/// Query and fragment stand apart from the URL.
fn url(request: &mut Map<'_>) {
    let Some(url) = request.str("url").map(str::to_owned) else {
        return;
    };
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (url.as_str(), None),
    };
    let (base, query) = match rest.split_once('?') {
        Some((base, query)) => (base, Some(query)),
        None => (rest, None),
    };
    if let Some(query) = query.filter(|q| !q.is_empty())
        && request.get("query_string").is_none_or(|q| q.as_str() == Some(""))
    {
        request.set("query_string", query.to_owned());
    }
    if let Some(fragment) = fragment.filter(|f| !f.is_empty())
        && request.str("fragment").is_none()
    {
        request.set("fragment", fragment.to_owned());
    }
    if base.len() != url.len() {
        request.set("url", base.to_owned());
    }
}

fn pair(key: String, value: Json<'static>) -> Json<'static> {
    Json::Array(vec![Json::from(key), value])
}

fn query(request: &mut Map<'_>) {
    let Some(value) = request.remove("query_string") else {
        return;
    };
    let pairs = match value {
        Json::Str(text) => form(text.trim_start_matches('?')),
        other => pairs_of(other, |k| k.to_owned()),
    };
    if !pairs.is_empty() {
        request.set("query_string", Json::Array(pairs));
    }
}

/// Pairs of an object, of a list of pairs, or of a list of single-key objects.
fn pairs_of(value: Json<'_>, name: impl Fn(&str) -> String) -> Vec<Json<'static>> {
    let text = |v: &Json<'_>| match v {
        Json::Null => Json::Null,
        Json::Array(list) => Json::from(list.iter().filter_map(to_text).collect::<Vec<_>>().join(",")),
        other => Json::from(to_text(other).unwrap_or_else(|| other.to_string())),
    };
    match value {
        Json::Object(map) => map.iter().map(|(k, v)| pair(name(k), text(v))).collect(),
        Json::Array(list) => list
            .iter()
            .flat_map(|entry| match entry {
                Json::Array(p) if p.len() == 2 => to_text(&p[0])
                    .map(|k| pair(name(&k), text(&p[1])))
                    .into_iter()
                    .collect::<Vec<_>>(),
                Json::Object(m) => m.iter().map(|(k, v)| pair(name(k), text(v))).collect(),
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Reads `a=1&b=2`.
fn form(text: &str) -> Vec<Json<'static>> {
    text.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            pair(percent_decoded(key), Json::from(percent_decoded(value)))
        })
        .collect()
}

/// Resolves `%41` and `+`.
pub(crate) fn percent_decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |b: u8| char::from(b).to_digit(16);
        match bytes[i] {
            b'+' => out.push(b' '),
            b'%' if i + 2 < bytes.len() => match (hex(bytes[i + 1]), hex(bytes[i + 2])) {
                (Some(a), Some(b)) => {
                    out.push((a * 16 + b) as u8);
                    i += 2;
                }
                _ => out.push(b'%'),
            },
            b => out.push(b),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `content-type` is written `Content-Type`.
fn header_name(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| {
            let out = if start { c.to_ascii_uppercase() } else { c };
            start = c == '-';
            out
        })
        .collect()
}

fn headers(request: &mut Map<'_>) {
    let Some(value) = request.remove("headers") else {
        return;
    };
    let mut pairs = pairs_of(value, header_name);
    if request.get("cookies").is_none_or(|c| {
        c.as_object().is_none_or(Map::is_empty)
            && c.as_array().is_none_or(<[_]>::is_empty)
            && c.as_str().is_none()
    }) && let Some(i) = pairs
        .iter()
        .position(|p| p.path(&["0"]).and_then(Json::as_str) == Some("Cookie"))
        && let Some(text) = pairs[i].path(&["1"]).and_then(Json::as_str).map(str::to_owned)
        && text.contains('=')
    {
        request.set("cookies", text);
        pairs.remove(i);
    }
    pairs.sort_by(|a, b| {
        a.path(&["0"])
            .and_then(Json::as_str)
            .cmp(&b.path(&["0"]).and_then(Json::as_str))
    });
    if !pairs.is_empty() {
        request.set("headers", Json::Array(pairs));
    }
}

fn cookies(request: &mut Map<'_>) {
    let Some(value) = request.remove("cookies") else {
        return;
    };
    let pairs = match value {
        Json::Str(text) => text
            .split(';')
            .filter_map(|part| {
                let part = part.trim();
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                (!part.is_empty()).then(|| pair(key.to_owned(), Json::from(percent_decoded(value))))
            })
            .collect(),
        other => pairs_of(other, |k| k.to_owned()),
    };
    if !pairs.is_empty() {
        request.set("cookies", Json::Array(pairs));
    }
}

/// A body that is a form or JSON becomes an object.
fn body(request: &mut Map<'_>) {
    let Some(Json::Str(text)) = request.get("data") else {
        if request
            .get("data")
            .is_some_and(|d| matches!(d, Json::Object(m) if m.is_empty()))
        {
            request.remove("data");
        }
        return;
    };
    if text.is_empty() {
        request.remove("data");
        return;
    }
    let kind = request
        .array("headers")
        .and_then(|h| {
            h.iter()
                .find(|p| p.path(&["0"]).and_then(Json::as_str) == Some("Content-Type"))
        })
        .and_then(|p| p.path(&["1"]))
        .and_then(Json::as_str)
        .map(|k| k.split(';').next().unwrap_or(k).trim().to_owned());
    let looks_like_json = text.trim_start().starts_with(['{', '[']);
    let json = || {
        let (value, _) = protocol::json::parse_str(text).ok()?;
        (value.as_object().is_some() || value.as_array().is_some()).then(|| value.into_owned())
    };
    let form_object = || {
        let mut map: Map<'static> = Map::new();
        if memchr::memchr_iter(b'&', text.as_bytes()).count() > MAX_FORM {
            return None;
        }
        for part in text.split('&') {
            let (key, value) = part.split_once('=')?;
            if key.is_empty() || key.contains([' ', '\n', '{', '<', '?']) || value.contains(['\n', ' ']) {
                return None;
            }
            map.set(percent_decoded(key), percent_decoded(value));
        }
        Some(Json::Object(map))
    };
    let (value, inferred) = match kind.as_deref() {
        Some("application/json") => (json(), "application/json"),
        Some("application/x-www-form-urlencoded") => (form_object(), "application/x-www-form-urlencoded"),
        Some(k) if k.ends_with("+json") => (json(), "application/json"),
        None if looks_like_json => (json(), "application/json"),
        None => (form_object(), "application/x-www-form-urlencoded"),
        _ => (None, ""),
    };
    match value {
        Some(value) => {
            request.set("data", value);
            request.set(
                "inferred_content_type",
                kind.unwrap_or_else(|| inferred.to_owned()),
            );
        }
        None => {
            if let Some(kind) = kind {
                request.set("inferred_content_type", kind);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(text: &str) -> String {
        let (event, _) = protocol::json::parse_str(text).unwrap();
        let Json::Object(mut map) = event else {
            panic!("not an object")
        };
        normalize(&mut map, &mut Notes::default());
        Json::Object(map)
            .get("request")
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    #[test]
    fn urls_queries_headers_and_bodies() {
        assert_eq!(
            normalized(r#"{"request":{"url":"http://a/b?x=1&y=a%20b#f","method":"get"}}"#),
            r#"{"url":"http://a/b","method":"GET","fragment":"f","query_string":[["x","1"],["y","a b"]]}"#
        );
        assert_eq!(
            normalized(r#"{"request":{"headers":{"x-b":["1","2"],"cookie":"a=1; b=2"}}}"#),
            r#"{"headers":[["X-B","1,2"]],"cookies":[["a","1"],["b","2"]]}"#
        );
        assert_eq!(
            normalized(r#"{"request":{"data":"{\"a\":1}"}}"#),
            r#"{"data":{"a":1},"inferred_content_type":"application/json"}"#
        );
        assert_eq!(
            normalized(r#"{"request":{"data":"a=1&b=2"}}"#),
            r#"{"data":{"a":"1","b":"2"},"inferred_content_type":"application/x-www-form-urlencoded"}"#
        );
        assert_eq!(
            normalized(r#"{"request":{"data":"just text"}}"#),
            r#"{"data":"just text"}"#
        );
    }
}
