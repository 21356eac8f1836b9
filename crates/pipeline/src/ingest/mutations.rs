//! Changed compressed bodies: what the target `decompress` of `fuzz/` checks, in every test run.

use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use protocol::mutate::{Mutator, rounds};

use super::body::{Bodies, decode, decode_store};

const LIMIT: usize = 64 << 10;

#[test]
fn changed_bodies_are_decompressed_or_refused() {
    let text = b"{\"message\":\"hello hello hello\",\"extra\":{\"a\":[1,2,3]}}".repeat(20);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&text).unwrap();
    zlib.write_all(&text).unwrap();
    deflate.write_all(&text).unwrap();
    // A stream of brotli as its standard writes it without compression.
    let stored = |text: &[u8]| {
        let length = u32::try_from(text.len() - 1).unwrap();
        let mut out = Vec::new();
        // The window's size (16 bits, one zero bit); not the last, four nibbles of length, stored.
        let head = (length << 4) | (1 << 20);
        out.extend_from_slice(&head.to_le_bytes()[..3]);
        out.extend_from_slice(text);
        out.push(3);
        out
    };
    let samples = [
        gzip.finish().unwrap(),
        zlib.finish().unwrap(),
        deflate.finish().unwrap(),
        zstd::stream::encode_all(&text[..], 3).unwrap(),
        stored(&text),
        text.clone(),
    ];
    let bodies = Arc::new(Bodies::new(LIMIT));
    let whole = |sample: &[u8], encoding| {
        let bytes = decode(sample.to_vec().into(), encoding, LIMIT, &mut bodies.enter()).unwrap();
        assert_eq!(&bytes[..], &text[..], "{encoding}");
    };
    for (sample, encoding) in samples.iter().zip(["gzip", "deflate", "deflate", "zstd", "br"]) {
        whole(sample, encoding);
    }
    let encodings = [
        "gzip",
        "deflate",
        "br",
        "zstd",
        "gzip, deflate",
        "zstd,br",
        "x-gzip",
        "identity",
        "deflate,deflate",
    ];
    let pieces = &[
        "\u{1f}\u{8b}",
        "x\u{9c}",
        "\u{0}",
        "\u{0}\u{0}\u{0}\u{0}",
        "(\u{b5}/\u{fd}",
        "\u{7f}",
        "{",
        "==",
        "eJy",
    ];
    let mut mutator = Mutator::new(6, pieces);
    let mut read = 0;
    for _ in 0..rounds(40_000) {
        let bytes = mutator.bytes(&samples);
        let encoding = encodings[mutator.below(encodings.len())];
        let mut share = bodies.enter();
        match decode(bytes.clone().into(), encoding, LIMIT, &mut share) {
            Ok(out) => {
                read += 1;
                assert!(out.len() <= LIMIT.max(bytes.len()));
            }
            Err(e) => assert!(matches!(e.status.as_u16(), 400 | 413), "{encoding}: {e:?}"),
        }
        if let Err(e) = decode_store(bytes.into(), LIMIT, &mut share) {
            assert!(matches!(e.status.as_u16(), 400 | 413), "{e:?}");
        }
    }
    assert!(read > 500, "hardly any body was read: {read}");
}
