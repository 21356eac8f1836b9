//! Walking the stacks of a dump.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use minidump::format::MINIDUMP_MEMORY_DESCRIPTOR;
use minidump::{
    MinidumpBreakpadInfo, MinidumpContext, MinidumpException, MinidumpMemory, MinidumpModuleList,
    MinidumpSystemInfo, MinidumpThread, MinidumpThreadList, MinidumpThreadNames, Module as _, UnifiedMemory,
    UnifiedMemoryList,
};
use minidump_unwind::{
    CallStack, FileError, FileKind, FillSymbolError, FrameSymbolizer, FrameTrust, FrameWalker, StackFrame,
    SymbolFile, SymbolProvider, SystemInfo, walk_stack,
};
use symbolic::cfi::CfiCache;
use symbolic::common::ByteView;

use super::{Dump, MinidumpError, module, modules};
use crate::files::{Candidate, Files, Form, Status};

/// Threads that are walked; of more, the ones without a crash are left out from the end.
const MAX_THREADS: usize = 500;

/// Frames of one stack.
const MAX_FRAMES: usize = 1_000;

/// Of a stack, the bytes above its stack pointer that are looked at. Bounds what a stack full of plausible addresses
/// costs.
const MAX_STACK: usize = 1 << 20;

/// Unwind information of all modules of a dump, bytes as text; parsed it takes a multiple.
const MAX_UNWIND: usize = 96 << 20;

/// A dump whose stacks were walked.
pub(super) struct State<'a> {
    pub(super) system: MinidumpSystemInfo,
    pub(super) exception: Option<MinidumpException<'a>>,
    pub(super) modules: MinidumpModuleList,
    pub(super) threads: Vec<Thread>,
    /// How asking for unwind information ended, by the address of the module.
    pub(super) unwind: HashMap<u64, (Status, Vec<Candidate>)>,
}

/// A thread and its frames.
pub(super) struct Thread {
    pub(super) id: u32,
    pub(super) name: Option<String>,
    /// Whether it crashed, or asked for the dump.
    pub(super) requesting: bool,
    pub(super) registers: Vec<(&'static str, u64)>,
    pub(super) frames: Vec<Frame>,
}

/// A frame: where its thread goes on, and how sure that is.
pub(super) struct Frame {
    pub(super) instruction: u64,
    pub(super) trust: &'static str,
    pub(super) package: Option<String>,
}

pub(super) fn walk<'a>(dump: &'a Dump<'a>, files: &dyn Files) -> Result<State<'a>, MinidumpError> {
    let system: MinidumpSystemInfo = dump
        .get_stream()
        .map_err(|_| MinidumpError::Missing("system information"))?;
    let list: MinidumpThreadList<'_> = dump.get_stream().map_err(|_| MinidumpError::Missing("threads"))?;
    let names: MinidumpThreadNames = dump.get_stream().unwrap_or_default();
    let exception: Option<MinidumpException<'_>> = dump.get_stream().ok();
    let breakpad: Option<MinidumpBreakpadInfo> = dump.get_stream().ok();
    let modules = modules(dump)?;
    let memory = dump.get_memory().unwrap_or_default();
    let requesting = exception
        .as_ref()
        .map(MinidumpException::get_crashing_thread_id)
        .or_else(|| breakpad.as_ref()?.requesting_thread_id);
    // The thread that wrote the dump is no part of the story.
    let writer = breakpad.as_ref().and_then(|b| b.dump_thread_id);
    let info = SystemInfo {
        os: system.os,
        os_version: None,
        os_build: None,
        cpu: system.cpu,
        cpu_info: None,
        cpu_microcode_version: None,
        cpu_count: 1,
    };
    let unwinder = Unwinder {
        files,
        os: system.os,
        modules: Mutex::new(Loaded::default()),
        frames: AtomicUsize::new(0),
    };
    let mut threads = Vec::new();
    for thread in &list.threads {
        let id = thread.raw.thread_id;
        let is_requesting = requesting == Some(id);
        if !is_requesting && (writer == Some(id) || threads.len() >= MAX_THREADS) {
            continue;
        }
        let own = thread.context(&system, None);
        let of_crash = exception
            .as_ref()
            .filter(|_| is_requesting)
            .and_then(|e| e.context(&system, None));
        let context = of_crash.as_deref().or(own.as_deref());
        threads.push(Thread {
            id,
            name: names.get_name(id).map(|n| n.into_owned()),
            requesting: is_requesting,
            registers: context.map(|c| c.valid_registers().collect()).unwrap_or_default(),
            frames: context
                .map(|c| frames(c, thread, &memory, &modules, &info, &unwinder))
                .unwrap_or_default(),
        });
    }
    let unwind = unwinder
        .modules
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .answers;
    Ok(State {
        system,
        exception,
        modules,
        threads,
        unwind,
    })
}

fn frames(
    context: &MinidumpContext,
    thread: &MinidumpThread<'_>,
    memory: &UnifiedMemoryList<'_>,
    modules: &MinidumpModuleList,
    system: &SystemInfo,
    unwinder: &Unwinder<'_>,
) -> Vec<Frame> {
    let pointer = context.get_stack_pointer();
    // The context of a crash may be of another stack than the thread's own, such as one for signals.
    let stack = thread
        .stack_memory(memory)
        .filter(|m| m.get_memory_at_address::<u64>(pointer).is_some())
        .or_else(|| memory.memory_at_address(pointer));
    let window = stack.and_then(|m| window(&m, pointer));
    let mut stack = CallStack::with_context(context.clone());
    let count = &unwinder.frames;
    count.store(0, Ordering::Relaxed);
    {
        let walked = |_: usize, _: &StackFrame| {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let walk = walk_stack(
            0,
            walked,
            &mut stack,
            window.as_ref().map(UnifiedMemory::Memory),
            modules,
            system,
            unwinder,
        );
        // Nothing in it waits for anything: what is still pending after one poll was stopped by the unwinder.
        let _ = pin!(walk).poll(&mut Context::from_waker(Waker::noop()));
    }
    stack
        .frames
        .iter()
        .take(MAX_FRAMES)
        .map(|frame| Frame {
            instruction: frame.resume_address,
            trust: trust(frame.trust),
            package: frame.module.as_ref().map(|m| m.code_file().into_owned()),
        })
        .collect()
}

/// The part of a stack that is looked at.
fn window<'a>(memory: &UnifiedMemory<'_, 'a>, pointer: u64) -> Option<MinidumpMemory<'a>> {
    let (base, bytes, endian) = match memory {
        UnifiedMemory::Memory(m) => (m.base_address, m.bytes, m.endian),
        UnifiedMemory::Memory64(m) => (m.base_address, m.bytes, m.endian),
    };
    // Some bytes below the pointer belong to leaf functions.
    let skipped = usize::try_from(pointer.saturating_sub(base).saturating_sub(4096)).ok()?;
    let bytes = bytes.get(skipped..)?;
    let bytes = &bytes[..bytes.len().min(MAX_STACK)];
    Some(MinidumpMemory {
        desc: MINIDUMP_MEMORY_DESCRIPTOR::default(),
        base_address: base + skipped as u64,
        size: bytes.len() as u64,
        bytes,
        endian,
    })
}

fn trust(trust: FrameTrust) -> &'static str {
    match trust {
        FrameTrust::None => "none",
        FrameTrust::Scan => "scan",
        FrameTrust::CfiScan => "cfiscan",
        FrameTrust::FramePointer => "fp",
        FrameTrust::CallFrameInfo => "cfi",
        FrameTrust::PreWalked => "prewalked",
        FrameTrust::Context => "context",
    }
}

/// Gives the walker what it needs to find the caller of a frame.
struct Unwinder<'f> {
    files: &'f dyn Files,
    os: minidump::system_info::Os,
    modules: Mutex<Loaded>,
    /// Frames of the stack that is being walked.
    frames: AtomicUsize,
}

#[derive(Default)]
struct Loaded {
    rules: HashMap<u64, Option<Arc<SymbolFile>>>,
    answers: HashMap<u64, (Status, Vec<Candidate>)>,
    bytes: usize,
}

impl Unwinder<'_> {
    fn rules(&self, of: &dyn minidump::Module) -> Option<Arc<SymbolFile>> {
        let mut loaded = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let base = of.base_address();
        if let Some(known) = loaded.rules.get(&base) {
            return known.clone();
        }
        let answer = self.files.find(&module(of, self.os), Form::Unwind);
        let mut status = answer.status;
        let mut rules = None;
        if let Some(file) = answer.file {
            match parse(&file, MAX_UNWIND - loaded.bytes) {
                Some((parsed, size)) => {
                    loaded.bytes += size;
                    rules = Some(Arc::new(parsed));
                }
                None => status = Status::Malformed,
            }
        }
        loaded.answers.insert(base, (status, answer.candidates));
        loaded.rules.insert(base, rules.clone());
        rules
    }
}

fn parse(file: &ByteView<'static>, room: usize) -> Option<(SymbolFile, usize)> {
    let cache = CfiCache::from_bytes(file.clone()).ok()?;
    let text = cache.as_slice();
    if text.len() > room {
        return None;
    }
    Some((SymbolFile::from_bytes(text).ok()?, text.len()))
}

type Answer<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

impl SymbolProvider for Unwinder<'_> {
    /// Knows no names; but a stack of too many frames ends here.
    fn fill_symbol<'a, 'b, 'c, 't>(
        &'a self,
        _: &'b (dyn minidump::Module + Sync),
        _: &'c mut (dyn FrameSymbolizer + Send),
    ) -> Answer<'t, Result<(), FillSymbolError>>
    where
        'a: 't,
        'b: 't,
        'c: 't,
        Self: 't,
    {
        if self.frames.load(Ordering::Relaxed) >= MAX_FRAMES {
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(Err(FillSymbolError {})))
    }

    fn walk_frame<'a, 'b, 'c, 't>(
        &'a self,
        module: &'b (dyn minidump::Module + Sync),
        walker: &'c mut (dyn FrameWalker + Send),
    ) -> Answer<'t, Option<()>>
    where
        'a: 't,
        'b: 't,
        'c: 't,
        Self: 't,
    {
        let found = self
            .rules(module)
            .and_then(|rules| rules.walk_frame(module, walker));
        Box::pin(std::future::ready(found))
    }

    fn get_file_path<'a, 'b, 't>(
        &'a self,
        _: &'b (dyn minidump::Module + Sync),
        _: FileKind,
    ) -> Answer<'t, Result<PathBuf, FileError>>
    where
        'a: 't,
        'b: 't,
        Self: 't,
    {
        Box::pin(std::future::ready(Err(FileError::NotFound)))
    }
}
