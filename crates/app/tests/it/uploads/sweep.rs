//! What becomes of uploaded files with time, and at the limit of an organization: over real stores inside the test's
//! process, with a clock that the test sets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pipeline::uploads::{Settings, Uploads, sweep};
use storage::relational::{artifacts, chunks, debug_files, people, projects, stored_files};
use storage::stores::Stores;
use storage::uploads::{Assembly, Purpose, State, Uploads as _};

use super::{DEBUG, FULL, bundle, sha1};
use crate::inside::{Ahead, stores};

struct Bench {
    clock: Arc<Ahead>,
    stores: Stores,
    uploads: Uploads,
    changes: Arc<AtomicUsize>,
    org: i64,
    project: i64,
}

fn bench(folder: &Path, limit: Option<u64>) -> Bench {
    let clock = Arc::new(Ahead::default());
    let stores = stores(folder, clock.clone());
    let (org, project) = stores
        .sql
        .writing(|c| {
            let org = people::add_organization(c, "acme", "Acme", 0)?;
            Ok((org, projects::add(c, org, "shop", "Shop", None, 0)?))
        })
        .unwrap();
    let changes = Arc::new(AtomicUsize::new(0));
    let counted = changes.clone();
    let settings = Settings {
        folder: folder.join("uploads"),
        limit,
        unwell: Arc::new(|| None),
        convert: Arc::new(pipeline::symbols::convert::Here),
        changed: Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }),
    };
    Bench {
        uploads: Uploads::open(stores.clone(), settings).unwrap(),
        clock,
        stores,
        changes,
        org,
        project,
    }
}

impl Bench {
    fn bundle(&self, bytes: &[u8]) -> Assembly {
        self.assembly(
            bytes,
            Purpose::Bundle {
                projects: vec![self.project],
                release: None,
            },
        )
    }

    fn debug_file(&self, bytes: &[u8]) -> Assembly {
        self.assembly(
            bytes,
            Purpose::DebugFile {
                project: self.project,
                name: "shop.so".into(),
                debug_id: None,
            },
        )
    }

    fn assembly(&self, bytes: &[u8], purpose: Purpose) -> Assembly {
        Assembly {
            org: self.org,
            sha1: sha1(bytes),
            chunks: vec![sha1(bytes)],
            purpose,
        }
    }

    fn chunk(&self, mut bytes: &[u8]) {
        let name = sha1(bytes);
        self.uploads.chunk(self.org, &name, false, &mut bytes).unwrap();
    }

    fn assemble(&self, assembly: &Assembly) -> State {
        self.uploads.assemble(assembly, Duration::from_secs(60)).unwrap()
    }

    fn keep(&self, bytes: &[u8], assembly: &Assembly) {
        self.chunk(bytes);
        let state = self.assemble(assembly);
        assert!(matches!(state, State::Kept(_)), "{state:?}");
    }

    fn blobs(&self, prefix: &str) -> usize {
        self.stores.blobs.list(prefix).unwrap().len()
    }
}

#[test]
fn chunks_go_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    let bytes = bundle("code()");
    b.chunk(&bytes);
    b.chunk(b"another");
    assert_eq!(sweep::chunks(&b.stores).unwrap(), 0);
    b.clock.days(1);
    // One that came again counts from then.
    b.chunk(&bytes);
    assert_eq!(sweep::chunks(&b.stores).unwrap(), 1);
    assert_eq!(b.blobs("chunks/"), 1);
    // Bytes that are lost are asked for again.
    let key = chunks::key(b.org, &sha1(&bytes));
    b.stores.blobs.delete(&key).unwrap();
    let assembly = b.bundle(&bytes);
    for _ in 0..2 {
        assert_eq!(b.assemble(&assembly), State::Missing(vec![sha1(&bytes)]));
    }
    b.keep(&bytes, &assembly);
    b.clock.days(2);
    assert_eq!(sweep::chunks(&b.stores).unwrap(), 1);
    assert_eq!((b.blobs("chunks/"), b.blobs("files/")), (0, 1));
    assert!(
        matches!(b.assemble(&assembly), State::Kept(_)),
        "it is whole without them"
    );
}

#[test]
fn files_go_when_they_did_not_serve_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    let bytes = bundle("code()");
    b.keep(&bytes, &b.bundle(&bytes));
    b.keep(FULL, &b.debug_file(FULL));
    b.keep(DEBUG, &b.debug_file(DEBUG));
    let told = b.changes.load(Ordering::Relaxed);
    assert!(told >= 2, "the first of each kind is told, not {told} alone");
    b.clock.days(89);
    assert_eq!(sweep::unused(&b.stores, 90).unwrap(), 0);
    let now = b.stores.clock.now();
    b.stores
        .sql
        .writing(|c| {
            let full = debug_files::by_sha1(c, b.project, &sha1(FULL))?;
            debug_files::used(c, &[full[0].id], now)
        })
        .unwrap();
    b.clock.days(2);
    assert_eq!(sweep::unused(&b.stores, 90).unwrap(), 2);
    assert_eq!(sweep::unnamed(&b.stores, 0).unwrap(), 2);
    assert_eq!(b.blobs("files/"), 1);
    b.clock.days(90);
    assert_eq!(sweep::unused(&b.stores, 90).unwrap(), 1);
    assert_eq!(sweep::unnamed(&b.stores, 0).unwrap(), 1);
    assert_eq!(b.blobs("files/"), 0);
}

#[test]
fn what_a_stop_leaves_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    let bytes = bundle("code()");
    b.keep(&bytes, &b.bundle(&bytes));
    let stray = stored_files::key(b.org, &sha1(b"stray"));
    b.stores.blobs.put(&stray, b"stray").unwrap();
    let chunk = chunks::key(b.org, &sha1(b"chunk"));
    b.stores.blobs.put(&chunk, b"chunk").unwrap();
    assert_eq!(sweep::strays(&b.stores).unwrap(), 2);
    assert_eq!((b.blobs("files/"), b.blobs("chunks/")), (1, 1));
    // Bytes of bodies as well.
    let body = folder.path().join("uploads/body-7");
    std::fs::write(&body, b"half").unwrap();
    let settings = Settings {
        folder: folder.path().join("uploads"),
        limit: None,
        unwell: Arc::new(|| None),
        convert: Arc::new(pipeline::symbols::convert::Here),
        changed: Arc::new(|| {}),
    };
    drop(Uploads::open(b.stores.clone(), settings).unwrap());
    assert!(!body.exists());
}

#[test]
fn an_organization_leaves_no_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    let bytes = bundle("code()");
    b.keep(&bytes, &b.bundle(&bytes));
    b.keep(FULL, &b.debug_file(FULL));
    b.chunk(b"alone");
    b.stores
        .sql
        .writing(|c| {
            let mut project = projects::by_id(c, b.project)?.expect("the project");
            project.status = "deleting".into();
            projects::update(c, &project)?;
            people::retire_organization(c, b.org)
        })
        .unwrap();
    pipeline::jobs::delete_due(&b.stores).unwrap();
    assert_eq!((b.blobs("files/"), b.blobs("chunks/")), (0, 0));
    let left = b.stores.sql.reading(|c| stored_files::total(c, b.org)).unwrap();
    assert_eq!(left, (0, 0));
}

#[test]
fn an_organization_keeps_no_more_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), Some(5_000));
    b.keep(FULL, &b.debug_file(FULL));
    b.chunk(DEBUG);
    let assembly = b.debug_file(DEBUG);
    let State::Failed(why) = b.assemble(&assembly) else {
        panic!("it was kept");
    };
    assert!(why.contains("artifact-limit-mb"), "{why}");
    let at = (b.org, b.project);
    let whole = b.uploads.debug_files(at, "shop.debug", &mut &DEBUG[..]);
    assert!(whole.is_err_and(|e| e.to_string().contains("artifact-limit-mb")));
    assert_eq!(b.blobs("files/"), 1);
    // What is kept already takes nothing, and what is deleted makes room.
    assert!(matches!(b.assemble(&b.debug_file(FULL)), State::Kept(_)));
    b.stores
        .sql
        .writing(|c| {
            let full = debug_files::by_sha1(c, b.project, &sha1(FULL))?;
            debug_files::remove(c, b.project, full[0].id)
        })
        .unwrap();
    b.uploads.tidy(b.org).unwrap();
    assert!(matches!(b.assemble(&assembly), State::Kept(_)));
    let found = b
        .stores
        .sql
        .reading(|c| artifacts::any(c, b.project, None))
        .unwrap();
    assert!(!found);
}

#[test]
fn a_file_that_takes_long_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    let broken = b"\x7fELF and nothing of it in truth";
    for (bytes, assembly) in [(FULL, b.debug_file(FULL)), (&broken[..], b.debug_file(broken))] {
        b.chunk(bytes);
        let mut state = b.uploads.assemble(&assembly, Duration::ZERO).unwrap();
        if state == State::Assembling {
            // How it ended is told to whoever asks next, however late.
            std::thread::sleep(Duration::from_millis(500));
            state = b.uploads.assemble(&assembly, Duration::from_secs(60)).unwrap();
        }
        match state {
            State::Kept(files) => assert!(bytes == FULL && files.len() == 1),
            State::Failed(why) => assert!(bytes == broken, "{why}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(b.blobs("files/"), 1, "what is broken is not kept");
}

#[test]
fn debug_files_go_along_with_their_project() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    b.keep(FULL, &b.debug_file(FULL));
    b.keep(DEBUG, &b.debug_file(DEBUG));
    let other = b
        .stores
        .sql
        .writing(|c| {
            let other = people::add_organization(c, "other", "Other", 0)?;
            projects::transfer(c, b.project, other)?;
            people::retire_organization(c, b.org)?;
            Ok(other)
        })
        .unwrap();
    pipeline::jobs::delete_due(&b.stores).unwrap();
    let kept = b.stores.sql.reading(|c| stored_files::total(c, other)).unwrap();
    assert_eq!((kept.0, b.blobs("files/")), (2, 2));
    // The new organization uploads one of them for itself.
    let second = b
        .stores
        .sql
        .writing(|c| projects::add(c, other, "second", "Second", None, 0))
        .unwrap();
    let mine = Bench {
        org: other,
        project: second,
        ..b
    };
    let assembly = mine.debug_file(FULL);
    assert_eq!(mine.assemble(&assembly), State::Missing(vec![sha1(FULL)]));
    mine.keep(FULL, &assembly);
    assert_eq!(mine.blobs("files/"), 3);
}

#[test]
fn files_that_are_put_together_twice_at_once_are_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let b = bench(folder.path(), None);
    let bytes = bundle("code()");
    b.chunk(&bytes);
    let assembly = b.bundle(&bytes);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let state = b.assemble(&assembly);
                assert!(matches!(state, State::Kept(_)), "{state:?}");
            });
        }
    });
    assert_eq!(b.blobs("files/"), 1);
}
