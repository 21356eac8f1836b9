//! The browser SDK, bundled, in a page that Chromium opens.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::{fetched, install_npm, prove, run, sources, with};

/// How long the page may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the page is made of.
struct Pages {
    html: String,
    script: Vec<u8>,
    done: Sender<String>,
}

impl Pages {
    /// Serves the page on a free port; what `/done` is asked with comes out of the channel.
    fn serve(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages = Arc::new(self);
        std::thread::spawn(move || {
            // A browser opens connections in advance, so each has a thread.
            for stream in listener.incoming().flatten() {
                let pages = Arc::clone(&pages);
                std::thread::spawn(move || pages.answer(&stream));
            }
        });
        port
    }

    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream).lines();
        let line = lines.next()?.ok()?;
        let target = line.split(' ').nth(1)?;
        // The head has to be read before the answer, or the connection ends with an error.
        lines.find(|l| l.as_ref().is_ok_and(String::is_empty));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (status, kind, body) = match path {
            "/shop" => ("200 OK", "text/html", self.html.as_bytes()),
            "/assets/app.js" => ("200 OK", "text/javascript", &self.script[..]),
            "/done" => ("200 OK", "text/plain", &b""[..]),
            _ => ("404 Not Found", "text/plain", &b""[..]),
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .ok()?;
        stream.write_all(body).ok()?;
        if path == "/done" {
            self.done.send(query.to_owned()).ok()?;
        }
        Some(())
    }
}

#[test]
fn browser() {
    with_packages_of("browser");
}

/// The major version before, which many still have.
#[test]
fn browser_of_version_10() {
    with_packages_of("browser-10");
}

fn with_packages_of(lock: &str) {
    let packages = fetched(lock, &["package-lock.json"], |folder| {
        install_npm(folder, &sources(lock));
    });
    // Packages are looked for from the program's folder upwards.
    let (program, bundle) = (packages.join("program.js"), packages.join("app.js"));
    std::fs::copy(sources("browser").join("program.js"), &program).unwrap();
    let mut esbuild = Command::new(packages.join("node_modules/.bin/esbuild"));
    esbuild
        .args(["--bundle", "--format=iife", "--log-level=warning"])
        .arg(format!("--outfile={}", bundle.display()));
    run(esbuild.arg(program), 0);
    let html = std::fs::read_to_string(sources("browser").join("page.html")).unwrap();
    let script = std::fs::read(bundle).unwrap();
    let scenarios = with(
        // A page has one thread, and the SDK cannot read variables.
        &["threads"],
        &[
            (
                "unhandled",
                &[
                    "/exception/values/0/mechanism/type=\"auto.browser.global_handlers.onerror\"",
                    "/exception/values/0/mechanism/handled=false",
                ],
            ),
            ("timer", &["/exception/values/0/mechanism/handled=false"]),
            (
                "promise",
                &[
                    "/exception/values/0/mechanism/type=\"auto.browser.global_handlers.onunhandledrejection\"",
                    "/exception/values/0/mechanism/handled=false",
                ],
            ),
            // A page has an address and a user agent, but no method.
            (
                "request",
                &[
                    "/request/url",
                    "/request/query_string/0/1",
                    "/request/headers/0/1",
                ],
            ),
        ],
    );
    prove(&scenarios, |dsn| {
        let (done, finished) = channel();
        let pages = Pages {
            html: html.replace("%DSN%", dsn),
            script: script.clone(),
            done,
        };
        let port = pages.serve();
        let profile = tempfile::tempdir().unwrap();
        let mut chromium = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!(
                "http://127.0.0.1:{port}/shop?size=3&colour=dark%20blue#till"
            ))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts; if it is missing: scripts/setup.sh test");
        let said = finished.recv_timeout(PATIENCE);
        chromium.kill().unwrap();
        chromium.wait().unwrap();
        assert_eq!(said.as_deref(), Ok(""), "what the page said at its end");
    });
}
