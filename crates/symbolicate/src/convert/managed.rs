//! Portable PDBs of .NET, also those that stand compressed within a library.

use std::borrow::Cow;
use std::io::Cursor;

use symbolic::debuginfo::pe::PeObject;
use symbolic::debuginfo::sourcebundle::{SourceBundleWriter, SourceFileInfo, SourceFileType};
use symbolic::ppdb::{PortablePdb, PortablePdbCacheConverter};

use super::{Capped, ConvertError, MAX_EMBEDDED, MAX_SOURCE, malformed};

/// Source files of one PDB.
const MAX_FILES: usize = 20_000;

/// Whether the bytes can hold a portable PDB.
pub(super) fn is_managed(bytes: &[u8]) -> bool {
    PortablePdb::peek(bytes) || PeObject::test(bytes)
}

/// The portable PDB that the bytes are, or that they hold.
fn pdb(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ConvertError> {
    if PortablePdb::peek(bytes) || !PeObject::test(bytes) {
        return Ok(Cow::Borrowed(bytes));
    }
    let pe = PeObject::parse(bytes).map_err(malformed)?;
    let embedded = pe
        .embedded_ppdb()
        .map_err(malformed)?
        .ok_or(ConvertError::Empty)?;
    let mut inner = Capped::new(MAX_EMBEDDED);
    embedded.decompress_to(&mut inner).map_err(malformed)?;
    Ok(Cow::Owned(inner.bytes))
}

/// Methods by token and offset.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let bytes = pdb(bytes)?;
    let pdb = PortablePdb::parse(&bytes).map_err(malformed)?;
    if !pdb.has_debug_info() {
        return Err(ConvertError::Empty);
    }
    let mut converter = PortablePdbCacheConverter::new();
    converter.process_portable_pdb(&pdb).map_err(malformed)?;
    let mut out = Vec::new();
    converter.serialize(&mut out).map_err(malformed)?;
    Ok(out)
}

/// A bundle of the source files that the compiler put into the PDB.
pub(super) fn sources(bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let bytes = pdb(bytes)?;
    let pdb = PortablePdb::parse(&bytes).map_err(malformed)?;
    let mut out = Cursor::new(Vec::new());
    let mut writer = SourceBundleWriter::start(&mut out).map_err(malformed)?;
    if let Some(id) = pdb.pdb_id() {
        writer.set_attribute("debug_id", id.to_string());
    }
    let mut left = MAX_EMBEDDED;
    for source in pdb
        .get_embedded_sources()
        .map_err(malformed)?
        .take(MAX_FILES)
        .flatten()
    {
        let Ok(text) = source.get_contents_bounded(Some(MAX_SOURCE.min(left))) else {
            continue;
        };
        left -= left.min(text.len());
        let path = source.get_path();
        let mut info = SourceFileInfo::new();
        info.set_ty(SourceFileType::Source);
        info.set_path(path.to_owned());
        let name = path.trim_start_matches(['/', '\\']).replace(['\\', ':'], "/");
        // What is no UTF-8 is left out.
        let _ = writer.add_file(name, text.as_ref(), info);
    }
    if writer.is_empty() {
        return Err(ConvertError::Empty);
    }
    writer.finish().map_err(malformed)?;
    Ok(out.into_inner())
}
