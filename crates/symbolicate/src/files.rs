//! What symbolication asks for, and is given.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
pub use symbolic::common::ByteView;

/// The bytes of a file, mostly mapped from disk.
pub type Bytes = Arc<ByteView<'static>>;

/// The forms in which files are looked up; each is made of uploaded bytes by [`crate::convert`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Functions, files and lines by address: a symcache, of any native object, PDB, Breakpad file or WASM.
    Symbols,
    /// How to find the caller's frame: a CFI cache.
    Unwind,
    /// Methods by token and IL offset: a portable PDB cache.
    PortablePdb,
    /// Source files of a debug file or of JVM classes: a bundle as it was uploaded (`SYSB` or zip), or one that is made of
    /// the sources within a portable PDB.
    Sources,
    /// C++ lines to C# lines of Unity: an il2cpp line map.
    Il2cpp,
    /// Classes and methods of an obfuscated program: a ProGuard cache.
    Proguard,
}

/// A file that a program had loaded.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module<'a> {
    /// `elf`, `macho`, `pe`, `pe_dotnet`, `wasm`, `proguard`, `jvm`…
    pub kind: Cow<'a, str>,
    /// The id that debug files carry, as `symbolic::common::DebugId` writes it.
    pub debug_id: Option<Cow<'a, str>>,
    /// The id of the code file: a build id, or timestamp and size.
    pub code_id: Option<Cow<'a, str>>,
    /// The path of the code file.
    pub code_file: Option<Cow<'a, str>>,
    /// The path of the debug file.
    pub debug_file: Option<Cow<'a, str>>,
    /// The checksum of the debug file as the program has it (`SHA256:…`), which some servers want to be told.
    pub debug_checksum: Option<Cow<'a, str>>,
    /// Where it was loaded.
    pub address: u64,
    /// How much memory it took, bytes; 0 if nothing says.
    pub size: u64,
}

/// How asking for a file ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is there.
    Found,
    /// Nobody has it.
    Missing,
    /// A server does not let it be read. Some answer so to whatever they do not have.
    NoPermission,
    /// It is there and cannot be read.
    Malformed,
    /// A server did not answer in time.
    Timeout,
    /// A server could not be asked, or may not be.
    FetchingFailed,
}

/// One place where a file was looked for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// `uploaded`, or the id of a symbol source.
    pub source: String,
    /// What was looked at: a file's name or an address.
    pub location: String,
    /// How that ended.
    pub status: Status,
    /// One sentence more, if there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// The answer to a question for a file.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The file.
    pub file: Option<Bytes>,
    /// How it ended.
    pub status: Status,
    /// Where it was looked for.
    pub candidates: Vec<Candidate>,
}

/// Whoever has files. May block its thread.
pub trait Files: Sync {
    /// A form of the file of a module.
    fn find(&self, module: &Module<'_>, form: Form) -> Answer;
}

/// Nobody has files.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn find(&self, _: &Module<'_>, _: Form) -> Answer {
        Answer {
            file: None,
            status: Status::Missing,
            candidates: Vec::new(),
        }
    }
}
