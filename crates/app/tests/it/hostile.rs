//! Input made to cost more than it should: each has its stated answer (docs/LIMITS.md, "Hostile input"), and the
//! server stays well, within a stated amount of memory.

mod events;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::server::{Server, request};

use crate::{error, on_one};

/// Resident memory that the server may reach whatever is sent, bytes.
const MEMORY: u64 = 300 << 20;
/// The same while large attachments are taken, which are kept: a few times the largest envelope.
const MEMORY_OF_FILES: u64 = 600 << 20;
/// Nothing here takes nearly as long; it ends what would never end.
const HANG: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;

/// 1,100 MiB of spaces, compressed by brotli.
const BROTLI_BOMB: &str = "z///fwAkQOKxQHLv//n//w+ABEAcFoDu/T////8BkACIwwLQvf/n//8/ABIAcVgAuvf//P//B0ACIA4LQPf+n////wBI\
     AMRhAeje//P//x8ACYA4LADd+3/+//8DIAEQhwWge//P//9/ACQA4rAAdO//+f//D4AEQBwWgO79P////wGQAIjDAtC9\
     /+f//z8AEgBxWAC69//8//8HQAIgDgtA9/6f////AEgAxGEB6N7/8///HwAJgDgsAN37f/7//wMgARCHBaB7/8///38A\
     JADisAB07//5//8PgARAHBaA7v0/////AZAAiMMC0L3/5///PwASAHFYALr3//z//wdAAiAOC0D3/p////8ASADEYQHo\
     3v/z//8fAAmAOCwA3ft//v//AyABEIcFoHv/z///fwAkAOKwAHTv//n//w+ABEAcFoDu/T////8BkACIwwLQvf/n//8/\
     ABIAcVgAuvf//P//B0ACIA4LQPf+n////wBIAMRhAeje//P//x8ACYA4LADd+3/+//8DIAEQhwWge//P//9/ACQA4rAA\
     dO//+f//D4AEQBwWgO79P////wGQAIjDAtC9/+f//z8AEgBxWAC69//8//8HQAIgDgtA9/6f////AEgAxGEB6N7/8///\
     HwAJgDgsAN37f/7//wMgARCHBaB7/8///38AJADisAB07//5//8PgARAHBaA7v0/////AZAAiMMC0L3/5///PwASAHFY\
     ALr3//z//wdAAiAOC0D3/p////8ASADEYQHo3v/z//8fAAmAOCwA3ft//v//AyABEIcFoHv/z///fwAkAOKwAHTv//n/\
     /w+ABEAcFoDu/T////8BkACIwwLQvf/n//8/ABIAcVgAuvf//P//B0ACIA4LQPf+n////wBIAMRhAeje//P//x8ACYA4\
     LADd+3/+//8DIAEQhwWge//P//9/ACQA4rAAdO//+f//D4AEQBwWgO79P////wGQAIjDAtC9/+f//z8AEgBxWAC69//8\
     //8HQAIgDgtA9/6f////AEgAxGEB6N7/8///HwAJgDgsAN37f/7//wMgARCHBaB7/8///38AJADisAB07//5//8PgARA\
     HBaA7v0/////AZAAiMMC0L3/5///PwASAHFYALr3//n//wtAAiAOC0D3/hc=";

/// The most memory that the server had since this was last asked.
fn peak(server: &Server) -> u64 {
    let folder = format!("/proc/{}", server.pid());
    let text = fs::read_to_string(format!("{folder}/status")).unwrap();
    let line = text.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let _ = fs::write(format!("{folder}/clear_refs"), "5");
    kib << 10
}

/// Whether the server is well, and took no more than it may.
fn well(server: &Server, what: &str, begun: Instant, memory: u64) {
    let took = begun.elapsed();
    assert!(took < HANG, "{what}: {took:?}");
    let health = server.request("GET", "/_health/", &[], b"");
    assert_eq!(health.status, 200, "{what}");
    let peak = peak(server);
    println!("{what}: {took:?}, {} MiB", peak >> 20);
    assert!(peak < memory, "{what}: {} MiB of memory", peak >> 20);
}

fn store_path(server: &Server) -> String {
    format!(
        "/api/{}/store/?sentry_key={}",
        server.get("project_id"),
        server.key()
    )
}

fn envelope_path(server: &Server) -> String {
    store_path(server).replace("/store/", "/envelope/")
}

/// Sends something that is refused, and says the detail of the answer.
fn refused(
    server: &Server,
    what: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    status: u16,
) -> String {
    let begun = Instant::now();
    let reply = server.request("POST", path, headers, body);
    let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert_eq!(reply.status, status, "{what}: {detail}");
    // A refusal repeats little of what it refuses.
    let longest = reply.headers.iter().map(|(_, v)| v.len()).max().unwrap_or(0);
    assert!(
        reply.body.len() < 2_000 && longest < 2_000,
        "{what}: a long refusal"
    );
    assert!(reply.header("x-sentry-error").is_some(), "{what}");
    well(server, what, begun, MEMORY);
    detail
}

/// Sends an event that is taken, and gives it as it is stored.
fn taken(server: &Server, what: &str, n: u32, body: &str) -> Value {
    assert!(body.len() <= MIB, "{what}: {} bytes", body.len());
    let begun = Instant::now();
    let reply = server.request("POST", &store_path(server), &[], body.as_bytes());
    assert_eq!(reply.status, 200, "{what}: {}", reply.json());
    let id = format!("{n:032x}");
    let event = server.until(what, |s| {
        let reply = s.api("GET", &format!("projects/acme/shop/events/{id}/json/"), None);
        (reply.status == 200).then(|| reply.json())
    });
    well(server, what, begun, MEMORY);
    event
}

fn head(n: u32) -> String {
    // With a stack trace it is something to show, whatever else is in it.
    format!(
        "{{\"event_id\":\"{n:032x}\",\"platform\":\"other\",\"stacktrace\":{{\"frames\":[{{\"function\":\"f\"}}]}}"
    )
}

/// As many pieces as fit into an event of 1 MiB behind a head, up to `most`.
fn fill(head: &str, tail: &str, most: usize, piece: impl Fn(usize) -> String) -> (String, usize) {
    let mut out = head.to_owned();
    for n in 0..most {
        let next = piece(n);
        if out.len() + next.len() + 1 + tail.len() > MIB {
            return (out + tail, n);
        }
        if n > 0 {
            out.push(',');
        }
        out.push_str(&next);
    }
    (out + tail, most)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

/// 1,100 MiB of spaces by deflate, without its end: nobody reads so far.
fn deflated() -> Vec<u8> {
    use flate2::{Compress, Compression, FlushCompress};
    let mut coder = Compress::new(Compression::default(), false);
    let mut piece = Vec::with_capacity(1 << 16);
    let spaces = vec![b' '; MIB];
    // After a full flush the next piece is the same again.
    coder
        .compress_vec(&spaces, &mut piece, FlushCompress::Full)
        .unwrap();
    assert_eq!(coder.total_in(), MIB as u64);
    piece.repeat(1_100)
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    let coded = base64::engine::general_purpose::STANDARD;
    let spaces = vec![b' '; MIB];
    let zipped = gzip(&spaces).repeat(1_100);
    vec![
        ("deflate", [&[0x78, 0x9c][..], &deflated()].concat()),
        ("deflate", deflated()),
        ("br", coded.decode(BROTLI_BOMB).unwrap()),
        (
            "zstd",
            zstd::stream::encode_all(&spaces[..], 1).unwrap().repeat(1_100),
        ),
        // Twice, it is a few KiB.
        ("gzip, gzip", gzip(&zipped)),
        ("gzip", zipped),
    ]
}

#[test]
fn bombs_are_refused() {
    on_one(&[], |server, _| {
        let bombs = bombs();
        for (encoding, bomb) in &bombs {
            for (path, limit) in [(store_path(server), 1), (envelope_path(server), 200)] {
                let what = format!("{encoding} of {} bytes to {}", bomb.len(), &path[..20]);
                let headers = [("Content-Encoding", *encoding)];
                let detail = refused(server, &what, &path, &headers, bomb, 413);
                assert!(detail.contains(&format!("than {limit} MiB")), "{what}: {detail}");
            }
        }
        // Old clients compress a store body without saying so.
        let (_, zlib) = &bombs[0];
        refused(server, "unannounced zlib", &store_path(server), &[], zlib, 413);
        // Many at once cost as little.
        let path = envelope_path(server);
        let begun = Instant::now();
        let statuses: Vec<u16> = std::thread::scope(|s| {
            let one = |(encoding, bomb): &(&'static str, Vec<u8>)| {
                request(
                    server.port,
                    "POST",
                    &path,
                    &[("Content-Encoding", *encoding)],
                    bomb,
                )
                .map_or(0, |r| r.status)
            };
            let all: Vec<_> = bombs
                .iter()
                .chain(&bombs)
                .map(|b| s.spawn(move || one(b)))
                .collect();
            all.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(statuses, vec![413; statuses.len()]);
        well(server, "twelve bombs at once", begun, MEMORY);
        // As many layers as a header can name.
        let layers = ["deflate"; 100].join(",");
        refused(
            server,
            "a hundred encodings",
            &path,
            &[("Content-Encoding", &layers)],
            b"x",
            415,
        );
    });
}

#[test]
fn strings_beyond_an_event_are_refused() {
    on_one(&[], |server, _| {
        let (store, envelope) = (store_path(server), envelope_path(server));
        let text = "x".repeat(100_000_000);
        let event = format!("{{\"message\":\"{text}\"}}");
        refused(
            server,
            "100 MB string to store",
            &store,
            &[],
            event.as_bytes(),
            413,
        );
        let item = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        let detail = refused(
            server,
            "100 MB string in an event item",
            &envelope,
            &[],
            item.as_bytes(),
            413,
        );
        assert!(detail.contains("'event'"), "{detail}");
        let report = format!("{{\"csp-report\":{{\"blocked-uri\":\"{text}\"}}}}");
        let security = store.replace("/store/", "/security/");
        let headers = [("Content-Type", "application/csp-report")];
        refused(
            server,
            "100 MB report",
            &security,
            &headers,
            report.as_bytes(),
            413,
        );
        let line = format!("{{\"x\":\"{}\"}}\n", &text[..10_000_000]);
        let begun = Instant::now();
        let reply = server.request("POST", &envelope, &[], line.as_bytes());
        assert_eq!(reply.status, 413, "{}", reply.json());
        well(server, "envelope header of 10 MB", begun, MEMORY);
        let line = format!("{{}}\n\"{}\"\n{{}}\n", &text[..10_000_000]);
        refused(
            server,
            "item header of 10 MB",
            &envelope,
            &[],
            line.as_bytes(),
            413,
        );
        let line = format!("\"{}\"\n", &text[..60_000]);
        refused(
            server,
            "an envelope header that is a long text",
            &envelope,
            &[],
            line.as_bytes(),
            400,
        );
        let line = format!("{{\"event_id\":\"{}\"}}\n", &text[..60_000]);
        refused(server, "a long event id", &envelope, &[], line.as_bytes(), 400);
        let line = format!("{{\"dsn\":\"{}\"}}\n", &text[..60_000]);
        refused(server, "a long dsn", &envelope, &[], line.as_bytes(), 400);
    });
}

#[test]
fn a_large_attachment_is_kept() {
    on_one(&[], |server, _| {
        let id = format!("{:032x}", 1);
        let event = error(1, "Boom").to_string();
        let size = 100_000_000;
        let mut body = format!(
            "{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n{{\"type\":\"attachment\",\"length\":{size},\
             \"filename\":\"a.txt\"}}\n"
        );
        body.push_str(&"x".repeat(size));
        let begun = Instant::now();
        let reply = server.request("POST", &envelope_path(server), &[], body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.json());
        let files = server.until("the attachment", |s| {
            let path = format!("projects/acme/shop/events/{id}/attachments/");
            let reply = s.api("GET", &path, None).json();
            (reply.as_array()?.len() == 1).then_some(reply)
        });
        assert_eq!(files[0]["size"], size);
        well(server, "100 MB attachment", begun, MEMORY_OF_FILES);
    });
}

#[test]
fn many_items_and_lines() {
    on_one(&[], |server, _| {
        let path = envelope_path(server);
        let many = |n: usize| format!("{{}}\n{}", "{\"type\":\"session\"}\n{}\n".repeat(n));
        let begun = Instant::now();
        let reply = server.request("POST", &path, &[], many(10_000).as_bytes());
        assert_eq!(reply.status, 200);
        well(server, "10,000 items", begun, MEMORY);
        let detail = refused(server, "100,000 items", &path, &[], many(100_000).as_bytes(), 413);
        assert!(detail.contains("10000 items"), "{detail}");
        let begun = Instant::now();
        let lines = format!("{{}}\n{}", "\n".repeat(1_000_000));
        assert_eq!(server.request("POST", &path, &[], lines.as_bytes()).status, 200);
        well(server, "1,000,000 empty lines", begun, MEMORY);
        // What they hide is found.
        let event = error(1, "Boom");
        let hidden = format!("{lines}{{\"type\":\"event\"}}\n{event}\n");
        assert_eq!(server.request("POST", &path, &[], hidden.as_bytes()).status, 200);
        server.balance();
        assert_eq!(outcome(server, "too_many_items", "session"), 9_900);
        assert_eq!(outcome(server, "unknown_type", "session"), 100);
    });
}

fn outcome(server: &Server, reason: &str, category: &str) -> u64 {
    let path =
        "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=reason&groupBy=category&statsPeriod=1d";
    let groups = server.api("GET", path, None).json()["groups"].clone();
    let fits = |g: &&Value| g["by"]["reason"] == reason && g["by"]["category"] == category;
    let found = groups.as_array().unwrap().iter().find(fits);
    found
        .and_then(|g| g["totals"]["sum(quantity)"].as_u64())
        .unwrap_or(0)
}

/// Bytes as they are, answered or not.
fn raw(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    // The server may answer and close before it has read all.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn heads_beyond_reason() {
    on_one(&[], |server, _| {
        let path = store_path(server);
        let begin =
            |target: &str| format!("POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let event = "{\"message\":\"hello\"}";
        let many: String = (0..10_000).map(|n| format!("X-H{n}: 1\r\n")).collect();
        let long = format!("X-Long: {}\r\n", "x".repeat(10_000_000));
        let escaped = format!("{path}&a={}", "%25".repeat(20_000));
        let nested = format!(
            "{path}&sentry_release={}41",
            "%25".repeat(10_000).replace("%25%25", "%2525")
        );
        let endless = format!("{path}&a={}", "x".repeat(100_000));
        for (what, head, status) in [
            ("10,000 headers", begin(&path) + many.as_str(), 431),
            ("a header of 10 MB", begin(&path) + long.as_str(), 431),
            ("a path of 100 KB", begin(&endless), 414),
            ("an escaped query", begin(&escaped), 200),
            ("a nested query", begin(&nested), 200),
        ] {
            let begun = Instant::now();
            let request = format!("{head}Content-Length: {}\r\n\r\n{event}", event.len());
            let answer = raw(server.port, request.as_bytes());
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{what}: {answer}"
            );
            server.count(&path, &[], event.as_bytes(), status);
            well(server, what, begun, MEMORY);
        }
    });
}
