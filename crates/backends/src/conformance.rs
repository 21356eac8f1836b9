//! Every backend against the suite of its port.

mod artifacts;
mod listing;
mod organizations;
mod people;

use std::cell::RefCell;
use std::path::PathBuf;

use storage::suite::{self, run};
use tempfile::TempDir;

use crate::blobs::files::Files;
use crate::columns::embedded::Embedded;
use crate::payloads::{ids::Ids, packs::Packs};
use crate::queue::lanes::Lanes;
use crate::sql::postgres::Postgres;
use crate::sql::sqlite::Sqlite;

/// Folders for the cases of one suite, gone when this is.
#[derive(Default)]
struct Places(RefCell<Vec<TempDir>>);

impl Places {
    fn folder(&self) -> PathBuf {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("at");
        self.0.borrow_mut().push(folder);
        path
    }
}

#[test]
fn queue_lanes() {
    let places = Places::default();
    run(suite::queue::CASES, || {
        let path = places.folder();
        Box::new(move || Box::new(Lanes::open(&path, suite::queue::LIMIT).expect("opened")))
    });
}

#[test]
fn payloads_packs() {
    let places = Places::default();
    run(suite::payloads::CASES, || {
        let path = places.folder();
        Box::new(move || Box::new(Packs::open(&path).expect("opened")))
    });
}

#[test]
fn payloads_ids() {
    let places = Places::default();
    run(suite::ids::CASES, || {
        let path = places.folder();
        Box::new(move || Box::new(Ids::open(&path).expect("opened")))
    });
}

#[test]
fn blobs_files() {
    let places = Places::default();
    run(suite::blobs::CASES, || {
        let path = places.folder();
        Box::new(move || Box::new(Files::new(&path)))
    });
}

#[test]
fn columns_embedded() {
    let places = Places::default();
    run(suite::columns::CASES, || {
        let path = places.folder();
        Box::new(move || Box::new(Embedded::open(&path, &[&suite::rows::TABLE]).expect("opened")))
    });
}

#[test]
fn sql_sqlite() {
    let places = Places::default();
    run(suite::sql::CASES, || {
        let path = places.folder();
        std::fs::create_dir(&path).expect("a folder");
        Box::new(move || Box::new(Sqlite::open(&path.join("db")).expect("opened")))
    });
}

#[test]
fn sql_postgres() {
    let server = testkit::postgres::Postgres::start();
    run(suite::sql::CASES, || {
        let url = server.database();
        Box::new(move || Box::new(Postgres::open(&url).expect("opened")))
    });
}
