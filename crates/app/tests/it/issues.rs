//! From an event to an issue that people search, resolve and see regress.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both};

fn issues(server: &Server, query: &str) -> Vec<Value> {
    let query = query.replace(' ', "%20").replace('"', "%22").replace('>', "%3E");
    let reply = server.api("GET", &format!("organizations/acme/issues/?query={query}"), None);
    assert_eq!(reply.status, 200, "{query}: {}", reply.json());
    reply.json().as_array().cloned().unwrap_or_default()
}

fn titles(server: &Server, query: &str) -> Vec<String> {
    let mut all: Vec<String> = issues(server, query)
        .iter()
        .map(|i| i["metadata"]["type"].as_str().unwrap_or("?").to_owned())
        .collect();
    all.sort();
    all
}

fn wait_for(server: &Server, query: &str, n: usize) {
    server.until(query, |s| (issues(s, query).len() == n).then_some(()));
}

#[test]
fn an_error_becomes_an_issue_is_resolved_and_regresses() {
    on_both(|server, _| {
        assert!(issues(server, "").is_empty());
        for n in 1..=5 {
            assert_eq!(server.send(&error(n, "Boom")).json()["id"], format!("{n:032x}"));
        }
        server.until("five events", |s| {
            (issues(s, "").first()?["count"] == "5").then_some(())
        });
        let issue = issues(server, "is:unresolved")[0].clone();
        assert_eq!(issue["shortId"], "SHOP-1");
        assert_eq!(issue["userCount"], 3);
        assert_eq!(issue["substatus"], "new");
        assert_eq!(issue["title"], "Boom: value 5");
        let id = issue["id"].as_str().unwrap();

        let latest = server
            .api(
                "GET",
                &format!("organizations/acme/issues/{id}/events/latest/"),
                None,
            )
            .json();
        assert_eq!(latest["id"], format!("{:032x}", 5));
        assert_eq!(
            latest["entries"][0]["data"]["values"][0]["stacktrace"]["frames"][0]["lineNo"],
            7
        );
        let before = latest["previousEventID"].as_str().unwrap();
        assert_eq!(before, format!("{:032x}", 4));
        let oldest = server
            .api(
                "GET",
                &format!("organizations/acme/issues/{id}/events/oldest/"),
                None,
            )
            .json();
        assert_eq!(
            (&oldest["id"], &oldest["previousEventID"]),
            (&json!(format!("{:032x}", 1)), &Value::Null)
        );
        let tags = server
            .api("GET", &format!("organizations/acme/issues/{id}/tags/"), None)
            .json();
        let region = tags
            .as_array()
            .unwrap()
            .iter()
            .find(|t| t["key"] == "region")
            .unwrap();
        assert_eq!(
            (&region["totalValues"], &region["topValues"][0]["value"]),
            (&json!(5), &json!("us"))
        );
        let event = server
            .api(
                "GET",
                &format!("projects/acme/shop/events/{:032x}/grouping-info/", 5),
                None,
            )
            .json();
        assert!(
            event
                .as_object()
                .is_some_and(|v| v.values().any(|v| v["contributes"] == true)),
            "{event}"
        );

        let done = server.api(
            "PUT",
            "organizations/acme/issues/SHOP-1/",
            Some(&json!({ "status": "resolved" })),
        );
        assert_eq!((done.status, &done.json()["status"]), (200, &json!("resolved")));
        assert!(issues(server, "is:unresolved").is_empty());
        server.send(&error(6, "Boom"));
        wait_for(server, "is:regressed", 1);
        let page = server
            .api("GET", "organizations/acme/issues/SHOP-1/", None)
            .json();
        let kinds: Vec<_> = page["activity"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["set_regression", "set_resolved", "first_seen"]);
        // A repeat is not counted twice.
        server.send(&error(6, "Boom"));
        let stats =
            "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&groupBy=reason&statsPeriod=1d";
        server.until("the repeat is counted", |s| {
            let groups = s.api("GET", stats, None).json()["groups"].clone();
            let found = groups
                .as_array()?
                .iter()
                .find(|g| g["by"]["reason"] == "duplicate")?
                .clone();
            (found["totals"]["sum(quantity)"] == 1).then_some(())
        });
        assert_eq!(
            server
                .api("GET", "organizations/acme/issues/SHOP-1/", None)
                .json()["count"],
            "6"
        );
    });
}

#[test]
fn issues_are_found_by_every_kind_of_term() {
    on_both(|server, _| {
        for (n, kind) in [(1, "Alpha"), (2, "Beta"), (3, "Beta"), (4, "Gamma")] {
            server.send(&error(n, kind));
        }
        wait_for(server, "", 3);
        server.until("beta twice", |s| {
            (titles(s, "timesSeen:>1") == ["Beta"]).then_some(())
        });
        for (query, want) in [
            ("error.type:Alpha", vec!["Alpha"]),
            ("!error.type:Alpha", vec!["Beta", "Gamma"]),
            ("error.type:[Alpha, Gamma]", vec!["Alpha", "Gamma"]),
            ("error.type:*mm*", vec!["Gamma"]),
            ("region:us", vec!["Alpha", "Beta"]),
            ("region:eu is:unresolved", vec!["Beta", "Gamma"]),
            ("stack.function:fail_Beta", vec!["Beta"]),
            ("user.id:1", vec!["Alpha", "Gamma"]),
            ("environment:prod", vec!["Alpha", "Beta", "Gamma"]),
            ("environment:dev", vec![]),
            ("platform:python level:error", vec!["Alpha", "Beta", "Gamma"]),
            ("gamm", vec!["Gamma"]),
            ("\"value 1\"", vec!["Alpha"]),
            ("error.type:Alpha OR error.type:Beta", vec!["Alpha", "Beta"]),
            ("is:resolved OR error.type:Beta", vec!["Beta"]),
            ("assigned:me", vec![]),
            ("is:unassigned age:-1h", vec!["Alpha", "Beta", "Gamma"]),
            ("issue:SHOP-1", vec!["Alpha"]),
            ("has:region !has:zone", vec!["Alpha", "Beta", "Gamma"]),
        ] {
            assert_eq!(titles(server, query), want, "{query}");
        }
        assert_eq!(issues(server, &format!("{:032x}", 4)).len(), 1);
        let bad = server.api("GET", "organizations/acme/issues/?query=is:open", None);
        assert_eq!(
            (bad.status, &bad.json()["position"]),
            (400, &json!({ "start": 3, "end": 7 }))
        );
        for sort in ["date", "new", "freq", "user"] {
            let reply = server.api(
                "GET",
                &format!("organizations/acme/issues/?query=&sort={sort}&limit=2"),
                None,
            );
            assert_eq!(reply.json().as_array().map(Vec::len), Some(2), "{sort}");
            assert_eq!(reply.header("x-hits"), Some("3"), "{sort}");
            assert!(
                reply
                    .header("link")
                    .is_some_and(|l| l.contains("rel=\"next\"; results=\"true\"")),
                "{sort}"
            );
        }
        let counts = server.api(
            "GET",
            "organizations/acme/issues-count/?query=is:unresolved&query=is:resolved",
            None,
        );
        assert_eq!(counts.json(), json!({ "is:unresolved": 3, "is:resolved": 0 }));
    });
}

#[test]
fn issues_are_changed_together_and_deletion_can_be_taken_back() {
    on_both(|server, _| {
        for (n, kind) in [(1, "Alpha"), (2, "Beta")] {
            server.send(&error(n, kind));
        }
        wait_for(server, "", 2);
        let all = |body: Value| {
            server
                .api("PUT", "organizations/acme/issues/?query=", Some(&body))
                .status
        };
        assert_eq!(
            all(json!({ "assignedTo": "ann@example.com", "isBookmarked": true, "priority": "low" })),
            200
        );
        assert_eq!(
            issues(server, "assigned:me bookmarks:me issue.priority:low").len(),
            2
        );
        assert_eq!(
            all(json!({ "status": "ignored", "substatus": "archived_until_escalating" })),
            200
        );
        assert_eq!(issues(server, "is:archived_until_escalating").len(), 2);
        assert_eq!(all(json!({ "status": "nonsense" })), 400);
        assert_eq!(all(json!({ "assignedTo": "nobody@example.com" })), 400);

        let note = server.api(
            "POST",
            "organizations/acme/issues/SHOP-1/notes/",
            Some(&json!({ "text": "looking" })),
        );
        assert_eq!(
            (note.status, &note.json()["data"]["text"]),
            (201, &json!("looking"))
        );

        let id = issues(server, "error.type:Beta")[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let which = format!("organizations/acme/issues/?id={id}");
        assert_eq!(server.api("DELETE", &which, None).status, 204);
        assert_eq!(titles(server, ""), ["Alpha"]);
        assert_eq!(
            server
                .api("PUT", &which, Some(&json!({ "pendingDeletion": false })))
                .status,
            200
        );
        assert_eq!(titles(server, ""), ["Alpha", "Beta"]);
        assert_eq!(server.api("DELETE", &which, None).status, 204);
        server.until("it is gone", |s| {
            (s.api("GET", &format!("organizations/acme/issues/{id}/"), None)
                .status
                == 404)
                .then_some(())
        });
        // The same error again opens a new issue without the old event.
        server.send(&error(12, "Beta"));
        wait_for(server, "error.type:Beta", 1);
        let fresh = issues(server, "error.type:Beta")[0].clone();
        assert_eq!(
            (&fresh["shortId"], &fresh["count"]),
            (&json!("SHOP-3"), &json!("1"))
        );
        assert_eq!(
            server
                .api("GET", &format!("projects/acme/shop/events/{:032x}/", 2), None)
                .status,
            404
        );
    });
}

/// The path of a page that a `Link` header names, if there is one.
fn linked(reply: &testkit::server::Reply, rel: &str) -> Option<String> {
    let link = reply.header("link")?;
    let part = link
        .split(", ")
        .find(|p| p.contains(&format!("rel=\"{rel}\"; results=\"true\"")))?;
    let url = part.split(['<', '>']).nth(1)?;
    url.split_once("/api/0/").map(|(_, path)| path.to_owned())
}

#[test]
fn a_walk_by_links_meets_each_issue_once_while_new_ones_come() {
    on_both(|server, _| {
        let send = |range: std::ops::Range<u32>| {
            let all = range.end;
            for n in range {
                server.send(&error(1000 + n, &format!("Kind{n}")));
            }
            server.until("all of them", |s| {
                let reply = s.api("GET", "organizations/acme/issues/?query=&limit=1", None);
                (reply.header("x-hits") == Some(&all.to_string())).then_some(())
            });
        };
        send(0..23);
        let names = |reply: &testkit::server::Reply| -> Vec<String> {
            let list = reply.json();
            let of = |i: &Value| i["metadata"]["type"].as_str().unwrap_or("?").to_owned();
            list.as_array().unwrap().iter().map(of).collect()
        };
        let mut sent = 23;
        for query in [
            "&sort=date",
            "&sort=new",
            "&sort=date&query=region:us",
            "&sort=new&query=region:us",
        ] {
            let first = format!("organizations/acme/issues/?limit=5{query}");
            let mut reply = server.api("GET", &first, None);
            let mut seen = names(&reply);
            let mut page = seen.clone();
            while let Some(next) = linked(&reply, "next") {
                send(sent..sent + 1);
                sent += 1;
                reply = server.api("GET", &next, None);
                let back = server.api("GET", &linked(&reply, "previous").expect("a way back"), None);
                assert_eq!(names(&back), page, "{query}: back from {next}");
                page = names(&reply);
                seen.extend(page.clone());
            }
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "{query}: {seen:?}");
            let old = (0..23).filter(|n| query.ends_with("date") || query.ends_with("new") || n % 2 == 1);
            for n in old.map(|n| format!("Kind{n}")) {
                assert!(seen.contains(&n), "{query}: {n} is missing in {seen:?}");
            }
        }
    });
}
