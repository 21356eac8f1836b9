//! Annotations: what a program told Crashpad about itself, as contexts of the event.

use minidump::{MinidumpAnnotation, MinidumpCrashpadInfo, MinidumpModuleList, Module as _};
use protocol::json::{Json, Map};

use super::Dump;
use super::bounds::{MODULES, u32_at};

/// Modules whose annotations are kept.
const MOST_MODULES: usize = 50;
/// Annotations of one module that are kept.
const MOST: usize = 100;
/// Letters of an annotation that are kept.
const LONGEST: usize = 4_096;

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// Adds the context `crashpad` with the annotations of the process, and one by the name of each module that has some.
pub(super) fn add(dump: &Dump<'_>, modules: &MinidumpModuleList, contexts: &mut Map<'static>) {
    let Ok(info) = dump.get_stream::<MinidumpCrashpadInfo>() else {
        return;
    };
    if !info.simple_annotations.is_empty() {
        let mut context = new();
        annotate(&mut context, info.simple_annotations.iter());
        contexts.set("crashpad", context);
    }
    // Modules are named by their place among all, of which the reader leaves out those without a size.
    let listed = dump
        .get_raw_stream(MODULES)
        .ok()
        .and_then(|list| u32_at(list, 0, dump.endian));
    let all: Vec<_> = modules.iter().collect();
    if listed.is_none_or(|n| n as usize != all.len()) {
        return;
    }
    for told in info.module_list.iter().take(MOST_MODULES) {
        let Some(module) = all.get(told.module_index) else {
            continue;
        };
        let mut context = new();
        annotate(&mut context, told.simple_annotations.iter());
        // Others have a meaning that only their program knows.
        let texts = told
            .annotation_objects
            .iter()
            .filter_map(|(name, value)| match value {
                MinidumpAnnotation::String(value) => Some((name, value)),
                _ => None,
            });
        annotate(&mut context, texts);
        let list: Vec<Json<'static>> = told
            .list_annotations
            .iter()
            .take(MOST)
            .map(|text| short(text).into())
            .collect();
        if !list.is_empty() {
            context.set("annotations", list);
        }
        let file = module.code_file();
        let name = file.rsplit(['/', '\\']).next().unwrap_or_default();
        if context.0.len() > 1 && !name.is_empty() && contexts.get(name).is_none() {
            contexts.set(short(name), context);
        }
    }
}

fn new() -> Map<'static> {
    let mut context = Map::new();
    context.set("type", "crashpad");
    context
}

fn annotate<'t>(context: &mut Map<'static>, texts: impl Iterator<Item = (&'t String, &'t String)>) {
    for (name, value) in texts.filter(|(name, _)| *name != "type").take(MOST) {
        context.set(short(name), short(value));
    }
}
