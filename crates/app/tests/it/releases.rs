//! Releases: what tools say of them, what they do to issues, and whose errors they bring.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both};

fn call(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

fn event(n: u32, kind: &str, release: &str, file: &str) -> Value {
    let mut event = error(n, kind);
    event["release"] = json!(release);
    event["exception"]["values"][0]["stacktrace"]["frames"][0]["filename"] = json!(file);
    event
}

/// An issue by its type, when it has so many events.
fn issue(server: &Server, kind: &str, events: u32) -> Value {
    server.until(kind, |s| {
        let path = format!("organizations/acme/issues/?query=error.type:{kind}");
        let found = s.api("GET", &path, None).json()[0].clone();
        (found["count"].as_str()? == events.to_string()).then_some(found)
    })
}

const RELEASES: &str = "organizations/acme/releases/";

#[test]
fn releases_are_made_finished_archived_and_deleted() {
    on_both(|server, _| {
        let new =
            json!({ "version": "web app@1.0+r1 ä", "projects": ["shop"], "url": "https://ci.example/1" });
        let made = call(server, "POST", RELEASES, new.clone(), 201);
        assert_eq!(
            (&made["shortVersion"], &made["status"]),
            (&json!("1.0 (r1 ä)"), &json!("open"))
        );
        assert_eq!(made["projects"][0]["slug"], "shop");
        call(server, "POST", RELEASES, new, 208);
        let path = format!("{RELEASES}web%20app@1.0%2Br1%20%C3%A4/");
        let done = json!({ "projects": ["shop"], "dateReleased": "2026-11-02T12:00:00+02:00" });
        assert_eq!(
            call(server, "PUT", &path, done, 200)["dateReleased"],
            "2026-11-02T10:00:00Z"
        );
        let archive = json!({ "version": "web app@1.0+r1 ä", "projects": [], "status": "archived" });
        assert_eq!(call(server, "POST", RELEASES, archive, 208)["status"], "archived");
        let one = call(server, "GET", &path, Value::Null, 200);
        assert_eq!(
            (one["projects"].as_array().unwrap().len(), &one["url"]),
            (1, &json!("https://ci.example/1"))
        );
        assert_eq!(
            call(
                server,
                "GET",
                &format!("{RELEASES}?status=open"),
                Value::Null,
                200
            ),
            json!([])
        );
        for (body, field) in [
            (json!({ "version": "a/b", "projects": ["shop"] }), "version"),
            (json!({ "version": "latest", "projects": ["shop"] }), "version"),
            (json!({ "projects": ["shop"] }), "version"),
            (json!({ "version": "1" }), "projects"),
            (json!({ "version": "1", "projects": [] }), "projects"),
            (json!({ "version": "1", "projects": ["no"] }), "projects"),
            (
                json!({ "version": "1", "projects": ["shop"], "dateReleased": "soon" }),
                "dateReleased",
            ),
            (
                json!({ "version": "1", "projects": ["shop"], "commits": [{}] }),
                "commits",
            ),
            (
                json!({ "version": "1", "projects": ["shop"], "status": "lost" }),
                "status",
            ),
        ] {
            assert!(
                call(server, "POST", RELEASES, body.clone(), 400)[field][0].is_string(),
                "{body}"
            );
        }
        call(server, "DELETE", &path, Value::Null, 204);
        call(server, "GET", &path, Value::Null, 404);
        // What issues were first seen in stays.
        server.send(&event(1, "Boom", "shop@1.0.0", "app/main.py"));
        issue(server, "Boom", 1);
        let refused = call(
            server,
            "DELETE",
            &format!("{RELEASES}shop@1.0.0/"),
            Value::Null,
            400,
        );
        assert!(refused["detail"].as_str().unwrap().contains("active issues"));
    });
}

#[test]
fn lists_have_pages_and_an_order_by_version() {
    on_both(|server, _| {
        for version in ["p@1.10.0", "p@1.9.0", "p@1.2.0-rc.1", "p@1.2.0", "nightly"] {
            call(
                server,
                "POST",
                RELEASES,
                json!({ "version": version, "projects": ["shop"] }),
                201,
            );
        }
        let mut seen = Vec::new();
        let mut path = format!("{RELEASES}?per_page=2&sort=semver");
        loop {
            let reply = server.api("GET", &path, None);
            let page = reply.json();
            seen.extend(
                page.as_array()
                    .unwrap()
                    .iter()
                    .map(|r| r["version"].as_str().unwrap().to_owned()),
            );
            let link = reply.header("link").unwrap().to_owned();
            let next = link.split(", ").find(|l| l.contains("rel=\"next\"")).unwrap();
            if next.contains("results=\"false\"") {
                break;
            }
            let cursor = next.split("cursor=\"").nth(1).unwrap().trim_end_matches('"');
            path = format!("{RELEASES}?per_page=2&sort=semver&cursor={cursor}");
        }
        assert_eq!(
            seen,
            ["p@1.10.0", "p@1.9.0", "p@1.2.0", "p@1.2.0-rc.1", "nightly"]
        );
        let found = call(server, "GET", &format!("{RELEASES}?query=1.9"), Value::Null, 200);
        assert_eq!(found[0]["version"], "p@1.9.0");
        // `latest` is the highest version of the package that was heard of last.
        call(
            server,
            "POST",
            RELEASES,
            json!({ "version": "p@1.3.0", "projects": ["shop"] }),
            201,
        );
        for (n, release) in [(1, "p@1.10.0"), (2, "p@1.3.0")] {
            server.send(&event(n, &format!("Kind{n}"), release, "a.py"));
            issue(server, &format!("Kind{n}"), 1);
        }
        let latest = call(
            server,
            "GET",
            "organizations/acme/issues/?query=release:latest",
            Value::Null,
            200,
        );
        assert_eq!(
            (latest.as_array().unwrap().len(), &latest[0]["metadata"]["type"]),
            (1, &json!("Kind1"))
        );
    });
}

#[test]
fn commits_resolve_what_they_fix_and_are_suspected() {
    on_both(|server, _| {
        server.send(&event(1, "Boom", "shop@1.0.0", "app/main.py"));
        let boom = issue(server, "Boom", 1);
        assert_eq!(boom["shortId"], "SHOP-1");
        let commits = json!([
            { "id": "b".repeat(40), "repository": "acme/shop", "message": "Fixes SHOP-1\n\nand more",
              "author_name": "Ann", "author_email": "ann@example.com", "timestamp": "2026-11-02T10:00:00Z",
              "patch_set": [{ "path": "src/app/cart.py", "type": "M" }] },
            { "id": "a".repeat(40), "repository": "acme/shop", "message": "texts", "author_name": "Bob",
              "author_email": "bob@example.com", "timestamp": "2026-11-01T10:00:00Z",
              "patch_set": [{ "path": "docs/cart.md", "type": "A" }] },
        ]);
        call(
            server,
            "POST",
            RELEASES,
            json!({ "version": "shop@1.1.0", "projects": ["shop"] }),
            201,
        );
        let none = call(
            server,
            "GET",
            &format!("{RELEASES}shop@1.1.0/previous-with-commits/"),
            Value::Null,
            200,
        );
        assert_eq!(none, json!({}));
        let set = call(
            server,
            "PUT",
            &format!("{RELEASES}shop@1.1.0/"),
            json!({ "commits": commits }),
            200,
        );
        assert_eq!(
            (&set["commitCount"], set["authors"].as_array().unwrap().len()),
            (&json!(2), 2)
        );
        let fixed = call(
            server,
            "GET",
            "organizations/acme/issues/SHOP-1/",
            Value::Null,
            200,
        );
        assert_eq!(
            (&fixed["status"], &fixed["statusDetails"]["inRelease"]),
            (&json!("resolved"), &json!("shop@1.1.0"))
        );
        assert_eq!(fixed["activity"][0]["type"], "set_resolved_in_commit");
        // An older release does not open it again, the one that should have fixed it does.
        server.send(&event(2, "Boom", "shop@1.0.0", "app/main.py"));
        assert_eq!(issue(server, "Boom", 2)["status"], "resolved");
        server.send(&event(3, "Boom", "shop@1.1.0", "app/main.py"));
        assert_eq!(issue(server, "Boom", 3)["substatus"], "regressed");
        // Who touched the file of a frame is suspected.
        server.send(&event(4, "Cart", "shop@1.1.0", "app/cart.py"));
        issue(server, "Cart", 1);
        let path = format!("projects/acme/shop/events/{:032x}/committers/", 4);
        let found = call(server, "GET", &path, Value::Null, 200);
        assert_eq!(found["committers"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(found["committers"][0]["author"]["email"], "ann@example.com");
        assert_eq!(found["committers"][0]["commits"][0]["id"], "b".repeat(40));
        // The form of a connected repository: its newest commit alone.
        let refs = json!({ "refs": [{ "repository": "acme/shop", "commit": "c".repeat(40), "previousCommit": "b".repeat(40) }] });
        call(
            server,
            "POST",
            RELEASES,
            json!({ "version": "shop@1.2.0", "projects": ["shop"] }),
            201,
        );
        let set = call(server, "PUT", &format!("{RELEASES}shop@1.2.0/"), refs, 200);
        assert_eq!(set["lastCommit"]["id"], "c".repeat(40));
        let before = call(
            server,
            "GET",
            &format!("{RELEASES}shop@1.2.0/previous-with-commits/"),
            Value::Null,
            200,
        );
        assert_eq!(before["version"], "shop@1.1.0");
    });
}

#[test]
fn resolved_in_the_next_release_waits_for_it() {
    on_both(|server, _| {
        server.send(&event(1, "Boom", "shop@1.0.0", "a.py"));
        issue(server, "Boom", 1);
        let next = json!({ "status": "resolvedInNextRelease" });
        call(server, "PUT", "organizations/acme/issues/SHOP-1/", next, 200);
        server.send(&event(2, "Boom", "shop@1.0.0", "a.py"));
        assert_eq!(issue(server, "Boom", 2)["status"], "resolved");
        server.send(&event(3, "Boom", "shop@1.0.1", "a.py"));
        assert_eq!(issue(server, "Boom", 3)["substatus"], "regressed");
        server.send(&event(4, "Other", "shop@1.0.1", "a.py"));
        issue(server, "Other", 1);
        let release = call(server, "GET", &format!("{RELEASES}shop@1.0.1/"), Value::Null, 200);
        assert_eq!(release["newGroups"], 1);
        let new = "organizations/acme/issues/?query=firstRelease:shop@1.0.1";
        assert_eq!(
            call(server, "GET", new, Value::Null, 200)[0]["metadata"]["type"],
            "Other"
        );
    });
}

#[test]
fn new_issues_go_to_who_owns_them() {
    on_both(|server, _| {
        server.send(&event(1, "Old", "shop@1.0.0", "app/main.py"));
        issue(server, "Old", 1);
        let path = "projects/acme/shop/ownership/";
        let before = call(server, "GET", path, Value::Null, 200);
        assert_eq!((&before["raw"], &before["schema"]), (&json!(""), &Value::Null));
        let wrong = call(
            server,
            "PUT",
            path,
            json!({ "raw": "path:a ann@example.com\nfoo:b ann@example.com" }),
            400,
        );
        assert!(wrong["raw"][0].as_str().unwrap().contains("line 2"), "{wrong}");
        let wrong = call(
            server,
            "PUT",
            path,
            json!({ "raw": "path:a eve@example.com" }),
            400,
        );
        assert!(
            wrong["raw"][0].as_str().unwrap().contains("eve@example.com"),
            "{wrong}"
        );
        call(
            server,
            "PUT",
            path,
            json!({ "raw": "path:app/* ann@example.com\npath:*/free/* #acme" }),
            202,
        );
        server.send(&event(2, "Mine", "shop@1.0.0", "app/main.py"));
        server.send(&event(3, "Free", "shop@1.0.0", "app/free/x.py"));
        let mine = server.until("it is assigned", |s| {
            let found = issue(s, "Mine", 1);
            found["assignedTo"].is_object().then_some(found)
        });
        assert_eq!(mine["assignedTo"]["email"], "ann@example.com");
        server.until("it is a team's", |s| {
            (issue(s, "Free", 1)["assignedTo"]["type"] == "team").then_some(())
        });
        let wrong = call(server, "PUT", path, json!({ "raw": "path:a #nobody" }), 400);
        assert!(wrong["raw"][0].as_str().unwrap().contains("#nobody"), "{wrong}");
        assert_eq!(
            issue(server, "Old", 1)["assignedTo"],
            Value::Null,
            "it was there before the rules"
        );
        let owners = call(
            server,
            "GET",
            &format!("projects/acme/shop/events/{:032x}/owners/", 2),
            Value::Null,
            200,
        );
        assert_eq!(owners["rule"], json!(["path", "app/*"]));
        // A file of the repository, over a mapping.
        call(
            server,
            "POST",
            "projects/acme/shop/codeowners/",
            json!({ "raw": "/src/lib/ ann@example.com\n" }),
            201,
        );
        call(server, "PUT", path, json!({ "raw": "" }), 202);
        let bulk = json!({ "project": "shop", "repository": "acme/shop", "provider": "github", "defaultBranch": "main",
            "mappings": [{ "stackRoot": "lib/", "sourceRoot": "src/lib/" }, { "stackRoot": "a/", "sourceRoot": "" }] });
        let done = call(
            server,
            "POST",
            "organizations/acme/code-mappings/bulk/",
            bulk.clone(),
            200,
        );
        assert_eq!((&done["created"], &done["updated"]), (&json!(2), &json!(0)));
        let again = call(
            server,
            "POST",
            "organizations/acme/code-mappings/bulk/",
            bulk,
            200,
        );
        assert_eq!(again["updated"], 2);
        server.send(&event(4, "Mapped", "shop@1.0.0", "lib/x.py"));
        server.until("it is assigned", |s| {
            issue(s, "Mapped", 1)["assignedTo"].is_object().then_some(())
        });
        let link = "projects/acme/shop/stacktrace-link/?lineNo=3&file=lib/x.py";
        let link = call(server, "GET", link, Value::Null, 200);
        assert_eq!(
            link["sourceUrl"],
            "https://github.com/acme/shop/blob/main/src/lib/x.py#L3"
        );
        let link = call(
            server,
            "GET",
            "projects/acme/shop/stacktrace-link/?file=other.py",
            Value::Null,
            200,
        );
        assert_eq!(
            (&link["sourceUrl"], &link["error"]),
            (&Value::Null, &json!("stack_root_mismatch"))
        );
    });
}
