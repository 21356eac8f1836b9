//! What everybody sees of an issue who has its link: what went wrong and where in the code. Everything here is named
//! one by one, so that what an event says of people, machines and values never gets out by being added elsewhere.

use serde_json::{Map, Value, json};
use storage::relational::issues::{Issue, short_id};
use storage::relational::people::Organization;
use storage::relational::projects::Project;

use super::event::{Loaded, message};
use super::{entries, time};

/// Keys of an object that are shown; the others are left out.
fn only(value: &Value, keys: &[&str]) -> Value {
    let all = value.as_object();
    let kept = keys
        .iter()
        .filter_map(|k| Some(((*k).to_owned(), all?.get(*k)?.clone())))
        .collect::<Map<_, _>>();
    Value::Object(kept)
}

/// What titles are made of.
const METADATA: &[&str] = &["type", "value", "title", "filename", "function"];

/// An issue.
pub fn issue(issue: &Issue, project: &Project, organization: &Organization, event: Option<&Loaded>) -> Value {
    let metadata: Value = serde_json::from_str(&issue.metadata).unwrap_or_default();
    json!({
        "shortId": short_id(&project.slug, issue.short_number),
        "title": issue.title,
        "culprit": issue.culprit,
        "level": issue.level,
        "platform": issue.platform,
        "type": issue.kind,
        "metadata": only(&metadata, METADATA),
        "isPublic": true,
        "project": {
            "slug": project.slug, "name": project.name, "platform": project.platform,
            "organization": { "slug": organization.slug },
        },
        "latestEvent": event.map(latest),
    })
}

fn latest(loaded: &Loaded) -> Value {
    let (id, event) = (loaded.id(), &loaded.json);
    let text = |key: &str| event[key].as_str().filter(|s| !s.is_empty());
    json!({
        "id": id, "eventID": id, "title": text("title"), "message": message(event), "culprit": text("culprit"),
        "platform": text("platform"), "type": text("type"), "metadata": only(&event["metadata"], METADATA),
        "dateCreated": time(loaded.record.row.time),
        "entries": entries::entries(&loaded.json).iter().filter_map(entry).collect::<Vec<_>>(),
    })
}

fn each(value: &Value, make: impl Fn(&Value) -> Value) -> Vec<Value> {
    value.as_array().into_iter().flatten().map(make).collect()
}

fn entry(entry: &Value) -> Option<Value> {
    let data = &entry["data"];
    let shown = match entry["type"].as_str()? {
        "message" => json!({ "formatted": data["formatted"] }),
        "exception" => json!({
            "values": each(&data["values"], exception), "excOmitted": null,
            "hasSystemFrames": data["hasSystemFrames"],
        }),
        "stacktrace" => stacktrace(data),
        // Of the threads, the one that it is about.
        "threads" => {
            let values = data["values"].as_array()?;
            let one = |key: &str| values.iter().find(|t| t[key] == json!(true));
            let thread = one("crashed").or_else(|| one("current"))?;
            let mut shown = only(thread, &["crashed", "current"]);
            shown["stacktrace"] = stacktrace(&thread["stacktrace"]);
            json!({ "values": [shown] })
        }
        _ => return None,
    };
    Some(json!({ "type": entry["type"], "data": shown }))
}

fn exception(value: &Value) -> Value {
    let mut shown = only(value, &["type", "value", "module"]);
    shown["mechanism"] = match &value["mechanism"] {
        Value::Object(_) => only(&value["mechanism"], &["type", "handled"]),
        _ => Value::Null,
    };
    shown["stacktrace"] = stacktrace(&value["stacktrace"]);
    shown
}

/// The frames with their lines of code: neither variables nor registers, nor where it lies on the machine.
fn stacktrace(value: &Value) -> Value {
    if !value.is_object() {
        return Value::Null;
    }
    let frame = |f: &Value| {
        only(
            f,
            &[
                "filename", "module", "package", "platform", "function", "lineNo", "colNo", "context",
                "inApp",
            ],
        )
    };
    json!({
        "frames": each(&value["frames"], frame), "framesOmitted": value["framesOmitted"],
        "hasSystemFrames": value["hasSystemFrames"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_left_out() {
        let frame = json!({
            "function": "f", "filename": "a.py", "abs_path": "/home/ann/a.py", "lineno": 3, "in_app": true,
            "context_line": "x()", "vars": { "password": "s3cret" },
        });
        let event = json!({
            "logentry": { "formatted": "hello", "message": "hello %s", "params": ["s3cret"] },
            "exception": { "values": [{
                "type": "E", "value": "v", "thread_id": 7, "mechanism": { "type": "m", "handled": false,
                "data": { "k": "s3cret" }, "meta": { "k": "s3cret" } }, "stacktrace": { "frames": [frame],
                "registers": { "rip": "s3cret" } }, "raw_stacktrace": { "frames": [frame] },
            }] },
            "threads": { "values": [
                { "id": 1, "name": "s3cret", "current": true, "stacktrace": { "frames": [frame] } },
                { "id": 2, "name": "s3cret", "stacktrace": { "frames": [frame] } },
            ] },
            "breadcrumbs": { "values": [{ "message": "s3cret" }] },
            "request": { "url": "https://s3cret", "headers": [["Cookie", "s3cret"]] },
            "csp": { "blocked_uri": "s3cret" },
        });
        let shown: Vec<Value> = entries::entries(&event).iter().filter_map(entry).collect();
        let text = json!(shown).to_string();
        assert!(!text.contains("s3cret") && !text.contains("/home/ann"), "{text}");
        let kinds: Vec<_> = shown.iter().map(|e| e["type"].as_str().unwrap_or("")).collect();
        assert_eq!(kinds, ["message", "exception", "threads"]);
        let value = &shown[1]["data"]["values"][0];
        assert_eq!(value["mechanism"], json!({ "type": "m", "handled": false }));
        let seen = &value["stacktrace"]["frames"][0];
        assert_eq!(
            (&seen["function"], &seen["context"][0][1]),
            (&json!("f"), &json!("x()"))
        );
        assert_eq!(shown[2]["data"]["values"].as_array().map(Vec::len), Some(1));
    }
}
