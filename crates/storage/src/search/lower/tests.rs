//! Terms with rows that match and rows that do not.

use super::*;
use crate::columns::matches;
use crate::search::parse;
use protocol::table::{Column, Row, Value as Cell};

static T: Table = Table {
    name: "errors",
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
            name: "title",
            kind: Type::Words,
            doc: "",
        },
        Column {
            name: "error.type",
            kind: Type::Texts,
            doc: "",
        },
        Column {
            name: "error.handled",
            kind: Type::Bool,
            doc: "",
        },
        Column {
            name: "http.status_code",
            kind: Type::Int,
            doc: "",
        },
        Column {
            name: "release",
            kind: Type::Text,
            doc: "",
        },
        Column {
            name: "platform",
            kind: Type::Text,
            doc: "",
        },
    ],
};

const NOW: i64 = 1_790_000_000_000_000;

fn row() -> Row {
    let mut row = Row {
        project: 7,
        time: NOW - 2 * DAY,
        id: [0xab; 16],
        ..Row::default()
    };
    row.set(&T, "level", Cell::Str("error".into()));
    row.set(&T, "message", Cell::Str("Payment of 12 EUR refused".into()));
    row.set(&T, "title", Cell::Str("PaymentError: refused".into()));
    row.set(
        &T,
        "error.type",
        Cell::List(vec!["PaymentError".into(), "IOError".into()].into()),
    );
    row.set(&T, "error.handled", Cell::Bool(false));
    row.set(&T, "http.status_code", Cell::Int(502));
    row.set(&T, "release", Cell::Str("shop@1.2.0+77".into()));
    row.set(&T, "platform", Cell::Str("python".into()));
    row.set_tags(vec![
        ("region".into(), "eu".into()),
        ("level".into(), "custom".into()),
        ("n".into(), "41".into()),
    ]);
    row
}

fn context() -> Context<'static> {
    Context {
        table: &T,
        now: NOW,
        me: Some(3),
        users: Box::leak(Box::new([(3, "me@x.y".to_owned()), (4, "you@x.y".to_owned())])),
        teams: Box::leak(Box::new([(8, "web".to_owned())])),
        my_teams: &[8],
        projects: Box::leak(Box::new([(7, "shop".to_owned())])),
        latest: Box::leak(Box::new(["shop@1.2.0+77".to_owned()])),
    }
}

fn fits(query: &str) -> bool {
    let expr = parse(query).unwrap();
    let filter =
        lower_events(&expr, &context(), &mut |_| Ok(vec![])).unwrap_or_else(|e| panic!("{query}: {e}"));
    matches(&filter, &T, &row())
}

#[test]
fn event_terms_match_and_do_not() {
    for (yes, no) in [
        ("level:error", "level:warning"),
        ("!level:warning", "!level:error"),
        ("level:[error, fatal]", "level:[info, fatal]"),
        ("level:err*", "level:*arn*"),
        ("tags[level]:custom", "tags[level]:error"),
        ("region:eu", "region:us"),
        ("has:region", "has:zone"),
        ("!has:zone", "!has:region"),
        ("zone:\"\"", "region:\"\""),
        ("n:>40", "n:>41"),
        ("http.status_code:>=502", "http.status_code:>502"),
        ("http.status_code:[500,502]", "http.status_code:<502"),
        ("error.type:IOError", "error.type:OSError"),
        ("error.type:Pay*", "error.type:*xyz"),
        ("error.handled:false", "error.handled:true"),
        ("refused", "accepted"),
        ("fus", "xfus"),
        ("\"payment refused\"", "\"payment accepted\""),
        ("message:\"12 eur\"", "message:13"),
        ("release:latest", "release:shop@1.1"),
        ("release.version:1.2.0", "release.version:1.2"),
        ("release.package:shop", "release.package:other"),
        ("release.build:77", "release.build:7"),
        ("platform.name:python", "platform.name:go"),
        ("project:shop", "!project:shop"),
        ("project.id:7", "!project.id:7"),
        ("timestamp:-3d", "timestamp:-1d"),
        ("timestamp:+1d", "timestamp:+3d"),
        ("timestamp:<2030-01-01", "timestamp:>2030-01-01"),
        (
            "id:abababababababababababababababab",
            "id:bbabababababababababababababababab"[..35].trim(),
        ),
        ("level:info OR region:eu", "level:info OR region:us"),
        ("(level:info OR region:eu) n:41", "(level:info OR region:eu) n:42"),
    ] {
        assert!(fits(yes), "{yes}");
        assert!(!fits(no), "{no}");
    }
}

#[test]
fn issue_terms_become_conditions() {
    for (query, sql) in [
        ("is:unresolved", "(i.status = ?)"),
        ("assigned:me", "((i.assigned_user = ?))"),
        ("assigned:#web", "((i.assigned_team = ?))"),
        (
            "assigned:[team:8, my_teams]",
            "((i.assigned_team = ?) or (i.assigned_team = ?))",
        ),
        (
            "assigned:[me, none]",
            "((i.assigned_user = ?) or (i.assigned_user is null and i.assigned_team is null))",
        ),
        ("timesSeen:>10", "((i.times_seen >= ?))"),
        ("age:-24h", "((i.first_seen >= ?))"),
        ("lastSeen:+7d", "((i.last_seen <= ?))"),
        ("issue:SHOP-1", "(i.project_id = ? and i.short_number = ?)"),
        ("!is:resolved", "not coalesce((((i.status = ?))), false)"),
    ] {
        let got = lower(&parse(query).unwrap(), &context(), &mut |_| panic!("no lookup")).unwrap();
        assert!(
            got.condition
                .sql
                .replace(['(', ')'], "")
                .contains(&sql.replace(['(', ')'], "")),
            "{query}: {}",
            got.condition.sql
        );
        assert_eq!(got.filter, Filter::All, "{query}");
    }
}

#[test]
fn an_issue_term_beside_an_event_term_in_an_or_becomes_hashes() {
    let mut asked = 0;
    let expr = parse("is:resolved OR level:error").unwrap();
    let got = lower(&expr, &context(), &mut |_| {
        asked += 1;
        Ok(vec![
            (7, "00".repeat(16)),
            (8, "11".repeat(16)),
            (7, "22".repeat(16)),
        ])
    })
    .unwrap();
    assert_eq!(asked, 1);
    assert_eq!(got.condition.sql, "true");
    let Filter::Or(parts) = &got.filter else {
        panic!("{:?}", got.filter);
    };
    // The same hash in another project is another issue.
    let row = |project, byte: u8| Row {
        project,
        hash: [byte; 16],
        ..Row::default()
    };
    for (project, byte, want) in [
        (7, 0, true),
        (7, 0x22, true),
        (8, 0x11, true),
        (8, 0, false),
        (7, 0x11, false),
    ] {
        assert_eq!(
            matches(&parts[0], &T, &row(project, byte)),
            want,
            "{project} {byte}"
        );
    }
}

#[test]
fn errors_say_what_to_write() {
    for query in [
        "is:open",
        "assigned:nobody@x.y",
        "assigned:#nothing",
        "timesSeen:many",
        "age:yesterday",
        "http.status_code:abc",
        "error.handled:perhaps",
        "level:>error",
        "issue.priority:urgent",
        "project:other",
        "id:12",
        "is:[new,ongoing]",
    ] {
        let expr = parse(query).unwrap();
        let e = lower(&expr, &context(), &mut |_| Ok(vec![])).expect_err(query);
        assert!(e.end > e.start, "{query}: {e}");
    }
}
