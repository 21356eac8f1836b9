//! Measures the server against a floor: a bare HTTP server that reads the same bodies and syncs them in groups.
//!
//! Both run on this machine beside the load generator, one after the other, on fresh folders.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// Events sent.
const EVENTS: usize = 40_000;
/// Requests at the same time.
const CONNECTIONS: usize = 32;
/// Distinct stack traces.
const STACKS: usize = 50;

/// One error of about 5.7 KB: one of 50 stacks, ids in its message.
fn event(n: usize) -> (String, Vec<u8>) {
    let id = format!(
        "{:032x}",
        (n as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128
    );
    let stack = n % STACKS;
    let frames: Vec<Value> = (0..14)
        .map(|f| {
            json!({
                "filename": format!("shop/part{}/module_{}.py", f % 5, (f * 7 + stack) % 90),
                "abs_path": format!("/srv/app/shop/part{}/module_{}.py", f % 5, (f * 7 + stack) % 90),
                "function": format!("handle_{}_{}", stack, f), "module": format!("shop.part{}.module_{}", f % 5, (f * 7 + stack) % 90),
                "lineno": 10 + f * 3, "in_app": f % 3 == 0, "context_line": "    return self.call(request, *args, **kwargs)",
                "pre_context": ["    def run(self):", "        if not self.ready:"], "post_context": ["", "    def stop(self):"],
            })
        })
        .collect();
    let body = json!({
        "event_id": id, "platform": "python", "level": "error", "release": "shop@1.4.2", "environment": "production",
        "server_name": format!("web-{}", n % 12), "transaction": format!("/checkout/{}", stack % 9),
        "exception": { "values": [{ "type": format!("ShopError{stack}"), "value": format!("order {n} of user {} failed", n * 7 % 9001),
            "mechanism": { "type": "generic", "handled": !n.is_multiple_of(4) }, "stacktrace": { "frames": frames } }] },
        "user": { "id": (n % 5000).to_string() }, "tags": { "region": (["eu", "us", "ap"][n % 3]), "shard": (n % 16).to_string() },
        "request": { "url": format!("https://shop.example/checkout/{}", n % 9), "method": "POST", "headers": { "User-Agent": "Mozilla/5.0" } },
        "breadcrumbs": { "values": [{ "category": "query", "message": "select * from orders where id = %s", "timestamp": 1_790_000_000 }] },
        "sdk": { "name": "sentry.python", "version": "2.75.0" },
    });
    let body = body.to_string();
    let header = json!({ "event_id": id });
    let out = format!(
        "{header}\n{{\"type\":\"event\",\"length\":{}}}\n{body}\n",
        body.len()
    );
    (id, out.into_bytes())
}

/// Prints events of the load as JSON lines, for profilers.
///
/// # Errors
/// If the count is none, or standard output is closed.
pub fn print_events(args: &[String]) -> anyhow::Result<()> {
    let count: usize = args.first().context("how many events?")?.parse()?;
    let mut out = std::io::stdout().lock();
    for n in 0..count {
        let (_, envelope) = event(n);
        let body = envelope.split(|b| *b == b'\n').nth(2).unwrap_or_default();
        out.write_all(body)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

struct Load {
    seconds: f64,
    p50: Duration,
    p99: Duration,
    bytes: usize,
}

async fn send_all(url: &str) -> anyhow::Result<Load> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let bodies: Arc<Vec<Bytes>> = Arc::new((0..EVENTS).map(|n| Bytes::from(event(n).1)).collect());
    let bytes = bodies.iter().map(Bytes::len).sum::<usize>() / EVENTS;
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, bodies, next, url) = (client.clone(), bodies.clone(), next.clone(), url.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(body) = bodies.get(n) else {
                    return Ok::<_, anyhow::Error>(times);
                };
                let at = Instant::now();
                let request = Request::post(&url).body(Full::new(body.clone()))?;
                let answer = client.request(request).await?;
                let status = answer.status();
                let text = answer.into_body().collect().await?.to_bytes();
                if !status.is_success() {
                    bail!("{status}: {}", String::from_utf8_lossy(&text));
                }
                times.push(at.elapsed());
            }
        }));
    }
    let mut times = Vec::with_capacity(EVENTS);
    for task in tasks {
        times.extend(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    times.sort_unstable();
    Ok(Load {
        seconds,
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        bytes,
    })
}

/// The floor: reads bodies and syncs them in groups, nothing else.
async fn floor(folder: &Path) -> anyhow::Result<Load> {
    let (sender, mut receiver) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>(4096);
    let mut file = File::create(folder.join("floor"))?;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        while let Some(first) = receiver.blocking_recv() {
            let mut group = vec![first];
            while let Ok(more) = receiver.try_recv() {
                group.push(more);
            }
            for (body, _) in &group {
                file.write_all(body)?;
            }
            file.sync_data()?;
            for (_, done) in group {
                let _ = done.send(());
            }
        }
        Ok(())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                    let sender = sender.clone();
                    async move {
                        let body = request.into_body().collect().await?.to_bytes();
                        let (done, wait) = oneshot::channel();
                        let _ = sender.send((body, done)).await;
                        let _ = wait.await;
                        Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from_static(b"{}"))))
                    }
                });
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let load = send_all(&url).await?;
    server.abort();
    let _ = server.await;
    drop(writer);
    Ok(load)
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU seconds and peak memory (kB) of a process.
fn usage(pid: u32) -> anyhow::Result<(f64, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .context("stat")?
        .1
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .context("VmHWM")?;
    Ok((ticks / 100.0, peak.trim().trim_end_matches(" kB").trim().parse()?))
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

async fn get(url: &str, token: &str) -> anyhow::Result<Value> {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(url)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::default())?;
    let body = client
        .request(request)
        .await?
        .into_body()
        .collect()
        .await?
        .to_bytes();
    Ok(serde_json::from_slice(&body)?)
}

async fn measure(binary: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or_else(|_| ".".into()))?;
    let floor = floor(folder.path()).await?;
    let data = folder.path().join("data");
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let child = Command::new(binary)
        .args([
            "serve",
            "--log",
            "warn",
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--data-dir",
        ])
        .arg(&data)
        .stdout(Stdio::null())
        .spawn()?;
    let server = Server(child);
    let base = format!("http://127.0.0.1:{port}");
    let mut setup = None;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let out = Command::new(binary)
            .args([
                "setup",
                "--json",
                "--email",
                "bench@localhost",
                "--password",
                "benchmark-1",
                "--org",
                "acme",
                "--project",
                "shop",
                "--data-dir",
            ])
            .arg(&data)
            .output()?;
        if out.status.success() {
            setup = serde_json::from_slice::<Value>(&out.stdout).ok();
            break;
        }
    }
    let setup = setup.context("the server did not start")?;
    let text = |key: &str| setup[key].as_str().unwrap_or_default().to_owned();
    let dsn = text("dsn");
    let key = dsn
        .split("//")
        .nth(1)
        .and_then(|r| r.split('@').next())
        .context("dsn")?;
    let url = format!("{base}/api/{}/envelope/?sentry_key={key}", text("project_id"));
    let start = Instant::now();
    let load = send_all(&url).await?;
    let token = text("token");
    let expected = EVENTS as u64;
    loop {
        let health = get(&format!("{base}/api/0/internal/health/"), &token).await?;
        if health["server"]["storedEvents"].as_u64() == Some(expected) {
            break;
        }
        if start.elapsed() > Duration::from_secs(600) {
            bail!("not all events were processed: {health}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let processed = start.elapsed().as_secs_f64();
    let (cpu, peak) = usage(server.0.id())?;
    let (last, _) = event(EVENTS - 1);
    let found = get(&format!("{base}/api/0/projects/acme/shop/events/{last}/"), &token).await?;
    if found["id"].as_str() != Some(&last) {
        bail!("the last event cannot be found: {found}");
    }
    let issues = get(
        &format!("{base}/api/0/organizations/acme/issues/?query=&limit=100"),
        &token,
    )
    .await?;
    let counted: u64 = issues
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|i| i["count"].as_str()?.parse::<u64>().ok())
        .sum();
    let number = issues.as_array().map_or(0, Vec::len);
    let disk = folder_bytes(&data.join("packs"))
        + folder_bytes(&data.join("index"))
        + folder_bytes(&data.join("ids"));
    let n = EVENTS as f64;
    println!(
        "events                 {EVENTS} of {} bytes, {STACKS} stacks, {CONNECTIONS} connections",
        load.bytes
    );
    println!("issues                 {number}, counting {counted} events");
    println!(
        "accepted               {:.0}/s (floor {:.0}/s, ratio {:.2})",
        n / load.seconds,
        n / floor.seconds,
        floor.seconds / load.seconds
    );
    println!(
        "accept p50 / p99       {:.1} / {:.1} ms (floor {:.1} / {:.1} ms)",
        ms(load.p50),
        ms(load.p99),
        ms(floor.p50),
        ms(floor.p99)
    );
    println!(
        "processed, searchable  {:.0}/s (floor's ratio {:.2})",
        n / processed,
        floor.seconds / processed
    );
    println!("CPU per event          {:.3} ms", cpu * 1000.0 / n);
    println!("peak memory            {} MB", peak / 1024);
    println!("disk per event         {} B (packs, index, ids)", disk / expected);
    if counted != expected {
        bail!("the issues count {counted} events instead of {expected}");
    }
    Ok(())
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

/// Runs the benchmark on a binary.
///
/// # Errors
/// If the server fails or an event is missing.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let binary = args.first().context("xtask bench <vedette binary>")?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(binary))
}
