//! The `vedette` binary as tests run it: on a folder and port of its own, with a client for its API.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::books::Books;

/// A running server.
pub struct Server {
    child: Child,
    /// Its port.
    pub port: u16,
    /// What `vedette setup` printed.
    pub setup: Value,
    /// What was sent to it.
    books: Mutex<Books>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// One request to a port of this machine; `None` if there is no whole answer.
pub fn request(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nContent-Length: {}\r\n",
        port,
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    // A refused body may be cut off: the answer counts.
    let _ = stream.write_all(body);
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    Some(Reply {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    })
}

impl Server {
    /// Starts the server on a folder, waits until it answers, and sets up the organization `acme` with the project
    /// `shop`.
    ///
    /// # Panics
    /// If it does not start within 30 seconds.
    pub fn start(binary: &str, data: &Path, arguments: &[&str]) -> Server {
        Server::start_with(binary, data, arguments, &[])
    }

    /// As [`Server::start`], with an environment for both the server and the set-up.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_with(binary: &str, data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let child = Command::new(binary)
            .args([
                "serve",
                "--log",
                "warn",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--data-dir",
            ])
            .arg(data)
            .args(arguments)
            // The disk of the machine that tests is not theirs to keep free.
            .env("VEDETTE_KEEP_FREE_DISK_PERCENT", "0")
            // Tests ask as fast as they can.
            .env("VEDETTE_API_RATE_LIMIT", "off")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut server = Server {
            child,
            port,
            setup: Value::Null,
            books: Mutex::default(),
        };
        let start = Instant::now();
        loop {
            if server
                .try_request("GET", "/_health/", &[], b"")
                .is_some_and(|r| r.status == 200)
            {
                break;
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "the server does not answer"
            );
            assert!(
                server.child.try_wait().expect("a status").is_none(),
                "the server ended"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        let out = Command::new(binary)
            .args([
                "setup",
                "--json",
                "--email",
                "ann@example.com",
                "--password",
                "correct horse",
            ])
            .args(["--org", "acme", "--project", "shop", "--data-dir"])
            .arg(data)
            .envs(environment.iter().copied())
            .output()
            .expect("setup runs");
        assert!(
            out.status.success(),
            "setup: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        let text = String::from_utf8(out.stdout).expect("text");
        server.setup = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        server
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A value of the set-up.
    pub fn get(&self, key: &str) -> &str {
        self.setup[key].as_str().unwrap_or_default()
    }

    /// The public key.
    pub fn key(&self) -> &str {
        self.get("dsn")
            .split("//")
            .nth(1)
            .and_then(|r| r.split('@').next())
            .unwrap_or_default()
    }

    fn try_request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Reply> {
        request(self.port, method, path, headers, body)
    }

    /// One request.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let reply = self
            .try_request(method, path, headers, body)
            .unwrap_or_else(|| panic!("{method} {path}: no answer"));
        if method == "POST" {
            self.count(path, headers, body, reply.status);
        }
        reply
    }

    /// Counts a request that somebody else sent, for [`Server::balance`]; the body as the client meant it.
    pub fn count(&self, path: &str, headers: &[(&str, &str)], body: &[u8], status: u16) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.request(path, headers, body, status);
    }

    /// Waits until everything that was sent through [`Server::request`] or counted is stored or discarded, by the server's
    /// own count of outcomes.
    ///
    /// # Panics
    /// If an item is missing or counted twice.
    pub fn balance(&self) {
        let sent = *self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let path = "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&groupBy=category&statsPeriod=1d";
        let start = Instant::now();
        loop {
            let answer = self.api("GET", path, None);
            let said = answer.json()["groups"].clone();
            let books = Books::of_groups(&said);
            if answer.status == 200 && books == sent {
                return;
            }
            assert!(
                start.elapsed() < Duration::from_secs(15),
                "sent {sent:?}, the server says {books:?}: {} {said}",
                answer.status
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// A request of the API with the token of the set-up.
    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let authorization = format!("Bearer {}", self.get("token"));
        let bytes = body.map(|b| b.to_string().into_bytes()).unwrap_or_default();
        self.request(
            method,
            &format!("/api/0/{path}"),
            &[("Authorization", &authorization)],
            &bytes,
        )
    }

    /// Sends an event as an envelope.
    pub fn send(&self, event: &Value) -> Reply {
        let header = serde_json::json!({ "event_id": event["event_id"] });
        let body = event.to_string();
        let envelope = format!(
            "{header}\n{{\"type\":\"event\",\"length\":{}}}\n{body}\n",
            body.len()
        );
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            self.get("project_id"),
            self.key()
        );
        self.request("POST", &path, &[], envelope.as_bytes())
    }

    /// Asks until an answer is as wanted.
    ///
    /// # Panics
    /// After 15 seconds.
    pub fn until<T>(&self, what: &str, mut ask: impl FnMut(&Server) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = ask(self) {
                return found;
            }
            assert!(
                start.elapsed() < Duration::from_secs(15),
                "{what}: not within 15 seconds"
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Ends the server as a power cut would.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends the server well.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.is_ok_and(|s| s.success()), "kill");
        let status = self.child.wait().expect("a status");
        assert!(status.success(), "the server ended with {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
