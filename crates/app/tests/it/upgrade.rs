//! A data folder of an earlier release opens in this one, with everything in it.
//!
//! `fixtures/data/<release>.tar.gz` holds the folder, `<release>.json` beside it what its API answered then. The
//! files of a release are written once, when its format differs from those before, and never changed:
//! `cargo test -p app -- --ignored write_a_data_folder`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{BINARY, error};

/// The longest retention there is: a fixture must not expire.
const ARGUMENTS: &[&str] = &["--set", "event-retention-days=3650"];

fn fixtures() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../fixtures/data")
}

fn tar(arguments: &[&str], archive: &Path, folder: &Path) {
    let status = Command::new("tar")
        .args(arguments)
        .arg(archive)
        .arg("-C")
        .arg(folder)
        .arg(".")
        .status()
        .unwrap();
    assert!(status.success(), "tar {arguments:?}");
}

/// Everything that must not change, as the API says it.
fn said(server: &Server) -> Value {
    let get = |path: &str| {
        let reply = server.api("GET", path, None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.json());
        reply.json()
    };
    let facts = |issue: &Value| {
        let mut out = json!({});
        for key in [
            "shortId",
            "title",
            "culprit",
            "level",
            "status",
            "priority",
            "count",
            "userCount",
            "firstSeen",
            "lastSeen",
            "metadata",
            "numComments",
        ] {
            out[key] = issue[key].clone();
        }
        out
    };
    let mut issues = Vec::new();
    for issue in get("organizations/acme/issues/?query=&sort=new&limit=100")
        .as_array()
        .unwrap()
    {
        let id = issue["id"].as_str().unwrap();
        let mut out = facts(issue);
        let tags = get(&format!("organizations/acme/issues/{id}/tags/"));
        let tags = tags.as_array().unwrap().iter();
        out["tags"] = tags
            .map(|t| json!([t["key"], t["totalValues"], t["uniqueValues"]]))
            .collect();
        let hashes = get(&format!("organizations/acme/issues/{id}/hashes/"));
        out["hashes"] = hashes
            .as_array()
            .unwrap()
            .iter()
            .map(|h| h["id"].clone())
            .collect();
        let events = get(&format!("organizations/acme/issues/{id}/events/?limit=100"));
        out["events"] = events
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["eventID"].clone())
            .collect();
        let activity = get(&format!("organizations/acme/issues/{id}/"))["activity"].clone();
        out["activity"] = activity
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["type"].clone())
            .collect();
        issues.push(out);
    }
    let event = format!("projects/acme/shop/events/{:032x}", 1);
    let mut whole = get(&format!("{event}/json/"));
    // The order of an object's keys says nothing.
    whole.sort_all_objects();
    let file = get(&format!("{event}/attachments/"))[0].clone();
    let download = format!("{event}/attachments/{}/?download=1", file["id"].as_str().unwrap());
    let bytes = server.api("GET", &download, None).body;
    let found = |query: &str| {
        get(&format!("organizations/acme/issues/?query={query}"))
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["shortId"].clone())
            .collect::<Value>()
    };
    json!({
        "issues": issues,
        "event": whole,
        "attachment": [file["name"], file["size"], String::from_utf8_lossy(&bytes)],
        "found": { "tag": found("region:eu"), "words": found("value%203"), "resolved": found("is:resolved"), "archived": found("is:archived") },
        "key": get("projects/acme/shop/keys/")[0]["public"],
        "project": get("projects/acme/shop/")["id"],
    })
}

#[test]
fn data_folders_of_earlier_releases_open() {
    let mut releases = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let archive = entry.unwrap().path();
        let Some(release) = archive
            .file_name()
            .and_then(|n| n.to_str()?.strip_suffix(".tar.gz"))
        else {
            continue;
        };
        releases += 1;
        let want = std::fs::read_to_string(fixtures().join(format!("{release}.json"))).unwrap();
        let want: Value = serde_json::from_str(&want).unwrap();
        let folder = tempfile::tempdir().unwrap();
        tar(&["-xzf"], &archive, folder.path());
        let server = Server::start(BINARY, folder.path(), ARGUMENTS);
        server.until("what was queued is applied", |s| {
            let total: u64 = s
                .api("GET", "organizations/acme/issues/?query=&limit=100", None)
                .json()
                .as_array()?
                .iter()
                .filter_map(|i| i["count"].as_str()?.parse::<u64>().ok())
                .sum();
            (total == TOTAL).then_some(())
        });
        let got = said(&server);
        for (key, want) in want.as_object().unwrap() {
            assert_eq!(&got[key], want, "{release}: {key}");
        }
        // It goes on where it was.
        server.send(&error(1000, "Boom"));
        server.until("a new event", |s| {
            let path = format!("projects/acme/shop/events/{:032x}/", 1000);
            (s.api("GET", &path, None).status == 200).then_some(())
        });
    }
    assert!(releases > 0, "no data folder in fixtures/data");
}

/// Events in the fixture.
const TOTAL: u64 = 60;

#[test]
#[ignore = "writes a fixture"]
fn write_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, folder.path(), ARGUMENTS);
    let kind = |n: u32| ["Boom", "Crash", "Fizz", "Gone"][n as usize % 4];
    let mut first = error(1, kind(1));
    first["release"] = json!("shop@1.4.2");
    first["request"] = json!({ "url": "https://shop.example/cart?id=7", "method": "POST", "headers": { "User-Agent":
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36" } });
    first["breadcrumbs"] =
        json!([{ "category": "query", "message": "select 1", "timestamp": 1_790_000_000 }]);
    let event = first.to_string();
    let envelope = format!(
        "{{\"event_id\":\"{}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n\
        {{\"type\":\"attachment\",\"length\":5,\"filename\":\"notes.txt\"}}\nhello\n",
        first["event_id"].as_str().unwrap(),
        event.len(),
    );
    let path = format!(
        "/api/{}/envelope/?sentry_key={}",
        server.get("project_id"),
        server.key()
    );
    assert_eq!(
        server.request("POST", &path, &[], envelope.as_bytes()).status,
        200
    );
    for n in 2..=40 {
        assert_eq!(server.send(&error(n, kind(n))).status, 200);
    }
    server.balance();
    for (issue, change) in [
        ("SHOP-2", json!({ "status": "resolved" })),
        (
            "SHOP-3",
            json!({ "status": "ignored", "statusDetails": { "ignoreCount": 100 } }),
        ),
        (
            "SHOP-4",
            json!({ "assignedTo": "ann@example.com", "priority": "low" }),
        ),
    ] {
        let reply = server.api(
            "PUT",
            &format!("organizations/acme/issues/{issue}/"),
            Some(&change),
        );
        assert_eq!(reply.status, 200, "{issue}: {}", reply.json());
    }
    let comment = json!({ "text": "seen in *staging* too" });
    let reply = server.api("POST", "organizations/acme/issues/SHOP-1/notes/", Some(&comment));
    assert_eq!(reply.status, 201, "{}", reply.json());
    server.stop();
    // The last ones stay in the queue: the server is killed when it has answered for them.
    let server = Server::start(BINARY, folder.path(), ARGUMENTS);
    for n in 41..=60 {
        assert_eq!(
            server.send(&error(n, ["Boom", "Gone"][n as usize % 2])).status,
            200
        );
    }
    server.kill();
    let release = env!("CARGO_PKG_VERSION");
    let archive = fixtures().join(format!("{release}.tar.gz"));
    std::fs::create_dir_all(fixtures()).unwrap();
    let _ = std::fs::remove_file(folder.path().join("lock"));
    tar(&["--exclude=./*.sock", "-czf"], &archive, folder.path());
    let server = Server::start(BINARY, folder.path(), ARGUMENTS);
    server.until("everything is applied", |s| {
        let rows = s.api(
            "GET",
            "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&category=error&statsPeriod=1d",
            None,
        );
        (rows.json()["groups"][0]["totals"]["sum(quantity)"] == TOTAL).then_some(())
    });
    let text = serde_json::to_string_pretty(&said(&server)).unwrap();
    std::fs::write(fixtures().join(format!("{release}.json")), text + "\n").unwrap();
}
