//! Messages: a template, its parameters, and the text they make.

use protocol::json::{Json, Map};

use super::to_text;
use crate::meta::Notes;

/// Joins a plain message with the structured one beside it.
pub(super) fn join<'a>(event: &mut Map<'a>, message: Json<'a>) {
    let Some(entry) = event.get_mut("logentry") else {
        return;
    };
    match entry {
        Json::Object(entry) => {
            if message.as_str().is_some() && entry.str("formatted").is_none() {
                entry.set("formatted", message);
            }
        }
        Json::Str(_) => {}
        other => *other = message,
    }
}

pub(super) fn normalize(event: &mut Map<'_>, notes: &mut Notes) {
    let Some(value) = event.get_mut("logentry") else {
        return;
    };
    if let Some(text) = to_text(value) {
        if text.is_empty() {
            event.remove("logentry");
            return;
        }
        value.make_object().set("formatted", text);
        return;
    }
    let Json::Object(entry) = value else {
        notes.enter("logentry");
        notes.invalid("expected a message", value);
        notes.leave();
        event.remove("logentry");
        return;
    };
    entry
        .0
        .retain(|(k, v)| matches!(&**k, "message" | "formatted" | "params") && !v.is_null());
    for key in ["message", "formatted"] {
        if let Some(value) = entry.get_mut(key) {
            let text = match &*value {
                nested @ (Json::Object(_) | Json::Array(_)) => Some(nested.to_string()),
                other => to_text(other),
            };
            match text.filter(|t| !t.is_empty()) {
                Some(text) => *value = Json::from(text),
                None => {
                    entry.remove(key);
                }
            }
        }
    }
    if !matches!(entry.get("params"), None | Some(Json::Array(_) | Json::Object(_))) {
        entry.remove("params");
    }
    if entry.str("formatted").is_none()
        && let Some(template) = entry.str("message")
        && let Some(text) = entry.get("params").and_then(|p| format(template, p))
    {
        entry.set("formatted", text);
    }
    match (entry.str("message").map(str::to_owned), entry.str("formatted")) {
        (Some(message), None) => {
            entry.remove("message");
            entry.set("formatted", message);
        }
        (Some(message), Some(formatted)) if message == formatted => {
            entry.remove("message");
        }
        (None, None) => {
            event.remove("logentry");
        }
        _ => {}
    }
}

/// Fills the parameters into a template of Python's `%` or `{}` kind.
fn format(template: &str, params: &Json<'_>) -> Option<String> {
    let empty = match params {
        Json::Array(a) => a.is_empty(),
        Json::Object(m) => m.is_empty(),
        _ => true,
    };
    if empty {
        return None;
    }
    let out = if template.contains('%') {
        percent(template, params)
    } else {
        None
    };
    out.or_else(|| {
        if template.contains('{') {
            braces(template, params)
        } else {
            None
        }
    })
}

fn shown(value: &Json<'_>) -> String {
    match value {
        Json::Null => "None".to_owned(),
        other => to_text(other).unwrap_or_else(|| other.to_string()),
    }
}

fn param<'p>(params: &'p Json<'_>, name: &str, index: usize) -> Option<&'p Json<'p>> {
    match params {
        Json::Array(list) => list.get(if name.is_empty() {
            index
        } else {
            name.parse().ok()?
        }),
        Json::Object(map) => map.get(name),
        _ => None,
    }
}

fn percent(template: &str, params: &Json<'_>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    let mut used = 0;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let mut name = "";
        if rest.starts_with('(') {
            let end = rest.find(')')?;
            name = &rest[1..end];
            rest = &rest[end + 1..];
        }
        let flags = rest
            .bytes()
            .take_while(|b| b"#0- +.123456789*lh".contains(b))
            .count();
        let flags_text = &rest[..flags];
        rest = &rest[flags..];
        let kind = rest.chars().next()?;
        if !kind.is_ascii_alphabetic() {
            return None;
        }
        rest = &rest[1..];
        let value = param(params, name, used)?;
        used += 1;
        out.push_str(&conversion(kind, flags_text, value)?);
    }
    out.push_str(rest);
    (used > 0).then_some(out)
}

fn conversion(kind: char, flags: &str, value: &Json<'_>) -> Option<String> {
    Some(match kind {
        's' | 'r' | 'a' | 'v' | 'p' | 'c' | '@' => shown(value),
        'd' | 'i' | 'u' => match value {
            Json::Number(n) => n.as_i64().map_or_else(
                || {
                    n.as_f64()
                        .map_or_else(String::new, |x| format!("{:.0}", x.trunc()))
                },
                |i| i.to_string(),
            ),
            other => shown(other),
        },
        'f' | 'F' | 'e' | 'g' => {
            let digits = flags.split('.').nth(1).and_then(|d| d.parse().ok()).unwrap_or(6);
            match value.as_f64() {
                Some(x) => format!("{x:.digits$}"),
                None => shown(value),
            }
        }
        'x' => value.as_i64().map_or_else(|| shown(value), |n| format!("{n:x}")),
        'X' => value.as_i64().map_or_else(|| shown(value), |n| format!("{n:X}")),
        'o' => value.as_i64().map_or_else(|| shown(value), |n| format!("{n:o}")),
        _ => return None,
    })
}

fn braces(template: &str, params: &Json<'_>) -> Option<String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    let mut used = 0;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let double = rest[at..].starts_with("{{") || rest[at..].starts_with("}}");
        if double {
            out.push_str(&rest[at..=at]);
            rest = &rest[at + 2..];
            continue;
        }
        if rest[at..].starts_with('}') {
            return None;
        }
        let end = rest[at..].find('}')? + at;
        let name = rest[at + 1..end].split([':', '!']).next().unwrap_or_default();
        out.push_str(&shown(param(params, name, used)?));
        used += 1;
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    (used > 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        for (template, params, expected) in [
            ("%s has %d items", r#"["cart", 3]"#, Some("cart has 3 items")),
            ("%(who)s left", r#"{"who": "ann"}"#, Some("ann left")),
            ("100%% of %s", r#"["x"]"#, Some("100% of x")),
            ("%.2f", "[1.005]", Some("1.00")),
            ("{} and {}", r#"["a", true]"#, Some("a and True")),
            ("{who} left", r#"{"who": "ann"}"#, Some("ann left")),
            ("{1} {0}", r#"["a", "b"]"#, Some("b a")),
            ("%s %s", r#"["one"]"#, None),
            ("plain", r#"["one"]"#, None),
            ("%s", "[]", None),
        ] {
            let (params, _) = protocol::json::parse_str(params).unwrap();
            assert_eq!(format(template, &params).as_deref(), expected, "{template}");
        }
    }
}
