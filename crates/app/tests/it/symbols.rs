//! Frames of uploads: from what is uploaded over what is sent to what the API shows.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::server::Server;

use crate::uploads::{form, upload_bundle, zipped};
use crate::{on_both, on_one};

const PROJECT: &str = "projects/acme/shop/";

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(path)
}

pub fn read(path: &str) -> Vec<u8> {
    std::fs::read(fixture(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub fn input(path: &str) -> Value {
    serde_json::from_slice(&read(&format!("{path}/input.json"))).unwrap()
}

/// A stored event, once it is there.
fn event(server: &Server, id: &str) -> Value {
    let path = format!("{PROJECT}events/{id}/");
    server.until("the event", |s| {
        let reply = s.api("GET", &path, None);
        (reply.status == 200).then(|| reply.json())
    })
}

pub fn send(server: &Server, n: u32, mut event: Value) -> Value {
    let id = format!("{n:032x}");
    event["event_id"] = json!(id);
    assert_eq!(server.send(&event).status, 200);
    self::event(server, &id)
}

pub fn exception(event: &Value) -> &Value {
    let entries = event["entries"].as_array().unwrap();
    let found = entries.iter().find(|e| e["type"] == "exception").unwrap();
    &found["data"]["values"][0]
}

/// `function file:line` of each frame, the oldest first.
pub fn lines(stack: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
    let one = |f: &Value| {
        format!(
            "{} {}:{}",
            text(&f["function"]),
            text(&f["filename"]),
            f["lineNo"]
        )
    };
    stack["frames"]
        .as_array()
        .into_iter()
        .flatten()
        .map(one)
        .collect()
}

pub fn errors(event: &Value) -> Vec<&str> {
    event["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["type"].as_str())
        .collect()
}

/// A bundle of a case of fixtures/scripts.
pub fn bundle(case: &str, id: &str, extra: &str) -> Vec<u8> {
    let id = Some(id).filter(|i| !i.is_empty());
    let file = |name: &str, kind: &str| {
        let mut headers = json!({});
        if let Some(id) = id {
            headers["debug-id"] = json!(id);
        }
        if kind == "minified_source" {
            headers["sourcemap"] = json!("app.js.map");
        }
        json!({ "type": kind, "url": format!("~/static/{name}"), "headers": headers })
    };
    let manifest = json!({ "note": extra, "files": {
        "files/_/_/app.js": file("app.js", "minified_source"),
        "files/_/_/app.js.map": file("app.js.map", "source_map"),
    } });
    zipped(&[
        ("files/_/_/app.js", &read(&format!("scripts/{case}/app.js"))),
        (
            "files/_/_/app.js.map",
            &read(&format!("scripts/{case}/app.js.map")),
        ),
        ("manifest.json", manifest.to_string().as_bytes()),
    ])
}

pub const TOP: &str = "total ../src/cart.ts:6";

#[test]
fn scripts_by_debug_id_and_by_release() {
    on_both(|server, _| {
        let case = input("scripts/esbuild")["event"].clone();
        let before = send(server, 1, case.clone());
        assert_eq!(
            lines(&exception(&before)["stacktrace"]).last().unwrap(),
            "n /static/app.js:1"
        );
        assert!(exception(&before)["rawStacktrace"].is_null());

        let id = "af3e5a3c-0000-4000-8000-000000000001";
        assert_eq!(
            upload_bundle(server, &bundle("esbuild", id, "1"), &json!({}))["state"],
            "ok"
        );
        let by_id = send(server, 2, case.clone());
        let stack = &exception(&by_id)["stacktrace"];
        assert_eq!(lines(stack).last().unwrap(), TOP);
        let top = stack["frames"].as_array().unwrap().last().unwrap();
        assert_eq!(top["data"]["resolved_with"], "debug-id");
        assert_eq!(top["absPath"], "https://shop.example/src/cart.ts");
        assert_eq!(top["module"], "src/cart");
        assert_eq!(top["context"][5], json!([6, "    sum += item.price!.amount;"]));
        assert_eq!(
            lines(&exception(&by_id)["rawStacktrace"]).last().unwrap(),
            "n /static/app.js:1"
        );
        assert_eq!(by_id["culprit"], "total(src/cart)");
        // The same error in another build: other names and columns, the same source.
        assert_ne!(by_id["groupID"], before["groupID"]);

        // Without a debug id the release says it; the distribution counts.
        let mut plain = case;
        plain["debug_meta"] = json!({});
        plain["dist"] = json!("7");
        let none = send(server, 3, plain.clone());
        assert_eq!(errors(&none), ["js_scraping_disabled"]);
        let of_release = json!({ "version": "shop@1", "dist": "7" });
        assert_eq!(
            upload_bundle(server, &bundle("esbuild", "", "2"), &of_release)["state"],
            "ok"
        );
        let by_release = send(server, 4, plain.clone());
        let stack = &exception(&by_release)["stacktrace"];
        assert_eq!(lines(stack).last().unwrap(), TOP);
        assert_eq!(stack["frames"][0]["data"]["resolved_with"], "release");
        assert_eq!(by_release["groupID"], by_id["groupID"]);
        plain["dist"] = json!("8");
        assert_eq!(errors(&send(server, 5, plain)), ["js_scraping_disabled"]);
    });
}

/// A web server with some files; counts what is asked.
fn web(files: &'static [(&'static str, &'static str)]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut buffer = [0; 1024];
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(n) if n > 0 => head.extend_from_slice(&buffer[..n]),
                    _ => break,
                }
            }
            count.fetch_add(1, Ordering::Relaxed);
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let found = files.iter().find(|(name, _)| *name == path);
            let answer = match found {
                _ if path == "/moved.js" => {
                    "HTTP/1.1 302 Found\r\nLocation: /static/app.js\r\nContent-Length: 0\r\n\r\n".to_owned()
                }
                Some((_, case)) => {
                    let body = String::from_utf8(read(case)).unwrap();
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                }
                None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (port, asked)
}

#[test]
fn scripts_from_the_web_where_the_project_allows_it() {
    on_one(&["--set", "outgoing-private-networks=127.0.0.1"], |server, _| {
        let (port, asked) = web(&[
            ("/static/app.js", "scripts/sources-apart/app.js"),
            ("/static/app.js.map", "scripts/sources-apart/app.js.map"),
            ("/src/cart.ts", "scripts/src/cart.ts"),
        ]);
        let at = |path: &str| {
            let text = input("scripts/sources-apart")["event"].to_string();
            let url = format!("http://127.0.0.1:{port}{path}");
            serde_json::from_str::<Value>(&text.replace("https://shop.example/static/app.js", &url)).unwrap()
        };
        let closed = send(server, 1, at("/static/app.js"));
        assert!(exception(&closed)["rawStacktrace"].is_null());
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        let allow = json!({ "scrapeJavaScript": true });
        assert_eq!(server.api("PUT", PROJECT, Some(&allow)).status, 200);
        let open = send(server, 2, at("/static/app.js"));
        let stack = &exception(&open)["stacktrace"];
        assert_eq!(lines(stack).last().unwrap(), TOP, "{}", open["errors"]);
        let top = stack["frames"].as_array().unwrap().last().unwrap();
        assert_eq!(top["data"]["resolved_with"], "scraping");
        assert_eq!(top["context"][5], json!([6, "    sum += item.price!.amount;"]));
        // main.ts is not there: said once, and not asked again.
        assert_eq!(errors(&open), ["js_missing_sources_content"]);
        let so_far = asked.load(Ordering::Relaxed);
        assert_eq!(so_far, 4);
        send(server, 3, at("/static/app.js"));
        assert_eq!(asked.load(Ordering::Relaxed), so_far);
        let moved = send(server, 4, at("/moved.js"));
        assert_eq!(
            errors(&moved),
            ["js_no_sourcemap"],
            "the map is looked for beside the address of the frame"
        );
        // An address of private use that nobody named.
        let text = at("/static/app.js")
            .to_string()
            .replace("127.0.0.1", "10.255.255.1");
        let inside = send(server, 5, serde_json::from_str(&text).unwrap());
        assert_eq!(errors(&inside), ["js_no_source"]);
    });
}

fn upload_debug_file(server: &Server, path: &str) {
    let bytes = read(path);
    let name = path.rsplit('/').next().unwrap();
    let reply = form(
        server,
        "/api/0/projects/acme/shop/files/dsyms/",
        &[("file", Some(name), &bytes)],
    );
    assert!(matches!(reply.status, 200 | 201), "{path}: {}", reply.json());
}

#[test]
fn native_frames_and_minidumps_by_uploaded_files() {
    on_both(|server, _| {
        let dump = read("symbols/minidump/crash.dmp");
        let path = format!(
            "/api/{}/minidump/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        let without = server.request("POST", &path, &[("Content-Type", "application/x-dmp")], &dump);
        assert_eq!(without.status, 200);
        let id = String::from_utf8(without.body).unwrap();
        assert_eq!(id.len(), 36, "{id}");
        let before = event(server, &id.replace('-', ""));
        assert_eq!(before["title"], "Fatal Error: SIGSEGV /SEGV_MAPERR");
        let image = |event: &Value| {
            let entries = event["entries"].as_array().unwrap().clone();
            let meta = entries.into_iter().find(|e| e["type"] == "debugmeta").unwrap();
            let images = meta["data"]["images"].as_array().unwrap().clone();
            images
                .into_iter()
                .find(|i| i["code_file"].as_str().unwrap().ends_with("libshop.so"))
                .unwrap()
        };
        assert_eq!(image(&before)["debug_status"], "missing");

        upload_debug_file(server, "symbols/elf/libshop.so");
        upload_debug_file(server, "symbols/elf/sources.zip");
        let send_form = |how: &str| {
            let gzip = how == "gzip";
            let dump = match how {
                "gzip" => crate::uploads::gzip(&dump),
                // Old versions of Electron send their form within another.
                "nested" => {
                    let head = "--in\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; \
                                filename=b.dmp\r\n\r\n";
                    [head.as_bytes(), &dump, b"\r\n--in--\r\n"].concat()
                }
                _ => dump.clone(),
            };
            let mut body = Vec::new();
            let mut part = |head: &str, bytes: &[u8]| {
                write!(body, "--b\r\nContent-Disposition: form-data; {head}\r\n\r\n").unwrap();
                body.extend_from_slice(bytes);
                body.extend_from_slice(b"\r\n");
            };
            part("name=\"upload_file_minidump\"; filename=\"a.dmp\"", &dump);
            part(
                "name=\"sentry\"",
                br#"{"release":"shop@2","tags":{"form":"json"}}"#,
            );
            part("name=\"sentry[user][id]\"", b"7");
            part("name=\"prod\"", b"Shop");
            part("name=\"log\"; filename=\"app.log\"", b"a line");
            body.extend_from_slice(b"--b--\r\n");
            let kind = ("Content-Type", "multipart/form-data; boundary=b");
            let reply = match gzip {
                true => {
                    let packed = crate::uploads::gzip(&body);
                    server.count(&path, &[], &body, 200);
                    server.request("POST", &path, &[kind, ("Content-Encoding", "gzip")], &packed)
                }
                false => server.request("POST", &path, &[kind], &body),
            };
            assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
            event(server, &String::from_utf8(reply.body).unwrap().replace('-', ""))
        };
        for how in ["plain", "gzip", "nested"] {
            let after = send_form(how);
            let stack = &exception(&after)["stacktrace"];
            let frames = lines(stack);
            assert_eq!(
                frames[frames.len() - 4..],
                [
                    "shop_checkout shop.cpp:35",
                    "shop::Cart::total shop.cpp:27",
                    "shop::item_price shop.cpp:15",
                    "shop::times<T> shop.cpp:11"
                ]
            );
            let top = stack["frames"].as_array().unwrap().last().unwrap();
            assert_eq!(top["context"][5], json!([11, "    return *a * *b;"]));
            assert!(stack["registers"]["rip"].is_string(), "{}", stack["registers"]);
            let features = &image(&after)["features"];
            assert_eq!(
                (&features["has_symbols"], &features["has_sources"]),
                (&json!(true), &json!(true))
            );
            assert_eq!(after["release"]["version"], "shop@2");
            assert_eq!(after["user"]["id"], "7");
            assert_eq!(after["context"]["prod"], "Shop");
            let attachments = format!(
                "{PROJECT}events/{}/attachments/",
                after["eventID"].as_str().unwrap()
            );
            let names = server.until("the attachments", |s| {
                let list = s.api("GET", &attachments, None).json();
                let names: Vec<String> = list
                    .as_array()?
                    .iter()
                    .map(|a| a["name"].as_str().unwrap().to_owned())
                    .collect();
                (names.len() == 2).then_some(names)
            });
            assert!(names.contains(&"a.dmp".to_owned()) && names.contains(&"app.log".to_owned()));
        }
        let broken = server.request(
            "POST",
            &path,
            &[("Content-Type", "application/x-dmp")],
            b"MDMP and nothing",
        );
        assert_eq!(broken.status, 200);
        let broken = event(server, &String::from_utf8(broken.body).unwrap().replace('-', ""));
        assert!(
            broken["title"].as_str().unwrap().contains("cannot be read"),
            "{}",
            broken["title"]
        );
        assert_eq!(errors(&broken), ["invalid_attachment"]);
        let none = server.request("POST", &path, &[("Content-Type", "text/plain")], b"hello");
        assert_eq!(none.status, 400);
    });
}

#[test]
fn obfuscated_stacks_and_other_formats() {
    on_one(&[], |server, _| {
        let n = AtomicUsize::new(100);
        for (case, files) in [
            ("elf-separate", &["libshop.so", "libshop.so.debug"][..]),
            ("breakpad", &["libshop.so.sym"]),
            ("pe-pdb", &["shop.dll", "shop.pdb"]),
            ("macho-dsym", &["libshop.dwarf", "libshop.dylib"]),
            ("portable-pdb", &["Shop.pdb", "sources.zip"]),
            ("wasm", &["shop.wasm"]),
        ] {
            for file in files {
                upload_debug_file(server, &format!("symbols/{case}/{file}"));
            }
            let n = u32::try_from(n.fetch_add(1, Ordering::Relaxed)).unwrap();
            let stored = send(server, n, input(&format!("symbols/{case}"))["event"].clone());
            let expected: Value =
                serde_json::from_slice(&read(&format!("symbols/{case}/expected.json"))).unwrap();
            let expected = expected["exception"]["values"][0]["stacktrace"]["frames"]
                .as_array()
                .unwrap()
                .clone();
            let got = exception(&stored)["stacktrace"]["frames"]
                .as_array()
                .unwrap()
                .clone();
            assert_eq!(got.len(), expected.len(), "{case}");
            for (got, expected) in got.iter().zip(&expected) {
                assert_eq!(got["lineNo"], expected["lineno"], "{case}: {got}");
                assert_eq!(got["filename"], expected["filename"], "{case}: {got}");
            }
        }
    });
}

/// How many events the issues of the project have, by title.
fn counted(server: &Server) -> Vec<(String, i64)> {
    let list = server
        .api("GET", &format!("{PROJECT}issues/?query=&statsPeriod="), None)
        .json();
    let one = |i: &Value| {
        let count = i["count"].as_str().unwrap().parse().unwrap();
        (i["title"].as_str().unwrap().to_owned(), count)
    };
    let mut all: Vec<_> = list.as_array().unwrap().iter().map(one).collect();
    all.sort();
    all
}

fn until_done(server: &Server, issue: &str) -> Value {
    server.until("the issue is processed again", |s| {
        let state = s
            .api(
                "GET",
                &format!("organizations/acme/issues/{issue}/reprocessing/"),
                None,
            )
            .json();
        (state["status"] == "done").then_some(state)
    })
}

#[test]
fn symbols_that_come_later() {
    on_both(|server, data| {
        let minidump = format!(
            "/api/{}/minidump/?sentry_key={}",
            server.get("project_id"),
            server.key()
        );
        let dump = read("symbols/minidump/crash.dmp");
        let send_dump = || {
            let reply = server.request("POST", &minidump, &[("Content-Type", "application/x-dmp")], &dump);
            String::from_utf8(reply.body).unwrap().replace('-', "")
        };
        let ids = [send_dump(), send_dump()];
        let before: Vec<Value> = ids.iter().map(|id| event(server, id)).collect();
        let crash = before[0]["groupID"].as_str().unwrap().to_owned();
        let script = input("scripts/esbuild")["event"].clone();
        let mut other = script.clone();
        other["user"] = json!({ "id": "1" });
        let minified = send(server, 1, script.clone());
        send(server, 2, other);
        let minified_issue = minified["groupID"].as_str().unwrap().to_owned();
        // Somebody works on it already.
        let note = json!({ "text": "this is the cart" });
        let notes = format!("organizations/acme/issues/{minified_issue}/notes/");
        assert_eq!(server.api("POST", &notes, Some(&note)).status, 201);
        let titles_before = counted(server);
        assert_eq!(titles_before.iter().map(|t| t.1).sum::<i64>(), 4);

        upload_debug_file(server, "symbols/elf/libshop.so");
        let id = "af3e5a3c-0000-4000-8000-000000000001";
        assert_eq!(
            upload_bundle(server, &bundle("esbuild", id, "1"), &json!({}))["state"],
            "ok"
        );

        let again = |issue: &str| {
            let path = format!("organizations/acme/issues/{issue}/reprocessing/");
            let begun = server.api("POST", &path, Some(&json!({})));
            assert_eq!(begun.status, 200, "{}", begun.json());
            until_done(server, issue)
        };
        let done = again(&crash);
        assert_eq!(
            (&done["totalEvents"], &done["changedEvents"]),
            (&json!(2), &json!(2))
        );
        for id in &ids {
            let after = event(server, id);
            let frames = lines(&exception(&after)["stacktrace"]);
            assert!(
                frames.iter().any(|f| f == "shop_checkout shop.cpp:35"),
                "{frames:?}"
            );
            assert_eq!(after["eventID"], json!(id));
            // The whole issue became another one, and goes on under its own number.
            assert_eq!(after["groupID"], json!(crash));
        }
        let script_done = again(&minified_issue);
        assert_eq!(script_done["changedEvents"], 2);
        let after = event(server, &format!("{:032x}", 1));
        assert_eq!(lines(&exception(&after)["stacktrace"]).last().unwrap(), TOP);
        assert_eq!(after["groupID"], json!(minified_issue));
        let comments = server.api("GET", &notes, None).json();
        assert_eq!(comments[0]["data"]["text"], "this is the cart");
        // One more of the same lands in the same issue, and everything is counted once.
        let next = send(server, 3, script);
        assert_eq!(next["groupID"], json!(minified_issue));
        let counts = counted(server);
        assert_eq!(counts.iter().map(|t| t.1).sum::<i64>(), 5, "{counts:?}");
        assert_eq!(counts.len(), titles_before.len(), "{counts:?}");
        let of_issue = server
            .api(
                "GET",
                &format!("organizations/acme/issues/{minified_issue}/events/"),
                None,
            )
            .json();
        assert_eq!(of_issue.as_array().unwrap().len(), 3);
        let stats = server
            .api(
                "GET",
                &format!("organizations/acme/issues/{minified_issue}/"),
                None,
            )
            .json();
        // One by id, and one by the address that browsers send from.
        assert_eq!((&stats["count"], &stats["userCount"]), (&json!("3"), &json!(2)));
        assert_eq!(stats["culprit"], "total(src/cart)");
        // A second time nothing changes.
        assert_eq!(again(&minified_issue)["changedEvents"], 0);
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_vedette"))
            .args(["reprocess", "--org", "acme", "--project", "shop", "--data-dir"])
            .arg(data)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        assert!(
            String::from_utf8_lossy(&out.stdout).contains("\"issues\":2"),
            "{out:?}"
        );
    });
}

#[test]
fn what_was_processed_again_survives_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(crate::BINARY, folder.path(), &[]);
    let script = input("scripts/esbuild")["event"].clone();
    let minified = send(&server, 1, script);
    let issue = minified["groupID"].as_str().unwrap().to_owned();
    let id = "af3e5a3c-0000-4000-8000-000000000001";
    assert_eq!(
        upload_bundle(&server, &bundle("esbuild", id, "1"), &json!({}))["state"],
        "ok"
    );
    let path = format!("organizations/acme/issues/{issue}/reprocessing/");
    server.api("POST", &path, None);
    assert_eq!(until_done(&server, &issue)["changedEvents"], 1);
    server.stop();
    for derived in ["index", "ids", "cache"] {
        std::fs::remove_dir_all(folder.path().join(derived)).unwrap();
    }
    let server = Server::start(crate::BINARY, folder.path(), &[]);
    let after = event(&server, &format!("{:032x}", 1));
    assert_eq!(lines(&exception(&after)["stacktrace"]).last().unwrap(), TOP);
    let list = server.api("GET", &format!("{PROJECT}events/"), None).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    server.stop();
}

/// What the page says of the newest frame of an event, and what to do.
fn why(server: &Server, event: &Value) -> (String, Value) {
    let id = event["eventID"].as_str().unwrap();
    let reply = server.api("GET", &format!("{PROJECT}events/{id}/source-map-debug/"), None);
    assert_eq!(reply.status, 200);
    let all = reply.json();
    let frames = all["exceptions"][0]["frames"].as_array().unwrap().clone();
    let said = frames.last().unwrap()["explanation"].clone();
    (said["status"].as_str().unwrap().to_owned(), all)
}

#[test]
fn why_a_frame_was_not_mapped() {
    on_both(|server, _| {
        let case = input("scripts/esbuild")["event"].clone();
        let id = "af3e5a3c-0000-4000-8000-000000000001";
        let first = send(server, 1, case.clone());
        let (status, all) = why(server, &first);
        assert_eq!(status, "nothing_uploaded");
        assert_eq!(all["has_debug_ids"], true);
        assert_eq!(all["project_has_some_artifact_bundle"], false);
        let command = all["exceptions"][0]["frames"][0]["explanation"]["command"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(command.contains("--org acme --project shop"), "{command}");

        let mut plain = case.clone();
        plain["debug_meta"] = json!({});
        plain["dist"] = json!("7");
        let mut unnamed = plain.clone();
        unnamed["release"] = Value::Null;
        assert_eq!(why(server, &send(server, 2, unnamed)).0, "no_way");
        let of_release = json!({ "version": "shop@1", "dist": "9" });
        assert_eq!(
            upload_bundle(server, &bundle("esbuild", "", "2"), &of_release)["state"],
            "ok"
        );
        let wrong = send(server, 3, plain.clone());
        let (status, all) = why(server, &wrong);
        assert_eq!(status, "wrong_dist");
        let release = &all["exceptions"][0]["frames"][0]["release_process"];
        assert_eq!(release["source_file_lookup_result"], "wrong-dist");
        assert_eq!(
            release["matching_source_file_names"],
            json!(["https://shop.example/static/app.js", "~/static/app.js"])
        );
        plain["dist"] = json!("9");
        let right = send(server, 4, plain);
        let (status, all) = why(server, &right);
        assert_eq!(status, "mapped");
        assert_eq!(
            all["exceptions"][0]["frames"][0]["release_process"]["source_map_lookup_result"],
            "found"
        );

        assert_eq!(
            upload_bundle(server, &bundle("esbuild", id, "1"), &json!({}))["state"],
            "ok"
        );
        let (status, all) = why(server, &first);
        assert_eq!(status, "uploaded_later");
        assert_eq!(all["has_uploaded_some_artifact_with_a_debug_id"], true);
        let mut off = case;
        off["exception"]["values"][0]["stacktrace"]["frames"][5]["lineno"] = json!(70);
        assert_eq!(why(server, &send(server, 5, off)).0, "no_such_place");
    });
}
