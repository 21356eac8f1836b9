//! Every folder of `fixtures/scripts` with an `input.json` is a case: the files of a release, an event, and in
//! `expected.txt` what its frames are, each as `function file:line | its line`, then its
//! errors. A new case is a new folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::json::{Json, Map};
use symbolic::common::ByteView;

use super::tests::Shelf;
use super::{Artifact, Found, Kind, apply};

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn shelf(folder: &Path, files: &[Json<'_>]) -> Shelf {
    let mut shelf = Shelf::default();
    for file in files.iter().filter_map(Json::as_object) {
        let text = |key: &str| file.str(key).map(|t| &*t.to_owned().leak());
        let path = folder.join(text("file").expect("a file's name"));
        let artifact = |found| Artifact {
            key: path.display().to_string(),
            url: text("url").unwrap_or_default().to_owned(),
            bytes: Arc::new(ByteView::from_vec(read(&path))),
            path: None,
            map: None,
            found,
        };
        let kind = match text("kind") {
            Some("script") => Kind::Script,
            Some("map") => Kind::Map,
            _ => Kind::Source,
        };
        match text("debug_id") {
            Some(id) => shelf.ids.push((id, kind, artifact(Found::DebugId))),
            None => shelf
                .names
                .push((text("url").expect("a url"), artifact(Found::Release))),
        }
    }
    shelf
}

fn line(frame: &Map<'_>) -> String {
    let text = |key: &str| frame.str(key).unwrap_or("-").to_owned();
    let number = frame.get("lineno").and_then(Json::as_u64).unwrap_or(0);
    format!(
        "{} {}:{number} | {}",
        text("function"),
        text("filename"),
        text("context_line").trim()
    )
}

#[test]
fn every_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scripts");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&root)
        .expect("the folder is there")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.join("input.json").exists())
        .collect();
    cases.sort();
    assert!(cases.len() >= 6, "{cases:?}");
    for case in cases {
        let input = read(&case.join("input.json"));
        let (mut input, _) = protocol::json::parse(&input).expect("JSON");
        let shelf = shelf(&case, input.get("files").and_then(Json::as_array).expect("files"));
        let event = input
            .get_mut("event")
            .and_then(Json::as_object_mut)
            .expect("an event");
        apply(event, &shelf);
        let frames = ["exception", "values", "0", "stacktrace", "frames"];
        let event = Json::Object(std::mem::take(event));
        let frames = event.path(&frames).and_then(Json::as_array).expect("frames");
        let mut got: Vec<String> = frames.iter().filter_map(Json::as_object).map(line).collect();
        let errors = event.get("errors").and_then(Json::as_array).unwrap_or_default();
        got.extend(
            errors
                .iter()
                .map(|e| format!("! {}", e.str_at(&["type"]).unwrap_or_default())),
        );
        let expected = String::from_utf8(read(&case.join("expected.txt"))).expect("text");
        assert_eq!(got.join("\n"), expected.trim_end(), "{}", case.display());
    }
}
