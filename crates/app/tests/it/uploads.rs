//! Source maps and debug files: from chunks to what is listed, downloaded and deleted.

mod files;
mod sweep;
mod tools;

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use testkit::server::{Reply, Server};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::on_both;

const FULL: &[u8] = include_bytes!("../../../../fixtures/symbols/shop/shop.full.so");
const DEBUG: &[u8] = include_bytes!("../../../../fixtures/symbols/shop/shop.debug");
const FAT: &[u8] = include_bytes!("../../../../fixtures/symbols/shop/shop.fat.dylib");
/// The debug id of the ELF files.
const ELF_ID: &str = "b5b05b2e-f491-fb4b-9a1a-4d5f9d8d0d01";
const MAP_ID: &str = "2e5bb0b5-91f4-4bfb-9a1a-4d5f9d8d0d01";
const CHUNKS: &str = "/api/0/organizations/acme/chunk-upload/";
const BUNDLES: &str = "organizations/acme/artifactbundle/assemble/";

fn sha1(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn call(server: &Server, method: &str, path: &str, body: Value, status: u16) -> Value {
    let body = Some(body).filter(|b| !b.is_null());
    let reply = server.api(method, path, body.as_ref());
    assert_eq!(reply.status, status, "{method} {path}: {}", reply.json());
    reply.json()
}

fn get(server: &Server, path: &str) -> Value {
    call(server, "GET", path, Value::Null, 200)
}

/// Sends a form: the name of each field, the name of its file, its bytes.
pub fn form(server: &Server, path: &str, fields: &[(&str, Option<&str>, &[u8])]) -> Reply {
    let mut body = Vec::new();
    for (name, file, bytes) in fields {
        write!(body, "--x-y\r\nContent-Disposition: form-data; name=\"{name}\"").unwrap();
        if let Some(file) = file {
            write!(
                body,
                "; filename=\"{file}\"\r\nContent-Type: application/octet-stream"
            )
            .unwrap();
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x-y--\r\n");
    let token = format!("Bearer {}", server.get("token"));
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "multipart/form-data; boundary=x-y"),
    ];
    server.request("POST", path, &headers, &body)
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Uploads a file in pieces, every other one compressed; answers their SHA-1.
pub fn upload(server: &Server, bytes: &[u8], size: usize) -> Vec<String> {
    let mut chunks = Vec::new();
    for (n, piece) in bytes.chunks(size).enumerate() {
        let name = sha1(piece);
        let reply = match n % 2 {
            0 => form(server, CHUNKS, &[("file_gzip", Some(&name), &gzip(piece))]),
            _ => form(server, CHUNKS, &[("file", Some(&name), piece)]),
        };
        assert_eq!(reply.status, 200, "{}", reply.json());
        chunks.push(name);
    }
    chunks
}

pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A bundle of a minified file and its map; the text makes its bytes another.
fn bundle(text: &str) -> Vec<u8> {
    let manifest = json!({ "debug_id": ELF_ID, "files": {
        "files/_/_/app.js": { "type": "minified_source", "url": "~/app.js",
            "headers": { "debug-id": MAP_ID, "sourcemap": "app.js.map" } },
        "files/_/_/app.js.map": { "type": "source_map", "url": "~/app.js.map", "headers": { "debug-id": MAP_ID } },
    } });
    zipped(&[
        ("files/_/_/app.js", text.as_bytes()),
        ("files/_/_/app.js.map", b"{\"version\":3}"),
        ("manifest.json", manifest.to_string().as_bytes()),
    ])
}

/// Uploads a bundle to projects; answers how that ended.
pub fn upload_bundle(server: &Server, bytes: &[u8], more: &Value) -> Value {
    let chunks = upload(server, bytes, 100);
    assemble_bundle(server, bytes, &chunks, more)
}

pub fn assemble_bundle(server: &Server, bytes: &[u8], chunks: &[String], more: &Value) -> Value {
    let mut body = json!({ "checksum": sha1(bytes), "chunks": chunks, "projects": ["shop"] });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    until_done(server, BUNDLES, &body)
}

fn until_done(server: &Server, path: &str, body: &Value) -> Value {
    server.until("the file is put together", |s| {
        let state = s.api("POST", path, Some(body)).json();
        (state["state"] != "assembling").then_some(state)
    })
}

fn assemble_debug_file(server: &Server, project: &str, bytes: &[u8], name: &str, chunks: &[String]) -> Value {
    let path = format!("projects/acme/{project}/files/difs/assemble/");
    let checksum = sha1(bytes);
    let body = json!({ checksum.clone(): { "name": name, "chunks": chunks } });
    server.until("the file is put together", |s| {
        let state = s.api("POST", &path, Some(&body)).json()[&checksum].clone();
        assert!(state["missingChunks"].is_array(), "{state}");
        (state["state"] != "assembling").then_some(state)
    })
}

/// Uploads two bundles to `shop`, one of them for a release, and debug files; answers what they are called.
pub fn samples(server: &Server) -> Vec<(&'static str, Value)> {
    let (one, two) = (bundle("one()"), bundle("two()"));
    let release = json!({ "version": "shop@1.1.0", "dist": "7" });
    assert_eq!(upload_bundle(server, &one, &release)["state"], "ok");
    assert_eq!(upload_bundle(server, &two, &json!({}))["state"], "ok");
    for (bytes, name) in [(FULL, "shop.so"), (DEBUG, "shop.debug")] {
        let chunks = upload(server, bytes, 4000);
        assert_eq!(
            assemble_debug_file(server, "shop", bytes, name, &chunks)["state"],
            "ok"
        );
    }
    let files = get(
        server,
        &format!("projects/acme/shop/artifact-bundles/{ELF_ID}/files/"),
    );
    vec![
        ("bundle", json!(ELF_ID)),
        ("bundle_sha1", json!(sha1(&one))),
        ("bundle_file", files["files"][0]["id"].clone()),
        ("debug_sha1", json!(sha1(DEBUG))),
    ]
}

/// Uploads a mapping to `shop` that is larger than one piece of a backup.
pub fn large_mapping(server: &Server) {
    let mut bytes = b"com.shop.Cart -> a.a:\n    1:3:void checkout():10:12 -> a\n".to_vec();
    while bytes.len() < 20 << 20 {
        let line = bytes.len();
        writeln!(bytes, "# {line}").unwrap();
    }
    let chunks = upload(server, &bytes, 8 << 20);
    let name = format!("/proguard/{MAP_ID}.txt");
    assert_eq!(
        assemble_debug_file(server, "shop", &bytes, &name, &chunks)["state"],
        "ok"
    );
}

/// SHA-1 of that mapping as it is downloaded.
pub fn mapping(server: &Server) -> String {
    let list = "projects/acme/shop/files/dsyms/";
    let found = get(server, &format!("{list}?file_formats=proguard"));
    let id = found[0]["id"].as_str().expect("the mapping");
    let reply = server.api("GET", &format!("{list}?id={id}"), None);
    assert_eq!(found[0]["sha1"], sha1(&reply.body));
    sha1(&reply.body)
}

fn second_project(server: &Server) {
    let new = json!({ "name": "Second", "slug": "second" });
    let reply = server.api("POST", "organizations/acme/projects/", Some(&new));
    assert_eq!(reply.status, 201, "{}", reply.json());
}

#[test]
fn chunks_are_taken_by_their_checksum() {
    on_both(|server, data| {
        let options = get(server, "organizations/acme/chunk-upload/");
        let url = options["url"].as_str().unwrap();
        assert!(url.starts_with("http://") && url.ends_with(CHUNKS), "{url}");
        assert_eq!(
            (&options["chunkSize"], &options["compression"]),
            (&json!(8 << 20), &json!(["gzip"]))
        );
        let refused = |fields: &[(&str, Option<&str>, &[u8])], part: &str| {
            let reply = form(server, CHUNKS, fields);
            let text = reply.json()["detail"].as_str().unwrap_or("").to_owned();
            assert!(
                reply.status == 400 && text.contains(part),
                "{part}: {} {text}",
                reply.status
            );
        };
        let good = sha1(b"text");
        refused(&[("file", Some(&good), b"another text")], "its SHA-1 is");
        refused(&[("file_gzip", Some(&good), b"text")], "cannot be read");
        refused(&[("file", Some("text"), b"text")], "lower case hex");
        refused(&[("file", None, b"text")], "lower case hex");
        // A bomb is not inflated beyond the size of a chunk.
        let zeros = vec![0; 9 << 20];
        refused(
            &[("file_gzip", Some(&sha1(&zeros)), &gzip(&zeros))],
            "larger than",
        );
        let token = format!("Bearer {}", server.get("token"));
        let headers = [("Authorization", token.as_str()), ("Content-Type", "text/plain")];
        assert_eq!(server.request("POST", CHUNKS, &headers, b"text").status, 400);
        let headers = [("Content-Type", "multipart/form-data; boundary=x-y")];
        assert_eq!(server.request("POST", CHUNKS, &headers, &zeros).status, 401);
        // None of this left anything.
        let left = |folder: &str| std::fs::read_dir(data.join(folder)).map_or(0, Iterator::count);
        assert_eq!(left("uploads"), 0);
        let body = json!({ "checksum": good, "chunks": [good], "projects": ["shop"] });
        let state = call(server, "POST", BUNDLES, body.clone(), 200);
        assert_eq!(state, json!({ "state": "not_found", "missingChunks": [good] }));
        // Twice in one request and twice after another is once.
        let twice: [(&str, Option<&str>, &[u8]); 2] = [("file", Some(&good), b"text"); 2];
        for _ in 0..2 {
            assert_eq!(form(server, CHUNKS, &twice).status, 200);
        }
        let state = until_done(server, BUNDLES, &body);
        assert_eq!(state["state"], "error");
        assert_eq!(state["detail"], "the file is no zip archive");
        // What is named twice is missing once.
        let (a, b) = (sha1(b"a"), sha1(b"b"));
        let body = json!({ "checksum": good, "chunks": [a, good, b, a], "projects": ["shop"] });
        let state = call(server, "POST", BUNDLES, body, 200);
        assert_eq!(state["missingChunks"], json!([a, b]));
        for (body, part) in [
            (
                json!({ "checksum": "x", "chunks": [], "projects": ["shop"] }),
                "checksum",
            ),
            (
                json!({ "checksum": good, "chunks": ["x"], "projects": ["shop"] }),
                "chunks",
            ),
            (
                json!({ "checksum": good, "chunks": [good], "projects": [] }),
                "detail",
            ),
            (
                json!({ "checksum": good, "chunks": [good], "projects": ["gone"] }),
                "detail",
            ),
            (
                json!({ "checksum": good, "chunks": [good], "projects": ["shop"], "dist": "1" }),
                "detail",
            ),
        ] {
            let answer = call(server, "POST", BUNDLES, body, 400);
            assert!(!answer[part].is_null(), "{answer}");
        }
    });
}

#[test]
fn bundles_are_listed_downloaded_and_deleted() {
    on_both(|server, _| {
        second_project(server);
        let (one, two) = (bundle("one()"), bundle("two()"));
        let chunks = upload(server, &one, 100);
        let wrong = assemble_bundle(server, b"another", &chunks, &json!({}));
        assert!(
            wrong["detail"]
                .as_str()
                .is_some_and(|d| d.contains("its SHA-1 is")),
            "{wrong}"
        );
        let release = json!({ "version": "shop@1.0", "dist": "build-z" });
        let done = assemble_bundle(server, &one, &chunks, &release);
        assert_eq!(done, json!({ "state": "ok", "missingChunks": [] }));
        // Again, also when nothing is said of its chunks: it is there.
        assert_eq!(assemble_bundle(server, &one, &chunks, &release)["state"], "ok");
        assert_eq!(assemble_bundle(server, &one, &[], &release)["state"], "ok");
        assert_eq!(upload_bundle(server, &two, &json!({}))["state"], "ok");
        // Another project has it without sending it.
        let list = "projects/acme/shop/files/artifact-bundles/";
        let other = "projects/acme/second/files/artifact-bundles/";
        assert_eq!(get(server, other), json!([]));
        let linked = assemble_bundle(server, &one, &[], &json!({ "projects": ["second", "shop"] }));
        assert_eq!(linked["state"], "ok");
        assert_eq!(get(server, other).as_array().unwrap().len(), 1);
        let all = get(server, list);
        assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
        let first = &all[0];
        assert_eq!(
            first["associations"],
            json!([{ "release": "shop@1.0", "dist": "build-z" }])
        );
        assert_eq!(
            (&first["fileCount"], &first["bundleId"]),
            (&json!(2), &json!(ELF_ID))
        );
        assert_ne!(all[1]["bundleId"], ELF_ID, "the id of the manifest was taken");
        for (query, n) in [
            ("shop@1", 1),
            ("BUILD-Z", 1),
            (MAP_ID, 2),
            (&ELF_ID[..9], 1),
            ("gone", 0),
        ] {
            let found = get(server, &format!("{list}?query={query}"));
            assert_eq!(found.as_array().unwrap().len(), n, "{query}");
        }
        let reply = server.api("GET", &format!("{list}?per_page=1"), None);
        assert!(
            reply
                .header("link")
                .unwrap()
                .contains("rel=\"next\"; results=\"true\"")
        );
        let files = format!("projects/acme/shop/artifact-bundles/{ELF_ID}/files/");
        let inside = get(server, &files);
        let [code, map] = inside["files"].as_array().unwrap().as_slice() else {
            panic!("{inside}");
        };
        assert_eq!(
            (&code["filePath"], &code["fileType"], &code["fileSize"]),
            (&json!("~/app.js"), &json!(2), &json!(5))
        );
        assert_eq!(
            (&map["debugId"], &code["sourcemap"]),
            (&json!(MAP_ID), &json!("app.js.map"))
        );
        let path = format!("{files}{}/", code["id"].as_str().unwrap());
        let reply = server.api("GET", &path, None);
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"one()"[..]));
        assert!(reply.header("content-disposition").unwrap().contains("app.js"));
        assert_eq!(
            get(server, &format!("{files}?query=map"))["files"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        call(
            server,
            "GET",
            "projects/acme/shop/artifact-bundles/gone/files/",
            Value::Null,
            404,
        );
        // Deleting takes it from one project; the bytes stay as long as another one has it.
        let kept = |server: &Server| get(server, "organizations/acme/chunk-upload/")["kept"]["files"].clone();
        assert_eq!(kept(server), 2);
        call(server, "DELETE", list, Value::Null, 400);
        call(
            server,
            "DELETE",
            &format!("{list}?bundleId={ELF_ID}"),
            Value::Null,
            204,
        );
        call(
            server,
            "DELETE",
            &format!("{list}?bundleId={ELF_ID}"),
            Value::Null,
            404,
        );
        assert_eq!(kept(server), 2);
        call(
            server,
            "DELETE",
            &format!("{other}?bundleId={ELF_ID}"),
            Value::Null,
            204,
        );
        assert_eq!(kept(server), 1);
    });
}

#[test]
fn broken_bundles_are_refused_with_a_reason() {
    on_both(|server, _| {
        let manifest: (&str, &[u8]) = (
            "manifest.json",
            b"{\"files\":{\"a\":{\"type\":\"source\",\"url\":\"~/a\"}}}",
        );
        let whole = zipped(&[("a", b"x"), manifest]);
        let zeros = vec![0; 20 << 20];
        for (bytes, part) in [
            (whole[..whole.len() - 5].to_vec(), "zip archive"),
            (
                zipped(&[("a", b"x"), ("../../etc/passwd", b"x"), manifest]),
                "climbs out of its folder",
            ),
            (
                zipped(&[("a", b"x"), ("/etc/passwd", b"x"), manifest]),
                "it is absolute",
            ),
            (zipped(&[("a", &zeros), manifest]), "zip bomb"),
            (zipped(&[("a", b"x")]), "no manifest.json"),
            (zipped(&[manifest]), "which is not in the bundle"),
            (zipped(&[("manifest.json", b"{")]), "manifest.json is broken"),
            (zipped(&[("manifest.json", b"{}")]), "holds no minified file"),
        ] {
            let chunks = upload(server, &bytes, 1 << 20);
            let state = assemble_bundle(server, &bytes, &chunks, &json!({}));
            let detail = state["detail"].as_str().unwrap_or("");
            assert!(
                state["state"] == "error" && detail.contains(part),
                "{part}: {state}"
            );
        }
        assert_eq!(
            get(server, "organizations/acme/chunk-upload/")["kept"]["files"],
            0
        );
        assert_eq!(
            get(server, "projects/acme/shop/files/artifact-bundles/"),
            json!([])
        );
    });
}

#[test]
fn long_texts_of_a_manifest_fit_into_every_database_or_are_refused() {
    on_both(|server, _| {
        let manifest = |release: &str, url: &str| {
            let files = json!({ "a": { "type": "source", "url": url } });
            let text = json!({ "release": release, "files": files }).to_string();
            zipped(&[("a", b"x"), ("manifest.json", text.as_bytes())])
        };
        // What hardly compresses.
        let mut long = String::new();
        while long.len() < 2000 {
            long += &sha1(long.as_bytes());
        }
        let release = "ä".repeat(250);
        let good = manifest(&release, &long);
        assert_eq!(upload_bundle(server, &good, &json!({}))["state"], "ok");
        let all = get(server, "projects/acme/shop/files/artifact-bundles/");
        assert_eq!(
            all[0]["associations"][0]["release"],
            json!(release),
            "as its manifest says"
        );
        for (bytes, part) in [
            (manifest("1.0", &format!("{long}x")), "longer than 2000"),
            (manifest(&"x".repeat(251), "~/a"), "too long"),
            (manifest("1\n0", "~/a"), "control character"),
        ] {
            let state = upload_bundle(server, &bytes, &json!({}));
            let detail = state["detail"].as_str().unwrap_or("");
            assert!(
                state["state"] == "error" && detail.contains(part),
                "{part}: {state}"
            );
        }
    });
}
