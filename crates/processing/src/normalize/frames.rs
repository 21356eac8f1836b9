//! Stack traces and their frames.

use protocol::json::{Json, Map};

use super::to_text;
use crate::meta::Notes;

/// Frames that are kept: the oldest and the newest.
const OLDEST: usize = 50;
const NEWEST: usize = 200;

/// Beyond this many frames those in the middle lose their variables and source.
const DETAILED: usize = 50;

/// Fields that frames may have.
const KNOWN: [&str; 32] = [
    "function",
    "raw_function",
    "symbol",
    "module",
    "package",
    "filename",
    "abs_path",
    "lineno",
    "colno",
    "platform",
    "pre_context",
    "context_line",
    "post_context",
    "source_link",
    "in_app",
    "vars",
    "data",
    "image_addr",
    "instruction_addr",
    "addr_mode",
    "function_id",
    "symbol_addr",
    "trust",
    "lang",
    "stack_start",
    "lock",
    "snapshot",
    "parent_index",
    "sample_count",
    "native",
    "errors",
    "orig_in_app",
];

const KNOWN_DATA: [&str; 11] = [
    "sourcemap",
    "sourcemap_origin",
    "orig_function",
    "orig_filename",
    "orig_lineno",
    "orig_colno",
    "orig_in_app",
    "client_in_app",
    "category",
    "resolved_with",
    "symbolicator_status",
];

/// Normalizes a stack trace; `paths` says whether file names and paths are to be filled in (they are not in the
/// raw copy that some SDKs send beside). False if nothing of it is left.
pub(super) fn stack(stack: &mut Json<'_>, paths: bool, notes: &mut Notes) -> bool {
    if let Json::Array(_) = stack {
        let frames = std::mem::take(stack);
        stack.make_object().set("frames", frames);
    }
    let Some(map) = stack.as_object_mut() else {
        if !stack.is_null() {
            notes.invalid("expected a stack trace", stack);
        }
        return false;
    };
    map.0.retain(|(k, v)| {
        !v.is_null()
            && matches!(
                &**k,
                "frames" | "lang" | "registers" | "snapshot" | "instruction_addr_adjustment"
            )
    });
    let Some(frames) = map.get_mut("frames").and_then(Json::as_array_mut) else {
        return !map.is_empty();
    };
    notes.enter("frames");
    frames.retain(|f| f.as_object().is_some());
    if frames.is_empty() {
        notes.error("invalid_data", Some("expected a non-empty value"), None);
        notes.leave();
        map.set("frames", Json::Null);
        return true;
    }
    if frames.len() > OLDEST + NEWEST {
        notes.shortened(frames.len());
        let last = frames.len() - NEWEST;
        frames.drain(OLDEST..last);
    }
    for frame in frames.iter_mut().filter_map(Json::as_object_mut) {
        normalize(frame, paths);
    }
    thin_out(frames);
    notes.leave();
    true
}

fn normalize(frame: &mut Map<'_>, paths: bool) {
    frame.0.retain(|(k, v)| !v.is_null() && KNOWN.contains(&&**k));
    for key in ["function", "symbol", "raw_function"] {
        if matches!(frame.str(key), Some("?" | "")) {
            frame.remove(key);
        }
    }
    for key in ["filename", "abs_path", "module", "package"] {
        if frame.str(key) == Some("") {
            frame.remove(key);
        }
    }
    if paths && frame.str("abs_path").is_none() {
        // The file's name goes to the path and is found anew from there.
        if let Some(path) = frame.remove("filename") {
            frame.set("abs_path", path);
        }
    }
    if paths
        && frame.str("filename").is_none()
        && let Some(path) = frame.str("abs_path")
    {
        let name = file_of(path).to_owned();
        frame.set("filename", name);
    }
    for key in ["image_addr", "instruction_addr", "symbol_addr"] {
        if let Some(value) = frame.get_mut(key)
            && let Some(address) = address(value)
        {
            *value = Json::from(format!("{address:#x}"));
        }
    }
    for key in ["lineno", "colno"] {
        if let Some(value) = frame.get_mut(key)
            && let Json::Str(s) = value
        {
            match s.parse::<u64>() {
                Ok(n) => *value = Json::from(n),
                Err(_) => {
                    frame.remove(key);
                }
            }
        }
    }
    for key in ["function", "module", "filename", "abs_path", "package"] {
        if let Some(value) = frame.get_mut(key)
            && value.as_str().is_none()
        {
            match to_text(value) {
                Some(text) => *value = Json::from(text),
                None => {
                    frame.remove(key);
                }
            }
        }
    }
    if let Some(Json::Object(data)) = frame.get_mut("data") {
        data.0.retain(|(k, v)| !v.is_null() && KNOWN_DATA.contains(&&**k));
        if data.is_empty() {
            frame.remove("data");
        }
    }
}

/// The path of a URL, or the path itself.
fn file_of(path: &str) -> &str {
    for scheme in ["http://", "https://", "file://", "applewebdata://"] {
        if let Some(rest) = path.strip_prefix(scheme) {
            let end = rest.find(['?', '#']).unwrap_or(rest.len());
            return match rest[..end].find('/') {
                Some(at) if at + 1 < end => &rest[at..end],
                _ => path,
            };
        }
    }
    path
}

fn address(value: &Json<'_>) -> Option<u64> {
    match value {
        Json::Number(n) => n.as_u64(),
        Json::Str(s) => match s.strip_prefix("0x").or_else(|| s.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => s.parse().ok(),
        },
        _ => None,
    }
}

/// Takes variables and source from the middle of a long stack, from frames that are not in app first.
fn thin_out(frames: &mut [Json<'_>]) {
    if frames.len() <= DETAILED {
        return;
    }
    let in_app = |f: &Json<'_>| f.get("in_app").and_then(Json::as_bool) == Some(true);
    let count = frames.len();
    let mut surplus = count - DETAILED;
    let strip = |frame: &mut Json<'_>| {
        if let Some(map) = frame.as_object_mut() {
            map.0
                .retain(|(k, _)| !matches!(&**k, "vars" | "pre_context" | "post_context"));
        }
    };
    let (from, to) = (DETAILED / 2, count - DETAILED / 2);
    let app_frames = frames.iter().filter(|f| in_app(f)).count();
    if app_frames >= DETAILED {
        for frame in &mut frames[from..to] {
            strip(frame);
        }
        return;
    }
    for frame in frames.iter_mut().take(to).skip(1) {
        if surplus == 0 {
            break;
        }
        if !in_app(frame) {
            strip(frame);
            surplus -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        for (path, expected) in [
            ("https://x.y/a/b.js?v=1#z", "/a/b.js"),
            ("https://x.y/", "https://x.y/"),
            ("https://x.y", "https://x.y"),
            ("/a/b.py", "/a/b.py"),
            ("webpack:///a.js", "webpack:///a.js"),
        ] {
            assert_eq!(file_of(path), expected);
        }
    }
}
