//! Events within 1 MiB that hold more, deeper or longer things than is kept: what they become, and what is noted.

use std::time::Instant;

use serde_json::Value;

use super::{MEMORY, MIB, envelope_path, fill, head, refused, store_path, taken, well};
use crate::on_one;

#[test]
fn depth_beyond_reason() {
    on_one(&[], |server, _| {
        let deep = 10_000;
        for (n, (open, close)) in [("[", "]"), ("{\"a\":", "}")].into_iter().enumerate() {
            let value = format!("{}1{}", open.repeat(deep), close.repeat(deep));
            let n = 10 * u32::try_from(n).unwrap();
            // Text from the depth on that the field keeps, null from the depth on that is read.
            let body = format!("{},\"extra\":{{\"x\":{value}}}}}", head(n + 1));
            let event = taken(server, "deep extra", n + 1, &body);
            assert!(event["extra"].to_string().len() < 1_000, "{event}");
            assert_eq!(remarks(&event["_meta"]["extra"]), 1);
            assert!(errors(&event).contains("nested too deeply was replaced by null"));
            let body = format!("{},\"contexts\":{{\"x\":{{\"y\":{value}}}}}}}", head(n + 2));
            let event = taken(server, "deep context", n + 2, &body);
            assert!(event["contexts"].to_string().len() < 1_000, "{event}");
            assert_eq!(remarks(&event["_meta"]["contexts"]), 1);
            // Where no value like it belongs, it is left out and noted.
            let body = format!(
                "{},\"tags\":{value},\"user\":{value},\"exception\":{value},\"debug_meta\":{value},\"sdk\":{value},\
                 \"threads\":{value},\"request\":{value},\"modules\":{value},\"fingerprint\":{value}}}",
                head(n + 3)
            );
            let event = taken(server, "deep everything", n + 3, &body);
            assert!(event.to_string().len() < 10_000, "{event}");
            // As the API shows it, too.
            let path = format!("projects/acme/shop/events/{:032x}/", n + 3);
            assert_eq!(server.api("GET", &path, None).status, 200);
            let line = format!("{value}\n{{\"type\":\"session\"}}\n{{}}\n");
            let begun = Instant::now();
            let reply = server.request("POST", &envelope_path(server), &[], line.as_bytes());
            assert_eq!(reply.status, if n == 0 { 400 } else { 200 }, "{}", reply.json());
            well(server, "deep envelope header", begun, MEMORY);
        }
        let list = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        let store = store_path(server);
        refused(server, "a deep list as event", &store, &[], list.as_bytes(), 400);
        refused(
            server,
            "an open list as event",
            &store,
            &[],
            "[".repeat(MIB).as_bytes(),
            400,
        );
        let objects = "{\"a\":".repeat(MIB / 5);
        refused(
            server,
            "an open object as event",
            &store,
            &[],
            objects.as_bytes(),
            400,
        );
        // An object is an event; what is deep in it is nothing that is known.
        let object = format!(
            "{},\"a\":{}1{}}}",
            head(9),
            "{\"a\":".repeat(deep),
            "}".repeat(deep)
        );
        let event = taken(server, "a deep object as event", 9, &object);
        assert!(event.get("a").is_none());
        assert!(errors(&event).contains("invalid_attribute"));
    });
}

/// What an event says went wrong.
fn errors(event: &Value) -> String {
    event["errors"].to_string()
}

/// How many changes are noted below a place of `_meta`.
fn remarks(meta: &Value) -> usize {
    match meta {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value {
                Value::Array(list) if key == "rem" => list.len(),
                other => remarks(other),
            })
            .sum(),
        _ => 0,
    }
}

#[test]
fn more_than_is_kept_of_a_kind() {
    on_one(&[], |server, _| {
        let stack = "\"exception\":{\"type\":\"A\",\"stacktrace\":{\"frames\":[";
        let in_stack = "/exception/values/0/stacktrace/frames";
        let cases: &[Case] = &[
            // What, its beginning and end, pieces, where it is, what is kept of it.
            (
                "tags",
                "\"tags\":{",
                "}",
                |n| format!("\"k{n:05}\":1"),
                "/tags",
                500,
            ),
            (
                "empty crumbs",
                "\"breadcrumbs\":[",
                "]",
                |_| "{}".into(),
                "/breadcrumbs/values",
                1_000,
            ),
            (
                "crumbs",
                "\"breadcrumbs\":[",
                "]",
                |n| format!("{{\"message\":\"{n}\"}}"),
                "/breadcrumbs/values",
                1_000,
            ),
            ("empty frames", stack, "]}}", |_| "{}".into(), in_stack, 250),
            (
                "frames",
                stack,
                "]}}",
                |n| format!("{{\"function\":\"f{n}\"}}"),
                in_stack,
                250,
            ),
            (
                "exceptions",
                "\"exception\":[",
                "]",
                |n| format!("{{\"type\":\"T{n}\",\"value\":\"v\"}}"),
                "/exception/values",
                250,
            ),
            (
                "threads",
                "\"threads\":[",
                "]",
                |n| format!("{{\"id\":{n},\"crashed\":true,\"stacktrace\":{{\"frames\":[{{}}]}}}}"),
                "/threads/values",
                1_000,
            ),
            (
                "contexts",
                "\"contexts\":{",
                "}",
                |n| format!("\"q{n}\":{{\"a\":\"b\"}}"),
                "/contexts",
                250,
            ),
            (
                "fingerprint",
                "\"fingerprint\":[",
                "]",
                |n| format!("\"{n}\""),
                "/fingerprint",
                100,
            ),
        ];
        for (n, (what, begin, end, piece, place, kept)) in cases.iter().enumerate() {
            let n = u32::try_from(n).unwrap() + 1;
            let begin = format!("{},{begin}", head(n));
            let (body, sent) = fill(&begin, &format!("{end}}}"), 1_000_000, piece);
            let event = taken(server, &format!("{sent} {what}"), n, &body);
            let found = event.pointer(place).unwrap_or_else(|| panic!("{what}: {event}"));
            let count = match found {
                Value::Array(list) => list.len(),
                other => other.as_object().map_or(0, serde_json::Map::len),
            };
            // The level is a tag that the server makes.
            assert_eq!(count - usize::from(*what == "tags"), *kept, "{what}");
            let meta = event
                .pointer(&format!("/_meta{place}"))
                .cloned()
                .unwrap_or_default();
            match *what {
                "tags" => assert!(errors(&event).contains("more tags than are kept")),
                "fingerprint" => {}
                _ => assert_eq!(meta[""]["len"], sent, "{what}: {meta}"),
            }
        }
        // What is nothing at all, and what is not known, is said a hundred times.
        let (body, _) = fill(&format!("{},\"exception\":[", head(20)), "]}", 250, |_| {
            "{}".into()
        });
        let event = taken(server, "empty exceptions", 20, &body);
        assert_eq!(event["errors"].as_array().map(Vec::len), Some(100));
        let (body, _) = fill(&format!("{},\"a\":1", head(21)), "}", 100_000, |n| {
            format!("{}\"q{n}\":1", if n == 0 { "," } else { "" })
        });
        let event = taken(server, "fields that are not known", 21, &body);
        assert_eq!(event["errors"].as_array().map(Vec::len), Some(100));
        // Trees are cut by their size.
        for (n, (what, begin, end, place, bytes)) in [
            ("extra", "\"extra\":{", "}", "/extra", 262_144),
            ("modules", "\"modules\":{", "}", "/modules", 8_192),
            (
                "headers",
                "\"request\":{\"headers\":{",
                "}}",
                "/request/headers",
                8_192,
            ),
            ("form", "\"request\":{\"data\":{", "}}", "/request/data", 8_192),
            (
                "variables",
                &format!("{stack}{{\"vars\":{{"),
                "}}]}}",
                &format!("{in_stack}/0/vars"),
                2_048,
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let n = u32::try_from(n).unwrap() + 30;
            let begin = format!("{},{begin}", head(n));
            let (body, sent) = fill(&begin, &format!("{end}}}"), 1_000_000, |n| {
                format!("\"q{n}\":\"v\"")
            });
            let event = taken(server, &format!("{sent} of {what}"), n, &body);
            let size = event.pointer(place).map_or(0, |v| v.to_string().len());
            assert!((bytes / 2..bytes + bytes / 4).contains(&size), "{what}: {size}");
            let meta = event
                .pointer(&format!("/_meta{place}"))
                .cloned()
                .unwrap_or_default();
            assert_eq!(meta[""]["len"], sent, "{what}: {meta}");
        }
    });
}

/// What, its beginning and end, pieces, where it is, what is kept of it.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    fn(usize) -> String,
    &'static str,
    usize,
);

#[test]
fn texts_beyond_reason() {
    on_one(&[], |server, _| {
        let text = "x".repeat(1_000_000);
        let key = format!("{}...", &text[..200]);
        // What is sent, where it is kept and how long, the length that is noted.
        let cut: &[(&str, String, &str, usize, u64)] = &[
            (
                "a message",
                format!("\"message\":\"{text}\""),
                "/logentry/formatted",
                8_192,
                1_000_000,
            ),
            (
                "digits",
                format!("\"message\":\"{}\"", "1".repeat(1_000_000)),
                "/logentry/formatted",
                8_192,
                1_000_000,
            ),
            (
                "half addresses",
                format!("\"message\":\"{}\"", "a@".repeat(500_000)),
                "/logentry/formatted",
                8_192,
                1_000_000,
            ),
            (
                "an exception's value",
                format!("\"exception\":{{\"type\":\"A\",\"value\":\"{text}\"}}"),
                "/exception/values/0/value",
                8_192,
                1_000_000,
            ),
            (
                "a function",
                format!(
                    "\"exception\":{{\"type\":\"A\",\"stacktrace\":{{\"frames\":[{{\"function\":\"{}\"}}]}}}}",
                    "a<".repeat(400_000)
                ),
                "/exception/values/0/stacktrace/frames/0/function",
                256,
                800_000,
            ),
            (
                "an address",
                format!("\"request\":{{\"url\":\"http://a/{}\"}}", "%25".repeat(300_000)),
                "/request/url",
                256,
                900_009,
            ),
        ];
        for (n, (what, field, place, kept, length)) in cut.iter().enumerate() {
            let n = u32::try_from(n).unwrap() + 1;
            let event = taken(server, what, n, &format!("{},{field}}}", head(n)));
            let found = event.pointer(place).and_then(Value::as_str).unwrap_or_default();
            assert_eq!(found.chars().count(), *kept, "{what}");
            let note = event
                .pointer(&format!("/_meta{place}/"))
                .cloned()
                .unwrap_or_default();
            assert_eq!(note["len"], *length, "{what}: {note}");
        }
        let event = taken(
            server,
            "a tag",
            20,
            &format!("{},\"tags\":{{\"a\":\"{text}\"}}}}", head(20)),
        );
        assert_eq!(event["_meta"]["tags"]["a"][""]["len"], 1_000_000);
        // What is left out is said, with the beginning of a long key and without a long value.
        let left: &[(&str, String, String, &str)] = &[
            (
                "a tag's key",
                format!("\"tags\":{{\"{text}\":\"a\"}}"),
                format!("/_meta/tags/{key}"),
                "length of a tag's key",
            ),
            (
                "an unknown key",
                format!("\"{text}\":1"),
                format!("/_meta/{key}"),
                "invalid_attribute",
            ),
            (
                "a request",
                format!("\"request\":\"{text}\""),
                "/_meta/request".into(),
                "expected an object",
            ),
            (
                "a release",
                format!("\"release\":\"{text}\""),
                "/_meta/release".into(),
                "not a valid name",
            ),
            (
                "an environment",
                format!("\"environment\":\"{text}\""),
                "/_meta/environment".into(),
                "not a valid name",
            ),
            (
                "a level",
                format!("\"level\":\"{text}\""),
                "/_meta/level".into(),
                "expected a level",
            ),
            (
                "a time",
                format!("\"timestamp\":\"{text}\""),
                "/_meta/timestamp".into(),
                "expected a timestamp",
            ),
            (
                "an ip address",
                format!("\"user\":{{\"ip_address\":\"{text}\"}}"),
                "/_meta/user/ip_address".into(),
                "expected an ip address",
            ),
            (
                "a number",
                format!("\"extra\":{{\"n\":{}}}", "1".repeat(1_000_000)),
                "/_meta".into(),
                "a number that is not finite was replaced by null",
            ),
        ];
        for (n, (what, field, place, said)) in left.iter().enumerate() {
            let n = u32::try_from(n).unwrap() + 30;
            let event = taken(server, what, n, &format!("{},{field}}}", head(n)));
            let note = event.pointer(place).map(ToString::to_string).unwrap_or_default();
            assert!(note.contains(said), "{what}: {note} {}", errors(&event).len());
            assert!(event.to_string().len() < 2_000, "{what}");
        }
    });
}
