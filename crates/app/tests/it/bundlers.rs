//! The plugins of bundlers from npm: they put debug ids in, upload, and the crash of what they built is mapped.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use testkit::server::Server;

use crate::clients::{fetched, install_npm, run, sources};
use crate::on_one;
use crate::symbols::{errors, exception, lines, send};

/// Builds a program in a folder with its sources: what the command printed.
fn build(server: &Server, bundler: &str, folder: &Path) -> Output {
    let packages = fetched("bundlers", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("bundlers"));
    });
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scripts/src");
    std::fs::create_dir(folder.join("src")).unwrap();
    for name in ["cart.ts", "main.ts"] {
        std::fs::copy(from.join(name), folder.join("src").join(name)).unwrap();
    }
    let service = sources("bundlers").join("service.ts");
    std::fs::copy(service, folder.join("src/service.ts")).unwrap();
    let script = packages.join("build.mjs");
    std::fs::copy(sources("bundlers").join("build.mjs"), &script).unwrap();
    // The address that the server says of itself: newer tools send their token nowhere else.
    let url = format!("http://localhost:{}", server.port);
    let out = Command::new("node")
        .arg(&script)
        .arg(bundler)
        .arg(folder)
        .args([&url, server.get("token")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder)
        .env("NO_COLOR", "1")
        .current_dir(&*packages)
        .output()
        .unwrap();
    let (text, errors) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert!(out.status.success(), "{text}\n{errors}");
    out
}

fn builds(bundler: &str, expected: &[&str], errors: &[&str]) {
    on_one(&[], |server, _| {
        let folder = tempfile::tempdir().unwrap();
        let out = build(server, bundler, folder.path());
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let said = format!("{text}\n{}", String::from_utf8_lossy(&out.stderr));
        let event = text
            .lines()
            .rev()
            .find_map(|l| serde_json::from_str::<Value>(l).ok());
        let event = event.unwrap_or_else(|| panic!("no event: {said}"));
        assert!(event["debug_meta"]["images"][0]["debug_id"].is_string(), "{said}");
        let stored = send(server, 1, event);
        assert_eq!(self::errors(&stored), errors, "{said}");
        let frames = lines(&exception(&stored)["stacktrace"]);
        assert_eq!(frames[frames.len() - expected.len()..], *expected, "{said}");
    });
}

#[test]
fn the_plugin_of_vite() {
    let expected = ["Shop.checkout ../src/main.ts:5", "total ../src/cart.ts:6"];
    builds("vite", &expected, &[]);
}

#[test]
fn the_plugin_of_webpack() {
    // Its plugin takes `webpack://` off the names of sources. The wrapper that webpack adds has no place in the map.
    builds(
        "webpack",
        &["total /./src/cart.ts:6"],
        &["js_invalid_sourcemap_location"],
    );
}

/// A service in TypeScript, bundled for Node, whose error comes by the SDK that it was built with.
#[test]
fn a_bundled_service_of_node() {
    let sdk = fetched("node", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("node"));
    });
    on_one(&[], |server, _| {
        let folder = tempfile::tempdir().unwrap();
        build(server, "node", folder.path());
        let mut node = Command::new("node");
        node.arg(folder.path().join("dist/app.js"))
            .env("NODE_PATH", sdk.join("node_modules"))
            .env("DSN", server.get("dsn"));
        run(&mut node, 0);
        // What the SDK sent beside the test's own requests.
        server.count("/api/1/store/", &[], b"", 200);
        let event = server.until("the event of the service", |s| {
            let list = s.api("GET", "projects/acme/shop/events/?full=1", None).json();
            list.as_array()?.first().cloned()
        });
        // The wrapper that webpack adds has no place in the map.
        assert_eq!(errors(&event), ["js_invalid_sourcemap_location"]);
        let exception = exception(&event);
        assert_eq!(exception["mechanism"]["handled"], true);
        let stack = &exception["stacktrace"];
        let frames = lines(stack);
        assert_eq!(
            frames[frames.len() - 2..],
            ["Checkout.run /./src/service.ts:18", "total /./src/cart.ts:6"],
            "{frames:?}"
        );
        let top = stack["frames"].as_array().unwrap().last().unwrap();
        assert_eq!(top["inApp"], true, "{top}");
        assert_eq!(
            top["context"][5],
            serde_json::json!([6, "    sum += item.price!.amount;"])
        );
    });
}
