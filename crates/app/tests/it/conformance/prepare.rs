//! An organization in which there are at least two of everything that events make.

use serde_json::{Value, json};
use testkit::server::Server;

use super::scenario::Variables;
use crate::error;

fn send(server: &Server, n: u32, kind: &str, project: &Value) {
    let mut event = error(n, kind);
    event["release"] = json!(format!("shop@1.{}.0", n % 2));
    event["environment"] = json!(if n.is_multiple_of(2) { "prod" } else { "staging" });
    event["contexts"] =
        json!({ "trace": { "trace_id": format!("{:032x}", 0xabc), "span_id": "00000000000000aa" } });
    event["user"] = json!({ "id": n.to_string(), "email": format!("user{n}@example.com") });
    let body = event.to_string();
    let header = json!({ "event_id": event["event_id"] });
    let mut envelope = format!(
        "{header}\n{{\"type\":\"event\",\"length\":{}}}\n{body}\n",
        body.len()
    );
    for name in ["one.txt", "two.txt"] {
        envelope += &format!("{{\"type\":\"attachment\",\"length\":3,\"filename\":\"{name}\"}}\nabc\n");
    }
    let key = project["key"].as_str().unwrap();
    let path = format!(
        "/api/{}/envelope/?sentry_key={key}",
        project["id"].as_str().unwrap()
    );
    let reply = server.request("POST", &path, &[], envelope.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.json());
}

/// Sends events, makes a second project, and says what they are called.
pub fn organization(server: &Server) -> Variables {
    let mut vars = Variables::default();
    let cookie = crate::access::cookie(server, "ann@example.com", "correct horse");
    vars.set("cookie", &json!(cookie));
    let made = server.api(
        "POST",
        "organizations/acme/projects/",
        Some(&json!({ "name": "cart", "platform": "python" })),
    );
    assert_eq!(made.status, 201, "{}", made.json());
    let keys = server.api("GET", "projects/acme/cart/keys/", None).json();
    let cart = json!({ "id": made.json()["id"], "key": keys[0]["public"] });
    let shop = json!({ "id": server.get("project_id"), "key": server.key() });
    for n in 1..=3 {
        send(server, n, "Boom", &shop);
        send(server, n + 10, "Crash", &shop);
        send(server, n + 20, "Stop", &cart);
    }
    // To be changed and deleted as a list.
    send(server, 30, "Late", &shop);
    send(server, 31, "Later", &cart);
    server.until("the events are there", |s| {
        let issues = s
            .api("GET", "organizations/acme/issues/?query=&sort=new", None)
            .json();
        let sum: i64 = issues
            .as_array()?
            .iter()
            .filter_map(|i| i["count"].as_str()?.parse::<i64>().ok())
            .sum();
        (sum == 11).then_some(())
    });
    let issues = server
        .api("GET", "organizations/acme/issues/?query=", None)
        .json();
    for issue in issues.as_array().unwrap() {
        let kind = issue["metadata"]["type"].as_str().unwrap();
        vars.set(&kind.to_lowercase(), &issue["id"]);
        vars.set(&format!("{}_short", kind.to_lowercase()), &issue["shortId"]);
    }
    let event = format!("{:032x}", 3);
    let files = server
        .api(
            "GET",
            &format!("projects/acme/shop/events/{event}/attachments/"),
            None,
        )
        .json();
    for (name, value) in [
        ("org", json!("acme")),
        ("project", json!("shop")),
        ("project_id", shop["id"].clone()),
        ("other", json!("cart")),
        ("other_id", cart["id"].clone()),
        ("event", json!(event)),
        ("trace", json!(format!("{:032x}", 0xabc))),
        ("version", json!("shop@1.1.0")),
        ("team", json!("backend")),
        ("attachment", files[0]["id"].clone()),
    ] {
        vars.set(name, &value);
    }
    for (name, value) in crate::uploads::samples(server) {
        vars.set(name, &value);
    }
    let me = server.api("GET", "auth/", None).json();
    vars.set("me", &me["id"]);
    vars.set("me_email", &me["email"]);
    vars
}
