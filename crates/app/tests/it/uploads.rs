//! Source maps and debug files: from chunks to what is listed, downloaded and deleted.

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

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Uploads a file in pieces, every other one compressed; answers their SHA-1.
fn upload(server: &Server, bytes: &[u8], size: usize) -> Vec<String> {
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

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
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
fn upload_bundle(server: &Server, bytes: &[u8], more: &Value) -> Value {
    let chunks = upload(server, bytes, 100);
    assemble_bundle(server, bytes, &chunks, more)
}

fn assemble_bundle(server: &Server, bytes: &[u8], chunks: &[String], more: &Value) -> Value {
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

#[test]
fn debug_files_are_kept_by_their_ids() {
    on_both(|server, _| {
        second_project(server);
        let list = "projects/acme/shop/files/dsyms/";
        let missing = assemble_debug_file(server, "shop", FULL, "shop.so", &[sha1(FULL)]);
        assert_eq!(missing["state"], "not_found");
        for (bytes, name) in [
            (FULL, "build/shop.so"),
            (DEBUG, "build/shop.debug"),
            (FAT, "shop.dylib"),
        ] {
            let chunks = upload(server, bytes, 1000);
            let state = assemble_debug_file(server, "shop", bytes, name, &chunks);
            assert_eq!(state["state"], "ok", "{state}");
            assert_eq!(state["dif"]["sha1"], sha1(bytes));
            // Once more nothing is needed.
            assert_eq!(
                assemble_debug_file(server, "shop", bytes, name, &[])["state"],
                "ok"
            );
        }
        // The same file of another project.
        assert_eq!(
            assemble_debug_file(server, "second", FULL, "shop.so", &[])["state"],
            "ok"
        );
        assert_eq!(
            get(server, "projects/acme/second/files/dsyms/")
                .as_array()
                .unwrap()
                .len(),
            1
        );
        let mapping = b"com.shop.Cart -> a.a:\n    1:3:void checkout():10:12 -> a\n";
        let chunks = upload(server, mapping, 1000);
        for id in [MAP_ID, ELF_ID] {
            let state = assemble_debug_file(server, "shop", mapping, &format!("/proguard/{id}.txt"), &chunks);
            assert_eq!(
                (&state["state"], &state["dif"]["debugId"]),
                (&json!("ok"), &json!(id))
            );
        }
        let broken = b"\x7fELF and nothing of it in truth";
        let chunks = upload(server, broken, 1000);
        let state = assemble_debug_file(server, "shop", broken, "broken.so", &chunks);
        assert_eq!(state["state"], "error");
        let text = b"a text that is nothing of this kind";
        let chunks = upload(server, text, 1000);
        let state = assemble_debug_file(server, "shop", text, "a.txt", &chunks);
        assert!(
            state["detail"]
                .as_str()
                .is_some_and(|d| d.contains("no known format")),
            "{state}"
        );

        let all = get(server, list);
        assert_eq!(all.as_array().unwrap().len(), 6, "{all}");
        for (query, n) in [
            ("query=SHOP.debug", 1),
            ("query=b5b05b2ef491fb4b9a1a4d5f9d8d0d01", 3),
            (&format!("debug_id={ELF_ID}"), 3),
            (
                &format!("debug_id={}0", ELF_ID.replace('-', "").to_uppercase()),
                3,
            ),
            ("code_id=2E5BB0B591F44BFB9A1A4D5F9D8D0D01", 2),
            ("file_formats=macho", 2),
            ("file_formats=macho&file_formats=proguard", 4),
            ("file_formats=pe", 0),
            ("query=arm64", 1),
        ] {
            let found = get(server, &format!("{list}?{query}"));
            assert_eq!(found.as_array().unwrap().len(), n, "{query}: {found}");
        }
        let found = get(server, &format!("{list}?query=shop.debug"));
        assert_eq!(
            found[0]["data"],
            json!({ "type": "dbg", "features": ["symtab", "debug"] })
        );
        assert_eq!(
            (&found[0]["objectName"], &found[0]["cpuName"]),
            (&json!("shop.debug"), &json!("x86_64"))
        );
        let id = found[0]["id"].as_str().unwrap();
        let reply = server.api("GET", &format!("{list}?id={id}"), None);
        assert!(reply.status == 200 && reply.body == DEBUG);
        let unknown = format!(
            "{list}unknown/?checksums={}&checksums={}",
            sha1(DEBUG),
            sha1(b"x")
        );
        assert_eq!(get(server, &unknown), json!({ "missing": [sha1(b"x")] }));
        // Deleted, it must come again.
        call(server, "DELETE", list, Value::Null, 400);
        call(server, "DELETE", &format!("{list}?id={id}"), Value::Null, 204);
        call(server, "DELETE", &format!("{list}?id={id}"), Value::Null, 404);
        call(server, "GET", &format!("{list}?id={id}"), Value::Null, 404);
        assert_eq!(get(server, &unknown)["missing"].as_array().unwrap().len(), 2);

        // Which release a mapping is of.
        let releases = "projects/acme/shop/files/proguard-artifact-releases";
        let link = json!({ "release_name": "shop@1.0", "proguard_uuid": MAP_ID });
        call(server, "POST", releases, link.clone(), 201);
        call(server, "POST", releases, link, 409);
        let gone =
            json!({ "release_name": "shop@1.0", "proguard_uuid": "00000000-0000-0000-0000-000000000001" });
        call(server, "POST", releases, gone, 404);
        let linked = get(server, &format!("{releases}?proguard_uuid={MAP_ID}"));
        assert_eq!(linked, json!({ "releases": ["shop@1.0"] }));
    });
}

#[test]
fn debug_files_come_whole_and_in_archives_too() {
    on_both(|server, _| {
        let path = "/api/0/projects/acme/shop/files/dsyms/";
        let archive = zipped(&[("README", b"nothing"), ("a/shop.debug", DEBUG), ("shop.so", FULL)]);
        let reply = form(server, path, &[("file", Some("symbols.zip"), &archive)]);
        assert_eq!(reply.status, 201, "{}", reply.json());
        assert_eq!(reply.json().as_array().unwrap().len(), 2);
        let reply = form(server, path, &[("file", Some("shop.dylib"), FAT)]);
        assert_eq!((reply.status, reply.json().as_array().unwrap().len()), (201, 2));
        for (name, bytes, part) in [
            (
                "a.txt",
                &b"a text of some length that is nothing"[..],
                "no known format",
            ),
            ("a.zip", &zipped(&[("../a", DEBUG)])[..], "climbs out"),
            ("a.zip", &b"PK\x03\x04 and no archive"[..], "no zip archive"),
        ] {
            let reply = form(server, path, &[("file", Some(name), bytes)]);
            let detail = reply.json()["detail"].as_str().unwrap_or("").to_owned();
            assert!(reply.status == 400 && detail.contains(part), "{detail}");
        }
        assert_eq!(form(server, path, &[("x", None, b"")]).status, 400);
        assert_eq!(get(server, &path[7..]).as_array().unwrap().len(), 4);
    });
}

#[test]
fn files_of_releases_are_kept_one_by_one() {
    on_both(|server, _| {
        second_project(server);
        let new = json!({ "version": "shop@1.0", "projects": ["shop", "second"] });
        call(server, "POST", "organizations/acme/releases/", new, 201);
        let path = "/api/0/organizations/acme/releases/shop@1.0/files/";
        let fields: [(&str, Option<&str>, &[u8]); 4] = [
            ("name", None, b"~/app.js"),
            ("dist", None, b"7"),
            ("header", None, b"SourceMap: app.js.map"),
            ("file", Some("app.js"), b"code()"),
        ];
        let made = form(server, path, &fields);
        assert_eq!(made.status, 201, "{}", made.json());
        let made = made.json();
        assert_eq!(
            (&made["name"], &made["dist"], &made["size"]),
            (&json!("~/app.js"), &json!("7"), &json!(6))
        );
        assert_eq!(
            (&made["headers"]["sourcemap"], &made["sha1"]),
            (&json!("app.js.map"), &json!(sha1(b"code()")))
        );
        assert_eq!(form(server, path, &fields).status, 409);
        let own = "/api/0/projects/acme/shop/releases/shop@1.0/files/";
        assert_eq!(form(server, own, &[("file", Some("b.js"), b"b()")]).status, 201);
        assert_eq!(form(server, own, &[("name", None, b"b.js")]).status, 400);
        let wrong: [(&str, Option<&str>, &[u8]); 2] =
            [("header", None, b"none"), ("file", Some("c.js"), b"c")];
        assert_eq!(form(server, own, &wrong).status, 400);
        assert_eq!(form(server, &path.replace("1.0", "9"), &fields).status, 404);
        let names = |path: &str| {
            let all = get(server, path);
            let all = all.as_array().unwrap().iter();
            all.map(|f| f["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&path[7..]), ["b.js", "~/app.js"]);
        assert_eq!(names(&format!("{}?query=APP", &path[7..])), ["~/app.js"]);
        assert_eq!(names(&own[7..]), ["b.js", "~/app.js"]);
        assert_eq!(names(&own[7..].replace("shop/rel", "second/rel")), ["~/app.js"]);
        let one = format!("{}{}/", &path[7..], made["id"].as_str().unwrap());
        assert_eq!(get(server, &one), made);
        let reply = server.api("GET", &format!("{one}?download=1"), None);
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"code()"[..]));
        let renamed = call(server, "PUT", &one, json!({ "name": "~/c.js" }), 200);
        assert_eq!(
            (&renamed["name"], &renamed["dist"]),
            (&json!("~/c.js"), &json!("7"))
        );
        call(server, "PUT", &one, json!({}), 400);
        let maps = "projects/acme/shop/files/source-maps/";
        let all = get(server, maps);
        assert_eq!(
            (&all[0]["name"], &all[0]["fileCount"]),
            (&json!("shop@1.0"), &json!(2))
        );
        call(server, "DELETE", &one, Value::Null, 204);
        call(server, "GET", &one, Value::Null, 404);
        // The older way to bring a bundle: to a release that is known, for all of its projects.
        let bytes = bundle("old()");
        let body = json!({ "checksum": sha1(&bytes), "chunks": upload(server, &bytes, 200) });
        let older = "organizations/acme/releases/shop@1.0/assemble/";
        assert_eq!(until_done(server, older, &body)["state"], "ok");
        assert_eq!(
            get(server, "projects/acme/second/files/artifact-bundles/")
                .as_array()
                .unwrap()
                .len(),
            1
        );
        assert_eq!(get(server, maps)[0]["fileCount"], 3);
        call(server, "POST", &older.replace("1.0", "9"), body, 404);
        call(server, "DELETE", maps, Value::Null, 400);
        call(
            server,
            "DELETE",
            &format!("{maps}?name=shop@1.0"),
            Value::Null,
            204,
        );
        call(
            server,
            "DELETE",
            &format!("{maps}?name=shop@1.0"),
            Value::Null,
            404,
        );
        assert_eq!(get(server, maps), json!([]));
        assert_eq!(
            get(server, "projects/acme/second/files/source-maps/")[0]["fileCount"],
            2
        );
    });
}
