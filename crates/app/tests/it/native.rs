//! A crash in a C++ library, written down by a process apart and sent by the SDK; the library is built here, and its
//! debug information is uploaded by `sentry-cli`.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::recorder::Recorder;
use testkit::server::Server;

use crate::clients::{fetched, install_npm, run, rust, sources};
use crate::on_one;
use crate::symbols::{errors, exception, lines};

/// Builds the library: `run/libshop.so` without a symbol but the exported one, and `upload/` with what was taken away.
fn build(folder: &Path) {
    for name in ["run", "upload", "crashes"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/symbols/src/shop.cpp");
    std::fs::copy(source, folder.join("shop.cpp")).unwrap();
    let full = folder.join("libshop.so");
    let mut compiler = Command::new("c++");
    compiler.args(["-O1", "-g", "-fPIC", "-shared", "-fomit-frame-pointer"]);
    compiler.args(["-fno-exceptions", "-fno-rtti", "-nostdlib", "-Wl,--build-id=sha1"]);
    run(compiler.arg("-o").arg(&full).arg(folder.join("shop.cpp")), 0);
    for (how, to) in [
        ("--only-keep-debug", "upload/libshop.so.debug"),
        // The library itself is uploaded for its tables of unwinding.
        ("--strip-debug", "upload/libshop.so"),
        ("--strip-all", "run/libshop.so"),
    ] {
        let mut copy = Command::new("objcopy");
        run(copy.arg(how).arg(&full).arg(folder.join(to)), 0);
    }
}

/// Leaves a program only the environment that it needs.
fn bare(command: &mut Command) -> &mut Command {
    let kept = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    command.env_clear().envs(kept)
}

/// Uploads what was built and the sources that it names.
fn upload(server: &Server, folder: &Path) {
    let packages = fetched("cli", &["package-lock.json"], |folder| {
        install_npm(folder, &sources("cli"));
    });
    let mut cli = Command::new("node");
    cli.arg(packages.join("node_modules/@sentry/cli/bin/sentry-cli"));
    cli.args(["debug-files", "upload", "--include-sources", "--wait"]);
    cli.arg(folder.join("upload")).current_dir(folder);
    bare(&mut cli).envs([
        ("SENTRY_URL", format!("http://127.0.0.1:{}", server.port)),
        ("SENTRY_AUTH_TOKEN", server.get("token").to_owned()),
        ("SENTRY_ORG", "acme".to_owned()),
        ("SENTRY_PROJECT", "shop".to_owned()),
    ]);
    run(&mut cli, 0);
}

#[test]
fn a_crash_in_a_library() {
    let (_folder, programs) = rust::programs();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    build(folder);
    on_one(&[], |server, _| {
        upload(server, folder);
        let recorder = Recorder::start(server.port);
        let project = server.get("project_id");
        let dsn = format!("http://{}@127.0.0.1:{}/{project}", server.key(), recorder.port);
        let mut program = Command::new(programs.join("native"));
        program.arg(dsn).arg(folder.join("run/libshop.so"));
        // Where the system writes down crashes, too, it may do so there.
        program.arg(folder.join("crashes")).current_dir(folder);
        let out = bare(&mut program).output().unwrap();
        assert_eq!(out.status.signal(), Some(11), "{out:?}");

        let event = server.until("the event of the crash", |s| {
            let list = s.api("GET", "projects/acme/shop/events/?full=1", None).json();
            list.as_array()?.first().cloned()
        });
        let exchanges = recorder.exchanges();
        for exchange in &exchanges {
            server.count(&exchange.target, &[], &exchange.body, exchange.status);
        }
        let sent = recorder.items();
        let kinds: Vec<&Value> = sent.iter().map(|i| &i.header["attachment_type"]).collect();
        assert_eq!(kinds, [&Value::Null, &json!("event.minidump")]);
        assert_eq!(sent[0].json()["exception"], Value::Null);
        looks_right(server, &event, &sent[1].payload);
    });
}

fn looks_right(server: &Server, event: &Value, dump: &[u8]) {
    // The program itself was not uploaded, which is said; its library was.
    assert_eq!(errors(event), ["native_missing_dsym"]);
    assert_eq!(event["errors"][0]["data"]["image_name"], "native");
    let exception = exception(event);
    assert_eq!(exception["type"], "SIGSEGV /SEGV_MAPERR");
    assert_eq!(exception["mechanism"]["handled"], false);
    let stack = &exception["stacktrace"];
    let mut newest = lines(stack);
    newest.reverse();
    newest.truncate(4);
    // Not every compiler writes down in which namespace a template is that it has inlined.
    newest[0] = newest[0].trim_start_matches("shop::").to_owned();
    assert_eq!(
        newest,
        [
            "times<T> shop.cpp:11",
            "shop::item_price shop.cpp:15",
            "shop::Cart::total shop.cpp:27",
            "shop_checkout shop.cpp:35"
        ]
    );
    let frames = stack["frames"].as_array().unwrap();
    let line = |n: usize| &frames[frames.len() - n]["context"][5];
    assert_eq!(line(1), &json!([11, "    return *a * *b;"]));
    assert_eq!(line(3), &json!([27, "        sum += item_price(&items[i]);"]));
    // A leaf without a frame pointer: its caller is found by the uploaded tables only.
    assert_eq!(frames[frames.len() - 3]["trust"], "cfi");
    assert_eq!(
        stack["registers"]["rip"],
        frames[frames.len() - 1]["instructionAddr"]
    );

    let entries = event["entries"].as_array().unwrap();
    let values = |kind: &str| {
        let entry = entries.iter().find(|e| e["type"] == kind).unwrap();
        entry["data"]["values"].as_array().unwrap()
    };
    let threads = values("threads");
    let crashed: Vec<&Value> = threads.iter().filter(|t| t["crashed"] == true).collect();
    assert_eq!(crashed.len(), 1);
    assert_eq!(crashed[0]["id"], exception["threadId"]);
    let idle = threads.iter().find(|t| t["name"] == "idle").unwrap();
    assert!(!idle["stacktrace"]["frames"].as_array().unwrap().is_empty());
    assert!(idle["stacktrace"]["registers"]["rip"].is_string());

    // What the SDK says beside the dump.
    assert_eq!(event["release"]["version"], "shop@1.2.3");
    assert_eq!(event["user"]["id"], "7");
    assert_eq!(values("breadcrumbs")[0]["message"], "to the checkout");
    let tag = |key: &str| {
        let tags = event["tags"].as_array().unwrap();
        tags.iter().find(|t| t["key"] == key).map(|t| &t["value"])
    };
    for (key, value) in [
        ("level", "fatal"),
        ("environment", "test"),
        ("handled", "no"),
        ("reporter", "apart"),
    ] {
        assert_eq!(tag(key), Some(&json!(value)), "{key}");
    }
    let id = event["eventID"].as_str().unwrap();
    let attachments = format!("projects/acme/shop/events/{id}/attachments/");
    let kept = server.api("GET", &attachments, None).json();
    assert_eq!(kept[0]["type"], "event.minidump");
    let number = kept[0]["id"].as_str().unwrap();
    let bytes = server.api("GET", &format!("{attachments}{number}/?download=1"), None);
    assert!(bytes.body == dump, "the dump is another");
}
