//! Frames of the JVM: from the names that ProGuard and R8 gave to the ones that people wrote, and their source.

use std::borrow::Cow;

use proguard::{ProguardCache, StackFrame, class_name_to_descriptor};
use protocol::json::{Json, Map};
use symbolic::common::DebugId;

use crate::files::{Answer, Files, Form, Module, Status};
use crate::hierarchy;
use crate::native::image::{add_candidates, status_name};
use crate::problems;
use crate::sources::{Bundle, Key};
use crate::stacks::{self, Holder};

/// Images of each kind that are looked at.
const MAX_IMAGES: usize = 100;

/// Frames that one frame may become.
const MAX_INLINES: usize = 64;

/// Frames of one stack trace beyond which inlined calls are no longer told.
const MAX_FRAMES: usize = 2_000;

/// Whether an event names mappings or bundles of sources.
pub fn concerns(event: &Map<'_>) -> bool {
    let images = event.object("debug_meta").and_then(|meta| meta.array("images"));
    let kinds = images
        .unwrap_or_default()
        .iter()
        .filter_map(|i| i.str_at(&["type"]));
    kinds.into_iter().any(|kind| matches!(kind, "proguard" | "jvm"))
}

/// Renames the classes and methods of exceptions and frames by the mappings in `debug_meta.images` (type
/// `proguard`), tells inlined calls apart, and adds source from the bundles there (type `jvm`). The frames as the
/// client sent them stay in `raw_stacktrace`, and a stack trace that has one is left alone: so this comes before
/// [`crate::native::apply`], which looks at single frames. True if anything was changed.
pub fn apply(event: &mut Map<'_>, files: &dyn Files) -> bool {
    let mappings = images(event, "proguard", Form::Proguard, files);
    let sources = images(event, "jvm", Form::Sources, files);
    if mappings.is_empty() && sources.is_empty() {
        return false;
    }
    let mut broken = Vec::new();
    let mut caches = Vec::new();
    for found in &mappings {
        match found
            .answer
            .file
            .as_deref()
            .map(|bytes| ProguardCache::parse(bytes))
        {
            Some(Ok(cache)) => caches.push(cache),
            Some(Err(_)) => broken.push(found.place),
            None => {}
        }
    }
    let bundles = sources
        .iter()
        .filter_map(|found| {
            let bundle = found.answer.file.as_deref().and_then(|b| Bundle::open(b));
            if bundle.is_none() && found.answer.status == Status::Found {
                broken.push(found.place);
            }
            bundle
        })
        .collect();
    let mut work = Work {
        caches: &caches,
        bundles,
        event_is_java: !matches!(event.str("platform"), Some(p) if p != "java"),
        seen: false,
    };
    let mut changed = false;
    // Stack traces first: rules of R8 ask for the class of the exception as it was obfuscated or not alike.
    stacks::each(event, |holder, kind| changed |= work.stack(holder, kind));
    for exception in stacks::exceptions(event) {
        changed |= work.exception(exception);
    }
    let seen = work.seen;
    for found in &mappings {
        if seen && (found.answer.file.is_none() || broken.contains(&found.place)) {
            let facts = [("mapping_uuid", Some(found.id.as_str()))];
            problems::add(event, problems::MISSING_MAPPING, &facts);
        }
    }
    for found in mappings.iter().chain(&sources) {
        write_back(event, found, broken.contains(&found.place));
    }
    changed
}

/// The views of a screen, attached to an event as JSON, with the classes called as people called them: by the mappings
/// that the event names. `None` if it stays as it is, see [`crate::hierarchy`].
pub fn view_hierarchy(bytes: &[u8], event: &Map<'_>, files: &dyn Files) -> Option<Vec<u8>> {
    let mappings = images(event, "proguard", Form::Proguard, files);
    let caches: Vec<ProguardCache<'_>> = mappings
        .iter()
        .filter_map(|found| ProguardCache::parse(found.answer.file.as_deref()?).ok())
        .collect();
    if caches.is_empty() {
        return None;
    }
    hierarchy::rename(bytes, |class| {
        let original = caches.iter().find_map(|c| c.remap_class(class));
        original.map(str::to_owned)
    })
}

/// An image and what is there for it.
struct Found {
    place: usize,
    id: String,
    answer: Answer,
    use_of: &'static str,
}

fn images(event: &Map<'_>, kind: &'static str, form: Form, files: &dyn Files) -> Vec<Found> {
    let images = event
        .object("debug_meta")
        .and_then(|meta| meta.array("images"))
        .unwrap_or_default();
    images
        .iter()
        .enumerate()
        .filter(|(_, image)| image.str_at(&["type"]) == Some(kind))
        .take(MAX_IMAGES)
        .filter_map(|(place, image)| {
            let id = image.str_at(&["debug_id"]).or_else(|| image.str_at(&["uuid"]))?;
            let id = id
                .parse::<DebugId>()
                .map_or_else(|_| id.to_owned(), |id| id.to_string());
            let module = Module {
                kind: Cow::Borrowed(kind),
                debug_id: Some(Cow::Borrowed(&id)),
                ..Module::default()
            };
            let answer = files.find(&module, form);
            Some(Found {
                place,
                answer,
                id,
                use_of: if form == Form::Sources { "sources" } else { "debug" },
            })
        })
        .collect()
}

fn write_back(event: &mut Map<'_>, found: &Found, broken: bool) {
    let Some(image) = event
        .get_mut("debug_meta")
        .and_then(|meta| meta.get_mut("images"))
        .and_then(Json::as_array_mut)
        .and_then(|list| list.get_mut(found.place))
        .and_then(Json::as_object_mut)
    else {
        return;
    };
    let status = if broken {
        Status::Malformed
    } else {
        found.answer.status
    };
    image.set("debug_status", status_name(status));
    image.remove("candidates");
    add_candidates(image, &found.answer.candidates, found.use_of);
}

struct Work<'c> {
    caches: &'c [ProguardCache<'c>],
    bundles: Vec<Bundle<'c>>,
    event_is_java: bool,
    /// Whether any frame is one of the JVM.
    seen: bool,
}

/// A class as exceptions and frames have it: its package and its own name.
fn full_name(module: Option<&str>, name: &str) -> String {
    match module {
        Some(module) if !module.is_empty() => format!("{module}.{name}"),
        _ => name.to_owned(),
    }
}

impl Work<'_> {
    fn exception(&self, exception: &mut Map<'_>) -> bool {
        let Some(name) = exception.str("type") else {
            return false;
        };
        let frames = exception
            .object("stacktrace")
            .and_then(|s| s.array("frames"))
            .unwrap_or_default();
        let java = |frame: &Json<'_>| frame.as_object().is_some_and(|f| self.is_ours(f));
        if !self.event_is_java && !frames.iter().any(java) {
            return false;
        }
        let class = full_name(exception.str("module"), name);
        let said = exception.str("value").and_then(|text| self.text(text));
        let told = said.is_some();
        if let Some(said) = said {
            exception.set("value", said);
        }
        let Some(original) = self.caches.iter().find_map(|c| c.remap_class(&class)) else {
            return told;
        };
        if original == class {
            return told;
        }
        match original.rsplit_once('.') {
            Some((package, name)) => {
                exception.set("module", package.to_owned());
                exception.set("type", name.to_owned());
            }
            None => {
                exception.remove("module");
                exception.set("type", original.to_owned());
            }
        }
        true
    }

    /// A text in which classes and methods of mappings are named: `Cannot cast a.b to c.d`, `… on a.b.c()`. Classes
    /// without a package are left alone, as one that became `a` is not told from the article, nor its members from
    /// `e.g.` or the name of a file. `None` if nothing is renamed.
    fn text(&self, text: &str) -> Option<String> {
        let of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '$');
        let mut out = String::new();
        let (mut rest, mut changed) = (text, false);
        while let Some(start) = rest.find(of_name) {
            let (before, from) = rest.split_at(start);
            let (word, after) = from.split_at(from.find(|c| !of_name(c)).unwrap_or(from.len()));
            let name = word.trim_matches('.');
            out.push_str(before);
            match name.rsplit_once('.').and_then(|parts| self.name(name, parts)) {
                Some(original) if original != name => {
                    out.push_str(&word.replacen(name, &original, 1));
                    changed = true;
                }
                _ => out.push_str(word),
            }
            rest = after;
        }
        out.push_str(rest);
        changed.then_some(out)
    }

    /// What `a.b` was called as a class, or `a.b.c` as the method `c` of the class `a.b`.
    fn name(&self, whole: &str, (class, method): (&str, &str)) -> Option<String> {
        self.caches.iter().find_map(|cache| {
            if let Some(class) = cache.remap_class(whole) {
                return Some(class.to_owned());
            }
            let (class, method) = cache
                .remap_method(class, method)
                .filter(|_| class.contains('.'))?;
            Some(format!("{class}.{method}"))
        })
    }

    fn stack(&mut self, holder: &mut Map<'_>, kind: Holder) -> bool {
        // Renamed once; a second time, names could be taken for obfuscated ones.
        if holder.get("raw_stacktrace").is_some_and(|r| !r.is_null()) {
            return false;
        }
        let class = holder
            .str("type")
            .filter(|_| kind == Holder::Value)
            .map(|name| full_name(holder.str("module"), name));
        let Some(frames) = holder.object("stacktrace").and_then(|s| s.array("frames")) else {
            return false;
        };
        // Positions in code that R8 took out of several methods hold for the frame that called it, so the way is
        // from the innermost frame outwards; and the list is turned around at the end.
        let mut outline = None;
        let mut first = true;
        let mut out: Vec<Json<'_>> = Vec::with_capacity(frames.len());
        let mut changed = false;
        for frame in frames.iter().rev() {
            let Some(map) = frame.as_object().filter(|f| self.is_ours(f)) else {
                out.push(frame.clone());
                continue;
            };
            self.seen = true;
            let room = MAX_FRAMES.saturating_sub(out.len()).clamp(1, MAX_INLINES);
            let renamed = self.rename(map, class.as_deref(), first, &mut outline, room);
            let mut new = match renamed {
                Renamed::Gone => {
                    changed = true;
                    continue;
                }
                Renamed::As(new) => {
                    changed = true;
                    new
                }
                Renamed::No => vec![map.clone()],
            };
            first = false;
            for frame in &mut new {
                changed |= self.context(frame);
            }
            out.extend(new.into_iter().map(Json::Object));
        }
        if !changed || out.is_empty() {
            return false;
        }
        out.reverse();
        stacks::replace(holder, kind, out);
        true
    }

    fn is_ours(&self, frame: &Map<'_>) -> bool {
        let java = frame.str("platform").map_or(self.event_is_java, |p| p == "java");
        java && frame.str("module").is_some_and(|m| !m.is_empty())
    }

    /// What a frame was called before. Frames are given innermost first.
    fn rename<'f>(
        &self,
        frame: &Map<'f>,
        exception: Option<&str>,
        first: bool,
        outline: &mut Option<usize>,
        room: usize,
    ) -> Renamed<'f> {
        let (Some(class), Some(method)) = (frame.str("module"), frame.str("function")) else {
            return Renamed::No;
        };
        let line = frame
            .get("lineno")
            .and_then(Json::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .filter(|n| *n > 0);
        let file = frame.str("filename").unwrap_or_default();
        for cache in self.caches {
            let descriptor =
                exception.map(|class| class_name_to_descriptor(cache.remap_class(class).unwrap_or(class)));
            let parameters = parameters(cache, frame);
            let asked = match (line, &parameters) {
                (None, Some(parameters)) => StackFrame::with_parameters(class, method, parameters),
                _ => StackFrame::with_file(class, method, line.unwrap_or(0), file),
            };
            let Some(found) = cache.remap_frame_with_context(&asked, descriptor.as_deref(), first, outline)
            else {
                return Renamed::Gone;
            };
            let known = found.had_mappings();
            let found: Vec<_> = found.take(room).collect();
            if found.is_empty() {
                if known {
                    return Renamed::Gone;
                }
                continue;
            }
            return Renamed::As(found.iter().map(|f| renamed(frame, f)).collect());
        }
        Renamed::No
    }

    fn context(&mut self, frame: &mut Map<'_>) -> bool {
        let Some(line) = frame.get("lineno").and_then(Json::as_u64) else {
            return false;
        };
        if self.bundles.is_empty() || frame.get("context_line").is_some_and(|l| !l.is_null()) {
            return false;
        }
        let Some(url) = source_url(frame) else {
            return false;
        };
        self.bundles
            .iter_mut()
            .any(|bundle| bundle.set_context(frame, &Key::Url(&url), line))
    }
}

/// What became of a frame.
enum Renamed<'f> {
    /// No mapping knows it.
    No,
    /// The compiler made it, and nobody wrote it.
    Gone,
    /// It is these frames, the innermost first.
    As(Vec<Map<'f>>),
}

/// The types of parameters as mappings write them, from a signature such as `(Lc/d;I)V`.
fn parameters(cache: &ProguardCache<'_>, frame: &Map<'_>) -> Option<String> {
    let signature = cache.deobfuscate_signature(frame.str("signature")?)?;
    Some(signature.parameters_types().collect::<Vec<_>>().join(","))
}

fn renamed<'f>(frame: &Map<'f>, found: &StackFrame<'_>) -> Map<'f> {
    let mut new = frame.clone();
    new.set("module", found.class().to_owned());
    new.set("function", found.method().to_owned());
    match found.file().filter(|f| !f.is_empty()) {
        Some(file) => {
            new.set("filename", file.to_owned());
            if frame.str("abs_path").is_some() {
                new.set("abs_path", file.to_owned());
            }
        }
        // The obfuscated file's name says nothing.
        None if frame.str("filename").is_some_and(|f| !names_a_source(f)) => {
            new.remove("filename");
            new.remove("abs_path");
        }
        None => {}
    }
    match found.line().filter(|n| *n > 0) {
        Some(line) => new.set("lineno", line),
        None => drop(new.remove("lineno")),
    }
    new
}

/// Whether a file's name is one of a source file, and not what obfuscation or the runtime put there.
fn names_a_source(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty() && matches!(extension, "java" | "kt" | "kts" | "scala" | "groovy" | "clj")
    })
}

/// Where bundles have the source of a frame: the path of its package and the name of its file, or of its class.
fn source_url(frame: &Map<'_>) -> Option<String> {
    let class = frame.str("module")?;
    let file = ["abs_path", "filename"]
        .iter()
        .find_map(|k| frame.str(k).filter(|f| names_a_source(f)));
    let path = match file {
        Some(file) => {
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            let stem = stem.rsplit(['/', '\\']).next().unwrap_or(stem);
            match class.rsplit_once('.') {
                Some((package, _)) => format!("{}/{stem}", package.replace('.', "/")),
                None => stem.to_owned(),
            }
        }
        None => class.split('$').next().unwrap_or(class).replace('.', "/"),
    };
    Some(format!("~/{path}.jvm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::NoFiles;
    use crate::fixtures::Uploaded;

    #[test]
    fn views_of_a_screen() {
        let folder = crate::fixtures::folder().join("proguard");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let id = "11111111-0000-4000-8000-000000000001";
        let files = Uploaded(vec![(id.into(), "mapping.txt".into(), read("mapping.txt"))]);
        let input = crate::fixtures::json(&folder.join("input.json"));
        let event = input.get("event").and_then(Json::as_object).unwrap();
        let sent = read("view-hierarchy.json");
        let named = view_hierarchy(&sent, event, &files).unwrap();
        assert_eq!(named, read("view-hierarchy.expected.json"));
        // Named once, none of the names is one of the mapping's.
        assert_eq!(view_hierarchy(&named, event, &files), None);
        assert_eq!(view_hierarchy(&sent, event, &NoFiles), None);
        assert_eq!(view_hierarchy(&sent, &Map::new(), &files), None);
    }

    #[test]
    fn where_sources_are() {
        for (module, filename, expected) in [
            ("com.shop.Cart$Item", "Cart.kt", "~/com/shop/Cart.jvm"),
            ("com.shop.CartKt", "Cart.kt", "~/com/shop/Cart.jvm"),
            ("com.shop.Cart$Item", "SourceFile", "~/com/shop/Cart.jvm"),
            ("com.shop.Cart", "", "~/com/shop/Cart.jvm"),
            ("Main", "Main.java", "~/Main.jvm"),
        ] {
            let mut frame = Map::new();
            frame.set("module", module);
            frame.set("filename", filename);
            assert_eq!(source_url(&frame).as_deref(), Some(expected));
        }
    }
}
