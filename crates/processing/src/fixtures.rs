//! The cases under `fixtures/`: each input is a test, its snapshot stands beside it. `UPDATE_SNAPSHOTS=1` writes
//! them anew.

mod pairs;

use std::fmt::Write;
use std::path::Path;

use protocol::json::{Json, Map};

use crate::grouping::rules::{BUILT_IN, Rule};
use crate::grouping::{Component, Content, Rules, group, prepare};
use crate::meta::Notes;
use crate::normalize::normalize;
use crate::{NoGeo, NoSymbols, ProjectRules, ProjectSettings, Receipt, process_event, process_security};

/// When the server takes the events of the cases, unless they say otherwise.
const CLOCK: i64 = 1_795_700_000_000_000;

/// Runs every case of a folder.
fn each(folder: &str, run: impl Fn(&Json<'_>) -> String) {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../../fixtures")
        .join(folder);
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    names.sort();
    assert!(names.len() >= 10, "the cases of {} are missing", folder.display());
    let mut wrong = Vec::new();
    for path in names {
        let bytes = std::fs::read(&path).unwrap();
        let (case, _) = protocol::json::parse(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let actual = run(&case);
        let snap = path.with_extension("snap");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&snap, &actual).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&snap).unwrap_or_default();
        if expected != actual {
            let line = expected.lines().zip(actual.lines()).position(|(a, b)| a != b);
            let at = line.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
            wrong.push(format!(
                "{} line {}:\n  expected {}\n  actual   {}",
                path.display(),
                at + 1,
                expected.lines().nth(at).unwrap_or("(the end)"),
                actual.lines().nth(at).unwrap_or("(the end)"),
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "differs from the snapshot:\n{}",
        wrong.join("\n")
    );
}

/// JSON over several lines; what is short stays in one.
fn pretty(value: &Json<'_>, indent: usize, out: &mut String) {
    let line = value.to_string();
    let pad = "  ".repeat(indent + 1);
    match value {
        Json::Object(map) if line.len() > 90 => {
            out.push_str("{\n");
            for (i, (k, v)) in map.iter().enumerate() {
                write!(out, "{pad}{}: ", Json::from(k)).unwrap();
                pretty(v, indent + 1, out);
                out.push_str(if i + 1 < map.len() { ",\n" } else { "\n" });
            }
            write!(out, "{}}}", "  ".repeat(indent)).unwrap();
        }
        Json::Array(list) if line.len() > 90 => {
            out.push_str("[\n");
            for (i, v) in list.iter().enumerate() {
                out.push_str(&pad);
                pretty(v, indent + 1, out);
                out.push_str(if i + 1 < list.len() { ",\n" } else { "\n" });
            }
            write!(out, "{}]", "  ".repeat(indent)).unwrap();
        }
        _ => out.push_str(&line),
    }
}

fn lines(value: &Json<'_>) -> String {
    let mut out = String::new();
    pretty(value, 0, &mut out);
    out.push('\n');
    out
}

/// The settings under `settings` of a case.
fn rules(case: &Json<'_>) -> ProjectRules {
    let settings: ProjectSettings = case
        .get("settings")
        .map(|s| serde_json::from_slice(&s.to_vec()).expect("settings of a project"))
        .unwrap_or_default();
    ProjectRules::compile(1, &settings).expect("rules that can be read")
}

/// From what an SDK sends to what is stored. A case is the event, or `{event, receipt, settings}`.
#[test]
fn normalize_cases() {
    each("normalize", |case| {
        let event = case.get("event").unwrap_or(case);
        let receipt = case.get("receipt");
        let text = |key: &str| receipt.and_then(|r| r.str_at(&[key]));
        let time = |key: &str| receipt.and_then(|r| crate::normalize::read_time(r.get(key)?));
        let receipt = Receipt {
            received: time("received").unwrap_or(CLOCK),
            sent_at: time("sent_at"),
            client_ip: text("client_ip"),
            user_agent: text("user_agent"),
            client: text("client"),
            project: 1,
            release: text("release"),
            environment: text("environment"),
            ..Receipt::default()
        };
        let rules = rules(case);
        let body = event.to_vec();
        let results = match case.get("security") {
            Some(report) => process_security(&report.to_vec(), None, &receipt, &rules, &NoGeo),
            None => vec![process_event(&body, &receipt, &rules, &NoGeo, &NoSymbols)],
        };
        let mut out = String::new();
        for result in results {
            match result {
                Ok(done) => {
                    let (mut stored, _) = protocol::json::parse(&done.json).unwrap();
                    stored.remove("_grouping");
                    let mut m = Map::new();
                    m.set("category", done.category.name());
                    m.set("title", done.title);
                    m.set(
                        "hashes",
                        Json::Array(done.hashes.iter().map(|h| Json::from(h.to_string())).collect()),
                    );
                    m.set("stored", stored);
                    out.push_str(&lines(&m.into()));
                }
                Err(reason) => writeln!(out, "discarded: {}", reason.name()).unwrap(),
            }
        }
        out
    });
}

fn tree(component: &Component<'_>, indent: usize, out: &mut String) {
    let mark = if component.contributes { "*" } else { " " };
    write!(out, "{}{mark} {}", "  ".repeat(indent), component.id).unwrap();
    if let Content::Text(text) = &component.content {
        write!(out, ": {}", Json::from(&**text)).unwrap();
    }
    if let Some(hint) = &component.hint {
        write!(out, " ({hint})").unwrap();
    }
    out.push('\n');
    for part in component.parts() {
        tree(part, indent + 1, out);
    }
}

/// From a normalized event to its variants, as `{event, settings}`; every component is listed, those that
/// contribute with a star.
#[test]
fn group_cases() {
    each("group", |case| {
        let Some(Json::Object(event)) = case.get("event") else {
            panic!("a case has an event")
        };
        let mut event = event.clone();
        let receipt = Receipt {
            received: CLOCK,
            project: 1,
            ..Receipt::default()
        };
        normalize(&mut event, &receipt, &NoGeo, &mut Notes::default());
        let mut event = Json::Object(event);
        let rules = rules(case);
        let sets: [&[Rule]; 2] = [&BUILT_IN, &rules.stacktrace];
        prepare(&mut event, &sets);
        let grouping = group(
            &event,
            Rules {
                stack: &sets,
                fingerprint: &rules.fingerprint,
            },
        );
        let mut out = format!("by {}\n", grouping.basis.name());
        for hash in &grouping.hashes {
            writeln!(out, "{hash}").unwrap();
        }
        for v in &grouping.variants {
            let hash = v.hash.map_or_else(|| "no hash".to_owned(), |h| h.to_string());
            writeln!(out, "\n{}: {hash}", v.name).unwrap();
            tree(&v.component, 0, &mut out);
        }
        out
    });
}

/// An event that is stored has by the same rules the hashes it was stored with.
#[test]
fn stored_events_group_again_as_they_did() {
    let mut seen = 0;
    for folder in ["group", "normalize"] {
        let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
            .join("../../fixtures")
            .join(folder);
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let (case, _) = protocol::json::parse(&bytes).unwrap();
            let event = case.get("event").unwrap_or(&case);
            let rules = rules(&case);
            let receipt = Receipt {
                received: CLOCK,
                project: 1,
                ..Receipt::default()
            };
            if let Ok(done) = process_event(&event.to_vec(), &receipt, &rules, &NoGeo, &NoSymbols) {
                assert_eq!(
                    crate::regroup(&done.json, &rules),
                    done.hashes,
                    "{}",
                    path.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "only {seen} cases");
}

/// Scrubbing alone, as `{event, settings}`.
#[test]
fn scrub_cases() {
    each("scrub", |case| {
        let Some(Json::Object(event)) = case.get("event") else {
            panic!("a case has an event")
        };
        let mut event = event.clone();
        let mut notes = Notes::default();
        rules(case).scrubber.scrub(&mut event, &mut notes);
        notes.write(&mut event);
        lines(&event.into())
    });
}
