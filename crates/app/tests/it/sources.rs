//! Debug files from symbol servers that a project names.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::server::Server;

use crate::on_one;

const PROJECT: &str = "projects/acme/shop/";
pub const SOURCES: &str = "projects/acme/shop/symbol-sources/";
/// The build id of the library of the fixture.
pub const BUILD_ID: &str = "3cd95dad7eb31f478fa5410b5a6b4b1c37f3a5ee";

pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/symbols")
        .join(path)
}

pub fn read(path: &str) -> Vec<u8> {
    let path = fixture(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A server of symbols; what it is asked, with the login that came along.
fn symbols(files: Vec<(String, Vec<u8>)>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = asked.clone();
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
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let login = head.lines().find_map(|l| {
                l.to_lowercase()
                    .starts_with("authorization:")
                    .then(|| l[14..].trim())
            });
            seen.lock()
                .push(format!("{path} {}", login.unwrap_or_default()).trim().to_owned());
            let answer = match files.iter().find(|(name, _)| *name == path) {
                Some((_, body)) if body.starts_with(b"/") => format!(
                    "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
                    String::from_utf8_lossy(body)
                )
                .into_bytes(),
                Some((_, body)) => {
                    let mut answer =
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
                    answer.extend_from_slice(body);
                    answer
                }
                None => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
            };
            let _ = stream.write_all(&answer);
        }
    });
    (port, asked)
}

/// Sends the event of the fixture and waits for it; `code_id` names another build of the library.
pub fn send(server: &Server, n: u32, code_id: &str) -> Value {
    send_case(server, n, "elf", |event| {
        event["debug_meta"]["images"][1]["code_id"] = json!(code_id);
    })
}

/// Sends the event of a case, changed, and waits for it.
fn send_case(server: &Server, n: u32, case: &str, change: impl Fn(&mut Value)) -> Value {
    let input: Value = serde_json::from_slice(&read(&format!("{case}/input.json"))).unwrap();
    let mut event = input["event"].clone();
    change(&mut event);
    let id = format!("{n:032x}");
    event["event_id"] = json!(id);
    assert_eq!(server.send(&event).status, 200);
    let path = format!("{PROJECT}events/{id}/");
    server.until("the event", |s| {
        let reply = s.api("GET", &path, None);
        (reply.status == 200).then(|| reply.json())
    })
}

fn entry<'e>(event: &'e Value, kind: &str) -> &'e Value {
    let entries = event["entries"].as_array().unwrap();
    &entries.iter().find(|e| e["type"] == kind).unwrap()["data"]
}

pub fn functions(event: &Value) -> Vec<String> {
    let frames = &entry(event, "exception")["values"][0]["stacktrace"]["frames"];
    let frames = frames.as_array().unwrap().iter();
    frames
        .filter_map(|f| f["function"].as_str().map(str::to_owned))
        .collect()
}

/// The image of the library.
pub fn image(event: &Value) -> &Value {
    let images = entry(event, "debugmeta")["images"].as_array().unwrap();
    let ours = |i: &&Value| i["code_file"] == "/app/libshop.so" || i["code_file"] == "C:\\app\\shop.dll";
    images.iter().find(ours).unwrap()
}

/// Source, address and status of each try for the library.
pub fn tries(event: &Value) -> Vec<(String, String, String)> {
    let image = image(event);
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let one = |c: &Value| {
        (
            text(&c["source"]),
            text(&c["location"]),
            text(&c["download"]["status"]),
        )
    };
    image["candidates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(one)
        .collect()
}

fn add(server: &Server, id: &str, url: &str, layout: &str) {
    let source = json!({
        "type": "http", "id": id, "name": id, "url": url, "username": "ann", "password": "p",
        "layout": { "type": layout },
    });
    let reply = server.api("POST", SOURCES, Some(&source));
    assert_eq!(reply.status, 201, "{}", reply.json());
    assert!(reply.json()["acting"].is_null(), "{}", reply.json());
}

fn remove(server: &Server, id: &str) {
    assert_eq!(
        server.api("DELETE", &format!("{SOURCES}?id={id}"), None).status,
        204
    );
}

#[test]
fn debug_files_from_servers_that_a_project_names() {
    on_one(&["--set", "outgoing-private-networks=127.0.0.1"], |server, _| {
        let other = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let file = read("elf/libshop.so");
        let (port, asked) = symbols(vec![
            (format!("/ours/buildid/{BUILD_ID}/debuginfo"), b"/moved".to_vec()),
            ("/moved".into(), crate::uploads::gzip(&file)),
            (format!("/ours/buildid/{other}/debuginfo"), file),
        ]);
        let base = format!("http://127.0.0.1:{port}/ours");
        let debuginfo = |id: &str| format!("{base}/buildid/{id}/debuginfo");

        // Nothing is asked before a source is named, and there is nothing to process again by.
        let first = send(server, 1, BUILD_ID);
        assert!(functions(&first).is_empty());
        assert!(asked.lock().is_empty());
        let possible = || {
            let issue = first["groupID"].as_str().unwrap();
            let path = format!("organizations/acme/issues/{issue}/reprocessing/");
            server.api("GET", &path, None).json()["possible"].clone()
        };
        assert_eq!(possible(), json!(false));

        add(server, "ours", &base, "debuginfod");
        assert_eq!(possible(), json!(true));
        let found = send(server, 2, BUILD_ID);
        assert!(
            functions(&found).contains(&"shop_checkout".to_owned()),
            "{:?}",
            tries(&found)
        );
        assert!(tries(&found).contains(&("ours".into(), debuginfo(BUILD_ID), "ok".into())));
        // The password goes to the server that it is for: `ann:p`.
        let path = format!("/ours/buildid/{BUILD_ID}/debuginfo Basic YW5uOnA=");
        assert!(asked.lock().contains(&path), "{:?}", asked.lock());

        // What is known is not asked again, whether it is there or not.
        let so_far = asked.lock().len();
        assert_eq!(functions(&send(server, 3, BUILD_ID)), functions(&found));
        assert_eq!(asked.lock().len(), so_far);
        let none = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
        let missing = send(server, 4, none);
        assert!(tries(&missing).contains(&("ours".into(), debuginfo(none), "notfound".into())));
        let so_far = asked.lock().len();
        assert_eq!(tries(&send(server, 5, none)), tries(&missing));
        assert_eq!(asked.lock().len(), so_far);

        // The file of another build is none.
        let wrong = send(server, 6, other);
        assert!(functions(&wrong).is_empty());
        assert!(tries(&wrong).contains(&("ours".into(), debuginfo(other), "malformed".into())));

        remove(server, "ours");
        let so_far = asked.lock().len();
        let off = send(server, 7, BUILD_ID);
        assert!(functions(&off).is_empty() && tries(&off).is_empty());
        assert_eq!(asked.lock().len(), so_far);

        // An address of private use that nobody named.
        add(server, "inside", "http://10.255.255.1/", "unified");
        let inside = send(server, 8, BUILD_ID);
        let all = tries(&inside);
        assert!(!all.is_empty() && all.iter().all(|t| t.2 == "error"), "{all:?}");
        remove(server, "inside");
    });
}

#[test]
fn public_servers_are_named_by_their_ids() {
    on_one(&[], |server, _| {
        let list = server.api("GET", "organizations/acme/builtin-symbol-sources/", None);
        let list = list.json();
        let ids: Vec<&str> = list
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|s| s["sentry_key"].as_str())
            .collect();
        assert!(ids.contains(&"microsoft") && ids.contains(&"debian"), "{ids:?}");
        let put = |value: Value| server.api("PUT", PROJECT, Some(&json!({ "builtinSymbolSources": value })));
        assert_eq!(
            server.api("GET", PROJECT, None).json()["builtinSymbolSources"],
            json!([])
        );
        for bad in [
            json!("microsoft"),
            json!(["nobody"]),
            json!([7]),
            json!(["debian", "debian"]),
        ] {
            let reply = put(bad);
            assert_eq!(reply.status, 400);
            assert!(
                reply.json()["builtinSymbolSources"].is_array(),
                "{}",
                reply.json()
            );
        }
        let chosen = put(json!(["debian", "microsoft"]));
        assert_eq!(
            chosen.json()["builtinSymbolSources"],
            json!(["debian", "microsoft"])
        );
        assert_eq!(put(json!([])).json()["builtinSymbolSources"], json!([]));
    });
}

#[test]
fn compressed_debug_files_and_modules_that_a_source_is_not_asked_for() {
    on_one(&["--set", "outgoing-private-networks=127.0.0.1"], |server, _| {
        let mut builder = cab::CabinetBuilder::new();
        builder
            .add_folder(cab::CompressionType::MsZip)
            .add_file("shop.pdb");
        let mut writer = builder.build(std::io::Cursor::new(Vec::new())).unwrap();
        while let Some(mut file) = writer.next_file().unwrap() {
            file.write_all(&read("pe-pdb/shop.pdb")).unwrap();
        }
        let cabinet = writer.finish().unwrap().into_inner();
        let id = "27989F6821B8CF4B4C4C44205044422E1";
        let (port, asked) = symbols(vec![
            (format!("/shop.pdb/{id}/shop.pd_"), cabinet.clone()),
            (
                format!("/broken/shop.pdb/{id}/shop.pdb"),
                cabinet[..cabinet.len() / 2].to_vec(),
            ),
        ]);
        let base = format!("http://127.0.0.1:{port}");
        let windows = |n| send_case(server, n, "pe-pdb", |_| ());
        add(server, "packed", &base, "symstore");
        let found = windows(1);
        assert!(
            functions(&found).contains(&"shop_checkout".to_owned()),
            "{}",
            image(&found)["candidates"]
        );
        let tried =
            |source: &str, end: &str, how: &str| (source.to_owned(), format!("{base}/{end}"), how.to_owned());
        for (name, how) in [("shop.pdb", "notfound"), ("shop.pd_", "ok")] {
            let tried = tried("packed", &format!("shop.pdb/{id}/{name}"), how);
            assert!(tries(&found).contains(&tried), "{:?}", tries(&found));
        }
        remove(server, "packed");

        add(server, "broken", &format!("{base}/broken"), "symstore");
        let broken = windows(2);
        assert!(functions(&broken).iter().all(|f| f != "shop_checkout"));
        let tried = tried("broken", &format!("broken/shop.pdb/{id}/shop.pdb"), "malformed");
        assert!(tries(&broken).contains(&tried), "{:?}", tries(&broken));
        remove(server, "broken");

        // A source is asked for modules of its paths, and with the checksum that it wants.
        add(server, "packed", &base, "symstore");
        let update = format!("{SOURCES}?id=packed");
        let filter = |filters: Value| {
            let body = json!({ "filters": filters });
            assert_eq!(server.api("PUT", &update, Some(&body)).status, 200);
        };
        for (n, filters) in [
            json!({ "path_patterns": ["*/elsewhere/*"] }),
            json!({ "requires_checksum": true }),
        ]
        .into_iter()
        .enumerate()
        {
            filter(filters);
            let so_far = asked.lock().len();
            assert!(tries(&windows(3 + u32::try_from(n).unwrap())).is_empty());
            assert_eq!(asked.lock().len(), so_far);
        }
        filter(json!({ "path_patterns": ["c:/APP/*"], "requires_checksum": false }));
        assert_eq!(functions(&windows(6)), functions(&found));
    });
}

#[test]
fn what_is_wrong_with_a_source_is_said_by_field() {
    on_one(&[], |server, _| {
        let http = |more: Value| {
            let mut source = json!({ "type": "http", "name": "x", "url": "https://s.example/" });
            for (name, value) in more.as_object().unwrap() {
                source[name] = value.clone();
            }
            source
        };
        for (source, field, part) in [
            (json!({ "name": "x" }), "type", "required"),
            (
                http(json!({ "type": "appStoreConnect" })),
                "type",
                "not a valid choice",
            ),
            (http(json!({ "url": "ftp://s/" })), "url", "valid URL"),
            (
                http(json!({ "url": "https://ann:p@s/" })),
                "url",
                "their own fields",
            ),
            (http(json!({ "id": "17" })), "id", "needs a letter"),
            (http(json!({ "url": "" })), "url", "required"),
            (http(json!({ "layout": { "type": "flat" } })), "layout", "flat"),
            (
                http(json!({ "layout": { "casing": "camel" } })),
                "layout",
                "casing: \"camel\"",
            ),
            (
                http(json!({ "filters": { "filetypes": ["exe"] } })),
                "filters",
                "exe",
            ),
            (
                http(json!({ "filters": { "path_patterns": "*" } })),
                "filters",
                "path_patterns: Expected a list",
            ),
            (http(json!({ "bucket": "b" })), "bucket", "no such field"),
            (http(json!({ "id": "sentry:x" })), "id", "sentry:"),
            (http(json!({ "id": "microsoft" })), "id", "every project"),
            (
                http(json!({ "password": { "hidden-secret": true } })),
                "password",
                "valid string",
            ),
            (
                json!({ "type": "s3", "name": "x", "bucket": "b", "region": "eu west", "access_key": "a",
                        "secret_key": "s" }),
                "region",
                "blanks",
            ),
            (
                json!({ "type": "gcs", "name": "x", "bucket": "b", "client_email": "a@b", "private_key": "k" }),
                "private_key",
                "BEGIN PRIVATE KEY",
            ),
        ] {
            let reply = server.api("POST", SOURCES, Some(&source));
            let said = reply.json()[field][0].as_str().unwrap_or_default().to_owned();
            assert!(
                reply.status == 400 && said.contains(part),
                "{source}: {}",
                reply.json()
            );
        }
        let mut ours = http(json!({ "id": "ours", "password": "hunter2" }));
        assert_eq!(server.api("POST", SOURCES, Some(&ours)).status, 201);
        let twice = server.api("POST", SOURCES, Some(&ours));
        assert!(
            twice.status == 400 && twice.json()["id"].is_array(),
            "{}",
            twice.json()
        );

        let update = format!("{SOURCES}?id=ours");
        let put = |body: &Value| server.api("PUT", &update, Some(body));
        ours["password"] = json!({ "hidden-secret": true });
        ours["url"] = json!("https://s.example/elsewhere/");
        assert_eq!(put(&ours).status, 200);
        // The password is not handed to another server.
        ours["url"] = json!("https://t.example/");
        let moved = put(&ours);
        assert!(
            moved.status == 400 && moved.json()["password"].is_array(),
            "{}",
            moved.json()
        );
        assert_eq!(put(&json!({ "id": "theirs" })).status, 400);
        ours["password"] = json!("hunter3");
        assert_eq!(put(&ours).status, 200);
        // Another type forgets what it has no use for.
        let bucket = json!({ "type": "s3", "bucket": "b", "region": "eu-west-1", "access_key": "a", "secret_key": "s" });
        let changed = put(&bucket);
        let changed = changed.json();
        assert!(
            changed["url"].is_null() && changed["password"].is_null(),
            "{changed}"
        );
        assert_eq!(changed["name"], "x");
    });
}
