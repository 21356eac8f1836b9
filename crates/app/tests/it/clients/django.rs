//! The Python SDK in a Django application.

use std::process::Command;

use super::{fetched, install_python, prove, run_client, sources, with};

#[test]
fn python_and_django() {
    let lock = "requirements.txt";
    let packages = fetched("django", &[lock], |folder| {
        install_python(folder, &sources("django").join(lock));
    });
    let scenarios = with(
        &[],
        &[("template", &["/exception/values/0/mechanism/type=\"django\""])],
    );
    let encodings = prove(&scenarios, |dsn| {
        let program = sources("django").join("program.py");
        run_client(Command::new(packages.join("bin/python")).arg(program).arg(dsn), 0);
    });
    // With the module `brotli` the SDK takes that instead of gzip.
    assert!(encodings.contains("br"), "{encodings:?}");
}
