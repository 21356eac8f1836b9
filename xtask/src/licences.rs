//! Checks the licence of every Rust dependency.

use std::process::Command;

use anyhow::bail;
use serde_json::Value;

/// Licences that are accepted.
const ACCEPTED: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "bzip2-1.0.6",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "0BSD",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "MPL-2.0",
    "MPL-2.0+",
    "CDLA-Permissive-2.0",
    "OFL-1.1",
];

fn fits(expression: &str) -> bool {
    let text = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // Every side of an AND needs one accepted choice.
    text.split(" AND ")
        .all(|part| part.split(" OR ").any(|choice| ACCEPTED.contains(&choice.trim())))
}

/// Runs the check.
///
/// # Errors
/// The packages whose licence is not accepted.
pub fn run() -> anyhow::Result<()> {
    let out = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()?;
    if !out.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    }
    let metadata: Value = serde_json::from_slice(&out.stdout)?;
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let (name, version) = (
            package["name"].as_str().unwrap_or(""),
            package["version"].as_str().unwrap_or(""),
        );
        match package["license"].as_str() {
            Some(licence) if fits(licence) => {}
            Some(licence) => wrong.push(format!("{name} {version}: {licence}")),
            None => wrong.push(format!("{name} {version}: no licence is named")),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("licences that are not accepted:\n{}", wrong.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn expressions_are_read() {
        assert!(fits("MIT OR GPL-3.0"));
        assert!(fits("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(fits("MIT/Apache-2.0"));
        assert!(!fits("MIT AND GPL-3.0"));
        assert!(!fits("AGPL-3.0"));
    }
}
