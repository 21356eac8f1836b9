//! What every relational database must do.

use super::{Case, Open};
use crate::params;
use crate::sql::{Connection, Sql, SqlError, Value};

/// Every case.
pub const CASES: &[Case<dyn Sql>] = &[
    ("values come back as they went in", values),
    ("parameters are bound by their number", by_number),
    ("a list of rows is one parameter", rows),
    ("a transaction that fails changes nothing", rollback),
    ("a constraint says that it is one", constraint),
    ("a row that is not what was expected is an error", unexpected),
    ("text is ordered by its bytes and compared to the letter", order),
    ("parts of texts are found in any case", contains),
    ("generated keys grow and are not used again", generated),
    ("upserts count and keep", upsert),
    (
        "reads see what was committed, and go on while something is written",
        reads,
    ),
    ("a read sees one state", one_state),
    ("writers take turns", writers),
    ("what was committed is there after a restart", restart),
];

const TABLE: &str = "create table t (id {id}, n bigint, x double precision, s text, b {blob})";

fn made(open: Open<'_, dyn Sql>) -> Box<dyn Sql> {
    let sql = open();
    let text = sql.dialect().render(TABLE).into_owned();
    sql.writing(|c| c.batch(&text)).expect("made");
    sql
}

fn insert(c: &mut dyn Connection, n: i64) -> Result<u64, SqlError> {
    c.execute("insert into t (n) values ($1)", params![n])
}

fn count(sql: &dyn Sql) -> i64 {
    sql.reading(|c| c.query_one("select count(*) from t", &[])?.int(0))
        .expect("counted")
}

fn values(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let rows: Vec<[Value; 4]> = vec![
        [Value::Null, Value::Null, Value::Null, Value::Null],
        [
            Value::Int(i64::MAX),
            Value::Real(0.1),
            Value::Text("äöü 日本 😀 ' \" \\ % _ $1 {id}".into()),
            Value::Blob(vec![0, 255, 1]),
        ],
        [
            Value::Int(i64::MIN),
            Value::Real(-1e300),
            Value::Text(String::new()),
            Value::Blob(Vec::new()),
        ],
        [
            Value::Int(0),
            Value::Real(3.0),
            Value::Text("x".repeat(1_000_000)),
            Value::Blob(vec![7; 1_000_000]),
        ],
    ];
    sql.writing(|c| {
        for row in &rows {
            assert_eq!(
                c.execute("insert into t (n, x, s, b) values ($1, $2, $3, $4)", row)?,
                1
            );
        }
        Ok(())
    })
    .expect("written");
    let got = sql
        .reading(|c| c.query("select n, x, s, b from t order by id", &[]))
        .expect("read");
    assert_eq!(got.len(), rows.len());
    for (got, want) in got.iter().zip(&rows) {
        assert!(got.0 == want, "{:?}", got.0.iter().take(2).collect::<Vec<_>>());
    }
    assert_eq!(got[0].opt_int(0).expect("null"), None);
    assert_eq!(got[0].opt_text(2).expect("null"), None);
    assert!(matches!(got[0].int(0), Err(SqlError::Row(_))));
    assert!(matches!(got[1].text(0), Err(SqlError::Row(_))));
    assert!(matches!(got[1].int(9), Err(SqlError::Row(_))));
}

fn by_number(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let answer = sql
        .writing(|c| {
            c.execute("insert into t (s, n) values ($2, $1)", params![5, "five"])?;
            c.query(
                "select s, n from t where n = $2 and s = $1 and (n = $2 or s = $1)",
                params!["five", 5],
            )
        })
        .expect("asked");
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].0, [Value::Text("five".into()), Value::Int(5)]);
}

fn rows(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let list = serde_json::json!([
        {"s": "a", "n": 1, "x": 0.5},
        {"s": "ä \"' {id} $1", "n": 9_007_199_254_740_993_i64, "x": 2},
        {"s": null, "n": null, "x": null},
        {"s": "missing"},
    ]);
    sql.writing(|c| {
        let n = c.execute(
            "insert into t (s, n, x) select r.s, r.n, r.x from {rows $1 s text, n int, x real} r",
            params![&list],
        )?;
        assert_eq!(n, 4);
        Ok(())
    })
    .expect("written");
    let got = sql
        .reading(|c| c.query("select s, n, x from t order by id", &[]))
        .expect("read");
    assert_eq!(
        got[0].0,
        [Value::Text("a".into()), Value::Int(1), Value::Real(0.5)]
    );
    assert_eq!(got[1].text(0).expect("text"), "ä \"' {id} $1");
    assert_eq!(got[1].int(1).expect("exact"), 9_007_199_254_740_993);
    assert_eq!(got[2].0, [Value::Null, Value::Null, Value::Null]);
    assert_eq!(got[3].0[1..], [Value::Null, Value::Null]);
    let joined = sql
        .reading(|c| {
            c.query(
                "select t.s from t join {rows $1 n int} r on r.n = t.n where t.x < $2",
                params![&serde_json::json!([{"n": 1}, {"n": 7}]), 1.0],
            )
        })
        .expect("joined");
    assert_eq!(joined.len(), 1);
    let none = sql
        .reading(|c| {
            c.query(
                "select r.n from {rows $1 n int} r",
                params![&serde_json::json!([])],
            )
        })
        .expect("asked");
    assert!(none.is_empty());
}

fn rollback(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let failed = sql.writing(|c| {
        insert(c, 1)?;
        Err::<(), _>(SqlError::Other("no".into()))
    });
    assert!(matches!(failed, Err(SqlError::Other(t)) if t == "no"));
    let failed = sql.writing(|c| {
        insert(c, 1)?;
        c.query("select nothing from nowhere", &[])
    });
    assert!(failed.is_err());
    assert_eq!(count(&*sql), 0);
    sql.writing(|c| insert(c, 2)).expect("the next one works");
    assert_eq!(count(&*sql), 1);
}

fn constraint(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    sql.writing(|c| c.batch("create unique index t_n on t (n)"))
        .expect("made");
    sql.writing(|c| insert(c, 1)).expect("written");
    let failed = sql.writing(|c| {
        insert(c, 2)?;
        insert(c, 1)
    });
    assert!(matches!(failed, Err(SqlError::Constraint(_))), "{failed:?}");
    assert_eq!(count(&*sql), 1);
    let ignored = sql
        .writing(|c| c.execute("insert into t (n) values (1) on conflict (n) do nothing", &[]))
        .expect("ignored");
    assert_eq!(ignored, 0);
}

fn unexpected(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let none = sql.reading(|c| c.query_one("select n from t", &[]));
    assert!(matches!(none, Err(SqlError::Row(_))));
    assert!(
        sql.reading(|c| c.query_opt("select n from t", &[]))
            .expect("asked")
            .is_none()
    );
    assert!(sql.reading(|c| c.query("select from where", &[])).is_err());
}

fn order(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let mut texts = ["b", "a", "B", "ä", "a b", "a-b", "aB", "_", "1", "10", "2", "日"];
    sql.writing(|c| {
        for text in texts {
            c.execute("insert into t (s) values ($1)", params![text])?;
        }
        Ok(())
    })
    .expect("written");
    let got = sql
        .reading(|c| {
            c.query("select s from t order by s", &[])?
                .iter()
                .map(|r| r.text(0))
                .collect::<Result<Vec<_>, _>>()
        })
        .expect("read");
    texts.sort_unstable();
    assert_eq!(got, texts);
    let same = sql
        .reading(|c| c.query("select s from t where s = $1", params!["A"]))
        .expect("asked");
    assert!(same.is_empty(), "a is not A");
}

fn contains(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    sql.writing(|c| {
        for text in ["TypeError: 50% x_y", "typeerror", "other"] {
            c.execute("insert into t (s) values ($1)", params![text])?;
        }
        Ok(())
    })
    .expect("written");
    let test = sql.dialect().contains_ci("s", "$1");
    let found = |part: &str| {
        let text = format!("select s from t where {test}");
        sql.reading(|c| c.query(&text, params![part]))
            .expect("asked")
            .len()
    };
    assert_eq!(found("typeerror"), 2);
    assert_eq!(found("50%"), 1);
    assert_eq!(found("x_y"), 1);
    assert_eq!(found("x%y"), 0, "a sign of `like` is a letter");
    assert_eq!(found(""), 3);
}

fn generated(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let add = || {
        sql.writing(|c| {
            c.query_one("insert into t (n) values (1) returning id", &[])?
                .int(0)
        })
        .expect("written")
    };
    let (first, second) = (add(), add());
    assert!(second > first);
    sql.writing(|c| c.execute("delete from t where id = $1", params![second]))
        .expect("deleted");
    assert!(add() > second, "an id of something deleted came back");
}

fn upsert(open: Open<'_, dyn Sql>) {
    let sql = open();
    sql.writing(|c| {
        c.batch("create table k (name text primary key, n bigint not null, last bigint not null)")
    })
    .expect("made");
    let add = |list: serde_json::Value| {
        sql.writing(|c| {
            c.execute(
                "insert into k (name, n, last) select r.name, r.n, r.last \
                 from {rows $1 name text, n int, last int} r where true \
                 on conflict (name) do update set n = k.n + excluded.n, \
                 last = case when excluded.last > k.last then excluded.last else k.last end",
                params![&list],
            )
        })
        .expect("written")
    };
    add(serde_json::json!([{"name": "a", "n": 1, "last": 5}, {"name": "b", "n": 1, "last": 1}]));
    add(serde_json::json!([{"name": "a", "n": 2, "last": 3}, {"name": "c", "n": 9, "last": 9}]));
    let got = sql
        .reading(|c| {
            c.query(
                "select name, cast(sum(n) as bigint), max(last) from k group by name order by name",
                &[],
            )
        })
        .expect("read");
    let got: Vec<_> = got
        .iter()
        .map(|r| (r.text(0).ok(), r.int(1).ok(), r.int(2).ok()))
        .collect();
    let want = |name: &str, n, last| (Some(name.to_owned()), Some(n), Some(last));
    assert_eq!(got, [want("a", 3, 5), want("b", 1, 1), want("c", 9, 9)]);
}

fn reads(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    sql.writing(|c| insert(c, 1)).expect("written");
    sql.writing(|c| {
        insert(c, 2)?;
        assert_eq!(
            c.query_one("select count(*) from t", &[])?.int(0)?,
            2,
            "its own writes"
        );
        std::thread::scope(|scope| {
            let seen = scope.spawn(|| count(&*sql)).join().expect("read");
            assert_eq!(seen, 1, "not committed yet");
        });
        Ok(())
    })
    .expect("written");
    assert_eq!(count(&*sql), 2);
}

fn one_state(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    let number = |c: &mut dyn Connection| c.query_one("select count(*) from t", &[])?.int(0);
    let seen = sql.reading(|c| {
        let before = number(c)?;
        std::thread::scope(|scope| {
            let write = scope.spawn(|| sql.writing(|c| insert(c, 1)).expect("written"));
            write.join().expect("ran");
        });
        Ok((before, number(c)?))
    });
    assert_eq!(seen.expect("read"), (0, 0));
    assert_eq!(count(&*sql), 1);
}

fn writers(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    sql.writing(|c| insert(c, 0)).expect("written");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    sql.writing(|c| c.execute("update t set n = n + 1", &[]))
                        .expect("written");
                }
            });
        }
    });
    let n = sql
        .reading(|c| c.query_one("select n from t", &[])?.int(0))
        .expect("read");
    assert_eq!(n, 100);
}

fn restart(open: Open<'_, dyn Sql>) {
    let sql = made(open);
    sql.writing(|c| insert(c, 42)).expect("written");
    drop(sql);
    let sql = open();
    let n = sql
        .reading(|c| c.query_one("select n from t", &[])?.int(0))
        .expect("read");
    assert_eq!(n, 42);
}
