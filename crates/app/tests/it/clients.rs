//! Unmodified clients against the binary: what each sends is captured on the wire and compared with what is read
//! back.
//!
//! A client is a program in its own language, in the folder of its name, which goes through the scenarios below.
//! Its packages are pinned by a lock file beside it, and fetched into the cache folder once.

mod browser;
mod cli;
mod compare;
mod django;
mod flask;
mod go;
pub mod java;
mod mcp;
mod node;
mod normalizations;
pub mod requests;
mod rewrites;
pub mod rust;
mod tools;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::recorder::{Item, Recorder};
use testkit::server::Server;

use crate::on_one;

/// A scenario: the tag `scenario` of its events, and what must be in them, as JSON pointers in the server's form.
/// `-1` is the last of a list, and `=` asks for a value.
type Scenario = (&'static str, &'static [&'static str]);

/// What the SDKs have in common. A client that cannot do one leaves it out, see [`with`].
const SCENARIOS: [Scenario; 10] = [
    (
        "handled",
        &[
            "/exception/values/0/type",
            "/exception/values/0/value",
            "/exception/values/0/stacktrace/frames/0/lineno",
        ],
    ),
    (
        "unhandled",
        &[
            "/exception/values/0/type",
            "/exception/values/0/mechanism/handled=false",
        ],
    ),
    (
        "chained",
        &["/exception/values/0/type", "/exception/values/1/mechanism/type"],
    ),
    (
        "grouped",
        &[
            "/exception/values/2/type",
            "/exception/values/2/mechanism/parent_id",
        ],
    ),
    (
        "message",
        &[
            "/logentry/message",
            "/logentry/params/0=\"A-7\"",
            "/logentry/formatted=\"order A-7 is late by 3 days\"",
        ],
    ),
    (
        "context",
        &[
            "/user/id=\"7\"",
            "/user/email=\"ann@example.com\"",
            "/user/username=\"ann\"",
            "/tags/flavour=\"plum\"",
            "/contexts/order/total=12",
        ],
    ),
    (
        "breadcrumbs",
        &[
            "/breadcrumbs/values/0/message",
            "/breadcrumbs/values/1/message",
            "/breadcrumbs/values/1/category",
            "/breadcrumbs/values/1/timestamp",
        ],
    ),
    (
        "request",
        &["/request/url", "/request/method=\"POST\"", "/request/headers/0/1"],
    ),
    ("threads", &["/threads/values/0/stacktrace/frames/0/function"]),
    ("attachment", &[]),
];

/// Those whose events are changed value by value, to see that the comparison finds each change.
const CHANGED: [&str; 3] = ["handled", "context", "breadcrumbs"];

/// What every event of every client bears.
const ALWAYS: [&str; 2] = ["/release=\"shop@1.2.3\"", "/environment=\"test\""];

/// The common scenarios without those that an SDK has no notion of, and with some that ask for other things or are
/// its own.
fn with(without: &[&str], changes: &[Scenario]) -> Vec<Scenario> {
    let mut list: Vec<Scenario> = SCENARIOS.to_vec();
    list.retain(|s| !without.contains(&s.0));
    for change in changes {
        match list.iter_mut().find(|s| s.0 == change.0) {
            Some(same) => *same = *change,
            None => list.push(*change),
        }
    }
    list
}

/// The folder of a client's sources.
pub fn sources(client: &str) -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&manifest).join("tests/it/clients").join(client)
}

/// A client's folder in the cache. It is locked as long as this lives: another test run, of another checkout, may
/// want to build its own program there.
pub struct Fetched {
    folder: PathBuf,
    _lock: std::fs::File,
}

impl std::ops::Deref for Fetched {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}

/// A folder in the cache for what a client needs, filled by `fetch` once for each content of its lock files.
pub fn fetched(client: &str, locks: &[&str], fetch: impl FnOnce(&Path)) -> Fetched {
    let base = std::env::var_os("VEDETTE_CACHE")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache/vedette")
        })
        .join("clients");
    let mut digest = Sha256::new();
    for lock in locks {
        digest.update(std::fs::read(sources(client).join(lock)).unwrap());
    }
    let digest: String = digest
        .finalize()
        .iter()
        .take(6)
        .map(|b| format!("{b:02x}"))
        .collect();
    let folder = base.join(format!("{client}-{digest}"));
    std::fs::create_dir_all(&base).unwrap();
    let lock = std::fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let ready = folder.join("ready");
    if !ready.exists() {
        // What a run left that was stopped in between is not to be trusted.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        fetch(&folder);
        std::fs::write(ready, "").unwrap();
    }
    Fetched { folder, _lock: lock }
}

/// Runs a program, which must end with this code.
pub fn run(command: &mut Command, code: i32) {
    let program = command.get_program().to_string_lossy().into_owned();
    let out = command.output().unwrap_or_else(|e| {
        panic!("{program} cannot be started ({e}); what is missing is installed by: scripts/setup.sh test")
    });
    assert_eq!(
        out.status.code(),
        Some(code),
        "{command:?}:\n{}\n{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// Makes a Python environment with the packages of a lock file.
pub fn install_python(folder: &Path, lock: &Path) {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder), 0);
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "-q", "install", "--no-deps", "-r"]);
    run(pip.arg(lock), 0);
}

/// Installs the npm packages of a client's lock file.
pub fn install_npm(folder: &Path, from: &Path) {
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(from.join(file), folder.join(file)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    run(npm.current_dir(folder), 0);
}

/// Runs a client's program, which must end with this code. It sees only the environment that it needs, as SDKs send
/// what they find there.
fn run_client(command: &mut Command, code: i32) {
    let kept = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    command.env_clear().envs(kept).env("LANG", "C.UTF-8");
    // The Rust SDK reads stacks only then.
    run(command.env("RUST_BACKTRACE", "1"), code);
}

/// Starts a server and the recorder before it, lets `drive` run the client against the DSN, and compares every
/// event that went over the wire with what the API answers. Gives the encodings in which bodies were sent.
fn prove(scenarios: &[Scenario], drive: impl Fn(&str)) -> BTreeSet<String> {
    let encodings = Mutex::new(BTreeSet::new());
    on_one(&[], |server, _| {
        let recorder = Recorder::start(server.port);
        let dsn = format!(
            "http://{}@127.0.0.1:{}/{}",
            server.key(),
            recorder.port,
            server.get("project_id")
        );
        drive(&dsn);
        for exchange in recorder.exchanges() {
            assert_eq!(exchange.status, 200, "{} {}", exchange.method, exchange.target);
            if exchange.method == "POST" {
                let encoding = exchange.header("content-encoding").unwrap_or("identity");
                encodings.lock().unwrap().insert(encoding.to_owned());
                server.count(&exchange.target, &[], &exchange.body, exchange.status);
            }
        }
        let items = recorder.items();
        let mut seen = BTreeSet::new();
        let mut wrong = Vec::new();
        for item in items.iter().filter(|i| i.kind() == "event") {
            seen.insert(same_as_sent(server, scenarios, item, &items, &mut wrong));
        }
        wrong.extend(
            scenarios
                .iter()
                .filter(|s| !seen.contains(s.0))
                .map(|s| format!("{}: nothing was sent", s.0)),
        );
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    });
    encodings.into_inner().unwrap()
}

/// Compares one event and its attachments; gives its scenario.
fn same_as_sent(
    server: &Server,
    scenarios: &[Scenario],
    item: &Item,
    items: &[Item],
    wrong: &mut Vec<String>,
) -> &'static str {
    let wire = item.json();
    let form = compare::rewritten(&wire);
    let tag = form["tags"]["scenario"].as_str().unwrap_or_default();
    let (name, wanted) = scenarios
        .iter()
        .find(|s| s.0 == tag)
        .unwrap_or_else(|| panic!("an event of no scenario: {wire}"));
    let id = form["event_id"].as_str().expect("an id");
    for want in wanted.iter().chain(&ALWAYS) {
        let (pointer, value) = want.split_once('=').map_or((*want, None), |(p, v)| (p, Some(v)));
        let sent = pointer
            .split('/')
            .skip(1)
            .fold(&form, |at, step| match (at, step) {
                (Value::Array(list), "-1") => list.last().unwrap_or(&Value::Null),
                _ => at.pointer(&format!("/{step}")).unwrap_or(&Value::Null),
            });
        let value: Option<Value> = value.map(|v| serde_json::from_str(v).expect("JSON"));
        if value.map_or(sent.is_null(), |v| *sent != v) {
            wrong.push(format!("{name}: the client was to send {want}, and sent {sent}"));
        }
    }
    let get = |path: &str| server.api("GET", &format!("projects/acme/shop/events/{id}/{path}"), None);
    let view = server.until(id, |_| {
        let reply = get("");
        (reply.status == 200).then(|| reply.json())
    });
    let stored = get("json/").json();
    let unlike = compare::compare(&wire, &stored, &view);
    if unlike.is_empty() && CHANGED.contains(name) {
        compare::assert_every_change_is_found(&wire, &stored, &view);
    }
    wrong.extend(unlike.into_iter().map(|line| format!("{name}: {line}")));

    let sent: Vec<&Item> = items
        .iter()
        .filter(|i| {
            i.kind() == "attachment"
                && i.envelope["event_id"]
                    .as_str()
                    .map(|e| e.replace('-', ""))
                    .as_deref()
                    == Some(id)
        })
        .collect();
    assert_eq!(
        *name == "attachment",
        !sent.is_empty(),
        "{name}: {} attachments were sent",
        sent.len()
    );
    let listed = get("attachments/").json();
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(sent.len()),
        "{name}: {listed}"
    );
    for attachment in sent {
        let found = listed
            .as_array()
            .and_then(|l| l.iter().find(|a| a["name"] == attachment.header["filename"]))
            .unwrap_or_else(|| panic!("{} is not in {listed}", attachment.header));
        let kind = attachment.header.get("attachment_type").cloned();
        assert_eq!(found["type"], kind.unwrap_or(json!("event.attachment")));
        if let Some(content_type) = attachment.header.get("content_type").filter(|c| !c.is_null()) {
            assert_eq!(&found["mimetype"], content_type);
        }
        let number = found["id"].as_str().expect("an id");
        let bytes = get(&format!("attachments/{number}/?download=1")).body;
        assert!(
            bytes == attachment.payload,
            "{name}: the bytes of {found} are others"
        );
    }
    name
}

/// The list of normalizations in the documentation is the one that the comparison goes by.
#[test]
fn the_list_is_documented() {
    let names: Vec<&str> = std::iter::once(normalizations::READ)
        .chain(normalizations::REWRITTEN.iter().map(|r| r.name))
        .chain(normalizations::ACCEPTED.iter().map(|a| a.name))
        .chain(std::iter::once(normalizations::OF_THE_PAGE.name))
        .collect();
    let page = sources("../../../../../docs/clients.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: Vec<&str> = page
        .split_once("## What may differ")
        .expect("the list")
        .1
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .collect();
    assert_eq!(listed, names);
}
