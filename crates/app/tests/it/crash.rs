//! Killed at any moment under load, and its files damaged as a power cut may: what was answered 200 is there,
//! once, and every count agrees with it.
//!
//! `CRASH_ROUNDS` sets the number of rounds: `make crash` runs many.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use storage::suite::Numbers;
use testkit::server::{Server, request};

use crate::{BINARY, POSTGRES, error};

/// Senders at the same time.
const SENDERS: usize = 3;

/// What became of what was sent, from the sender's side.
#[derive(Default)]
struct Sent {
    /// Answered 200.
    answered: BTreeSet<String>,
    /// Sent, but nobody answered.
    unsure: BTreeSet<String>,
}

fn rounds(default: usize) -> usize {
    std::env::var("CRASH_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default)
}

/// Sends until the server is gone.
fn send(port: u16, path: &str, next: &AtomicU32, stop: &AtomicBool) -> Sent {
    let mut sent = Sent::default();
    while !stop.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let id = format!("{n:032x}");
        let event = error(n, ["A", "B", "C", "D", "E"][n as usize % 5]).to_string();
        let body = format!("{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\"}}\n{event}\n");
        match request(port, "POST", path, &[], body.as_bytes()) {
            Some(reply) if reply.status == 200 => {
                sent.answered.insert(id);
            }
            Some(reply) => panic!("{}: {}", reply.status, reply.json()),
            None => {
                sent.unsure.insert(id);
                break;
            }
        }
    }
    sent
}

fn newest(folder: &Path, ending: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found.pop()
}

/// Leaves behind what a power cut may: blocks that were never synced hold anything, derived files are torn.
fn damage(data: &Path, numbers: &mut Numbers) {
    let noise: Vec<u8> = (0..1 + numbers.below(6000))
        .map(|_| numbers.draw() as u8)
        .collect();
    let zeroes = vec![0; noise.len()];
    let tail = if numbers.below(2) == 0 { &noise } else { &zeroes };
    let append = |path: Option<PathBuf>| {
        if let Some(path) = path {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(tail).unwrap();
        }
    };
    match numbers.below(7) {
        0 => append(newest(&data.join("queue"), ".log")),
        1 => append(newest(&data.join("packs"), ".pack")),
        2 => append(newest(data, ".sqlite-wal")),
        3 => {
            // The index is derived: whatever is cut or changed in it comes back from the packs.
            let Some(folder) = newest(&data.join("index/errors"), "") else {
                return;
            };
            let endings = [".term", ".fast", ".idx", "meta.json"];
            if let Some(path) = newest(&folder, endings[numbers.below(endings.len())]) {
                let length = fs::metadata(&path).unwrap().len();
                let file = OpenOptions::new().write(true).open(path).unwrap();
                file.set_len(length - length.min(1 + numbers.below(50) as u64))
                    .unwrap();
            }
        }
        4 => {
            let Some(folder) = newest(&data.join("ids"), "") else {
                return;
            };
            if let Some(path) = newest(&folder, ".ids") {
                let mut bytes = fs::read(&path).unwrap();
                let at = 20 + numbers.below(8);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 0x40;
                }
                fs::write(path, bytes).unwrap();
            }
        }
        _ => {}
    }
}

/// Every event that the project has, oldest last; a page at a time.
fn stored(server: &Server) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let reply = server.api(
            "GET",
            &format!("projects/acme/shop/events/?limit=100{cursor}"),
            None,
        );
        assert_eq!(reply.status, 200, "{}", reply.json());
        let page = reply.json();
        let page = page.as_array().unwrap();
        ids.extend(page.iter().map(|e| e["eventID"].as_str().unwrap().to_owned()));
        let link = reply.header("link").unwrap_or_default();
        let next = link
            .split(',')
            .find(|l| l.contains("rel=\"next\"") && l.contains("results=\"true\""));
        let Some(next) = next else { return ids };
        let value = next
            .split("cursor=\"")
            .nth(1)
            .and_then(|c| c.split('"').next())
            .unwrap();
        cursor = format!("&cursor={}", value.replace(':', "%3A"));
    }
}

fn agree(server: &Server, sent: &Sent) {
    server.until("the queue is empty", |s| {
        (s.api("GET", "internal/health/", None).json()["server"]["queueRecords"] == 0).then_some(())
    });
    let listed = stored(server);
    let ids: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(ids.len(), listed.len(), "an event is there twice");
    let lost: Vec<_> = sent.answered.difference(&ids).collect();
    assert!(
        lost.is_empty(),
        "{} answered events are lost: {lost:?}",
        lost.len()
    );
    let strangers: Vec<_> = ids
        .iter()
        .filter(|id| !sent.answered.contains(*id) && !sent.unsure.contains(*id))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    // Counts, rollups and outcomes say the same.
    let path = "organizations/acme/issues/?query=&limit=100&groupStatsPeriod=24h";
    let issues = server.api("GET", path, None).json();
    let mut counted = 0;
    let mut hours = 0;
    for issue in issues.as_array().unwrap_or_else(|| panic!("{issues}")) {
        counted += issue["count"].as_str().unwrap().parse::<usize>().unwrap();
        hours += issue["stats"]["24h"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|p| p[1].as_u64())
            .sum::<u64>() as usize;
    }
    let stats = "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&statsPeriod=1d";
    let groups = server.api("GET", stats, None).json()["groups"].clone();
    let outcomes: Vec<(&str, u64)> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|g| {
            let quantity = g["totals"]["sum(quantity)"].as_u64().unwrap();
            (g["by"]["outcome"].as_str().unwrap(), quantity)
        })
        .collect();
    assert_eq!((counted, hours), (ids.len(), ids.len()), "issues and their hours");
    assert_eq!(outcomes, [("accepted", ids.len() as u64)], "outcomes");
    // By its id, which is another way to it.
    for id in ids.iter().step_by(ids.len() / 50 + 1) {
        let place = server.api("GET", &format!("organizations/acme/eventids/{id}/where/"), None);
        let places = place.json()["places"].clone();
        assert_eq!(places.as_array().map(Vec::len), Some(1), "{places}");
        assert_eq!(places[0]["state"], "stored");
    }
}

fn crash(rounds: usize, seed: u64, arguments: &[&str], environment: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut numbers = Numbers::new(seed);
    let mut sent = Sent::default();
    let next = AtomicU32::new(1);
    for round in 0..rounds {
        let server = Server::start_with(BINARY, &data, arguments, environment);
        if round % 10 == 9 {
            agree(&server, &sent);
        }
        let path = format!(
            "/api/{}/envelope/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        let port = server.port;
        let stop = AtomicBool::new(false);
        let alive = Duration::from_millis(numbers.below(350) as u64);
        std::thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS)
                .map(|_| scope.spawn(|| send(port, &path, &next, &stop)))
                .collect();
            std::thread::sleep(alive);
            server.kill();
            stop.store(true, Ordering::Relaxed);
            for sender in senders {
                let more = sender.join().unwrap();
                sent.answered.extend(more.answered);
                sent.unsure.extend(more.unsure);
            }
        });
        damage(&data, &mut numbers);
    }
    let server = Server::start_with(BINARY, &data, arguments, environment);
    agree(&server, &sent);
    println!(
        "{rounds} rounds, {} events answered, {} without an answer",
        sent.answered.len(),
        sent.unsure.len()
    );
    assert!(sent.answered.len() > rounds, "hardly anything was sent");
    // The last word of an issue is that of its last event.
    let list: Value = server
        .api("GET", "organizations/acme/issues/?query=", None)
        .json();
    assert_eq!(list.as_array().map(Vec::len), Some(5));
}

#[test]
fn nothing_is_lost_by_crashes() {
    crash(rounds(50), 1, &[], &[]);
}

#[test]
fn nothing_is_lost_by_crashes_on_postgres() {
    let url = POSTGRES.database();
    crash(
        rounds(50) / 4,
        2,
        &["--database-url", &url],
        &[("VEDETTE_DATABASE_URL", &url)],
    );
}
