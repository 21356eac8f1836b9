//! Internal integrations and their tokens, which act for an organization with no user behind them.

use serde_json::{Value, json};
use testkit::server::{Reply, Server};

use crate::on_both;
use crate::people::{by, join};

fn with(server: &Server, token: &str, method: &str, path: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    server.request(
        method,
        &format!("/api/0/{path}"),
        &[("Authorization", &bearer)],
        body.as_bytes(),
    )
}

#[test]
fn tokens_of_an_integration_do_what_it_may() {
    on_both(|server, _| {
        let path = "organizations/acme/sentry-apps/";
        let body = json!({ "name": "Deploys", "scopes": ["project:read", "org:read"], "isInternal": true });
        let app = server.api("POST", path, Some(&body));
        assert_eq!(app.status, 201, "{}", app.json());
        let app = app.json();
        assert_eq!(
            (&app["status"], &app["isInternal"]),
            (&json!("internal"), &json!(true))
        );
        assert!(
            app["acting"].is_null() && app["notActing"].to_string().contains("webhookUrl"),
            "{app}"
        );
        let one = format!("sentry-apps/{}/", app["id"].as_str().unwrap());
        let tokens = format!("{one}api-tokens/");
        // A token needs a user who makes it.
        let made = server.api("POST", &tokens, None);
        assert_eq!(made.status, 201, "{}", made.json());
        let secret = made.json()["token"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("sntryi_"));
        let listed = server.api("GET", &tokens, None).json();
        assert_eq!(
            (listed.as_array().unwrap().len(), &listed[0]["token"]),
            (1, &Value::Null)
        );
        assert!(secret.ends_with(listed[0]["tokenLastCharacters"].as_str().unwrap()));
        assert_eq!(
            with(server, &secret, "GET", "organizations/acme/projects/", "").status,
            200
        );
        for (method, path) in [
            ("GET", "organizations/acme/issues/"),
            ("PUT", "projects/acme/shop/"),
            ("GET", "api-tokens/"),
            ("GET", "internal/status/"),
            ("POST", "organizations/acme/members/"),
            ("POST", tokens.as_str()),
        ] {
            let status = with(server, &secret, method, path, "{}").status;
            assert_eq!(status, 403, "{method} {path}");
        }
        assert!(server.api("GET", &tokens, None).json()[0]["dateLastUsed"].is_string());
        // What it may is what the integration may now.
        let more = json!({ "scopes": ["event:read", "org:write"] });
        assert_eq!(server.api("PUT", &one, Some(&more)).status, 200);
        assert_eq!(
            with(server, &secret, "GET", "organizations/acme/issues/", "").status,
            200
        );
        assert_eq!(
            with(server, &secret, "GET", "projects/acme/shop/", "").status,
            403
        );
        // A token makes no token, whatever it may.
        assert_eq!(with(server, &secret, "POST", &tokens, "{}").status, 403);
        // Nor does somebody give what they do not have.
        let manager = join(server, "bob@example.com", "manager");
        let beyond = json!({ "name": "Root", "scopes": ["org:admin"] });
        let refused = by(server, &manager, "POST", path, beyond.clone());
        assert!(
            refused.status == 400 && refused.json()["scopes"].is_array(),
            "{}",
            refused.json()
        );
        assert_eq!(
            by(server, &manager, "PUT", &one, json!({ "scopes": ["org:admin"] })).status,
            400
        );
        assert_eq!(
            with(server, &secret, "PUT", &one, r#"{"scopes":["event:admin"]}"#).status,
            400
        );
        let root = server.api("POST", path, Some(&beyond)).json();
        let of_root = format!("sentry-apps/{}/api-tokens/", root["id"].as_str().unwrap());
        assert_eq!(
            by(server, &manager, "POST", &of_root, json!({})).status,
            400,
            "by minting a token"
        );
        assert_eq!(by(server, &manager, "POST", &tokens, json!({})).status, 201);
        let member = join(server, "cy@example.com", "member");
        assert_eq!(by(server, &member, "GET", &tokens, Value::Null).status, 403);
        // Another organization.
        let other = by(
            server,
            &member,
            "POST",
            "organizations/",
            json!({ "name": "Other" }),
        );
        assert_eq!(other.status, 201);
        assert_eq!(
            with(server, &secret, "GET", "organizations/other/", "").status,
            404
        );
        let there = by(
            server,
            &member,
            "POST",
            "organizations/other/sentry-apps/",
            json!({ "name": "Theirs" }),
        );
        let theirs = format!("sentry-apps/{}/api-tokens/", there.json()["id"].as_str().unwrap());
        assert_eq!(with(server, &secret, "GET", &theirs, "").status, 404);
        // The path without an organization takes that of the body, and the same rights.
        let named = |who: Option<&str>, org: Value| {
            let body = json!({ "name": "Named", "scopes": ["org:read"], "organization": org });
            match who {
                Some(who) => by(server, who, "POST", "sentry-apps/", body).status,
                None => server.api("POST", "sentry-apps/", Some(&body)).status,
            }
        };
        assert_eq!(named(None, json!("acme")), 201);
        assert_eq!(named(Some(&manager), json!("acme")), 400, "its slug is taken");
        assert_eq!(named(Some(&member), json!("acme")), 403);
        assert_eq!(named(Some(&manager), json!("other")), 404);
        assert_eq!(named(Some(&manager), Value::Null), 403);
        assert_eq!(named(None, Value::Null), 404);
        // One token ends, the other with its integration.
        let id = listed[0]["id"].as_str().unwrap();
        assert_eq!(
            server.api("DELETE", &format!("{of_root}{id}/"), None).status,
            404,
            "of another integration"
        );
        assert_eq!(server.api("DELETE", &format!("{tokens}{id}/"), None).status, 204);
        assert_eq!(
            with(server, &secret, "GET", "organizations/acme/", "").status,
            401
        );
        let second = server.api("POST", &tokens, None).json()["token"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            with(server, &second, "GET", "organizations/acme/issues/", "").status,
            200
        );
        assert_eq!(server.api("DELETE", &one, None).status, 204);
        assert_eq!(
            with(server, &second, "GET", "organizations/acme/issues/", "").status,
            401
        );
        // What is no internal integration has none.
        let public = json!({ "name": "Public", "scopes": ["org:read"], "isInternal": false });
        let public = server.api("POST", path, Some(&public)).json();
        assert_eq!(public["acting"], false);
        let path = format!("sentry-apps/{}/", public["id"].as_str().unwrap());
        assert_eq!(
            server.api("POST", &format!("{path}api-tokens/"), None).status,
            400
        );
        assert_eq!(
            server
                .api("PUT", &path, Some(&json!({ "isInternal": true })))
                .status,
            400
        );
        let log = server
            .api("GET", "organizations/acme/audit-logs/", None)
            .json()
            .to_string();
        for event in ["create", "edit", "remove", "add-token", "remove-token"] {
            assert!(log.contains(&format!("internal-integration.{event}")), "{event}");
        }
    });
}
