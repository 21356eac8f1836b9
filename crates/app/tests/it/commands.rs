//! The command line on a folder, with and without its server.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{BINARY, error, on_both};

fn run(data: &Path, arguments: &[&str]) -> (bool, String, String) {
    let out = Command::new(BINARY)
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .output()
        .unwrap();
    (
        out.status.success(),
        String::from_utf8(out.stdout).unwrap(),
        String::from_utf8(out.stderr).unwrap(),
    )
}

#[test]
fn setup_is_idempotent_with_and_without_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "setup",
        "--email",
        "a@b.c",
        "--password",
        "correct horse",
        "--org",
        "acme",
        "--project",
        "shop",
        "--url",
        "https://errors.example.com",
        "--json",
    ];
    let (ok, first, errors) = run(folder.path(), &arguments);
    assert!(ok, "{errors}");
    let read = |text: &str| serde_json::from_str::<Value>(text.lines().last().unwrap()).unwrap();
    let value = read(&first);
    for key in ["url", "dsn", "org", "project", "project_id", "token", "email"] {
        assert!(value[key].as_str().is_some_and(|v| !v.is_empty()), "{key}");
    }
    assert!(
        value["dsn"].as_str().unwrap().ends_with("@errors.example.com/1"),
        "{value}"
    );
    let (_, second, _) = run(folder.path(), &arguments);
    assert_eq!(read(&second), value);
    let server = testkit::server::Server::start(BINARY, folder.path(), &[]);
    let (_, third, _) = run(folder.path(), &arguments);
    assert_eq!(read(&third), value);
    let token = format!("Bearer {}", value["token"].as_str().unwrap());
    let reply = server.request(
        "GET",
        "/api/0/organizations/acme/",
        &[("Authorization", &token)],
        b"",
    );
    assert_eq!(reply.status, 200);
}

#[test]
fn commands_reach_the_running_server() {
    on_both(|server, data| {
        server.send(&error(1, "Boom"));
        let id = format!("{:032x}", 1);
        server.until("it is stored", |s| {
            (s.api("GET", &format!("projects/acme/shop/events/{id}/"), None)
                .status
                == 200)
                .then_some(())
        });
        let (ok, out, _) = run(data, &["events", "where", &id]);
        assert!(
            ok && out.contains("\"stored\"") && out.contains("SHOP-1"),
            "{out}"
        );
        let (ok, _, errors) = run(data, &["events", "where", &"f".repeat(32)]);
        assert!(!ok && errors.contains("nothing is known"), "{errors}");
        let (ok, out, errors) = run(
            data,
            &[
                "createuser",
                "--email",
                "Bob@example.com",
                "--password",
                "long enough",
                "--org",
                "acme",
            ],
        );
        assert!(ok && out.contains("bob@example.com"), "{errors}");
        let (ok, _, errors) = run(
            data,
            &[
                "createuser",
                "--email",
                "bob@example.com",
                "--password",
                "long enough",
            ],
        );
        assert!(!ok && errors.contains("--force"), "{errors}");
        let again = ["--password", "another one", "--force", "--remove-factors"];
        let (ok, out, errors) = run(
            data,
            &[&["createuser", "--email", "bob@example.com"][..], &again].concat(),
        );
        assert!(ok && out.contains("\"created\":false"), "{errors}");
        let (ok, _, errors) = run(data, &["createuser", "--email", "x@y.z", "--password", "short"]);
        assert!(!ok && errors.contains("at least 8"), "{errors}");
        let (ok, out, errors) = run(data, &["cleanup", "--days", "30"]);
        assert!(ok && out.contains("\"dropped_days\":0"), "{errors}");
        let (ok, _, errors) = run(data, &["rebuild-index"]);
        assert!(ok, "{errors}");
        let all = server
            .api("GET", "organizations/acme/issues/?query=region:us", None)
            .json();
        assert_eq!(all.as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn settings_are_shown_and_checked() {
    let out = Command::new(BINARY)
        .args(["config", "show", "--defaults"])
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        text.contains("listen = \"127.0.0.1:9000\"") && text.contains("VEDETTE_QUEUE_LIMIT_MB"),
        "{text}"
    );
    let out = Command::new(BINARY)
        .args(["config", "show"])
        .env("VEDETTE_LISTNE", "x")
        .output()
        .unwrap();
    assert!(!out.status.success());
    assert!(
        String::from_utf8(out.stderr)
            .unwrap()
            .contains("did you mean 'listen'")
    );
    let out = Command::new(BINARY)
        .args(["config", "generate-secret-key"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap().trim().len(), 64);
}

#[test]
fn stages_answer_lines() {
    let mut child = Command::new(BINARY)
        .args(["debug", "parameterize"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"{\"id\":\"1\",\"input\":\"user 42 from 10.0.0.1\"}\n")
        .unwrap();
    let out = child.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(
        out.status.success() && text.contains("<int>") && text.contains("<ip>"),
        "{text}"
    );
}
