//! Tokens of an organization, behind which no user stands.

use base64::Engine as _;
use serde_json::{Value, json};
use testkit::server::{Reply, Server};

use crate::people::{by, join};
use crate::{error, on_both};

fn with(server: &Server, token: &str, method: &str, path: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    server.request(
        method,
        &format!("/api/0/{path}"),
        &[("Authorization", &bearer)],
        b"{}",
    )
}

#[test]
fn a_token_of_an_organization_is_for_builds() {
    on_both(|server, _| {
        server.send(&error(1, "Boom"));
        server.balance();
        let path = "organizations/acme/org-auth-tokens/";
        assert_eq!(
            server.api("POST", path, Some(&json!({ "name": " " }))).status,
            400
        );
        let made = server.api("POST", path, Some(&json!({ "name": "CI" })));
        assert_eq!(made.status, 201, "{}", made.json());
        let view = made.json();
        assert_eq!(view["scopes"], json!(["org:ci"]));
        let token = view["token"].as_str().unwrap();
        let parts: Vec<&str> = token.split('_').collect();
        assert_eq!((parts.len(), parts[0], parts[2].len()), (3, "sntrys", 43));
        let says = base64::engine::general_purpose::STANDARD
            .decode(parts[1])
            .unwrap();
        let says: Value = serde_json::from_slice(&says).unwrap();
        assert_eq!(says["org"], "acme");
        assert!(says["url"].as_str().unwrap().starts_with("http"));
        assert_eq!(says["region_url"], says["url"]);
        assert!(says["iat"].is_number());
        let id = view["id"].as_str().unwrap();
        let one = format!("{path}{id}/");
        let kept = server.api("GET", &one, None).json();
        assert_eq!(
            (&kept["token"], &kept["dateLastUsed"]),
            (&Value::Null, &Value::Null)
        );
        assert!(token.ends_with(kept["tokenLastCharacters"].as_str().unwrap()));
        for path in [
            "organizations/acme/",
            "organizations/acme/projects/",
            "organizations/acme/releases/",
        ] {
            assert_eq!(with(server, token, "GET", path).status, 200, "{path}");
        }
        assert_eq!(with(server, token, "GET", "").json()["user"], Value::Null);
        let own = with(server, token, "GET", "organizations/").json();
        assert_eq!(
            (own.as_array().unwrap().len(), &own[0]["slug"]),
            (1, &json!("acme"))
        );
        for (method, path) in [
            ("GET", "organizations/acme/issues/"),
            ("GET", "projects/acme/shop/keys/"),
            ("GET", "organizations/acme/members/"),
            ("PUT", "projects/acme/shop/"),
            ("POST", "organizations/acme/org-auth-tokens/"),
            ("POST", "organizations/"),
            ("GET", "users/me/"),
            ("GET", "internal/status/"),
        ] {
            let status = with(server, token, method, path).status;
            assert!(matches!(status, 400 | 403), "{method} {path}: {status}");
        }
        let used = server.api("GET", &one, None).json();
        assert!(used["dateLastUsed"].is_string(), "{used}");
        let bob = join(server, "bob@example.com", "member");
        let other = by(server, &bob, "POST", "organizations/", json!({ "name": "Other" }));
        assert_eq!(other.status, 201);
        assert_eq!(with(server, token, "GET", "organizations/other/").status, 404);
        let elsewhere = format!("organizations/other/org-auth-tokens/{id}/");
        assert_eq!(by(server, &bob, "GET", &elsewhere, Value::Null).status, 404);
        assert_eq!(by(server, &bob, "DELETE", &one, Value::Null).status, 403);
        assert_eq!(
            by(server, &bob, "POST", path, json!({ "name": "Bob's" })).status,
            201
        );
        let renamed = server.api("PUT", &one, Some(&json!({ "name": "Build" })));
        assert_eq!(renamed.status, 204);
        assert_eq!(server.api("GET", &one, None).json()["name"], "Build");
        assert_eq!(server.api("DELETE", &one, None).status, 204);
        assert_eq!(with(server, token, "GET", "organizations/acme/").status, 401);
    });
}
