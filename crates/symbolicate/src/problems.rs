//! What an event says of files that nobody has, among its `errors`.

use protocol::json::{Json, Map};

/// Errors that are added to one event.
const MAX_ERRORS: usize = 30;

/// A native image without debug file.
pub(crate) const MISSING_IMAGE: &str = "native_missing_dsym";
/// A native image whose debug file cannot be read.
pub(crate) const BAD_IMAGE: &str = "native_bad_dsym";
/// A program whose mapping nobody uploaded.
pub(crate) const MISSING_MAPPING: &str = "proguard_missing_mapping";

const OURS: [&str; 3] = [MISSING_IMAGE, BAD_IMAGE, MISSING_MAPPING];

/// Adds an error with what is known of the file, once.
pub(crate) fn add<'a>(event: &mut Map<'a>, kind: &'static str, facts: &[(&'static str, Option<&str>)]) {
    let mut error = Map::new();
    error.set("type", kind);
    for (key, value) in facts {
        if let Some(value) = value {
            error.set(*key, (*value).to_owned());
        }
    }
    let error = Json::Object(error);
    let slot = event.entry("errors");
    if slot.is_null() {
        *slot = Json::Array(Vec::new());
    }
    if let Some(list) = slot.as_array_mut()
        && list.len() < MAX_ERRORS
        && !list.contains(&error)
    {
        list.push(error);
    }
}

/// Takes out what was added, as the files are asked for anew.
pub(crate) fn clear(event: &mut Map<'_>) {
    let Some(Json::Array(list)) = event.get_mut("errors") else {
        return;
    };
    // Errors of scripts say what stood in the way in the words of symbolication.
    let ours = |e: &Json<'_>| {
        let kind = e.str_at(&["type"]).unwrap_or_default();
        OURS.contains(&kind) || e.get("symbolicator_type").is_some() || kind == "symbolication_failed"
    };
    list.retain(|e| !ours(e));
    if list.is_empty() {
        event.remove("errors");
    }
}

/// Whether a library belongs to the system, of which nobody uploads the debug file.
pub(crate) fn is_of_system(path: &str) -> bool {
    let path = path.replace('\\', "/").to_ascii_lowercase();
    let windows = path.get(1..).is_some_and(|rest| rest.starts_with(":/windows/"));
    windows
        || !path.contains('/') && path.starts_with("linux-")
        || [
            "/lib/",
            "/lib64/",
            "/usr/lib/",
            "/usr/lib64/",
            "/system/",
            "/apex/",
            "/vendor/",
            "/usr/libexec/",
        ]
        .iter()
        .any(|start| path.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_the_system() {
        for (path, expected) in [
            ("/usr/lib/x86_64-linux-gnu/libc.so.6", true),
            ("/System/Library/Frameworks/A", true),
            ("C:\\Windows\\System32\\ntdll.dll", true),
            ("/apex/com.android.runtime/lib64/bionic/libc.so", true),
            ("linux-vdso.so.1", true),
            ("/opt/app/lib/libshop.so", false),
            ("C:\\app\\shop.dll", false),
            ("é", false),
            ("", false),
        ] {
            assert_eq!(is_of_system(path), expected, "{path}");
        }
    }

    #[test]
    fn errors_are_told_once_and_taken_back() {
        let mut event = Map::new();
        let mut other = Map::new();
        other.set("type", "invalid_data");
        event.set("errors", vec![Json::Object(other)]);
        for _ in 0..2 {
            add(
                &mut event,
                MISSING_MAPPING,
                &[("mapping_uuid", Some("a")), ("x", None)],
            );
        }
        assert_eq!(
            event.get("errors").map(ToString::to_string).as_deref(),
            Some(r#"[{"type":"invalid_data"},{"type":"proguard_missing_mapping","mapping_uuid":"a"}]"#)
        );
        clear(&mut event);
        assert_eq!(event.array("errors").map(<[_]>::len), Some(1));
    }
}
