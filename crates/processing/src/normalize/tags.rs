//! Tags: pairs of short texts.

use protocol::json::{Json, Map};

use super::to_text;
use crate::meta::{Notes, Remark};

/// Tags that are kept of one event.
const MAX_TAGS: usize = 500;

/// Longest key and value, characters.
const MAX: usize = 200;

/// Tags that events may not bring, as the server makes them or keeps them elsewhere.
const RESERVED: [&str; 5] = ["release", "dist", "user", "filename", "function"];

pub(super) fn normalize(event: &mut Map<'_>, notes: &mut Notes) {
    let Some(tags) = event.remove("tags") else { return };
    notes.enter("tags");
    let mut pairs: Vec<(String, Json<'_>)> = Vec::new();
    match tags {
        Json::Object(map) => pairs.extend(map.0.into_iter().map(|(k, v)| (k.into_owned(), v))),
        Json::Array(list) => {
            for entry in list {
                match entry {
                    Json::Array(mut pair) if pair.len() == 2 => {
                        let value = pair.pop().unwrap_or_default();
                        if let Some(key) = pair.pop().as_ref().and_then(to_text) {
                            pairs.push((key, value));
                        }
                    }
                    Json::Object(mut map) => {
                        if let (Some(key), Some(value)) =
                            (map.str("key").map(str::to_owned), map.remove("value"))
                        {
                            pairs.push((key, value));
                        }
                    }
                    _ => {}
                }
            }
        }
        Json::Null => {}
        other => notes.invalid("expected tags", &other),
    }
    let mut out: Vec<(String, String)> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        let key = key.trim().replace(' ', "-");
        let Some(text) = to_text(&value) else {
            if !value.is_null() {
                notes.enter_name(&key);
                notes.invalid("expected a string", &value);
                notes.leave();
            }
            continue;
        };
        let text = text.trim().to_owned();
        if text.is_empty() || key.is_empty() || RESERVED.contains(&key.as_str()) {
            continue;
        }
        let good = key.chars().count() <= MAX
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'));
        if !good {
            notes.enter_name(&key);
            notes.error(
                "invalid_data",
                Some("invalid characters or length of a tag's key"),
                None,
            );
            notes.leave();
            continue;
        }
        if key == "environment" {
            if event.str("environment").is_none() && text.chars().count() <= 64 {
                event.set("environment", text);
            }
            continue;
        }
        if out.iter().any(|(k, _)| *k == key) {
            continue;
        }
        if out.len() >= MAX_TAGS {
            notes.error(
                "value_too_long",
                Some("the event has more tags than are kept"),
                None,
            );
            break;
        }
        notes.enter_name(&key);
        let value = value_of(&text, notes);
        notes.leave();
        out.push((key, value));
    }
    notes.leave();
    let list = out
        .into_iter()
        .map(|(k, v)| Json::Array(vec![Json::from(k), Json::from(v)]))
        .collect::<Vec<_>>();
    if !list.is_empty() {
        event.set("tags", Json::Array(list));
    }
}

/// A value in one line, cut to the limit.
fn value_of(text: &str, notes: &mut Notes) -> String {
    let one_line = if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], " ")
    } else {
        text.to_owned()
    };
    if one_line.char_indices().nth(MAX).is_none() {
        return one_line;
    }
    let end = one_line
        .char_indices()
        .nth(MAX - 3)
        .map_or(one_line.len(), |(i, _)| i);
    notes.remark(
        &Remark {
            rule: "!limit".into(),
            how: "s",
            range: Some((MAX - 3, MAX)),
        },
        Some(one_line.chars().count()),
    );
    format!("{}...", &one_line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_and_noted() {
        let text = format!(r#"{{"tags":{{"a":"{}","b":"c"}}}}"#, "x".repeat(250));
        let (event, _) = protocol::json::parse_str(&text).unwrap();
        let Json::Object(mut map) = event else {
            panic!("not an object")
        };
        let mut notes = Notes::default();
        normalize(&mut map, &mut notes);
        notes.write(&mut map);
        assert_eq!(
            Json::Object(map).to_string(),
            format!(
                r#"{{"tags":[["a","{}..."],["b","c"]],"_meta":{{"tags":{{"a":{{"":{{"rem":[["!limit","s",197,200]],"len":250}}}}}}}}}}"#,
                "x".repeat(197)
            )
        );
    }
}
