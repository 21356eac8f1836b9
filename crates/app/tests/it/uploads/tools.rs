//! Source maps and debug files as `sentry-cli` uploads them, in two major versions.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::server::Server;

use super::{DEBUG, ELF_ID, FULL, MAP_ID, get};
use crate::clients::{fetched, install_npm, sources};
use crate::on_one;

struct Cli<'a> {
    binary: std::path::PathBuf,
    folder: &'a Path,
    server: &'a Server,
    token: String,
}

impl Cli<'_> {
    /// Runs the tool, which must end well; answers what it printed.
    fn run(&self, arguments: &[&str]) -> String {
        let out = Command::new(&self.binary)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder)
            .env("SENTRY_DISABLE_UPDATE_CHECK", "true")
            .env("SENTRY_URL", format!("http://127.0.0.1:{}/", self.server.port))
            .env("SENTRY_AUTH_TOKEN", &self.token)
            .env("SENTRY_ORG", "acme")
            .env("SENTRY_PROJECT", "shop")
            .current_dir(self.folder)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert!(out.status.success(), "{arguments:?}: {text}");
        text
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

fn with_version(name: &str) {
    let packages = fetched("tools", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("tools"));
    });
    on_one(&[], |server, _| {
        let folder = tempfile::tempdir().unwrap();
        let mut cli = Cli {
            binary: packages.join(format!("node_modules/{name}/bin/sentry-cli")),
            folder: folder.path(),
            server,
            token: server.get("token").to_owned(),
        };
        source_maps(&cli);
        debug_files(&cli);
        mappings(&cli);
        // A build's own token does as well.
        let new = json!({ "name": "build" });
        let made = server.api("POST", "organizations/acme/org-auth-tokens/", Some(&new));
        cli.token = made.json()["token"].as_str().expect("a token").to_owned();
        let again = cli.run(&["sourcemaps", "upload", "dist", "--wait"]);
        assert!(again.contains("Nothing to upload"), "{again}");
        cli.write("more/cart.js", b"function c(){d()}c();\n");
        cli.run(&["sourcemaps", "inject", "more"]);
        cli.run(&["sourcemaps", "upload", "more", "--wait"]);
        let all = get(server, "projects/acme/shop/files/artifact-bundles/");
        assert_eq!(all.as_array().map(Vec::len), Some(3), "{all}");
    });
}

fn source_maps(cli: &Cli<'_>) {
    let map = json!({
        "version": 3, "sources": ["../src/cart.ts"], "sourcesContent": ["export function cart() { boom(); }"],
        "names": [], "mappings": "AAAA", "file": "cart.js",
    });
    cli.write(
        "dist/cart.js",
        b"function a(){b()}a();\n//# sourceMappingURL=cart.js.map\n",
    );
    cli.write("dist/cart.js.map", map.to_string().as_bytes());
    cli.run(&["sourcemaps", "inject", "dist"]);
    let code = std::fs::read_to_string(cli.folder.join("dist/cart.js")).unwrap();
    let id = code.split("debugId=").nth(1).expect("an id").trim().to_owned();
    cli.run(&["sourcemaps", "upload", "dist", "--wait"]);
    let list = "projects/acme/shop/files/artifact-bundles/";
    let all = get(cli.server, &format!("{list}?query={id}"));
    assert_eq!(
        (all.as_array().map(Vec::len), &all[0]["fileCount"]),
        (Some(1), &json!(2)),
        "{all}"
    );
    assert_eq!(all[0]["associations"], json!([]));
    let bundle = all[0]["bundleId"].as_str().unwrap();
    let files = get(
        cli.server,
        &format!("projects/acme/shop/artifact-bundles/{bundle}/files/"),
    );
    let kinds: Vec<&Value> = files["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["fileType"])
        .collect();
    assert_eq!(kinds, [2, 3]);
    assert!(
        files["files"]
            .as_array()
            .unwrap()
            .iter()
            .all(|f| f["debugId"] == json!(id)),
        "{files}"
    );
    let kept = |server: &Server| get(server, "organizations/acme/chunk-upload/")["kept"]["files"].clone();
    let before = kept(cli.server);
    let again = cli.run(&["sourcemaps", "upload", "dist", "--wait"]);
    assert!(again.contains("Nothing to upload"), "{again}");
    assert_eq!(kept(cli.server), before);

    let release = ["--release", "shop@1.0", "--dist", "7"];
    cli.run(&[&["sourcemaps", "upload", "dist", "--wait"], &release[..]].concat());
    let all = get(cli.server, &format!("{list}?query=shop@1.0"));
    assert_eq!(
        all[0]["associations"],
        json!([{ "release": "shop@1.0", "dist": "7" }])
    );
    let maps = get(cli.server, "projects/acme/shop/files/source-maps/");
    assert_eq!(
        (&maps[0]["name"], &maps[0]["fileCount"]),
        (&json!("shop@1.0"), &json!(2))
    );
}

fn debug_files(cli: &Cli<'_>) {
    cli.write("build/shop.so", FULL);
    cli.write("build/shop.debug", DEBUG);
    let upload = ["debug-files", "upload", "--wait", "build"];
    let said = cli.run(&upload);
    assert!(said.contains(ELF_ID), "{said}");
    let list = "projects/acme/shop/files/dsyms/";
    let all = get(cli.server, &format!("{list}?debug_id={ELF_ID}"));
    assert_eq!(all.as_array().map(Vec::len), Some(2), "{all}");
    let again = cli.run(&upload);
    assert!(again.contains("Nothing to upload"), "{again}");
}

fn mappings(cli: &Cli<'_>) {
    cli.write(
        "mapping.txt",
        b"com.shop.Cart -> a.a:\n    1:3:void checkout():10:12 -> a\n",
    );
    let upload = ["upload-proguard", "--uuid", MAP_ID, "mapping.txt"];
    cli.run(&upload);
    cli.run(&upload);
    let all = get(
        cli.server,
        &format!("projects/acme/shop/files/dsyms/?debug_id={MAP_ID}"),
    );
    assert_eq!(
        (all.as_array().map(Vec::len), &all[0]["symbolType"]),
        (Some(1), &json!("proguard")),
        "{all}"
    );
}

#[test]
fn sentry_cli_of_version_2() {
    with_version("cli2");
}

#[test]
fn sentry_cli_of_version_3() {
    with_version("cli3");
}
