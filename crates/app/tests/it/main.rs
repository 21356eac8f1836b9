//! The binary, run for real: on SQLite and on a PostgreSQL of the test run.

mod access;
mod accounts;
mod aside;
mod audit;
mod backup;
mod buckets;
mod bundlers;
mod clients;
mod commands;
mod conformance;
mod crash;
mod disk;
mod durable;
mod explore;
mod filters;
mod hostile;
mod ingest;
mod inside;
mod integrations;
mod issues;
mod kept;
mod links;
mod mail;
mod maps;
mod native;
mod oauth;
mod obfuscated;
mod overload;
mod parts;
mod people;
mod plans;
mod projects;
mod rates;
mod regroup;
mod releases;
mod scim;
mod security;
mod sharing;
mod sources;
mod sso;
mod symbols;
mod teams;
mod tokens;
mod upgrade;
mod uploads;
mod views;

use std::path::Path;
use std::sync::LazyLock;

use testkit::postgres::Postgres;
use testkit::server::Server;

/// The binary under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_vedette");

/// The PostgreSQL of the test run.
pub static POSTGRES: LazyLock<Postgres> = LazyLock::new(Postgres::start);

/// Runs a test on both databases, and counts at its end: what was sent is stored or discarded, once.
pub fn on_both(test: impl Fn(&Server, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, folder.path(), &[]);
    test(&server, folder.path());
    server.balance();
    drop(server);
    let folder = tempfile::tempdir().unwrap();
    let url = POSTGRES.database();
    let server = Server::start_with(
        BINARY,
        folder.path(),
        &["--database-url", &url],
        &[("VEDETTE_DATABASE_URL", &url)],
    );
    test(&server, folder.path());
    server.balance();
}

/// Runs a test on SQLite, and counts as [`on_both`].
pub fn on_one(arguments: &[&str], test: impl Fn(&Server, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, folder.path(), arguments);
    test(&server, folder.path());
    server.balance();
}

/// A minimal error event: type and value make its issue.
pub fn error(n: u32, kind: &str) -> serde_json::Value {
    serde_json::json!({
        "event_id": format!("{n:032x}"), "platform": "python", "level": "error",
        "exception": { "values": [{ "type": kind, "value": format!("value {n}"), "stacktrace": { "frames": [
            { "function": format!("fail_{kind}"), "module": "app.main", "filename": "app/main.py", "lineno": 7, "in_app": true,
              "context_line": "    raise Boom" }
        ] } }] },
        "user": { "id": (n % 3).to_string() }, "tags": { "region": if n.is_multiple_of(2) { "eu" } else { "us" } },
        "environment": "prod",
    })
}
