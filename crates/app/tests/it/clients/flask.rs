//! The Python SDK in a Flask application.

use std::process::Command;

use super::{fetched, install_python, prove, run_client, sources, with};

#[test]
fn python_and_flask() {
    let lock = "requirements.txt";
    let packages = fetched("flask", &[lock], |folder| {
        install_python(folder, &sources("flask").join(lock));
    });
    let scenarios = with(
        &[],
        &[
            ("too much", &["/tags/long", "/contexts/long/text"]),
            (
                "crash of a thread",
                &[
                    "/exception/values/0/mechanism/type=\"threading\"",
                    "/exception/values/0/mechanism/handled=false",
                ],
            ),
            (
                "locals",
                &["/exception/values/0/stacktrace/frames/1/vars/order/total=\"12\""],
            ),
        ],
    );
    let encodings = prove(&scenarios, |dsn| {
        let program = sources("flask").join("program.py");
        // The last scenario is an exception that nobody catches.
        run_client(Command::new(packages.join("bin/python")).arg(program).arg(dsn), 1);
    });
    assert!(encodings.contains("gzip"), "{encodings:?}");
}
