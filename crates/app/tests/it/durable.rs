//! What was answered 200 is there after a crash, once; the index is derived and comes back.

use std::fs;

use serde_json::Value;
use testkit::server::Server;

use crate::{BINARY, error};

fn counts(server: &Server) -> u64 {
    let all = server
        .api("GET", "organizations/acme/issues/?query=&limit=100", None)
        .json();
    all.as_array()
        .unwrap()
        .iter()
        .filter_map(|i| i["count"].as_str()?.parse::<u64>().ok())
        .sum()
}

fn rows(server: &Server) -> usize {
    let reply = server.api("GET", "projects/acme/shop/events/?limit=100", None);
    reply.json().as_array().map_or(0, Vec::len)
}

#[test]
fn a_killed_server_has_everything_it_answered_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut sent = 0u32;
    for round in 0..4 {
        let server = Server::start(BINARY, folder.path(), &[]);
        for _ in 0..20 {
            sent += 1;
            assert_eq!(
                server
                    .send(&error(sent, ["A", "B", "C"][(sent % 3) as usize]))
                    .status,
                200
            );
        }
        // Killed while the worker is at it: what is not applied is in the queue.
        std::thread::sleep(std::time::Duration::from_millis(40 * round));
        server.kill();
    }
    let server = Server::start(BINARY, folder.path(), &[]);
    server.until("every event is counted", |s| {
        (counts(s) == u64::from(sent)).then_some(())
    });
    assert_eq!(rows(&server), sent as usize);
    for n in 1..=sent {
        let reply = server.api("GET", &format!("projects/acme/shop/events/{n:032x}/"), None);
        assert_eq!(reply.status, 200, "event {n}");
    }
    let stats =
        "organizations/acme/stats_v2/?field=sum(quantity)&groupBy=outcome&statsPeriod=1d&category=error";
    let groups = server.api("GET", stats, None).json()["groups"].clone();
    let accepted = groups
        .as_array()
        .unwrap()
        .iter()
        .find(|g| g["by"]["outcome"] == "accepted")
        .unwrap();
    assert_eq!(accepted["totals"]["sum(quantity)"], sent);
    assert_eq!(
        groups.as_array().map(Vec::len),
        Some(1),
        "nothing but accepted: {groups}"
    );
}

#[test]
fn a_deleted_or_damaged_index_comes_back_from_the_packs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, folder.path(), &[]);
    for n in 1..=30 {
        server.send(&error(n, "Boom"));
    }
    server.until("thirty events", |s| (counts(s) == 30).then_some(()));
    server.stop();
    fs::remove_dir_all(folder.path().join("index")).unwrap();
    fs::remove_dir_all(folder.path().join("ids")).unwrap();
    let server = Server::start(BINARY, folder.path(), &[]);
    assert_eq!(rows(&server), 30);
    let found = |s: &Server| -> Value {
        s.api("GET", "organizations/acme/issues/?query=region:eu", None)
            .json()
    };
    assert_eq!(found(&server)[0]["count"], "15");
    // A repeat is still known.
    server.send(&error(30, "Boom"));
    server.send(&error(31, "Boom"));
    server.until("one more", |s| (counts(s) == 31).then_some(()));
    server.stop();
    // The rows survive a good end in the index alone.
    let server = Server::start(BINARY, folder.path(), &[]);
    assert_eq!(rows(&server), 31);
    assert_eq!(found(&server)[0]["count"], "15");
}
