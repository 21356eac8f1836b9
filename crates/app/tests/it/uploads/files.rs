//! Debug files of projects, and files of releases that come one by one.

use serde_json::{Value, json};

use super::{
    DEBUG, ELF_ID, FAT, FULL, MAP_ID, assemble_debug_file, bundle, call, form, get, second_project, sha1,
    until_done, upload, zipped,
};
use crate::on_both;

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
