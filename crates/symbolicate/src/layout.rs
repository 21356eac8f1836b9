//! Where symbol servers have the files of a module: paths below the address of a server, in the layouts that are in
//! use.

use std::borrow::Cow;

use symbolic::common::{DebugId, split_path};

use crate::files::{Form, Module};

/// The longest name of a file in a path, bytes.
const MOST_NAME: usize = 255;
/// The longest code id in a path, bytes.
const MOST_CODE_ID: usize = 200;

/// How a server sorts its files.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Layout {
    /// As the debuggers of each platform look for them: symstore, GDB and LLDB.
    #[default]
    Native,
    /// Microsoft's symbol server.
    Symstore,
    /// The same with a folder of the first two letters of each name.
    SymstoreIndex2,
    /// Microsoft's simple symbol query protocol: all in lower case.
    Ssqp,
    /// One way for all platforms, by the first two digits of the id.
    Unified,
    /// Build ids of ELF files, as elfutils serves them.
    Debuginfod,
    /// The code id, and `symbols` in it.
    Slashsymbols,
}

impl Layout {
    /// By its name in settings.
    pub fn of(name: &str) -> Option<Layout> {
        Some(match name {
            "native" => Layout::Native,
            "symstore" => Layout::Symstore,
            "symstore_index2" => Layout::SymstoreIndex2,
            "ssqp" => Layout::Ssqp,
            "unified" => Layout::Unified,
            "debuginfod" => Layout::Debuginfod,
            "slashsymbols" => Layout::Slashsymbols,
            _ => return None,
        })
    }
}

/// The case of the letters of a path, for servers that have only one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Casing {
    /// As the layout has it.
    #[default]
    Default,
    /// Lower case.
    Lowercase,
    /// Upper case.
    Uppercase,
}

impl Casing {
    /// By its name in settings.
    pub fn of(name: &str) -> Option<Casing> {
        Some(match name {
            "default" => Casing::Default,
            "lowercase" => Casing::Lowercase,
            "uppercase" => Casing::Uppercase,
            _ => return None,
        })
    }

    fn apply(self, path: String) -> String {
        match self {
            Casing::Default => path,
            Casing::Lowercase => path.to_lowercase(),
            Casing::Uppercase => path.to_uppercase(),
        }
    }
}

/// What a file on a server is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FileType {
    /// A Windows program or library.
    Pe,
    /// Its debug file.
    Pdb,
    /// A debug file of .NET.
    PortablePdb,
    /// A program or library of Apple's systems.
    MachCode,
    /// A dSYM.
    MachDebug,
    /// A program or library of Linux and Android.
    ElfCode,
    /// Its debug file.
    ElfDebug,
    /// A WebAssembly module.
    WasmCode,
    /// Its debug file.
    WasmDebug,
    /// A Breakpad symbol file.
    Breakpad,
    /// A bundle of source files.
    SourceBundle,
}

impl FileType {
    /// Its name in the filters of a source.
    pub fn name(self) -> &'static str {
        match self {
            FileType::Pe => "pe",
            FileType::Pdb => "pdb",
            FileType::PortablePdb => "portablepdb",
            FileType::MachCode => "mach_code",
            FileType::MachDebug => "mach_debug",
            FileType::ElfCode => "elf_code",
            FileType::ElfDebug => "elf_debug",
            FileType::WasmCode => "wasm_code",
            FileType::WasmDebug => "wasm_debug",
            FileType::Breakpad => "breakpad",
            FileType::SourceBundle => "sourcebundle",
        }
    }
}

/// The files that can serve for a form of a module of this kind, the best first.
pub fn wanted(kind: &str, form: Form) -> &'static [FileType] {
    use FileType::*;
    match (form, kind) {
        (Form::Symbols, "elf") => &[ElfDebug, ElfCode, Breakpad],
        (Form::Symbols, "macho") => &[MachDebug, MachCode, Breakpad],
        (Form::Symbols, "pe") => &[Pdb, Pe, Breakpad],
        (Form::Symbols, "wasm") => &[WasmDebug, WasmCode],
        (Form::Unwind, "elf") => &[ElfCode, ElfDebug, Breakpad],
        (Form::Unwind, "macho") => &[MachCode, MachDebug, Breakpad],
        (Form::Unwind, "pe") => &[Pe, Pdb, Breakpad],
        (Form::PortablePdb, "pe_dotnet") => &[PortablePdb],
        (Form::Sources, "pe_dotnet") => &[SourceBundle, PortablePdb],
        (Form::Sources, "elf" | "macho" | "pe" | "wasm") => &[SourceBundle],
        _ => &[],
    }
}

/// The ids and names of a module, as paths have them.
struct Ids<'m> {
    kind: &'m str,
    debug: Option<DebugId>,
    /// In lower case; of Apple's files and WASM it follows from the debug id.
    code: Option<Cow<'m, str>>,
    code_name: Option<&'m str>,
    debug_name: Option<&'m str>,
}

fn leaf(path: Option<&str>) -> Option<&str> {
    let name = split_path(path?).1;
    let fits = !name.is_empty() && name != "." && name != ".." && name.len() <= MOST_NAME;
    (fits && !name.chars().any(char::is_control)).then_some(name)
}

impl<'m> Ids<'m> {
    fn of(module: &'m Module<'_>) -> Ids<'m> {
        let debug = module
            .debug_id
            .as_deref()
            .and_then(|id| id.parse::<DebugId>().ok());
        let debug = debug.filter(|id| !id.is_nil());
        let hex = |id: &&str| {
            let range = 5..=MOST_CODE_ID;
            range.contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let code = module.code_id.as_deref().filter(hex).map(str::to_lowercase);
        let uuid = debug.filter(|_| matches!(&*module.kind, "macho" | "wasm"));
        let uuid = uuid.map(|id| id.uuid().simple().to_string());
        let code_name = leaf(module.code_file.as_deref());
        Ids {
            kind: &module.kind,
            debug,
            code: code.or(uuid).map(Cow::Owned),
            code_name,
            // Where the two are one file, only one is named.
            debug_name: leaf(module.debug_file.as_deref())
                .or(code_name.filter(|_| !matches!(&*module.kind, "pe" | "pe_dotnet"))),
        }
    }

    /// Signature and age in one, the signature in upper case.
    fn breakpad_id(&self) -> Option<String> {
        Some(self.debug?.breakpad().to_string())
    }

    /// The same as Microsoft writes it.
    fn pdb_id(&self) -> Option<String> {
        let id = self.debug?;
        Some(format!("{:X}{:X}", id.uuid().simple(), id.appendix()))
    }

    /// The place of a Breakpad file.
    fn breakpad(&self) -> Option<String> {
        let name = self.debug_name?;
        let stem = match name.rsplit_once('.') {
            Some((stem, end)) if ["exe", "dll", "pdb"].contains(&&*end.to_lowercase()) => stem,
            _ => name,
        };
        Some(format!("{name}/{}/{stem}.sym", self.breakpad_id()?))
    }

    fn symstore(&self, file: FileType) -> Option<String> {
        let (code, code_name) = (self.code.as_deref(), self.code_name);
        Some(match file {
            FileType::Pe => {
                let (code, name) = (code?, code_name?);
                // The time that it was built at, in upper case, and its size.
                let (time, size) = code.split_at_checked(8)?;
                format!("{name}/{}{size}/{name}", time.to_uppercase())
            }
            FileType::Pdb => {
                let name = self.debug_name?;
                format!("{name}/{}/{name}", self.pdb_id()?)
            }
            FileType::PortablePdb => {
                let name = self.debug_name?;
                format!("{name}/{:X}FFFFFFFF/{name}", self.debug?.uuid().simple())
            }
            FileType::SourceBundle if self.kind == "pe" => {
                let name = self.debug_name?;
                format!("{name}/{}/{name}.src.zip", self.pdb_id()?)
            }
            FileType::ElfCode => {
                let name = code_name?;
                format!("{name}/elf-buildid-{}/{name}", code?)
            }
            FileType::ElfDebug => format!("_.debug/elf-buildid-sym-{}/_.debug", code?),
            FileType::MachCode => {
                let name = code_name?;
                format!("{name}/mach-uuid-{}/{name}", code?)
            }
            FileType::MachDebug => format!("_.dwarf/mach-uuid-sym-{}/_.dwarf", code?),
            FileType::Breakpad => self.breakpad()?,
            _ => return None,
        })
    }

    /// As GDB looks for build ids.
    fn gdb(&self, end: &str) -> Option<String> {
        let (first, rest) = self.code.as_deref()?.split_at_checked(2)?;
        Some(format!("{first}/{rest}{end}"))
    }

    /// As LLDB looks for UUIDs.
    fn lldb(&self, end: &str) -> Option<String> {
        let id = format!("{:X}", self.debug?.uuid().simple());
        let parts: Vec<&str> = (0..5).filter_map(|i| id.get(4 * i..4 * i + 4)).collect();
        Some(format!("{}/{}{end}", parts.join("/"), id.get(20..)?))
    }

    fn native(&self, file: FileType) -> Option<String> {
        match (file, self.kind) {
            (FileType::ElfCode, _) => self.gdb(""),
            (FileType::WasmCode, _) => self.gdb(".wasm"),
            (FileType::ElfDebug | FileType::WasmDebug, _) => self.gdb(".debug"),
            (FileType::MachCode, _) => self.lldb(".app"),
            (FileType::MachDebug, _) => self.lldb(""),
            (FileType::SourceBundle, "elf" | "wasm") => self.gdb(".src.zip"),
            (FileType::SourceBundle, "macho") => self.lldb(".src.zip"),
            _ => self.symstore(file),
        }
    }

    fn unified(&self, file: FileType) -> Option<String> {
        let id = match self.kind {
            "pe" | "pe_dotnet" => self.breakpad_id()?.to_lowercase(),
            _ => match &self.code {
                Some(code) => code.to_string(),
                None => self.breakpad_id()?.to_lowercase(),
            },
        };
        let (first, rest) = id.split_at_checked(2)?;
        let name = match file {
            FileType::Pe | FileType::MachCode | FileType::ElfCode | FileType::WasmCode => "executable",
            FileType::Breakpad => "breakpad",
            FileType::SourceBundle => "sourcebundle",
            _ => "debuginfo",
        };
        Some(format!("{first}/{rest}/{name}"))
    }

    fn debuginfod(&self, file: FileType) -> Option<String> {
        let name = match file {
            FileType::ElfCode | FileType::MachCode => "executable",
            FileType::ElfDebug | FileType::MachDebug => "debuginfo",
            _ => return None,
        };
        Some(format!("buildid/{}/{name}", self.code.as_deref()?))
    }
}

/// The path of a file of a module below the address of a server, without a slash in front and with what addresses do
/// not have encoded. `None` if the layout has no place for such a file, or the module does not say what it takes.
pub fn path(layout: Layout, casing: Casing, module: &Module<'_>, file: FileType) -> Option<String> {
    let ids = Ids::of(module);
    let path = match layout {
        Layout::Native => ids.native(file)?,
        Layout::Symstore => ids.symstore(file)?,
        Layout::SymstoreIndex2 => {
            let path = ids.symstore(file)?;
            let first: String = path.chars().take_while(|c| *c != '/').take(2).collect();
            format!("{first}/{path}")
        }
        Layout::Ssqp => {
            let path = ids.symstore(file)?.to_lowercase();
            // Of all that is there, only the age of a PDB is in upper case.
            match (file, ids.debug) {
                (FileType::Pdb | FileType::SourceBundle, Some(id)) => {
                    let low = format!("{:x}{:x}/", id.uuid().simple(), id.appendix());
                    let high = format!("{:x}{:X}/", id.uuid().simple(), id.appendix());
                    path.replacen(&low, &high, 1)
                }
                _ => path,
            }
        }
        Layout::Unified => ids.unified(file)?,
        Layout::Debuginfod => ids.debuginfod(file)?,
        Layout::Slashsymbols => match file {
            FileType::ElfDebug | FileType::MachDebug => format!("{}/symbols", ids.code.as_deref()?),
            _ => return None,
        },
    };
    Some(encoded(&casing.apply(path)))
}

/// The path under which the same file may lie compressed: servers of Microsoft's layouts write a cabinet with `_` in
/// place of the last letter. `None` if nobody looks for the file so.
pub fn compressed(layout: Layout, file: FileType, path: &str) -> Option<String> {
    let microsoft = matches!(layout, Layout::Symstore | Layout::SymstoreIndex2 | Layout::Ssqp);
    if !microsoft || !matches!(file, FileType::Pe | FileType::Pdb) {
        return None;
    }
    let (name, last) = path.split_at_checked(path.len().checked_sub(1)?)?;
    // Not within a letter that is encoded, and not twice.
    let plain = last != "_" && name.as_bytes().iter().rev().take(2).all(|b| *b != b'%');
    plain.then(|| format!("{name}_"))
}

/// A path with what addresses do not have encoded.
pub fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || b"/-._~+@!$&'()*,;=:".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(kind: &str) -> Module<'_> {
        let text = |t: &'static str| Some(Cow::Borrowed(t));
        let mut module = Module {
            kind: kind.into(),
            ..Module::default()
        };
        match kind {
            "pe" => {
                module.debug_id = text("3249d99d-0c40-4931-8610-f4e4fb0b6936-1");
                module.code_id = text("5ab380779000");
                module.code_file = text("C:\\projects\\breakpad-tools\\windows\\Crash.exe");
                module.debug_file = text("C:\\projects\\breakpad-tools\\windows\\Crash.pdb");
            }
            "pe_dotnet" => {
                module.debug_id = text("3249d99d-0c40-4931-8610-f4e4fb0b6936-9a8b7c6d");
                module.debug_file = text("/build/Shop.pdb");
            }
            "macho" => {
                module.debug_id = text("67e9247c-814e-392b-a027-dbde6748fcbf");
                module.code_file = text("/private/var/MyApp.app/MyApp");
            }
            "wasm" => module.debug_id = text("bda18fd8-5d4a-4eb8-9111-6a4cd8bbb7ad"),
            _ => {
                module.debug_id = text("5ab380b5-c72b-4f29-9c0c-0dcb13ac0a7a");
                module.code_id = text("B580B35A2BC7294F9C0C0DCB13AC0A7A11223344");
                module.code_file = text("/usr/lib/lib shop.so.1");
            }
        }
        module
    }

    #[test]
    fn places_of_known_files() {
        use FileType::*;
        let elf = "b580b35a2bc7294f9c0c0dcb13ac0a7a11223344";
        for (layout, kind, file, expected) in [
            (
                "symstore",
                "pe",
                Pdb,
                "Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.pdb",
            ),
            ("symstore", "pe", Pe, "Crash.exe/5AB380779000/Crash.exe"),
            (
                "symstore",
                "pe",
                Breakpad,
                "Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.sym",
            ),
            (
                "symstore",
                "pe",
                SourceBundle,
                "Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.pdb.src.zip",
            ),
            (
                "symstore_index2",
                "pe",
                Pdb,
                "Cr/Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.pdb",
            ),
            (
                "ssqp",
                "pe",
                Pdb,
                "crash.pdb/3249d99d0c4049318610f4e4fb0b69361/crash.pdb",
            ),
            (
                "native",
                "pe",
                Pdb,
                "Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.pdb",
            ),
            (
                "unified",
                "pe",
                Pe,
                "32/49d99d0c4049318610f4e4fb0b69361/executable",
            ),
            (
                "unified",
                "pe",
                SourceBundle,
                "32/49d99d0c4049318610f4e4fb0b69361/sourcebundle",
            ),
            (
                "symstore",
                "pe_dotnet",
                PortablePdb,
                "Shop.pdb/3249D99D0C4049318610F4E4FB0B6936FFFFFFFF/Shop.pdb",
            ),
            (
                "ssqp",
                "pe_dotnet",
                PortablePdb,
                "shop.pdb/3249d99d0c4049318610f4e4fb0b6936ffffffff/shop.pdb",
            ),
            (
                "symstore",
                "elf",
                ElfCode,
                "lib%20shop.so.1/elf-buildid-ID/lib%20shop.so.1",
            ),
            ("symstore", "elf", ElfDebug, "_.debug/elf-buildid-sym-ID/_.debug"),
            (
                "symstore",
                "elf",
                Breakpad,
                "lib%20shop.so.1/5AB380B5C72B4F299C0C0DCB13AC0A7A0/lib%20shop.so.1.sym",
            ),
            (
                "native",
                "elf",
                ElfCode,
                "b5/80b35a2bc7294f9c0c0dcb13ac0a7a11223344",
            ),
            (
                "native",
                "elf",
                ElfDebug,
                "b5/80b35a2bc7294f9c0c0dcb13ac0a7a11223344.debug",
            ),
            (
                "native",
                "elf",
                SourceBundle,
                "b5/80b35a2bc7294f9c0c0dcb13ac0a7a11223344.src.zip",
            ),
            (
                "unified",
                "elf",
                ElfDebug,
                "b5/80b35a2bc7294f9c0c0dcb13ac0a7a11223344/debuginfo",
            ),
            ("debuginfod", "elf", ElfDebug, "buildid/ID/debuginfo"),
            ("debuginfod", "elf", ElfCode, "buildid/ID/executable"),
            ("slashsymbols", "elf", ElfDebug, "ID/symbols"),
            (
                "native",
                "macho",
                MachDebug,
                "67E9/247C/814E/392B/A027/DBDE6748FCBF",
            ),
            (
                "native",
                "macho",
                MachCode,
                "67E9/247C/814E/392B/A027/DBDE6748FCBF.app",
            ),
            (
                "symstore",
                "macho",
                MachCode,
                "MyApp/mach-uuid-67e9247c814e392ba027dbde6748fcbf/MyApp",
            ),
            (
                "ssqp",
                "macho",
                MachDebug,
                "_.dwarf/mach-uuid-sym-67e9247c814e392ba027dbde6748fcbf/_.dwarf",
            ),
            (
                "unified",
                "macho",
                MachDebug,
                "67/e9247c814e392ba027dbde6748fcbf/debuginfo",
            ),
            (
                "native",
                "wasm",
                WasmDebug,
                "bd/a18fd85d4a4eb891116a4cd8bbb7ad.debug",
            ),
            (
                "unified",
                "wasm",
                WasmDebug,
                "bd/a18fd85d4a4eb891116a4cd8bbb7ad/debuginfo",
            ),
        ] {
            let layout = Layout::of(layout).expect(layout);
            let found = path(layout, Casing::Default, &module(kind), file);
            assert_eq!(found, Some(expected.replace("ID", elf)), "{layout:?} {file:?}");
        }
    }

    #[test]
    fn one_case_for_servers_that_have_one() {
        let of = |casing| path(Layout::Symstore, casing, &module("pe"), FileType::Pdb);
        let lower = "crash.pdb/3249d99d0c4049318610f4e4fb0b69361/crash.pdb";
        assert_eq!(of(Casing::Lowercase).as_deref(), Some(lower));
        assert_eq!(of(Casing::Uppercase), Some(lower.to_uppercase()));
    }

    #[test]
    fn compressed_files_end_in_an_underscore() {
        let of = |layout, file| {
            let plain = path(layout, Casing::Default, &module("pe"), file).expect("a path");
            compressed(layout, file, &plain)
        };
        assert_eq!(
            of(Layout::Symstore, FileType::Pdb).as_deref(),
            Some("Crash.pdb/3249D99D0C4049318610F4E4FB0B69361/Crash.pd_")
        );
        assert_eq!(
            of(Layout::Ssqp, FileType::Pe).as_deref(),
            Some("crash.exe/5ab380779000/crash.ex_")
        );
        for (layout, file) in [
            (Layout::Symstore, FileType::Breakpad),
            (Layout::Native, FileType::Pdb),
            (Layout::Unified, FileType::Pdb),
        ] {
            assert_eq!(of(layout, file), None);
        }
        for odd in ["", "a/b_", "a/caf%C3%A9"] {
            assert_eq!(compressed(Layout::Symstore, FileType::Pe, odd), None, "{odd}");
        }
    }

    #[test]
    fn the_age_of_a_pdb_is_in_upper_case() {
        let mut old = module("pe");
        old.debug_id = Some("3249d99d-0c40-4931-8610-f4e4fb0b6936-1ab".into());
        for (layout, expected) in [
            (
                Layout::Ssqp,
                "crash.pdb/3249d99d0c4049318610f4e4fb0b69361AB/crash.pdb",
            ),
            (
                Layout::Symstore,
                "Crash.pdb/3249D99D0C4049318610F4E4FB0B69361AB/Crash.pdb",
            ),
            (Layout::Unified, "32/49d99d0c4049318610f4e4fb0b69361ab/debuginfo"),
        ] {
            let found = path(layout, Casing::Default, &old, FileType::Pdb);
            assert_eq!(found.as_deref(), Some(expected));
        }
    }

    #[test]
    fn no_path_without_what_it_takes() {
        let mut bare = module("elf");
        bare.code_id = None;
        assert_eq!(
            path(Layout::Debuginfod, Casing::Default, &bare, FileType::ElfDebug),
            None
        );
        assert_eq!(
            path(Layout::Debuginfod, Casing::Default, &module("pe"), FileType::Pdb),
            None
        );
        assert_eq!(
            path(
                Layout::Slashsymbols,
                Casing::Default,
                &module("elf"),
                FileType::ElfCode
            ),
            None
        );
        for name in ["/app/..", "", "a/\n", "/app/."] {
            let mut odd = module("pe");
            odd.debug_file = Some(name.into());
            assert_eq!(
                path(Layout::Symstore, Casing::Default, &odd, FileType::Pdb),
                None,
                "{name:?}"
            );
        }
        let mut odd = module("elf");
        odd.code_id = Some("../../etc/passwd".into());
        assert_eq!(
            path(Layout::Native, Casing::Default, &odd, FileType::ElfDebug),
            None
        );
        odd.code_id = Some("é234567890".into());
        assert_eq!(
            path(Layout::Native, Casing::Default, &odd, FileType::ElfDebug),
            None
        );
    }

    #[test]
    fn every_module_has_files_for_its_forms() {
        for kind in ["elf", "macho", "pe", "wasm"] {
            for file in wanted(kind, Form::Symbols)
                .iter()
                .chain(wanted(kind, Form::Sources))
            {
                let known = path(Layout::Unified, Casing::Default, &module(kind), *file);
                assert!(known.is_some(), "{kind} {file:?}");
            }
        }
        assert!(wanted("proguard", Form::Proguard).is_empty());
    }
}
