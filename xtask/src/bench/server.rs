//! The server under test: started on an empty folder, with a login and projects.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use serde_json::{Value, json};

use super::load::{client, get};

/// A running server; it is stopped when this goes.
pub struct Server {
    child: Child,
    data: PathBuf,
    base: String,
    token: String,
    /// Where the events of each project go.
    pub envelopes: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the binary on the folder `data` below this one, with so many projects.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start(binary: &str, folder: &Path, projects: usize) -> anyhow::Result<Server> {
        let data = folder.join("data");
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(binary)
            .args([
                "serve",
                "--log",
                "warn",
                "--set",
                "api-rate-limit=off",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--data-dir",
            ])
            .arg(&data)
            .stdout(Stdio::null())
            .spawn()?;
        let mut server = Server {
            child,
            data,
            base: format!("http://127.0.0.1:{port}"),
            token: String::new(),
            envelopes: Vec::new(),
        };
        let setup = server.setup(binary).await.context("the server did not start")?;
        server.token = setup["token"].as_str().unwrap_or_default().to_owned();
        let key = public_key(&setup["dsn"])?;
        let id = setup["project_id"].as_str().unwrap_or_default();
        let first = format!("{}/api/{id}/envelope/?sentry_key={key}", server.base);
        server.envelopes.push(first);
        for n in 1..projects {
            let name = format!("project-{n}");
            let made = server
                .post(
                    "organizations/acme/projects/",
                    &json!({ "name": name, "slug": name }),
                )
                .await?;
            let id = made["id"].as_str().context("a project without an id")?;
            let keys = server.get(&format!("projects/acme/{name}/keys/")).await?.1;
            let key = public_key(&keys[0]["dsn"]["public"])?;
            server
                .envelopes
                .push(format!("{}/api/{id}/envelope/?sentry_key={key}", server.base));
        }
        Ok(server)
    }

    async fn setup(&self, binary: &str) -> Option<Value> {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            // Not before the server has the folder: the command would take it.
            let address = self.base.trim_start_matches("http://");
            if tokio::net::TcpStream::connect(address).await.is_err() {
                continue;
            }
            let out = Command::new(binary)
                .args(["setup", "--json", "--email", "bench@localhost"])
                .args(["--password", "benchmark-1", "--org", "acme", "--project", "shop"])
                .arg("--data-dir")
                .arg(&self.data)
                .output()
                .ok()?;
            if out.status.success() {
                return serde_json::from_slice(&out.stdout).ok();
            }
        }
        None
    }

    /// Asks the API.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<(u16, Value)> {
        get(&format!("{}/api/0/{path}", self.base), &self.token).await
    }

    /// A request of the API that somebody completes and sends.
    pub fn request(&self, method: &str, path: &str) -> hyper::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}/api/0/{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
    }

    /// Memory of the processes that the server has started, MB.
    pub fn beside(&self) -> u64 {
        let parent = self.child.id().to_string();
        let Ok(all) = std::fs::read_dir("/proc") else {
            return 0;
        };
        let of = |entry: std::fs::DirEntry| -> Option<u64> {
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            (*fields.get(1)? == parent).then_some(())?;
            let pages: u64 = fields.get(21)?.parse().ok()?;
            Some(pages * 4 / 1024)
        };
        all.flatten().filter_map(of).sum()
    }

    /// Sends JSON to the API.
    ///
    /// # Errors
    /// If there is no answer, or none that is JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = Request::post(format!("{}/api/0/{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))?;
        let answer = client().request(request).await?;
        let body = answer.into_body().collect().await?.to_bytes();
        Ok(serde_json::from_slice(&body)?)
    }

    /// Events stored since the start.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn stored(&self) -> anyhow::Result<u64> {
        let (_, health) = self.get("internal/health/").await?;
        Ok(health["server"]["storedEvents"].as_u64().unwrap_or(0))
    }

    /// CPU seconds so far, and memory now and at most, in MB.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn usage(&self) -> anyhow::Result<(f64, u64, u64)> {
        let pid = self.child.id();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, fields) = stat.rsplit_once(')').context("stat")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let memory = |name: &str| -> anyhow::Result<u64> {
            let line = status
                .lines()
                .find_map(|l| l.strip_prefix(name))
                .context("memory")?;
            Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? / 1024)
        };
        Ok((ticks / 100.0, memory("VmRSS:")?, memory("VmHWM:")?))
    }

    /// CPU seconds of the server and of the processes that it started and that have ended.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn processor(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("stat")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = fields.get(11..15).context("stat")?;
        let ticks: Result<Vec<f64>, _> = ticks.iter().map(|f| f.parse::<f64>()).collect();
        Ok(ticks?.iter().sum::<f64>() / 100.0)
    }

    /// Bytes of packs, index and ids.
    pub fn disk(&self) -> u64 {
        ["packs", "index", "ids"]
            .iter()
            .map(|d| folder_bytes(&self.data.join(d)))
            .sum()
    }
}

fn public_key(dsn: &Value) -> anyhow::Result<String> {
    let dsn = dsn.as_str().unwrap_or_default();
    let key = dsn.split("//").nth(1).and_then(|r| r.split('@').next());
    Ok(key.context("a DSN without a key")?.to_owned())
}

fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|e| match e.file_type() {
            Ok(kind) if kind.is_dir() => folder_bytes(&e.path()),
            _ => e.metadata().map_or(0, |m| m.len()),
        })
        .sum()
}
