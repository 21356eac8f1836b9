//! Frames of machine code: from addresses to functions, files and lines.

pub(crate) mod image;
mod report;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;

use protocol::json::{Json, Map};
use symbolic::common::{Arch, InstructionInfo, Language, split_path};
use symbolic::il2cpp::LineMapping;
use symbolic::ppdb::PortablePdbCache;
use symbolic::symcache::{SourceLocation, SymCache};

use crate::files::{Files, Form, Status};
use crate::names::demangle;
use crate::sources::{Bundle, Key};
use crate::stacks::{self, Holder, address};
use image::{Image, Images, status_name};
use report::{Features, complain, write_back};

/// Calls inlined into one instruction that become frames.
const MAX_INLINES: usize = 64;

/// Frames of one stack trace beyond which inlined calls are no longer told.
const MAX_FRAMES: usize = 2_000;

/// Whether an event has images of machine code.
pub fn concerns(event: &Map<'_>) -> bool {
    let images = event.object("debug_meta").and_then(|meta| meta.array("images"));
    images
        .unwrap_or_default()
        .iter()
        .filter_map(Json::as_object)
        .any(|i| image::module(i).is_some())
}

/// Whether an event has frames that are addresses and nothing more: their client knew no names.
pub fn is_bare(event: &Map<'_>) -> bool {
    let frames = |holder: &Json<'_>| {
        let frames = holder.path(&["stacktrace", "frames"]).and_then(Json::as_array);
        frames
            .unwrap_or_default()
            .iter()
            .filter_map(Json::as_object)
            .any(|f| f.contains("instruction_addr") && f.str("function").is_none_or(str::is_empty))
    };
    ["exception", "threads"].iter().any(|key| {
        let values = event
            .get(key)
            .and_then(|e| e.get("values"))
            .and_then(Json::as_array);
        values.unwrap_or_default().iter().any(frames)
    })
}

/// Symbolicates every stack trace of an event that has instruction addresses, by its `debug_meta.images`.
///
/// Frames get function, file, line, source and `data.symbolicator_status`; images get `debug_status`, `features`,
/// `arch` and `candidates`. Frames that were symbolicated before are left alone. True if any frame was changed.
pub fn apply(event: &mut Map<'_>, files: &dyn Files) -> bool {
    let images = Images::read(event, event_arch(event));
    if images.list.is_empty() {
        return false;
    }
    let signal = stacks::exceptions(event)
        .iter()
        .find_map(|e| e.get("mechanism")?.path(&["meta", "signal", "number"])?.as_u64())
        .and_then(|n| u32::try_from(n).ok());
    let csharp = event.str("platform") == Some("csharp");
    let mut work = Work::new(&images, files, signal, csharp);
    let mut changed = false;
    stacks::each(event, |holder, kind| changed |= work.stack(holder, kind));
    let open = work.features();
    if changed {
        for (image, open) in images.list.iter().zip(open) {
            write_back(event, image, open);
            complain(event, image, open);
        }
    }
    changed
}

fn event_arch(event: &Map<'_>) -> Arch {
    event
        .object("contexts")
        .and_then(|c| c.object("device"))
        .and_then(|d| d.str("arch"))
        .and_then(|a| a.parse().ok())
        .unwrap_or_default()
}

/// What is open while the frames of an event are looked up.
struct Work<'a> {
    images: &'a Images,
    files: &'a dyn Files,
    signal: Option<u32>,
    /// Whether frames are those of C#, unless they say otherwise.
    csharp: bool,
    opened: Vec<Opened<'a>>,
}

/// The files of one image, read.
#[derive(Default)]
struct Opened<'a> {
    symbols: OnceCell<Result<SymCache<'a>, Status>>,
    portable_pdb: OnceCell<Result<PortablePdbCache<'a>, Status>>,
    sources: OnceCell<Option<Bundle<'a>>>,
    il2cpp: OnceCell<Option<LineMapping>>,
}

/// How looking up a frame ended, as the event says it.
type FrameStatus = &'static str;

fn missing(status: Status) -> FrameStatus {
    match status {
        Status::Found => "missing_symbol",
        other => status_name(other),
    }
}

/// A frame's place in its stack trace.
struct Place {
    /// Whether nothing was called from it.
    top: bool,
    /// The instruction pointer among the registers, if they are known.
    ip: Option<u64>,
    adjustment: Adjustment,
}

/// Which addresses are those behind a call, and lie within it only once they are moved back.
#[derive(Clone, Copy, PartialEq)]
enum Adjustment {
    Auto,
    All,
    AllButFirst,
    None,
}

impl<'a> Work<'a> {
    fn new(images: &'a Images, files: &'a dyn Files, signal: Option<u32>, csharp: bool) -> Work<'a> {
        Work {
            images,
            files,
            signal,
            csharp,
            opened: images.list.iter().map(|_| Opened::default()).collect(),
        }
    }

    fn stack(&mut self, holder: &mut Map<'_>, kind: Holder) -> bool {
        let Some(stack) = holder.object("stacktrace") else {
            return false;
        };
        let Some(frames) = stack.array("frames") else {
            return false;
        };
        let adjustment = match stack.str("instruction_addr_adjustment") {
            Some("all") => Adjustment::All,
            Some("all_but_first") => Adjustment::AllButFirst,
            Some("none") => Adjustment::None,
            _ => Adjustment::Auto,
        };
        let registers = stack.object("registers");
        let mut room = MAX_FRAMES.saturating_sub(frames.len());
        let (mut out, mut changed, mut found) = (Vec::with_capacity(frames.len()), false, false);
        for (i, frame) in frames.iter().enumerate() {
            let place = Place {
                top: i + 1 == frames.len(),
                ip: registers.and_then(|r| ["rip", "eip", "pc"].iter().find_map(|k| address(r.get(k)))),
                adjustment,
            };
            let Some(map) = frame.as_object().filter(|f| is_ours(f)) else {
                out.push(frame.clone());
                continue;
            };
            changed = true;
            match self.frame(map, &place, room) {
                Ok(new) => {
                    found = true;
                    room -= room.min(new.len().saturating_sub(1));
                    out.extend(new.into_iter().map(Json::Object));
                }
                Err((status, package)) => {
                    let mut map = map.clone();
                    if let Some(package) = package
                        && map.str("package").is_none()
                    {
                        map.set("package", package);
                    }
                    set_status(&mut map, status);
                    out.push(map.into());
                }
            }
        }
        if !changed {
            return false;
        }
        if found {
            stacks::replace(holder, kind, out);
        } else if let Some(stack) = holder.get_mut("stacktrace") {
            stack.set("frames", out);
        }
        true
    }

    /// The frames that a frame is made of, the caller first; or why there are none, and its package.
    fn frame<'f>(
        &mut self,
        frame: &Map<'f>,
        place: &Place,
        room: usize,
    ) -> Result<Vec<Map<'f>>, (FrameStatus, Option<String>)> {
        let given = address(frame.get("instruction_addr")).ok_or(("unsymbolicated", None))?;
        let relative = frame.str("addr_mode").and_then(|mode| mode.strip_prefix("rel:"));
        let index = match relative {
            Some(place) => place.parse().ok().and_then(|n| self.images.placed(n)),
            None => self.images.at(given),
        }
        .ok_or(("unknown_image", None))?;
        let image = &self.images.list[index];
        let package = image.module.code_file.as_deref().map(str::to_owned);
        let function = address(frame.get("function_id"));
        let result = if let Some(function) = function {
            self.method(frame, index, function, given)
        } else {
            self.instruction(frame, index, given, relative.is_some(), place, room)
        };
        let mut frames = result.map_err(|status| (status, package.clone()))?;
        for frame in &mut frames {
            if let Some(package) = &package {
                frame.set("package", package.clone());
            }
            self.context(frame, index);
            set_status(frame, "symbolicated");
        }
        Ok(frames)
    }

    fn instruction<'f>(
        &self,
        frame: &Map<'f>,
        index: usize,
        given: u64,
        relative: bool,
        place: &Place,
        room: usize,
    ) -> Result<Vec<Map<'f>>, FrameStatus> {
        let image = &self.images.list[index];
        let symbols = symbols(&self.opened[index], image, self.files).map_err(missing)?;
        let arch = match symbols.arch() {
            Arch::Unknown => image.arch,
            known => known,
        };
        let base = if relative { 0 } else { image.module.address };
        let at = self
            .adjusted(given, arch, place)
            .checked_sub(base)
            .ok_or("missing_symbol")?;
        let locations: Vec<SourceLocation<'_, '_>> =
            symbols.lookup(at).take(room.clamp(1, MAX_INLINES)).collect();
        let outermost = locations.last().ok_or("missing_symbol")?;
        let entry = u64::from(outermost.function().entry_pc());
        let start = (entry <= at).then(|| image.module.address.wrapping_add(entry));
        let mut frames = Vec::with_capacity(locations.len());
        for location in locations.iter().rev() {
            let mut new = frame.clone();
            if let Some(start) = start {
                new.set("symbol_addr", format!("{start:#x}"));
            }
            if !relative && image.module.address > 0 {
                new.set("image_addr", format!("{:#x}", image.module.address));
            }
            let inlined = locations.len() > 1;
            self.describe(&mut new, index, location, inlined);
            frames.push(new);
        }
        Ok(frames)
    }

    /// The address of the instruction that was being executed.
    fn adjusted(&self, given: u64, arch: Arch, place: &Place) -> u64 {
        let mut info = InstructionInfo::new(arch, given);
        let size = arch.cpu_family().instruction_alignment().unwrap_or(1);
        let back = given >= 2 * size;
        match place.adjustment {
            Adjustment::None => given,
            Adjustment::All if back => info.previous_address(),
            Adjustment::AllButFirst if !place.top && back => info.previous_address(),
            Adjustment::Auto if back => info
                .is_crashing_frame(place.top)
                .signal(self.signal)
                .ip_register_value(if place.top { place.ip } else { None })
                .caller_address(),
            _ => given,
        }
    }

    fn describe(&self, frame: &mut Map<'_>, index: usize, location: &SourceLocation<'_, '_>, inlined: bool) {
        let function = location.function();
        let name = function.name_for_demangling();
        // Native code that was made of C# has names that no one wrote, and the client knows the real ones.
        let csharp = frame.str("platform").map_or(self.csharp, |p| p == "csharp");
        let known = csharp && !inlined && frame.str("function").is_some_and(|f| !f.is_empty());
        if !known && !name.as_str().is_empty() && name.as_str() != "?" {
            let plain = demangle(&name).unwrap_or_else(|| name.as_str().to_owned());
            frame.set("function", plain);
            frame.set("symbol", name.as_str().to_owned());
            frame.remove("raw_function");
        }
        if function.language() != Language::Unknown {
            frame.set("lang", function.language().name());
        }
        let path = location.file().map(|f| f.full_path()).filter(|p| !p.is_empty());
        if inlined || path.is_some() {
            // What the client knew is of the whole instruction, not of one of the calls in it.
            for key in [
                "filename",
                "abs_path",
                "lineno",
                "colno",
                "pre_context",
                "context_line",
                "post_context",
            ] {
                frame.remove(key);
            }
        }
        let Some(path) = path else { return };
        let (path, line) = self.managed(index, path, location.line());
        frame.set("filename", split_path(&path).1.to_owned());
        frame.set("abs_path", path);
        if line > 0 {
            frame.set("lineno", u64::from(line));
        }
    }

    /// The C# line that a line of C++ was made of by Unity, if somebody has the line map.
    fn managed(&self, index: usize, path: String, line: u32) -> (String, u32) {
        if !path.to_ascii_lowercase().contains("il2cpp") {
            return (path, line);
        }
        let image = &self.images.list[index];
        let map = self.opened[index].il2cpp.get_or_init(|| {
            let answer = image.answer(self.files, Form::Il2cpp);
            LineMapping::parse(answer.file.as_deref()?)
        });
        match map.as_ref().and_then(|m| m.lookup(&path, line)) {
            Some((file, line)) => (file.to_owned(), line),
            None => (path, line),
        }
    }

    /// A frame of .NET: a method by its token, and an offset in its intermediate language.
    fn method<'f>(
        &self,
        frame: &Map<'f>,
        index: usize,
        function: u64,
        offset: u64,
    ) -> Result<Vec<Map<'f>>, FrameStatus> {
        let image = &self.images.list[index];
        let pdb = self.opened[index]
            .portable_pdb
            .get_or_init(|| {
                let answer = image.answer(self.files, Form::PortablePdb);
                let bytes = answer.file.as_deref().ok_or(answer.status)?;
                PortablePdbCache::parse(bytes).map_err(|_| Status::Malformed)
            })
            .as_ref()
            .map_err(|status| missing(*status))?;
        // A token names its table in the highest byte; 6 is that of the methods.
        let (table, row) = (function >> 24, function & 0x00ff_ffff);
        let offset = u32::try_from(offset).ok().filter(|_| matches!(table, 0 | 6));
        let line = offset
            .and_then(|offset| pdb.lookup(row as u32, offset))
            .ok_or("missing_symbol")?;
        let mut new = frame.clone();
        new.set("filename", split_path(line.file_name).1.to_owned());
        new.set("abs_path", line.file_name.to_owned());
        new.set("lineno", u64::from(line.line));
        if line.file_lang != Language::Unknown {
            new.set("lang", line.file_lang.name());
        }
        Ok(vec![new])
    }

    fn context(&mut self, frame: &mut Map<'_>, index: usize) {
        let Some(line) = frame.get("lineno").and_then(Json::as_u64) else {
            return;
        };
        let Some(path) = frame.str("abs_path").map(str::to_owned) else {
            return;
        };
        let (image, files) = (&self.images.list[index], self.files);
        let cell = &mut self.opened[index].sources;
        cell.get_or_init(|| Bundle::open(image.answer(files, Form::Sources).file.as_deref()?));
        if let Some(Some(bundle)) = cell.get_mut() {
            bundle.set_context(frame, &Key::Path(&path), line);
        }
    }

    fn features(self) -> Vec<Features> {
        self.opened
            .iter()
            .map(|opened| {
                let mut features = Features {
                    sources: matches!(opened.sources.get(), Some(Some(_))),
                    ..Features::default()
                };
                match opened.symbols.get() {
                    Some(Ok(symbols)) => {
                        features.symbols = symbols.functions().next().is_some();
                        features.debug_info = symbols.files().next().is_some();
                        features.arch = Some(symbols.arch()).filter(|a| *a != Arch::Unknown);
                    }
                    Some(Err(Status::Malformed)) => features.malformed = true,
                    _ => {}
                }
                match opened.portable_pdb.get() {
                    Some(Ok(_)) => features.debug_info = true,
                    Some(Err(Status::Malformed)) => features.malformed = true,
                    _ => {}
                }
                features
            })
            .collect()
    }
}

fn symbols<'o, 'a>(
    opened: &'o Opened<'a>,
    image: &'a Image,
    files: &dyn Files,
) -> Result<&'o SymCache<'a>, Status> {
    opened
        .symbols
        .get_or_init(|| {
            let answer = image.answer(files, Form::Symbols);
            let bytes = answer.file.as_deref().ok_or(answer.status)?;
            SymCache::parse(bytes).map_err(|_| Status::Malformed)
        })
        .as_ref()
        .map_err(|status| *status)
}

/// Whether a frame has an address and was not looked up before.
fn is_ours(frame: &Map<'_>) -> bool {
    let seen = frame
        .object("data")
        .is_some_and(|d| d.contains("symbolicator_status"));
    !seen && frame.get("instruction_addr").is_some_and(|a| !a.is_null())
}

fn set_status(frame: &mut Map<'_>, status: FrameStatus) {
    frame
        .entry("data")
        .make_object()
        .set("symbolicator_status", status);
}
