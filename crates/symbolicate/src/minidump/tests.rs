//! Dumps that try to be expensive, and what a dump is read as without any file.

use protocol::json::Json;

use super::*;
use crate::files::NoFiles;

const CODE: u64 = 0x0040_0000;
const STACK: u64 = 0x7fff_0000_0000;

/// A dump of a Linux process with these streams; each is told where it will lie.
struct Builder {
    bytes: Vec<u8>,
    directory: Vec<(u32, u32, u32)>,
}

impl Builder {
    fn new() -> Builder {
        Builder::of(0x8201)
    }

    /// A dump of another system: 2 is Windows, 0x8101 macOS.
    fn of(platform: u32) -> Builder {
        let mut builder = Builder {
            bytes: vec![0; 32],
            directory: Vec::new(),
        };
        let mut system = vec![0; 56];
        system[0] = 9; // AMD64
        system[20..24].copy_from_slice(&platform.to_le_bytes());
        builder.stream(7, &system);
        builder
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn stream(&mut self, kind: u32, bytes: &[u8]) {
        let at = self.put(bytes);
        self.directory.push((kind, bytes.len() as u32, at));
    }

    /// One thread with a stack, whose frame pointers begin at its bottom.
    fn thread(&mut self, stack: &[u8]) {
        let stack_at = self.put(stack);
        let mut context = vec![0; 1232];
        context[48..52].copy_from_slice(&0x0010_000bu32.to_le_bytes());
        for (at, value) in [(0x98, STACK), (0xa0, STACK), (0xf8, CODE + 0x100)] {
            context[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let context_at = self.put(&context);
        let mut list = Vec::new();
        list.extend(1u32.to_le_bytes());
        for word in [1u32, 0, 0, 0, 0, 0] {
            list.extend(word.to_le_bytes());
        }
        list.extend(STACK.to_le_bytes());
        for word in [stack.len() as u32, stack_at, context.len() as u32, context_at] {
            list.extend(word.to_le_bytes());
        }
        self.stream(3, &list);
    }

    /// What ended the first thread.
    fn exception(&mut self, code: u32, flags: u32, address: u64, parameters: &[u64]) {
        let mut record = Vec::new();
        for word in [1, 0, code, flags, 0, 0] {
            record.extend(u32::to_le_bytes(word));
        }
        record.extend(address.to_le_bytes());
        record.extend((parameters.len() as u64).to_le_bytes());
        for i in 0..15 {
            record.extend(parameters.get(i).unwrap_or(&0).to_le_bytes());
        }
        record.extend([0; 8]);
        self.stream(6, &record);
    }

    /// Modules of 64 KiB each, all of one name.
    fn modules(&mut self, count: usize, name: &str) {
        let utf16: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut text = (utf16.len() as u32).to_le_bytes().to_vec();
        text.extend(utf16);
        let name_at = self.put(&text);
        let mut list = (count as u32).to_le_bytes().to_vec();
        for i in 0..count as u64 {
            let mut module = vec![0; 108];
            module[..8].copy_from_slice(&(CODE + i * 0x1_0000).to_le_bytes());
            module[8..12].copy_from_slice(&0x1_0000u32.to_le_bytes());
            module[20..24].copy_from_slice(&name_at.to_le_bytes());
            list.extend(module);
        }
        self.stream(4, &list);
    }

    fn finish(mut self) -> Vec<u8> {
        let directory = self.bytes.len() as u32;
        for (kind, size, at) in &self.directory {
            for word in [kind, size, at] {
                self.bytes.extend(word.to_le_bytes());
            }
        }
        self.bytes[..4].copy_from_slice(b"MDMP");
        for (at, word) in [(4, 0xa793), (8, self.directory.len() as u32), (12, directory)] {
            self.bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        }
        self.bytes
    }
}

/// Frames of 16 bytes each: where the next one is, and a return address.
fn chain(bytes: u64) -> Vec<u8> {
    (0..bytes / 16)
        .flat_map(|i| [STACK + (i + 1) * 16, CODE + 0x200 + i % 64])
        .flat_map(u64::to_le_bytes)
        .collect()
}

fn frames(event: &Map<'_>) -> usize {
    let path = ["values", "0", "stacktrace", "frames"];
    let frames = event
        .get("threads")
        .and_then(|t| t.path(&path))
        .and_then(Json::as_array);
    frames.map_or(0, <[Json<'_>]>::len)
}

#[test]
fn stacks_end_somewhere() {
    let mut short = Builder::new();
    short.thread(&chain(160));
    short.modules(1, "shop");
    let short = frames(&process(&short.finish(), &NoFiles).unwrap());
    assert!((9..=11).contains(&short), "{short} frames");
    for modules in [1, 0] {
        let mut endless = Builder::new();
        endless.thread(&chain(32 << 20));
        endless.modules(modules, "shop");
        let count = frames(&process(&endless.finish(), &NoFiles).unwrap());
        assert!(count <= 1_000, "{count} frames");
        assert!(modules == 0 || count == 1_000, "{count} frames");
    }
}

#[test]
fn lists_without_end_are_refused() {
    let mut names = Builder::new();
    names.thread(&chain(160));
    names.modules(5_000, &"x".repeat(8_000));
    assert_eq!(
        process(&names.finish(), &NoFiles),
        Err(MinidumpError::TooMany("names of modules"))
    );
    let mut modules = Builder::new();
    modules.thread(&chain(160));
    modules.modules(20_000, "x");
    assert_eq!(
        read(&modules.finish()).map(|s| s.threads),
        Err(MinidumpError::TooMany("modules"))
    );
    let mut streams = Builder::new().finish();
    streams[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        read(&streams).map(|s| s.threads),
        Err(MinidumpError::TooMany("streams"))
    );
    assert_eq!(
        read(&Builder::new().finish()).map(|s| s.threads),
        Err(MinidumpError::Missing("threads"))
    );
    assert!(matches!(read(b"hello"), Err(MinidumpError::NoMinidump(_))));
}

#[test]
fn reasons_in_the_words_of_their_systems() {
    for (platform, code, flags, parameters, expected, at) in [
        (
            2,
            0xc000_0005,
            0,
            &[0, 0x10][..],
            "EXCEPTION_ACCESS_VIOLATION_READ",
            "0x10",
        ),
        (
            2,
            0xc000_0005,
            0,
            &[1, 0x18],
            "EXCEPTION_ACCESS_VIOLATION_WRITE",
            "0x18",
        ),
        (2, 0xc000_00fd, 0, &[], "EXCEPTION_STACK_OVERFLOW", "0x5"),
        (0x8101, 1, 1, &[], "EXC_BAD_ACCESS /KERN_INVALID_ADDRESS", "0x5"),
        (0x8201, 11, 1, &[], "SIGSEGV /SEGV_MAPERR", "0x5"),
        (0x8203, 6, 0, &[], "SIGABRT", "0x5"),
    ] {
        let mut dump = Builder::of(platform);
        dump.thread(&chain(160));
        dump.modules(1, "C:\\app\\shop.exe");
        dump.exception(code, flags, 5, parameters);
        let event = Json::Object(process(&dump.finish(), &NoFiles).unwrap());
        let exception = event.path(&["exception", "values", "0"]).unwrap();
        assert_eq!(exception.str_at(&["type"]), Some(expected));
        assert_eq!(
            exception.str_at(&["value"]),
            Some(&*format!("Fatal Error: {expected}"))
        );
        assert_eq!(
            exception.str_at(&["mechanism", "data", "address"]),
            Some(at),
            "{expected}"
        );
        assert_eq!(event.str_at(&["level"]), Some("fatal"));
        let kind = event.str_at(&["debug_meta", "images", "0", "type"]);
        let expected = [(2, "pe"), (0x8101, "macho")]
            .iter()
            .find(|(p, _)| *p == platform);
        assert_eq!(kind, Some(expected.map_or("elf", |(_, kind)| *kind)));
    }
}

#[test]
fn what_a_dump_is_of() {
    let bytes = std::fs::read(crate::fixtures::folder().join("minidump/crash.dmp")).unwrap();
    assert!(is_minidump(&bytes) && !is_minidump(b"MDM"));
    let summary = read(&bytes).unwrap();
    assert_eq!(
        (
            summary.os.as_str(),
            summary.arch.as_str(),
            summary.threads,
            summary.written
        ),
        ("Linux", "x86_64", 2, 1_795_986_498)
    );
    assert_eq!(summary.reason.as_deref(), Some("SIGSEGV /SEGV_MAPERR"));
    assert_eq!(summary.address, Some(0));
    let shop = &summary.modules[3];
    assert_eq!(
        shop.debug_id.as_deref(),
        Some("ad5dd93c-b37e-471f-8fa5-410b5a6b4b1c")
    );
    assert_eq!(
        shop.code_id.as_deref(),
        Some("3cd95dad7eb31f478fa5410b5a6b4b1c37f3a5ee")
    );
    assert_eq!(shop.code_file.as_deref(), Some("/tmp/shop/libshop.so"));
    assert_eq!(shop.kind, "elf");
}

/// Without unwind information callers are guessed only, and the event says so.
#[test]
fn without_files_callers_are_guesses() {
    let bytes = std::fs::read(crate::fixtures::folder().join("minidump/crash.dmp")).unwrap();
    let event = Json::Object(process(&bytes, &NoFiles).unwrap());
    let path = ["exception", "values", "0", "stacktrace", "frames"];
    let frames = event.path(&path).and_then(Json::as_array).unwrap();
    let (top, callers) = frames.split_last().unwrap();
    assert_eq!(top.str_at(&["trust"]), Some("context"));
    assert!(!callers.is_empty());
    assert!(callers.iter().all(|f| f.str_at(&["trust"]) == Some("scan")));
}

#[test]
fn annotations_of_crashpad_become_contexts() {
    use minidump_synth::{AnnotationValue, CrashpadInfo, DumpString, Memory, ModuleCrashpadInfo, SystemInfo};
    use test_assembler::{Endian::Little, Section};

    let name = DumpString::new("/opt/shop/libshop.so", Little);
    let module = minidump_synth::Module::new(Little, CODE, 0x1000, &name, 0, 0, None);
    let other = DumpString::new("C:\\shop\\tax.dll", Little);
    let quiet = minidump_synth::Module::new(Little, CODE + 0x1000, 0x1000, &other, 0, 0, None);
    let stack = Memory::with_section(Section::with_endian(Little).append_repeated(0, 64), STACK);
    let context = minidump_synth::amd64_context(Little, CODE, STACK);
    let thread = minidump_synth::Thread::new(Little, 7, &stack, &context);
    let about = ModuleCrashpadInfo::new(0, Little)
        .add_list_annotation("a line")
        .add_simple_annotation("build", "42")
        .add_annotation_object("cart", AnnotationValue::String("full".into()))
        .add_annotation_object("raw", AnnotationValue::Custom(0x8001, vec![1, 2]));
    let info = CrashpadInfo::new(Little)
        .add_simple_annotation("prod", "Shop")
        .add_module(about)
        .add_module(ModuleCrashpadInfo::new(1, Little))
        .add_module(ModuleCrashpadInfo::new(9, Little).add_simple_annotation("of", "nothing"));
    let bytes = minidump_synth::SynthMinidump::with_endian(Little)
        .add_system_info(SystemInfo::new(Little))
        .add_module(module)
        .add_module(quiet)
        .add(name)
        .add(other)
        .add(context)
        .add_memory(stack)
        .add_thread(thread)
        .add_crashpad_info(info)
        .finish()
        .expect("a dump");
    let event = process(&bytes, &NoFiles).expect("an event");
    let mut text = Vec::new();
    event.get("contexts").expect("contexts").write(&mut text);
    let contexts: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(
        contexts["crashpad"],
        serde_json::json!({"type": "crashpad", "prod": "Shop"})
    );
    assert_eq!(
        contexts["libshop.so"],
        serde_json::json!({"type": "crashpad", "build": "42", "cart": "full", "annotations": ["a line"]})
    );
    assert!(contexts.get("tax.dll").is_none(), "{contexts}");
}
