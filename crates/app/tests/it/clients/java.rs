//! The Java SDK.

use std::process::Command;

use super::{Fetched, fetched, prove, run, run_client, sources, with};

/// A client's folder with the jars of its pom.
pub fn jars(client: &str) -> Fetched {
    let from = sources(client);
    fetched(client, &["pom.xml", "jars.sha256"], |folder| {
        std::fs::copy(from.join("pom.xml"), folder.join("pom.xml")).unwrap();
        let mut maven = Command::new("mvn");
        maven
            .args([
                "-q",
                "-B",
                "dependency:copy-dependencies",
                "-DoutputDirectory=jars",
            ])
            .arg(format!(
                "-Dmaven.repo.local={}",
                folder.join("repository").display()
            ))
            .current_dir(folder);
        run(&mut maven, 0);
        let mut check = Command::new("sha256sum");
        check.arg("--check").arg(from.join("jars.sha256"));
        run(check.current_dir(folder.join("jars")), 0);
    })
}

#[test]
fn java() {
    let from = sources("java");
    let folder = jars("java");
    let (jars, classes) = (folder.join("jars/*"), folder.join("classes"));
    let mut javac = Command::new("javac");
    javac.arg("-cp").arg(&jars).arg("-d").arg(&classes);
    run(javac.arg(from.join("Program.java")), 0);
    let scenarios = with(
        &[],
        &[
            (
                "unhandled",
                &[
                    "/exception/values/0/mechanism/type=\"UncaughtExceptionHandler\"",
                    "/exception/values/0/mechanism/handled=false",
                ],
            ),
            (
                "grouped",
                &[
                    "/exception/values/1/mechanism/type=\"suppressed\"",
                    "/exception/values/2/type",
                ],
            ),
            (
                "breadcrumbs",
                &["/breadcrumbs/values/0/message", "/breadcrumbs/values/3/message"],
            ),
            // Those of the virtual machine come along.
            ("threads", &["/threads/values/4/name", "/threads/values/4/state"]),
        ],
    );
    let encodings = prove(&scenarios, |dsn| {
        let path = std::env::join_paths([&classes, &jars]).unwrap();
        let mut java = Command::new("java");
        // The last scenario is an exception that nobody catches.
        run_client(java.arg("-cp").arg(path).arg("shop.Program").arg(dsn), 1);
    });
    assert!(encodings.contains("gzip"), "{encodings:?}");
}
