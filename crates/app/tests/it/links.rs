//! Links of issues to pages of other systems: added by people, moved with what is merged, gone with the issue; and
//! where commits are shown.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both};

fn api(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

fn names(server: &Server, issue: &str) -> Vec<String> {
    let path = format!("organizations/acme/issues/{issue}/external-issues/");
    let all = api(server, "GET", &path, Value::Null, 200);
    let all = all.as_array().unwrap().iter();
    all.map(|l| l["displayName"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn issues_are_linked_by_people() {
    on_both(|server, _| {
        for (n, kind) in [(1, "Boom"), (2, "Crash")] {
            server.send(&error(n, kind));
        }
        server.until("two issues", |s| {
            let all = s.api("GET", "organizations/acme/issues/?query=", None).json();
            (all.as_array()?.len() == 2).then_some(())
        });
        let path = "organizations/acme/issues/SHOP-1/external-issues/";
        let add = |url: &str, name: Value, status: u16| {
            api(
                server,
                "POST",
                path,
                json!({ "webUrl": url, "displayName": name }),
                status,
            )
        };
        let first = add("https://tracker.example/t/1", json!("The ticket"), 201);
        assert_eq!(
            (
                &first["displayName"],
                &first["webUrl"],
                &first["serviceType"],
                &first["issueId"]
            ),
            (
                &json!("The ticket"),
                &json!("https://tracker.example/t/1"),
                &json!("link"),
                &json!("1")
            )
        );
        // A name is made of the address if nobody gives one.
        for (url, name) in [
            ("https://github.com/acme/shop/issues/7?x=1#y", "acme/shop#7"),
            (
                "https://gitlab.example/acme/team/shop/-/merge_requests/3",
                "acme/team/shop#3",
            ),
            ("https://jira.example/browse/SHOP-12", "SHOP-12"),
            ("https://linear.example/acme/issue/ENG-5/the-title", "ENG-5"),
            ("https://wiki.example", "wiki.example"),
        ] {
            assert_eq!(add(url, Value::Null, 201)["displayName"], name, "{url}");
        }
        for wrong in [
            "javascript:alert(1)",
            "tracker",
            "",
            "https://tracker.example/t/1",
        ] {
            assert!(add(wrong, json!("x"), 400)["webUrl"][0].is_string(), "{wrong}");
        }
        api(server, "POST", path, json!({}), 400);
        assert_eq!(names(server, "SHOP-1").len(), 6);
        assert!(names(server, "SHOP-2").is_empty());

        // One is removed, from its own issue alone; the history has both.
        let id = first["id"].as_str().unwrap();
        let other = format!("organizations/acme/issues/SHOP-2/external-issues/{id}/");
        api(server, "DELETE", &other, Value::Null, 404);
        api(server, "DELETE", &format!("{path}{id}/"), Value::Null, 204);
        api(server, "DELETE", &format!("{path}{id}/"), Value::Null, 404);
        assert_eq!(names(server, "SHOP-1").len(), 5);
        let full = api(
            server,
            "GET",
            "organizations/acme/issues/SHOP-1/",
            Value::Null,
            200,
        );
        assert_eq!(full["activity"][0]["type"], "link_removed");
        assert_eq!(full["activity"][0]["data"]["label"], "The ticket");
        assert_eq!(full["activity"][1]["type"], "link_added");

        // What is merged brings its links; what is deleted takes them along.
        let second = "organizations/acme/issues/SHOP-2/external-issues/";
        api(
            server,
            "POST",
            second,
            json!({ "webUrl": "https://tracker.example/t/2", "displayName": "Second" }),
            201,
        );
        let merge = "organizations/acme/issues/?id=1&id=2";
        let merged = api(server, "PUT", merge, json!({ "merge": 1 }), 200);
        let kept = merged["merge"]["parent"].as_str().unwrap().to_owned();
        let all = names(server, &kept);
        assert!(all.len() == 6 && all.contains(&"Second".to_owned()), "{all:?}");
        let links = api(
            server,
            "GET",
            &format!("organizations/acme/issues/{kept}/external-issues/"),
            Value::Null,
            200,
        );
        assert!(
            links
                .as_array()
                .unwrap()
                .iter()
                .all(|l| l["issueId"] == kept.as_str()),
            "{links}"
        );
    });
}

#[test]
fn commits_have_an_address() {
    on_both(|server, _| {
        let repository =
            json!({ "name": "acme/shop", "url": "https://gitlab.com/acme/shop", "provider": "gitlab" });
        api(server, "POST", "organizations/acme/repos/", repository, 201);
        let release = json!({ "version": "shop@1.0.0", "projects": ["shop"], "commits": [
            { "id": "a".repeat(40), "repository": "acme/shop", "author_email": "ann@example.com", "message": "Cart",
              "patch_set": [{ "path": "app/main.py", "type": "M" }] },
        ] });
        api(server, "POST", "organizations/acme/releases/", release, 201);
        let mut event = error(1, "Boom");
        event["release"] = json!("shop@1.0.0");
        server.send(&event);
        let path = format!("projects/acme/shop/events/{:032x}/committers/", 1);
        let found = server.until("the event", |s| {
            let reply = s.api("GET", &path, None);
            (reply.status == 200).then(|| reply.json())
        });
        let want = format!("https://gitlab.com/acme/shop/-/commit/{}", "a".repeat(40));
        assert_eq!(
            found["committers"][0]["commits"][0]["url"],
            want.as_str(),
            "{found}"
        );
    });
}
