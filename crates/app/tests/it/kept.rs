//! Documents that are kept as they were given: checked, changed, private where they should be, and gone with their
//! project.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::access::cookie;
use crate::{on_both, on_one};

fn call(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

#[test]
fn what_is_wrong_is_said_by_field() {
    on_one(&[], |server, _| {
        for (path, body, fields) in [
            ("organizations/acme/dashboards/", json!({}), &["title"][..]),
            (
                "organizations/acme/dashboards/",
                json!({ "title": "x", "projects": ["a"] }),
                &["projects"],
            ),
            (
                "organizations/acme/dashboards/",
                json!({ "title": "x", "widgets": [{ "limit": 1000 }] }),
                &["widgets"],
            ),
            (
                "organizations/acme/monitors/",
                json!({ "project": "shop", "name": "x", "config": { "schedule": [0, "hour"], "schedule_type": "interval" } }),
                &["config"],
            ),
            (
                "organizations/acme/monitors/",
                json!({ "project": "no", "name": "x", "config": { "schedule": "@daily" } }),
                &["project"],
            ),
            (
                "organizations/acme/workflows/",
                json!({ "enabled": "yes", "triggers": { "logic_type": "some" } }),
                &["name", "enabled", "triggers"],
            ),
            (
                "organizations/acme/forwarding/",
                json!({ "provider": "pigeon" }),
                &["provider"],
            ),
            (
                "projects/acme/shop/hooks/",
                json!({ "url": "javascript:x", "events": ["all"] }),
                &["url", "events"],
            ),
            (
                "projects/acme/shop/symbol-sources/",
                json!({ "type": "s3", "name": "x" }),
                &["bucket", "region", "access_key", "secret_key"],
            ),
            (
                "projects/acme/shop/user-feedback/",
                json!({ "event_id": "x", "name": "a", "email": "b", "comments": "c" }),
                &["event_id"],
            ),
            (
                "organizations/acme/sentry-apps/",
                json!({ "name": "x", "scopes": ["all"] }),
                &["scopes"],
            ),
            (
                "organizations/acme/external-users/",
                json!({ "user_id": 999, "external_name": "@a", "provider": "github", "integration_id": 1 }),
                &["userId"],
            ),
        ] {
            let wrong = call(server, "POST", path, body.clone(), 400);
            for field in fields {
                assert!(wrong[*field][0].is_string(), "{path} {body}: {wrong}");
            }
        }
        let filter = "projects/acme/shop/filters/";
        assert!(
            call(
                server,
                "PUT",
                &format!("{filter}localhost/"),
                json!({ "active": "on" }),
                400
            )["active"][0]
                .is_string()
        );
        call(
            server,
            "PUT",
            &format!("{filter}nonsense/"),
            json!({ "active": true }),
            404,
        );
        let large = json!({ "title": "x", "filters": { "a": "x".repeat(300 << 10) } });
        call(server, "POST", "organizations/acme/dashboards/", large, 413);
        for path in [
            "nothing/",
            "organizations/acme/nothing/",
            "projects/acme/shop/nothing/else/",
        ] {
            let missing = server.api("GET", path, None);
            assert_eq!(
                (missing.status, missing.header("content-type")),
                (404, Some("application/json")),
                "{path}"
            );
            assert!(missing.json()["detail"].is_string());
        }
    });
}

#[test]
fn documents_are_kept_changed_and_found_in_their_place_alone() {
    on_both(|server, _| {
        call(
            server,
            "POST",
            "organizations/acme/projects/",
            json!({ "name": "cart" }),
            201,
        );
        let made = json!({ "project": "shop", "name": "Nightly", "config": { "schedule": "0 4 * * *" } });
        let monitor = call(server, "POST", "organizations/acme/monitors/", made.clone(), 201);
        assert_eq!(
            (&monitor["slug"], &monitor["acting"]),
            (&json!("nightly"), &json!(false))
        );
        assert_eq!(monitor["project"]["slug"], "shop");
        let again = call(server, "POST", "organizations/acme/monitors/", made, 400);
        assert!(again["slug"][0].is_string(), "{again}");
        // What a change does not name stays.
        let changed = call(
            server,
            "PUT",
            "organizations/acme/monitors/nightly/",
            json!({ "slug": "daily", "project": "cart" }),
            200,
        );
        assert_eq!(
            (&changed["config"]["schedule"], &changed["project"]["slug"]),
            (&json!("0 4 * * *"), &json!("cart"))
        );
        call(
            server,
            "GET",
            "organizations/acme/monitors/nightly/",
            Value::Null,
            404,
        );
        call(
            server,
            "GET",
            "projects/acme/shop/monitors/daily/",
            Value::Null,
            404,
        );
        call(
            server,
            "GET",
            "projects/acme/cart/monitors/daily/",
            Value::Null,
            200,
        );
        // Secrets are not shown again, and stay when the answer is sent back.
        let sources = "projects/acme/shop/symbol-sources/";
        let source = json!({ "type": "http", "name": "Ours", "id": "ours", "url": "https://s.example", "password": "hunter2" });
        let kept = call(server, "POST", sources, source, 201);
        assert_eq!(kept["password"], json!({ "hidden-secret": true }));
        assert!(
            !call(server, "GET", sources, Value::Null, 200)
                .to_string()
                .contains("hunter2")
        );
        call(server, "PUT", &format!("{sources}?id=ours"), kept, 200);
        call(
            server,
            "GET",
            "projects/acme/cart/symbol-sources/?id=ours",
            Value::Null,
            404,
        );
        let log = call(
            server,
            "GET",
            "organizations/acme/audit-logs/?event=setting.create",
            Value::Null,
            200,
        );
        let kinds: Vec<&str> = log["rows"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|r| r["data"]["kind"].as_str())
            .collect();
        assert!(
            kinds.contains(&"monitor") && kinds.contains(&"symbol_source"),
            "{log}"
        );
        assert!(!log.to_string().contains("hunter2"));
        // Nothing is changed or removed for want of a name.
        for name in ["One", "Two"] {
            call(
                server,
                "POST",
                "organizations/acme/workflows/",
                json!({ "name": name }),
                201,
            );
        }
        for ask in ["", "?project=shop", "?id=999"] {
            let reply = server.api("DELETE", &format!("organizations/acme/workflows/{ask}"), None);
            assert!(reply.status == 400 || ask == "?id=999", "{ask}: {}", reply.status);
        }
        let found = call(
            server,
            "GET",
            "organizations/acme/workflows/?query=tw",
            Value::Null,
            200,
        );
        assert_eq!(
            (found.as_array().unwrap().len(), &found[0]["name"]),
            (1, &json!("Two"))
        );
        assert_eq!(
            call(server, "GET", "organizations/acme/workflows/", Value::Null, 200)
                .as_array()
                .unwrap()
                .len(),
            2
        );
        // Whatever somebody writes is kept or refused.
        for name in [
            "a\u{0}b",
            "\u{202e}x",
            "日本",
            "'; drop table documents; --",
            "%_\\",
        ] {
            for (path, body) in [
                ("organizations/acme/workflows/", json!({ "name": name })),
                (
                    "organizations/acme/releases/",
                    json!({ "version": name, "projects": ["shop"], "ref": name }),
                ),
                ("organizations/acme/repos/", json!({ "name": name })),
                (
                    "organizations/acme/releases/",
                    json!({ "version": "odd", "projects": ["shop"], "commits": [
                    { "id": "c1", "message": name, "author_name": name, "patch_set": [{ "path": name, "type": "M" }] }] }),
                ),
            ] {
                let reply = server.api("POST", path, Some(&body));
                assert!(reply.status < 500, "{path} {name:?}: {}", reply.json());
            }
            let query = name.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
            for path in ["workflows", "releases", "repos", "events"] {
                let asked = format!("organizations/acme/{path}/?query={query}&field=title");
                let reply = server.api("GET", &asked, None);
                assert!(reply.status < 500, "{asked}: {}", reply.json());
            }
            let reply = server.api("GET", &format!("organizations/acme/releases/{query}/"), None);
            assert!(reply.status < 500, "{query}: {}", reply.json());
        }
        server.api("DELETE", "organizations/acme/workflows/?query=a", None);
        // Pages.
        for n in 0..5 {
            call(
                server,
                "POST",
                "organizations/acme/dashboards/",
                json!({ "title": format!("Board {n}") }),
                201,
            );
        }
        let page = server.api(
            "GET",
            "organizations/acme/dashboards/?per_page=2&cursor=0:4:0",
            None,
        );
        assert_eq!(page.json().as_array().unwrap().len(), 1);
        assert!(
            page.header("link")
                .unwrap()
                .contains("rel=\"next\"; results=\"false\"")
        );
        // A project that is deleted takes its documents with it; a job does that.
        call(server, "DELETE", "projects/acme/cart/", Value::Null, 204);
        server.until("the monitor is gone", |s| {
            let all = s.api("GET", "organizations/acme/monitors/", None).json();
            all.as_array()?.is_empty().then_some(())
        });
    });
}

#[test]
fn searches_are_ones_own_and_views_have_an_order() {
    on_one(&[], |server, data| {
        let out = std::process::Command::new(crate::BINARY)
            .args([
                "createuser",
                "--email",
                "bob@example.com",
                "--password",
                "long enough",
                "--org",
                "acme",
                "--data-dir",
            ])
            .arg(data)
            .output()
            .unwrap();
        assert!(out.status.success());
        let bob = cookie(server, "bob@example.com", "long enough");
        let by_bob = |method: &str, path: &str, body: Value| {
            let headers = [("Cookie", bob.as_str()), ("X-Requested-With", "test")];
            server.request(
                method,
                &format!("/api/0/{path}"),
                &headers,
                body.to_string().as_bytes(),
            )
        };
        let searches = "organizations/acme/searches/";
        let own = call(
            server,
            "POST",
            searches,
            json!({ "name": "Mine", "query": "is:unresolved" }),
            200,
        );
        assert_eq!(by_bob("GET", searches, Value::Null).json(), json!([]));
        let path = format!("{searches}{}/", own["id"].as_str().unwrap());
        assert_eq!(by_bob("DELETE", &path, Value::Null).status, 404);
        let all = json!({ "name": "Ours", "query": "level:error", "visibility": "organization" });
        assert_eq!(
            by_bob("POST", searches, all.clone()).status,
            403,
            "a member gives nobody searches"
        );
        let ours = call(server, "POST", searches, all, 200);
        assert_eq!(by_bob("GET", searches, Value::Null).json()[0]["name"], "Ours");
        let path = format!("{searches}{}/", ours["id"].as_str().unwrap());
        assert_eq!(by_bob("DELETE", &path, Value::Null).status, 403);
        assert_eq!(by_bob("PUT", &path, json!({ "visibility": "owner" })).status, 403);

        // A dashboard may be closed to all but who made it.
        let boards = "organizations/acme/dashboards/";
        let closed = json!({ "title": "Mine", "permissions": { "isEditableByEveryone": false } });
        let board = call(server, "POST", boards, closed, 201);
        let path = format!("{boards}{}/", board["id"].as_str().unwrap());
        assert_eq!(by_bob("PUT", &path, json!({ "title": "Bob's" })).status, 403);
        assert_eq!(by_bob("DELETE", &path, Value::Null).status, 403);
        assert_eq!(by_bob("GET", &path, Value::Null).json()["title"], "Mine");

        let views = "organizations/acme/group-search-views/";
        let mut ids = Vec::new();
        for name in ["One", "Two"] {
            let made = call(
                server,
                "POST",
                views,
                json!({ "name": name, "query": "is:unresolved", "stars": { "1": 5 } }),
                201,
            );
            assert_eq!(made["starred"], false, "nobody stars a view by making it");
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        for id in &ids {
            call(
                server,
                "POST",
                &format!("{views}{id}/starred/"),
                json!({ "starred": true }),
                204,
            );
        }
        let names = |list: Value| -> Vec<String> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|v| v["name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(
            names(call(server, "GET", &format!("{views}starred/"), Value::Null, 200)),
            ["One", "Two"]
        );
        let order = json!({ "view_ids": [ids[1], ids[0]] });
        call(server, "PUT", &format!("{views}starred/order/"), order, 204);
        assert_eq!(
            names(call(server, "GET", &format!("{views}starred/"), Value::Null, 200)),
            ["Two", "One"]
        );
        assert_eq!(
            by_bob("GET", &format!("{views}starred/"), Value::Null).json(),
            json!([])
        );
        call(
            server,
            "PUT",
            &format!("{views}{}/", ids[0]),
            json!({ "visibility": "owner" }),
            200,
        );
        assert_eq!(names(by_bob("GET", views, Value::Null).json()), ["Two"]);
        let path = format!("{views}{}/", ids[1]);
        assert_eq!(
            by_bob("DELETE", &path, Value::Null).status,
            403,
            "it is not Bob's"
        );
    });
}
