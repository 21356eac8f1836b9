//! Uploaded files: what is asked of them for every frame, what is listed, and what goes when.

use serde_json::json;
use storage::relational::artifacts::{self, BundleFile, NewBundle};
use storage::relational::debug_files::{self, DebugFile};
use storage::relational::release_files::{self, ReleaseFile};
use storage::relational::{chunks, people, projects, stored_files};
use storage::sql::{Connection, Result, Sql};

use crate::sql::migrate;
use crate::sql::postgres::Postgres;
use crate::sql::sqlite::Sqlite;

const ID: &str = "2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01";
const OTHER: &str = "2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d02";

fn file(url: &str, kind: &str, debug_id: &str) -> BundleFile {
    BundleFile {
        id: 0,
        path: format!("files/_/_{}", url.trim_start_matches('~')),
        url: Some(url.to_owned()),
        kind: kind.to_owned(),
        debug_id: Some(debug_id.to_owned()),
        source_map: Some("app.js.map".to_owned()),
        size: 3,
        headers: json!({"debug-id": debug_id}),
    }
}

fn bundle(c: &mut dyn Connection, org: i64, name: &str, debug_id: &str, now: i64) -> Result<i64> {
    let files = [
        file("~/app.js", "minified_source", debug_id),
        file("~/app.js.map", "source_map", debug_id),
    ];
    let blob = stored_files::add(c, org, name, 10, now)?.blob;
    let new = NewBundle {
        org,
        bundle_id: OTHER,
        spare_id: name,
        sha1: name,
        blob: &blob,
        size: 10,
        files: &files,
    };
    artifacts::add(c, &new, now)
}

fn bundles(c: &mut dyn Connection, org: i64, [a, b]: [i64; 2]) -> Result<()> {
    let old = bundle(c, org, "one", ID, 10)?;
    let new = bundle(c, org, "two", ID, 20)?;
    artifacts::link(c, old, &[a, b], Some(("1.0", "")), 10)?;
    artifacts::link(c, new, &[a], Some(("1.0", "")), 20)?;
    artifacts::link(c, new, &[a], Some(("1.0", "x")), 20)?;
    // The newest serves, where it is linked.
    let of = |c: &mut dyn Connection, project, kind| {
        let found = artifacts::by_debug_id(c, org, project, ID, kind)?;
        Ok(found.map(|f| (f.bundle.id, f.file.path)))
    };
    assert_eq!(
        of(c, a, "source_map")?,
        Some((new, "files/_/_/app.js.map".into()))
    );
    assert_eq!(
        of(c, b, "source_map")?,
        Some((old, "files/_/_/app.js.map".into()))
    );
    assert_eq!(of(c, a, "source")?, None);
    let url = |c: &mut dyn Connection, project, dist, url| {
        Ok(artifacts::by_url(c, (org, project), ("1.0", dist), url)?.map(|f| f.bundle.id))
    };
    assert_eq!(url(c, a, "", "~/app.js")?, Some(new));
    assert_eq!(url(c, b, "", "~/app.js")?, Some(old));
    assert_eq!(url(c, b, "x", "~/app.js")?, None);
    assert_eq!(url(c, a, "x", "~/app.js")?, Some(new));
    assert_eq!(url(c, a, "", "~/other.js")?, None);
    assert_eq!(
        artifacts::urls(c, (org, a), ("1.0", ""), 10)?,
        ["~/app.js", "~/app.js.map"]
    );
    // A second upload makes the old one the newest.
    artifacts::link(c, old, &[a], Some(("1.0", "")), 30)?;
    assert_eq!(url(c, a, "", "~/app.js")?, Some(old));
    assert!(artifacts::linked(c, old, &[a, b], Some(("1.0", "")))?);
    assert!(!artifacts::linked(c, old, &[a, b], Some(("1.0", "x")))?);
    assert!(!artifacts::linked(c, new, &[a, b], None)?);
    // A UUID is given once.
    let ids =
        |part| artifacts::page(c, org, a, part, 0, 10).map(|l| l.into_iter().map(|b| b.bundle_id).collect());
    let mut ids: Box<dyn FnMut(&'static str) -> Result<Vec<String>>> = Box::new(ids);
    assert_eq!(ids("")?, [OTHER, "two"]);
    assert_eq!(ids("X")?, ["two"]);
    assert_eq!(ids("1.0")?.len(), 2);
    assert_eq!(ids(ID)?.len(), 2);
    assert_eq!(ids(OTHER)?.len(), 1);
    assert!(ids("nothing")?.is_empty());
    drop(ids);
    assert_eq!(artifacts::versions(c, org, a, "")?, [("1.0".to_owned(), 6, 30)]);
    assert!(artifacts::any(c, b, Some("1.0"))? && !artifacts::any(c, b, Some("2.0"))?);
    assert_eq!(artifacts::files(c, old, "MAP", 0, 10)?.len(), 1);
    // What did not serve goes, and what has no project left.
    artifacts::used(c, old, 90)?;
    assert_eq!(artifacts::sweep(c, 50)?, 1);
    assert_eq!(artifacts::by_sha1(c, org, "two")?, None);
    assert_eq!(stored_files::unnamed(c, org, 10)?.len(), 1);
    assert!(!stored_files::forget(c, &stored_files::key(org, "one"))?);
    assert!(stored_files::forget(c, &stored_files::key(org, "two"))?);
    artifacts::unlink(c, old, a)?;
    assert!(artifacts::by_sha1(c, org, "one")?.is_some());
    assert_eq!(artifacts::remove_release(c, org, b, "1.0")?, 1);
    assert_eq!(artifacts::by_sha1(c, org, "one")?, None);
    assert_eq!(stored_files::total(c, org)?, (1, 10));
    Ok(())
}

fn debug(c: &mut dyn Connection, org: i64, [a, b]: [i64; 2]) -> Result<()> {
    let blob = stored_files::add(c, org, "elf", 7, 5)?.blob;
    let one = DebugFile {
        project: a,
        debug_id: Some(ID.into()),
        code_id: Some("abcd".into()),
        kind: "elf".into(),
        class: "dbg".into(),
        object_name: "libShop.so".into(),
        cpu: "x86_64".into(),
        features: vec!["symtab".into(), "debug".into()],
        sha1: "elf".into(),
        size: 7,
        blob: blob.clone(),
        date_added: 5,
        date_used: 5,
        ..DebugFile::default()
    };
    let id = debug_files::add(c, &one)?;
    assert_eq!(debug_files::add(c, &one)?, id, "the same again");
    let stripped = DebugFile {
        sha1: "stripped".into(),
        features: vec!["unwind".into()],
        debug_id: Some(ID.into()),
        date_added: 6,
        ..one.clone()
    };
    let second = debug_files::add(c, &stripped)?;
    let found = debug_files::by_debug_id(c, a, ID)?;
    assert_eq!(found.iter().map(|d| d.id).collect::<Vec<_>>(), [second, id]);
    assert!(found[1].has("debug") && !found[0].has("debug"));
    assert_eq!(found[1], DebugFile { id, ..one.clone() });
    assert!(debug_files::by_debug_id(c, b, ID)?.is_empty());
    assert!(debug_files::by_debug_id(c, a, "")?.is_empty());
    assert_eq!(debug_files::by_code_id(c, a, "abcd")?.len(), 2);
    let asked = ["elf".to_owned(), "none".to_owned()];
    assert_eq!(debug_files::known(c, a, &asked)?, ["elf"]);
    let mut page = |part, kinds: &[String]| {
        let wanted = debug_files::Wanted {
            part,
            kinds,
            ..debug_files::Wanted::default()
        };
        debug_files::page(c, a, &wanted, 0, 10).map(|l| l.len())
    };
    assert_eq!(page("SHOP", &[])?, 2);
    assert_eq!(page("unwind", &["elf".into()])?, 1);
    assert_eq!(page("", &["pe".into()])?, 0);
    assert!(debug_files::any(c, a)? && !debug_files::any(c, b)?);
    // It goes along with its project, and its bytes with it.
    let elsewhere = people::add_organization(c, "elsewhere", "Elsewhere", 5)?;
    projects::transfer(c, a, elsewhere)?;
    projects::remove(c, b)?;
    people::remove_organization(c, org)?;
    assert_eq!(stored_files::total(c, elsewhere)?, (1, 7));
    debug_files::used(c, &[id], 90)?;
    assert_eq!(debug_files::sweep(c, 50)?, 1);
    assert!(debug_files::remove(c, a, id)? && !debug_files::remove(c, a, id)?);
    let unnamed = stored_files::unnamed(c, 0, 10)?;
    assert_eq!(unnamed.iter().map(|f| &f.blob).collect::<Vec<_>>(), [&blob]);
    Ok(())
}

fn releases(c: &mut dyn Connection, org: i64, [a, b]: [i64; 2]) -> Result<()> {
    let blob = stored_files::add(c, org, "file", 7, 5)?.blob;
    let one = ReleaseFile {
        id: 0,
        org,
        version: "1.0".into(),
        project: None,
        dist: String::new(),
        name: "~/a.js".into(),
        headers: json!({"sourcemap": "a.js.map"}),
        sha1: "file".into(),
        size: 7,
        blob,
        date_added: 5,
        date_used: 5,
    };
    let all = release_files::add(c, &one)?.expect("new");
    assert_eq!(release_files::add(c, &one)?, None, "the name is taken");
    let own = ReleaseFile {
        project: Some(a),
        ..one.clone()
    };
    let own = release_files::add(c, &own)?.expect("new");
    let of = |c: &mut dyn Connection, project, dist| {
        let found = release_files::by_name(c, (org, project), ("1.0", dist), "~/a.js")?;
        Ok(found.map(|f| f.id))
    };
    assert_eq!(of(c, a, "")?, Some(own));
    assert_eq!(of(c, b, "")?, Some(all));
    assert_eq!(of(c, b, "x")?, None);
    release_files::rename(c, all, "~/b.js", "x")?;
    assert_eq!(release_files::page(c, org, None, "1.0", "B.JS", 0, 10)?.len(), 1);
    assert_eq!(release_files::page(c, org, Some(b), "1.0", "", 0, 10)?.len(), 1);
    assert_eq!(
        release_files::releases(c, org, a, "1.")?,
        [("1.0".to_owned(), 2, 5)]
    );
    release_files::used(c, all, 90)?;
    assert_eq!(release_files::sweep(c, 50)?, 1);
    assert_eq!(release_files::by_id(c, org, "1.0", own)?, None);
    assert_eq!(release_files::remove_release(c, org, b, "2.0")?, 0);
    assert_eq!(release_files::remove_release(c, org, b, "1.0")?, 1);
    release_files::remove(c, all)?;
    assert_eq!(stored_files::unnamed(c, org, 10)?.len(), 1);
    Ok(())
}

fn pieces(c: &mut dyn Connection, org: i64) -> Result<()> {
    chunks::add(c, org, "a", 3, 5)?;
    chunks::add(c, org, "b", 4, 5)?;
    chunks::add(c, org, "a", 3, 50)?;
    let asked = ["a".to_owned(), "c".to_owned()];
    assert_eq!(chunks::have(c, org, &asked)?, [("a".to_owned(), 3)]);
    assert_eq!(chunks::bytes(c, org)?, 7);
    assert_eq!(chunks::older(c, 20, 10)?, [(org, "b".to_owned())]);
    chunks::remove(c, org, "b")?;
    assert_eq!(chunks::bytes(c, org)?, 3);
    Ok(())
}

fn uploaded_files(sql: &dyn Sql) {
    migrate(sql).expect("the schema");
    sql.writing(|c| {
        for (slug, part) in [
            (
                "x",
                bundles as fn(&mut dyn Connection, i64, [i64; 2]) -> Result<()>,
            ),
            ("y", releases),
            ("z", debug),
        ] {
            let org = people::add_organization(c, slug, slug, 5)?;
            let a = projects::add(c, org, "a", "A", None, 5)?;
            let b = projects::add(c, org, "b", "B", None, 5)?;
            pieces(c, org)?;
            part(c, org, [a, b])?;
            projects::remove(c, a)?;
            projects::remove(c, b)?;
            chunks::remove(c, org, "a")?;
            for file in stored_files::unnamed(c, 0, 10)? {
                assert!(stored_files::forget(c, &file.blob)?);
            }
        }
        Ok(())
    })
    .expect("files are kept");
}

#[test]
fn uploaded_files_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    uploaded_files(&Sqlite::open(&folder.path().join("sql")).expect("SQLite"));
}

#[test]
fn uploaded_files_on_postgres() {
    let server = testkit::postgres::Postgres::start();
    uploaded_files(&Postgres::open(&server.database()).expect("PostgreSQL"));
}
