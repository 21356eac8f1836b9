//! Checks of the sources that no compiler makes: sizes, names, what may depend on what.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// No source file is longer.
const LINES: usize = 700;
/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "misc"];
/// Crates, and what of the workspace each may use.
const WALLS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("symbolicate", &["protocol"]),
    ("processing", &["protocol"]),
    ("storage", &["protocol"]),
    ("backends", &["protocol", "storage"]),
    ("pipeline", &["protocol", "processing", "symbolicate", "storage"]),
    ("api", &["protocol", "storage"]),
    ("testkit", &["protocol", "storage", "backends"]),
];

/// Crates that ask other servers. Only a module called `egress` may use them: it is where requests to addresses that
/// users give are checked.
const CLIENTS: &[&str] = &[
    "attohttpc",
    "awc",
    "curl",
    "hyper",
    "hyper-util",
    "isahc",
    "lettre",
    "minreq",
    "native-tls",
    "reqwest",
    "surf",
    "ureq",
];
/// What opens a connection by hand.
const DIALS: &[&str] = &["TcpStream::connect", "TcpSocket::", "UdpSocket::", "lookup_host("];
/// Files that may, besides `egress`: `vedette doctor` asks the address in its own settings.
const MAY_DIAL: &[&str] = &["crates/app/src/doctor.rs"];

/// Whether a source of the product opens connections where it must not.
fn dials(name: &str, text: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let product = matches!(parts[..], ["crates", folder, "src", ..] if folder != "testkit");
    let allowed = MAY_DIAL.contains(&name) || name.ends_with("/egress.rs") || name.contains("/egress/");
    product && !allowed && DIALS.iter().any(|d| text.contains(d))
}

/// The clients among the dependencies of a manifest, without those of tests.
fn clients(manifest: &str) -> Vec<&'static str> {
    let normal = manifest.split("[dev-dependencies]").next().unwrap_or("");
    let names: Vec<&str> = normal
        .lines()
        .filter_map(|l| l.split(['.', ' ', '=']).next())
        .collect();
    let used = |c: &&&str| names.contains(*c);
    CLIENTS.iter().filter(used).copied().collect()
}

/// Runs the checks.
///
/// # Errors
/// Everything that is wrong, a line each.
pub fn run() -> anyhow::Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()?;
    let files = String::from_utf8(listed.stdout)?;
    let mut wrong = Vec::new();
    for name in files.lines() {
        let path = Path::new(name);
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let end = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        if !matches!(end, "rs" | "ts" | "tsx" | "css" | "md" | "toml" | "sh" | "sql") {
            continue;
        }
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("");
        if EMPTY_NAMES.contains(&stem) {
            wrong.push(format!("{name}: the name says nothing"));
        }
        if matches!(end, "rs" | "ts" | "tsx") && text.lines().count() > LINES {
            wrong.push(format!("{name}: longer than {LINES} lines"));
        }
        if end == "rs" && !text.starts_with("//!") {
            wrong.push(format!("{name}: begins without a module comment (//!)"));
        }
        if end == "rs" && dials(name, &text) {
            wrong.push(format!("{name}: opens a connection; only a module `egress` may"));
        }
        let folder = name
            .strip_prefix("crates/")
            .and_then(|n| n.strip_suffix("/Cargo.toml"));
        if let Some(folder) = folder.filter(|f| *f != "testkit") {
            let egress = [".rs", "/mod.rs"]
                .iter()
                .any(|e| Path::new(&format!("crates/{folder}/src/egress{e}")).exists());
            for client in clients(&text).into_iter().filter(|_| !egress) {
                wrong.push(format!(
                    "{name}: {client} asks other servers; only a crate with a module `egress` may"
                ));
            }
        }
        for (n, line) in text.lines().enumerate() {
            let marks = ["TO", "FIX", "XX"]
                .iter()
                .zip(["DO", "ME", "X"])
                .map(|(a, b)| format!("{a}{b}"));
            let said = marks
                .into_iter()
                .any(|m| line.contains(&format!("{m}:")) || line.contains(&format!("{m}(")));
            if said && end != "md" {
                wrong.push(format!("{name}:{}: open end", n + 1));
            }
            if line.ends_with(' ') || line.contains('\t') && matches!(end, "rs" | "ts" | "tsx") {
                wrong.push(format!("{name}:{}: blank at the end or tab", n + 1));
            }
        }
    }
    for (name, allowed) in WALLS {
        let manifest = format!("crates/{name}/Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| manifest.clone())?;
        let normal = text.split("[dev-dependencies]").next().unwrap_or("");
        for (other, _) in WALLS {
            let used = normal
                .lines()
                .any(|l| l.starts_with(&format!("{other}.")) || l.starts_with(&format!("{other} ")));
            if used && !allowed.contains(other) {
                wrong.push(format!("{manifest}: {name} must not use {other}"));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{}", wrong.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_out_are_found() {
        let manifest = "[dependencies]\nhyper-util.workspace = true\nureq = \"3\"\nhyperscan = \"1\"\n\
            [dev-dependencies]\nreqwest = \"1\"\n";
        assert_eq!(clients(manifest), ["hyper-util", "ureq"]);
        let text = "let s = TcpStream::connect(address);";
        assert!(dials("crates/api/src/hooks.rs", text));
        for fine in [
            "crates/api/src/egress.rs",
            "crates/app/src/doctor.rs",
            "crates/app/tests/it/main.rs",
            "xtask/src/bench.rs",
        ] {
            assert!(!dials(fine, text), "{fine}");
        }
    }
}
