//! Artifact bundles and source bundles: a zip archive with a manifest that says what each file is. Source bundles
//! begin with `SYSB` and a version; artifact bundles may.

use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};

use serde::Deserialize;
use symbolic::common::DebugId;

use crate::archive::{Archive, ArchiveError, MOST_ENTRIES};

/// The most bytes of a manifest.
const MOST_MANIFEST: u64 = 64 << 20;
/// The longest text of a manifest that is kept: a path, an address or a header.
const MOST_TEXT: usize = 8192;
/// The longest address of a file, by which it is looked for.
const MOST_URL: usize = 2000;
const MANIFEST: &str = "manifest.json";

/// Why a bundle cannot be read: one sentence for whoever uploaded it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BundleError {
    /// The archive is at fault.
    #[error("{0}")]
    Archive(#[from] ArchiveError),
    /// The manifest is missing.
    #[error("the bundle has no manifest.json")]
    NoManifest,
    /// The manifest is at fault.
    #[error("manifest.json is broken: {0}")]
    Manifest(String),
    /// The bundle has another version than is read.
    #[error("bundles of version {0} are not read")]
    Version(u32),
}

/// What a file of a bundle is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// What people wrote.
    Source,
    /// What browsers run.
    MinifiedSource,
    /// From the one to the other.
    SourceMap,
    /// Several minified files of React Native in one.
    IndexedRamBundle,
}

impl FileKind {
    /// As manifests write it.
    pub fn name(self) -> &'static str {
        match self {
            FileKind::Source => "source",
            FileKind::MinifiedSource => "minified_source",
            FileKind::SourceMap => "source_map",
            FileKind::IndexedRamBundle => "indexed_ram_bundle",
        }
    }

    fn of(name: &str) -> Option<FileKind> {
        [
            FileKind::Source,
            FileKind::MinifiedSource,
            FileKind::SourceMap,
            FileKind::IndexedRamBundle,
        ]
        .into_iter()
        .find(|k| k.name() == name)
    }
}

/// A file that a manifest names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BundleFile {
    /// Its name in the archive.
    pub path: String,
    /// What it is.
    pub kind: FileKind,
    /// The address that it is served under, like `~/app.js`.
    pub url: Option<String>,
    /// Where a source was when it was compiled.
    pub source_path: Option<String>,
    /// The id that it shares with its source map, as UUID in lower case.
    pub debug_id: Option<String>,
    /// Where its source map is.
    pub source_map: Option<String>,
    /// Its bytes when it is inflated, as the archive says.
    pub size: u64,
    /// Its headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
}

/// What a bundle says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Manifest {
    /// Its files; those of kinds that are not known are left out.
    pub files: Vec<BundleFile>,
    /// `debug_id`, `org`, `project`, `release`, `dist`, `note`, `code_id`, `arch`, `object_name`…
    pub attributes: BTreeMap<String, String>,
}

impl Manifest {
    /// An attribute that is given and not empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// The id of the bundle or, in source bundles, of the debug file that its sources are of.
    pub fn debug_id(&self) -> Option<String> {
        self.attribute("debug_id").and_then(debug_id)
    }
}

/// A debug id as it is kept: lower case with dashes; none if it is none or nothing but zeros.
pub fn debug_id(text: &str) -> Option<String> {
    let id: DebugId = text.trim().parse().ok()?;
    (!id.is_nil()).then(|| id.to_string())
}

#[derive(Deserialize)]
struct RawManifest {
    #[serde(default)]
    files: BTreeMap<String, RawFile>,
    #[serde(flatten)]
    attributes: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct RawFile {
    #[serde(rename = "type")]
    kind: Option<String>,
    path: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    debug_id: Option<String>,
}

/// A bundle.
#[derive(Debug)]
pub struct Bundle<R> {
    archive: Archive<R>,
}

impl<R: Read + Seek> Bundle<R> {
    /// Reads the directory of a bundle.
    ///
    /// # Errors
    /// [`BundleError`]; so for the methods below.
    pub fn open(mut reader: R) -> Result<Bundle<R>, BundleError> {
        reader.rewind().map_err(ArchiveError::from)?;
        let mut start = Vec::new();
        reader
            .by_ref()
            .take(8)
            .read_to_end(&mut start)
            .map_err(ArchiveError::from)?;
        if let [b'S', b'Y', b'S', b'B', version @ ..] = &start[..] {
            let version = version.try_into().map_or(0, u32::from_le_bytes);
            if !(1..=2).contains(&version) {
                return Err(BundleError::Version(version));
            }
        }
        Ok(Bundle {
            archive: Archive::open(reader)?,
        })
    }

    /// The names of the files in it, the manifest among them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.archive.names()
    }

    /// Reads the manifest. Every file that it names must be there.
    pub fn manifest(&mut self) -> Result<Manifest, BundleError> {
        if !self.archive.has(MANIFEST) {
            return Err(BundleError::NoManifest);
        }
        let bytes = self.archive.read(MANIFEST, MOST_MANIFEST)?;
        let wrong = |what: String| BundleError::Manifest(what);
        let raw: RawManifest = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
        if raw.files.len() as u64 > MOST_ENTRIES {
            return Err(wrong(format!("it names more than {MOST_ENTRIES} files")));
        }
        let mut files = Vec::new();
        for (path, file) in raw.files {
            let Some(size) = self.archive.size(&path) else {
                return Err(wrong(format!("it names {path:?}, which is not in the bundle")));
            };
            if let Some(kind) = file.kind.as_deref().and_then(FileKind::of) {
                files.push(checked(path, kind, size, file).map_err(wrong)?);
            }
        }
        let texts = raw.attributes.into_iter();
        let attributes = texts.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        Ok(Manifest {
            files,
            attributes: attributes.collect(),
        })
    }

    /// The bytes of a file by its name in the archive, at most so many.
    pub fn read(&mut self, path: &str, most: u64) -> Result<Vec<u8>, BundleError> {
        Ok(self.archive.read(path, most)?)
    }

    /// Writes them; what was written counts only if there is no error.
    pub fn copy(&mut self, path: &str, most: u64, out: &mut dyn Write) -> Result<(), BundleError> {
        Ok(self.archive.copy(path, most, out)?)
    }
}

fn checked(path: String, kind: FileKind, size: u64, file: RawFile) -> Result<BundleFile, String> {
    let headers: BTreeMap<String, String> = file
        .headers
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let texts = headers.iter().flat_map(|(name, value)| [name, value]);
    let texts = texts.chain(&file.url).chain(&file.path).chain([&path]);
    if headers.len() > 100 || texts.into_iter().any(|t| t.len() > MOST_TEXT || t.contains('\0')) {
        return Err(format!(
            "a text of {:.100?} is longer than {MOST_TEXT} bytes or holds a NUL, or it has over 100 headers",
            path
        ));
    }
    if file.url.as_ref().is_some_and(|u| u.len() > MOST_URL) {
        return Err(format!("the url of {path:.100?} is longer than {MOST_URL} bytes"));
    }
    let id = headers.get("debug-id").or(file.debug_id.as_ref());
    let reference = headers.get("sourcemap").or(headers.get("x-sourcemap"));
    Ok(BundleFile {
        kind,
        url: file.url.filter(|u| !u.is_empty()),
        source_path: file.path.filter(|p| !p.is_empty()),
        debug_id: id.and_then(|id| debug_id(id)),
        size,
        source_map: reference.filter(|r| !r.is_empty()).cloned(),
        headers,
        path,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use protocol::mutate::{Mutator, rounds};

    use super::*;
    use crate::archive::tests::zipped;

    const ID: &str = "2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01";
    const TEXT: &str = r#"{"files":{
        "files/_/_/cart.js":{"type":"minified_source","url":"~/cart.js",
            "headers":{"Debug-Id":"2E5BB0B5-91F4-4BFB-9A1A-4D5F9D8D0D01","sourcemap":"cart.js.map"}},
        "files/_/_/cart.js.map":{"type":"source_map","url":"~/cart.js.map","headers":{"debug-id":"no id"}},
        "files/odd":{"type":"of the future"}},
        "debug_id":"2e5bb0b591f44bfb9a1a4d5f9d8d0d01","org":"acme","release":"1.0","dist":"","number":3}"#;

    fn bundle(manifest: &str) -> Vec<u8> {
        zipped(&[
            ("files/_/_/cart.js", b"x()"),
            ("files/_/_/cart.js.map", b"{}"),
            ("files/odd", b""),
            ("manifest.json", manifest.as_bytes()),
        ])
    }

    fn read(bytes: &[u8]) -> Result<Manifest, BundleError> {
        Bundle::open(Cursor::new(bytes))?.manifest()
    }

    #[test]
    fn a_manifest_says_what_each_file_is() {
        for start in [&b""[..], b"SYSB\x02\0\0\0"] {
            let bytes = [start, &bundle(TEXT)].concat();
            let manifest = read(&bytes).expect("a manifest");
            assert_eq!(manifest.debug_id().as_deref(), Some(ID));
            assert_eq!(manifest.attribute("release"), Some("1.0"));
            assert_eq!(manifest.attribute("dist"), None);
            let [code, map] = &manifest.files[..] else {
                panic!("{manifest:?}");
            };
            assert_eq!(
                (code.kind, map.kind),
                (FileKind::MinifiedSource, FileKind::SourceMap)
            );
            assert_eq!(code.url.as_deref(), Some("~/cart.js"));
            assert_eq!(code.debug_id.as_deref(), Some(ID));
            assert_eq!(code.source_map.as_deref(), Some("cart.js.map"));
            assert_eq!((&map.debug_id, map.size), (&None, 2));
            let mut opened = Bundle::open(Cursor::new(&bytes)).expect("a bundle");
            assert_eq!(opened.read(&code.path, 10), Ok(b"x()".to_vec()));
        }
    }

    #[test]
    fn broken_bundles_are_refused_with_a_reason() {
        let why = |bytes: &[u8]| read(bytes).expect_err("refused").to_string();
        assert!(why(&zipped(&[("a", b"x")])).contains("no manifest.json"));
        assert!(why(&bundle("{\"files\":")).contains("manifest.json is broken"));
        assert!(why(&bundle("{\"files\":{\"gone\":{}}}")).contains("\"gone\""));
        let url = format!(
            "{{\"files\":{{\"files/odd\":{{\"type\":\"source\",\"url\":\"{}\"}}}}}}",
            "x".repeat(2001)
        );
        assert!(why(&bundle(&url)).contains("longer than 2000"));
        let long = format!(
            "{{\"files\":{{\"files/odd\":{{\"type\":\"source\",\"path\":\"{}\"}}}}}}",
            "x".repeat(9000)
        );
        assert!(why(&bundle(&long)).contains("longer"));
        assert!(why(b"text").contains("no zip archive"));
        assert_eq!(why(b"SYSB\x09\0\0\0"), "bundles of version 9 are not read");
        assert!(why(b"SYSB").contains("version 0"));
    }

    #[test]
    fn changed_bundles_are_read_or_refused() {
        let mut mutator = Mutator::new(
            22,
            &[
                "\"",
                "{",
                "}",
                ":",
                "null",
                "\\u0000",
                "files/odd",
                ",",
                "[",
                "source",
            ],
        );
        let samples = [TEXT.as_bytes().to_vec()];
        let mut good = 0;
        for _ in 0..rounds(5_000) {
            good += usize::from(read(&bundle(&mutator.text(&samples))).is_ok());
        }
        assert!(good > 50, "{good} read");
    }
}
