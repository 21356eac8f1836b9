//! The audit log.

use serde_json::{Value, json};

use crate::people::{by, join};
use crate::{error, on_both};

#[test]
fn what_is_changed_is_written_down() {
    on_both(|server, _| {
        let api = |method: &str, path: &str, body: Value| {
            let reply = server.api(method, path, (!body.is_null()).then_some(&body));
            assert!(reply.status < 300, "{method} {path}: {}", reply.json());
            reply.json()
        };
        server.send(&error(1, "Boom"));
        server.balance();
        let bob = join(server, "bob@example.com", "member");
        api("PUT", "organizations/acme/", json!({ "name": "Acme Inc" }));
        api("POST", "organizations/acme/teams/", json!({ "slug": "web" }));
        api("PUT", "teams/acme/web/", json!({ "name": "Web" }));
        api("POST", "teams/acme/web/projects/", json!({ "name": "Front" }));
        by(
            server,
            &bob,
            "POST",
            "organizations/acme/members/me/teams/web/",
            Value::Null,
        );
        api(
            "PUT",
            "projects/acme/front/",
            json!({ "platform": "python", "sensitiveFields": ["a"] }),
        );
        let key = api("POST", "projects/acme/front/keys/", json!({ "name": "K" }));
        let key = format!("projects/acme/front/keys/{}/", key["id"].as_str().unwrap());
        api("PUT", &key, json!({ "isActive": false }));
        api("DELETE", &key, Value::Null);
        api(
            "POST",
            "organizations/acme/org-auth-tokens/",
            json!({ "name": "CI" }),
        );
        api("DELETE", "projects/acme/front/", Value::Null);
        api("DELETE", "teams/acme/web/", Value::Null);
        api("DELETE", "organizations/acme/issues/SHOP-1/", Value::Null);
        // What was refused did not happen.
        let refused = server.api(
            "POST",
            "organizations/acme/teams/",
            Some(&json!({ "slug": "acme" })),
        );
        assert_eq!(refused.status, 400);
        let path = "organizations/acme/audit-logs/";
        let log = api("GET", path, Value::Null);
        let events: Vec<&str> = log["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["event"].as_str().unwrap())
            .collect();
        let want = [
            "issue.delete",
            "team.remove",
            "project.remove",
            "org-auth-token.create",
            "projectkey.remove",
            "projectkey.edit",
            "projectkey.create",
            "project.edit",
            "member.join-team",
            "project.create",
            "team.edit",
            "team.create",
            "org.edit",
            "member.accept-invite",
            "member.invite",
        ];
        assert_eq!(events, want);
        assert!(log["options"].as_array().unwrap().len() >= want.len());
        let joined = api("GET", &format!("{path}?event=member.join-team"), Value::Null);
        let row = &joined["rows"][0];
        assert_eq!(joined["rows"].as_array().unwrap().len(), 1);
        assert_eq!(row["actor"]["email"], "bob@example.com");
        assert_eq!(row["note"], "added bob@example.com to the team web");
        assert_eq!(row["ipAddress"], "127.0.0.1");
        let edit = api("GET", &format!("{path}?event=project.edit"), Value::Null);
        assert_eq!(edit["rows"][0]["data"]["platform"], "python");
        let page = server.api("GET", &format!("{path}?per_page=2&cursor=0:2:0"), None);
        assert_eq!(page.json()["rows"][0]["event"], want[2]);
        let link = page.header("link").unwrap();
        assert!(
            link.contains("cursor=0:4:0>; rel=\"next\"; results=\"true\""),
            "{link}"
        );
        assert_eq!(
            server.api("GET", &format!("{path}?event=nothing"), None).status,
            400
        );
        assert_eq!(by(server, &bob, "GET", path, Value::Null).status, 403);
    });
}
