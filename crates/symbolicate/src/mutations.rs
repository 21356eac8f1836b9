//! Debug files, reports and events that nobody sends, changed at random from fixed seeds; they start from the files of
//! `fixtures/symbols`. Reading must answer.

use std::path::PathBuf;

use protocol::json::{Json, Map};
use protocol::mutate::{Mutator, rounds};

use crate::cabinet::{packed, unpack};
use crate::convert::convert;
use crate::files::{Form, NoFiles};
use crate::fixtures::{Uploaded, folder, json};

const FORMS: [Form; 6] = [
    Form::Symbols,
    Form::Unwind,
    Form::PortablePdb,
    Form::Sources,
    Form::Il2cpp,
    Form::Proguard,
];

const PIECES: &[&str] = &[
    "\u{0}\u{0}\u{0}\u{0}",
    "\u{1}\u{0}\u{0}\u{0}",
    "\u{7f}\u{7f}\u{7f}\u{7f}",
    "FUNC ",
    "INLINE 0 0 0 0 0 ffffffffffffffff\n",
    "STACK CFI INIT 0 ffffffffffffffff .cfa: $rsp 8 + .ra: .cfa -8 + ^\n",
    " -> ",
    ":1:99999999999:",
    "# {\"id\":\"com.android.tools.r8.outline\"}\n",
    "{",
    "\"",
    "é",
    "0x",
    "-1",
    "18446744073709551615",
    "rel:1",
    "Thread 0 Crashed:\n",
    "Binary Images:\n",
    "<",
    "</",
    "&#x",
];

/// The files of the cases, by the endings of their names.
fn samples(endings: &[&str]) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|case| case.unwrap().path())
        .filter(|case| case.is_dir())
        .flat_map(|case| std::fs::read_dir(case).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            endings.iter().any(|e| name.ends_with(e))
        })
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no {endings:?}");
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

/// Changes bytes where they stand, mostly, as what is found by offsets is lost when bytes are put between.
fn changed(mutator: &mut Mutator, samples: &[Vec<u8>]) -> Vec<u8> {
    if mutator.below(4) == 0 {
        return mutator.bytes(samples);
    }
    let mut bytes = samples[mutator.below(samples.len())].clone();
    for _ in 0..=mutator.below(6) {
        let at = mutator.below(bytes.len());
        bytes[at] = match mutator.below(4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ (1 << mutator.below(8)),
            _ => mutator.below(256) as u8,
        };
    }
    bytes
}

#[test]
fn changed_debug_files_are_converted_or_refused() {
    for (seed, endings) in [
        (11, &[".so", ".debug"][..]),
        (12, &[".dwarf", ".dylib"]),
        (13, &[".dll"]),
        (14, &[".pdb"]),
        (15, &[".wasm"]),
        (16, &[".sym"]),
        (17, &["sources.zip"]),
        (18, &["mapping.txt"]),
    ] {
        let samples = samples(endings);
        let mut mutator = Mutator::new(seed, PIECES);
        let (mut made, mut refused) = (0, 0);
        for _ in 0..rounds(150) {
            let bytes = changed(&mut mutator, &samples);
            for form in FORMS {
                match convert(form, &bytes, None) {
                    Ok(_) => made += 1,
                    Err(e) => {
                        assert!(!e.to_string().is_empty());
                        refused += 1;
                    }
                }
            }
        }
        assert!(
            made > 10 && refused > 10,
            "{endings:?}: {made} made, {refused} refused"
        );
    }
}

#[test]
fn changed_cabinets_are_unpacked_or_refused() {
    let content: Vec<u8> = (0..40_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
    let samples = [cab::CompressionType::None, cab::CompressionType::MsZip].map(|kind| {
        let mut bytes = packed(&content, kind);
        // Without the checksums of the blocks, which are optional: they would refuse nearly everything.
        let mut at = u32::from_le_bytes(bytes[36..40].try_into().unwrap()) as usize;
        while at < bytes.len() {
            bytes[at..at + 4].fill(0);
            at += 8 + usize::from(u16::from_le_bytes([bytes[at + 4], bytes[at + 5]]));
        }
        bytes
    });
    let mut mutator = Mutator::new(19, PIECES);
    let (mut made, mut refused) = (0, 0);
    for _ in 0..rounds(300) {
        let mut bytes = changed(&mut mutator, &samples);
        // One of the methods that only others write.
        if mutator.below(4) == 0 && bytes.len() > 43 {
            bytes[42] = [2, 3][mutator.below(2)];
        }
        let mut out = Vec::new();
        match unpack(&bytes, 1 << 20, &mut out).unwrap() {
            Ok(()) => made += 1,
            Err(e) => {
                assert!(!e.to_string().is_empty());
                refused += 1;
            }
        }
        assert!(out.len() <= 1 << 20);
    }
    assert!(made > 10 && refused > 10, "{made} made, {refused} refused");
}

/// What is uploaded for the libraries of the fixtures.
fn uploaded() -> Uploaded {
    let read = |name: &str| std::fs::read(folder().join(name)).unwrap();
    let entry = |id: &str, name: &str| (id.to_owned(), name.to_owned(), read(name));
    Uploaded(vec![
        entry("ad5dd93c-b37e-471f-8fa5-410b5a6b4b1c", "elf/libshop.so"),
        entry("ad5dd93c-b37e-471f-8fa5-410b5a6b4b1c", "elf/sources.zip"),
        entry("57ec5be2-476f-535a-8f3e-be0a8b61241c", "r8/mapping.txt"),
        entry("6dc7fdb0-d2fb-4c8e-9d6b-bb1aa98929b1", "r8/sources.zip"),
        entry("11111111-0000-4000-8000-000000000001", "proguard/mapping.txt"),
        entry("2f3af664-d6e3-4bdd-b5cd-9ec28307b2cd", "portable-pdb/Shop.pdb"),
        entry("00112233-4455-6677-8899-aabbccddeeff", "wasm/shop.wasm"),
    ])
}

fn apply(event: &mut Map<'_>, files: &Uploaded) -> bool {
    let renamed = crate::jvm::apply(event, files);
    crate::native::apply(event, files) | renamed
}

#[test]
fn changed_dumps_are_walked_or_refused() {
    let samples = samples(&["crash.dmp"]);
    let files = uploaded();
    let mut mutator = Mutator::new(21, PIECES);
    let mut walked = 0;
    for n in 0..rounds(400) {
        let bytes = changed(&mut mutator, &samples);
        let read = crate::minidump::read(&bytes);
        match crate::minidump::process(&bytes, &files) {
            Ok(mut event) => {
                walked += 1;
                assert!(read.is_ok());
                if n % 4 == 0 {
                    apply(&mut event, &files);
                }
                assert!(serde_json::from_slice::<serde_json::Value>(&Json::Object(event).to_vec()).is_ok());
            }
            Err(e) => assert!(!e.to_string().is_empty()),
        }
    }
    assert!(walked > 50, "hardly any dump was walked: {walked}");
}

/// The header, the directory and the lists of a dump are small beside its memory, and are what is parsed.
#[test]
fn dumps_with_changed_lists_are_walked_or_refused() {
    let sample = samples(&["crash.dmp"]).remove(0);
    let mut mutator = Mutator::new(22, PIECES);
    let (mut walked, mut refused) = (0, 0);
    let word = |at: usize| u32::from_le_bytes(sample[at..at + 4].try_into().unwrap()) as usize;
    let directory = word(12);
    // Threads, modules, memory, exception, system, names of threads.
    let streams: Vec<(usize, usize)> = (0..word(8))
        .map(|i| directory + 12 * i)
        .filter(|at| [3, 4, 5, 6, 7, 24].contains(&word(*at)))
        .map(|at| (word(at + 8), word(at + 4)))
        .collect();
    for _ in 0..rounds(3_000) {
        let mut bytes = sample.clone();
        for _ in 0..=mutator.below(3) {
            let (start, size) = streams[mutator.below(streams.len())];
            let at = start + mutator.below(size);
            bytes[at] = match mutator.below(3) {
                0 => 0xff,
                1 => 0,
                _ => mutator.below(256) as u8,
            };
        }
        match crate::minidump::process(&bytes, &NoFiles) {
            Ok(_) => walked += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(walked > 100 && refused > 10, "{walked} walked, {refused} refused");
}

#[test]
fn changed_reports_are_read_or_refused() {
    for (seed, ending) in [(31, ".crash"), (32, ".ips")] {
        let samples = samples(&[ending]);
        let mut mutator = Mutator::new(seed, PIECES);
        let mut read = 0;
        for _ in 0..rounds(500) {
            match crate::apple::process(&mutator.bytes(&samples)) {
                Ok(event) => {
                    read += 1;
                    assert!(event.contains("threads"));
                }
                Err(e) => assert!(!e.to_string().is_empty()),
            }
        }
        assert!(read > 20, "hardly any {ending} was read: {read}");
    }
}

#[test]
fn changed_events_are_symbolicated() {
    let files = uploaded();
    let samples: Vec<Vec<u8>> = ["elf", "proguard", "r8", "portable-pdb", "wasm", "elf-separate"]
        .iter()
        .map(|case| {
            let input = json(&folder().join(case).join("input.json"));
            input.get("event").unwrap().to_vec()
        })
        .collect();
    let mut mutator = Mutator::new(41, PIECES);
    let mut changed = 0;
    for _ in 0..rounds(1_500) {
        let body = mutator.bytes(&samples);
        let Ok((Json::Object(mut event), _)) = protocol::json::parse(&body) else {
            continue;
        };
        changed += usize::from(apply(&mut event, &files));
        let text = Json::Object(event).to_vec();
        assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
    }
    assert!(changed > 100, "hardly any event was symbolicated: {changed}");
}

#[test]
fn changed_views_are_named_or_left() {
    let samples = samples(&["view-hierarchy.json"]);
    let input = json(&folder().join("proguard").join("input.json"));
    let event = input.get("event").and_then(Json::as_object).unwrap();
    let files = uploaded();
    let mut mutator = Mutator::new(51, PIECES);
    let (mut named, mut left) = (0, 0);
    for _ in 0..rounds(2_000) {
        match crate::jvm::view_hierarchy(&mutator.bytes(&samples), event, &files) {
            Some(bytes) => {
                named += 1;
                assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
            }
            None => left += 1,
        }
    }
    assert!(named > 50 && left > 50, "{named} named, {left} left");
}
