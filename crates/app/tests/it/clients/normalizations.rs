//! The short list: everything that the server may change on an event between the wire and the API.
//!
//! A rule of [`REWRITTEN`] is an exact change that is made to what was sent before it is compared. A rule of
//! [`ACCEPTED`] looks at one difference that is left and says whether it is that very normalization.

use std::collections::BTreeMap;

use protocol::time::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::compare::{Difference, Pair};
use super::rewrites;

/// A change that follows from what was sent alone.
pub struct Rewritten {
    /// What is done; docs/clients.md says the same.
    pub name: &'static str,
    pub apply: fn(&mut Value),
}

/// A difference that is allowed.
pub struct Accepted {
    /// What is done; docs/clients.md says the same.
    pub name: &'static str,
    pub fits: fn(&Difference, &Pair) -> bool,
}

/// What is done where JSON is read, see [`testkit::recorder::Item::json`].
pub const READ: &str = "Half of a surrogate pair, which JavaScript can send, becomes U+FFFD.";

/// Exact changes, in this order.
pub const REWRITTEN: [Rewritten; 8] = [
    Rewritten {
        name: "Bare lists of exceptions, threads and breadcrumbs become `{\"values\": […]}`, the form that most SDKs send.",
        apply: rewrites::lists,
    },
    Rewritten {
        name: "`message` becomes `logentry.formatted`; parameters are filled into a template that has no text yet.",
        apply: rewrites::message,
    },
    Rewritten {
        name: "Times are kept in microseconds, ids without dashes, tags as text.",
        apply: rewrites::units,
    },
    Rewritten {
        name: "A frame's `filename` is made of `abs_path` and the other way round; a function called `?` has no name.",
        apply: rewrites::paths,
    },
    Rewritten {
        name: "Query and fragment of a request stand apart from its URL.",
        apply: rewrites::url,
    },
    Rewritten {
        name: "Headers, cookies and query become pairs; headers are named `Content-Type`, sorted, and `Cookie` is read.",
        apply: rewrites::pairs,
    },
    Rewritten {
        name: "A request body that is JSON or a form is read, and `inferred_content_type` says so.",
        apply: rewrites::body,
    },
    Rewritten {
        name: "A context names its type; a fingerprint is a list of texts.",
        apply: rewrites::contexts,
    },
];

/// Differences that are allowed.
pub const ACCEPTED: [Accepted; 12] = [
    Accepted {
        name: "What is null or empty is left out.",
        fits: |d, _| d.got.is_none() && d.sent.is_some_and(hollow) && !holds_free_data(&d.steps()),
    },
    Accepted {
        name: "Level, logger, platform and the type of a mechanism have a value always: `error`, an empty text, `other`, `generic`; the level `log` is `info`.",
        fits: defaults,
    },
    Accepted {
        name: "The server adds its own: type, time of receipt, title, culprit, location, metadata.",
        fits: own_fields,
    },
    Accepted {
        name: "Fields become tags, so that they can be searched.",
        fits: |d, pair| match d.steps()[..] {
            ["tags", key] => {
                d.sent.is_none() && derived_tags(pair.stored).get(key).map(|v| json!(v)).as_ref() == d.got
            }
            ["tags"] => {
                d.sent.is_none()
                    && d.got.and_then(Value::as_object).is_some_and(|got| {
                        let derived = derived_tags(pair.stored);
                        got.iter()
                            .all(|(k, v)| derived.get(k).map(|v| json!(v)).as_ref() == Some(v))
                    })
            }
            _ => false,
        },
    },
    Accepted {
        name: "Which frames are in app is decided by rules where the SDK left it open or the rules know better; what the SDK said is kept in `data.orig_in_app`.",
        fits: in_app,
    },
    Accepted {
        name: "Arguments and types are taken out of the names of native functions; the whole name is kept in `raw_function`.",
        fits: function,
    },
    Accepted {
        name: "Browser, system and device are read from the user agent where the event has none.",
        fits: user_agent,
    },
    Accepted {
        name: "A user has the address of the browser's connection, or the one in `request.env`, and the country of it.",
        fits: |d, pair| match d.steps()[..] {
            ["user"] => {
                d.sent.is_none_or(Value::is_null)
                    && d.got.is_some_and(|got| {
                        let places = got
                            .as_object()
                            .is_some_and(|u| u.keys().all(|k| k == "ip_address" || k == "geo"));
                        places
                            && got["ip_address"] == address(pair)
                            && (got["geo"].is_null() || country(&got["geo"]))
                    })
            }
            ["user", "ip_address"] => {
                d.sent.is_none_or(|s| s == "{{auto}}") && d.got == Some(&json!(address(pair)))
            }
            ["user", "geo"] => d.sent.is_none() && d.got.is_some_and(country),
            _ => false,
        },
    },
    Accepted {
        name: "Secrets are replaced by `[Filtered]`, with a remark in `_meta`.",
        fits: scrubbed,
    },
    Accepted {
        name: "`_meta` gains those remarks.",
        fits: |d, _| d.path[0] == "_meta" && d.sent.is_none() && d.got.is_some_and(only_own_remarks),
    },
    Accepted {
        name: "What is larger than its limit is cut, with a remark in `_meta`.",
        fits: cut,
    },
    Accepted {
        name: "The names that the server does not know are left out, with a note in `errors`.",
        fits: unknown,
    },
];

/// Notes about what could not be kept as it was: an unknown name, half of a surrogate pair.
const ERRORS: [&str; 2] = ["invalid_attribute", "repaired_json"];

/// What the page's form alone may do.
pub const OF_THE_PAGE: Accepted = Accepted {
    name: "The page shows breadcrumbs without a type as `default` and without a level as `info`, and frames of which nobody said so as not in app.",
    fits: |d, _| {
        d.sent.is_none_or(Value::is_null)
            && match d.steps()[..] {
                ["breadcrumbs", "values", _, "type"] => d.got == Some(&json!("default")),
                ["breadcrumbs", "values", _, "level"] => d.got == Some(&json!("info")),
                [.., "frames", _, "in_app"] => d.got == Some(&json!(false)),
                _ => false,
            }
    },
};

/// Words that the test programs use as secrets, or names under which SDKs send such.
const SECRETS: [&str; 3] = ["hunter2", "4111111111111111", "sesame"];

/// Whether a value says nothing.
pub fn hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(hollow),
        Value::Object(map) => map.values().all(hollow),
        _ => false,
    }
}

/// Whether a place lies in what programs hand over as they like: there also nothing is something.
fn holds_free_data(path: &[&str]) -> bool {
    let free = ["vars", "data", "extra", "params", "contexts"];
    let depth = path.iter().position(|step| free.contains(step));
    // A whole context that is empty is left out as well.
    depth.is_some_and(|at| path.len() > at + if path[at] == "contexts" { 2 } else { 1 })
}

fn defaults(d: &Difference, _: &Pair) -> bool {
    match (&d.steps()[..], d.sent, d.got) {
        (["level"], None, Some(got)) => got == "error",
        (["level"] | ["breadcrumbs", "values", _, "level"], Some(sent), Some(got)) => {
            sent == "log" && got == "info"
        }
        (["logger"], None, Some(got)) => got == "",
        (["exception", "values", _, "mechanism", "type"], None, Some(got)) => got == "generic",
        (["platform"], None, Some(got)) => got == "other",
        _ => false,
    }
}

fn own_fields(d: &Difference, pair: &Pair) -> bool {
    if d.sent.is_some() {
        return false;
    }
    let Some(got) = d.got else { return false };
    let has_exception = pair.stored.get("exception").is_some();
    match d.steps()[..] {
        ["type"] => got == if has_exception { "error" } else { "default" },
        ["received"] => got
            .as_i64()
            .is_some_and(|us| (SystemClock.now() - us).abs() < 10 * protocol::time::MINUTE),
        ["title"] => titles(pair.stored).iter().any(|title| got == title),
        // A transaction, a URL, or names of a frame: `module in function`, `function(module)`.
        ["culprit"] => {
            let whole = pair.sent.to_string() + substance(pair.stored).as_str();
            let mut parts = got
                .as_str()
                .unwrap_or("none")
                .split(" in ")
                .flat_map(|p| p.split(['(', ')']));
            parts.all(|part| part == "?" || whole.contains(part))
        }
        ["location"] => got.is_null() || substance(pair.stored).contains(&format!("\"filename\":{got}")),
        ["metadata"] => got.as_object().is_some_and(|got| {
            got.iter().all(|(key, value)| match key.as_str() {
                "sdk" => value["name"] == pair.stored["sdk"]["name"],
                "title" => titles(pair.stored).iter().any(|title| value == title),
                _ => substance(pair.stored).contains(&format!("\"{key}\":{value}")),
            })
        }),
        ["errors"] => got
            .as_array()
            .is_some_and(|list| list.iter().all(|e| ERRORS.iter().any(|kind| e["type"] == *kind))),
        _ => false,
    }
}

/// Where the headings of an event come from.
fn substance(event: &Value) -> String {
    ["exception", "threads", "logentry"]
        .map(|key| event[key].to_string())
        .concat()
}

/// What an event may be called: by one of its exceptions, or by the first line of its message.
fn titles(event: &Value) -> Vec<String> {
    let line = |text: &Value| {
        text.as_str()
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let message = line(&event["logentry"]["formatted"]);
    let short: String = message.chars().take(97).collect();
    let exceptions = event["exception"]["values"].as_array().into_iter().flatten();
    exceptions
        .map(|e| match (line(&e["type"]), line(&e["value"])) {
            (kind, value) if kind.is_empty() => value,
            (kind, value) if value.is_empty() => kind,
            (kind, value) => format!("{kind}: {value}"),
        })
        .chain([message, short + "..."])
        .collect()
}

/// The tags that fields make.
pub fn derived_tags(event: &Value) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let mut add = |key: &str, value: Option<String>| {
        // A tag is one line.
        let value = value.map(|v| v.trim().replace('\n', " "));
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            tags.insert(key.to_owned(), value);
        }
    };
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    for key in [
        "level",
        "environment",
        "release",
        "dist",
        "server_name",
        "logger",
        "transaction",
    ] {
        add(key, text(&format!("/{key}")));
    }
    add("url", text("/request/url"));
    let user = [
        ("id", "id"),
        ("username", "username"),
        ("email", "email"),
        ("ip_address", "ip"),
    ]
    .iter()
    .find_map(|(key, name)| text(&format!("/user/{key}")).map(|v| format!("{name}:{v}")));
    add("user", user);
    add("mechanism", text("/exception/values/0/mechanism/type"));
    let handled = event
        .pointer("/exception/values/0/mechanism/handled")
        .and_then(Value::as_bool);
    add(
        "handled",
        handled.map(|h| if h { "yes" } else { "no" }.to_owned()),
    );
    for (name, context) in event["contexts"].as_object().into_iter().flatten() {
        let part = |key: &str| context[key].as_str().map(str::to_owned);
        match context["type"].as_str().unwrap_or(name) {
            "browser" | "os" | "runtime" | "client_os" => {
                let full = part("name").map(|n| part("version").map_or(n.clone(), |v| format!("{n} {v}")));
                add(name, full.or_else(|| part("raw_description")));
                add(&format!("{name}.name"), part("name"));
            }
            "device" => {
                add("device", part("model"));
                add("device.family", part("family"));
            }
            _ => {}
        }
    }
    tags
}

/// The frame that a path leads into.
fn frame_of<'a>(event: &'a Value, path: &[String]) -> Option<&'a Value> {
    let at = path.iter().position(|step| step == "frames")?;
    event.pointer(&format!("/{}", path[..at + 2].join("/")))
}

fn in_app(d: &Difference, pair: &Pair) -> bool {
    let frame = |event| frame_of(event, &d.path);
    let (Some(sent), Some(stored)) = (frame(pair.sent), frame(pair.stored)) else {
        return false;
    };
    let said = sent.get("in_app").and_then(Value::as_bool);
    let kept = stored["data"].get("orig_in_app");
    match d.steps()[..] {
        [.., "frames", _, "in_app"] => match said {
            None => d.got.is_some_and(Value::is_boolean),
            Some(said) => {
                let is_kept = kept == Some(&json!(said)) || kept == Some(&json!(i32::from(said)));
                is_kept && d.got == Some(&json!(!said))
            }
        },
        [.., "frames", _, "data"] => {
            let known = |(key, value): (&String, &Value)| match key.as_str() {
                "category" => value.is_string(),
                "orig_in_app" => value.is_number() || value.is_boolean(),
                _ => false,
            };
            let got = d.got.and_then(Value::as_object);
            sent.get("data").is_none_or(hollow) && got.is_some_and(|data| data.iter().all(known))
        }
        _ => false,
    }
}

fn user_agent(d: &Difference, pair: &Pair) -> bool {
    let ["contexts", rest @ ..] = &d.steps()[..] else {
        return false;
    };
    let agent = pair.stored["request"]["headers"]
        .as_array()
        .and_then(|list| list.iter().find(|p| p[0] == "User-Agent"))
        .and_then(|p| p[1].as_str())
        .unwrap_or_default();
    // `HeadlessChrome/156` is called `HeadlessChrome`, `X11; Linux` is `Linux`.
    let said = |name: &str, context: &Value| {
        let kind = name.strip_prefix("client_").unwrap_or(name);
        context.as_object().is_some_and(|c| {
            c.iter().all(|(key, value)| match key.as_str() {
                "type" => value == kind,
                _ => value.as_str().is_some_and(|text| agent.contains(text)),
            })
        })
    };
    let made = |name: &str| matches!(name, "browser" | "os" | "client_os" | "device");
    match (rest, d.sent, d.got) {
        ([name], None, Some(got)) => made(name) && said(name, got),
        ([], None, Some(Value::Object(got))) => got.iter().all(|(k, v)| made(k) && said(k, v)),
        _ => false,
    }
}

/// Where the event came from, as far as the server may look: a browser's connection, or what a server's SDK says.
fn address<'a>(pair: &'a Pair) -> &'a str {
    match pair
        .sent
        .pointer("/request/env/REMOTE_ADDR")
        .and_then(Value::as_str)
    {
        Some(remote) => remote,
        None if pair.sent["platform"] == "javascript" => "127.0.0.1",
        None => "",
    }
}

fn country(geo: &Value) -> bool {
    geo["country_code"].as_str().is_some_and(|code| code.len() == 2) && geo["region"].is_string()
}

fn function(d: &Difference, pair: &Pair) -> bool {
    let (Some(sent), Some(stored)) = (frame_of(pair.sent, &d.path), frame_of(pair.stored, &d.path)) else {
        return false;
    };
    let (whole, short) = (&sent["function"], stored["function"].as_str().unwrap_or_default());
    let same_words = || {
        let mut words = short.split(|c: char| !c.is_alphanumeric() && c != '_');
        let whole = whole.as_str().unwrap_or_default();
        words.all(|word| word == "T" || whole.contains(word))
    };
    match d.steps()[..] {
        [.., "frames", _, "function"] => {
            stored["raw_function"] == *whole && !short.is_empty() && same_words()
        }
        [.., "frames", _, "raw_function"] => d.sent.is_none() && d.got == Some(whole),
        _ => false,
    }
}

/// The remarks about a place.
fn remarks(stored: &Value, path: &[String]) -> Vec<String> {
    let mut at = &stored["_meta"];
    for step in path {
        at = &at[step];
    }
    let list = at[""]["rem"].as_array().cloned().unwrap_or_default();
    list.iter()
        .filter_map(|r| r[0].as_str().map(str::to_owned))
        .collect()
}

/// Whether notes are such as the server makes.
fn only_own_remarks(meta: &Value) -> bool {
    let Value::Object(map) = meta else { return false };
    map.iter().all(|(key, inner)| match key.as_str() {
        "" => ["rem", "err"]
            .iter()
            .filter_map(|k| inner[k].as_array())
            .flatten()
            .all(|note| {
                let rule = note[0].as_str().or(note.as_str()).unwrap_or_default();
                rule.starts_with('@') || rule == "!limit" || ERRORS.contains(&rule)
            }),
        _ => only_own_remarks(inner),
    })
}

fn scrubbed(d: &Difference, pair: &Pair) -> bool {
    let noted = remarks(pair.stored, &d.path)
        .iter()
        .any(|rule| rule.starts_with('@'));
    let secret = d
        .sent
        .is_some_and(|sent| SECRETS.iter().any(|s| sent.to_string().contains(s)));
    let hidden = match d.got {
        Some(Value::String(got)) => got.contains("[Filtered]") && !SECRETS.iter().any(|s| got.contains(s)),
        Some(Value::Null) => true,
        _ => false,
    };
    noted && secret && hidden
}

fn cut(d: &Difference, pair: &Pair) -> bool {
    let limited = |path: &[String]| remarks(pair.stored, path).iter().any(|rule| rule == "!limit");
    match (d.sent, d.got) {
        (Some(Value::String(sent)), Some(Value::String(got))) => {
            limited(&d.path)
                && got
                    .strip_suffix("...")
                    .is_some_and(|start| sent.starts_with(start))
        }
        // What lies too deep is told as the text of its JSON.
        (Some(sent @ (Value::Object(_) | Value::Array(_))), Some(Value::String(got))) => {
            limited(&d.path) && serde_json::from_str::<Value>(got).ok().as_ref() == Some(sent)
        }
        (Some(_), None) => d.path.split_last().is_some_and(|(_, parent)| limited(parent)),
        _ => false,
    }
}

fn unknown(d: &Difference, pair: &Pair) -> bool {
    d.got.is_none()
        && d.path.len() == 1
        && pair.stored["errors"].as_array().is_some_and(|list| {
            list.iter()
                .any(|e| e["type"] == "invalid_attribute" && e["name"] == d.path[0])
        })
}
