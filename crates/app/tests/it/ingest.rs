//! What clients send, in every form, and what they are answered.

use std::io::Write as _;

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both, on_one};

fn stored(server: &Server, id: &str) -> Value {
    server.until(id, |s| {
        let reply = s.api("GET", &format!("projects/acme/shop/events/{id}/"), None);
        (reply.status == 200).then(|| reply.json())
    })
}

fn outcome(server: &Server, reason: &str, category: &str) -> u64 {
    let stats =
        "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=reason&groupBy=category&statsPeriod=1d";
    let groups = server.api("GET", stats, None).json()["groups"].clone();
    let fits = |g: &&Value| g["by"]["reason"] == reason && g["by"]["category"] == category;
    groups
        .as_array()
        .unwrap()
        .iter()
        .find(fits)
        .and_then(|g| g["totals"]["sum(quantity)"].as_u64())
        .unwrap_or(0)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

#[test]
fn every_form_of_an_event_is_taken() {
    on_one(&[], |server, _| {
        let (key, project) = (server.key(), server.get("project_id"));
        let auth = format!("Sentry sentry_version=7, sentry_key={key}, sentry_client=test/1.0");
        let body = |n: u32| error(n, "Boom").to_string();
        for (n, path) in [
            (1, format!("/api/{project}/store/")),
            (2, format!("/api/{project}/store")),
            (3, "/api/store/".to_owned()),
        ] {
            let reply = server.request("POST", &path, &[("X-Sentry-Auth", &auth)], body(n).as_bytes());
            assert_eq!(
                (reply.status, &reply.json()["id"]),
                (200, &json!(format!("{n:032x}"))),
                "{path}"
            );
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        }
        let path = format!("/api/{project}/store/");
        let reply = server.request(
            "POST",
            &path,
            &[("Authorization", &auth), ("Content-Encoding", "gzip")],
            &gzip(body(4).as_bytes()),
        );
        assert_eq!(reply.status, 200);
        let envelope = |n: u32, dsn: bool| {
            let header = if dsn {
                json!({ "dsn": server.get("dsn") })
            } else {
                json!({})
            };
            format!("{header}\n{{\"type\":\"event\"}}\n{}\n", body(n))
        };
        let reply = server.request("POST", "/api/envelope/", &[], envelope(5, true).as_bytes());
        assert_eq!(
            (reply.status, &reply.json()["id"]),
            (200, &json!(format!("{:032x}", 5)))
        );
        let path = format!("/api/{project}/envelope?sentry_key={key}");
        assert_eq!(
            server
                .request("POST", &path, &[], envelope(6, false).as_bytes())
                .status,
            200
        );
        for n in 1..=6 {
            stored(server, &format!("{n:032x}"));
        }
    });
}

#[test]
fn bad_requests_say_what_is_wrong() {
    on_one(&[], |server, _| {
        let (key, project) = (server.key(), server.get("project_id"));
        let store = format!("/api/{project}/store/?sentry_key={key}");
        let zeroes = "0".repeat(32);
        for (path, body, status) in [
            (format!("/api/{project}/store/"), "{}", 401),
            (format!("/api/{project}/store/?sentry_key=short"), "{}", 400),
            (format!("/api/{project}/store/?sentry_key={zeroes}"), "{}", 403),
            (format!("/api/999/store/?sentry_key={key}"), "{}", 403),
            (format!("/api/shop/store/?sentry_key={key}"), "{}", 400),
            (store.clone(), "", 400),
            (store.clone(), "{\"message\":", 400),
            (store.clone(), "[]", 400),
            (store.clone(), "{\"event_id\":\"zz\"}", 400),
            (format!("/api/{project}/envelope/?sentry_key={key}"), "", 400),
            (
                format!("/api/{project}/envelope/?sentry_key={key}"),
                "{}\n{\"type\":\"event\",\"length\":99}\n{}",
                400,
            ),
            (format!("/api/{project}/security/?sentry_key={key}"), "{}", 415),
        ] {
            let reply = server.request("POST", &path, &[], body.as_bytes());
            assert_eq!(reply.status, status, "{path} {body}: {}", reply.json());
            assert!(
                reply.json()["detail"].as_str().is_some_and(|d| d.len() > 10),
                "{path}"
            );
            assert!(reply.header("x-sentry-error").is_some(), "{path}");
        }
        let large = format!("{{\"message\":\"{}\"}}", "x".repeat(1 << 20));
        assert_eq!(server.request("POST", &store, &[], large.as_bytes()).status, 413);
        assert_eq!(server.request("GET", &store, &[], b"").status, 405);
        let preflight = server.request("OPTIONS", &store, &[("Origin", "https://x.y")], b"");
        assert_eq!(preflight.status, 200);
        assert!(
            preflight
                .header("access-control-allow-headers")
                .is_some_and(|h| h.contains("x-sentry-auth"))
        );
    });
}

#[test]
fn odd_items_never_cost_their_siblings_and_everything_is_counted() {
    on_both(|server, _| {
        let id = format!("{:032x}", 7);
        let event = error(7, "Boom")
            .to_string()
            .replace("value 7", "lone \\ud800 surrogate");
        let report =
            json!({ "discarded_events": [{ "reason": "before_send", "category": "error", "quantity": 3 }] });
        let items = [
            ("event".to_owned(), event),
            ("hologram".to_owned(), "{}".to_owned()),
            ("transaction".to_owned(), "{}".to_owned()),
            ("client_report".to_owned(), report.to_string()),
        ];
        let mut envelope = format!("{{\"event_id\":\"{id}\"}}\n");
        for (kind, body) in items {
            envelope.push_str(&format!(
                "{{\"type\":\"{kind}\",\"length\":{}}}\n{body}\n",
                body.len()
            ));
        }
        envelope.push_str("{\"type\":\"attachment\",\"length\":5,\"filename\":\"a.txt\",\"content_type\":\"text/plain\"}\nhello\n");
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        assert_eq!(
            server.request("POST", &path, &[], envelope.as_bytes()).status,
            200
        );
        let event = stored(server, &id);
        assert_eq!(
            event["entries"][0]["data"]["values"][0]["value"],
            "lone \u{fffd} surrogate"
        );
        let files = server
            .api(
                "GET",
                &format!("projects/acme/shop/events/{id}/attachments/"),
                None,
            )
            .json();
        assert_eq!(
            (&files[0]["name"], &files[0]["size"]),
            (&json!("a.txt"), &json!(5))
        );
        let path = format!(
            "projects/acme/shop/events/{id}/attachments/{}/?download=1",
            files[0]["id"].as_str().unwrap()
        );
        assert_eq!(server.api("GET", &path, None).body, b"hello");
        for (reason, category, n) in [
            ("unknown_type", "unknown", 1),
            ("unknown_type", "transaction", 1),
            ("before_send", "error", 3),
            ("none", "error", 1),
            ("none", "attachment", 5),
            ("none", "attachment_item", 1),
        ] {
            assert_eq!(outcome(server, reason, category), n, "{reason} {category}");
        }
        let place = server
            .api("GET", &format!("organizations/acme/eventids/{id}/where/"), None)
            .json();
        assert_eq!(
            (&place["places"][0]["state"], &place["places"][0]["shortId"]),
            (&json!("stored"), &json!("SHOP-1"))
        );
        // A bad event is discarded alone, and its id says why.
        let bad = format!("{:032x}", 8);
        let body = format!("{{\"event_id\":\"{bad}\"}}\n{{\"type\":\"event\"}}\nnot json\n");
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        assert_eq!(server.request("POST", &path, &[], body.as_bytes()).status, 200);
        let place = server.until("the discard", |s| {
            let found = s
                .api("GET", &format!("organizations/acme/eventids/{bad}/where/"), None)
                .json();
            (found["places"][0]["state"] == "discarded").then_some(found)
        });
        assert_eq!(place["places"][0]["reason"], "invalid_json");
    });
}

#[test]
fn both_forms_of_csp_reports_are_taken() {
    on_one(&[], |server, _| {
        let path = format!(
            "/api/{}/security/?sentry_key={}&sentry_environment=prod",
            server.get("project_id"),
            server.key()
        );
        let old = json!({ "csp-report": { "document-uri": "https://x.y/", "violated-directive": "img-src 'self'",
            "effective-directive": "img-src", "blocked-uri": "https://evil.example/a.png", "original-policy": "img-src 'self'" } });
        let reply = server.request(
            "POST",
            &path,
            &[("Content-Type", "application/csp-report")],
            old.to_string().as_bytes(),
        );
        assert_eq!(reply.status, 200, "{}", reply.json());
        let new = json!([{ "type": "csp-violation", "url": "https://x.y/", "body": { "documentURL": "https://x.y/",
            "effectiveDirective": "script-src-elem", "blockedURL": "https://evil.example/b.js", "originalPolicy": "script-src 'self'" } }]);
        let reply = server.request(
            "POST",
            &path,
            &[("Content-Type", "application/reports+json")],
            new.to_string().as_bytes(),
        );
        assert_eq!(reply.status, 200);
        server.until("two issues", |s| {
            let all = s
                .api("GET", "organizations/acme/issues/?query=issue.type:csp", None)
                .json();
            (all.as_array()?.len() == 2).then_some(())
        });
    });
}

#[test]
fn a_keys_limit_answers_429_and_is_counted() {
    on_one(&[], |server, _| {
        let path = format!("projects/acme/shop/keys/{}/", server.key());
        let body = json!({ "rateLimit": { "count": 2, "window": 3600 } });
        assert_eq!(server.api("PUT", &path, Some(&body)).status, 200);
        let statuses: Vec<u16> = (1..=4).map(|n| server.send(&error(n, "Boom")).status).collect();
        assert_eq!(statuses, [200, 200, 429, 429]);
        let reply = server.send(&error(5, "Boom"));
        assert!(
            reply
                .header("retry-after")
                .is_some_and(|s| s.parse::<u64>().is_ok_and(|s| s > 0))
        );
        assert!(
            reply
                .header("x-sentry-rate-limits")
                .is_some_and(|h| h.ends_with(":key:key_quota")),
            "{reply:?}"
        );
        server.until("the refused are counted", |s| {
            (outcome(s, "key_quota", "error") == 3).then_some(())
        });
    });
}

#[test]
fn a_path_prefix_works_with_and_without_it() {
    on_one(&["--url", "http://localhost/errors"], |server, _| {
        let key = server.key();
        for (n, prefix) in [(1, "/errors"), (2, "")] {
            let path = format!(
                "{prefix}/api/{}/store/?sentry_key={key}",
                server.get("project_id")
            );
            assert_eq!(
                server
                    .request("POST", &path, &[], error(n, "Boom").to_string().as_bytes())
                    .status,
                200
            );
        }
        assert_eq!(server.request("GET", "/errors/_health/", &[], b"").status, 200);
    });
}
