//! From uploaded bytes to forms that are looked up in.
//!
//! A debug file is read in full here and never again: what comes out is small, flat and made by us, so that
//! lookups need to trust nothing.

mod managed;

use std::io::{self, Read, Write};

use symbolic::cfi::{CfiCache, FromObjectOptions};
use symbolic::common::DebugId;
use symbolic::debuginfo::macho::BcSymbolMap;
use symbolic::debuginfo::sourcebundle::SourceBundle;
use symbolic::debuginfo::{Archive, Object, ParseObjectOptions};
use symbolic::il2cpp::LineMapping;
use symbolic::symcache::SymCacheConverter;

use crate::files::Form;
use crate::guard::guarded;

/// The largest section of a debug file once it is decompressed, bytes.
const MAX_SECTION: usize = 1 << 30;

/// The largest source file within a debug file or a bundle, bytes.
pub(crate) const MAX_SOURCE: usize = 16 << 20;

/// The largest portable PDB within a library, and all sources within a PDB, bytes.
const MAX_EMBEDDED: usize = 128 << 20;

/// The largest manifest of a source bundle, bytes; it is read in full whenever a file of the bundle is asked for.
const MAX_MANIFEST: usize = 32 << 20;

/// Calls that are inlined into each other, in Breakpad files.
const MAX_INLINE_DEPTH: u32 = 256;

/// Links of `UNWIND_INFO` that are followed for one function of a PE.
const MAX_UNWIND_CHAIN: usize = 64;

/// Why a file cannot be converted: one sentence for whoever uploaded it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConvertError {
    /// It is broken.
    #[error("{0}")]
    Malformed(String),
    /// It is in order and holds nothing of this form.
    #[error("the file holds nothing of this kind")]
    Empty,
}

fn malformed(e: impl std::error::Error) -> ConvertError {
    let mut text = e.to_string();
    let mut source = e.source();
    // Libraries tell the reason in the error beneath.
    while let Some(inner) = source {
        if text.len() < 500 {
            text = format!("{text}: {inner}");
        }
        source = inner.source();
    }
    ConvertError::Malformed(text)
}

/// Makes a form of the file with this debug id (fat files hold several) out of `bytes`.
///
/// # Errors
/// [`ConvertError`].
pub fn convert(form: Form, bytes: &[u8], debug_id: Option<&str>) -> Result<Vec<u8>, ConvertError> {
    survived(|| match form {
        Form::Symbols => symbols(bytes, debug_id, None),
        Form::Unwind => unwind(bytes, debug_id),
        Form::PortablePdb => managed::lines(bytes),
        Form::Sources if managed::is_managed(bytes) => managed::sources(bytes),
        Form::Sources => sources(bytes),
        Form::Il2cpp => il2cpp(bytes),
        Form::Proguard => proguard(bytes),
    })
}

fn survived(convert: impl FnOnce() -> Result<Vec<u8>, ConvertError>) -> Result<Vec<u8>, ConvertError> {
    guarded(convert).unwrap_or_else(|| Err(ConvertError::Malformed("the file contradicts itself".into())))
}

/// A symcache of a Mach-O whose names were hidden for upload to Apple, with the `bcsymbolmap` that tells them.
///
/// # Errors
/// [`ConvertError`], also for a `bcsymbolmap` that is none.
pub fn symbols_with_names(
    bytes: &[u8],
    debug_id: Option<&str>,
    bcsymbolmap: &[u8],
) -> Result<Vec<u8>, ConvertError> {
    survived(|| {
        let names = BcSymbolMap::parse(bcsymbolmap).map_err(malformed)?;
        symbols(bytes, debug_id, Some(names))
    })
}

fn options() -> ParseObjectOptions {
    let mut options = ParseObjectOptions::default();
    options.max_decompressed_section_size = Some(MAX_SECTION);
    options.max_decompressed_embedded_source_size = Some(MAX_SOURCE);
    options.max_inline_depth = Some(MAX_INLINE_DEPTH);
    options
}

/// The object of a file that is meant: the one with the debug id, or the only one.
fn object<'a>(bytes: &'a [u8], debug_id: Option<&str>) -> Result<Object<'a>, ConvertError> {
    let archive = Archive::parse_with_opts(bytes, options()).map_err(malformed)?;
    let wanted: Option<DebugId> = debug_id.and_then(|id| id.parse().ok());
    let count = archive.object_count();
    let mut broken = None;
    for object in archive.objects() {
        match object {
            Ok(object) if count == 1 || wanted.is_none_or(|id| id == object.debug_id()) => return Ok(object),
            Ok(_) => {}
            Err(e) => broken = Some(malformed(e)),
        }
    }
    Err(broken.unwrap_or(ConvertError::Empty))
}

fn symbols(
    bytes: &[u8],
    debug_id: Option<&str>,
    names: Option<BcSymbolMap<'_>>,
) -> Result<Vec<u8>, ConvertError> {
    let object = object(bytes, debug_id)?;
    let native = !matches!(object, Object::PortablePdb(_) | Object::SourceBundle(_));
    if !native || !(object.has_symbols() || object.has_debug_info()) {
        return Err(ConvertError::Empty);
    }
    let mut converter = SymCacheConverter::new();
    if let Some(names) = names {
        converter.add_transformer(names);
    }
    converter.process_object(&object).map_err(malformed)?;
    let mut out = Vec::new();
    converter.serialize(&mut out).map_err(malformed)?;
    Ok(out)
}

fn unwind(bytes: &[u8], debug_id: Option<&str>) -> Result<Vec<u8>, ConvertError> {
    let object = object(bytes, debug_id)?;
    if !object.has_unwind_info() {
        return Err(ConvertError::Empty);
    }
    let mut options = FromObjectOptions::default();
    options.max_unwind_chain_len = Some(MAX_UNWIND_CHAIN);
    let cache = CfiCache::from_object_with_opts(&object, options).map_err(malformed)?;
    if cache.as_slice().is_empty() {
        return Err(ConvertError::Empty);
    }
    let mut out = Vec::new();
    cache.write_to(&mut out).map_err(malformed)?;
    Ok(out)
}

/// A bundle stays as it is, if it can be read and what is always read of it is of a sane size.
fn sources(bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes)).map_err(malformed)?;
    let manifest = archive.by_name("manifest.json").map_err(malformed)?;
    let mut inner = Capped::new(MAX_MANIFEST);
    io::copy(&mut manifest.take(MAX_MANIFEST as u64 + 1), &mut inner).map_err(malformed)?;
    let bundle = SourceBundle::parse_with_opts(bytes, options()).map_err(malformed)?;
    if bundle.is_empty() {
        return Err(ConvertError::Empty);
    }
    Ok(bytes.to_vec())
}

fn il2cpp(bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
    LineMapping::parse(bytes)
        .ok_or_else(|| ConvertError::Malformed("this is not an il2cpp line map".into()))?;
    Ok(bytes.to_vec())
}

fn proguard(bytes: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mapping = ::proguard::ProguardMapping::new(bytes);
    if !mapping.is_valid() {
        return Err(ConvertError::Malformed("this is not a ProGuard mapping".into()));
    }
    let mut out = Vec::new();
    ::proguard::ProguardCache::write(&mapping, &mut out).map_err(malformed)?;
    Ok(out)
}

/// Keeps what is written and refuses more than a limit.
pub(crate) struct Capped {
    pub(crate) bytes: Vec<u8>,
    limit: usize,
}

impl Capped {
    pub(crate) fn new(limit: usize) -> Capped {
        Capped {
            bytes: Vec::new(),
            limit,
        }
    }
}

impl Write for Capped {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() > self.limit - self.bytes.len() {
            return Err(io::Error::other("it is larger than what is read of such a file"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolic::common::ByteView;
    use symbolic::symcache::SymCache;

    const HIDDEN: &[u8] =
        b"MODULE mac arm64 0123456789ABCDEF0123456789ABCDEF0 Shop\nFUNC 1000 10 0 __hidden#1_\n";

    fn first_function(cache: Vec<u8>) -> String {
        let view = ByteView::from_vec(cache);
        let cache = SymCache::parse(&view).unwrap();
        cache.functions().next().unwrap().name().to_owned()
    }

    #[test]
    fn hidden_names_are_told() {
        let map = b"BCSymbolMap Version: 2.0\n-[Cart total]\n-[Cart add:]\n";
        let told = symbols_with_names(HIDDEN, None, map).unwrap();
        assert_eq!(first_function(told), "-[Cart add:]");
        let plain = convert(Form::Symbols, HIDDEN, None).unwrap();
        assert_eq!(first_function(plain), "__hidden#1_");
        assert!(matches!(
            symbols_with_names(HIDDEN, None, b"x"),
            Err(ConvertError::Malformed(_))
        ));
    }

    #[test]
    fn files_without_the_form_are_empty_and_no_files_are_broken() {
        let elf = std::fs::read(crate::fixtures::folder().join("elf/libshop.so")).unwrap();
        for form in [Form::Unwind, Form::Symbols] {
            assert!(convert(form, &elf, None).is_ok());
            // The only object of a file is meant, whatever id it is asked for by.
            assert!(convert(form, &elf, Some("00000000-0000-0000-0000-000000000001")).is_ok());
        }
        let stripped = std::fs::read(crate::fixtures::folder().join("elf-stripped/libshop.so")).unwrap();
        assert_eq!(convert(Form::Unwind, &stripped, None), Err(ConvertError::Empty));
        let fat = std::fs::read(crate::fixtures::folder().join("macho-dsym/libshop.dwarf")).unwrap();
        assert_eq!(
            convert(Form::Symbols, &fat, Some("00000000-0000-0000-0000-000000000001")),
            Err(ConvertError::Empty)
        );
        for form in [
            Form::Symbols,
            Form::PortablePdb,
            Form::Sources,
            Form::Il2cpp,
            Form::Proguard,
        ] {
            assert!(
                matches!(convert(form, b"hello", None), Err(ConvertError::Malformed(_))),
                "{form:?}"
            );
        }
    }

    #[test]
    fn more_than_the_limit_is_not_kept() {
        let mut capped = Capped::new(4);
        assert!(capped.write_all(b"abc").is_ok());
        assert!(capped.write_all(b"de").is_err());
        assert_eq!(capped.bytes, b"abc");
    }
}
