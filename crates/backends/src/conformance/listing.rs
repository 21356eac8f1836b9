//! Pages of issues are what sorting all of them would give, on each database.

use std::cmp::Reverse;
use std::collections::HashMap;

use storage::life;
use storage::params;
use storage::relational::issues::{self, Condition, Issue};
use storage::relational::listing::{self, Listing, Place, Sort};
use storage::relational::{people, projects};
use storage::sql::Sql;
use storage::suite::Numbers;

use super::Places;
use crate::sql::postgres::Postgres;
use crate::sql::sqlite::Sqlite;

const HOUR: i64 = 3_600_000_000;
/// The first hour of the window; lives begin before.
const FROM: i64 = 480_000;

fn issue(project: i64, number: i64, numbers: &mut Numbers) -> Issue {
    let first = (FROM + numbers.below(200) as i64 - 150) * HOUR;
    Issue {
        id: 0,
        project,
        short_number: number,
        state: life::begin("error", None, first),
        level: "error".into(),
        platform: "python".into(),
        kind: "error".into(),
        logger: String::new(),
        title: "Error".into(),
        culprit: String::new(),
        metadata: "{}".into(),
        handled: None,
        first_seen: first,
        last_seen: first,
        times_seen: 0,
        users_seen: 0,
        first_release: None,
        last_release: None,
        assigned_user: None,
        assigned_team: None,
        num_comments: 0,
        delete_after: None,
    }
}

fn pages(sql: &dyn Sql) {
    crate::sql::migrate(sql).expect("migrated");
    let mut numbers = Numbers::new(7);
    let (ids, made) = sql
        .writing(|c| {
            let org = people::add_organization(c, "acme", "Acme", 0)?;
            let ids = ["one", "two"]
                .iter()
                .map(|slug| projects::add(c, org, slug, slug, None, 0))
                .collect::<Result<Vec<i64>, _>>()?;
            let mut made: Vec<Issue> = (0..900)
                .map(|i| issue(ids[numbers.below(2)], i, &mut numbers))
                .collect();
            for (_, number, id) in issues::add(c, &made)? {
                made[number as usize].id = id;
            }
            // Many have the same few events, some a lot; the life of some lies before the window.
            for issue in &mut made {
                c.execute(
                    "insert into issue_hashes (project_id, hash, issue_id, times_seen, first_seen, last_seen) \
                     values ($1, $2, $3, 0, 0, 0)",
                    params![issue.project, format!("{:032x}", issue.id), issue.id],
                )?;
                let hash = c
                    .query_one("select id from issue_hashes where issue_id = $1", params![issue.id])?
                    .int(0)?;
                let wide = numbers.below(20) == 0;
                for _ in 0..=numbers.below(3) {
                    let hour = issue.first_seen / HOUR + numbers.below(120) as i64;
                    let events = 1 + numbers.below(if wide { 500 } else { 2 }) as i64;
                    c.execute(
                        "insert into hash_hours (hash_id, hour, events) values ($1, $2, $3) on conflict do nothing",
                        params![hash, hour, events],
                    )?;
                    issue.last_seen = issue.last_seen.max(hour * HOUR);
                }
                issue.times_seen = c
                    .query_one(
                        "select cast(sum(events) as bigint) from hash_hours where hash_id = $1",
                        params![hash],
                    )?
                    .int(0)?;
            }
            issues::save(c, &made.iter().collect::<Vec<_>>())?;
            Ok((ids, made))
        })
        .expect("filled");
    let counted: HashMap<i64, i64> = sql
        .reading(|c| {
            let rows = c.query(
                "select h.issue_id, cast(sum(t.events) as bigint) from issue_hashes h join hash_hours t \
                 on t.hash_id = h.id where t.hour >= $1 group by h.issue_id",
                params![FROM],
            )?;
            rows.iter().map(|r| Ok((r.int(0)?, r.int(1)?))).collect()
        })
        .expect("counted");
    let any = Condition::new("true", vec![]);
    for scope in [&ids[..], &ids[..1]] {
        for since in [i64::MIN, FROM * HOUR] {
            for sort in [Sort::LastSeen, Sort::FirstSeen, Sort::Events] {
                let key = |i: &Issue| match sort {
                    Sort::LastSeen => i.last_seen,
                    Sort::FirstSeen => i.first_seen,
                    Sort::Events if since > i64::MIN => counted.get(&i.id).copied().unwrap_or(0),
                    _ => sort.value(i),
                };
                let mut want: Vec<(i64, i64)> = made
                    .iter()
                    .filter(|i| scope.contains(&i.project) && i.last_seen >= since)
                    .map(|i| (key(i), i.id))
                    .collect();
                want.sort_unstable_by_key(|w| Reverse(*w));
                let listing = Listing {
                    projects: scope,
                    since,
                    condition: &any,
                    sort,
                };
                let ask = |place, limit| {
                    let page = sql.reading(|c| listing::page(c, &listing, place, limit));
                    let (got, more, total) = page.expect("asked");
                    assert_eq!(total, want.len() as i64);
                    (got.iter().map(|i| (key(i), i.id)).collect::<Vec<_>>(), more)
                };
                for (offset, limit) in [(0, 25), (25, 25), (0, 3), (190, 100), (2000, 10)] {
                    let (got, more) = ask(Place::Offset(offset), limit);
                    let rest = &want[(offset as usize).min(want.len())..];
                    let what = format!("{sort:?} since {since}, {limit} from {offset}");
                    assert_eq!(got, rest[..rest.len().min(limit as usize)], "{what}");
                    assert_eq!(more, rest.len() as i64 > limit, "{what}");
                }
                if matches!(sort, Sort::Events) && since > i64::MIN {
                    continue;
                }
                // From page to page, and back.
                let (mut seen, mut more) = ask(Place::Offset(0), 100);
                while more {
                    let (value, id) = *seen.last().expect("a page");
                    let (next, follows) = ask(Place::After(value, id), 100);
                    let (value, id) = next[0];
                    let before = &seen[seen.len() - 50..];
                    assert_eq!(ask(Place::Before(value, id), 50).0, before);
                    seen.extend(next);
                    more = follows;
                }
                assert_eq!(seen, want, "{sort:?} since {since}, page by page");
            }
        }
    }
}

#[test]
fn sqlite() {
    let places = Places::default();
    let path = places.folder();
    std::fs::create_dir(&path).expect("a folder");
    pages(&Sqlite::open(&path.join("db")).expect("opened"));
}

#[test]
fn postgres() {
    let server = testkit::postgres::Postgres::start();
    pages(&Postgres::open(&server.database()).expect("opened"));
}
