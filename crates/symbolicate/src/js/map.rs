//! Source maps in the form that is looked up in.

use symbolic::sourcemapcache::{ScopeLookupResult, SourceMapCache, SourceMapCacheWriter, SourcePosition};

use crate::convert::ConvertError;

/// Scripts up to this size are read for the names of their functions, bytes: the syntax tree of a script takes some
/// thirty times its size. Above it, names come from the map alone.
pub const LARGEST_READ: usize = 16 << 20;

/// Makes a form to look up in, of a map and its script (which may be missing).
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
    pub source: Option<&'a str>,
    /// Its text, if the map holds it.
    pub text: Option<&'a str>,
    /// Line, from 0.
    pub line: u32,
    /// Column, from 0.
    pub column: u32,
    /// The name that stands there.
    pub name: Option<&'a str>,
    /// The function around it: empty if nothing says.
    pub scope: &'a str,
}

/// A map that is ready.
pub struct Map<'a>(SourceMapCache<'a>);

impl<'a> Map<'a> {
    /// Reads what [`convert`] made.
    pub fn read(bytes: &'a [u8]) -> Option<Map<'a>> {
        SourceMapCache::parse(bytes).ok().map(Map)
    }

    /// Where a place was written; line and column from 0.
    pub fn find(&self, line: u32, column: u32) -> Option<Original<'_>> {
        let found = self.0.lookup(SourcePosition::new(line, column))?;
        Some(Original {
            source: found.file_name(),
            text: found.file_source(),
            line: found.line(),
            column: found.column(),
            name: found.name(),
            scope: match found.scope() {
                ScopeLookupResult::NamedScope(name) => name,
                ScopeLookupResult::AnonymousScope => "<anonymous>",
                ScopeLookupResult::Unknown => "",
            },
        })
    }
}
