//! `sentry-cli`, unmodified: what it makes and says of releases, and what it lists and changes.

use std::path::Path;
use std::process::Command;

use testkit::recorder::Recorder;
use testkit::server::Server;

use super::{fetched, install_npm, run, sources};
use crate::on_one;

#[test]
fn sentry_cli() {
    with_version("cli");
}

/// The major version before, which many still have.
#[test]
fn sentry_cli_of_version_2() {
    with_version("cli-2");
}

/// The environment of a call.
struct Setting<'a> {
    server: &'a Server,
    program: &'a Path,
    folder: &'a Path,
    dsn: String,
}

impl Setting<'_> {
    /// Runs the tool, which must end well; answers what it prints.
    fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("node");
        command.arg(self.program).args(arguments).current_dir(self.folder);
        let kept = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
        command.env_clear().envs(kept).envs([
            ("SENTRY_URL", format!("http://127.0.0.1:{}", self.server.port)),
            ("SENTRY_AUTH_TOKEN", self.server.get("token").to_owned()),
            ("SENTRY_ORG", "acme".to_owned()),
            ("SENTRY_PROJECT", "shop".to_owned()),
            ("SENTRY_DSN", self.dsn.clone()),
        ]);
        let out = command.output().expect("node starts");
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        assert!(out.status.success(), "{arguments:?}: {text}");
        text
    }

    /// Runs the tool, which must print this.
    fn says(&self, arguments: &[&str], part: &str) {
        let text = self.cli(arguments);
        assert!(text.contains(part), "{arguments:?} should say {part}: {text}");
    }

    fn commit(&self, file: &str, message: &str) {
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=Bob", "-c", "user.email=bob@example.com"];
            let mut command = Command::new("git");
            run(command.current_dir(self.folder).args(identity).args(arguments), 0);
        };
        if !self.folder.join(".git").exists() {
            git(&["init", "-q"]);
        }
        std::fs::write(self.folder.join(file), message).unwrap();
        git(&["add", "."]);
        git(&["commit", "-q", "-m", message]);
    }
}

fn with_version(lock: &str) {
    let packages = fetched(lock, &["package-lock.json"], |folder| {
        install_npm(folder, &sources(lock))
    });
    let program = packages.join("node_modules/@sentry/cli/bin/sentry-cli");
    on_one(&[], |server, _| {
        let recorder = Recorder::start(server.port);
        let folder = tempfile::tempdir().unwrap();
        let project = server.get("project_id");
        let s = Setting {
            server,
            program: &program,
            folder: folder.path(),
            dsn: format!("http://{}@127.0.0.1:{}/{project}", server.key(), recorder.port),
        };
        s.says(&["info"], "project:releases");
        s.says(&["organizations", "list"], "acme");
        s.says(&["projects", "list"], "shop");
        s.commit("start.py", "start");
        s.cli(&["send-event", "-m", "hello", "-r", "shop@0.9"]);
        server.until("the event is there", |_| {
            s.cli(&["issues", "list"]).contains("SHOP-1").then_some(())
        });
        s.says(&["events", "list"], "hello");
        releases(&s);
        s.cli(&["issues", "unresolve", "-i", "1"]);
        s.cli(&["issues", "mute", "-i", "1"]);
        s.cli(&["issues", "resolve", "-i", "1"]);
        s.says(&["issues", "list"], "resolved");
        s.cli(&["monitors", "list"]);
        for exchange in recorder.exchanges() {
            server.count(&exchange.target, &[], &exchange.body, exchange.status);
        }
    });
}

fn releases(s: &Setting<'_>) {
    s.commit("cart.py", "Fixes SHOP-1");
    s.cli(&["releases", "new", "shop@1.0", "--url", "https://ci.example/1"]);
    // Once more is fine.
    s.cli(&["releases", "new", "shop@1.0"]);
    s.cli(&["releases", "set-commits", "shop@1.0", "--local"]);
    s.cli(&["releases", "finalize", "shop@1.0"]);
    s.says(
        &[
            "releases",
            "info",
            "shop@1.0",
            "--show-projects",
            "--show-commits",
        ],
        "shop",
    );
    s.says(&["issues", "list"], "resolved");
    // From the commit of the release before.
    s.commit("third.py", "third");
    s.cli(&["releases", "new", "shop@1.1"]);
    s.cli(&["releases", "set-commits", "shop@1.1", "--auto"]);
    let commits = s
        .server
        .api("GET", "organizations/acme/releases/shop@1.1/commits/", None)
        .json();
    assert_eq!(commits.as_array().map(Vec::len), Some(1), "{commits}");
    assert_eq!(commits[0]["message"], "third");
    s.says(&["releases", "list"], "shop@1.1");
    s.cli(&["releases", "archive", "shop@1.1"]);
    s.cli(&["releases", "restore", "shop@1.1"]);
    s.cli(&["deploys", "new", "-e", "prod", "-r", "shop@1.1"]);
    s.says(&["deploys", "list", "-r", "shop@1.1"], "prod");
    s.says(&["repos", "list"], "Unknown Provider");
    let strange = "web app@1.0+r1 ä";
    s.cli(&["releases", "new", strange]);
    s.says(&["releases", "info", strange], strange);
    s.cli(&["releases", "delete", strange]);
    let all = s.cli(&["releases", "list"]);
    assert!(!all.contains(strange), "{all}");
}
