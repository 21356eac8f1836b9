//! The Node SDK in an Express application.

use std::process::Command;

use super::{fetched, install_npm, prove, run_client, sources, with};

#[test]
fn node_and_express() {
    let packages = fetched("node", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("node"));
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
