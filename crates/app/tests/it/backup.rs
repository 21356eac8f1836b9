//! A backup made under load answers the same questions when it is restored, on either database.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::server::{Server, request};

use crate::{BINARY, POSTGRES, error};

fn run(arguments: &[&str], folder: &Path, url: Option<&str>) -> (bool, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg("--data-dir").arg(folder);
    if let Some(url) = url {
        command.args(["--database-url", url]);
    }
    let out = command.output().unwrap();
    let text = if out.status.success() {
        &out.stdout
    } else {
        &out.stderr
    };
    (out.status.success(), String::from_utf8_lossy(text).into_owned())
}

/// Answers to questions about the events that were there before the backup.
fn said(server: &Server) -> Value {
    let get = |path: &str| {
        let reply = server.api("GET", path, None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.json());
        reply.json()
    };
    let event = format!("projects/acme/shop/events/{:032x}", 1);
    let file = get(&format!("{event}/attachments/"))[0].clone();
    let download = format!("{event}/attachments/{}/?download=1", file["id"].as_str().unwrap());
    let found = |query: &str| {
        let mut ids: Vec<Value> = get(&format!("organizations/acme/issues/?query={query}"))
            .as_array()
            .unwrap()
            .iter()
            .map(|i| {
                json!([
                    i["id"],
                    i["shortId"],
                    i["status"],
                    i["userCount"],
                    i["numComments"],
                    i["firstSeen"]
                ])
            })
            .collect();
        ids.sort_by_key(Value::to_string);
        ids
    };
    json!({
        "event": get(&format!("{event}/json/")),
        "page": get(&format!("{event}/"))["entries"],
        "file": [file["name"], file["size"], server.api("GET", &download, None).body],
        "bundles": get("projects/acme/shop/files/artifact-bundles/"),
        "symbols": get("projects/acme/shop/files/dsyms/"),
        "mapping": crate::uploads::mapping(server),
        "all": found(""), "resolved": found("is:resolved"), "tag": found("region:eu%20is:unresolved"),
        "activity": get("organizations/acme/issues/SHOP-1/")["activity"],
        "keys": get("projects/acme/shop/keys/")[0]["dsn"]["public"].as_str().and_then(|d| d.split('@').next()),
    })
}

fn backup_and_restore(from: Option<&str>, to: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments: Vec<&str> = from.iter().flat_map(|url| ["--database-url", url]).collect();
    let environment: Vec<(&str, &str)> = from.iter().map(|url| ("VEDETTE_DATABASE_URL", *url)).collect();
    let server = Server::start_with(BINARY, &data, &arguments, &environment);
    let first = error(1, "Boom").to_string();
    let envelope = format!(
        "{{\"event_id\":\"{:032x}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{first}\n\
        {{\"type\":\"attachment\",\"length\":5,\"filename\":\"notes.txt\"}}\nhello\n",
        1,
        first.len(),
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
    for n in 2..=300 {
        let kind = ["Boom", "Crash", "Fizz"][n as usize % 3];
        assert_eq!(server.send(&error(n, kind)).status, 200);
    }
    server.balance();
    let resolve = json!({ "status": "resolved" });
    server.api("PUT", "organizations/acme/issues/SHOP-2/", Some(&resolve));
    let note = json!({ "text": "a comment" });
    server.api("POST", "organizations/acme/issues/SHOP-1/notes/", Some(&note));
    crate::uploads::samples(&server);
    crate::uploads::large_mapping(&server);
    let before = said(&server);

    // Under load: what was answered before the backup began is in it.
    let file = folder.path().join("all.backup");
    let stop = AtomicBool::new(false);
    let port = server.port;
    let made = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut n = 10_000;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let body = format!("{{}}\n{{\"type\":\"event\"}}\n{}\n", error(n, "Load"));
                request(port, "POST", &path, &[], body.as_bytes());
            }
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        for n in 301..=320 {
            assert_eq!(server.send(&error(n, "Load")).status, 200);
        }
        let made = run(&["backup", file.to_str().unwrap()], &data, from);
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
        made
    });
    assert!(made.0, "{}", made.1);
    let counts: Value = serde_json::from_str(&made.1).unwrap();
    let kept = counts["events"].as_u64().unwrap() + counts["queued"].as_u64().unwrap();
    assert!(kept > 320, "{counts}");
    assert_eq!((&counts["attachments"], &counts["files"]), (&json!(1), &json!(5)));
    let again = run(&["backup", file.to_str().unwrap()], &data, from);
    assert!(!again.0 && again.1.contains("not empty"), "{}", again.1);
    server.kill();

    let target = folder.path().join("restored");
    let damaged = folder.path().join("damaged");
    let whole = std::fs::read(&file).unwrap();
    for at in [4, 9, whole.len() / 3, whole.len() / 2, whole.len() - 3] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&damaged, bytes).unwrap();
        let (done, text) = run(&["restore", damaged.to_str().unwrap()], &target, to);
        assert!(!done && text.contains("backup"), "byte {at}: {text}");
        assert!(!target.exists(), "byte {at}");
    }
    std::fs::write(&damaged, &whole[..whole.len() - 10]).unwrap();
    let (done, text) = run(&["restore", damaged.to_str().unwrap()], &target, to);
    assert!(!done && text.contains("damaged") && !target.exists(), "{text}");
    let (done, text) = run(&["restore", file.to_str().unwrap()], &data, to);
    assert!(!done && text.contains("not empty"), "{text}");

    let (done, text) = run(&["restore", file.to_str().unwrap()], &target, to);
    assert!(done, "{text}");
    let arguments: Vec<&str> = to.iter().flat_map(|url| ["--database-url", url]).collect();
    let environment: Vec<(&str, &str)> = to.iter().map(|url| ("VEDETTE_DATABASE_URL", *url)).collect();
    let server = Server::start_with(BINARY, &target, &arguments, &environment);
    server.until("what was queued is applied", |s| {
        (1..=320)
            .step_by(29)
            .all(|n| {
                let path = format!("projects/acme/shop/events/{n:032x}/");
                s.api("GET", &path, None).status == 200
            })
            .then_some(())
    });
    let mut after = said(&server);
    // What came during the backup is an issue of its own.
    for list in ["all", "tag"] {
        let list = after[list].as_array_mut().unwrap();
        list.retain(|i| i[1] != "SHOP-4");
    }
    for (key, want) in before.as_object().unwrap() {
        assert_eq!(&after[key], want, "{key}");
    }
    // It goes on: a new issue gets the next number, a known error its issue.
    server.send(&error(20_001, "Boom"));
    server.send(&error(20_002, "New"));
    server.until("a new issue", |s| {
        let all = s.api("GET", "organizations/acme/issues/?query=", None).json();
        all.as_array()?
            .iter()
            .any(|i| i["shortId"] == "SHOP-5")
            .then_some(())
    });
    let issue = server
        .api("GET", "organizations/acme/issues/SHOP-2/", None)
        .json();
    assert_eq!(
        (&issue["status"], &issue["count"]),
        (&json!("resolved"), &json!("100"))
    );
}

#[test]
fn a_backup_under_load_answers_the_same() {
    backup_and_restore(None, None);
}

#[test]
fn a_backup_moves_from_sqlite_to_postgres() {
    backup_and_restore(None, Some(&POSTGRES.database()));
}

#[test]
fn a_backup_moves_from_postgres_to_sqlite() {
    backup_and_restore(Some(&POSTGRES.database()), None);
}

#[test]
fn every_table_is_in_a_backup_or_left_out_on_purpose() {
    use storage::relational::dump::{LEFT_OUT, TABLES};
    let text = include_str!("../../../storage/migrations/0001_start.sql");
    let made = text
        .lines()
        .filter_map(|l| l.strip_prefix("create table ")?.split(' ').next());
    for table in made {
        assert!(
            TABLES.iter().any(|(t, _)| *t == table) || LEFT_OUT.contains(&table),
            "{table} is missing in storage::relational::dump"
        );
    }
}
