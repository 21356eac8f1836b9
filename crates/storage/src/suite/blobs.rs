//! What every blob store must do.

use std::io::Read;

use super::{Case, Open};
use crate::blobs::{BlobError, Blobs};

/// Every case.
pub const CASES: &[Case<dyn Blobs>] = &[
    ("what is put comes back, after a restart too", comes_back),
    ("a key twice is harmless", twice),
    (
        "what a reader gives comes back, whole or not at all",
        from_a_reader,
    ),
    ("a blob is a file of this machine", as_a_file),
    ("what is not there is missing", missing),
    ("keys are listed by prefix, sorted", listed),
    ("one key is forgotten", delete),
    ("a prefix is forgotten and its neighbours are not", delete_prefix),
    ("a key that could leave its folder is refused", bad_keys),
];

fn comes_back(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    let big: Vec<u8> = (0..3_000_000u32).map(|n| (n % 253) as u8).collect();
    blobs.put("a/b-1_2.x/c", b"text").expect("put");
    blobs.put("empty", b"").expect("put");
    blobs.put("a/big", &big).expect("put");
    for _ in 0..2 {
        let blobs = open();
        assert_eq!(blobs.get("a/b-1_2.x/c").expect("got"), b"text");
        assert_eq!(blobs.get("empty").expect("got"), b"");
        assert!(blobs.get("a/big").expect("got") == big);
    }
}

fn twice(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    blobs.put("a/1", b"text").expect("put");
    blobs.put("a/1", b"text").expect("put");
    assert_eq!(blobs.list("").expect("listed"), ["a/1"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| blobs.put("a/2", &[7; 100_000]).expect("put"));
        }
    });
    assert_eq!(blobs.get("a/2").expect("got"), [7; 100_000]);
    assert_eq!(blobs.list("").expect("listed"), ["a/1", "a/2"]);
}

/// Gives some bytes, then fails.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.min(out.len());
        if n == 0 {
            return Err(std::io::Error::other("broken"));
        }
        self.0 -= n;
        out[..n].fill(1);
        Ok(n)
    }
}

fn from_a_reader(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    let size = blobs
        .put_from("a/big", &mut std::io::repeat(7).take(3_000_000))
        .expect("put");
    assert_eq!(size, 3_000_000);
    assert_eq!(blobs.put_from("a/empty", &mut std::io::empty()).expect("put"), 0);
    assert!(matches!(
        blobs.put_from("a/1", &mut Broken(100_000)),
        Err(BlobError::Store(_))
    ));
    assert!(matches!(
        blobs.put_from("../a", &mut std::io::empty()),
        Err(BlobError::BadKey)
    ));
    assert_eq!(blobs.list("").expect("listed"), ["a/big", "a/empty"]);
    blobs.put_from("a/big", &mut &b"less"[..]).expect("put");
    assert_eq!(open().get("a/big").expect("got"), b"less");
}

fn as_a_file(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    blobs.put("a/1", b"text").expect("put");
    let path = blobs.file("a/1").expect("a file");
    assert_eq!(std::fs::read(path).expect("read"), b"text");
    assert!(matches!(blobs.file("a/2"), Err(BlobError::Missing)));
    assert!(matches!(blobs.file("a"), Err(BlobError::Missing)));
    assert!(matches!(blobs.file("../a"), Err(BlobError::BadKey)));
}

fn missing(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    assert!(matches!(blobs.get("a/1"), Err(BlobError::Missing)));
    blobs.delete("a/1").expect("nothing to do");
    blobs.delete_prefix("a/").expect("nothing to do");
    assert!(blobs.list("a/").expect("listed").is_empty());
}

fn listed(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    for key in ["b/2", "a/1/x", "a/10", "a/1/a", "ab", "b/10"] {
        blobs.put(key, key.as_bytes()).expect("put");
    }
    let list = |prefix: &str| blobs.list(prefix).expect("listed");
    assert_eq!(list(""), ["a/1/a", "a/1/x", "a/10", "ab", "b/10", "b/2"]);
    assert_eq!(list("a/1/"), ["a/1/a", "a/1/x"]);
    assert_eq!(list("a/1"), ["a/1/a", "a/1/x", "a/10"]);
    assert_eq!(list("a"), ["a/1/a", "a/1/x", "a/10", "ab"]);
    assert!(list("c").is_empty());
}

fn delete(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    blobs.put("a/1", b"x").expect("put");
    blobs.put("a/2", b"y").expect("put");
    blobs.delete("a/1").expect("deleted");
    assert!(matches!(blobs.get("a/1"), Err(BlobError::Missing)));
    assert_eq!(blobs.list("").expect("listed"), ["a/2"]);
    blobs.put("a/1", b"new").expect("put");
    assert_eq!(blobs.get("a/1").expect("got"), b"new");
}

fn delete_prefix(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    for key in ["a/1/x", "a/1/y/z", "a/10", "b"] {
        blobs.put(key, b"x").expect("put");
    }
    blobs.delete_prefix("a/1/").expect("deleted");
    assert_eq!(blobs.list("").expect("listed"), ["a/10", "b"]);
    assert!(matches!(blobs.delete_prefix("a"), Err(BlobError::BadKey)));
    assert!(matches!(blobs.delete_prefix(""), Err(BlobError::BadKey)));
    assert!(matches!(blobs.delete_prefix("/"), Err(BlobError::BadKey)));
    assert_eq!(blobs.list("").expect("listed"), ["a/10", "b"]);
}

fn bad_keys(open: Open<'_, dyn Blobs>) {
    let blobs = open();
    let long = "x".repeat(600);
    for key in [
        "", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "ä", "a\\b", "a\0", &long,
    ] {
        assert!(matches!(blobs.put(key, b"x"), Err(BlobError::BadKey)), "{key:?}");
        assert!(matches!(blobs.get(key), Err(BlobError::BadKey)), "{key:?}");
        assert!(matches!(blobs.delete(key), Err(BlobError::BadKey)), "{key:?}");
    }
}
