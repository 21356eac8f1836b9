//! Views of issues: kept by people, starred in their own order, shared with the organization, and opened first by it.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::access::cookie;
use crate::{on_both, on_one};

const VIEWS: &str = "organizations/acme/group-search-views/";

fn api(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

fn names(all: &Value) -> Vec<&str> {
    all.as_array()
        .unwrap()
        .iter()
        .map(|v| v["name"].as_str().unwrap())
        .collect()
}

fn add(server: &Server, body: Value) -> String {
    api(server, "POST", VIEWS, body, 201)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A member, who asks with their session.
fn member(server: &Server, data: &std::path::Path) -> impl Fn(&str, &str, Value, u16) -> Value {
    let (email, password) = ("bob@example.com", "long enough");
    let args = [
        "createuser",
        "--email",
        email,
        "--password",
        password,
        "--org",
        "acme",
        "--data-dir",
    ];
    let made = std::process::Command::new(crate::BINARY)
        .args(args)
        .arg(data)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let cookie = cookie(server, email, password);
    move |method: &str, path: &str, body: Value, status: u16| {
        let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
        let reply = server.request(
            method,
            &format!("/api/0/{path}"),
            &headers,
            body.to_string().as_bytes(),
        );
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
        reply.json()
    }
}

#[test]
fn views_are_starred_in_everybodys_own_order() {
    on_both(|server, data| {
        let bob = member(server, data);
        let first = add(
            server,
            json!({ "name": "First", "query": "is:new", "starred": true }),
        );
        let second = add(
            server,
            json!({ "name": "Second", "visibility": "owner", "starred": true }),
        );
        let third = add(server, json!({ "name": "Third" }));
        let starred = format!("{VIEWS}starred/");
        assert_eq!(
            names(&api(server, "GET", &starred, Value::Null, 200)),
            ["First", "Second"]
        );
        api(
            server,
            "POST",
            &format!("{VIEWS}{third}/starred/"),
            json!({ "starred": true }),
            204,
        );
        let order = format!("{VIEWS}starred/order/");
        api(
            server,
            "PUT",
            &order,
            json!({ "view_ids": [third, first, second] }),
            204,
        );
        assert_eq!(
            names(&api(server, "GET", &starred, Value::Null, 200)),
            ["Third", "First", "Second"]
        );
        assert!(api(server, "PUT", &order, json!({ "view_ids": [third] }), 400)["view_ids"][0].is_string());

        // Others have an order of their own, and do not see what is not shared.
        let path = format!("{VIEWS}{first}/starred/");
        bob("POST", &path, json!({ "starred": true }), 204);
        assert_eq!(names(&bob("GET", &starred, Value::Null, 200)), ["First"]);
        bob(
            "POST",
            &format!("{VIEWS}{second}/starred/"),
            json!({ "starred": true }),
            404,
        );
        let seen = bob("GET", VIEWS, Value::Null, 200);
        assert_eq!(names(&seen), ["First", "Third"]);
        assert_eq!(
            (&seen[0]["stars"], &seen[0]["starred"]),
            (&json!(2), &json!(true))
        );
        assert_eq!(
            names(&bob(
                "GET",
                &format!("{VIEWS}?createdBy=others"),
                Value::Null,
                200
            )),
            ["First", "Third"]
        );
        assert!(names(&bob("GET", &format!("{VIEWS}?createdBy=me"), Value::Null, 200)).is_empty());
        let mine = format!("{VIEWS}?createdBy=me&query=sec");
        assert_eq!(names(&api(server, "GET", &mine, Value::Null, 200)), ["Second"]);
        api(server, "GET", &format!("{VIEWS}?createdBy=all"), Value::Null, 400);

        // Nobody changes what is another's; a star that is taken away leaves the others where they are.
        bob(
            "PUT",
            &format!("{VIEWS}{first}/"),
            json!({ "name": "Mine now" }),
            403,
        );
        bob("DELETE", &format!("{VIEWS}{first}/"), Value::Null, 403);
        api(server, "POST", &path, json!({ "starred": false }), 204);
        assert_eq!(
            names(&api(server, "GET", &starred, Value::Null, 200)),
            ["Third", "Second"]
        );
        assert_eq!(names(&bob("GET", &starred, Value::Null, 200)), ["First"]);
        let renamed = api(
            server,
            "PUT",
            &format!("{VIEWS}{first}/"),
            json!({ "name": "One" }),
            200,
        );
        assert_eq!(
            (&renamed["name"], &renamed["query"], &renamed["stars"]),
            (&json!("One"), &json!("is:new"), &json!(1))
        );
        assert!(renamed.get("acting").is_none(), "{renamed}");
    });
}

#[test]
fn an_organization_opens_a_view_first() {
    on_one(&[], |server, data| {
        let bob = member(server, data);
        let shared = add(server, json!({ "name": "Shared" }));
        let private = add(server, json!({ "name": "Private", "visibility": "owner" }));
        let org = "organizations/acme/";
        let default = || api(server, "GET", org, Value::Null, 200)["defaultIssueView"].clone();
        assert_eq!(default(), Value::Null);
        for wrong in [json!(private), json!("999"), json!(true), json!({})] {
            let said = api(server, "PUT", org, json!({ "defaultIssueView": wrong }), 400);
            assert!(said["defaultIssueView"][0].is_string(), "{said}");
        }
        bob("PUT", org, json!({ "defaultIssueView": shared }), 403);
        api(server, "PUT", org, json!({ "defaultIssueView": shared }), 200);
        assert_eq!(default(), shared.as_str());
        let list = bob("GET", "organizations/", Value::Null, 200);
        assert_eq!(list[0]["defaultIssueView"], shared.as_str());
        // Everybody sees it, so it is not hidden; what else is set stays.
        let path = format!("{VIEWS}{shared}/");
        api(server, "PUT", &path, json!({ "visibility": "owner" }), 400);
        api(server, "PUT", org, json!({ "openMembership": true }), 200);
        assert_eq!(default(), shared.as_str());
        api(server, "DELETE", &path, Value::Null, 204);
        assert_eq!(default(), Value::Null);
        api(server, "PUT", org, json!({ "defaultIssueView": null }), 200);
    });
}
