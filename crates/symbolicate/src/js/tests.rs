//! Events whose scripts are on a shelf in memory.

use std::sync::Arc;

use symbolic::common::ByteView;

use super::*;

/// What a release has, in memory.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) ids: Vec<(&'static str, Kind, Artifact)>,
    pub(super) names: Vec<(&'static str, Artifact)>,
    web: Vec<(&'static str, Artifact)>,
    fetches: bool,
}

fn artifact(url: &str, text: &str, found: Found) -> Artifact {
    Artifact {
        key: url.to_owned(),
        url: url.to_owned(),
        bytes: Arc::new(ByteView::from_vec(text.as_bytes().to_vec())),
        path: None,
        map: None,
        found,
    }
}

impl Artifacts for Shelf {
    fn by_debug_id(&self, id: &str, kind: Kind) -> Option<Artifact> {
        let found = self.ids.iter().find(|(i, k, _)| *i == id && *k == kind);
        found.map(|(_, _, a)| a.clone())
    }

    fn by_name(&self, build: Build<'_>, names: &[String]) -> Option<Artifact> {
        build.release?;
        let find = |name: &String| self.names.iter().find(|(n, _)| n == name);
        names.iter().find_map(find).map(|(_, a)| a.clone())
    }

    fn fetches(&self) -> bool {
        self.fetches
    }

    fn fetch(&self, url: &str) -> Result<Artifact, FetchError> {
        let found = self.web.iter().find(|(u, _)| *u == url);
        found.map(|(_, a)| a.clone()).ok_or(FetchError {
            reason: "not_found",
            details: "the server answered 404".into(),
        })
    }

    fn ready(&self, script: Option<&Artifact>, map: &Artifact) -> Result<Bytes, String> {
        map::convert(script.map(|s| &**s.bytes), &map.bytes)
            .map(|bytes| Arc::new(ByteView::from_vec(bytes)))
            .map_err(|e| e.to_string())
    }

    fn inline(&self, script: &Artifact, bytes: Vec<u8>) -> Result<Artifact, String> {
        Ok(Artifact {
            bytes: Arc::new(ByteView::from_vec(bytes)),
            found: Found::Inline,
            ..script.clone()
        })
    }
}

/// `function add(first, second) { return first.missing.value + second; }` in two lines, minified by hand.
const SCRIPT: &str = "function a(b,c){return b.missing.value+c}a();\n//# sourceMappingURL=app.js.map\n";

fn source_map(content: bool) -> String {
    let mut builder = sourcemap::SourceMapBuilder::new(Some("app.js"));
    let text = "// adds\nfunction add(first, second) {\n  return first.missing.value + second;\n}\nadd();\n";
    let mut at = |column, line, source_column, name| {
        let token = builder.add(0, column, line, source_column, Some("../src/add.js"), name, false);
        if content {
            builder.set_source_contents(token.src_id, Some(text));
        }
    };
    at(0, 1, 0, None);
    at(9, 1, 9, Some("add"));
    at(11, 1, 13, Some("first"));
    at(13, 1, 20, Some("second"));
    at(16, 2, 2, None);
    at(23, 2, 9, Some("first"));
    at(41, 4, 0, Some("add"));
    let mut out = Vec::new();
    builder.into_sourcemap().to_writer(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn event_at(path: &str) -> Json<'static> {
    let text = format!(
        r#"{{"platform":"javascript","release":"1.0","exception":{{"values":[{{"type":"TypeError","stacktrace":{{"frames":[
        {{"function":"?","abs_path":"{path}","filename":"/app.js","lineno":1,"colno":42}},
        {{"function":"a","abs_path":"{path}","filename":"/app.js","lineno":1,"colno":25}}]}}}}]}},
        "debug_meta":{{"images":[{{"type":"sourcemap","code_file":"{path}","debug_id":"AF3E5A3C-0000-4000-8000-000000000001"}}]}}}}"#
    );
    protocol::json::parse(text.as_bytes()).unwrap().0.into_owned()
}

fn run(event: &mut Json<'static>, shelf: &Shelf) -> usize {
    apply(event.as_object_mut().unwrap(), shelf)
}

fn frame<'e>(event: &'e Json<'static>, stack: &str, n: &str) -> &'e Map<'static> {
    let path = ["exception", "values", "0", stack, "frames", n];
    event.path(&path).and_then(Json::as_object).unwrap()
}

const URL: &str = "https://x.y/static/app.js";
const ID: &str = "af3e5a3c-0000-4000-8000-000000000001";

fn is_mapped(event: &Json<'static>, with: &str) {
    let top = frame(event, "stacktrace", "1");
    assert_eq!(top.str("function"), Some("add"));
    assert_eq!(top.str("filename"), Some("../src/add.js"));
    assert_eq!(top.str("abs_path"), Some("https://x.y/src/add.js"));
    assert_eq!(top.get("lineno").and_then(Json::as_u64), Some(3));
    assert_eq!(
        top.str("context_line"),
        Some("  return first.missing.value + second;")
    );
    assert_eq!(top.array("pre_context").unwrap().len(), 2);
    assert_eq!(top.str("module"), Some("src/add"));
    assert_eq!(top.object("data").unwrap().str("resolved_with"), Some(with));
    assert_eq!(top.object("data").unwrap().str("orig_function"), Some("a"));
    let raw = frame(event, "raw_stacktrace", "1");
    assert_eq!(raw.str("function"), Some("a"));
    assert_eq!(raw.get("colno").and_then(Json::as_u64), Some(25));
    assert!(event.get("errors").is_none());
}

#[test]
fn by_debug_id() {
    let mut event = event_at(URL);
    let shelf = Shelf {
        ids: vec![
            (
                ID,
                Kind::Script,
                artifact("~/static/app.js", SCRIPT, Found::DebugId),
            ),
            (
                ID,
                Kind::Map,
                artifact("~/static/app.js.map", &source_map(true), Found::DebugId),
            ),
        ],
        ..Shelf::default()
    };
    assert_eq!(run(&mut event, &shelf), 2);
    is_mapped(&event, "debug-id");
    let raw = frame(&event, "raw_stacktrace", "1");
    assert_eq!(
        raw.str("context_line"),
        Some("function a(b,c){return b.missing.value+c}a();")
    );
}

#[test]
fn a_map_without_its_script_names_functions_by_their_callers() {
    let mut event = event_at(URL);
    let map = artifact("~/static/app.js.map", &source_map(true), Found::DebugId);
    let shelf = Shelf {
        ids: vec![(ID, Kind::Map, map)],
        ..Shelf::default()
    };
    run(&mut event, &shelf);
    is_mapped(&event, "debug-id");
}

#[test]
fn by_release_and_name() {
    let mut event = event_at("https://x.y/static/app.js?v=1");
    let shelf = Shelf {
        names: vec![
            (
                "~/static/app.js",
                artifact("~/static/app.js", SCRIPT, Found::Release),
            ),
            (
                "~/static/app.js.map",
                artifact("~/static/app.js.map", &source_map(true), Found::Release),
            ),
        ],
        ..Shelf::default()
    };
    run(&mut event, &shelf);
    is_mapped(&event, "release");
}

#[test]
fn from_the_web() {
    let mut event = event_at(URL);
    let source =
        "// adds\nfunction add(first, second) {\n  return first.missing.value + second;\n}\nadd();\n";
    let mut shelf = Shelf {
        web: vec![
            (URL, artifact(URL, SCRIPT, Found::Web)),
            (
                "https://x.y/static/app.js.map",
                artifact("", &source_map(false), Found::Web),
            ),
            ("https://x.y/src/add.js", artifact("", source, Found::Web)),
        ],
        fetches: true,
        ..Shelf::default()
    };
    run(&mut event, &shelf);
    is_mapped(&event, "scraping");
    assert_eq!(
        event.get("scraping_attempts").unwrap().as_array().unwrap().len(),
        3
    );

    shelf.web.remove(2);
    let mut event = event_at(URL);
    run(&mut event, &shelf);
    assert_eq!(
        event.str_at(&["errors", "0", "type"]),
        Some("js_missing_sources_content")
    );
    assert_eq!(frame(&event, "stacktrace", "1").str("function"), Some("add"));

    shelf.fetches = false;
    let mut event = event_at(URL);
    assert_eq!(run(&mut event, &shelf), 0);
    assert_eq!(
        event.str_at(&["errors", "0", "type"]),
        Some("js_scraping_disabled")
    );
    assert!(
        event
            .path(&["exception", "values", "0", "raw_stacktrace"])
            .is_none()
    );
}

#[test]
fn inline_maps_and_what_goes_wrong_with_maps() {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(source_map(true));
    let line = SCRIPT.lines().next().unwrap();
    let with = |script: &str| Shelf {
        names: vec![(
            "~/static/app.js",
            artifact("~/static/app.js", script, Found::Release),
        )],
        ..Shelf::default()
    };
    let inline = format!("{line}\n//# sourceMappingURL=data:application/json;base64,{encoded}");
    let mut mapped = event_at(URL);
    run(&mut mapped, &with(&inline));
    is_mapped(&mapped, "inline");

    for (script, kind) in [
        (
            format!("{line}\n//# sourceMappingURL=data:application/json;base64,!"),
            "js_invalid_source",
        ),
        (
            format!("{line}\n//# sourceMappingURL=data:application/json;base64,W10="),
            "js_invalid_source",
        ),
        (SCRIPT.to_owned(), "js_no_sourcemap"),
        (line.repeat(20), "js_no_sourcemap"),
    ] {
        let mut event = event_at(URL);
        run(&mut event, &with(&script));
        assert_eq!(event.str_at(&["errors", "0", "type"]), Some(kind), "{script}");
        assert!(frame(&event, "stacktrace", "1").str("context_line").is_some());
    }
    // A script that is readable as it is needs no map.
    let mut readable = event_at(URL);
    run(&mut readable, &with(line));
    assert!(readable.get("errors").is_none());
}

#[test]
fn a_place_that_the_map_does_not_know() {
    let mut event = event_at(URL);
    event
        .get_mut("exception")
        .and_then(|e| {
            e.get_mut("values")?.as_array_mut()?[0]
                .get_mut("stacktrace")?
                .get_mut("frames")?
                .as_array_mut()?[1]
                .as_object_mut()
        })
        .unwrap()
        .set("lineno", 77_u64);
    let map = artifact("~/static/app.js.map", &source_map(true), Found::DebugId);
    let shelf = Shelf {
        ids: vec![(ID, Kind::Map, map)],
        ..Shelf::default()
    };
    assert_eq!(run(&mut event, &shelf), 1);
    assert_eq!(
        event.str_at(&["errors", "0", "type"]),
        Some("js_invalid_sourcemap_location")
    );
    assert_eq!(frame(&event, "stacktrace", "1").str("function"), Some("a"));
}

#[test]
fn names_of_functions() {
    assert_eq!(function(Some("a"), "Cart.total", None), "Cart.total");
    assert_eq!(function(Some("a"), "<anonymous>", Some("total")), "total");
    assert_eq!(function(Some("a"), "", None), "a");
    assert_eq!(function(None, "<anonymous>", None), "<anonymous>");
    assert_eq!(function(None, "", None), "<anonymous>");
    assert_eq!(fold("foo.bar.bar.bar.baz"), "foo.{bar#3}.baz");
    assert_eq!(fold("a.a"), "a.a");
}
