//! Debug files from symbol servers that a project names.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use testkit::server::Server;

use crate::on_one;

const PROJECT: &str = "projects/acme/shop/";
const SOURCES: &str = "projects/acme/shop/symbol-sources/";
/// The build id of the library of the fixture.
const BUILD_ID: &str = "3cd95dad7eb31f478fa5410b5a6b4b1c37f3a5ee";

fn read(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/symbols")
        .join(path);
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
fn send(server: &Server, n: u32, code_id: &str) -> Value {
    let input: Value = serde_json::from_slice(&read("elf/input.json")).unwrap();
    let mut event = input["event"].clone();
    event["debug_meta"]["images"][1]["code_id"] = json!(code_id);
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

fn functions(event: &Value) -> Vec<String> {
    let frames = &entry(event, "exception")["values"][0]["stacktrace"]["frames"];
    let frames = frames.as_array().unwrap().iter();
    frames
        .filter_map(|f| f["function"].as_str().map(str::to_owned))
        .collect()
}

/// Source, address and status of each try for the library.
fn tries(event: &Value) -> Vec<(String, String, String)> {
    let images = entry(event, "debugmeta")["images"].as_array().unwrap();
    let image = images
        .iter()
        .find(|i| i["code_file"] == "/app/libshop.so")
        .unwrap();
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
