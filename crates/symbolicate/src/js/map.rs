//! Source maps in the form that is looked up in.

use std::borrow::Cow;
use std::io::Write;

use symbolic::sourcemapcache::{ScopeLookupResult, SourceMapCache, SourceMapCacheWriter, SourcePosition};

use super::large::{self, Large};
use crate::convert::ConvertError;

/// Scripts up to this size are read for the names of their functions, bytes: the syntax tree of a script takes some
/// thirty times its size. Above it, names come from the map alone.
pub const LARGEST_READ: usize = 16 << 20;

/// Maps from this size on are kept as text with an index, bytes.
pub const LARGE: usize = 32 << 20;

/// Writes a form to look up in, of a map and its script (which may be missing).
///
/// # Errors
/// If the map cannot be read, or not be written.
pub fn write(script: Option<&[u8]>, map: &[u8], out: &mut dyn Write) -> Result<(), ConvertError> {
    if map.len() >= LARGE && large::convert(map, out)?.is_some() {
        return Ok(());
    }
    let bytes = convert(script, map)?;
    out.write_all(&bytes)
        .map_err(|e| ConvertError::Malformed(e.to_string()))
}

/// Makes a form to look up in, of a map of usual size and its script (which may be missing).
///
/// # Errors
/// If the map cannot be read.
pub fn convert(script: Option<&[u8]>, map: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let script = script.filter(|s| s.len() <= LARGEST_READ).unwrap_or_default();
    let script = String::from_utf8_lossy(script);
    let map =
        std::str::from_utf8(map).map_err(|e| ConvertError::Malformed(format!("it is not UTF-8: {e}")))?;
    let writer = SourceMapCacheWriter::new(&script, map).map_err(|e| {
        let cause = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
        ConvertError::Malformed(format!("it cannot be read as a source map: {cause}"))
    })?;
    let mut out = Vec::new();
    writer
        .serialize(&mut out)
        .map_err(|e| ConvertError::Malformed(e.to_string()))?;
    Ok(out)
}

/// Where a place of a script was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Original<'a> {
    /// The source, as the map calls it.
    pub source: Option<Cow<'a, str>>,
    /// Its text, if the map holds it.
    pub text: Option<Cow<'a, str>>,
    /// Line, from 0.
    pub line: u32,
    /// Column, from 0.
    pub column: u32,
    /// The name that stands there.
    pub name: Option<Cow<'a, str>>,
    /// The function around it: empty if nothing says.
    pub scope: Cow<'a, str>,
}

/// A map that is ready.
pub enum Map<'a> {
    /// As `symbolic` makes it.
    Cache(SourceMapCache<'a>),
    /// A large one.
    Large(Large<'a>),
}

impl<'a> Map<'a> {
    /// Reads what [`convert`] made.
    pub fn read(bytes: &'a [u8]) -> Option<Map<'a>> {
        if bytes.starts_with(large::MAGIC) {
            return Large::read(bytes).map(Map::Large);
        }
        SourceMapCache::parse(bytes).ok().map(Map::Cache)
    }

    /// Where a place was written; line and column from 0.
    pub fn find(&self, line: u32, column: u32) -> Option<Original<'_>> {
        let found = match self {
            Map::Cache(cache) => cache.lookup(SourcePosition::new(line, column))?,
            Map::Large(large) => return large.find(line, column),
        };
        Some(Original {
            source: found.file_name().map(Cow::Borrowed),
            text: found.file_source().map(Cow::Borrowed),
            line: found.line(),
            column: found.column(),
            name: found.name().map(Cow::Borrowed),
            scope: Cow::Borrowed(match found.scope() {
                ScopeLookupResult::NamedScope(name) => name,
                ScopeLookupResult::AnonymousScope => "<anonymous>",
                ScopeLookupResult::Unknown => "",
            }),
        })
    }
}
