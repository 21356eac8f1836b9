//! Cabinets, in which Microsoft's symbol servers keep files compressed: one file in each.

use std::io::{self, Cursor, Read, Write};

use crate::convert::ConvertError;
use crate::guard::guarded;

/// How cabinets begin.
pub const MAGIC: &[u8] = b"MSCF";

fn malformed(e: &io::Error) -> ConvertError {
    ConvertError::Malformed(format!("the cabinet cannot be read: {e}"))
}

/// Writes the first file of a cabinet, of at most so many bytes.
///
/// # Errors
/// That of `out`; within it, why the cabinet cannot be read.
pub fn unpack(bytes: &[u8], most: u64, out: &mut dyn Write) -> io::Result<Result<(), ConvertError>> {
    let mut written = Ok(());
    let read = guarded(|| {
        let mut cabinet = cab::Cabinet::new(Cursor::new(bytes)).map_err(|e| malformed(&e))?;
        let name = cabinet
            .folder_entries()
            .flat_map(|folder| folder.file_entries())
            .next()
            .map(|file| file.name().to_owned())
            .ok_or(ConvertError::Empty)?;
        let mut file = cabinet.read_file(&name).map_err(|e| malformed(&e))?;
        let mut buffer = vec![0; 64 << 10];
        let mut total = 0_u64;
        loop {
            let n = file.read(&mut buffer).map_err(|e| malformed(&e))?;
            let Some(piece) = buffer.get(..n).filter(|p| !p.is_empty()) else {
                return Ok(());
            };
            total += n as u64;
            if total > most {
                let what = format!("it is more than {} MiB when it is decompressed", most >> 20);
                return Err(ConvertError::Malformed(what));
            }
            written = out.write_all(piece);
            if written.is_err() {
                return Ok(());
            }
        }
    });
    let broken = || Err(ConvertError::Malformed("the cabinet contradicts itself".into()));
    written.map(|()| read.unwrap_or_else(broken))
}

/// A cabinet of one file, for tests.
#[cfg(test)]
pub(crate) fn packed(content: &[u8], kind: cab::CompressionType) -> Vec<u8> {
    let mut builder = cab::CabinetBuilder::new();
    builder.add_folder(kind).add_file("shop.pdb");
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    while let Some(mut file) = writer.next_file().unwrap() {
        file.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[cfg(test)]
mod tests {
    use cab::CompressionType;

    use super::*;

    #[test]
    fn the_file_of_a_cabinet_within_its_bound() {
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        for kind in [CompressionType::None, CompressionType::MsZip] {
            let packed = packed(&content, kind);
            let mut out = Vec::new();
            assert_eq!(unpack(&packed, content.len() as u64, &mut out).unwrap(), Ok(()));
            assert!(out == content, "{kind:?}");
            let short = unpack(&packed, 1 << 19, &mut Vec::new()).unwrap();
            assert!(matches!(short, Err(ConvertError::Malformed(why)) if why.contains("more than 0 MiB")));
            // A disk that is full is not the cabinet's fault.
            assert!(unpack(&packed, 1 << 30, &mut Cursor::new(&mut [0; 100][..])).is_err());
        }
    }

    #[test]
    fn what_is_no_cabinet_is_refused() {
        let whole = packed(b"a debug file", CompressionType::MsZip);
        for broken in [
            MAGIC,
            b"MSCF and what is no header of a cabinet at all",
            &whole[..40],
        ] {
            assert!(unpack(broken, 100, &mut Vec::new()).unwrap().is_err());
        }
    }
}
