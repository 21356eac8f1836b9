//! The Python SDK in a Flask application.

use std::process::Command;

use super::{fetched, prove, run, sources, with};

#[test]
fn python_and_flask() {
    let packages = fetched("flask", &["requirements.txt"], |folder| {
        super::install_python(folder, &sources("flask").join("requirements.txt"));
    });
    let scenarios = with(&[
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
    ]);
    prove(&scenarios, |dsn| {
        let program = sources("flask").join("program.py");
        // The last scenario is an exception that nobody catches.
        run(Command::new(packages.join("bin/python")).arg(program).arg(dsn), 1);
    });
}
