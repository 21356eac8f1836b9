//! Which issues look like one another although their hashes differ.
//!
//! What an event looks like is a short list of numbers ([`features`]): hashes of its exception types, of the
//! functions and files of its frames, of pairs of neighbouring functions and of the words of its message. Two
//! lists are compared by the share that both have ([`rank`]); what many issues have counts little.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// Features of an event at most.
pub const MOST: usize = 96;
/// Frames that are looked at, from the one that failed outwards.
const FRAMES: usize = 32;
/// Words of messages.
const WORDS: usize = 16;

/// FNV-1a, so that what is stored means the same in every version.
fn number(kind: &str, parts: &[&str]) -> u32 {
    let mut hash = 0x811c_9dc5u32;
    for part in std::iter::once(&kind).chain(parts) {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}

#[derive(Default)]
struct Features {
    list: Vec<u32>,
    known: HashSet<u32>,
}

impl Features {
    fn add(&mut self, kind: &str, parts: &[&str]) {
        let n = number(kind, parts);
        if self.list.len() < MOST && self.known.insert(n) {
            self.list.push(n);
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Without digits and in lower case: numbers in names are of a build or a moment.
fn steady(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_ascii_digit())
        .flat_map(char::to_lowercase)
        .collect()
}

fn values<'a>(event: &'a Value, key: &str) -> &'a [Value] {
    let found = event.get(key);
    let list = found.and_then(Value::as_array);
    list.or_else(|| found?.get("values")?.as_array())
        .map_or(&[], Vec::as_slice)
}

fn words(message: &str, out: &mut Features) {
    let words = message
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| w.len() > 1 && !w.bytes().any(|b| b.is_ascii_digit()));
    for word in words.take(WORDS) {
        out.add("word", &[&word.to_lowercase()]);
    }
}

fn frames(stack: Option<&Value>, out: &mut Features) {
    let Some(all) = stack.and_then(|s| s.get("frames")).and_then(Value::as_array) else {
        return;
    };
    let mut inner: Option<String> = None;
    for frame in all.iter().rev().take(FRAMES) {
        let function = steady(text(frame, "function"));
        let module = match text(frame, "module") {
            "" => text(frame, "filename"),
            module => module,
        };
        let place = steady(module.rsplit(['/', '\\']).next().unwrap_or(module));
        if !function.is_empty() {
            out.add("function", &[&function]);
        }
        if !place.is_empty() {
            out.add("place", &[&place]);
        }
        if let Some(inner) = &inner {
            out.add("call", &[&function, inner]);
        }
        if frame.get("in_app").and_then(Value::as_bool) == Some(true) {
            out.add("app", &[&function, &place]);
        }
        inner = Some(function);
    }
}

/// What a stored event looks like: at most [`MOST`] numbers without an order.
pub fn features(event: &Value) -> Vec<u32> {
    let mut out = Features::default();
    // The exception that was thrown last comes last; it says most.
    for exception in values(event, "exception").iter().rev().take(4) {
        match text(exception, "type") {
            "" => {}
            kind => out.add("type", &[kind]),
        }
        frames(exception.get("stacktrace"), &mut out);
        words(text(exception, "value"), &mut out);
    }
    frames(event.get("stacktrace"), &mut out);
    for thread in values(event, "threads").iter().take(4) {
        frames(thread.get("stacktrace"), &mut out);
    }
    if let Some(entry) = event.get("logentry") {
        let message = match text(entry, "message") {
            "" => text(entry, "formatted"),
            message => message,
        };
        words(message, &mut out);
    }
    words(text(event, "message"), &mut out);
    if let Some(template) = event.get("template") {
        out.add("template", &[text(template, "filename")]);
        words(text(template, "context_line"), &mut out);
    }
    for report in ["csp", "hpkp", "expectct", "expectstaple"] {
        for (key, value) in event.get(report).and_then(Value::as_object).into_iter().flatten() {
            if let Some(value) = value.as_str() {
                out.add(report, &[key, value]);
            }
        }
    }
    let entries = event.get("fingerprint").and_then(Value::as_array);
    for entry in entries.into_iter().flatten().filter_map(Value::as_str) {
        out.add("fingerprint", &[entry]);
    }
    if out.list.is_empty() {
        words(text(event, "title"), &mut out);
    }
    out.list
}

/// Candidates by how much they look like `query`, most first, with a score from 0 to 1; at most `limit`, and none
/// that share nothing. A key that comes more than once counts with its best.
pub fn rank<K: Copy + Eq + std::hash::Hash + Ord>(
    query: &[u32],
    candidates: &[(K, Vec<u32>)],
    limit: usize,
) -> Vec<(K, f64)> {
    let asked: HashSet<u32> = query.iter().copied().collect();
    let mut common: HashMap<u32, f64> = HashMap::new();
    for (_, features) in candidates {
        for f in features.iter().filter(|f| asked.contains(f)) {
            *common.entry(*f).or_default() += 1.0;
        }
    }
    let all = candidates.len() as f64;
    let weight = |f: &u32| (1.0 + all / common.get(f).copied().unwrap_or(0.0).max(1.0)).ln();
    let weights: HashMap<u32, f64> = asked.iter().map(|f| (*f, weight(f))).collect();
    let whole: f64 = weights.values().sum();
    if whole <= 0.0 {
        return Vec::new();
    }
    let mean = whole / weights.len() as f64;
    let mut best: HashMap<K, f64> = HashMap::new();
    for (key, features) in candidates {
        let (mut shared, mut others) = (0.0, 0.0);
        for f in features {
            match weights.get(f) {
                Some(w) => shared += w,
                None => others += mean,
            }
        }
        if shared > 0.0 {
            let score = shared / (whole + others);
            let known = best.entry(*key).or_default();
            *known = known.max(score);
        }
    }
    let mut out: Vec<(K, f64)> = best.into_iter().collect();
    out.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    out.truncate(limit);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(functions: &[&str], kind: &str, message: &str) -> Value {
        let frames: Vec<_> = functions
            .iter()
            .map(|f| json!({ "function": f, "module": "shop.cart", "in_app": true }))
            .collect();
        json!({ "exception": { "values": [{ "type": kind, "value": message, "stacktrace": { "frames": frames } }] } })
    }

    #[test]
    fn the_one_that_differs_in_a_function_comes_first() {
        let others = [
            event(&["main", "serve", "login", "check"], "Denied", "no such user"),
            event(
                &["main", "serve", "checkout", "pay"],
                "CardError",
                "card 4711 refused",
            ),
            event(&["main", "serve", "cart", "add"], "KeyError", "sku"),
        ];
        let candidates: Vec<_> = others.iter().map(features).enumerate().collect();
        let asked = features(&event(
            &["main", "serve", "checkout", "pay_later"],
            "CardError",
            "card 9 refused",
        ));
        let ranked = rank(&asked, &candidates, 10);
        assert_eq!(ranked[0].0, 1);
        assert!(ranked[0].1 > 2.0 * ranked[1].1, "{ranked:?}");
        assert_eq!(rank(&[], &candidates, 10), []);
        assert_eq!(rank(&[1, 2, 3], &candidates, 10), []);
    }

    #[test]
    fn the_number_of_features_is_bounded() {
        let names: Vec<String> = (0..500u32)
            .map(|n| format!("f{}", "x".repeat(n as usize)))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(features(&event(&names, "E", "v")).len(), MOST);
        assert_eq!(features(&json!({ "title": "only one title" })).len(), 3);
        assert!(features(&json!([])).is_empty());
    }
}
