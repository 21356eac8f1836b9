//! Scripts: Python with `requests`, and the examples that the documentation gives.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::server::Server;

use super::{Fetched, fetched, install_python, run, run_client, sources};
use crate::{error, on_one};

/// Issues that are there when a script begins.
const FIRST: u32 = 30;

pub fn python() -> Fetched {
    let lock = "requirements.txt";
    fetched("requests", &[lock], |folder| {
        install_python(folder, &sources("requests").join(lock));
    })
}

fn documentation() -> String {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let file: PathBuf = Path::new(&folder).join("../../docs/api.md");
    std::fs::read_to_string(file).unwrap()
}

fn send(server: &Server, numbers: std::ops::Range<u32>) {
    for n in numbers {
        // Each has a function of its own, and so is an issue of its own.
        let reply = server.send(&error(n, &format!("Kind{n}")));
        assert_eq!(reply.status, 200);
    }
}

fn settled(server: &Server, issues: u32) {
    server.until("the first issues", |s| {
        let reply = s.api("GET", "organizations/acme/issues/?limit=1&query=", None);
        (reply.header("x-hits") == Some(&issues.to_string())).then_some(())
    });
}

#[test]
fn python_and_requests() {
    let packages = python();
    on_one(&[], |server, _| {
        send(server, 1..FIRST + 1);
        settled(server, FIRST);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let stream = scope.spawn(|| {
                let mut next = 1_000;
                while !done.load(Ordering::Relaxed) && next < 3_000 {
                    send(server, next..next + 1);
                    next += 1;
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
            });
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let mut program = Command::new(packages.join("bin/python"));
                program.arg("-B").arg(sources("requests").join("program.py"));
                program.arg(format!("http://127.0.0.1:{}", server.port));
                run_client(program.arg(server.get("token")).arg(FIRST.to_string()), 0);
            }));
            done.store(true, Ordering::Relaxed);
            stream.join().unwrap();
            if let Err(what) = ran {
                std::panic::resume_unwind(what);
            }
        });
    });
}

#[test]
fn the_documentation_shows_the_script_that_runs() {
    let script = std::fs::read_to_string(sources("requests").join("api.py")).unwrap();
    assert!(documentation().contains(&format!("```python\n{script}```\n")));
}

#[test]
fn the_documentation_shows_commands_that_run() {
    let text = documentation();
    let block = text.split("```sh\n").find(|b| b.starts_with("URL="));
    let commands = block.and_then(|b| b.split("```").next()).expect("the commands");
    on_one(&[], |server, _| {
        send(server, 1..2);
        settled(server, 1);
        let script = commands
            .replace(
                "http://localhost:9000",
                &format!("http://127.0.0.1:{}", server.port),
            )
            .replace("sntryu_…", server.get("token"))
            .replace("12345", "1");
        run(Command::new("bash").args(["-euc", &script]), 0);
        let get = |path: &str| server.api("GET", path, None).json();
        assert_eq!(get("organizations/acme/issues/1/")["status"], "resolved");
        assert_eq!(
            get("organizations/acme/releases/shop@1.2.3/")["version"],
            "shop@1.2.3"
        );
    });
}
