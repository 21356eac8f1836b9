//! Public links to issues: made, read without a login, renewed, taken back and switched off; and what they keep to
//! themselves.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both, on_one};

fn api(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

/// Asks without a login.
fn public(server: &Server, path: &str) -> (u16, Value) {
    let reply = server.request("GET", &format!("/api/0/{path}"), &[], b"");
    (reply.status, reply.json())
}

fn status(server: &Server, link: &str) -> u16 {
    public(server, &format!("shared/issues/{link}/")).0
}

/// Sends an error full of things that are nobody's business, and waits for its issue.
fn told(server: &Server, n: u32, kind: &str) {
    let mut event = error(n, kind);
    event["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"] = json!({ "card": "private-var" });
    event["exception"]["values"][0]["mechanism"] =
        json!({ "type": "wsgi", "handled": false, "data": { "x": "private-mechanism" } });
    let more = json!({
        "user": { "id": "private-user", "email": "private@example.com", "ip_address": "203.0.113.9" },
        "tags": { "customer": "private-tag" }, "extra": { "x": "private-extra" },
        "contexts": { "app": { "app_name": "private-context" } }, "server_name": "private-server",
        "release": "private-release@1.0", "environment": "private-environment",
        "breadcrumbs": { "values": [{ "message": "private-breadcrumb", "category": "x" }] },
        "request": { "url": "https://shop.example/private-url", "headers": [["X-Thing", "private-header"]],
            "cookies": "a=private-cookie", "data": { "x": "private-body" } },
    });
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    assert_eq!(server.send(&event).status, 200);
    server.until("the issue", |s| {
        let all = s.api("GET", "organizations/acme/issues/?query=", None).json();
        let mut kinds = all.as_array()?.iter().map(|i| i["metadata"]["type"].clone());
        kinds.any(|k| k == kind).then_some(())
    });
}

#[test]
fn a_link_shows_the_code_and_nothing_about_people() {
    on_both(|server, _| {
        told(server, 1, "Boom");
        let path = "organizations/acme/issues/SHOP-1/";
        let before = api(server, "GET", path, Value::Null, 200);
        assert_eq!(
            (&before["isPublic"], &before["shareId"]),
            (&json!(false), &Value::Null)
        );
        let shared = api(server, "PUT", path, json!({ "isPublic": true }), 200);
        let link = shared["shareId"].as_str().unwrap().to_owned();
        assert_eq!(shared["isPublic"], true);
        assert!(
            link.len() == 32 && link.bytes().all(|b| b.is_ascii_hexdigit()),
            "{link}"
        );
        api(
            server,
            "POST",
            &format!("{path}notes/"),
            json!({ "text": "private-note" }),
            201,
        );

        let (answered, view) = public(server, &format!("organizations/acme/shared/issues/{link}/"));
        assert_eq!(answered, 200, "{view}");
        assert_eq!(view, public(server, &format!("shared/issues/{link}/")).1);
        assert_eq!(view["title"], "Boom: value 1");
        assert_eq!(view["project"]["organization"]["slug"], "acme");
        let event = &view["latestEvent"];
        assert_eq!(event["platform"], "python");
        let frame = &event["entries"][0]["data"]["values"][0]["stacktrace"]["frames"][0];
        assert_eq!(
            (&frame["function"], &frame["lineNo"]),
            (&json!("fail_Boom"), &json!(7))
        );
        assert_eq!(frame["context"][0][1], "    raise Boom");
        let text = view.to_string();
        for secret in [
            "private",
            "203.0.113.9",
            "admin",
            "userCount",
            "assignedTo",
            "vars",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let mut keys: Vec<&String> = event.as_object().unwrap().keys().collect();
        keys.sort();
        let want = [
            "culprit",
            "dateCreated",
            "entries",
            "eventID",
            "id",
            "message",
            "metadata",
            "platform",
            "title",
            "type",
        ];
        assert_eq!(keys, want);
        // What a reader asks besides changes nothing.
        let asked = format!("shared/issues/{link}/?query=user.id:nobody&environment=none&statsPeriod=1h");
        assert_eq!(public(server, &asked), (200, view));
        // A search engine that finds the link is told to forget it.
        let reply = server.request("GET", &format!("/api/0/shared/issues/{link}/"), &[], b"");
        assert_eq!(reply.header("x-robots-tag"), Some("noindex, nofollow"));

        // Lists say it as well, and the history has it.
        let list = api(
            server,
            "GET",
            "organizations/acme/issues/?query=",
            Value::Null,
            200,
        );
        assert_eq!(list[0]["shareId"], link.as_str());
        let full = api(server, "GET", path, Value::Null, 200);
        assert_eq!(full["activity"][1]["type"], "set_public");
        let log = api(server, "GET", "organizations/acme/audit-logs/", Value::Null, 200);
        assert_eq!(log["rows"][0]["event"], "issue.share");
    });
}

#[test]
fn links_end() {
    on_one(&[], |server, _| {
        for (n, kind) in [(1, "Boom"), (2, "Crash")] {
            told(server, n, kind);
        }
        let (path, list) = ("organizations/acme/issues/SHOP-1/", "organizations/acme/issues/");
        let share = |path: &str| {
            let shared = api(server, "PUT", path, json!({ "isPublic": true }), 200);
            shared["shareId"].as_str().unwrap().to_owned()
        };
        for nothing in ["1", "x", "00000000000000000000000000000000", "%00"] {
            assert_eq!(status(server, nothing), 404, "{nothing}");
        }
        // A new link ends the old one.
        let first = share(path);
        let second = share(path);
        assert_ne!(first, second);
        assert_eq!((status(server, &first), status(server, &second)), (404, 200));
        let elsewhere = format!("organizations/other/shared/issues/{second}/");
        assert_eq!(public(server, &elsewhere).0, 404);

        // Taken back, together with others; twice is as once.
        for _ in 0..2 {
            let done = api(server, "PUT", list, json!({ "isPublic": false }), 200);
            assert_eq!(
                (&done["isPublic"], &done["shareId"]),
                (&json!(false), &Value::Null)
            );
            assert_eq!(status(server, &second), 404);
        }
        let full = api(server, "GET", path, Value::Null, 200);
        let kinds: Vec<&str> = full["activity"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|a| a["type"].as_str())
            .collect();
        assert_eq!(kinds, ["set_private", "set_public", "set_public", "first_seen"]);
        api(server, "PUT", path, json!({ "isPublic": "yes" }), 400);

        // Switched off for the organization: nothing leads anywhere, and nothing new is made.
        let third = share(path);
        let org = "organizations/acme/";
        assert_eq!(
            api(server, "GET", org, Value::Null, 200)["allowSharedIssues"],
            true
        );
        let off = api(server, "PUT", org, json!({ "allowSharedIssues": false }), 200);
        assert_eq!(off["allowSharedIssues"], false);
        assert_eq!(status(server, &third), 404);
        assert_eq!(api(server, "GET", path, Value::Null, 200)["shareId"], Value::Null);
        api(server, "PUT", path, json!({ "isPublic": true }), 403);
        api(server, "PUT", org, json!({ "allowSharedIssues": true }), 200);
        assert_eq!(status(server, &third), 200);

        // A deleted issue shows nothing, and again when that is taken back in time.
        api(server, "DELETE", path, Value::Null, 202);
        assert_eq!(status(server, &third), 404);
        api(server, "PUT", path, json!({ "pendingDeletion": false }), 200);
        assert_eq!(status(server, &third), 200);

        // An issue that goes into another takes its link with it to nowhere.
        let other = share("organizations/acme/issues/SHOP-2/");
        let merged = api(
            server,
            "PUT",
            &format!("{list}?id=1&id=2"),
            json!({ "merge": 1 }),
            200,
        );
        let (kept, gone) = match merged["merge"]["parent"].as_str() {
            Some("1") => (&third, &other),
            _ => (&other, &third),
        };
        assert_eq!((status(server, kept), status(server, gone)), (200, 404));
    });
}
