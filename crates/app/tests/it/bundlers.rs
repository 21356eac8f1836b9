//! The plugins of bundlers from npm: they put debug ids in, upload, and the crash of what they built is mapped.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::clients::{fetched, install_npm, sources};
use crate::on_one;
use crate::symbols::{errors, exception, lines, send};

fn builds(bundler: &str, expected: &[&str], errors: &[&str]) {
    let packages = fetched("bundlers", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("bundlers"));
    });
    on_one(&[], |server, _| {
        let folder = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scripts/src");
        std::fs::create_dir(folder.path().join("src")).unwrap();
        for name in ["cart.ts", "main.ts"] {
            std::fs::copy(from.join(name), folder.path().join("src").join(name)).unwrap();
        }
        let script = packages.join("build.mjs");
        std::fs::copy(sources("bundlers").join("build.mjs"), &script).unwrap();
        // The address that the server says of itself: newer tools send their token nowhere else.
        let url = format!("http://localhost:{}", server.port);
        let out = Command::new("node")
            .arg(&script)
            .arg(bundler)
            .arg(folder.path())
            .args([&url, server.get("token")])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", folder.path())
            .env("NO_COLOR", "1")
            .current_dir(&*packages)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let said = format!("{text}\n{}", String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success(), "{said}");
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
