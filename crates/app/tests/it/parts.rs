//! Parts of issues that a caller leaves out or asks for besides.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::{error, on_both};

const LIST: &str = "organizations/acme/issues/?query=";

fn ask(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

fn get(server: &Server, path: &str) -> Value {
    ask(server, "GET", path, Value::Null, 200)
}

/// The issue of a list that has this type.
fn listed(server: &Server, kind: &str, more: &str) -> Value {
    get(server, &format!("{LIST}error.type:{kind}{more}"))[0].clone()
}

fn missing<'a>(view: &Value, names: &[&'a str]) -> Vec<&'a str> {
    names
        .iter()
        .filter(|n| view.get(**n).is_none())
        .copied()
        .collect()
}

#[test]
fn what_is_collapsed_is_left_out() {
    on_both(|server, _| {
        server.send(&error(1, "Boom"));
        server.until("the issue", |s| listed(s, "Boom", "").is_object().then_some(()));
        let counts = [
            "stats",
            "count",
            "userCount",
            "firstSeen",
            "lastSeen",
            "lifetime",
            "filtered",
        ];
        let all = listed(server, "Boom", "&groupStatsPeriod=24h");
        assert_eq!(missing(&all, &counts), [""; 0]);
        assert!(all["stats"]["24h"].is_array());
        for query in ["error.type:Boom", ""] {
            let of = |more: &str| get(server, &format!("{LIST}{query}{more}"))[0].clone();
            let view = of("&groupStatsPeriod=24h&collapse=stats&collapse=unhandled");
            assert_eq!(missing(&view, &counts), counts, "{view}");
            assert_eq!(view.get("isUnhandled"), None);
            assert_eq!(view["title"], all["title"]);
            let view = of("&collapse=lifetime,filtered");
            assert_eq!(missing(&view, &counts), ["lifetime", "filtered"]);
            assert_eq!(
                (&view["count"], &view["isUnhandled"]),
                (&json!("1"), &json!(false))
            );
            let view = of("&collapse=base");
            assert_eq!(missing(&view, &counts), [""; 0]);
            assert_eq!(
                missing(&view, &["id", "title", "project", "status", "isUnhandled"]).len(),
                4,
                "{view}"
            );
            // What is not known there is left alone.
            assert_eq!(of("&collapse=nonsense&expand=nonsense"), of(""));
        }
        let path = "organizations/acme/issues/SHOP-1/";
        let parts = ["stats", "tags", "firstRelease", "lastRelease"];
        let page = get(server, path);
        assert_eq!(missing(&page, &parts), [""; 0]);
        assert!(page["stats"]["24h"].is_array() && page["tags"].is_array());
        let page = get(
            server,
            &format!("{path}?collapse=stats&collapse=tags&collapse=release&collapse=base"),
        );
        assert_eq!(missing(&page, &parts), parts);
        assert_eq!((&page["count"], &page["title"]), (&json!("1"), &all["title"]));
        let short = get(server, "organizations/acme/shortids/SHOP-1/?collapse=stats");
        assert_eq!(missing(&short["group"], &counts), counts);
    });
}

#[test]
fn what_is_expanded_is_there() {
    on_both(|server, _| {
        let expand = "&expand=owners&expand=inbox,latestEventHasAttachments&expand=integrationIssues\
                      &expand=sentryAppIssues&expand=pluginActions&expand=sessions";
        let mut mine = error(1, "Mine");
        mine["release"] = json!("shop@1");
        let event = mine.to_string();
        let envelope = format!(
            "{{\"event_id\":\"{:032x}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n\
             {{\"type\":\"attachment\",\"length\":5,\"filename\":\"a.txt\"}}\nhello\n",
            1,
            event.len()
        );
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        assert_eq!(
            server.request("POST", &path, &[], envelope.as_bytes()).status,
            200
        );
        server.until("the issue", |s| listed(s, "Mine", "").is_object().then_some(()));
        let mut free = error(2, "Free");
        free["exception"]["values"][0]["stacktrace"]["frames"][0]["filename"] = json!("free/x.py");
        server.send(&free);
        server.until("the other", |s| listed(s, "Free", "").is_object().then_some(()));

        // Nothing is there unless it is asked for.
        let plain = listed(server, "Mine", "");
        assert_eq!(
            (
                &plain["owners"],
                &plain["inbox"],
                &plain["latestEventHasAttachments"]
            ),
            (&Value::Null, &Value::Null, &json!(false))
        );
        let view = listed(server, "Mine", expand);
        assert_eq!(view["owners"], Value::Null, "nobody owns it yet");
        assert_eq!(
            (&view["inbox"]["reason"], &view["inbox"]["reason_details"]),
            (&json!(0), &Value::Null)
        );
        assert!(
            view["inbox"]["date_added"]
                .as_str()
                .is_some_and(|d| d.ends_with('Z')),
            "{view}"
        );
        assert_eq!(view["latestEventHasAttachments"], true);
        assert_eq!(
            (&view["pluginActions"], &view["sessionCount"]),
            (&json!([]), &json!(0))
        );
        assert_eq!(listed(server, "Free", expand)["latestEventHasAttachments"], false);

        // Rules of the project, its file, and commits.
        let file = json!({ "raw": "app/*.py ann@example.com @somebody/else\n" });
        ask(server, "POST", "projects/acme/shop/codeowners/", file, 201);
        let me = get(server, "users/me/")["id"].as_str().unwrap().to_owned();
        let owner = |view: &Value| -> Vec<(String, String)> {
            let text = |v: &Value| v.as_str().unwrap().to_owned();
            let all = view["owners"].as_array().unwrap_or_else(|| panic!("{view}"));
            all.iter()
                .map(|o| (text(&o["type"]), text(&o["owner"])))
                .collect()
        };
        let pair = |kind: &str, who: &str| (kind.to_owned(), who.to_owned());
        let ann = format!("user:{me}");
        assert_eq!(owner(&listed(server, "Mine", expand)), [pair("codeowners", &ann)]);
        let rules = json!({ "raw": "path:app/* #acme ann@example.com", "autoAssignment": false });
        ask(server, "PUT", "projects/acme/shop/ownership/", rules, 202);
        let commits = json!({ "version": "shop@1", "projects": ["shop"], "commits": [
            { "id": "a".repeat(40), "repository": "acme/shop", "message": "m", "author_name": "Ann",
              "author_email": "ann@example.com", "timestamp": "2026-11-01T10:00:00Z",
              "patch_set": [{ "path": "app/main.py", "type": "M" }] },
        ] });
        let made = server.api("POST", "organizations/acme/releases/", Some(&commits));
        assert!([200, 201, 208].contains(&made.status), "{}", made.json());
        let team = get(server, "teams/acme/acme/")["id"].as_str().unwrap().to_owned();
        let want = [
            pair("suspectCommit", &ann),
            pair("ownershipRule", &format!("team:{team}")),
            pair("ownershipRule", &ann),
        ];
        let view = listed(server, "Mine", expand);
        assert_eq!(owner(&view), want);
        assert!(view["owners"][0]["date_added"].is_string());
        assert_eq!(listed(server, "Free", expand)["owners"], Value::Null);

        // Links of people and of integrations.
        let links = "organizations/acme/issues/SHOP-1/";
        let page = json!({ "webUrl": "https://example.com/a", "displayName": "a page" });
        ask(server, "POST", &format!("{links}external-issues/"), page, 201);
        let integration = json!({ "provider": "github", "name": "acme", "domainName": "github.com/acme" });
        let integration = ask(
            server,
            "POST",
            "organizations/acme/integrations/",
            integration,
            201,
        );
        let path = format!("{links}integrations/{}/", integration["id"].as_str().unwrap());
        ask(
            server,
            "PUT",
            &path,
            json!({ "externalIssue": "acme/shop#7" }),
            201,
        );
        let view = listed(server, "Mine", expand);
        assert_eq!(
            view["integrationIssues"].as_array().map(Vec::len),
            Some(1),
            "{view}"
        );
        assert_eq!(view["integrationIssues"][0]["key"], "acme/shop#7");
        assert_eq!(
            view["sentryAppIssues"].as_array().map(Vec::len),
            Some(1),
            "{view}"
        );
        assert_eq!(view["sentryAppIssues"][0]["displayName"], "a page");
        assert_eq!(listed(server, "Mine", "")["integrationIssues"], json!([]));

        // The page says the same.
        let page = get(
            server,
            &format!("organizations/acme/issues/SHOP-1/?{}", &expand[1..]),
        );
        for name in [
            "owners",
            "inbox",
            "latestEventHasAttachments",
            "integrationIssues",
            "sentryAppIssues",
        ] {
            assert_eq!(page[name], view[name], "{name}");
        }
        // Who is in charge has seen it.
        ask(
            server,
            "PUT",
            "organizations/acme/issues/SHOP-1/",
            json!({ "assignedTo": "ann@example.com" }),
            200,
        );
        assert_eq!(listed(server, "Mine", expand)["inbox"], Value::Null);
        assert_eq!(listed(server, "Free", expand)["inbox"]["reason"], 0);
    });
}
