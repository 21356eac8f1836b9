//! Minidumps: the state of a crashed process, as Breakpad, Crashpad and Windows write it.
//!
//! [`read`] tells quickly what a dump is of. [`process`] walks the stacks of all threads, asking for unwind
//! information on the way, and makes the parts of an event. Its frames are addresses still: [`crate::native`] does
//! the rest.

mod bounds;
mod crashpad;
mod event;
mod walk;

use minidump::system_info::{Cpu, Os};
use minidump::{
    Error, Minidump, MinidumpException, MinidumpModuleList, MinidumpSystemInfo, MinidumpThreadList,
};
use protocol::json::Map;

use crate::files::{Files, Module};
use crate::guard::guarded;

/// Why a dump cannot be processed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MinidumpError {
    /// These bytes are no minidump.
    #[error("this is not a minidump: {0}")]
    NoMinidump(String),
    /// A part that is always there is missing or broken.
    #[error("the {0} of the minidump cannot be read")]
    Missing(&'static str),
    /// It has more of something than any process has.
    #[error("the minidump has too many {0}")]
    TooMany(&'static str),
}

/// What a dump is of.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What was loaded.
    pub modules: Vec<Module<'static>>,
    /// The operating system, such as `Linux`, as contexts of events name it.
    pub os: String,
    /// The processor, such as `x86_64`.
    pub arch: String,
    /// What ended the process, such as `SIGSEGV /SEGV_MAPERR`; `None` for a dump of a process that went on.
    pub reason: Option<String>,
    /// The address that the process stumbled over.
    pub address: Option<u64>,
    /// How many threads there are.
    pub threads: usize,
    /// When the dump was written, seconds.
    pub written: u32,
}

type Dump<'a> = Minidump<'a, &'a [u8]>;

/// Whether the bytes look like a minidump.
pub fn is_minidump(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MDMP") || bytes.starts_with(b"PMDM")
}

fn open(bytes: &[u8]) -> Result<Dump<'_>, MinidumpError> {
    bounds::check_header(bytes)?;
    let dump = Minidump::read(bytes).map_err(|e| MinidumpError::NoMinidump(e.to_string()))?;
    bounds::check(bytes, &dump)?;
    Ok(dump)
}

/// A part that may be left out, and is a list then without anything in it.
fn optional<T>(part: Result<T, Error>, name: &'static str, empty: T) -> Result<T, MinidumpError> {
    match part {
        Ok(part) => Ok(part),
        Err(Error::StreamNotFound) => Ok(empty),
        Err(_) => Err(MinidumpError::Missing(name)),
    }
}

fn modules(dump: &Dump<'_>) -> Result<MinidumpModuleList, MinidumpError> {
    optional(dump.get_stream(), "modules", MinidumpModuleList::new())
}

/// Reads what a dump is of.
///
/// # Errors
/// [`MinidumpError`].
pub fn read(bytes: &[u8]) -> Result<Summary, MinidumpError> {
    survived(|| summary(bytes))
}

fn survived<T>(call: impl FnOnce() -> Result<T, MinidumpError>) -> Result<T, MinidumpError> {
    guarded(call).unwrap_or_else(|| Err(MinidumpError::NoMinidump("it contradicts itself".into())))
}

fn summary(bytes: &[u8]) -> Result<Summary, MinidumpError> {
    let dump = open(bytes)?;
    let system: MinidumpSystemInfo = dump
        .get_stream()
        .map_err(|_| MinidumpError::Missing("system information"))?;
    let threads: MinidumpThreadList<'_> = dump.get_stream().map_err(|_| MinidumpError::Missing("threads"))?;
    let exception = dump.get_stream::<MinidumpException<'_>>().ok();
    Ok(Summary {
        modules: modules(&dump)?.iter().map(|m| module(m, system.os)).collect(),
        os: os_name(system.os).into_owned(),
        arch: arch_name(system.cpu).to_owned(),
        reason: exception.as_ref().map(|e| reason(e, system.os, system.cpu)),
        address: exception
            .as_ref()
            .map(|e| e.get_crash_address(system.os, system.cpu)),
        threads: threads.threads.len(),
        written: dump.header.time_date_stamp,
    })
}

/// Walks the stacks of a dump and makes the parts of an event: `exception`, `threads`, `debug_meta`, `contexts`,
/// `level`, `platform` and `timestamp`. [`crate::crash::merge`] puts them into the event that came with the dump.
///
/// # Errors
/// [`MinidumpError`].
pub fn process(bytes: &[u8], files: &dyn Files) -> Result<Map<'static>, MinidumpError> {
    survived(|| {
        let dump = open(bytes)?;
        let state = walk::walk(&dump, files)?;
        Ok(event::event(&dump, &state))
    })
}

/// The words of Sentry for a reason to crash: a blank before the stroke, none behind it.
fn reason(exception: &MinidumpException<'_>, os: Os, cpu: Cpu) -> String {
    exception
        .get_crash_reason(os, cpu)
        .to_string()
        .replace(" / ", " /")
}

/// A module as files are asked for it.
fn module(module: &dyn minidump::Module, os: Os) -> Module<'static> {
    let text = |s: std::borrow::Cow<'_, str>| std::borrow::Cow::Owned(s.into_owned());
    Module {
        kind: match os {
            Os::Windows => "pe",
            Os::MacOs | Os::Ios => "macho",
            _ => "elf",
        }
        .into(),
        debug_id: module
            .debug_identifier()
            .filter(|id| !id.is_nil())
            .map(|id| id.to_string().into()),
        code_id: module
            .code_identifier()
            .filter(|id| !id.is_nil())
            .map(|id| id.to_string().into()),
        code_file: Some(module.code_file()).filter(|f| !f.is_empty()).map(text),
        debug_file: module.debug_file().filter(|f| !f.is_empty()).map(text),
        debug_checksum: None,
        address: module.base_address(),
        size: module.size(),
    }
}

fn os_name(os: Os) -> std::borrow::Cow<'static, str> {
    match os {
        Os::Windows => "Windows".into(),
        Os::MacOs => "macOS".into(),
        Os::Ios => "iOS".into(),
        Os::Linux => "Linux".into(),
        Os::Android => "Android".into(),
        Os::Solaris => "Solaris".into(),
        Os::Ps3 => "PS3".into(),
        Os::NaCl => "NaCl".into(),
        Os::Unknown(_) => "".into(),
    }
}

fn arch_name(cpu: Cpu) -> &'static str {
    match cpu {
        Cpu::X86 => "x86",
        Cpu::X86_64 => "x86_64",
        Cpu::Ppc => "ppc",
        Cpu::Ppc64 => "ppc64",
        Cpu::Arm => "arm",
        Cpu::Arm64 => "arm64",
        Cpu::Mips => "mips",
        Cpu::Mips64 => "mips64",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests;
