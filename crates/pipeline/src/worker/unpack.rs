//! Crash reports as they are before their clients compress them.

use std::borrow::Cow;
use std::io::Read;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

/// The largest crash report that is read, bytes.
const MAX_REPORT: u64 = 200 << 20;
/// The memory that a report compressed with xz may ask for, KiB: `xz -9` needs 65 MiB.
const XZ_MEMORY: u32 = 80 << 10;

/// The bytes of a crash report: plain, or compressed with gzip, zstd, bzip2 or xz.
///
/// # Errors
/// Why it cannot be decompressed, in words.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let reader: Box<dyn Read + '_> = match bytes {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(bytes)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(bytes).map_err(|e| e.to_string())?),
        [b'B', b'Z', b'h', ..] => Box::new(MultiBzDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(XzReader::new_mem_limit(bytes, true, XZ_MEMORY)),
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let mut out = Vec::new();
    let read = reader.take(MAX_REPORT + 1).read_to_end(&mut out);
    read.map_err(|e| format!("it cannot be decompressed: {e}"))?;
    if out.len() as u64 > MAX_REPORT {
        return Err(format!("decompressed it has more than {} MiB", MAX_REPORT >> 20));
    }
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// What a command makes of bytes.
    fn packed(how: &str, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match how {
            "gzip" => {
                let mut w = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
                w.write_all(bytes).unwrap();
                w.finish().unwrap();
            }
            "bzip2" => {
                let mut w = bzip2::write::BzEncoder::new(&mut out, bzip2::Compression::best());
                w.write_all(bytes).unwrap();
                w.finish().unwrap();
            }
            "xz" => {
                let options = lzma_rust2::XzOptions::with_preset(9);
                let mut w = lzma_rust2::XzWriter::new(&mut out, options).unwrap();
                w.write_all(bytes).unwrap();
                w.finish().unwrap();
            }
            _ => out = zstd::encode_all(bytes, 3).unwrap(),
        }
        out
    }

    #[test]
    fn every_compression_is_taken_off() {
        let dump = [b"MDMP".to_vec(), vec![7; 300_000]].concat();
        for how in ["gzip", "bzip2", "xz", "zstd"] {
            let small = packed(how, &dump);
            assert!(small.len() < 10_000, "{how}");
            assert_eq!(unpack(&small).unwrap(), dump, "{how}");
            assert!(unpack(&small[..small.len() / 2]).is_err(), "{how} cut off");
        }
        assert!(matches!(unpack(&dump), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn what_becomes_too_large_is_refused() {
        let large = vec![0; MAX_REPORT as usize + 1];
        let why = unpack(&packed("zstd", &large)).unwrap_err();
        assert_eq!(why, "decompressed it has more than 200 MiB");
    }

    #[test]
    fn xz_may_not_ask_for_any_memory() {
        let mut small = packed("xz", b"MDMP");
        // After the header of the stream (12 bytes) comes that of the block: its size in words, flags, the id of the
        // filter, the size of its properties, and those, which are the size of the dictionary.
        let end = 12 + (usize::from(small[12]) + 1) * 4 - 4;
        assert_eq!(small[14..16], [0x21, 1]);
        small[16] = 40;
        let mut crc = flate2::Crc::new();
        crc.update(&small[12..end]);
        small[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
        let why = unpack(&small).unwrap_err();
        assert!(why.contains("memory"), "{why}");
    }
}
