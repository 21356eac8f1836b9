//! The Node SDK in an Express application.

use std::process::Command;

use super::{fetched, install_npm, prove, run_client, sources, with};

#[test]
fn node_and_express() {
    with_packages_of("node");
}

/// The major version before, which many still have.
#[test]
fn node_and_express_of_version_10() {
    with_packages_of("node-10");
}

fn with_packages_of(lock: &str) {
    let packages = fetched(lock, &["package-lock.json"], |folder| {
        install_npm(folder, &sources(lock));
    });
    let scenarios = with(
        &["threads"],
        &[
            (
                "locals",
                &["/exception/values/0/stacktrace/frames/-1/vars/order/total=12"],
            ),
            (
                "promise",
                &["/exception/values/0/mechanism/type=\"auto.node.onunhandledrejection\""],
            ),
        ],
    );
    prove(&scenarios, |dsn| {
        // Packages are looked for from the program's folder upwards.
        let program = packages.join("program.js");
        std::fs::copy(sources("node").join("program.js"), &program).unwrap();
        // The last scenario is an exception that nobody catches.
        run_client(Command::new("node").arg(program).arg(dsn), 1);
    });
}
