//! A Java program whose names R8 took away, and whose error comes by the SDK.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::clients::java::jars;
use crate::clients::{run, sources};
use crate::symbols::{errors, exception, lines};
use crate::{on_both, on_one, uploads};

const MAPPING: &str = "5d7a8e0c-36b1-4c0e-9a57-0f2f5bd1c9e4";

/// Compiles and obfuscates the program in a folder: `out.jar` and `mapping.txt` there.
fn build(jars: &Path, folder: &Path) {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/symbols/r8/src");
    let mut javac = Command::new("javac");
    javac.arg("-g").arg("-cp").arg(jars.join("sentry-8.63.0.jar"));
    javac.arg("-d").arg(folder.join("classes"));
    javac.arg(sources("obfuscated").join("Shop.java"));
    let files = ["Cart.java", "Prices.java"].map(|name| shop.join(name));
    run(javac.args(files), 0);
    let mut jar = Command::new("jar");
    jar.arg("cf").arg(folder.join("in.jar"));
    run(jar.arg("-C").arg(folder.join("classes")).arg("."), 0);
    let home = Command::new("java")
        .args(["-XshowSettings:properties", "-version"])
        .output()
        .unwrap();
    let home = String::from_utf8_lossy(&home.stderr).into_owned();
    let home = home.lines().find_map(|l| l.trim().strip_prefix("java.home = "));
    let mut r8 = Command::new("java");
    r8.arg("-cp").arg(jars.join("r8-8.5.35.jar"));
    r8.args(["com.android.tools.r8.R8", "--release", "--classfile", "--lib"]);
    r8.arg(home.expect("a home of Java"));
    r8.arg("--classpath").arg(jars.join("sentry-8.63.0.jar"));
    r8.arg("--pg-conf").arg(sources("obfuscated").join("rules.pro"));
    r8.arg("--pg-map-output").arg(folder.join("mapping.txt"));
    r8.arg("--output").arg(folder.join("out.jar"));
    run(r8.arg(folder.join("in.jar")), 0);
}

#[test]
fn an_obfuscated_java_program() {
    let packages = jars("obfuscated");
    let jars = packages.join("jars");
    let folder = tempfile::tempdir().unwrap();
    build(&jars, folder.path());
    on_one(&[], |server, _| {
        let mapping = std::fs::read(folder.path().join("mapping.txt")).unwrap();
        let archive = uploads::zipped(&[(&format!("proguard/{MAPPING}.txt"), &mapping)]);
        let path = "/api/0/projects/acme/shop/files/dsyms/";
        let reply = uploads::form(server, path, &[("file", Some("mapping.zip"), &archive)]);
        assert!(matches!(reply.status, 200 | 201), "{}", reply.json());
        let path = std::env::join_paths([folder.path().join("out.jar"), jars.join("sentry-8.63.0.jar")]);
        let mut java = Command::new("java");
        java.arg("-cp").arg(path.unwrap()).arg("com.shop.Shop");
        run(java.arg(server.get("dsn")).arg(MAPPING), 0);
        // What the SDK sent beside the test's own requests.
        server.count("/api/1/store/", &[], b"", 200);
        let event = server.until("the event of the program", |s| {
            let list = s.api("GET", "projects/acme/shop/events/?full=1", None).json();
            list.as_array()?.first().cloned()
        });
        assert_eq!(errors(&event), [""; 0]);
        let exception = exception(&event);
        assert_eq!(
            (&exception["type"], &exception["module"]),
            (&"Prices$UnknownItem".into(), &"com.shop".into())
        );
        assert_eq!(
            lines(&exception["stacktrace"]),
            [
                "main Shop.java:14",
                "total Cart.java:14",
                "checked Cart.java:20",
                "of Prices.java:8"
            ]
        );
        assert!(
            event["title"].as_str().unwrap().starts_with("Prices$UnknownItem"),
            "{}",
            event["title"]
        );
    });
}

#[test]
fn the_views_of_an_obfuscated_screen() {
    on_both(|server, _| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/symbols/proguard");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let id = "11111111-0000-4000-8000-000000000001";
        let send = |n: u32, views: &[u8]| {
            let event = format!("{n:032x}");
            let told = json!({
                "event_id": event, "platform": "java", "message": "a screen",
                "debug_meta": { "images": [{ "type": "proguard", "uuid": id }] },
            });
            let mut body =
                format!("{{\"event_id\":\"{event}\"}}\n{{\"type\":\"event\"}}\n{told}\n").into_bytes();
            let item = json!({
                "type": "attachment", "attachment_type": "event.view_hierarchy", "length": views.len(),
                "filename": "view-hierarchy.json", "content_type": "application/json",
            });
            body.extend_from_slice(format!("{item}\n").as_bytes());
            body.extend_from_slice(views);
            let path = format!(
                "/api/{}/envelope/?sentry_key={}",
                server.get("project_id"),
                server.key()
            );
            assert_eq!(server.request("POST", &path, &[], &body).status, 200);
            let list = format!("projects/acme/shop/events/{event}/attachments/");
            let kept = server.until("the views", |s| {
                s.api("GET", &list, None).json().as_array()?.first().cloned()
            });
            let number = kept["id"].as_str().unwrap();
            let bytes = server.api("GET", &format!("{list}{number}/?download=1"), None);
            assert_eq!(kept["size"], bytes.body.len());
            bytes.body
        };
        let (sent, named) = (read("view-hierarchy.json"), read("view-hierarchy.expected.json"));
        assert_eq!(send(1, &sent), sent);
        let archive = uploads::zipped(&[(&format!("proguard/{id}.txt"), &read("mapping.txt"))]);
        let path = "/api/0/projects/acme/shop/files/dsyms/";
        let reply = uploads::form(server, path, &[("file", Some("mapping.zip"), &archive)]);
        assert!(matches!(reply.status, 200 | 201), "{}", reply.json());
        assert_eq!(send(2, &sent), named);
        let torn = &sent[..sent.len() - 20];
        assert_eq!(send(3, torn), torn);
    });
}
