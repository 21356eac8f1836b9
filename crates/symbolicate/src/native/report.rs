//! What an event says of its images when their files were asked for.

use protocol::json::{Json, Map};
use symbolic::common::{Arch, split_path};

use super::image::{Image, add_candidates, status_name};
use crate::files::Status;
use crate::problems;

/// What the opened files of an image hold.
#[derive(Clone, Copy, Default)]
pub(super) struct Features {
    pub(super) symbols: bool,
    pub(super) debug_info: bool,
    pub(super) sources: bool,
    pub(super) arch: Option<Arch>,
    pub(super) malformed: bool,
}

/// Says that the debug file of an image would be needed, if somebody can have it.
pub(super) fn complain(event: &mut Map<'_>, image: &Image, open: Features) {
    let answers = [&image.symbols, &image.portable_pdb];
    let mut answers = answers.iter().filter_map(|cell| cell.get()).peekable();
    let path = image
        .module
        .code_file
        .as_deref()
        .or(image.module.debug_file.as_deref());
    if answers.peek().is_none() || path.is_some_and(problems::is_of_system) {
        return;
    }
    let kind = match answers.find(|a| a.status == Status::Found) {
        Some(_) if open.malformed => problems::BAD_IMAGE,
        Some(_) => return,
        None => problems::MISSING_IMAGE,
    };
    let facts = [
        ("image_uuid", image.module.debug_id.as_deref()),
        ("image_path", path),
        ("image_name", path.map(|p| split_path(p).1)),
        ("image_type", Some(&*image.module.kind)),
        (
            "image_arch",
            Some(image.arch.name()).filter(|_| image.arch != Arch::Unknown),
        ),
    ];
    problems::add(event, kind, &facts);
}

/// Says at the image what was found of it.
pub(super) fn write_back(event: &mut Map<'_>, image: &Image, open: Features) {
    let Some(target) = event
        .get_mut("debug_meta")
        .and_then(|meta| meta.get_mut("images"))
        .and_then(Json::as_array_mut)
        .and_then(|list| list.get_mut(image.place))
        .and_then(Json::as_object_mut)
    else {
        return;
    };
    let answers = [&image.symbols, &image.portable_pdb];
    let debug = answers.iter().filter_map(|cell| cell.get()).collect::<Vec<_>>();
    let status = match debug.iter().find(|a| a.status == Status::Found).or(debug.first()) {
        Some(_) if open.malformed => "malformed",
        Some(answer) => status_name(answer.status),
        None => "unused",
    };
    target.set("debug_status", status);
    for answer in &debug {
        add_candidates(target, &answer.candidates, "debug");
    }
    if let Some(answer) = image.sources.get() {
        add_candidates(target, &answer.candidates, "sources");
    }
    if let Some(arch) = open.arch {
        target.set("arch", arch.name());
    }
    let features = target.entry("features").make_object();
    for (key, value) in [
        ("has_symbols", open.symbols),
        ("has_debug_info", open.debug_info),
        ("has_sources", open.sources),
    ] {
        features.set(key, value);
    }
    if !features.contains("has_unwind_info") {
        features.set("has_unwind_info", false);
    }
}
