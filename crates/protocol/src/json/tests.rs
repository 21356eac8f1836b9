//! Tests of reading and writing, and the cases of `fixtures/json`.

use super::*;

fn read(text: &str) -> (String, Repairs) {
    let (value, repairs) = parse(text.as_bytes()).unwrap();
    (value.to_string(), repairs)
}

#[test]
fn values_come_back_as_they_were() {
    for text in [
        "null",
        "true",
        "[]",
        "{}",
        r#"{"a":[1,-2.50,1e5,12345678901234567890123],"b":{"c":"d\n\"\\"},"é":"✓"}"#,
        r#"["\u0001"]"#,
        "0",
        "-0.0",
    ] {
        let (out, repairs) = read(text);
        assert_eq!(out, text);
        assert!(repairs.is_empty());
    }
}

#[test]
fn what_is_not_quite_json_is_repaired_and_noted() {
    for (text, expected, kind, count) in [
        ("\u{feff}[1]", "[1]", Repair::ByteOrderMark, 1),
        (
            r#"["\ud83d x","\udc00","\ud83d\ud83d\ude00"]"#,
            "[\"\u{fffd} x\",\"\u{fffd}\",\"\u{fffd}😀\"]",
            Repair::LoneSurrogate,
            3,
        ),
        (
            "[NaN,Infinity,-Infinity,1e999]",
            "[null,null,null,null]",
            Repair::NotFinite,
            4,
        ),
        (
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"a":3,"b":2}"#,
            Repair::DuplicateKey,
            1,
        ),
    ] {
        let (out, repairs) = read(text);
        assert_eq!(out, expected);
        assert_eq!(repairs.count(kind), count, "{text}");
    }
    assert_eq!(read("[\"a\u{1}\tb\"]").0, r#"["a\u0001\tb"]"#);
    assert_eq!(read(r#"["\ud83d\ude00"]"#).0, "[\"😀\"]");
}

#[test]
fn invalid_utf8_is_replaced() {
    let (value, repairs) = parse(b"{\"a\":\"x\xffy\"}").unwrap();
    assert_eq!(value.str_at(&["a"]), Some("x\u{fffd}y"));
    assert_eq!(repairs.iter().next(), Some((Repair::InvalidUtf8, 1, 7)));
}

#[test]
fn depth_is_bounded() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let (value, repairs) = parse(deep.as_bytes()).unwrap();
    assert_eq!(repairs.count(Repair::TooDeep), 1);
    assert_eq!(value.to_string().len(), 2 * MAX_DEPTH + 4);
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    let fits = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(parse(fits.as_bytes()).unwrap().1.is_empty());
}

#[test]
fn errors_say_where_and_what() {
    for (text, message) in [
        ("", "expected a value at byte 0, found the end"),
        ("{\"a\" 1}", "expected `:` at byte 5, found '1'"),
        ("[1 2]", "expected `,` or `]` at byte 3, found '2'"),
        ("{a:1}", "expected a key in quotes at byte 1, found 'a'"),
        ("[1] x", "expected the end at byte 4, found 'x'"),
        ("\"abc", "expected a closing quote at byte 4, found the end"),
        ("[\"\\x\"]", "expected an escape character at byte 3, found 'x'"),
        ("[01]", "expected `,` or `]` at byte 2, found '1'"),
        ("nul", "expected a value at byte 0, found 'n'"),
        ("[1.]", "expected a digit at byte 3, found ']'"),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), message);
    }
}

#[test]
fn many_keys_with_a_repeat() {
    let members: Vec<String> = (0..3000).map(|i| format!("\"k{}\":{i}", i % 2000)).collect();
    let text = format!("{{{}}}", members.join(","));
    let (value, repairs) = parse(text.as_bytes()).unwrap();
    assert_eq!(value.as_object().map(Map::len), Some(2000));
    assert_eq!(repairs.count(Repair::DuplicateKey), 1000);
    assert_eq!(value.get("k5").and_then(Json::as_i64), Some(2005));
}

#[test]
fn access_and_change() {
    let (mut v, _) = parse(br#"{"a":{"b":[10,{"c":"x"}]},"n":1.0,"big":18446744073709551615}"#).unwrap();
    assert_eq!(v.str_at(&["a", "b", "1", "c"]), Some("x"));
    assert_eq!(v.get("n").and_then(Json::as_i64), Some(1));
    assert_eq!(v.get("big").and_then(Json::as_u64), Some(u64::MAX));
    v.set("n", "changed");
    v.set("new", 5i64);
    assert!(v.remove("a").is_some());
    *v.make_object().entry("later") = Json::from(1.5);
    assert_eq!(
        v.to_string(),
        r#"{"n":"changed","big":18446744073709551615,"new":5,"later":1.5}"#
    );
    assert_eq!(Json::from(f64::NAN), Json::Null);
}

/// Each `fixtures/json/*.json` (any bytes) against its `.snap`: the value as written, then the repairs.
#[test]
fn fixtures() {
    let folder =
        std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../fixtures/json");
    let mut seen = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let actual = match parse(bytes) {
            Ok((value, repairs)) => {
                let notes: String = repairs
                    .iter()
                    .map(|(k, n, at)| format!("{k:?} x{n}, first at {at}\n"))
                    .collect();
                format!("{value}\n{notes}")
            }
            Err(e) => format!("error: {e}\n"),
        };
        let snap = path.with_extension("snap");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&snap, &actual).unwrap();
        } else if std::fs::read_to_string(&snap).unwrap_or_default() != actual {
            wrong.push(format!("{}:\n{actual}", path.display()));
        }
    }
    assert!(seen >= 10, "the cases are missing");
    assert!(
        wrong.is_empty(),
        "differs from the snapshot:\n{}",
        wrong.join("\n")
    );
}
