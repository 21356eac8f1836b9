//! Bodies, rules and reports that nobody sends, changed at random from fixed seeds; bodies are those of
//! `fixtures/normalize`. Processing must answer, and the stored JSON must be JSON.

use protocol::json::{Json, Map};

use protocol::mutate::{Mutator, rounds};

use crate::{NoGeo, NoSymbols, ProjectRules, ProjectSettings, Receipt, process_event, process_security};

/// Changed bodies per case; `MUTATIONS` multiplies it.
const ROUNDS: usize = 25;

/// Values that stand in for others.
const ODD: [&str; 16] = [
    "null",
    "true",
    "-1",
    "1e300",
    "18446744073709551616",
    "\"\"",
    "\"?\"",
    "\"é\u{1f600}\u{0}\\n\\r\"",
    "[]",
    "{}",
    "[[]]",
    "{\"\":{}}",
    "{\"values\":[null,1,{}]}",
    "{\"frames\":[{}]}",
    "\"%s {} %(x)s {{ default }} <a as b>::c(\"",
    "[[\"k\",\"v\"],[\"k\"]]",
];

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }
}

/// Changes a value somewhere inside.
fn change(value: &mut Json<'_>, random: &mut Random) {
    let odd = protocol::json::parse_str(ODD[random.next(ODD.len())])
        .map(|(v, _)| v)
        .unwrap_or_default();
    match value {
        Json::Object(Map(members)) if !members.is_empty() && random.next(12) > 0 => {
            let i = random.next(members.len());
            match random.next(14) {
                0 => {
                    members.remove(i);
                }
                1 => members[i].0 = format!("{}x", members[i].0).into(),
                _ => change(&mut members[i].1, random),
            }
        }
        Json::Array(list) if !list.is_empty() && random.next(12) > 0 => {
            let i = random.next(list.len());
            change(&mut list[i], random);
        }
        Json::Str(text) if !text.is_empty() && random.next(3) > 0 => {
            let at = text
                .char_indices()
                .nth(random.next(text.chars().count()))
                .map_or(0, |(i, _)| i);
            let piece = [
                "é", "(", "<", ":", "$_", "\u{0}", "{{", "%", "::", "/", "@1", "0x1",
            ][random.next(12)];
            let new = format!("{}{piece}{}", &text[..at], &text[at..]);
            *text = new.into();
        }
        other => *other = odd,
    }
}

fn receipt() -> Receipt<'static> {
    Receipt {
        received: 1_795_700_000_000_000,
        client_ip: Some("203.0.113.9"),
        user_agent: Some("x"),
        project: 1,
        ..Receipt::default()
    }
}

#[test]
fn changed_bodies_never_panic() {
    let rounds = rounds(ROUNDS);
    let rules = ProjectRules::compile(
        1,
        &ProjectSettings {
            stacktrace_rules: "path:**/x/** -app\nfunction:*a* ^-group max-frames=3\n".into(),
            fingerprint_rules: "message:*1* -> {{ message }}, {{ stack.function }}, {{ tags.x }}\n".into(),
            ..ProjectSettings::default()
        },
    )
    .unwrap();
    let receipt = receipt();
    let folder =
        std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../fixtures/normalize");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut kept = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let (case, _) = protocol::json::parse(&bytes).unwrap();
        for _ in 0..rounds {
            let mut event = case.get("event").unwrap_or(&case).clone();
            for _ in 0..=random.next(6) {
                change(&mut event, &mut random);
            }
            let mut body = event.to_vec();
            if random.next(8) == 0 && !body.is_empty() {
                let at = random.next(body.len());
                body[at] = random.next(256) as u8;
            }
            if let Ok(done) = process_event(&body, &receipt, &rules, &NoGeo, &NoSymbols) {
                kept += 1;
                let (stored, repairs) = protocol::json::parse(&done.json).unwrap();
                assert!(repairs.is_empty() && stored.as_object().is_some());
                assert!(!done.hashes.is_empty() && !done.title.is_empty());
                assert!(serde_json::from_slice::<serde_json::Value>(&done.json).is_ok());
            }
        }
    }
    assert!(kept > rounds, "hardly any body was kept: {kept}");
}

const RULE_PIECES: &[&str] = &[
    "*",
    "**",
    "?",
    "[",
    "]",
    "{",
    "}",
    "\\",
    "\"",
    "!",
    "|",
    "[ ",
    " ]",
    " ^",
    " v",
    "+app",
    "-group",
    "max-frames=",
    "99999999999999999999",
    "{{ default }}",
    "{{",
    "}}",
    " -> ",
    ",",
    "family:",
    "path:",
    "stack.function:",
    "é",
    "\u{0}",
    "\n",
    "#",
    "title=\"",
    "tags.x:",
    "invert-stacktrace=1",
    "category=",
    "*a*a*a*a*a*a*a*",
];

fn samples(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|t| t.as_bytes().to_vec()).collect()
}

#[test]
fn changed_rules_are_read_or_refused() {
    let stack = samples(&[
        "path:**/x/** -app\nfunction:*a* ^-group max-frames=3\n",
        "# a comment\nfamily:javascript,native path:\"*/node modules/*\" -app -group\nstack.abs_path:**/a.py +app\n",
        "[ function:a ] | function:b +group\nfunction:c | [ function:d ] category=internals v+app\n",
        "error.type:Boom max-frames=2 min-frames=1\nerror.value:\"*x*\" invert-stacktrace=1\n!module:a.* -group\n",
    ]);
    let fingerprint = samples(&[
        "message:*1* -> {{ message }}, {{ stack.function }}, {{ tags.x }}\n",
        "# a comment\nerror.type:Boom !stack.module:\"a b\" -> boom, {{ default }} title=\"A {{ error.type }}\"\n",
        "logger:a level:error tags.server:web* family:native -> \"a, b\", {{ transaction }}\n",
        "stack.abs_path:**/a.py app:yes -> {{ error.value }} {{ stack.package }}\n",
    ]);
    let event = r#"{"event_id":"9ec79c33ec9942ab8353589fcb2e04dc","platform":"python","tags":{"x":"y","server":"web1"},
        "message":"x 1","logger":"a","exception":[{"type":"Boom","value":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        "stacktrace":{"frames":[{"function":"a","filename":"/x/a.py","abs_path":"/x/a.py","module":"a.b"},
        {"function":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab","filename":"c/node modules/d","in_app":true},
        {"function":"c","package":"/usr/lib/d.so"},{"function":"d"}]}}]}"#;
    let (mut mutator, receipt) = (Mutator::new(7, RULE_PIECES), receipt());
    let mut read = [0, 0];
    for n in 0..rounds(6_000) {
        let (mut settings, kind) = (ProjectSettings::default(), n % 2);
        if kind == 0 {
            settings.stacktrace_rules = mutator.text(&stack);
        } else {
            settings.fingerprint_rules = mutator.text(&fingerprint);
        }
        match ProjectRules::compile(1, &settings) {
            Err(e) => assert!(!e.to_string().is_empty()),
            Ok(rules) => {
                read[kind] += 1;
                let done = process_event(event.as_bytes(), &receipt, &rules, &NoGeo, &NoSymbols).unwrap();
                assert!(!done.hashes.is_empty() && !done.title.is_empty());
            }
        }
    }
    assert!(
        read.iter().all(|n| *n > 300),
        "hardly any rule was read: {read:?}"
    );
}

#[test]
fn changed_reports_are_read_or_refused() {
    let reports = samples(&[
        r#"{"csp-report":{"document-uri":"https://x.y/","violated-directive":"img-src 'self'","blocked-uri":"https://e/a.png",
            "effective-directive":"img-src","original-policy":"img-src 'self'","script-sample":"a"}}"#,
        r#"[{"type":"csp-violation","url":"https://x.y/","body":{"documentURL":"https://x.y/","effectiveDirective":"script-src",
            "blockedURL":"inline","originalPolicy":"a"}}]"#,
        r#"{"expect-ct-report":{"date-time":"2023-11-14T22:13:20Z","hostname":"a.b","port":443,"served-certificate-chain":["x"]}}"#,
        r#"{"known-pins":["pin-sha256=\"a\""],"hostname":"a.b","date-time":"2023-11-14T22:13:20Z","include-subdomains":false}"#,
    ]);
    let pieces: &[&str] = &[
        "{", "}", "[", "]", "\"", "null", ",", ":", "data:", "blob", "self", "'", "//", "é", "\\ud800",
        "-uri",
    ];
    let (mut mutator, receipt) = (Mutator::new(8, pieces), receipt());
    let rules = ProjectRules::compile(1, &ProjectSettings::default()).unwrap();
    let mut read = 0;
    for _ in 0..rounds(10_000) {
        let body = mutator.bytes(&reports);
        for done in process_security(&body, None, &receipt, &rules, &NoGeo)
            .into_iter()
            .flatten()
        {
            read += 1;
            assert!(!done.hashes.is_empty());
            assert!(serde_json::from_slice::<serde_json::Value>(&done.json).is_ok());
        }
    }
    assert!(read > 500, "hardly any report was read: {read}");
}
