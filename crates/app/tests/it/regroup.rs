//! Which hash belongs to which issue, changed by people: merged, taken apart, given, discarded; what looks alike,
//! what sets issues apart, and what other rules would do.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both};

fn get(server: &Server, path: &str) -> Value {
    let reply = server.api("GET", path, None);
    assert_eq!(reply.status, 200, "{path}: {}", reply.json());
    reply.json()
}

fn issues(server: &Server, query: &str) -> Vec<Value> {
    let all = get(server, &format!("organizations/acme/issues/?query={query}"));
    all.as_array().cloned().unwrap_or_default()
}

/// The issue whose last event has this type.
fn issue(server: &Server, kind: &str) -> Value {
    server.until(kind, |s| {
        issues(s, "").into_iter().find(|i| i["metadata"]["type"] == kind)
    })
}

fn send(server: &Server, kinds: &[&str], from: u32) -> u32 {
    let mut n = from;
    for kind in kinds {
        assert_eq!(server.send(&error(n, kind)).status, 200);
        n += 1;
    }
    server.until("all events", |s| {
        let total: u64 = issues(s, "")
            .iter()
            .filter_map(|i| i["count"].as_str()?.parse::<u64>().ok())
            .sum();
        (total == u64::from(n - 1)).then_some(())
    });
    n
}

fn id(issue: &Value) -> &str {
    issue["id"].as_str().unwrap_or_default()
}

fn events_of(server: &Server, issue: &str) -> usize {
    let all = get(server, &format!("organizations/acme/issues/{issue}/events/"));
    all.as_array().map_or(0, Vec::len)
}

#[test]
fn issues_are_merged_and_taken_apart_again() {
    on_both(|server, _| {
        let next = send(server, &["Ant", "Ant", "Ant", "Bee", "Bee", "Cat"], 1);
        let (ant, bee, cat) = (issue(server, "Ant"), issue(server, "Bee"), issue(server, "Cat"));
        let note = json!({ "text": "look at this" });
        let path = format!("organizations/acme/issues/{}/notes/", id(&bee));
        assert_eq!(server.api("POST", &path, Some(&note)).status, 201);

        let path = format!("organizations/acme/issues/?id={}&id={}", id(&ant), id(&bee));
        let merged = server.api("PUT", &path, Some(&json!({ "merge": 1 })));
        assert_eq!(merged.status, 200, "{}", merged.json());
        assert_eq!(
            merged.json(),
            json!({ "merge": { "parent": id(&ant), "children": [id(&bee)] } })
        );
        assert_eq!(issues(server, "").len(), 2);
        let one = get(server, &format!("organizations/acme/issues/{}/", id(&ant)));
        assert_eq!((&one["count"], &one["userCount"]), (&json!("5"), &json!(3)));
        assert_eq!(one["metadata"]["type"], "Bee", "it looks like its newest event");
        assert_eq!(one["numComments"], 1);
        assert_eq!(one["firstSeen"], ant["firstSeen"]);
        assert_eq!(one["activity"][0]["type"], "merge");
        assert_eq!(events_of(server, id(&ant)), 5);
        // Number and short id of the other lead to it, also in the search box.
        for name in [id(&bee), bee["shortId"].as_str().unwrap()] {
            let found = get(server, &format!("organizations/acme/issues/{name}/"));
            assert_eq!(found["id"], one["id"], "{name}");
        }
        assert_eq!(
            issues(server, bee["shortId"].as_str().unwrap())[0]["id"],
            one["id"]
        );
        // What comes under either hash is of the one issue.
        let next = send(server, &["Bee", "Ant"], next);
        let one = get(server, &format!("organizations/acme/issues/{}/", id(&ant)));
        assert_eq!(one["count"], "7");

        let hashes = get(server, &format!("organizations/acme/issues/{}/hashes/", id(&ant)));
        let hashes = hashes.as_array().unwrap();
        assert_eq!(hashes.len(), 2);
        assert_eq!(
            hashes[0]["latestEvent"]["title"],
            format!("Ant: value {}", next - 1)
        );
        let hash = hashes[1]["id"].as_str().unwrap();
        assert_eq!(hashes[1]["count"], 3);
        let path = format!("organizations/acme/issues/{}/hashes/?id={hash}", id(&ant));
        let apart = server.api("DELETE", &path, None);
        assert_eq!(apart.status, 202, "{}", apart.json());
        let fresh = apart.json()["issue"]["id"].as_str().unwrap().to_owned();
        assert_ne!(fresh, id(&bee));
        let other = get(server, &format!("organizations/acme/issues/{fresh}/"));
        assert_eq!(
            (&other["count"], &other["metadata"]["type"]),
            (&json!("3"), &json!("Bee"))
        );
        assert_eq!(other["activity"][0]["type"], "unmerge_destination");
        let one = get(server, &format!("organizations/acme/issues/{}/", id(&ant)));
        assert_eq!(
            (&one["count"], &one["metadata"]["type"]),
            (&json!("4"), &json!("Ant"))
        );
        assert_eq!((events_of(server, id(&ant)), events_of(server, &fresh)), (4, 3));
        // The last hash stays, and so do hashes of others.
        assert_eq!(
            server
                .api(
                    "PUT",
                    &format!("organizations/acme/issues/{fresh}/hashes/?id={hash}"),
                    None
                )
                .status,
            400
        );
        assert_eq!(
            server
                .api(
                    "PUT",
                    &format!("organizations/acme/issues/{}/hashes/?id={hash}", id(&cat)),
                    None
                )
                .status,
            400
        );

        // A hash is given to an issue: that which has no other becomes part of it.
        let never = "00112233445566778899aabbccddeeff";
        let give = json!({ "hashes": [hash, never] });
        let path = format!("organizations/acme/issues/{}/hashes/", id(&cat));
        let given = server.api("POST", &path, Some(&give));
        assert_eq!(given.status, 200, "{}", given.json());
        assert_eq!(given.json()["merged"], json!([fresh]));
        let cat = get(server, &format!("organizations/acme/issues/{}/", id(&cat)));
        assert_eq!(cat["count"], "4");
        let mut early = error(next, "Dog");
        early["checksum"] = json!(never);
        assert_eq!(server.send(&early).status, 200);
        server.until("the event of the given hash", |s| {
            (get(s, &format!("organizations/acme/issues/{}/", id(&cat)))["count"] == "5").then_some(())
        });
        for bad in [json!({}), json!({ "hashes": [] }), json!({ "hashes": ["x"] })] {
            assert_eq!(server.api("POST", &path, Some(&bad)).status, 400, "{bad}");
        }
        let alone = format!("organizations/acme/issues/?id={}", id(&cat));
        assert_eq!(
            server.api("PUT", &alone, Some(&json!({ "merge": 1 }))).status,
            400
        );
    });
}

#[test]
fn a_discarded_issue_does_not_come_back() {
    on_both(|server, _| {
        let next = send(server, &["Spam", "Spam", "Ham"], 1);
        let spam = issue(server, "Spam");
        let path = format!("organizations/acme/issues/?id={}", id(&spam));
        assert_eq!(
            server.api("PUT", &path, Some(&json!({ "discard": true }))).status,
            204
        );
        assert_eq!(issues(server, "").len(), 1);
        for n in next..next + 3 {
            assert_eq!(server.send(&error(n, "Spam")).status, 200);
        }
        let list = "projects/acme/shop/tombstones/";
        server.until("three events are left out", |s| {
            (get(s, list)[0]["eventsDiscarded"] == 3).then_some(())
        });
        let stone = get(server, list)[0].clone();
        assert_eq!(stone["title"], "Spam: value 2");
        assert!(stone["actor"]["email"].is_string() && stone["lastDiscarded"].is_string());
        let place = get(server, &format!("organizations/acme/eventids/{next:032x}/where/"));
        assert_eq!(place["places"][0]["reason"], "discarded_hash", "{place}");
        // Taken back, it begins anew.
        let gone = format!("{list}{}/", stone["id"].as_str().unwrap());
        assert_eq!(server.api("DELETE", &gone, None).status, 204);
        assert_eq!(server.api("DELETE", &gone, None).status, 404);
        assert_eq!(server.send(&error(next + 9, "Spam")).status, 200);
        let again = issue(server, "Spam");
        assert_eq!(again["count"], "1");
        assert_ne!(again["id"], spam["id"]);
    });
}

#[test]
fn who_may_not_delete_may_not_discard() {
    crate::on_one(&[], |server, _| {
        send(server, &["Spam"], 1);
        let spam = issue(server, "Spam");
        let token = server.api(
            "POST",
            "api-tokens/",
            Some(&json!({ "name": "w", "scopes": ["event:write"] })),
        );
        // Tokens are made by sessions alone; the one of setup has all scopes.
        assert_eq!(token.status, 403);
        let cookie = crate::access::cookie(server, "ann@example.com", "correct horse");
        let headers = [("Cookie", cookie.as_str()), ("X-Requested-With", "test")];
        let body = json!({ "name": "w", "scopes": ["event:write", "org:read"] }).to_string();
        let token = server
            .request("POST", "/api/0/api-tokens/", &headers, body.as_bytes())
            .json();
        let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
        let path = format!("/api/0/organizations/acme/issues/?id={}", id(&spam));
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        let reply = server.request("PUT", &path, &headers, br#"{"discard":true}"#);
        assert_eq!(reply.status, 403);
        assert_eq!(issues(server, "").len(), 1);
    });
}

fn shop(n: u32, functions: &[&str], kind: &str, value: &str) -> Value {
    let frames: Vec<_> = functions
        .iter()
        .map(|f| json!({ "function": f, "module": format!("shop.{f}"), "in_app": true, "lineno": n }))
        .collect();
    json!({
        "event_id": format!("{n:032x}"), "platform": "python", "level": "error",
        "exception": { "values": [{ "type": kind, "value": value, "stacktrace": { "frames": frames } }] },
    })
}

#[test]
fn similar_issues_are_found_and_compared() {
    on_both(|server, _| {
        let all = [
            shop(
                1,
                &["main", "serve", "checkout", "pay"],
                "CardError",
                "card refused",
            ),
            shop(
                2,
                &["main", "serve", "checkout", "pay_later"],
                "CardError",
                "card refused",
            ),
            shop(
                3,
                &["main", "worker", "index", "read"],
                "IndexError",
                "no such page",
            ),
        ];
        for event in &all {
            assert_eq!(server.send(event).status, 200);
        }
        let issues: Vec<Value> = server.until("three issues", |s| {
            let found = issues(s, "");
            (found.len() == 3).then_some(found)
        });
        let by = |culprit: &str| {
            issues
                .iter()
                .find(|i| i["culprit"].as_str().is_some_and(|c| c.ends_with(culprit)))
                .unwrap()
        };
        let (pay, later) = (by("in pay"), by("in pay_later"));
        let path = format!("organizations/acme/issues/{}/similar/", id(pay));
        let similar = server.until("similar issues", |s| {
            let found = get(s, &path);
            (found.as_array().is_some_and(|f| f.len() == 2)).then_some(found)
        });
        assert_eq!(similar[0][0]["id"], later["id"]);
        let score = |i: usize| similar[i][1]["exception"].as_f64().unwrap();
        assert!(score(0) > 0.5 && score(1) < 0.3, "{similar}");

        let path = format!(
            "organizations/acme/issues/{}/compare/{}/",
            id(pay),
            later["shortId"].as_str().unwrap()
        );
        let compared = get(server, &path);
        assert_eq!(compared["issues"][1]["id"], later["id"]);
        assert_eq!(compared["shared"], json!([]));
        let differences = compared["differences"].as_array().unwrap();
        assert!(
            differences
                .iter()
                .any(|d| d["left"] == "pay" && d["right"] == "pay_later"),
            "{compared}"
        );
        assert!(
            compared["explanation"]
                .as_str()
                .unwrap()
                .starts_with("they differ in")
        );
        let wrong = format!("{path}?event={:032x}", 3);
        assert_eq!(
            server.api("GET", &wrong, None).status,
            404,
            "an event of another issue"
        );

        // Rules are tried before they are saved.
        let rules = json!({ "fingerprintingRules": "error.type:CardError -> card-error" });
        let preview = server.api("POST", "projects/acme/shop/grouping-preview/", Some(&rules));
        assert_eq!(preview.status, 200, "{}", preview.json());
        let preview = preview.json();
        assert_eq!(preview["events"], 3);
        assert_eq!(preview["changedEvents"], 2);
        assert_eq!(preview["merges"].as_array().unwrap().len(), 1, "{preview}");
        assert_eq!(preview["merges"][0]["issues"].as_array().unwrap().len(), 2);
        assert_eq!(preview["splits"], json!([]));
        let same = server
            .api("POST", "projects/acme/shop/grouping-preview/", Some(&json!({})))
            .json();
        assert_eq!((&same["changedEvents"], &same["merges"]), (&json!(0), &json!([])));
        let bad = json!({ "fingerprintingRules": "no rule" });
        let reply = server.api("POST", "projects/acme/shop/grouping-preview/", Some(&bad));
        assert_eq!(reply.status, 400);
        assert!(
            reply.json()["fingerprintingRules"].is_string() || reply.json()["fingerprintingRules"].is_array()
        );
    });
}

#[test]
fn a_forecast_is_made_anew_after_a_week() {
    use storage::life::{Substatus, Wish, on_wish};
    use storage::relational::{hashes, issues};

    let folder = tempfile::tempdir().unwrap();
    let bench = crate::inside::bench(folder.path());
    bench.clock.to_full_hour();
    let stores = &bench.worker.stores;
    for n in 1..=30 {
        bench.send(n, "busy", "192.0.2.1");
    }
    bench.worker.drain();
    let hour = || stores.clock.now().div_euclid(3_600_000_000);
    let now = hour();
    let read = || stores.sql.reading(|c| issues::by_ids(c, &[1])).unwrap().remove(0);
    stores
        .sql
        .writing(|c| {
            let mut issue = issues::by_ids(c, &[1])?.remove(0);
            let wish = Wish::ArchiveUntilEscalating(hashes::forecast(c, &issue, now + 1)?);
            on_wish(&mut issue.state, &wish, (30, 1), None, stores.clock.now());
            issues::save(c, &[&issue])
        })
        .unwrap();
    // Thirty in its busiest hour: 2 * 30 + 3 * sqrt(30), at any time, as it is young.
    let first = read().state.details.forecast.unwrap();
    assert_eq!((first.from, first.at(now + 100)), (now + 1, Some(77)));
    assert_eq!(pipeline::jobs::renew_forecasts(stores).unwrap(), 0);
    bench.clock.days(8);
    assert_eq!(pipeline::jobs::renew_forecasts(stores).unwrap(), 1);
    let issue = read();
    assert_eq!(issue.state.substatus, Substatus::UntilEscalating);
    let second = issue.state.details.forecast.unwrap();
    assert_eq!(
        (second.from, second.at(hour())),
        (hour(), Some(10)),
        "a week without events"
    );
    assert_eq!(pipeline::jobs::renew_forecasts(stores).unwrap(), 0);
    for n in 31..=41 {
        bench.send(n, "busy", "192.0.2.1");
    }
    bench.worker.drain();
    assert_eq!(read().state.substatus, Substatus::Escalating);
}
