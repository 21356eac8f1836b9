//! What reports of crashes have in common: the parts of an event that they become.

use protocol::json::{Json, Map};

use crate::files::Module;
use crate::native::image::module;

/// An image as a report lists it.
pub(crate) struct Image {
    pub(crate) module: Module<'static>,
    pub(crate) arch: Option<String>,
}

/// How something got to know of the crash.
pub(crate) fn mechanism(kind: &'static str) -> Map<'static> {
    let mut mechanism = Map::new();
    mechanism.set("type", kind);
    mechanism.set("handled", false);
    mechanism.set("synthetic", true);
    mechanism
}

/// A list as events have it.
pub(crate) fn values(list: Vec<Json<'static>>) -> Map<'static> {
    let mut map = Map::new();
    map.set("values", list);
    map
}

/// The contexts `os` and `device`.
pub(crate) fn contexts(
    name: &str,
    version: Option<String>,
    build: Option<String>,
    arch: &str,
) -> Map<'static> {
    let mut os = Map::new();
    os.set("type", "os");
    for (key, value) in [
        ("name", Some(name.to_owned())),
        ("version", version),
        ("build", build),
    ] {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            os.set(key, value);
        }
    }
    let mut device = Map::new();
    device.set("type", "device");
    device.set("arch", arch.to_owned());
    let mut contexts = Map::new();
    contexts.set("os", os);
    contexts.set("device", device);
    contexts
}

/// An image of `debug_meta`.
pub(crate) fn image(image: &Image) -> Map<'static> {
    let module = &image.module;
    let mut map = Map::new();
    map.set("type", module.kind.clone());
    for (key, value) in [
        ("debug_id", &module.debug_id),
        ("code_id", &module.code_id),
        ("code_file", &module.code_file),
        ("debug_file", &module.debug_file),
    ] {
        if let Some(value) = value {
            map.set(key, value.clone());
        }
    }
    map.set("image_addr", format!("{:#x}", module.address));
    if module.size > 0 {
        map.set("image_size", module.size);
    }
    if let Some(arch) = &image.arch {
        map.set("arch", arch.clone());
    }
    map
}

/// Puts the parts that a crash report became into the event that came with it.
///
/// What the report says of the crash itself takes the place of what the event says (`exception`, `threads`, native
/// images, `platform`); the level, contexts, tags, the user and everything else of the event stay, and the
/// report only fills gaps.
pub fn merge<'a>(event: &mut Map<'a>, parts: Map<'a>) {
    for (key, value) in parts.0 {
        match &*key {
            "exception" | "threads" | "platform" | "timestamp" => event.set(key, value),
            "debug_meta" => {
                let before = event.remove("debug_meta");
                event.set(key, images_of_both(value, before));
            }
            _ => match event.get_mut(&key) {
                Some(slot) => fill(slot, value),
                None => event.set(key, value),
            },
        }
    }
}

/// The images of a report, and those of the event that hold no machine code and that no report knows.
fn images_of_both<'a>(mut report: Json<'a>, event: Option<Json<'a>>) -> Json<'a> {
    let Some(Json::Object(mut event)) = event else {
        return report;
    };
    if let Some(Json::Array(images)) = event.remove("images")
        && let Some(list) = report.get_mut("images").and_then(Json::as_array_mut)
    {
        list.extend(
            images
                .into_iter()
                .filter(|i| i.as_object().is_some_and(|i| module(i).is_none())),
        );
    }
    fill(&mut report, event.into());
    report
}

/// Adds the members that are missing, at any depth.
fn fill<'a>(target: &mut Json<'a>, from: Json<'a>) {
    match (target, from) {
        (target @ Json::Null, from) => *target = from,
        (Json::Object(target), Json::Object(from)) => {
            for (key, value) in from.0 {
                match target.get_mut(&key) {
                    Some(slot) => fill(slot, value),
                    None => target.set(key, value),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Map<'_> {
        match protocol::json::parse_str(text) {
            Ok((Json::Object(map), _)) => map,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reports_tell_the_crash_and_clients_the_rest() {
        let mut event = parsed(
            r#"{"level":"error","release":"a@1","exception":{"values":[{"type":"old"}]},"user":null,
            "contexts":{"os":{"name":"Debian"},"app":{"x":1}},
            "debug_meta":{"sdk_info":{"v":1},"images":[{"type":"elf"},{"type":"proguard","uuid":"a"}]}}"#,
        );
        merge(
            &mut event,
            parsed(
                r#"{"level":"fatal","exception":{"values":[{"type":"new"}]},"threads":{"values":[]},"user":{"id":"1"},
                "contexts":{"os":{"name":"Linux","version":"6"}},"debug_meta":{"images":[{"type":"pe"}]}}"#,
            ),
        );
        let expected = parsed(
            r#"{"level":"error","release":"a@1","exception":{"values":[{"type":"new"}]},"user":{"id":"1"},
            "contexts":{"os":{"name":"Debian","version":"6"},"app":{"x":1}},"threads":{"values":[]},
            "debug_meta":{"images":[{"type":"pe"},{"type":"proguard","uuid":"a"}],"sdk_info":{"v":1}}}"#,
        );
        assert_eq!(event, expected);
    }
}
