//! JavaScript: frames of minified and bundled scripts through source maps.
//!
//! A script is found by the debug id that was put into it, else by release, distribution and address, else on the
//! web. Its map is found the same way; what the map says becomes the frame, and the frame as it came is kept in
//! `raw_stacktrace`. What stands in the way is said in the event's `errors`, with the types that Sentry's clients
//! and pages know.

pub mod large;
pub mod lines;
pub mod map;
pub mod reference;
pub mod urls;

use std::collections::HashMap;
use std::path::PathBuf;

use protocol::json::{Json, Map};

use self::map::Original;
use self::reference::Reference;
use crate::files::Bytes;

/// Frames of an event that are looked up, at most.
const FRAMES: usize = 2_000;
/// Scripts of an event that are looked up, at most.
const SCRIPTS: usize = 100;

/// Scripts up to this size show their own lines where nothing is mapped, bytes.
const LARGEST_SHOWN: usize = 4 << 20;

/// What an uploaded file is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A script as browsers and runtimes get it.
    Script,
    /// A source map.
    Map,
    /// A file as it was written.
    Source,
}

/// How a file was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Found {
    /// By the debug id in it.
    DebugId,
    /// By release, distribution and address, in an artifact bundle.
    Release,
    /// By release, distribution and address, among files that were uploaded one by one.
    ReleaseFile,
    /// On the web.
    Web,
    /// In the script itself.
    Inline,
}

impl Found {
    /// Its name in `data.resolved_with`.
    pub fn name(self) -> &'static str {
        match self {
            Found::DebugId => "debug-id",
            Found::Release => "release",
            Found::ReleaseFile => "release-old",
            Found::Web => "scraping",
            Found::Inline => "inline",
        }
    }
}

/// A file.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// What tells its content from any other's.
    pub key: String,
    /// Its address, as it was uploaded or fetched.
    pub url: String,
    /// Its bytes.
    pub bytes: Bytes,
    /// The file that holds them, if it is one of this machine.
    pub path: Option<PathBuf>,
    /// The map that its headers name.
    pub map: Option<String>,
    /// How it was found.
    pub found: Found,
}

/// Why a file was not fetched from the web.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FetchError {
    /// `not_found`, `disabled`, `invalid_host`, `permission_denied`, `timeout`, `download_error`, `other`.
    pub reason: &'static str,
    /// One sentence.
    pub details: String,
}

/// The release that an event is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Build<'a> {
    /// The release.
    pub release: Option<&'a str>,
    /// The distribution.
    pub dist: Option<&'a str>,
}

/// Whoever has scripts, maps and sources. May block its thread.
pub trait Artifacts {
    /// The file of a kind that carries a debug id, as [`debug_id`] writes it.
    fn by_debug_id(&self, id: &str, kind: Kind) -> Option<Artifact>;

    /// The file that a release has under one of these names, the first that is there.
    fn by_name(&self, build: Build<'_>, names: &[String]) -> Option<Artifact>;

    /// Whether files are fetched from the web at all.
    fn fetches(&self) -> bool;

    /// A file from the web.
    ///
    /// # Errors
    /// Why not.
    fn fetch(&self, url: &str) -> Result<Artifact, FetchError>;

    /// A map in the form of [`map::convert`].
    ///
    /// # Errors
    /// Why it cannot be read.
    fn ready(&self, script: Option<&Artifact>, map: &Artifact) -> Result<Bytes, String>;

    /// Keeps the bytes of an inline map as a file.
    ///
    /// # Errors
    /// Why that is not possible.
    fn inline(&self, script: &Artifact, bytes: Vec<u8>) -> Result<Artifact, String>;
}

/// What stands in the way of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Trouble {
    /// Its type in the words of events.
    kind: &'static str,
    /// Its type in the words of symbolication.
    symbolication: &'static str,
    url: String,
    details: Option<String>,
}

impl Trouble {
    fn new(kind: &'static str, symbolication: &'static str, url: &str) -> Trouble {
        Trouble {
            kind,
            symbolication,
            url: url.to_owned(),
            details: None,
        }
    }

    fn because(mut self, details: String) -> Trouble {
        self.details = Some(details);
        self
    }

    fn into_json<'a>(self) -> Json<'a> {
        let mut out = Map::new();
        out.set("type", self.kind);
        out.set("symbolicator_type", self.symbolication);
        out.set("url", self.url);
        if let Some(details) = self.details {
            out.set("details", details);
        }
        Json::Object(out)
    }
}

/// A script, as far as it was found.
struct Script {
    script: Option<Artifact>,
    /// The map: what it is called, where its sources are seen from, how it was found, and its form.
    map: Option<ReadyMap>,
    trouble: Option<Trouble>,
}

struct ReadyMap {
    label: String,
    base: String,
    found: Found,
    bytes: Bytes,
}

/// Whether an event has frames for this module.
pub fn concerns(event: &Map<'_>) -> bool {
    let of = |platform: Option<&str>| matches!(platform, Some("javascript" | "node"));
    if of(event.str("platform")) {
        return true;
    }
    // React Native: frames of scripts in an event of another platform.
    let exceptions = event
        .object("exception")
        .and_then(|e| e.array("values"))
        .unwrap_or_default();
    exceptions
        .iter()
        .filter_map(|e| e.get("stacktrace")?.get("frames")?.as_array())
        .flatten()
        .any(|f| of(f.get("platform").and_then(Json::as_str)))
}

/// Maps every stack trace of an event. Answers how many frames were mapped.
pub fn apply(event: &mut Map<'_>, artifacts: &dyn Artifacts) -> usize {
    let release = event.str("release").map(str::to_owned);
    let dist = event.str("dist").map(str::to_owned);
    let platform = event.str("platform").unwrap_or_default().to_owned();
    let mut run = Run {
        artifacts,
        build: Build {
            release: release.as_deref(),
            dist: dist.as_deref(),
        },
        debug_ids: debug_ids(event),
        scripts: HashMap::new(),
        sources: HashMap::new(),
        troubles: Vec::new(),
        attempts: Vec::new(),
        frames: 0,
        mapped: 0,
    };
    for place in ["exception", "threads"] {
        let values = event.get_mut(place).and_then(|p| p.get_mut("values"));
        for value in values.and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(holder) = value.as_object_mut() {
                run.stack(holder, &platform);
            }
        }
    }
    run.stack(event, &platform);
    let (troubles, attempts, mapped) = (run.troubles, run.attempts, run.mapped);
    if !troubles.is_empty() {
        let errors = event.entry("errors");
        if errors.as_array().is_none() {
            *errors = Json::Array(Vec::new());
        }
        if let Some(list) = errors.as_array_mut() {
            list.extend(troubles.into_iter().map(Trouble::into_json));
        }
    }
    if !attempts.is_empty() {
        let list = attempts.into_iter().map(Json::Object);
        event.set("scraping_attempts", Json::Array(list.collect()));
    }
    mapped
}

/// Debug ids by the address of their script.
fn debug_ids(event: &Map<'_>) -> HashMap<String, String> {
    let images = event.object("debug_meta").and_then(|m| m.array("images"));
    let mut out = HashMap::new();
    for image in images.unwrap_or_default().iter().filter_map(Json::as_object) {
        if image.str("type") == Some("sourcemap")
            && let (Some(file), Some(id)) = (image.str("code_file"), image.str("debug_id").and_then(debug_id))
        {
            out.insert(file.to_owned(), id);
        }
    }
    out
}

/// A debug id as it is looked up: lower case, with dashes.
pub fn debug_id(text: &str) -> Option<String> {
    let id: symbolic::common::DebugId = text.trim().parse().ok()?;
    (!id.is_nil()).then(|| id.to_string())
}

struct Run<'r> {
    artifacts: &'r dyn Artifacts,
    build: Build<'r>,
    debug_ids: HashMap<String, String>,
    scripts: HashMap<String, std::rc::Rc<Script>>,
    sources: HashMap<String, Option<Artifact>>,
    troubles: Vec<Trouble>,
    attempts: Vec<Map<'static>>,
    frames: usize,
    mapped: usize,
}

impl Run<'_> {
    fn trouble(&mut self, trouble: Trouble) {
        if !self.troubles.contains(&trouble) && self.troubles.len() < 50 {
            self.troubles.push(trouble);
        }
    }

    /// Maps the `stacktrace` of a holder; what it was is kept as `raw_stacktrace`.
    fn stack(&mut self, holder: &mut Map<'_>, platform: &str) {
        let Some(frames) = holder
            .get_mut("stacktrace")
            .and_then(|s| s.get_mut("frames"))
            .and_then(Json::as_array_mut)
        else {
            return;
        };
        let mut raw: Vec<Json<'_>> = frames.clone();
        let mut changed = false;
        // What the caller calls the function of the next frame.
        let mut called: Option<String> = None;
        for (frame, raw) in frames.iter_mut().zip(&mut raw) {
            let (Some(frame), Some(raw)) = (frame.as_object_mut(), raw.as_object_mut()) else {
                continue;
            };
            let of = frame.str("platform").unwrap_or(platform);
            if !matches!(of, "javascript" | "node") {
                called = None;
                continue;
            }
            called = self.frame(frame, raw, called.take(), &mut changed);
        }
        if changed && !holder.contains("raw_stacktrace") {
            let mut stack = Map::new();
            stack.set("frames", raw);
            holder.set("raw_stacktrace", stack);
        }
    }

    /// Maps a frame; answers the name that stands at its place.
    fn frame<'a>(
        &mut self,
        frame: &mut Map<'a>,
        raw: &mut Map<'a>,
        called: Option<String>,
        changed: &mut bool,
    ) -> Option<String> {
        let path = frame.str("abs_path").or(frame.str("filename"))?.to_owned();
        let line = frame
            .get("lineno")
            .and_then(Json::as_u64)
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| *n > 0)?;
        let column = frame
            .get("colno")
            .and_then(Json::as_u64)
            .and_then(|n| u32::try_from(n).ok());
        if !urls::is_mappable(&path) || self.frames >= FRAMES {
            return None;
        }
        self.frames += 1;
        let script = self.script(&path, frame.contains("context_line"))?;
        let (at_line, at_column) = (line - 1, column.unwrap_or(1).saturating_sub(1));
        if let Some(file) = script
            .script
            .as_ref()
            .filter(|file| file.bytes.len() <= LARGEST_SHOWN)
        {
            // The source of the script itself, where the frame brings none.
            let bare = [&mut *raw, &mut *frame].into_iter();
            let bare: Vec<_> = bare.filter(|f| !f.contains("context_line")).collect();
            let context = match bare.is_empty() {
                true => None,
                false => lines::around(&file.bytes, at_line as usize, at_column as usize),
            };
            for (frame, context) in bare.into_iter().zip(std::iter::repeat(context)) {
                if let Some(context) = context {
                    show(frame, context);
                    if script.map.is_none() {
                        data(frame).set("resolved_with", file.found.name());
                    }
                }
            }
        }
        if let Some(trouble) = &script.trouble {
            self.trouble(trouble.clone());
        }
        let map = script.map.as_ref()?;
        let parsed = map::Map::read(&map.bytes)?;
        let Some(original) = parsed.find(at_line, at_column) else {
            let place = format!("line {line}, column {}", column.unwrap_or(0));
            self.trouble(
                Trouble::new("js_invalid_sourcemap_location", "invalid_location", &path)
                    .because(format!("the map has nothing at {place}")),
            );
            return None;
        };
        *changed = true;
        self.mapped += 1;
        self.put(frame, map, &original, called.as_deref());
        original.name.map(|name| name.into_owned())
    }

    /// Writes what the map says into a frame.
    fn put(&mut self, frame: &mut Map<'_>, map: &ReadyMap, original: &Original<'_>, called: Option<&str>) {
        let old = |key: &str| frame.get(key).cloned().map(Json::into_owned);
        let was = [
            ("orig_function", old("function")),
            ("orig_filename", old("filename")),
            ("orig_lineno", old("lineno")),
            ("orig_colno", old("colno")),
            ("orig_in_app", old("in_app")),
        ];
        let source = original.source.as_deref().unwrap_or_default();
        let abs_path = urls::join(&map.base, source);
        let names = urls::name(&abs_path, source);
        for (key, value) in was {
            if let Some(value) = value {
                data(frame).set(key, value);
            }
        }
        data(frame).set("sourcemap", map.label.clone());
        data(frame).set("resolved_with", map.found.name());
        data(frame).set("symbolicated", true);
        let function = function(frame.str("function"), &original.scope, called);
        for key in ["pre_context", "context_line", "post_context"] {
            frame.remove(key);
        }
        let (line, column) = (original.line as usize, original.column as usize);
        match original.text.as_deref() {
            Some(text) => {
                if let Some(context) = lines::around(text.as_bytes(), line, column) {
                    show(frame, context);
                }
            }
            None if !source.is_empty() => match self.source(&abs_path) {
                Some(file) => {
                    if let Some(context) = lines::around(&file.bytes, line, column) {
                        show(frame, context);
                    }
                }
                None => self.trouble(
                    Trouble::new("js_missing_sources_content", "missing_source_content", &abs_path)
                        .because(format!("{} does not hold the text of {source}", map.label)),
                ),
            },
            None => {}
        }
        frame.set("function", function);
        frame.set("lineno", u64::from(original.line) + 1);
        frame.set("colno", u64::from(original.column) + 1);
        // A module that the client names stays, but for webpack, whose addresses say it better.
        if let Some(module) = names.module
            && (!frame.contains("module") || abs_path.starts_with("webpack:"))
        {
            frame.set("module", module);
        }
        if let Some(in_app) = names.in_app {
            frame.set("in_app", in_app);
        }
        frame.set("filename", names.filename);
        frame.set("abs_path", abs_path);
    }

    /// A source whose map does not hold its text.
    fn source(&mut self, abs_path: &str) -> Option<Artifact> {
        if let Some(known) = self.sources.get(abs_path) {
            return known.clone();
        }
        let found = self
            .artifacts
            .by_name(self.build, &urls::candidates(abs_path))
            .or_else(|| self.fetch(abs_path).ok());
        self.sources.insert(abs_path.to_owned(), found.clone());
        found
    }

    fn fetch(&mut self, url: &str) -> Result<Artifact, FetchError> {
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(FetchError {
                reason: "invalid_host",
                details: "only http and https addresses can be fetched".into(),
            });
        }
        if !self.artifacts.fetches() {
            return Err(FetchError {
                reason: "disabled",
                details: "the project does not allow to fetch sources from the web".into(),
            });
        }
        let answer = self.artifacts.fetch(url);
        let mut attempt = Map::new();
        attempt.set("url", url.to_owned());
        match &answer {
            Ok(_) => attempt.set("status", "success"),
            Err(e) => {
                attempt.set("status", "failure");
                attempt.set("reason", e.reason);
                attempt.set("details", e.details.clone());
            }
        }
        self.attempts.push(attempt);
        answer
    }

    /// The script at a path, found once; `None` if the event has too many of them.
    fn script(&mut self, path: &str, readable: bool) -> Option<std::rc::Rc<Script>> {
        if let Some(known) = self.scripts.get(path) {
            return Some(known.clone());
        }
        if self.scripts.len() >= SCRIPTS {
            self.trouble(Trouble::new("js_too_many_sources", "too_many_sources", path));
            return None;
        }
        let mut script = self.find(path);
        // Files of packages, and frames that came with their source, are rarely uploaded, and need not be.
        let missing = script.trouble.as_ref().is_some_and(|t| {
            matches!(
                t.symbolication,
                "missing_source" | "scraping_disabled" | "missing_sourcemap"
            )
        });
        if missing && (path.contains("node_modules") || readable) {
            script.trouble = None;
        }
        let script = std::rc::Rc::new(script);
        self.scripts.insert(path.to_owned(), script.clone());
        Some(script)
    }

    fn find(&mut self, path: &str) -> Script {
        let nothing = |trouble| Script {
            script: None,
            map: None,
            trouble: Some(trouble),
        };
        let id = self.debug_ids.get(path).cloned();
        if let Some(id) = &id {
            let script = self.artifacts.by_debug_id(id, Kind::Script);
            if let Some(map) = self.artifacts.by_debug_id(id, Kind::Map) {
                // Without its script a map still says everything but the names of functions (Hermes has them).
                let base = base_of(path, script.as_ref(), &map);
                return self.ready(script, map, base);
            }
            if let Some(script) = script {
                return self.mapped_script(script, path);
            }
        }
        if let Some(script) = self.artifacts.by_name(self.build, &urls::candidates(path)) {
            return self.mapped_script(script, path);
        }
        match self.fetch(path) {
            Ok(script) => self.mapped_script(script, path),
            Err(e) if e.reason == "disabled" => {
                nothing(Trouble::new("js_scraping_disabled", "scraping_disabled", path))
            }
            Err(e) if e.reason == "invalid_host" => {
                nothing(Trouble::new("js_no_source", "missing_source", path))
            }
            Err(e) => nothing(Trouble::new("js_no_source", "missing_source", path).because(e.details)),
        }
    }

    /// The map of a script that was found.
    fn mapped_script(&mut self, script: Artifact, path: &str) -> Script {
        let bytes = script.bytes.clone();
        let without = |script: Artifact, trouble| Script {
            script: Some(script),
            map: None,
            trouble,
        };
        match reference::of(&bytes, script.map.as_deref()) {
            None => {
                // A script that nobody minified needs no map.
                let minified = looks_minified(&bytes);
                without(
                    script,
                    minified.then(|| Trouble::new("js_no_sourcemap", "missing_sourcemap", path)),
                )
            }
            Some(Reference::Inline(url)) => match reference::decode(url)
                .and_then(|b| self.artifacts.inline(&script, b))
            {
                Ok(map) => self.ready(Some(script), map, path.to_owned()),
                Err(why) => {
                    let trouble = Trouble::new("js_invalid_source", "malformed_sourcemap", path).because(why);
                    without(script, Some(trouble))
                }
            },
            Some(Reference::Url(url)) => {
                let address = urls::join(path, url);
                let found = self
                    .artifacts
                    .by_name(self.build, &urls::candidates(&address))
                    .map_or_else(|| self.fetch(&address), Ok);
                match found {
                    Ok(map) => self.ready(Some(script), map, address),
                    Err(e) => {
                        let trouble = Trouble::new("js_no_sourcemap", "missing_sourcemap", &address);
                        let trouble = if e.reason == "invalid_host" {
                            trouble
                        } else {
                            trouble.because(e.details)
                        };
                        without(script, Some(trouble))
                    }
                }
            }
        }
    }

    fn ready(&mut self, script: Option<Artifact>, map: Artifact, base: String) -> Script {
        match self.artifacts.ready(script.as_ref(), &map) {
            Ok(bytes) => Script {
                script,
                trouble: None,
                map: Some(ReadyMap {
                    label: if map.found == Found::Inline {
                        format!("{base} (inline)")
                    } else {
                        base.clone()
                    },
                    base,
                    found: map.found,
                    bytes,
                }),
            },
            Err(why) => Script {
                script,
                map: None,
                trouble: Some(Trouble::new("js_invalid_source", "malformed_sourcemap", &base).because(why)),
            },
        }
    }
}

/// Where a map's sources are seen from: the address that its script names, else that of its upload, at the host of
/// the script.
fn base_of(path: &str, script: Option<&Artifact>, map: &Artifact) -> String {
    if let Some(script) = script
        && let Some(Reference::Url(url)) = reference::of(&script.bytes, script.map.as_deref())
    {
        return urls::join(path, url);
    }
    match map.url.strip_prefix('~') {
        Some(rest) => urls::join(path, rest),
        None if map.url.is_empty() => path.to_owned(),
        None => map.url.clone(),
    }
}

fn data<'m, 'a>(frame: &'m mut Map<'a>) -> &'m mut Map<'a> {
    frame.entry("data").make_object()
}

fn show(frame: &mut Map<'_>, context: lines::Context) {
    let list = |lines: Vec<String>| Json::Array(lines.into_iter().map(Json::from).collect());
    frame.set("pre_context", list(context.before));
    frame.set("context_line", context.line);
    frame.set("post_context", list(context.after));
}

/// A script whose lines are longer than people write them.
fn looks_minified(text: &[u8]) -> bool {
    text.len() > 500 && {
        let head = &text[..text.len().min(64 << 10)];
        let breaks = head.iter().filter(|b| **b == b'\n').count();
        head.len() / (breaks + 1) > 200
    }
}

/// The best name of a function: of the scope in the source, of what its caller calls, or the minified one.
fn function(minified: Option<&str>, scope: &str, called: Option<&str>) -> String {
    let useful = |name: &&str| {
        !matches!(
            *name,
            "" | "<anonymous>" | "__dummy__" | "Anonymous" | "<unknown>"
        )
    };
    let name = Some(scope)
        .filter(useful)
        .or(called.filter(useful))
        .or(minified)
        .unwrap_or(if scope.is_empty() { "<anonymous>" } else { scope });
    fold(name)
}

/// `a.b.b.b.c` is `a.{b#3}.c`: generated names repeat what says nothing.
fn fold(name: &str) -> String {
    let Some((front, last)) = name.rsplit_once('.') else {
        return name.to_owned();
    };
    let mut out = String::with_capacity(name.len());
    let parts: Vec<&str> = front.split('.').collect();
    for same in parts.chunk_by(|a, b| a == b) {
        match same {
            [one] => out.push_str(one),
            many => out.push_str(&format!("{{{}#{}}}", many[0], many.len())),
        }
        out.push('.');
    }
    out.push_str(last);
    out
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
