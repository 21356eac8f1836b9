//! Bodies that no SDK sends: the cases of `fixtures/normalize`, changed at random from a fixed seed. Processing
//! must answer, and the stored JSON must be JSON.

use protocol::json::{Json, Map};

use crate::{NoGeo, ProjectRules, ProjectSettings, Receipt, process_event};

/// Changed bodies per case; `MUTATIONS` sets another number.
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

#[test]
fn changed_bodies_never_panic() {
    let rounds = std::env::var("MUTATIONS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(ROUNDS);
    let rules = ProjectRules::compile(
        1,
        &ProjectSettings {
            stacktrace_rules: "path:**/x/** -app\nfunction:*a* ^-group max-frames=3\n".into(),
            fingerprint_rules: "message:*1* -> {{ message }}, {{ stack.function }}, {{ tags.x }}\n".into(),
            ..ProjectSettings::default()
        },
    )
    .unwrap();
    let receipt = Receipt {
        received: 1_795_700_000_000_000,
        client_ip: Some("203.0.113.9"),
        user_agent: Some("x"),
        project: 1,
        ..Receipt::default()
    };
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
            if let Ok(done) = process_event(&body, &receipt, &rules, &NoGeo) {
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
