//! Unmodified clients against the binary. Each is fetched into the cache folder once.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::server::Server;

use crate::BINARY;

/// The folder for fetched clients, which may be lost at any time.
fn cache() -> PathBuf {
    let base = std::env::var_os("VEDETTE_CACHE")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache/vedette")
        });
    base.join("clients")
}

fn run(command: &mut Command) {
    let out = command.output().unwrap();
    assert!(
        out.status.success(),
        "{command:?}:\n{}\n{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// A Python with the client's packages.
fn python() -> PathBuf {
    let folder = cache().join("python-sentry-2.75-flask-3");
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if !ready.exists() {
        std::fs::create_dir_all(cache()).unwrap();
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(&python).args(["-m", "pip", "-q", "install", "sentry-sdk==2.75.0", "flask==3.1.2"]));
        std::fs::write(ready, "").unwrap();
    }
    python
}

#[test]
fn python_and_flask() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(BINARY, data, &[]);
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/it/clients/python.py");
    let wire = data.join("wire.jsonl");
    run(Command::new(python())
        .arg(&script)
        .arg(server.get("dsn"))
        .arg(&wire));
    let wire = std::fs::read_to_string(&wire).unwrap();
    let sent: Vec<Value> = wire.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(sent.len() >= 8, "{} events were sent", sent.len());
    for event in &sent {
        let id = event["event_id"].as_str().unwrap();
        let got = server.until(id, |s| {
            let reply = s.api("GET", &format!("projects/acme/shop/events/{id}/"), None);
            (reply.status == 200).then(|| reply.json())
        });
        compare(event, &got);
    }
    let last = sent
        .iter()
        .find(|e| e["tags"]["scenario"] == "attachment")
        .unwrap();
    let id = last["event_id"].as_str().unwrap();
    let files = server
        .api(
            "GET",
            &format!("projects/acme/shop/events/{id}/attachments/"),
            None,
        )
        .json();
    assert_eq!(files[0]["name"], "notes.txt");
}

/// What was sent and what is read back are the same in every fact.
fn compare(sent: &Value, got: &Value) {
    let id = &sent["event_id"];
    let entry = |kind: &str| {
        got["entries"]
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["type"] == kind)
            .map_or(Value::Null, |e| e["data"].clone())
    };
    let exceptions = entry("exception");
    for (i, e) in sent["exception"]["values"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let g = &exceptions["values"][i];
        assert_eq!(
            (&g["type"], &g["value"], &g["module"]),
            (&e["type"], &e["value"], &e["module"]),
            "{id}"
        );
        for key in [
            "type",
            "handled",
            "exception_id",
            "parent_id",
            "is_exception_group",
        ] {
            assert_eq!(g["mechanism"][key], e["mechanism"][key], "{id} mechanism.{key}");
        }
        let frames = e["stacktrace"]["frames"].as_array().cloned().unwrap_or_default();
        assert_eq!(
            g["stacktrace"]["frames"].as_array().map_or(0, Vec::len),
            frames.len(),
            "{id}"
        );
        for (f, frame) in frames.iter().enumerate() {
            let shown = &g["stacktrace"]["frames"][f];
            for (ours, theirs) in [
                ("filename", "filename"),
                ("absPath", "abs_path"),
                ("function", "function"),
                ("module", "module"),
                ("lineNo", "lineno"),
                ("inApp", "in_app"),
            ] {
                // What the client leaves open, the server decides.
                if !frame[theirs].is_null() {
                    assert_eq!(shown[ours], frame[theirs], "{id} frame {f} {theirs}");
                }
            }
        }
    }
    if let Some(message) = sent["logentry"]["message"].as_str() {
        assert_eq!(entry("message")["message"], message, "{id}");
    }
    for (key, value) in sent["tags"].as_object().into_iter().flatten() {
        let tag = got["tags"]
            .as_array()
            .unwrap()
            .iter()
            .find(|t| t["key"] == key.as_str());
        assert_eq!(tag.map(|t| &t["value"]), Some(value), "{id} tag {key}");
    }
    for key in ["id", "email", "username"] {
        if !sent["user"][key].is_null() {
            assert_eq!(got["user"][key], sent["user"][key], "{id} user.{key}");
        }
    }
    if sent["release"].is_string() {
        assert_eq!(got["release"]["version"], sent["release"], "{id}");
    }
    if sent["request"].is_object() {
        let request = entry("request");
        assert_eq!(
            (&request["method"], &request["url"]),
            (&sent["request"]["method"], &sent["request"]["url"]),
            "{id}"
        );
    }
    let crumbs = entry("breadcrumbs");
    for (i, crumb) in sent["breadcrumbs"]["values"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        for key in ["category", "message"] {
            assert_eq!(crumbs["values"][i][key], crumb[key], "{id} breadcrumb {i} {key}");
        }
    }
    if let Some(contexts) = sent["contexts"].as_object() {
        for (name, context) in contexts.iter().filter(|(n, _)| *n == "order") {
            assert_eq!(got["contexts"][name]["total"], context["total"], "{id}");
        }
    }
}
