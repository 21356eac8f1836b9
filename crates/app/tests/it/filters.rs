//! Filters of a project: set by those who may, and what they leave out is counted by its reason and stored nowhere.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::access::cookie;
use crate::{error, on_both, on_one};

const PROJECT: &str = "projects/acme/shop/";

fn api(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

fn switch(server: &Server, filter: &str, body: Value) {
    api(server, "PUT", &format!("{PROJECT}filters/{filter}/"), body, 204);
}

fn active(server: &Server, filter: &str) -> Value {
    let all = api(server, "GET", &format!("{PROJECT}filters/"), Value::Null, 200);
    let one = all
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["id"] == filter)
        .unwrap();
    assert_eq!(one.get("acting").is_some(), filter == "filtered-transaction");
    one["active"].clone()
}

/// How often something was left out for a reason.
fn counted(server: &Server, reason: &str) -> i64 {
    let path =
        "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&groupBy=reason&statsPeriod=1d";
    let groups = server.api("GET", path, None).json()["groups"].clone();
    let found = groups
        .as_array()
        .into_iter()
        .flatten()
        .find(|g| g["by"]["reason"] == reason);
    found.map_or(0, |g| {
        assert_eq!(g["by"]["outcome"], "filtered", "{g}");
        g["totals"]["sum(quantity)"].as_i64().unwrap_or(0)
    })
}

#[test]
fn what_a_filter_knows_is_left_out_and_counted() {
    on_both(|server, _| {
        let before = error(1, "Before");
        server.send(&before);
        server.until("the first event", |s| {
            (s.api("GET", &format!("{PROJECT}events/{:032x}/", 1), None).status == 200).then_some(())
        });
        switch(server, "localhost", json!({ "active": true }));
        switch(
            server,
            "legacy-browsers",
            json!({ "subfilters": ["ie9", "ie10"] }),
        );
        let options = json!({ "options": {
            "filters:releases": "shop@0.*\n\n", "filters:error_messages": ["ResizeObserver*"],
            "filters:blacklisted_ips": "203.0.113.0/24", "filters:chunk-load-error": true,
        } });
        api(server, "PUT", PROJECT, options, 200);
        let with = |n: u32, more: Value| {
            let mut event = error(n, "Boom");
            for (key, value) in more.as_object().unwrap() {
                event[key] = value.clone();
            }
            assert_eq!(server.send(&event).status, 200);
        };
        with(2, json!({ "request": { "url": "http://localhost:3000/cart" } }));
        with(3, json!({ "release": "shop@0.9" }));
        with(4, json!({ "message": "ResizeObserver loop", "exception": null }));
        with(5, json!({ "user": { "ip_address": "203.0.113.9" } }));
        with(
            6,
            json!({ "exception": { "values": [{ "type": "ChunkLoadError", "value": "Loading chunk 3 failed." }] } }),
        );
        let old = "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)";
        with(
            7,
            json!({ "request": { "url": "https://shop.example/", "headers": [["User-Agent", old]] } }),
        );
        with(
            8,
            json!({ "release": "shop@1.0", "request": { "url": "https://shop.example/" } }),
        );
        server.until("all of them", |s| {
            let one = [
                "localhost",
                "release-version",
                "error-message",
                "ip-address",
                "chunk-load-error",
                "legacy-browsers",
            ];
            one.iter().all(|reason| counted(s, reason) == 1).then_some(())
        });
        server.until("the last", |s| {
            (s.api("GET", &format!("{PROJECT}events/{:032x}/", 8), None).status == 200).then_some(())
        });
        for n in 2..8 {
            let path = format!("{PROJECT}events/{n:032x}/");
            assert_eq!(server.api("GET", &path, None).status, 404, "{n}");
        }
        let place = api(
            server,
            "GET",
            &format!("organizations/acme/eventids/{:032x}/where/", 3),
            Value::Null,
            200,
        );
        assert_eq!(place["places"][0]["reason"], "release-version", "{place}");

        // Switched off, the same is kept.
        switch(server, "localhost", json!({ "active": false }));
        with(9, json!({ "request": { "url": "http://localhost:3000/cart" } }));
        server.until("it is kept", |s| {
            (s.api("GET", &format!("{PROJECT}events/{:032x}/", 9), None).status == 200).then_some(())
        });
    });
}

#[test]
fn filters_are_settings_of_a_project() {
    on_one(&[], |server, data| {
        for name in [
            "browser-extensions",
            "localhost",
            "web-crawlers",
            "filtered-transaction",
            "react-hydration-errors",
        ] {
            assert_eq!(active(server, name), false, "{name}");
            switch(server, name, json!({ "active": true }));
            assert_eq!(active(server, name), true, "{name}");
        }
        switch(server, "legacy-browsers", json!({ "active": true }));
        assert_eq!(active(server, "legacy-browsers"), true);
        switch(server, "legacy-browsers", json!({ "subfilters": ["safari"] }));
        assert_eq!(active(server, "legacy-browsers"), json!(["safari"]));
        let path = format!("{PROJECT}filters/legacy-browsers/");
        api(server, "PUT", &path, json!({ "subfilters": ["netscape"] }), 400);
        api(server, "PUT", &path, json!({}), 400);

        let long = "x".repeat(201);
        for (option, value) in [
            ("filters:blacklisted_ips", json!("10.0.0.0/33")),
            ("filters:blacklisted_ips", json!("shop.example")),
            ("filters:releases", json!(7)),
            ("filters:error_messages", json!([long])),
            ("filters:chunk-load-error", json!("yes")),
        ] {
            let said = api(
                server,
                "PUT",
                PROJECT,
                json!({ "options": { option: value } }),
                400,
            );
            assert!(said[option][0].is_string(), "{option}: {said}");
        }
        let body = json!({ "options": { "filters:blacklisted_ips": " 10.0.0.1 \n::1", "else": 1 } });
        let view = api(server, "PUT", PROJECT, body, 200);
        assert_eq!(view["options"]["filters:blacklisted_ips"], "10.0.0.1\n::1");
        assert_eq!(view["options"]["filters:react-hydration-errors"], true);
        assert!(view["options"].get("else").is_none(), "{view}");
        // What else is changed leaves them alone.
        api(server, "PUT", PROJECT, json!({ "name": "Shop" }), 200);
        assert_eq!(active(server, "localhost"), true);
        let log = api(
            server,
            "GET",
            "organizations/acme/audit-logs/?event=project.edit",
            Value::Null,
            200,
        );
        assert!(
            log["rows"]
                .as_array()
                .unwrap()
                .iter()
                .any(|r| r["data"]["filter"] == "localhost"),
            "{log}"
        );

        // A member sees them and sets none.
        let args = [
            "createuser",
            "--email",
            "bob@example.com",
            "--password",
            "long enough",
            "--org",
            "acme",
            "--data-dir",
        ];
        assert!(
            std::process::Command::new(crate::BINARY)
                .args(args)
                .arg(data)
                .output()
                .unwrap()
                .status
                .success()
        );
        let cookie = cookie(server, "bob@example.com", "long enough");
        let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
        let path = format!("/api/0/{PROJECT}filters/");
        assert_eq!(server.request("GET", &path, &headers, b"").status, 200);
        let path = format!("{path}localhost/");
        assert_eq!(
            server
                .request("PUT", &path, &headers, b"{\"active\":false}")
                .status,
            403
        );
    });
}
