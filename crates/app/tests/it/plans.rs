//! How the database goes about the statements of the worker and the jobs: by an index into large tables, and
//! from the rows it is handed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use storage::sql::{Body, Connection, Dialect, Result, Row, Sql, Value};

use crate::inside::bench;

type Plans = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// A database that has every statement explained once.
struct Explained {
    inner: Arc<dyn Sql>,
    plans: Plans,
}

struct Session<'a> {
    inner: &'a mut dyn Connection,
    plans: &'a Plans,
}

impl Session<'_> {
    fn explain(&mut self, sql: &str, params: &[Value]) -> Result<()> {
        if self.plans.lock().unwrap().contains_key(sql) {
            return Ok(());
        }
        let rows = self.inner.query(&format!("explain query plan {sql}"), params)?;
        let plan: Result<Vec<String>> = rows.iter().map(|r| r.text(3)).collect();
        self.plans.lock().unwrap().insert(sql.to_owned(), plan?);
        Ok(())
    }
}

impl Connection for Session<'_> {
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.explain(sql, params)?;
        self.inner.query(sql, params)
    }
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        self.explain(sql, params)?;
        self.inner.execute(sql, params)
    }
    fn batch(&mut self, sql: &str) -> Result<()> {
        self.inner.batch(sql)
    }
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
}

impl Sql for Explained {
    fn read(&self, body: Body<'_>) -> Result<()> {
        self.inner.read(&mut |c| {
            body(&mut Session {
                inner: c,
                plans: &self.plans,
            })
        })
    }
    fn write(&self, body: Body<'_>) -> Result<()> {
        self.inner.write(&mut |c| {
            body(&mut Session {
                inner: c,
                plans: &self.plans,
            })
        })
    }
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
}

/// Tables that grow with events, issues and hashes.
const LARGE: [&str; 9] = [
    "issues",
    "issue_hashes",
    "hash_hours",
    "hash_users",
    "hash_features",
    "tombstones",
    "activity",
    "attachments",
    "discards",
];

#[test]
fn no_statement_of_the_worker_goes_through_a_large_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(folder.path());
    let plans = Plans::default();
    bench.worker.stores.sql = Arc::new(Explained {
        inner: bench.worker.stores.sql.clone(),
        plans: plans.clone(),
    });
    for n in 1..=40 {
        let words = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
        bench.send(n, words[n as usize % 8], "192.0.2.1");
    }
    bench.worker.drain();
    let stores = &bench.worker.stores;
    stores
        .sql
        .writing(|c| {
            use storage::life::{Wish, on_wish};
            use storage::relational::{discarded, hashes, issues, regroup};
            let mut all = issues::by_ids(c, &[1, 2, 3, 4, 5])?;
            let hour = protocol::time::hour_of(bench.worker.stores.clock.now());
            for issue in &mut all {
                let forecast = hashes::forecast(c, issue, hour)?;
                on_wish(
                    &mut issue.state,
                    &Wish::ArchiveUntilEscalating(forecast),
                    (1, 1),
                    None,
                    1,
                );
            }
            issues::save(c, &all.iter().collect::<Vec<_>>())?;
            regroup::merge(c, 1, &[2])?;
            let apart = hashes::counted(c, &[1])?[0].1;
            regroup::split(c, 1, &[apart], &all[0])?;
            regroup::give(c, 3, &[apart], 1)?;
            discarded::add(c, &all[3], None, 1)?;
            all[3].delete_after = Some(1);
            issues::save(c, &[&all[3]])
        })
        .unwrap();
    for n in 41..=80 {
        bench.send(n, "two", "192.0.2.1");
    }
    bench.worker.drain();
    stores
        .sql
        .reading(|c| {
            use storage::relational::issues::{self, Condition};
            use storage::relational::listing::{self, Listing, Place, Sort};
            let any = Condition::new("true", vec![]);
            issues::filter(c, &[1, 3], &any)?;
            issues::ids(c, &[bench.project as i64], &any)?;
            for sort in [Sort::LastSeen, Sort::FirstSeen, Sort::Events, Sort::Users] {
                let listing = Listing {
                    projects: &[bench.project as i64],
                    since: 0,
                    condition: &any,
                    sort,
                };
                listing::page(c, &listing, Place::Offset(0), 25)?;
                listing::page(c, &listing, Place::After(5, 5), 25)?;
            }
            Ok(())
        })
        .unwrap();
    pipeline::jobs::delete_due(stores).unwrap();
    pipeline::jobs::end_archives(stores).unwrap();
    pipeline::jobs::sweep(stores, 90).unwrap();
    stores.columns.flush().unwrap();
    pipeline::looks::look(stores, 0).unwrap();

    let plans = plans.lock().unwrap();
    assert!(plans.len() > 40, "only {} statements were seen", plans.len());
    // A job reads these now and then as a whole.
    let whole = |sql: &str| sql.contains("i.status = 'ignored'") || sql.contains("h.id > $1");
    let mut wrong = Vec::new();
    for (sql, plan) in plans.iter().filter(|(sql, _)| !whole(sql)) {
        for (i, step) in plan.iter().enumerate() {
            let scanned = step.strip_prefix("SCAN ").unwrap_or_default();
            let table = scanned.split(' ').next().unwrap_or_default();
            let aliases = [
                ("i", "issues"),
                ("h", "issue_hashes"),
                ("u", "hash_users"),
                ("t", "hash_hours"),
            ];
            let table = aliases
                .iter()
                .find(|(a, _)| *a == table)
                .map_or(table, |(_, t)| t);
            // What is handed in comes first; inside of another loop it would be read again for each row.
            let late = table == "json_each" && plan[..i].iter().any(|p| p.starts_with("SEARCH"));
            if LARGE.contains(&table) || late {
                wrong.push(format!("{sql}\n    {plan:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_asked_of_uploaded_files_for_every_frame_goes_by_an_index() {
    use storage::relational::{artifacts, chunks, debug_files, release_files, stored_files};
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(folder.path());
    let plans = Plans::default();
    let sql: Arc<dyn Sql> = Arc::new(Explained {
        inner: bench.worker.stores.sql.clone(),
        plans: plans.clone(),
    });
    sql.writing(|c| {
        artifacts::by_debug_id(c, 1, 1, "a", "source_map")?;
        artifacts::by_url(c, (1, 1), ("1.0", ""), "~/app.js")?;
        artifacts::any(c, 1, Some("1.0"))?;
        artifacts::used(c, 1, 5)?;
        release_files::by_name(c, (1, 1), ("1.0", ""), "~/app.js")?;
        debug_files::by_debug_id(c, 1, "a")?;
        debug_files::by_code_id(c, 1, "a")?;
        debug_files::by_sha1(c, 1, "a")?;
        debug_files::used(c, &[1, 2], 5)?;
        stored_files::find(c, 1, "a")?;
        stored_files::forget(c, "files/1/a")?;
        chunks::have(c, 1, &["a".to_owned()])?;
        chunks::older(c, 5, 10)
    })
    .unwrap();
    let plans = plans.lock().unwrap();
    assert_eq!(plans.len(), 13);
    for (sql, plan) in plans.iter() {
        let scans = |step: &&String| step.starts_with("SCAN ") && !step.contains("json_each");
        let scanned: Vec<_> = plan.iter().filter(scans).collect();
        assert!(scanned.is_empty(), "{sql}\n    {plan:?}");
    }
}
