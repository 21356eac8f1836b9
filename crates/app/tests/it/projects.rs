//! Projects: DSNs that are taken over, domains that may send, and giving them away.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testkit::server::Server;

use crate::people::{by, join};
use crate::{error, on_both, on_one};

fn setup(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(crate::BINARY);
    command.args([
        "setup",
        "--email",
        "ann@example.com",
        "--org",
        "acme",
        "--json",
        "--data-dir",
    ]);
    command.arg(data).args(arguments).output().unwrap()
}

fn refused(data: &Path, arguments: &[&str]) -> String {
    let out = setup(data, arguments);
    assert!(!out.status.success());
    String::from_utf8(out.stderr).unwrap()
}

#[test]
fn a_dsn_of_another_server_is_taken_over() {
    on_both(|server, data| {
        let key = "0123456789abcdef0123456789abcdef";
        let own = [
            "--project",
            "old",
            "--project-id",
            "4505281256090624",
            "--public-key",
            key,
        ];
        for _ in 0..2 {
            let out = setup(data, &own);
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            let made: Value = serde_json::from_slice(&out.stdout).unwrap();
            assert_eq!(made["project_id"], "4505281256090624");
            assert!(made["dsn"].as_str().unwrap().contains(key), "{made}");
        }
        let body = error(1, "Old").to_string();
        let path = format!("/api/4505281256090624/store/?sentry_key={key}");
        assert_eq!(server.request("POST", &path, &[], body.as_bytes()).status, 200);
        server.balance();
        let found = server.api("GET", "projects/acme/old/issues/", None).json();
        assert_eq!(found.as_array().unwrap().len(), 1);
        for (arguments, says) in [
            (
                ["--project", "new", "--project-id", "4505281256090624"],
                "'old' has this number",
            ),
            (["--project", "new", "--public-key", key], "'old' has this key"),
            (
                ["--project", "old", "--project-id", "7"],
                "has the number 4505281256090624",
            ),
            (["--project", "new", "--project-id", "0"], "from 1 to"),
            (["--project", "new", "--public-key", "ABC"], "32 digits"),
        ] {
            let said = refused(data, &arguments);
            assert!(said.contains(says), "{arguments:?}: {said}");
        }
        // A project made by itself gets a number behind it, not one that is taken.
        let made = server.api(
            "POST",
            "organizations/acme/projects/",
            Some(&json!({ "name": "Next" })),
        );
        assert_eq!(made.status, 201, "{}", made.json());
        let given = json!({ "name": "Old web", "public": "f".repeat(32) });
        let made = server.api("POST", "projects/acme/next/keys/", Some(&given));
        assert_eq!(
            (made.status, &made.json()["public"]),
            (201, &json!("f".repeat(32)))
        );
        let twice = server.api("POST", "projects/acme/shop/keys/", Some(&given));
        assert_eq!(twice.status, 400);
        assert!(twice.json()["public"].is_array(), "{}", twice.json());
    });
}

#[test]
fn the_number_of_a_deleted_project_is_not_given_again() {
    on_one(&[], |server, data| {
        assert!(
            setup(data, &["--project", "old", "--project-id", "77"])
                .status
                .success()
        );
        assert_eq!(server.api("DELETE", "projects/acme/old/", None).status, 204);
        server.until("the project is gone", |_| {
            let said = refused(data, &["--project", "new", "--project-id", "77"]);
            said.contains("deleted had this number").then_some(())
        });
    });
}

#[test]
fn pages_of_other_domains_may_not_send() {
    on_both(|server, _| {
        let project = server.get("project_id").to_owned();
        let path = format!("/api/{project}/store/?sentry_key={}", server.key());
        let mut n = 0;
        let mut send = |server: &Server, headers: &[(&str, &str)]| {
            n += 1;
            server.request("POST", &path, headers, error(n, "Boom").to_string().as_bytes())
        };
        let page = [("Origin", "https://evil.example")];
        assert_eq!(send(server, &page).status, 200, "all domains may, by default");
        let set = |domains: Value| {
            let body = json!({ "allowedDomains": domains });
            server.api("PUT", "projects/acme/shop/", Some(&body))
        };
        let view = set(json!(["*.shop.example", "localhost:3000"]));
        assert_eq!(
            view.json()["allowedDomains"],
            json!(["*.shop.example", "localhost:3000"])
        );
        let no = send(server, &page);
        assert_eq!(no.status, 403);
        assert_eq!(no.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            send(server, &[("Origin", "https://www.shop.example")]).status,
            200
        );
        assert_eq!(send(server, &[("Origin", "http://localhost:3000")]).status, 200);
        assert_eq!(send(server, &[]).status, 200, "what is no page");
        assert_eq!(set(json!([])).status, 400);
        assert_eq!(set(json!(["a b"])).status, 400);
        server.balance();
        let path =
            "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&groupBy=reason&statsPeriod=1d";
        let groups = server.api("GET", path, None).json()["groups"].clone();
        let cors = groups
            .as_array()
            .unwrap()
            .iter()
            .find(|g| g["by"]["reason"] == "cors");
        let cors = cors.unwrap_or_else(|| panic!("{groups}"));
        assert_eq!(cors["by"]["outcome"], "invalid");
        assert_eq!(cors["totals"]["sum(quantity)"], 1);
    });
}

#[test]
fn a_project_goes_to_another_organization_of_its_owner() {
    on_both(|server, _| {
        let mia = join(server, "mia@example.com", "owner");
        let bob = join(server, "bob@example.com", "owner");
        let other = by(server, &bob, "POST", "organizations/", json!({ "name": "Other" }));
        assert_eq!(other.status, 201);
        let body = json!({ "assignedTo": "bob@example.com" });
        server.send(&error(1, "Boom"));
        server.balance();
        assert_eq!(
            server
                .api("PUT", "organizations/acme/issues/SHOP-1/", Some(&body))
                .status,
            200
        );
        let give = |cookie: &str, to: &str| {
            let body = json!({ "organization": to });
            by(server, cookie, "POST", "projects/acme/shop/transfer/", body).status
        };
        assert_eq!(give(&mia, "other"), 400, "she does not own it");
        assert_eq!(give(&bob, "acme"), 400, "it is there");
        assert_eq!(give(&bob, "other"), 204);
        let get = |path: &str| by(server, &bob, "GET", path, Value::Null);
        assert_eq!(get("projects/acme/shop/").status, 404);
        assert_eq!(get("projects/other/shop/").json()["team"]["slug"], "other");
        let issue = get("organizations/other/issues/SHOP-1/").json();
        assert_eq!(issue["assignedTo"]["email"], "bob@example.com");
        // Back, so that what was sent is found where it is counted.
        let body = json!({ "organization": "acme" });
        let back = by(server, &bob, "POST", "projects/other/shop/transfer/", body);
        assert_eq!(back.status, 204);
    });
}
