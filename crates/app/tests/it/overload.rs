//! A project that sends far more than can be processed does not take the room of a quiet one, and hears when to come
//! back; afterwards everything that was accepted is there. `make bench` measures the times of the same.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use testkit::server::{Server, request};

use crate::{BINARY, error};

/// Resident memory that the server may reach, bytes.
const MEMORY: u64 = 300 << 20;

struct Target {
    path: String,
    project: String,
}

fn project(data: &Path, slug: &str) -> Target {
    let out = Command::new(BINARY)
        .args([
            "setup",
            "--json",
            "--email",
            "ann@example.com",
            "--org",
            "acme",
            "--project",
            slug,
        ])
        .arg("--data-dir")
        .arg(data)
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let setup: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let dsn = setup["dsn"].as_str().unwrap();
    let key = dsn.split("//").nth(1).unwrap().split('@').next().unwrap();
    let id = setup["project_id"].as_str().unwrap();
    Target {
        path: format!("/api/{id}/store/?sentry_key={key}"),
        project: slug.to_owned(),
    }
}

fn resident(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    text.split(' ')
        .nth(1)
        .and_then(|p| p.parse::<u64>().ok())
        .unwrap_or(0)
        * 4096
}

fn count(server: &Server, project: &str) -> u64 {
    let path = format!("organizations/acme/issues/?query=&limit=100&project={project}");
    let all = server.api("GET", &path, None).json();
    let counts = all.as_array().into_iter().flatten();
    counts
        .filter_map(|i| i["count"].as_str()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_loud_project_leaves_room_for_a_quiet_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, folder.path(), &["--set", "queue-limit-mb=4"]);
    let (loud, quiet) = (project(folder.path(), "loud"), project(folder.path(), "quiet"));
    let stop = AtomicBool::new(false);
    let (next, accepted, refused, silent) = (
        AtomicU32::new(1),
        AtomicU32::new(0),
        AtomicU32::new(0),
        AtomicU32::new(0),
    );
    let mut peak = 0;
    let mut sent = 0u64;
    std::thread::scope(|s| {
        for _ in 0..8 {
            s.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let mut event = error(n, "Loud");
                    event["extra"] = serde_json::json!({ "filler": "x".repeat(20_000) });
                    let body = event.to_string();
                    let Some(reply) = request(server.port, "POST", &loud.path, &[], body.as_bytes()) else {
                        continue;
                    };
                    match reply.status {
                        200 => accepted.fetch_add(1, Ordering::Relaxed),
                        429 | 503 if reply.header("retry-after").is_some() => {
                            refused.fetch_add(1, Ordering::Relaxed)
                        }
                        _ => silent.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
        let begun = Instant::now();
        // Until the loud one was refused often, and for at least three seconds.
        while begun.elapsed() < Duration::from_secs(3)
            || (refused.load(Ordering::Relaxed) < 20 && begun.elapsed() < Duration::from_secs(30))
        {
            sent += 1;
            let event = error(1_000_000 + u32::try_from(sent).unwrap(), "Quiet");
            let reply = request(
                server.port,
                "POST",
                &quiet.path,
                &[],
                event.to_string().as_bytes(),
            );
            assert_eq!(reply.map(|r| r.status), Some(200), "a quiet event is refused");
            peak = peak.max(resident(server.pid()));
            std::thread::sleep(Duration::from_millis(100));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (accepted, refused) = (accepted.into_inner(), refused.into_inner());
    assert!(
        accepted > 0 && refused >= 20,
        "{accepted} accepted, {refused} refused"
    );
    assert_eq!(silent.into_inner(), 0, "a refusal does not say when to come back");
    assert!(peak < MEMORY, "{} MB of memory", peak >> 20);
    // All of it is caught up without help.
    let begun = Instant::now();
    while count(&server, &loud.project) < u64::from(accepted) || count(&server, &quiet.project) < sent {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not catch up");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(count(&server, &loud.project), u64::from(accepted));
    assert_eq!(count(&server, &quiet.project), sent);
    let status = server.api("GET", "internal/status/", None).json();
    assert_eq!(status["queue"]["records"], 0);
    server.stop();
}
