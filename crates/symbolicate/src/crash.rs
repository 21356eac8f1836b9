//! What reports of crashes have in common: the parts of an event that they become.

use protocol::json::{Json, Map};

use crate::files::Module;

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
/// What the report says of the crash itself takes the place of what the event says (`exception`, `threads`,
/// `debug_meta`, `platform`); the level, contexts, tags, the user and everything else of the event stay, and the
/// report only fills gaps.
pub fn merge<'a>(event: &mut Map<'a>, parts: Map<'a>) {
    for (key, value) in parts.0 {
        match &*key {
            "exception" | "threads" | "debug_meta" | "platform" | "timestamp" => event.set(key, value),
            _ => match event.get_mut(&key) {
                Some(slot) => fill(slot, value),
                None => event.set(key, value),
            },
        }
    }
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
