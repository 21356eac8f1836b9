//! Changed JSON, envelopes and words of authentication: what the targets of `fuzz/` check, in every test run.

use crate::envelope::Envelope;
use crate::mutate::{Mutator, rounds};

fn bytes(samples: &[&str]) -> Vec<Vec<u8>> {
    samples.iter().map(|s| s.as_bytes().to_vec()).collect()
}

#[test]
fn changed_json_is_read_or_refused() {
    let samples = bytes(&[
        r#"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","a":[1,-2.5e3,null,true,{"b":"c\u00e9\ud83d\ude00\n"}],"":{}}"#,
        r#"[[[]],"\"\\\/\b\f","é",1e400,NaN,-Infinity,0.0000001,123456789012345678901234567890]"#,
        "\u{feff}{\"a\":\"\\ud800\",\"a\":2}",
    ]);
    let pieces = &[
        "{", "}", "[", "]", "\"", ",", ":", "\\u", "\\ud800", "\\", "1e999", "NaN", "Infinity", "null",
        "[[[[[[[[", "\u{feff}", "é", "\u{0}", "{\"a\":", "-", ".", "0",
    ];
    let mut mutator = Mutator::new(1, pieces);
    let mut read = 0;
    for _ in 0..rounds(100_000) {
        let text = mutator.bytes(&samples);
        let Ok((value, _)) = crate::json::parse(&text) else {
            continue;
        };
        read += 1;
        let written = value.to_vec();
        let (again, repairs) = crate::json::parse(&written).expect("own JSON is read");
        assert!(repairs.is_empty(), "{}", String::from_utf8_lossy(&written));
        assert_eq!(again.to_vec(), written);
        // Others read it too.
        assert!(serde_json::from_slice::<serde_json::Value>(&written).is_ok());
    }
    assert!(read > 1_000, "hardly anything was read: {read}");
}

#[test]
fn changed_envelopes_are_read_or_refused() {
    let samples = bytes(&[
        "{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\",\"sent_at\":\"2023-11-14T22:13:20Z\",\"dsn\":\"https://e12d836b15bb49d7bbf99e64295d995b@sentry.io/42\"}\n\
         {\"type\":\"event\",\"length\":16}\n{\"message\":\"hi\"}\n\
         {\"type\":\"attachment\",\"length\":5,\"filename\":\"a.txt\"}\nab\ncd\n",
        "{\"sdk\":{\"name\":\"a\",\"version\":\"1\"},\"trace\":{\"a\":\"\\ud800\"}}\r\n{\"type\":\"session\"}\r\n{}\r\n\n\n{\"type\":\"x\",\"length\":\"2\"}\n{}",
    ]);
    let pieces = &[
        "\n",
        "\r\n",
        "{}",
        "{\"type\":\"event\"}\n",
        "\"length\":0,",
        "\"length\":18446744073709551615,",
        "-1",
        "\"",
        "\"type\":null,",
        "\"event_id\":1,",
        "\u{0}",
        "\\ud800",
    ];
    let mut mutator = Mutator::new(2, pieces);
    let mut read = 0;
    for _ in 0..rounds(100_000) {
        let body = mutator.bytes(&samples);
        match Envelope::parse(&body) {
            Ok(envelope) => {
                read += 1;
                let payloads: usize = envelope.items.iter().map(|i| i.payload.len()).sum();
                assert!(payloads <= body.len());
            }
            Err(e) => assert!(e.at <= body.len() && !e.large, "{e}"),
        }
    }
    assert!(read > 1_000, "hardly any envelope was read: {read}");
}

#[test]
fn changed_words_of_authentication_are_read_or_refused() {
    let samples = bytes(&[
        "Sentry sentry_version=7, sentry_client=raven/1, sentry_key=e12d836b15bb49d7bbf99e64295d995b, sentry_secret=x",
        "https://e12d836b15bb49d7bbf99e64295d995b:secret@o1.ingest.example.com:443/path/42",
        "sentry_key=e12d836b15bb49d7bbf99e64295d995b&sentry_version=7",
        "2023-11-14T22:13:20.123456+01:00",
        "198.51.100.7, [2001:db8::1]:80, 10.0.0.2:4711, unknown",
    ]);
    let pieces = &[
        "=",
        ",",
        "@",
        ":",
        "/",
        "//",
        "é",
        "\u{0}",
        "Sentry ",
        "99999999999999999999",
        "-",
        "T",
        "Z",
        "[",
        "]",
        "e9",
    ];
    let mut mutator = Mutator::new(3, pieces);
    for _ in 0..rounds(100_000) {
        let text = mutator.text(&samples);
        let _ = crate::dsn::Dsn::parse(&text);
        let _ = crate::auth::parse_header(&text);
        let _ = crate::time::parse_time(&text);
        let pairs = text.split('&').filter_map(|p| p.split_once('='));
        let _ = crate::auth::parse_query(pairs);
        let _ = crate::forwarded::client(None, [text.as_str()], &|a| a.is_ipv4());
        let _ = text.parse::<crate::ids::EventId>();
    }
}
