//! Source maps that are made to cost, and the processes that read them.

use serde_json::{Value, json};
use testkit::server::Server;

use crate::on_one;
use crate::symbols::{TOP, bundle, errors, exception, input, lines, read, send};
use crate::uploads::{assemble_bundle, upload, upload_bundle, zipped};

/// An event whose map can be read.
fn mapped(server: &Server) -> Value {
    let event = input("scripts/esbuild")["event"].clone();
    let id = event["debug_meta"]["images"][0]["debug_id"].as_str().unwrap();
    let zip = bundle("esbuild", id, "good");
    assert_eq!(upload_bundle(server, &zip, &json!({}))["state"], "ok");
    send(server, 90, event)
}

#[test]
fn maps_that_cannot_be_read_cost_a_word_and_no_event() {
    on_one(&["--set", "symbol-memory-mb=64"], |server, _| {
        let bad = |n: u32, map: &[u8]| {
            let id = format!("af3e5a3c-0000-4000-8000-0000000001{n:02}");
            let files = json!({
                "a.js": { "type": "minified_source", "url": "~/static/app.js", "headers": { "debug-id": id } },
                "a.js.map": { "type": "source_map", "url": "~/static/app.js.map", "headers": { "debug-id": id } },
            });
            let manifest = json!({ "files": files }).to_string();
            let script = read("scripts/esbuild/app.js");
            let zip = zipped(&[
                ("a.js", &script),
                ("a.js.map", map),
                ("manifest.json", manifest.as_bytes()),
            ]);
            let chunks = upload(server, &zip, 8 << 20);
            assert_eq!(assemble_bundle(server, &zip, &chunks, &json!({}))["state"], "ok");
            let mut event = input("scripts/esbuild")["event"].clone();
            event["debug_meta"]["images"][0]["debug_id"] = json!(id);
            let stored = send(server, n, event);
            assert_eq!(errors(&stored), ["js_invalid_source"], "{n}");
            assert_eq!(
                lines(&exception(&stored)["stacktrace"]).last().unwrap(),
                "n /static/app.js:1"
            );
            stored["errors"][0]["data"]["details"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let said = bad(1, b"{");
        assert!(said.contains("cannot be read as a source map"), "{said}");
        bad(2, &[0xff; 64]);
        // Deep nesting, and a map of very many mappings: more than may be taken for one.
        bad(
            3,
            format!(
                "{{\"version\":3,\"sources\":{}1{}",
                "[".repeat(100_000),
                "]".repeat(100_000)
            )
            .as_bytes(),
        );
        // Every mapping has a place of its own; two million of them are more than 64 MB hold.
        let mut mappings = String::new();
        let mut seed = 7_u32;
        for _ in 0..2_000_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let letter = |shift: u32| char::from(b"CEGIKMOQSUWYACEG"[((seed >> shift) & 15) as usize]);
            mappings.extend([letter(8), 'A', letter(12), letter(16), ',']);
        }
        let many = format!("{{\"version\":3,\"sources\":[\"a\"],\"names\":[],\"mappings\":\"{mappings}\"}}");
        let said = bad(4, many.as_bytes());
        assert!(said.contains("memory") || said.contains("longer"), "{said}");
        let healthy = send(
            server,
            9,
            json!({ "message": "still here", "platform": "javascript" }),
        );
        assert_eq!(healthy["title"], "still here");
        // A readable one comes by the same way as ever, and who reads goes when there is nothing to read.
        let stored = mapped(server);
        assert_eq!(lines(&exception(&stored)["stacktrace"]).last().unwrap(), TOP);
        // Each is a child of the thread that started it.
        let children = || -> String {
            let threads = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
            threads
                .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("children")).ok())
                .collect()
        };
        server.until("the processes that read are gone", |_| {
            children().is_empty().then_some(())
        });
    });
}
