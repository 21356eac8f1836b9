//! The Rust SDK.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Fetched, fetched, prove, run, run_client, sources, with};

/// Builds the programs; what the compiler keeps lies in the folder.
fn build(folder: &Path) -> PathBuf {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "-q", "--locked", "--target-dir"])
        .arg(folder)
        .current_dir(sources("rust"));
    run(&mut cargo, 0);
    folder.join("debug")
}

/// The folder of the programs, built.
pub fn programs() -> (Fetched, PathBuf) {
    let folder = fetched("rust", &["Cargo.lock"], |folder| {
        build(folder);
    });
    let programs = build(&folder);
    (folder, programs)
}

#[test]
fn rust() {
    let (_folder, programs) = programs();
    let program = programs.join("vedette-client-rust");
    let scenarios = with(
        // The SDK sends no groups.
        &["grouped"],
        &[
            (
                "handled",
                &[
                    "/exception/values/1/type",
                    "/exception/values/-1/stacktrace/frames/0/function",
                ],
            ),
            ("plain error", &["/exception/values/0/type=\"ParseFloatError\""]),
            (
                "unhandled",
                &[
                    "/exception/values/0/type=\"panic\"",
                    "/exception/values/0/mechanism/handled=false",
                    "/exception/values/0/stacktrace/frames/0/instruction_addr",
                    "/debug_meta/images/0/id",
                ],
            ),
            // Chains come without mechanisms.
            ("chained", &["/exception/values/2/value=\"no offer\""]),
        ],
    );
    prove(&scenarios, |dsn| {
        run_client(Command::new(&program).arg(dsn), 101);
    });
}
