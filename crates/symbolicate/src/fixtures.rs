//! Every folder of `fixtures/symbols` is a case: an event in `input.json` or a crash report that it names, the
//! files that were uploaded, and in `expected.json` what must come out. A new case is a new folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::json::{Json, Map};
use symbolic::common::ByteView;

use crate::convert::{ConvertError, convert};
use crate::files::{Answer, Candidate, Files, Form, Module, NoFiles, Status};

/// The folder of all cases.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/symbols")
}

/// What was uploaded: each file with the id that it is found by.
pub(crate) struct Uploaded(pub(crate) Vec<(String, String, Vec<u8>)>);

impl Uploaded {
    fn read(folder: &Path, input: &Map<'_>) -> Uploaded {
        let files = input.array("files").unwrap_or_default();
        Uploaded(
            files
                .iter()
                .map(|f| {
                    let name = f.str_at(&["file"]).expect("a file's name");
                    let id = f.str_at(&["debug_id"]).expect("a debug id");
                    let bytes = std::fs::read(folder.join(name)).expect("the file is there");
                    (id.to_owned(), name.to_owned(), bytes)
                })
                .collect(),
        )
    }
}

impl Files for Uploaded {
    fn find(&self, module: &Module<'_>, form: Form) -> Answer {
        let mut answer = Answer {
            file: None,
            status: Status::Missing,
            candidates: Vec::new(),
        };
        for (id, name, bytes) in &self.0 {
            if module.debug_id.as_deref() != Some(id) {
                continue;
            }
            let status = match convert(form, bytes, Some(id)) {
                Ok(made) => {
                    answer.file = Some(Arc::new(ByteView::from_vec(made)));
                    Status::Found
                }
                Err(ConvertError::Empty) => continue,
                Err(ConvertError::Malformed(_)) if form == Form::Sources || form == Form::Il2cpp => continue,
                Err(ConvertError::Malformed(_)) => Status::Malformed,
            };
            answer.candidates.push(Candidate {
                source: "uploaded".into(),
                location: name.clone(),
                status,
                details: None,
            });
            if answer.file.is_some() {
                answer.status = Status::Found;
                return answer;
            }
            answer.status = status;
        }
        answer
    }
}

pub(crate) fn json(path: &Path) -> Json<'static> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (value, repairs) = protocol::json::parse(&bytes).expect("the file is JSON");
    assert!(repairs.is_empty(), "{}: not clean JSON", path.display());
    value.into_owned()
}

/// Whether `found` has everything that is in `expected`; lists must be of the same length, and null means that
/// nothing may be there.
fn compare(path: &str, expected: &Json<'_>, found: Option<&Json<'_>>, wrong: &mut Vec<String>) {
    match (expected, found) {
        (Json::Null, None | Some(Json::Null)) => {}
        (Json::Object(expected), Some(Json::Object(found))) => {
            for (key, value) in expected.iter() {
                compare(&format!("{path}.{key}"), value, found.get(key), wrong);
            }
        }
        (Json::Array(expected), Some(Json::Array(found))) if expected.len() == found.len() => {
            for (i, value) in expected.iter().enumerate() {
                compare(&format!("{path}.{i}"), value, found.get(i), wrong);
            }
        }
        (expected, Some(found)) if expected == found => {}
        (expected, found) => wrong.push(format!(
            "{path}: expected {}, found {}",
            expected,
            found.map_or("nothing".into(), Json::to_string)
        )),
    }
}

/// The event of a case: written out, or read from the crash report that is named.
fn event(folder: &Path, input: &Map<'_>, files: &dyn Files) -> Map<'static> {
    let mut event = match input.get("event").cloned().unwrap_or_default().into_owned() {
        Json::Object(event) => event,
        _ => Map::new(),
    };
    let report = |key: &str| {
        let name = input.str(key)?;
        Some(std::fs::read(folder.join(name)).expect("the report is there"))
    };
    let mut dump = report("minidump");
    if let Some(bytes) = report("unreal") {
        let parts = crate::unreal::split(&bytes, 1 << 20).expect("the container is read");
        crate::crash::merge(&mut event, crate::unreal::event(&parts, Some("login-7||m1")));
        dump = parts
            .into_iter()
            .find(|f| f.kind == crate::unreal::Kind::Minidump)
            .map(|f| f.data);
    }
    if let Some(bytes) = dump {
        let parts = crate::minidump::process(&bytes, files).expect("the dump is read");
        crate::crash::merge(&mut event, parts);
    }
    if let Some(bytes) = report("apple") {
        let parts = crate::apple::process(&bytes).expect("the report is read");
        crate::crash::merge(&mut event, parts);
    }
    assert!(
        !event.is_empty(),
        "{}: input.json names no event",
        folder.display()
    );
    event
}

#[test]
fn every_case_comes_out_as_expected() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    let mut folders: Vec<_> = std::fs::read_dir(folder())
        .expect("the fixtures are there")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.join("input.json").exists())
        .collect();
    folders.sort();
    for folder in folders {
        let name = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        assert!(
            folder.join("README.md").is_file(),
            "{name} does not say how it was made"
        );
        let input = json(&folder.join("input.json"));
        let input = input.as_object().expect("an object");
        let expected = json(&folder.join("expected.json"));
        let files = Uploaded::read(&folder, input);
        let mut event = event(&folder, input, &files);
        let untouched = event.clone();
        crate::jvm::apply(&mut event, &files);
        crate::native::apply(&mut event, &files);
        let found = Json::Object(event);
        compare(&name, &expected, Some(&found), &mut wrong);
        // What was looked up once is not looked up again.
        let mut again = found.clone();
        if let Json::Object(event) = &mut again {
            assert!(!crate::native::apply(event, &files), "{name}: applied twice");
            assert!(!crate::jvm::apply(event, &files), "{name}: applied twice");
        }
        assert!(again == found, "{name}: it changes when applied again");
        // When files come later, the event becomes what it would have been.
        let mut late = untouched;
        crate::jvm::apply(&mut late, &NoFiles);
        crate::native::apply(&mut late, &NoFiles);
        crate::restore(&mut late);
        crate::jvm::apply(&mut late, &files);
        crate::native::apply(&mut late, &files);
        let mut differences = Vec::new();
        compare(&name, &found, Some(&Json::Object(late)), &mut differences);
        assert!(
            differences.is_empty(),
            "files that come late: {}",
            differences.join("\n")
        );
        cases += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 5, "only {cases} cases");
}
