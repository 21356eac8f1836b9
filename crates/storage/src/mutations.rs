//! Changed queries and records: what the targets of `fuzz/` check, in every test run.

use protocol::mutate::{Mutator, rounds};
use protocol::table::{Column, Row, Table, Type};

use crate::ownership::{Subject, parse as parse_rules, parse_codeowners, winner};
use crate::record::StoredEvent;
use crate::search::{Context, lower, parse};

static TABLE: Table = Table {
    name: "t",
    columns: &[
        Column {
            name: "level",
            kind: Type::Text,
            doc: "",
        },
        Column {
            name: "message",
            kind: Type::Words,
            doc: "",
        },
        Column {
            name: "stack.function",
            kind: Type::Texts,
            doc: "",
        },
        Column {
            name: "n",
            kind: Type::Int,
            doc: "",
        },
        Column {
            name: "timestamp",
            kind: Type::Time,
            doc: "",
        },
        Column {
            name: "handled",
            kind: Type::Bool,
            doc: "",
        },
        Column {
            name: "score",
            kind: Type::Float,
            doc: "",
        },
    ],
};

#[test]
fn changed_rules_of_ownership_are_read_or_refused_by_line() {
    let samples: Vec<Vec<u8>> = [
        "# who\npath:src/* ann@example.com #backend\nurl:*/cart* #shop\ntags.region:eu b@x.y",
        "module:shop.* \"a b\" c@x.y\npath:\"a b/*\" d@x.y\nlib/?? #team",
        "* @acme/all\n/docs/ ann@example.com # texts\nsrc/**/free/\n[section]\n",
    ]
    .iter()
    .map(|s| s.as_bytes().to_vec())
    .collect();
    let pieces = &[
        "**/", "*", "?", "\\", "\"", "path:", "tags.", "#", "@", "\n", " ", "/",
    ];
    let subject = Subject {
        paths: vec!["src/a/b/free/c.py".into(), "docs/x".into()],
        modules: vec!["shop.cart".into()],
        url: Some("http://x/cart".into()),
        tags: vec![("region".into(), "eu".into())],
    };
    let mut mutator = Mutator::new(11, pieces);
    for _ in 0..rounds(2_000) {
        let text = mutator.text(&samples);
        let lines = text.lines().count();
        for read in [parse_rules(&text), parse_codeowners(&text)] {
            match read {
                Ok(rules) => drop(winner(&rules, &subject)),
                Err(wrong) => assert!(wrong.iter().all(|w| (1..=lines).contains(&w.line))),
            }
        }
    }
}

#[test]
fn changed_queries_are_understood_or_refused_with_a_place() {
    let samples: Vec<Vec<u8>> = [
        "is:unresolved level:error environment:prod",
        "user.email:*@example.com !browser.name:Firefox",
        "timesSeen:>100 firstSeen:-24h age:+7d lastSeen:2026-11-26",
        "(release:shop@1.2.0 OR release:latest) has:user !has:tags[x]",
        "tags[region]:eu \"connection refused\" assigned:[me, none, \"a b\"]",
        "n:>=2k handled:true timestamp:<2026-11-26T12:30:00Z stack.function:\"a*\\*b\" score:1.5",
        "!(a:b AND (c:d OR !e:f)) release.version:>1.2 release.build:7 issue:SHOP-1A",
    ]
    .iter()
    .map(|s| s.as_bytes().to_vec())
    .collect();
    let pieces = &[
        "(",
        ")",
        "!",
        "\"",
        "\\",
        "*",
        ":",
        "[",
        "]",
        ",",
        " OR ",
        " AND ",
        "has:",
        "is:",
        "tags[",
        ">",
        "<=",
        "-",
        "+",
        "99999999999999999999d",
        "é",
        "\u{1f600}",
        "\u{0}",
        "2026-13-45",
        "((((((((",
        "me",
        "1e308",
        "NaN",
        "release:>",
        "firstRelease:",
        "bookmarks:me",
    ];
    let users = [(1, "ann@example.com".to_owned())];
    let projects = [(1, "shop".to_owned())];
    let latest = ["shop@1.2.0".to_owned()];
    let context = Context {
        table: &TABLE,
        now: 1_795_700_000_000_000,
        me: Some(1),
        users: &users,
        teams: &[],
        my_teams: &[],
        projects: &projects,
        latest: &latest,
    };
    let mut mutator = Mutator::new(4, pieces);
    let (mut read, mut understood) = (0, 0);
    for _ in 0..rounds(60_000) {
        let query = mutator.text(&samples);
        let points = |e: &crate::search::QueryError| {
            let length = query.chars().count().max(1);
            assert!(e.start <= e.end && e.end <= length, "{query}: {e:?}");
        };
        match parse(&query) {
            Err(e) => points(&e),
            Ok(expr) => {
                read += 1;
                let mut resolve = |_: &_| Ok(vec![(1, "aa".to_owned())]);
                match lower(&expr, &context, &mut resolve) {
                    Err(e) => points(&e),
                    Ok(_) => understood += 1,
                }
            }
        }
    }
    assert!(
        read > 2_000 && understood > 1_000,
        "{read} read, {understood} understood"
    );
}

#[test]
fn changed_records_are_read_or_refused() {
    let record = StoredEvent {
        seq: 77,
        row: Row {
            project: 5,
            ..Row::default()
        },
        hashes: vec![protocol::ids::GroupHash([1; 16])],
        rules: 3,
        json: b"{\"a\":1}".to_vec(),
    };
    let samples = [record.encode()];
    let mut mutator = Mutator::new(5, &["\u{0}", "\u{1}", "a", "\u{7f}"]);
    for _ in 0..rounds(200_000) {
        let bytes = mutator.bytes(&samples);
        if let Ok(event) = StoredEvent::decode(&bytes) {
            let again = StoredEvent::decode(&event.encode()).expect("an own record is read");
            // Numbers that are none are equal to nothing, but are written the same.
            assert_eq!(again.encode(), event.encode());
        }
    }
}
