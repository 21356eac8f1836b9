//! What source maps and minidumps cost: many maps of usual size once each, the same again when they are known, one very
//! large one, and dumps whose stacks are walked.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use serde_json::{Value, json};

use super::load::client;
use super::server::Server;

/// Maps of about 1 MB.
const MAPS: usize = 1_000;
/// Frames of an event of the warm run.
const FRAMES: usize = 20;
/// Events of the warm run.
const EVENTS: usize = 5_000;
/// How long it is waited after the cold run.
const REST: Duration = Duration::from_secs(60);
/// How long it is waited until the processes that read files have ended.
const ENDED: Duration = Duration::from_secs(10);
/// Minidumps.
const DUMPS: usize = 200;

/// Numbers that look random and are the same every time.
struct Seed(u32);

impl Seed {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % n
    }
}

fn vlq(out: &mut String, n: i64) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = if n < 0 {
        (n.unsigned_abs() << 1) | 1
    } else {
        n.unsigned_abs() << 1
    };
    loop {
        let digit = (rest & 31) as usize;
        rest >>= 5;
        out.push(char::from(DIGITS[if rest > 0 { digit | 32 } else { digit }]));
        if rest == 0 {
            return;
        }
    }
}

/// A script of one line and its map of about so many bytes: six tenths are sources, the rest mappings.
fn script(number: usize, size: usize) -> (String, String) {
    let mut seed = Seed(number as u32 + 7);
    let sources = (size * 6 / 10 / 24_000).max(1);
    let contents: Vec<String> = (0..sources)
        .map(|_| {
            (0..300)
                .map(|line| {
                    format!(
                        "  const value{line} = compute(alpha, beta, gamma) + {}; // words that fill a line\n",
                        seed.below(1_000_000)
                    )
                })
                .collect()
        })
        .collect();
    let (mut code, mut mappings) = (String::new(), String::new());
    let (mut last_source, mut last_line, mut last_column) = (0_i64, 0_i64, 0_i64);
    let wanted = size * 4 / 10;
    let mut functions = 0;
    while mappings.len() < wanted {
        // A function of 24 characters, with a mapping at its beginning, its name and its body.
        let name = format!("f{functions:07}");
        code.push_str(&format!("function {name}(a){{a.b()}}"));
        for step in [0_i64, 9, 9] {
            let source = (mappings.len() * sources / wanted).min(sources - 1) as i64;
            let (line, column) = (i64::from(seed.below(300)), i64::from(seed.below(40)));
            if !mappings.is_empty() {
                mappings.push(',');
            }
            let step = if functions == 0 && step == 0 {
                0
            } else if step == 0 {
                11
            } else {
                step
            };
            vlq(&mut mappings, step);
            vlq(&mut mappings, source - last_source);
            vlq(&mut mappings, line - last_line);
            vlq(&mut mappings, column - last_column);
            (last_source, last_line, last_column) = (source, line, column);
        }
        functions += 1;
    }
    code.push_str(&format!("\n//# sourceMappingURL={number}.js.map\n"));
    let names: Vec<String> = (0..sources).map(|n| format!("src/{number}/{n}.ts")).collect();
    let map = json!({ "version": 3, "sources": names, "sourcesContent": contents, "names": [], "mappings": mappings });
    (code, map.to_string())
}

async fn upload(server: &Server, name: &str, text: String) -> anyhow::Result<()> {
    put(
        server,
        "projects/acme/shop/releases/bench@1/files/",
        name,
        text.as_bytes(),
    )
    .await
}

/// Sends a form with a file.
async fn put(server: &Server, path: &str, name: &str, file: &[u8]) -> anyhow::Result<()> {
    let mut body = Vec::with_capacity(file.len() + 500);
    for (field, value) in [("name", name), ("file", "")] {
        body.extend_from_slice(b"--bench-0123456789\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(field.as_bytes());
        if field == "file" {
            body.extend_from_slice(b"\"; filename=\"a\"\r\nContent-Type: application/octet-stream\r\n\r\n");
            body.extend_from_slice(file);
        } else {
            body.extend_from_slice(b"\"\r\n\r\n");
            body.extend_from_slice(value.as_bytes());
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--bench-0123456789--\r\n");
    let request = server
        .request("POST", path)
        .header("content-type", "multipart/form-data; boundary=bench-0123456789")
        .body(Full::new(Bytes::from(body)))?;
    let answer = client().request(request).await?;
    let status = answer.status();
    if !status.is_success() {
        let text = answer.into_body().collect().await?.to_bytes();
        bail!("{name}: {status} {}", String::from_utf8_lossy(&text));
    }
    Ok(())
}

/// An event with frames in some scripts.
fn event(id: usize, scripts: &[usize], seed: &mut Seed) -> Value {
    let frames: Vec<Value> = scripts
        .iter()
        .map(|n| {
            let url = format!("https://bench.example/{n}.js");
            json!({ "function": "f", "abs_path": url, "filename": url, "lineno": 1, "colno": 1 + seed.below(200_000) })
        })
        .collect();
    json!({ "event_id": format!("{id:032x}"), "platform": "javascript", "release": "bench@1",
        "exception": { "values": [{ "type": "TypeError", "value": "x is undefined", "stacktrace": { "frames": frames } }] } })
}

async fn send(url: &str, event: &Value) -> anyhow::Result<()> {
    let id = &event["event_id"];
    let text = event.to_string();
    let body = format!(
        "{{\"event_id\":{id}}}\n{{\"type\":\"event\",\"length\":{}}}\n{text}\n",
        text.len()
    );
    let answer = client()
        .request(Request::post(url).body(Full::new(Bytes::from(body)))?)
        .await?;
    if answer.status() != 200 {
        bail!("an event was answered with {}", answer.status());
    }
    Ok(())
}

/// Waits until so many events are stored; answers how long that took, and the most memory of the processes beside the
/// server, MB.
async fn until(server: &Server, stored: u64, start: Instant) -> anyhow::Result<(f64, u64)> {
    let mut beside = 0;
    loop {
        beside = beside.max(server.beside());
        if server.stored().await? >= stored {
            return Ok((start.elapsed().as_secs_f64(), beside));
        }
        if start.elapsed() > Duration::from_secs(600) {
            bail!("not all events were processed in ten minutes");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The file of the newest frame of an event.
async fn file_of(server: &Server, id: usize) -> anyhow::Result<String> {
    let (_, event) = server
        .get(&format!("projects/acme/shop/events/{id:032x}/"))
        .await?;
    let entries = event["entries"].as_array().context("an event")?;
    let exception = entries
        .iter()
        .find(|e| e["type"] == "exception")
        .context("an exception")?;
    let frames = exception["data"]["values"][0]["stacktrace"]["frames"]
        .as_array()
        .context("frames")?;
    let last = frames.last().context("a frame")?;
    Ok(last["filename"].as_str().unwrap_or_default().to_owned())
}

/// Events with the same frames, to a project that has nothing to map them by and to the one that has: CPU of the server
/// per frame, µs.
async fn warm(server: &Server, url: &str, first: usize, stored: u64) -> anyhow::Result<(f64, f64)> {
    let mut seed = Seed(3);
    let before = server.usage()?.0;
    let start = Instant::now();
    for n in 0..EVENTS {
        let scripts: Vec<usize> = (0..FRAMES).map(|_| seed.below(50) as usize).collect();
        send(url, &event(first + n, &scripts, &mut seed)).await?;
    }
    let (seconds, _) = until(server, stored, start).await?;
    let cpu = (server.usage()?.0 - before) * 1e6 / EVENTS as f64;
    Ok((cpu, EVENTS as f64 / seconds))
}

/// Measures a binary.
///
/// # Errors
/// If the server fails, or a frame is not mapped.
pub async fn measure(binary: &str) -> anyhow::Result<()> {
    let folder = super::scratch()?;
    let server = Server::start(binary, folder.path(), 2).await?;
    let idle = server.usage()?.1;
    let release = json!({ "version": "bench@1", "projects": ["shop"] });
    server.post("organizations/acme/releases/", &release).await?;
    let mut bytes = 0;
    for n in 0..MAPS {
        let (code, map) = script(n, 1_000_000);
        bytes += map.len();
        upload(&server, &format!("~/{n}.js"), code).await?;
        upload(&server, &format!("~/{n}.js.map"), map).await?;
    }
    println!(
        "{MAPS} maps of {} KB are uploaded; memory {} MB, {idle} MB before",
        bytes / MAPS / 1000,
        server.usage()?.1
    );
    let url = server.envelopes[0].clone();
    let mut seed = Seed(1);
    let (before, of_all) = (server.usage()?.0, server.processor()?);
    let start = Instant::now();
    for n in 0..MAPS {
        send(&url, &event(n + 1, &[n], &mut seed)).await?;
    }
    let (seconds, beside) = until(&server, MAPS as u64, start).await?;
    let (cpu, now, peak) = server.usage()?;
    for n in [1, MAPS / 2, MAPS] {
        let file = file_of(&server, n).await?;
        if !file.starts_with(&format!("src/{}/", n - 1)) {
            bail!("the frame of event {n} is in {file}");
        }
    }
    println!(
        "cold: {MAPS} events, a map of its own for each: {seconds:.1} s; server {:.2} ms of processor each, {now} MB, {peak} MB \
         at most; processes beside it {beside} MB at most",
        (cpu - before) * 1000.0 / MAPS as f64
    );
    tokio::time::sleep(REST).await;
    println!(
        "a minute later: {} MB; server and processes took {:.0} ms of processor for each map",
        server.usage()?.1,
        (server.processor()? - of_all) * 1000.0 / MAPS as f64
    );

    let plain = server.envelopes[1].clone();
    let (bare, bare_rate) = warm(&server, &plain, 1 << 20, (MAPS + EVENTS) as u64).await?;
    let (mapped, rate) = warm(&server, &url, 1 << 21, (MAPS + 2 * EVENTS) as u64).await?;
    println!(
        "warm: {EVENTS} events of {FRAMES} frames: {mapped:.0} µs of processor each and {rate:.0}/s; the same to a project \
         without maps {bare:.0} µs and {bare_rate:.0}/s; mapping a frame {:.1} µs, ratio {:.2}",
        (mapped - bare) / FRAMES as f64,
        mapped / bare
    );

    let (code, map) = script(MAPS, 100_000_000);
    let size = map.len() / 1_000_000;
    upload(&server, &format!("~/{MAPS}.js"), code).await?;
    upload(&server, &format!("~/{MAPS}.js.map"), map).await?;
    let id = 1 << 22;
    let start = Instant::now();
    send(&url, &event(id, &[MAPS], &mut Seed(5))).await?;
    let (seconds, beside) = until(&server, (MAPS + 2 * EVENTS + 1) as u64, start).await?;
    let file = file_of(&server, id).await?;
    if !file.starts_with(&format!("src/{MAPS}/")) {
        bail!("the frame of the large map is in {file}");
    }
    let (_, now, peak) = server.usage()?;
    println!(
        "one map of {size} MB: {seconds:.1} s; server {now} MB, {peak} MB at most since its start; processes beside it \
         {beside} MB at most"
    );
    dumps(&server, (MAPS + 2 * EVENTS + 1) as u64).await
}

/// Minidumps, each of another content, then the same again: CPU of the server and of the processes beside it.
async fn dumps(server: &Server, stored: u64) -> anyhow::Result<()> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/symbols");
    let library = std::fs::read(format!("{fixtures}/elf/libshop.so"))?;
    put(server, "projects/acme/shop/files/dsyms/", "libshop.so", &library).await?;
    let dump = std::fs::read(format!("{fixtures}/minidump/crash.dmp"))?;
    let url = server.envelopes[0].replace("/envelope/", "/minidump/");
    let mut stored = stored;
    for how in ["walked", "known"] {
        tokio::time::sleep(ENDED).await;
        let before = server.processor()?;
        let start = Instant::now();
        for n in 0..DUMPS as u64 {
            // Bytes behind a dump change its name, and not what is in it.
            let body = [&dump[..], &n.to_le_bytes()].concat();
            let request = Request::post(&url).header("content-type", "application/octet-stream");
            let answer = client()
                .request(request.body(Full::new(Bytes::from(body)))?)
                .await?;
            if answer.status() != 200 {
                bail!("a dump was answered with {}", answer.status());
            }
        }
        stored += DUMPS as u64;
        let (seconds, beside) = until(server, stored, start).await?;
        tokio::time::sleep(ENDED).await;
        println!(
            "{DUMPS} minidumps of {} KB, {how}: {seconds:.1} s, {:.1} ms of processor each with that of the processes \
             beside the server, which had {beside} MB at most",
            dump.len() / 1000,
            (server.processor()? - before) * 1000.0 / DUMPS as f64
        );
    }
    Ok(())
}
