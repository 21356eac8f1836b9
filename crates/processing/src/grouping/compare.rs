//! Why two events do not stand in one issue: their stored variants, part by part.

use serde_json::{Map, Value, json};

use super::info::{component_name, grouping_info};

/// Differences that are told in words at most.
const TOLD: usize = 20;
/// Parts of a list that are aligned with one another; longer lists are compared by place.
const ALIGNED: usize = 400;

/// Compares how two stored events were grouped. `variants` has every variant that either has: both hashes, whether
/// they are equal, and the two trees laid over each other. `differences` lists what made contributing hashes
/// differ, in words. `shared` lists the hashes that both have.
pub fn compare(left: &Value, right: &Value) -> Value {
    let (a, b) = (grouping_info(left), grouping_info(right));
    let empty = Map::new();
    let (a, b) = (a.as_object().unwrap_or(&empty), b.as_object().unwrap_or(&empty));
    let keys = a
        .keys()
        .chain(b.keys().filter(|k| !a.contains_key(*k)))
        .collect::<Vec<_>>();
    let mut told = Vec::new();
    let mut variants = Vec::new();
    for key in keys {
        let (x, y) = (a.get(key), b.get(key));
        let hash = |v: Option<&Value>| v.and_then(|v| v.get("hash")).cloned().unwrap_or_default();
        let part = |v: Option<&Value>| {
            v.and_then(|v| v.get("component"))
                .filter(|c| c.is_object())
                .cloned()
        };
        let (hx, hy) = (hash(x), hash(y));
        let description = |v: Option<&Value>| text(v, "description").to_owned();
        let title = match (description(x), description(y)) {
            (t, _) if !t.is_empty() => t,
            (_, t) => t,
        };
        let decides = hx.is_string() || hy.is_string();
        let equal = hx.is_string() && hx == hy;
        let mut words = Vec::new();
        let tree = over(part(x).as_ref(), part(y).as_ref(), &title, &mut words);
        if decides && !equal {
            told.extend(words);
        }
        if decides && !equal && hx.is_string() != hy.is_string() {
            told.push(json!({
                "where": title,
                "left": if hx.is_string() { "decides" } else { "does not decide" },
                "right": if hy.is_string() { "decides" } else { "does not decide" },
            }));
        }
        variants.push(json!({
            "key": key, "description": title, "left": hx, "right": hy, "equal": equal, "component": tree,
        }));
    }
    let hashes = |m: &Map<String, Value>| -> Vec<String> {
        m.values()
            .filter_map(|v| v.get("hash")?.as_str().map(str::to_owned))
            .collect()
    };
    let of_right = hashes(b);
    let mut shared: Vec<String> = hashes(a).into_iter().filter(|h| of_right.contains(h)).collect();
    shared.dedup();
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    json!({ "variants": variants, "differences": told, "moreDifferences": more, "shared": shared })
}

fn text<'a>(value: Option<&'a Value>, key: &str) -> &'a str {
    value
        .and_then(|v| v.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value
        .get("values")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn contributes(value: Option<&Value>) -> bool {
    value.is_some_and(|v| v.get("contributes").and_then(Value::as_bool).unwrap_or(true))
}

/// One part of a tree: where it stands, and what of it is on each side.
fn over(left: Option<&Value>, right: Option<&Value>, place: &str, told: &mut Vec<Value>) -> Value {
    let Some(either) = left.or(right) else {
        return Value::Null;
    };
    if !either.is_object() {
        let status = status(left, right, left == right);
        if status != "same" {
            told.push(json!({ "where": place, "left": left, "right": right }));
        }
        return json!({ "status": status, "left": left, "right": right });
    }
    let id = text(Some(either), "id");
    let same = left == right;
    let mut out = json!({
        "id": id, "name": component_name(id), "status": status(left, right, same),
        "contributes": [contributes(left), contributes(right)],
        "hint": [left.and_then(|l| l.get("hint")), right.and_then(|r| r.get("hint"))],
    });
    if let Some(count) = either.get("count") {
        out["count"] = count.clone();
    }
    let (a, b) = (left.map_or(&[][..], list), right.map_or(&[][..], list));
    if same {
        // All of it is on both sides: the tree as it is.
        out["values"] = a
            .iter()
            .map(|v| over(Some(v), Some(v), "", &mut Vec::new()))
            .collect();
        return out;
    }
    let counts = contributes(left) || contributes(right);
    let within = match component_name(id) {
        name if place.is_empty() => name.to_owned(),
        name => format!("{place} › {name}"),
    };
    let mut quiet = Vec::new();
    let into = if counts { told } else { &mut quiet };
    if contributes(left) != contributes(right) && left.is_some() && right.is_some() {
        into.push(json!({
            "where": within,
            "left": counted(left),
            "right": counted(right),
        }));
    }
    out["values"] = align(a, b)
        .into_iter()
        .map(|(x, y)| match (x, y) {
            (Some(_), Some(_)) => over(x, y, &within, into),
            // A part that only one side has is told as a whole.
            _ => {
                let one = x.or(y);
                if contributes(one) {
                    let shown = |v: Option<&Value>| v.map(brief);
                    let name = component_name(text(one, "id"));
                    let name = if name.is_empty() {
                        within.clone()
                    } else {
                        format!("{within} › {name}")
                    };
                    into.push(json!({ "where": name, "left": shown(x), "right": shown(y) }));
                }
                over(x, y, "", &mut Vec::new())
            }
        })
        .collect();
    out
}

fn counted(side: Option<&Value>) -> String {
    let hint = text(side, "hint");
    let word = if contributes(side) {
        "counts"
    } else {
        "does not count"
    };
    if hint.is_empty() {
        word.to_owned()
    } else {
        format!("{word}: {hint}")
    }
}

fn status(left: Option<&Value>, right: Option<&Value>, same: bool) -> &'static str {
    match (left, right) {
        _ if same => "same",
        (Some(_), Some(_)) => "changed",
        (Some(_), None) => "left",
        _ => "right",
    }
}

/// The values of a part in one line.
fn brief(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    let parts: Vec<String> = list(value)
        .iter()
        .filter(|v| contributes(Some(v)))
        .map(brief)
        .filter(|t| !t.is_empty())
        .collect();
    let mut line = parts.join(" · ");
    if let Some((end, _)) = line.char_indices().nth(300) {
        line.truncate(end);
        line.push('…');
    }
    line
}

type Pair<'a> = (Option<&'a Value>, Option<&'a Value>);

/// Lays two lists over each other: what is equal in order stands together (longest common subsequence), and what
/// lies between is paired by its kind.
fn align<'a>(a: &'a [Value], b: &'a [Value]) -> Vec<Pair<'a>> {
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    if a.len() > ALIGNED || b.len() > ALIGNED {
        between(a, b, &mut out);
        return out;
    }
    let width = b.len() + 1;
    let mut lengths = vec![0u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i * width + j] = if a[i] == b[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut from) = (0, 0, (0, 0));
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            between(&a[from.0..i], &b[from.1..j], &mut out);
            out.push((Some(&a[i]), Some(&b[j])));
            (i, j) = (i + 1, j + 1);
            from = (i, j);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    between(&a[from.0..], &b[from.1..], &mut out);
    out
}

/// Pairs parts of one kind in order; the rest stands alone.
fn between<'a>(a: &'a [Value], b: &'a [Value], out: &mut Vec<Pair<'a>>) {
    let mut rest: Vec<Option<&Value>> = b.iter().map(Some).collect();
    let mut at = 0;
    for x in a {
        let id = text(Some(x), "id");
        let found = (at..rest.len()).find(|j| rest[*j].is_some_and(|y| text(Some(y), "id") == id));
        match found {
            Some(j) => {
                out.extend(
                    rest[at..j]
                        .iter_mut()
                        .filter_map(Option::take)
                        .map(|y| (None, Some(y))),
                );
                out.push((Some(x), rest[j].take()));
                at = j + 1;
            }
            None => out.push((Some(x), None)),
        }
    }
    out.extend(rest.into_iter().flatten().map(|y| (None, Some(y))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoGeo, ProjectRules, ProjectSettings, Receipt, process_event};

    fn stored(functions: &[&str], kind: &str) -> Value {
        let frames: Vec<_> = functions
            .iter()
            .map(|f| json!({ "function": f, "module": "shop", "in_app": true }))
            .collect();
        let event = json!({ "platform": "python", "exception": { "values": [
            { "type": kind, "value": "x", "stacktrace": { "frames": frames } }] } });
        let rules = ProjectRules::compile(1, &ProjectSettings::default()).unwrap();
        let done = process_event(
            event.to_string().as_bytes(),
            &Receipt::default(),
            &rules,
            &NoGeo,
            &crate::NoSymbols,
        )
        .unwrap();
        serde_json::from_slice(&done.json).unwrap()
    }

    #[test]
    fn what_differs_is_named() {
        let answer = compare(
            &stored(&["main", "serve", "pay"], "E"),
            &stored(&["main", "serve", "retry", "refund"], "E"),
        );
        let told = answer["differences"].as_array().unwrap();
        assert_eq!(told.len(), 2, "{answer:#}");
        assert_eq!(
            (told[0]["left"].as_str(), told[0]["right"].as_str()),
            (Some("pay"), Some("retry"))
        );
        assert_eq!(told[1]["left"], Value::Null);
        assert_eq!(told[1]["right"], "shop · refund");
        assert_eq!(answer["shared"], json!([]));
        assert_eq!(answer["variants"][0]["equal"], false);
        let stack = &answer["variants"][0]["component"]["values"][2];
        assert_eq!(stack["status"], "changed");
        let statuses: Vec<_> = stack["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f["status"].as_str().unwrap())
            .collect();
        assert_eq!(statuses, ["same", "same", "changed", "right"]);
    }

    #[test]
    fn equal_events_have_no_differences() {
        let event = stored(&["main"], "E");
        let answer = compare(&event, &event);
        assert_eq!(answer["differences"], json!([]));
        assert_eq!(answer["variants"][0]["equal"], true);
        assert_ne!(answer["shared"], json!([]));
        assert_eq!(compare(&json!({}), &json!({}))["variants"], json!([]));
    }
}
