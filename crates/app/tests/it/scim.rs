//! SCIM: a directory puts people into the organization and into teams.

use serde_json::{Value, json};

use crate::on_both;
use crate::people::{by, join, member};

#[test]
fn a_directory_provides_members() {
    on_both(|server, _| {
        let path = "organizations/acme/scim/v2/Users";
        let body =
            json!({ "userName": "Bob@example.com", "sentryOrgRole": "admin", "name": { "givenName": "B" } });
        let made = server.api("POST", path, Some(&body));
        assert_eq!(made.status, 201, "{}", made.json());
        let view = made.json();
        assert_eq!(view["userName"], "bob@example.com");
        assert_eq!(
            (&view["sentryOrgRole"], &view["active"]),
            (&json!("admin"), &json!(true))
        );
        assert_eq!(server.api("POST", path, Some(&body)).status, 409);
        let god = json!({ "userName": "x@example.com", "sentryOrgRole": "god" });
        assert_eq!(server.api("POST", path, Some(&god)).status, 400);
        let found = server.api(
            "GET",
            &format!("{path}?filter=userName%20eq%20%22BOB@example.com%22"),
            None,
        );
        assert_eq!(found.json()["totalResults"], 1, "{}", found.json());
        let id = view["id"].as_str().unwrap();
        assert_eq!(found.json()["Resources"][0]["id"], id);
        assert_eq!(
            server
                .api("GET", &format!("{path}?filter=userName%20co%20%22b%22"), None)
                .status,
            400
        );
        let second = server
            .api("GET", &format!("{path}?startIndex=2&count=1"), None)
            .json();
        assert_eq!(
            (&second["totalResults"], &second["itemsPerPage"]),
            (&json!(2), &json!(1))
        );
        let one = format!("{path}/{id}");
        assert_eq!(
            server.api("GET", &one, None).json()["userName"],
            "bob@example.com"
        );
        let patch = |path: &str, value: Value| {
            let body = json!({ "Operations": [value] });
            server.api("PATCH", path, Some(&body)).status
        };
        assert_eq!(
            patch(&one, json!({ "op": "replace", "path": "userName", "value": "x" })),
            400
        );
        assert_eq!(
            patch(&one, json!({ "op": "replace", "path": "active", "value": true })),
            204
        );
        assert_eq!(
            patch(&one, json!({ "op": "replace", "value": { "active": false } })),
            204
        );
        assert_eq!(server.api("GET", &one, None).status, 404);
        let owner = format!("{path}/{}", member(server, "ann@example.com"));
        assert_eq!(
            server.api("DELETE", &owner, None).status,
            403,
            "the last owner stays"
        );
        let bob = join(server, "bob@example.com", "member");
        assert_eq!(
            by(server, &bob, "POST", path, json!({ "userName": "a@b.c" })).status,
            403
        );
    });
}

#[test]
fn a_directory_provides_teams() {
    on_both(|server, _| {
        join(server, "bob@example.com", "member");
        let (ann, bob) = (
            member(server, "ann@example.com"),
            member(server, "bob@example.com"),
        );
        let path = "organizations/acme/scim/v2/Groups";
        let made = server.api("POST", path, Some(&json!({ "displayName": "Web Team" })));
        assert_eq!(made.status, 201, "{}", made.json());
        assert_eq!(
            (&made.json()["displayName"], &made.json()["members"]),
            (&json!("Web Team"), &json!([]))
        );
        let again = server.api("POST", path, Some(&json!({ "displayName": "web team" })));
        assert_eq!(again.status, 409);
        assert_eq!(server.api("GET", "teams/acme/web-team/", None).status, 200);
        let one = format!("{path}/{}", made.json()["id"].as_str().unwrap());
        let patch = |value: Value| {
            let body = json!({ "Operations": [value] });
            server.api("PATCH", &one, Some(&body)).status
        };
        let inside = || {
            let view = server.api("GET", &one, None).json();
            let list = view["members"].as_array().unwrap().clone();
            list.iter()
                .map(|m| m["display"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let value = |id: &str| json!({ "value": id.parse::<i64>().unwrap(), "display": "x" });
        assert_eq!(
            patch(json!({ "op": "add", "path": "members", "value": [value(&ann)] })),
            204
        );
        assert_eq!(inside(), ["ann@example.com"]);
        assert_eq!(
            patch(json!({ "op": "replace", "path": "members", "value": [value(&bob)] })),
            204
        );
        assert_eq!(inside(), ["bob@example.com"]);
        let gone = format!("members[value eq \"{bob}\"]");
        assert_eq!(patch(json!({ "op": "remove", "path": gone })), 204);
        assert!(inside().is_empty());
        assert_eq!(
            patch(json!({ "op": "add", "path": "members", "value": [{ "value": 999 }] })),
            400
        );
        let rename = json!({ "op": "replace", "value": { "id": 23, "displayName": "Site" } });
        assert_eq!(patch(rename), 204);
        let plain = server
            .api("GET", &format!("{path}?excludedAttributes=members"), None)
            .json();
        assert_eq!(plain["Resources"][1]["displayName"], "Site", "{plain}");
        assert_eq!(plain["Resources"][1]["members"], Value::Null);
        assert_eq!(server.api("DELETE", &one, None).status, 204);
        assert_eq!(server.api("GET", &one, None).status, 404);
    });
}
