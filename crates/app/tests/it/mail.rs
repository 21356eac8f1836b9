//! Mail through a real SMTP server: news of issues, new passwords, and what is said when it does not work.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use testkit::server::Server;

use crate::clients::{fetched, install_python, sources};
use crate::{BINARY, error};

/// A mail server with a certificate of its own.
pub struct MailServer {
    child: Child,
    folder: tempfile::TempDir,
    port: String,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl MailServer {
    pub fn start() -> MailServer {
        let lock = "requirements.txt";
        let packages = fetched("smtp", &[lock], |folder| {
            install_python(folder, &sources("smtp").join(lock));
        });
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        // An authority of its own, and a certificate by it.
        let certify = |name: &str, more: &[&str]| {
            let made = Command::new("openssl")
                .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
                .args(["-keyout".as_ref(), file(&format!("{name}-key.pem")).as_os_str()])
                .args(["-out".as_ref(), file(&format!("{name}.pem")).as_os_str()])
                .args(more)
                .current_dir(folder.path())
                .stderr(Stdio::null())
                .status()
                .expect("openssl runs");
            assert!(made.success());
        };
        certify("ca", &["-subj", "/CN=Authority of the test"]);
        let signed = ["-subj", "/CN=localhost", "-CA", "ca.pem", "-CAkey", "ca-key.pem"];
        let kind = [
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=CA:FALSE",
        ];
        certify("server", &[&signed[..], &kind[..]].concat());
        let (key, certificate) = (file("server-key.pem"), file("server.pem"));
        let mut child = Command::new(packages.join("bin/python"))
            .arg(sources("smtp").join("server.py"))
            .args([folder.path(), &certificate, &key])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut port)
            .unwrap();
        MailServer {
            child,
            folder,
            port: port.trim().to_owned(),
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("VEDETTE_MAIL_HOST", "localhost".into()),
            ("VEDETTE_MAIL_PORT", self.port.clone()),
            ("VEDETTE_MAIL_USER", "vedette".into()),
            ("VEDETTE_MAIL_PASSWORD", "correct horse".into()),
            ("VEDETTE_MAIL_FROM", "Vedette <errors@example.com>".into()),
            (
                "VEDETTE_CA_FILE",
                self.folder.path().join("ca.pem").display().to_string(),
            ),
        ]
    }

    fn mails(&self) -> Vec<String> {
        let mut all: Vec<PathBuf> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "eml"))
            .collect();
        all.sort();
        all.iter()
            .map(|p| String::from_utf8_lossy(&std::fs::read(p).unwrap()).replace("=\r\n", ""))
            .collect()
    }

    fn busy(&self, on: bool) {
        let path = self.folder.path().join("busy");
        if on {
            std::fs::write(path, "").unwrap();
        } else {
            let _ = std::fs::remove_file(path);
        }
    }
}

pub fn wait_for_mails(server: &Server, mail: &MailServer, n: usize) -> Vec<String> {
    server.until(&format!("{n} mails"), |_| {
        Some(mail.mails()).filter(|all| all.len() >= n)
    })
}

fn test_mail(data: &Path, settings: &[(&str, String)], to: &str) -> (bool, String) {
    let out = Command::new(BINARY)
        .args(["mail", "test", to, "--data-dir"])
        .arg(data)
        .envs(settings.iter().map(|(k, v)| (*k, v.as_str())))
        .output()
        .unwrap();
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn members_are_told_once_and_can_stop_it() {
    let mail = MailServer::start();
    let settings = mail.settings();
    let environment: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(BINARY, folder.path(), &[], &environment);
    // What waits while the mail server is busy goes out afterwards, with everything that came meanwhile.
    server.send(&error(1, "Boom"));
    let first = &wait_for_mails(&server, &mail, 1)[0];
    for part in [
        "From: Vedette <errors@example.com>",
        "To: ann@example.com",
        "Subject: [shop] New issue: SHOP-1 Boom: value 1",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "/organizations/acme/issues/SHOP-1/",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    // More of the same says nothing new; a regression does.
    server.send(&error(2, "Boom"));
    let resolve = json!({ "status": "resolved" });
    let path = "organizations/acme/issues/SHOP-1/";
    server.until("two events", |s| {
        (s.api("GET", path, None).json()["count"] == "2").then_some(())
    });
    assert_eq!(server.api("PUT", path, Some(&resolve)).status, 200);
    server.send(&error(3, "Boom"));
    let all = wait_for_mails(&server, &mail, 2);
    assert!(
        all[1].contains("Subject: [shop] Regression: SHOP-1"),
        "{}",
        all[1]
    );

    // The address in the mail asks first, and stops mails of its kind alone.
    let header = first
        .split("List-Unsubscribe: <")
        .nth(1)
        .and_then(|r| r.split('>').next())
        .expect("the header");
    let at = header.find("/api/0/").unwrap();
    let path = header[at..].replace("\r\n ", "");
    let asked = server.request("GET", &path, &[], b"");
    assert!(
        String::from_utf8_lossy(&asked.body).contains("<form"),
        "{}",
        asked.status
    );
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(
        server
            .request("POST", &path.replace("/new/", "/regression/"), &[form], b"")
            .status,
        404
    );
    let done = server.request("POST", &path, &[form], b"List-Unsubscribe=One-Click");
    assert_eq!(done.status, 200);
    server.send(&error(4, "Bang"));
    assert_eq!(
        server
            .api("PUT", "organizations/acme/issues/SHOP-1/", Some(&resolve))
            .status,
        200
    );
    server.send(&error(5, "Boom"));
    let all = wait_for_mails(&server, &mail, 3);
    assert!(
        all[2].contains("Subject: [shop] Regression: SHOP-1"),
        "{}",
        all[2]
    );
    let wanted = server.api("GET", "users/me/notifications/", None).json();
    assert_eq!(wanted["newIssues"], true);
    assert_eq!(
        wanted["projects"].as_object().unwrap().values().next().unwrap(),
        &json!({ "newIssues": false })
    );
    server.stop();
    assert_eq!(mail.mails().len(), 3);
}

#[test]
fn a_forgotten_password_is_replaced_by_a_link() {
    let mail = MailServer::start();
    let settings = mail.settings();
    let environment: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(BINARY, folder.path(), &[], &environment);
    let json_type = ("Content-Type", "application/json");
    let post = |path: &str, body: serde_json::Value| {
        server.request(
            "POST",
            &format!("/api/0/{path}"),
            &[json_type],
            body.to_string().as_bytes(),
        )
    };
    mail.busy(true);
    let nobody = post("auth/recover/", json!({ "email": "nobody@example.com" }));
    let somebody = post("auth/recover/", json!({ "email": "Ann@Example.com" }));
    assert_eq!((nobody.status, &nobody.body), (200, &somebody.body));
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(mail.mails().is_empty());
    mail.busy(false);
    // It is tried again after a minute; another try for the same person comes at once.
    let again = post("auth/recover/", json!({ "email": "ann@example.com" }));
    assert_eq!(again.status, 200);
    let text = &wait_for_mails(&server, &mail, 1)[0];
    assert!(text.contains("Subject: A new password for Vedette"), "{text}");
    let token = text
        .split("/reset-password/")
        .nth(1)
        .and_then(|r| r.split('/').next())
        .expect("a link");
    let weak = post(
        "auth/recover/confirm/",
        json!({ "token": token, "password": "short" }),
    );
    assert!(weak.json()["password"].is_array(), "{}", weak.json());
    let wrong = post(
        "auth/recover/confirm/",
        json!({ "token": "x", "password": "another horse" }),
    );
    assert!(wrong.json()["token"].is_array(), "{}", wrong.json());
    let new = json!({ "token": token, "password": "another horse" });
    assert_eq!(post("auth/recover/confirm/", new.clone()).status, 204);
    assert_eq!(post("auth/recover/confirm/", new).status, 400);
    let login = |password: &str| {
        let body = json!({ "username": "ann@example.com", "password": password });
        post("auth/login/", body).status
    };
    assert_eq!((login("correct horse"), login("another horse")), (401, 200));
}

#[test]
fn a_test_mail_says_what_is_wrong() {
    let mail = MailServer::start();
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, value: &str| {
        let mut settings = mail.settings();
        settings.retain(|(k, _)| *k != name);
        settings.push((Box::leak(name.to_owned().into_boxed_str()), value.to_owned()));
        settings
    };
    let try_with = |name: &str, value: &str| test_mail(folder.path(), &with(name, value), "ann@example.com");
    let (ok, text) = test_mail(folder.path(), &mail.settings(), "ann@example.com");
    assert!(ok, "{text}");
    assert!(mail.mails()[0].contains("Subject: A test from Vedette"));
    for (name, value, word) in [
        ("VEDETTE_MAIL_HOST", "no-such-host.invalid", "check mail-host"),
        ("VEDETTE_MAIL_PORT", "1", "localhost:1"),
        (
            "VEDETTE_MAIL_PASSWORD",
            "wrong",
            "check mail-user and mail-password",
        ),
        ("VEDETTE_MAIL_TLS", "none", "localhost"),
        ("VEDETTE_CA_FILE", "", "ca-file"),
        ("VEDETTE_MAIL_FROM", "nobody", "mail-from"),
    ] {
        let (ok, text) = try_with(name, value);
        assert!(!ok && text.contains(word), "{name}={value}: {text}");
    }
    let (ok, text) = test_mail(folder.path(), &mail.settings(), "bounce@example.com");
    assert!(!ok && text.contains("no such user here"), "{text}");
    let (ok, text) = test_mail(folder.path(), &[], "ann@example.com");
    assert!(!ok && text.contains("set mail-host"), "{text}");
    assert_eq!(mail.mails().len(), 1);
}
