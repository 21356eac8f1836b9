//! What a debug file is: its format, its ids, and what it can tell.

use std::io::Cursor;
use std::path::Path;

use serde::{Deserialize, Serialize};
use symbolic::common::{Arch, DebugId};
use symbolic::debuginfo::macho::{BcSymbolMap, UuidMapping};
use symbolic::debuginfo::{Archive, Object, ObjectKind};
use symbolic::il2cpp::LineMapping;

use crate::bundle::{Bundle, debug_id};

/// The most objects of a fat file.
const MOST_OBJECTS: usize = 64;
/// The longest code id: a build id of 100 bytes.
const MOST_CODE_ID: usize = 200;
/// The most bytes of a property list, which is a few hundred long.
const MOST_PLIST: usize = 16 << 10;
/// The most bytes of a file of JSON.
const MOST_JSON: usize = 256 << 20;

/// Why a file serves for nothing: one sentence for whoever uploaded it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InspectError {
    /// Its format is none that is read.
    #[error(
        "the file is of no known format: ELF, Mach-O, PE, PDB, portable PDB, Breakpad, WASM, source bundle, ProGuard \
         mapping, BCSymbolMap, UUID map, il2cpp line mapping or Dart symbol map"
    )]
    Unknown,
    /// It is broken.
    #[error("the file is broken: {0}")]
    Malformed(String),
    /// Nothing says what it belongs to.
    #[error("the file has no debug id and no code id, so no event can name it: {0}")]
    NoId(&'static str),
    /// A fat file has too many objects.
    #[error("the file holds more than {MOST_OBJECTS} objects")]
    TooMany,
    /// It is larger than files of its kind can be.
    #[error("a file of this kind may not be larger than {0} bytes")]
    TooLarge(usize),
}

/// An object in a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Found {
    /// The id that events name it by, as `symbolic::common::DebugId` writes it.
    pub debug_id: Option<String>,
    /// The id of its code: a build id, or timestamp and size.
    pub code_id: Option<String>,
    /// `elf`, `macho`, `pe`, `pdb`, `portablepdb`, `breakpad`, `wasm`, `sourcebundle`, `bcsymbolmap`, `uuidmap`,
    /// `il2cpp`, `proguard`, `dartsymbolmap`.
    pub kind: String,
    /// `exe`, `dbg`, `lib`, `src`… of objects; `none` of the rest.
    pub class: String,
    /// `x86_64`, `arm64`… or `any`.
    pub arch: String,
    /// Some of `symtab`, `debug`, `unwind`, `sources`, `mapping`.
    pub features: Vec<String>,
}

/// Recognises a file by what is in it. Its name says the UUID of a ProGuard mapping (`/proguard/<uuid>.txt`) and of
/// property lists and symbol maps of Apple (`<uuid>.plist`, `<uuid>.bcsymbolmap`), and `id` the debug id of files
/// that carry none in themselves.
///
/// # Errors
/// [`InspectError`].
pub fn inspect(bytes: &[u8], name: &str, id: Option<&str>) -> Result<Vec<Found>, InspectError> {
    if let Some(uuid) = proguard_id(name) {
        return proguard(bytes, uuid).map(|f| vec![f]);
    }
    let id = id.and_then(debug_id).or_else(|| {
        let stem = Path::new(name).file_stem()?.to_str()?;
        debug_id(stem)
    });
    let alone = |kind: &str, feature: &str| {
        let needed = "say it with its upload or in its name";
        Ok(vec![Found {
            debug_id: Some(id.clone().ok_or(InspectError::NoId(needed))?),
            code_id: None,
            kind: kind.into(),
            class: "none".into(),
            arch: "any".into(),
            features: vec![feature.into()],
        }])
    };
    let malformed = |e: &dyn std::fmt::Display| InspectError::Malformed(e.to_string());
    if BcSymbolMap::test(bytes) {
        BcSymbolMap::parse(bytes).map_err(|e| malformed(&e))?;
        return alone("bcsymbolmap", "mapping");
    }
    if bytes.starts_with(b"SYSB") {
        return source_bundle(bytes).map(|f| vec![f]);
    }
    match first_letter(bytes) {
        Some(b'<') => {
            if bytes.len() > MOST_PLIST {
                return Err(InspectError::TooLarge(MOST_PLIST));
            }
            UuidMapping::parse_plist(DebugId::nil(), bytes).map_err(|e| malformed(&e))?;
            return alone("uuidmap", "mapping");
        }
        Some(b'{') => {
            if bytes.len() > MOST_JSON {
                return Err(InspectError::TooLarge(MOST_JSON));
            }
            LineMapping::parse(bytes).ok_or_else(|| malformed(&"it is no line mapping of il2cpp"))?;
            return alone("il2cpp", "mapping");
        }
        Some(b'[') => {
            dart_map(bytes)?;
            return alone("dartsymbolmap", "mapping");
        }
        _ => {}
    }
    objects(bytes)
}

fn first_letter(bytes: &[u8]) -> Option<u8> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.iter().copied().take(100).find(|b| !b.is_ascii_whitespace())
}

/// The UUID in the name of a ProGuard mapping: `/proguard/<uuid>.txt`, also `proguard/mapping-<uuid>.txt`.
pub fn proguard_id(name: &str) -> Option<String> {
    let name = name.strip_prefix('/').unwrap_or(name).strip_prefix("proguard/")?;
    let name = name.strip_suffix(".txt")?;
    let name = name.strip_prefix("mapping-").unwrap_or(name);
    (name.len() == 36).then(|| debug_id(name)).flatten()
}

fn proguard(bytes: &[u8], uuid: String) -> Result<Found, InspectError> {
    let mapping = proguard::ProguardMapping::new(bytes);
    if !mapping.is_valid() {
        return Err(InspectError::Malformed(
            "it names no class of a ProGuard mapping".into(),
        ));
    }
    Ok(Found {
        debug_id: Some(uuid),
        code_id: None,
        kind: "proguard".into(),
        class: "none".into(),
        arch: "any".into(),
        features: vec!["mapping".into()],
    })
}

/// A list of names, obfuscated and plain ones in turns.
fn dart_map(bytes: &[u8]) -> Result<(), InspectError> {
    if bytes.len() > MOST_JSON {
        return Err(InspectError::TooLarge(MOST_JSON));
    }
    let names: Vec<&serde_json::value::RawValue> =
        serde_json::from_slice(bytes).map_err(|e| InspectError::Malformed(e.to_string()))?;
    let texts = names.iter().all(|n| n.get().starts_with('"'));
    if names.is_empty() || !names.len().is_multiple_of(2) || !texts {
        let what = "a Dart symbol map is a list of names in pairs";
        return Err(InspectError::Malformed(what.into()));
    }
    Ok(())
}

fn checked_code_id(id: Option<&str>) -> Result<Option<String>, InspectError> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) if id.len() > MOST_CODE_ID => Err(InspectError::Malformed(format!(
            "its code id is longer than {MOST_CODE_ID} letters"
        ))),
        id => Ok(id.map(str::to_lowercase)),
    }
}

fn source_bundle(bytes: &[u8]) -> Result<Found, InspectError> {
    let read = || Bundle::open(Cursor::new(bytes))?.manifest();
    let manifest = read().map_err(|e| InspectError::Malformed(e.to_string()))?;
    let id = manifest.debug_id();
    let code_id = checked_code_id(manifest.attribute("code_id"))?;
    if id.is_none() && code_id.is_none() {
        return Err(InspectError::NoId("its manifest must say debug_id"));
    }
    let arch = manifest.attribute("arch").unwrap_or("any");
    let arch = arch.parse::<Arch>().map_or("any", Arch::name);
    Ok(Found {
        debug_id: id,
        code_id,
        kind: "sourcebundle".into(),
        class: "src".into(),
        arch: arch.to_owned(),
        features: if manifest.files.is_empty() {
            vec![]
        } else {
            vec!["sources".into()]
        },
    })
}

fn objects(bytes: &[u8]) -> Result<Vec<Found>, InspectError> {
    let malformed = |e: &dyn std::fmt::Display| InspectError::Malformed(e.to_string());
    if Archive::peek(bytes) == symbolic::debuginfo::FileFormat::Unknown {
        return Err(InspectError::Unknown);
    }
    let archive = Archive::parse(bytes).map_err(|e| malformed(&e))?;
    if archive.object_count() > MOST_OBJECTS {
        return Err(InspectError::TooMany);
    }
    let mut found: Vec<Found> = Vec::new();
    for object in archive.objects() {
        let object = object.map_err(|e| malformed(&e))?;
        // Fat files may hold the same object for several variants of an architecture.
        let one = described(&object)?;
        if !found.contains(&one) {
            found.push(one);
        }
    }
    if found.is_empty() {
        return Err(malformed(&"it holds no object"));
    }
    Ok(found)
}

fn described(object: &Object<'_>) -> Result<Found, InspectError> {
    if object.is_malformed() && !object.has_symbols() && !object.has_debug_info() && !object.has_unwind_info()
    {
        return Err(InspectError::Malformed("parts of it cannot be read".into()));
    }
    let id = object.debug_id();
    let code_id = checked_code_id(object.code_id().as_ref().map(|c| c.as_str()))?;
    if id.is_nil() && code_id.is_none() {
        return Err(InspectError::NoId("build it with a build id (--build-id)"));
    }
    let all = [
        ("symtab", object.has_symbols()),
        ("debug", object.has_debug_info()),
        ("unwind", object.has_unwind_info()),
        ("sources", object.has_sources()),
    ];
    Ok(Found {
        debug_id: (!id.is_nil()).then(|| id.to_string()),
        code_id,
        kind: object.file_format().name().into(),
        class: match object.kind() {
            ObjectKind::None => "none".into(),
            kind => kind.name().into(),
        },
        arch: object.arch().name().to_owned(),
        features: all.into_iter().filter(|f| f.1).map(|f| f.0.to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use protocol::mutate::{Mutator, rounds};

    use super::*;
    use crate::archive::tests::zipped;

    const UUID: &str = "2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01";
    /// The debug id of the build id: its first fields are turned around.
    const ELF_ID: &str = "b5b05b2e-f491-fb4b-9a1a-4d5f9d8d0d01";
    const FULL: &[u8] = include_bytes!("../../../fixtures/symbols/shop/shop.full.so");
    const DEBUG: &[u8] = include_bytes!("../../../fixtures/symbols/shop/shop.debug");
    const STRIPPED: &[u8] = include_bytes!("../../../fixtures/symbols/shop/shop.so");
    const FAT: &[u8] = include_bytes!("../../../fixtures/symbols/shop/shop.fat.dylib");
    const BREAKPAD: &[u8] = b"MODULE Linux x86_64 DF9FC9BC3A9C4F2C8B9D3C0F0A8E5D2F0 shop\nFILE 0 shop.c\n\
                              FUNC 1000 10 0 checkout\n1000 10 8 0\nSTACK CFI INIT 1000 10 .cfa: $rsp 8 + .ra: .cfa 8 - ^\n";
    const MAPPING: &[u8] = b"com.shop.Cart -> a.a:\n    1:3:void checkout():10:12 -> a\n";
    const PLIST: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>DBGOriginalUUID</key><string>C8374B6D-6E96-34D8-AE38-EFAA5FEC424F</string></dict></plist>"#;

    fn one(bytes: &[u8], name: &str, id: Option<&str>) -> Found {
        let mut found = inspect(bytes, name, id).expect(name);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn elf_files_of_one_build_share_their_ids_and_differ_in_features() {
        for (bytes, class, features) in [
            (FULL, "lib", &["symtab", "debug", "unwind"][..]),
            (DEBUG, "dbg", &["symtab", "debug"]),
            (STRIPPED, "lib", &["symtab", "unwind"]),
        ] {
            let found = one(bytes, "shop", None);
            assert_eq!(found.debug_id.as_deref(), Some(ELF_ID));
            assert_eq!(found.code_id.as_deref(), Some("2e5bb0b591f44bfb9a1a4d5f9d8d0d01"));
            assert_eq!(
                (&*found.kind, &*found.class, &*found.arch),
                ("elf", class, "x86_64")
            );
            assert_eq!(found.features, features, "{class}");
        }
    }

    #[test]
    fn a_fat_file_holds_several_objects() {
        let found = inspect(FAT, "shop", None).expect("two objects");
        let archs: Vec<&str> = found.iter().map(|f| f.arch.as_str()).collect();
        assert_eq!(archs, ["x86_64", "arm64"]);
        assert!(found.iter().all(|f| f.kind == "macho" && f.class == "lib"));
        assert_ne!(found[0].debug_id, found[1].debug_id);
    }

    #[test]
    fn texts_are_recognised() {
        let found = one(BREAKPAD, "shop.sym", None);
        assert_eq!((&*found.kind, &*found.class), ("breakpad", "dbg"));
        assert_eq!(
            found.debug_id.as_deref(),
            Some("df9fc9bc-3a9c-4f2c-8b9d-3c0f0a8e5d2f")
        );
        assert_eq!(found.features, ["debug", "unwind"]);
        for name in [
            &format!("/proguard/{UUID}.txt"),
            &format!("proguard/mapping-{UUID}.txt"),
        ] {
            let found = one(MAPPING, name, None);
            assert_eq!(
                (&*found.kind, found.debug_id.as_deref()),
                ("proguard", Some(UUID))
            );
        }
        let map = b"BCSymbolMap Version: 2.0\n_main\n";
        let found = one(map, &format!("a/{UUID}.bcsymbolmap"), None);
        assert_eq!(
            (&*found.kind, found.debug_id.as_deref()),
            ("bcsymbolmap", Some(UUID))
        );
        let found = one(PLIST, &format!("{}.plist", UUID.to_uppercase()), None);
        assert_eq!((&*found.kind, found.debug_id.as_deref()), ("uuidmap", Some(UUID)));
        let found = one(
            br#"{"a.cpp":{"b.cs":{"1":2}}}"#,
            "LineNumberMappings.json",
            Some(UUID),
        );
        assert_eq!((&*found.kind, found.debug_id.as_deref()), ("il2cpp", Some(UUID)));
        let found = one(br#"["aa","Cart","ab","Shop"]"#, "map.json", Some(UUID));
        assert_eq!(
            (&*found.kind, found.debug_id.as_deref()),
            ("dartsymbolmap", Some(UUID))
        );
    }

    fn sources() -> Vec<u8> {
        let manifest = format!(
            "{{\"files\":{{\"files/shop.c\":{{\"type\":\"source\",\"path\":\"/src/shop.c\"}}}},\
             \"debug_id\":\"{ELF_ID}\",\"code_id\":\"2E5B\",\"arch\":\"x86_64\",\"object_name\":\"shop.so\"}}"
        );
        let zip = zipped(&[("files/shop.c", b"int"), ("manifest.json", manifest.as_bytes())]);
        [b"SYSB\x02\0\0\0", &zip[..]].concat()
    }

    #[test]
    fn a_source_bundle_has_the_id_of_its_debug_file() {
        let found = one(&sources(), "shop.src.zip", None);
        assert_eq!(
            (&*found.kind, &*found.class, &*found.arch),
            ("sourcebundle", "src", "x86_64")
        );
        assert_eq!(found.debug_id.as_deref(), Some(ELF_ID));
        assert_eq!(found.code_id.as_deref(), Some("2e5b"));
        assert_eq!(found.features, ["sources"]);
    }

    #[test]
    fn what_serves_for_nothing_is_refused_with_a_reason() {
        let why = |bytes: &[u8], name: &str, id: Option<&str>| inspect(bytes, name, id).expect_err(name);
        assert_eq!(why(b"", "a", None), InspectError::Unknown);
        assert_eq!(
            why(b"a text of some length that is nothing", "a", None),
            InspectError::Unknown
        );
        assert!(matches!(
            why(b"BCSymbolMap Version: 2.0\n", "a.bcsymbolmap", None),
            InspectError::NoId(_)
        ));
        for (bytes, name) in [
            (&b"no mapping"[..], &*format!("/proguard/{UUID}.txt")),
            (b"{]", "a.json"),
            (b"[1,2]", "a.json"),
            (b"[\"odd\"]", "a.json"),
            (b"<?xml version=\"1.0\"?><plist/>", "a.plist"),
            (&FULL[..70], "cut.so"),
            (b"SYSB\x02\0\0\0", "cut.zip"),
        ] {
            let e = why(bytes, name, Some(UUID));
            assert!(matches!(e, InspectError::Malformed(_)), "{name}: {e:?}");
        }
        let deep = [b"<?xml version=\"1.0\"?>".to_vec(), b"<a>".repeat(10_000)].concat();
        assert_eq!(
            why(&deep, "a.plist", Some(UUID)),
            InspectError::TooLarge(MOST_PLIST)
        );
    }

    #[test]
    fn changed_files_are_recognised_or_refused() {
        let samples: Vec<Vec<u8>> = [FULL, DEBUG, STRIPPED, BREAKPAD, MAPPING, PLIST, &sources()[..]]
            .iter()
            .map(|b| b.to_vec())
            .chain([FAT[..9000].to_vec()])
            .collect();
        let pieces = &[
            "\u{0}",
            "\u{7f}ELF",
            "MODULE ",
            "FUNC ",
            "STACK CFI INIT ",
            "<",
            "-> ",
            "PK\u{1}\u{2}",
        ];
        let mut mutator = Mutator::new(23, pieces);
        let mut good = 0;
        for round in 0..rounds(5_000) {
            let bytes = mutator.bytes(&samples);
            let name = if round % 2 == 0 {
                "shop"
            } else {
                "/proguard/2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01.txt"
            };
            good += usize::from(inspect(&bytes, name, Some(UUID)).is_ok());
        }
        assert!(good > 100, "{good} recognised");
    }
}
