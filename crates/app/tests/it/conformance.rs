//! The web API against a description of Sentry's: every operation is called on a prepared organization, and its
//! status and body are compared with what the description wants.
//!
//! The description itself is not part of the repository. It is read from `$API_DESCRIPTION`, or from the folder
//! `shared/reference` beside the checkout. Without it, the calls are compared with `fixtures/api/operations.txt`:
//! method, path, status and required keys of each operation (`UPDATE_OPERATIONS=1` writes it anew).
//!
//! What is called stands in `fixtures/api/scenarios/`, what is not served and why in `fixtures/api/not-served.txt`.

mod description;
mod openapi;
mod prepare;
mod scenario;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::on_both;

use self::description::{Operation, Operations};
use self::scenario::{Step, Variables};

/// The folder of the fixtures.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/api")
}

/// What became of the operations.
#[derive(Default)]
struct Report {
    /// Operations that were called.
    called: BTreeSet<usize>,
    /// Those that answered with something in it.
    full: BTreeSet<usize>,
    /// Writes that were read back.
    read_back: BTreeSet<usize>,
    /// What is wrong, by operation.
    wrong: BTreeMap<usize, Vec<String>>,
    /// What is wrong with steps that are no operation of the description.
    other: Vec<String>,
    /// Requests that went well, with their answers.
    exchanges: Vec<Exchange>,
}

/// Method, path, body, status and answer.
type Exchange = (String, String, Option<Value>, u16, Value);

impl Report {
    fn wrong(&mut self, operation: Option<usize>, line: &str, what: String) {
        let what = format!("{line}: {what}");
        match operation {
            Some(i) => self.wrong.entry(i).or_default().push(what),
            None => self.other.push(what),
        }
    }
}

/// The reasons of `not-served.txt`, by operation.
fn not_served(operations: &Operations) -> BTreeMap<usize, String> {
    let text = std::fs::read_to_string(folder().join("not-served.txt")).unwrap();
    let mut reason = String::new();
    let mut out = BTreeMap::new();
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(heading) = line.strip_suffix(':') {
            heading.clone_into(&mut reason);
            continue;
        }
        let (method, path) = line
            .split_once(' ')
            .unwrap_or_else(|| panic!("{line}: method and path"));
        let path = path.trim();
        let found = operations
            .all
            .iter()
            .position(|o| o.method == method && o.path == path);
        let i = found.unwrap_or_else(|| panic!("not-served.txt: there is no operation {method} {path}"));
        assert!(
            out.insert(i, reason.clone()).is_none(),
            "not-served.txt: {line} stands twice"
        );
    }
    out
}

/// Runs one step and notes what is wrong with it.
fn run(
    server: &testkit::server::Server,
    step: &Step,
    vars: &mut Variables,
    operations: &Operations,
    report: &mut Report,
) {
    let path = vars.fill(&step.path);
    let body = step.body.as_ref().map(|b| vars.fill_json(b));
    let plain = path.split('?').next().unwrap_or(&path);
    let found = operations.find(&step.method, plain);
    let line = format!("{} {path}", step.method);
    let reply = if !step.form.is_empty() {
        let parts = step.form.iter();
        let parts: Vec<_> = parts
            .map(|(field, file, text)| (field.as_str(), file.as_deref(), text.as_bytes()))
            .collect();
        crate::uploads::form(server, &format!("/api/0{path}"), &parts)
    } else if step.session {
        let body = body.clone().unwrap_or(Value::Null);
        crate::people::by(
            server,
            &vars.fill("$cookie"),
            &step.method,
            path.trim_start_matches('/'),
            body,
        )
    } else {
        server.api(&step.method, path.trim_start_matches('/'), body.as_ref())
    };
    let json = reply.json();
    if let Some(i) = found {
        report.called.insert(i);
    }
    let operation = found.map(|i| &operations.all[i]);
    let good = match (step.status, operation) {
        (Some(status), _) => reply.status == status,
        (None, Some(o)) => o.statuses.contains(&reply.status),
        (None, None) => (200..300).contains(&reply.status),
    };
    if !good {
        let text: String = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
        return report.wrong(found, &line, format!("status {}: {text}", reply.status));
    }
    let accepted = (200..300).contains(&reply.status);
    if accepted {
        report.exchanges.push((
            step.method.clone(),
            path.clone(),
            body.clone(),
            reply.status,
            json.clone(),
        ));
    }
    if let (Some(i), true) = (found, accepted) {
        let mut wrong = Vec::new();
        operations.all[i].check(reply.status, &json, &mut wrong);
        wrong.truncate(12);
        for what in wrong {
            report.wrong(found, &line, what);
        }
        match (Operation::elements(&json), step.empty) {
            (Some(0), true) => {}
            (Some(0), false) => report.wrong(found, &line, "is empty".into()),
            (Some(1), false) if !step.single => report.wrong(found, &line, "has one element alone".into()),
            (None, true) => {}
            _ => {
                report.full.insert(i);
            }
        }
        if step.empty && Operation::elements(&json).is_some_and(|n| n > 0) {
            report.wrong(
                found,
                &line,
                "is not empty any more: say so in the scenario".into(),
            );
        }
    }
    for (pointer, want) in &step.wants {
        let want = vars.fill_json(want);
        let have = scenario::pointed(&json, &vars.fill(pointer));
        if have.as_ref() != Some(&want) {
            report.wrong(
                found,
                &line,
                format!("{pointer} is {} and not {want}", have.unwrap_or_default()),
            );
        }
    }
    for (name, pointer) in &step.keeps {
        match scenario::pointed(&json, &vars.fill(pointer)) {
            Some(value) => vars.set(name, &value),
            None => report.wrong(found, &line, format!("there is no {pointer} to keep")),
        }
    }
}

/// Everything of the hosted business answers 404 and says so.
fn refused(server: &testkit::server::Server, operation: &Operation, report: &mut Report, i: usize) {
    let path: Vec<&str> = operation
        .path
        .split('/')
        .map(|s| match s {
            "{organization_id_or_slug}" => "acme",
            "{project_id_or_slug}" => "shop",
            s if s.starts_with('{') => "1",
            s => s,
        })
        .collect();
    let path = path.join("/");
    let reply = server.api(&operation.method, path.trim_start_matches('/'), None);
    let detail = reply.json()["detail"].as_str().unwrap_or_default().to_owned();
    if reply.status != 404 || !detail.contains("not part of Vedette") {
        report.wrong(
            Some(i),
            &path,
            format!("not served, but answers {} {detail:?}", reply.status),
        );
    }
}

#[test]
fn every_operation_answers_as_described() {
    let operations = Operations::load(&folder().join("operations.txt"));
    let skipped = not_served(&operations);
    let steps = scenario::read(&folder().join("scenarios"));
    let printed = std::cell::Cell::new(false);
    let exchanges = std::cell::RefCell::new(Vec::new());
    on_both(|server, _| {
        let mut report = Report::default();
        let mut vars = prepare::organization(server);
        for (n, step) in steps.iter().enumerate() {
            run(server, step, &mut vars, &operations, &mut report);
            // A write is read back by the step after it; where nothing can be read, by its own answer.
            let checks = |s: &Step| !s.wants.is_empty() || s.status.is_some();
            let checked = checks(step) || steps.get(n + 1).is_some_and(checks);
            if step.method != "GET" && checked {
                let plain = vars.fill(step.path.split('?').next().unwrap_or(""));
                report.read_back.extend(operations.find(&step.method, &plain));
            }
        }
        for (i, operation) in operations.all.iter().enumerate() {
            match skipped.get(&i) {
                Some(reason) if reason.starts_with("hosted") => refused(server, operation, &mut report, i),
                Some(reason) if reason == "not yet" => {
                    report.wrong.remove(&i);
                }
                Some(_) if report.called.contains(&i) => {
                    report.wrong(
                        Some(i),
                        &operation.path,
                        "is listed as not served, but called".into(),
                    );
                }
                Some(_) => {}
                None if !report.called.contains(&i) => {
                    report.wrong(Some(i), &operation.path, "is not called".into());
                }
                None if operation.method != "GET" && !report.read_back.contains(&i) => {
                    report.wrong(Some(i), &operation.path, "is not read back".into());
                }
                None => {}
            }
        }
        report.called.retain(|i| !skipped.contains_key(i));
        report.full.retain(|i| !skipped.contains_key(i));
        let fine = report.wrong.is_empty() && report.other.is_empty();
        // The second database says the same, or what is wrong with it.
        if !fine || !printed.replace(true) {
            print(&operations, &skipped, &report);
        }
        assert!(fine, "see above");
        exchanges.borrow_mut().append(&mut report.exchanges);
    });
    let exchanges = exchanges.into_inner();
    let mut seen = openapi::Seen::default();
    for (method, path, body, status, answer) in &exchanges {
        seen.note(method, path, body.as_ref(), *status, answer);
    }
    let compared: Vec<_> = exchanges
        .into_iter()
        .map(|(method, path, _, status, answer)| (method, path, status, answer))
        .collect();
    let (wrong, described, operations) = openapi::settle(seen, &compared);
    println!("{described} of {operations} operations have a described answer in openapi.json");
    let wrong: BTreeSet<_> = wrong.into_iter().collect();
    wrong.iter().for_each(|w| println!("    {w}"));
    assert!(
        wrong.is_empty(),
        "openapi.json is not what is served: run `make openapi`"
    );
}

fn print(operations: &Operations, skipped: &BTreeMap<usize, String>, report: &Report) {
    for (i, wrong) in &report.wrong {
        let o = &operations.all[*i];
        println!("{} {}", o.method, o.path);
        wrong.iter().for_each(|w| println!("    {w}"));
    }
    report.other.iter().for_each(|w| println!("{w}"));
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    skipped.values().for_each(|r| *reasons.entry(r).or_default() += 1);
    let good = report
        .called
        .iter()
        .filter(|i| !report.wrong.contains_key(i))
        .count();
    let full = report
        .full
        .iter()
        .filter(|i| !report.wrong.contains_key(i))
        .count();
    println!(
        "{good} of {} · {full} with data, {} empty · {} not served",
        operations.all.len(),
        good - full,
        skipped.len()
    );
    reasons
        .iter()
        .for_each(|(reason, n)| println!("    {n} {reason}"));
    if operations.described {
        println!("    compared with the description");
    } else {
        println!("    compared with the list of required keys: there is no description file");
    }
}
