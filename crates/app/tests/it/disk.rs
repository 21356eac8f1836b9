//! A disk that is full, slow or cannot be written, and too few file descriptors: clients hear 503 and why, reads go
//! on, it goes on by itself, and nothing that was accepted is lost.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pipeline::jobs::{Jobs, KeepFree, Space, make_room};
use storage::relational::{instance, positions};
use testkit::server::Server;

use crate::inside::bench;
use crate::{BINARY, error};

/// A small disk of its own, in memory.
struct Disk(
    PathBuf,
    #[expect(dead_code, reason = "its drop removes the folder")] tempfile::TempDir,
);

impl Disk {
    /// Mounts one; `None` without the right to.
    fn mount(megabytes: usize) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(&path)
            .status();
        if mounted.is_ok_and(|s| s.success()) {
            return Some(Disk(path, folder));
        }
        eprintln!("not tested: mounting a small disk needs root");
        None
    }

    /// Fills it, but for so many bytes.
    fn fill(&self, but: u64) -> PathBuf {
        let path = self.0.join("filler");
        let free = free(&self.0);
        let mut file = fs::File::create(&path).unwrap();
        let block = vec![1u8; 64 << 10];
        for _ in 0..free.saturating_sub(but) / block.len() as u64 {
            file.write_all(&block).unwrap();
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn free(path: &Path) -> u64 {
    let out = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    text.lines().nth(1).unwrap().trim().parse().unwrap()
}

fn found(server: &Server, n: u32) -> bool {
    let path = format!("projects/acme/shop/events/{n:032x}/");
    server.api("GET", &path, None).status == 200
}

/// An event that takes room: nothing in it repeats.
fn large(n: u32) -> serde_json::Value {
    let mut event = error(n, "Boom");
    let mut state = u64::from(n) + 1;
    let noise: String = (0..12_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + (state >> 59) as u8 % 26)
        })
        .collect();
    event["extra"] = serde_json::json!({ "noise": noise });
    event
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount(64) else { return };
    let data = disk.0.join("data");
    // The server's own watch over free space is off: what is met is the disk's own refusal.
    let server = Server::start(BINARY, &data, &["--set", "min-free-disk-mb=0"]);
    let mut accepted = Vec::new();
    for n in 1..=20 {
        assert_eq!(server.send(&large(n)).status, 200);
        accepted.push(n);
    }
    server.until("twenty events", |s| found(s, 20).then_some(()));
    let filler = disk.fill(600 << 10);
    let mut refused = None;
    for n in 21..2_000 {
        let reply = server.send(&large(n));
        if reply.status == 200 {
            accepted.push(n);
            continue;
        }
        refused = Some(reply);
        break;
    }
    let refused = refused.expect("the disk was filled");
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    let why = refused.header("x-sentry-error").unwrap_or_default().to_owned();
    assert!(why.contains("No space left"), "{why}");
    // Reads go on.
    assert_eq!(server.api("GET", "organizations/acme/issues/", None).status, 200);
    assert!(found(&server, 1));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(server.api("GET", "organizations/acme/issues/", None).status, 200);

    fs::remove_file(filler).unwrap();
    server.until("it takes events again", |s| {
        let reply = s.send(&large(5_000));
        (reply.status == 200).then_some(())
    });
    accepted.push(5_000);
    server.until("everything accepted is found", |s| {
        accepted.iter().all(|n| found(s, *n)).then_some(())
    });
    server.balance();
    server.stop();
    let server = Server::start(BINARY, &data, &["--set", "min-free-disk-mb=0"]);
    for n in accepted {
        assert!(found(&server, n), "event {n} after a restart");
    }
    server.stop();
}

#[test]
fn a_nearly_full_disk_refuses_before_it_is_full() {
    let Some(disk) = Disk::mount(64) else { return };
    let data = disk.0.join("data");
    let server = Server::start(BINARY, &data, &["--set", "min-free-disk-mb=8"]);
    assert_eq!(server.send(&error(1, "Boom")).status, 200);
    let filler = disk.fill(4 << 20);
    let refused = server.until("it refuses", |s| {
        let reply = s.request("GET", "/_health/", &[], b"");
        (reply.status == 503).then_some(reply)
    });
    assert!(
        String::from_utf8(refused.body)
            .unwrap()
            .contains("min-free-disk-mb")
    );
    let reply = server.send(&error(2, "Boom"));
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("30")));
    let status = server.api("GET", "internal/status/", None).json();
    assert!(
        status["problems"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Nothing is taken")
    );
    fs::remove_file(filler).unwrap();
    server.until("it takes events again", |s| {
        (s.request("GET", "/_health/", &[], b"").status == 200).then_some(())
    });
    assert_eq!(server.send(&error(2, "Boom")).status, 200);
    server.until("both", |s| (found(s, 1) && found(s, 2)).then_some(()));
    server.stop();
}

#[test]
fn a_folder_that_cannot_be_written_is_named_at_start() {
    let Some(disk) = Disk::mount(16) else { return };
    let data = disk.0.join("data");
    fs::create_dir(&data).unwrap();
    let read_only = Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(&disk.0)
        .status()
        .unwrap();
    assert!(read_only.success());
    let out = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(!out.status.success());
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(
        said.contains("Read-only file system") && said.contains(data.to_str().unwrap()),
        "{said}"
    );
    let out = Command::new(BINARY)
        .args(["doctor", "--data-dir"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(!out.status.success());
    assert!(
        String::from_utf8(out.stdout)
            .unwrap()
            .contains("cannot be written")
    );
}

#[test]
fn a_database_that_cannot_be_written_costs_time_alone() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    bench.faults.read_only.store(true, Ordering::Relaxed);
    for n in 1..=5 {
        bench.send(n, "well", "192.0.2.1");
    }
    std::thread::scope(|s| {
        let work = s.spawn(|| bench.worker.drain());
        while bench.worker.progress.failures.load(Ordering::Relaxed) < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(bench.state(1), "queued");
        let last = bench.worker.progress.last_error.lock().clone().unwrap().1;
        assert!(last.contains("readonly"), "{last}");
        bench.faults.read_only.store(false, Ordering::Relaxed);
        work.join().unwrap();
    });
    assert!((1..=5).all(|n| bench.state(n) == "stored"));
    assert_eq!(bench.counted("accepted"), 5);
}

#[test]
fn a_slow_disk_delays_what_is_seen_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    bench.faults.slow_ms.store(1_500, Ordering::Relaxed);
    std::thread::scope(|s| {
        bench.send(1, "well", "192.0.2.1");
        let work = s.spawn(|| bench.worker.drain());
        // The queue takes events as before.
        let begun = Instant::now();
        while bench.worker.progress.waiting_since() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(5), "the delay is not told");
            std::thread::sleep(Duration::from_millis(5));
        }
        for n in 2..=50 {
            bench.send(n, "well", "192.0.2.1");
        }
        assert_eq!(bench.state(1), "queued");
        work.join().unwrap();
    });
    bench.worker.drain();
    assert!((1..=50).all(|n| bench.state(n) == "stored"));
    assert_eq!(bench.worker.progress.waiting_since(), 0);
}

#[test]
fn the_oldest_days_make_room_and_it_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    for day in 0..4u128 {
        bench.send(day + 1, "well", "192.0.2.1");
        bench.worker.drain();
        bench.clock.days(i64::from(day < 3));
    }
    let packs = |stores: &storage::stores::Stores| positions::packs(&*stores.sql).unwrap().len();
    assert_eq!(packs(&bench.worker.stores), 4);
    // A disk that has room again when two days are gone.
    let stores = bench.worker.stores.clone();
    let seen = stores.clone();
    let jobs = Jobs {
        stores,
        retention: 90,
        artifact_retention: 90,
        keep_free: KeepFree {
            share: 0.1,
            least: 10,
        },
        space: Arc::new(move || {
            let free = if packs(&seen) > 2 { 99 } else { 100 };
            Some(Space { free, total: 1_000 })
        }),
    };
    let dropped = make_room(&jobs, 0).unwrap();
    assert_eq!(dropped.len(), 2);
    assert!(dropped[0].day < dropped[1].day, "the oldest first: {dropped:?}");
    assert_eq!([1, 2].map(|n| bench.state(n)), ["", ""]);
    assert_eq!([3, 4].map(|n| bench.state(n)), ["stored", "stored"]);
    let remembered = bench
        .worker
        .stores
        .sql
        .reading(|c| instance::get(c, pipeline::jobs::DROPPED_FOR_SPACE))
        .unwrap()
        .unwrap();
    assert!(remembered.contains(&dropped[0].to_string()), "{remembered}");
    // Today stays, however little room there is.
    let none = Jobs {
        space: Arc::new(|| {
            Some(Space {
                free: 0,
                total: 1_000,
            })
        }),
        ..jobs
    };
    assert_eq!(make_room(&none, 0).unwrap().len(), 1);
    assert_eq!(bench.state(4), "stored");
}

#[test]
fn connections_are_bounded_by_the_files_that_may_be_open() {
    let folder = tempfile::tempdir().unwrap();
    // The shell sets the limit that the server inherits.
    let script = folder.path().join("few-files");
    fs::write(
        &script,
        format!("#!/bin/sh\nulimit -n 200\nexec {BINARY} \"$@\"\n"),
    )
    .unwrap();
    let mut mode = fs::metadata(&script).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
    fs::set_permissions(&script, mode).unwrap();
    let server = Server::start(script.to_str().unwrap(), &folder.path().join("data"), &[]);
    assert_eq!(server.send(&error(1, "Boom")).status, 200);
    let idle: Vec<_> = (0..300)
        .filter_map(|_| TcpStream::connect(("127.0.0.1", server.port)).ok())
        .collect();
    let refused = server.until("it says that there is no room", |s| {
        let reply = testkit::server::request(s.port, "GET", "/_health/", &[], b"")?;
        (reply.status == 503).then_some(reply)
    });
    assert_eq!(refused.header("x-sentry-error"), Some("too many connections"));
    drop(idle);
    server.until("it goes on", |s| {
        let reply = testkit::server::request(s.port, "GET", "/_health/", &[], b"")?;
        (reply.status == 200).then_some(())
    });
    assert_eq!(server.send(&error(2, "Boom")).status, 200);
    server.until("both events", |s| (found(s, 1) && found(s, 2)).then_some(()));
    server.stop();
}
