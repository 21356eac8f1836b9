//! The Go SDK with `net/http`.

use std::path::Path;
use std::process::Command;

use super::{fetched, prove, run, run_client, sources, with};

/// Builds the program; modules and what the compiler keeps lie in the folder.
fn build(folder: &Path) -> std::path::PathBuf {
    let program = folder.join("program");
    let mut go = Command::new("go");
    go.args(["build", "-o"])
        .arg(&program)
        .current_dir(sources("go"))
        .env("GOMODCACHE", folder.join("modules"))
        .env("GOCACHE", folder.join("build"))
        // The toolchain that is installed has to do, and the folder can be deleted.
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-modcacherw");
    run(&mut go, 0);
    program
}

#[test]
fn go_and_net_http() {
    let folder = fetched("go", &["go.mod", "go.sum"], |folder| {
        build(folder);
    });
    let program = build(&folder);
    let scenarios = with(
        &[],
        &[
            // The SDK never says `handled`: the level is all there is.
            (
                "unhandled",
                &[
                    "/level=\"fatal\"",
                    "/exception/values/0/type=\"*errors.errorString\"",
                ],
            ),
            ("chained", &["/exception/values/1/mechanism/exception_id=1"]),
            // It has no parameters either.
            (
                "message",
                &["/logentry/formatted=\"order A-7 is late by 3 days\""],
            ),
            (
                "request",
                &[
                    "/level=\"fatal\"",
                    "/request/method=\"POST\"",
                    "/request/url",
                    "/request/env",
                ],
            ),
        ],
    );
    prove(&scenarios, |dsn| {
        run_client(Command::new(&program).arg(dsn), 2);
    });
}
