//! The relational port: one SQL text per question, run by two drivers (SQLite, PostgreSQL).
//!
//! The portable subset, and its traps:
//! * placeholders are `$1…`; the SQLite driver binds them **by name**, as SQLite numbers them by appearance
//! * no `ilike`, `now()`, `::type`, arrays, `greatest`, `for update`, data-changing CTEs; no bare `like`
//!   (case-insensitive on SQLite, case-sensitive on PostgreSQL): compare `lower(x)` with `instr`-free patterns
//!   through [`Dialect::contains_ci`]
//! * `sum(bigint)` is `numeric` on PostgreSQL: write `cast(sum(n) as bigint)`
//! * text order is bytewise in both: the PostgreSQL database is created with the collation `C`
//! * ids and times are `bigint` (µs), UUIDs and JSON are text, booleans are `bigint` 0 or 1
//! * bulk input is one JSON parameter: `{rows $1 hash text, n int}` becomes a derived table of its elements
//!
//! A transaction is one closure that never waits for anything else; see [`Sql::write`].

use std::borrow::Cow;
use std::fmt;

/// A value that goes in or comes out.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// SQL null.
    Null,
    /// Integers, times (µs) and booleans (0, 1).
    Int(i64),
    /// Floating point.
    Real(f64),
    /// Text and JSON.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

macro_rules! from {
    ($($t:ty => $v:ident($e:expr)),* $(,)?) => {
        $(impl From<$t> for Value { fn from(x: $t) -> Value { let f: fn($t) -> _ = $e; Value::$v(f(x)) } })*
    };
}
from! {
    i64 => Int(|x| x),
    i32 => Int(i64::from),
    u32 => Int(i64::from),
    u64 => Int(|x| i64::try_from(x).unwrap_or(i64::MAX)),
    usize => Int(|x| i64::try_from(x).unwrap_or(i64::MAX)),
    bool => Int(i64::from),
    f64 => Real(|x| x),
    String => Text(|x| x),
    &str => Text(str::to_owned),
    &String => Text(Clone::clone),
    Vec<u8> => Blob(|x| x),
    &[u8] => Blob(<[u8]>::to_vec),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(x: Option<T>) -> Value {
        x.map_or(Value::Null, Into::into)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(x: &serde_json::Value) -> Value {
        Value::Text(x.to_string())
    }
}

/// Builds a parameter list: `params![1, "a"]`.
#[macro_export]
macro_rules! params {
    ($($x:expr),* $(,)?) => { &[$($crate::sql::Value::from($x)),*] };
}

/// What a statement can fail with.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// A unique or other constraint forbids it.
    #[error("constraint: {0}")]
    Constraint(String),
    /// The database cannot be written now: full, read-only or busy for too long.
    #[error("the database cannot be written: {0}")]
    Unavailable(String),
    /// A row did not hold what the query expects: an error in the query.
    #[error("unexpected row: {0}")]
    Row(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, SqlError>;

/// One row of an answer; columns are read by position.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn wrong<T>(&self, i: usize, want: &str) -> Result<T> {
        Err(SqlError::Row(format!(
            "column {i}: expected {want}, found {:?}",
            self.0.get(i)
        )))
    }

    /// An integer or time.
    ///
    /// # Errors
    /// [`SqlError::Row`] if the column is null or something else; so for the readers below.
    pub fn int(&self, i: usize) -> Result<i64> {
        match self.0.get(i) {
            Some(Value::Int(n)) => Ok(*n),
            _ => self.wrong(i, "an integer"),
        }
    }

    /// An integer that may be null.
    pub fn opt_int(&self, i: usize) -> Result<Option<i64>> {
        match self.0.get(i) {
            Some(Value::Null) => Ok(None),
            _ => self.int(i).map(Some),
        }
    }

    /// A boolean.
    pub fn bool(&self, i: usize) -> Result<bool> {
        self.int(i).map(|n| n != 0)
    }

    /// A text.
    pub fn text(&self, i: usize) -> Result<String> {
        match self.0.get(i) {
            Some(Value::Text(s)) => Ok(s.clone()),
            _ => self.wrong(i, "a text"),
        }
    }

    /// A text that may be null.
    pub fn opt_text(&self, i: usize) -> Result<Option<String>> {
        match self.0.get(i) {
            Some(Value::Null) => Ok(None),
            _ => self.text(i).map(Some),
        }
    }

    /// JSON kept as text.
    pub fn json(&self, i: usize) -> Result<serde_json::Value> {
        let text = self.text(i)?;
        serde_json::from_str(&text).map_err(|e| SqlError::Row(format!("column {i}: {e}")))
    }

    /// Bytes.
    pub fn blob(&self, i: usize) -> Result<Vec<u8>> {
        match self.0.get(i) {
            Some(Value::Blob(b)) => Ok(b.clone()),
            _ => self.wrong(i, "bytes"),
        }
    }
}

/// The two languages, and the only places where they differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// SQLite 3.40 or later.
    Sqlite,
    /// PostgreSQL 13 or later.
    Postgres,
}

impl Dialect {
    /// The clause that locks chosen rows against other workers; SQLite has one writer and needs none.
    pub fn lock_rows(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => "for update skip locked",
        }
    }

    /// Whether a column's lower-cased text contains the parameter (which is lower-cased already).
    pub fn contains_ci(self, column: &str, parameter: &str) -> String {
        match self {
            Dialect::Sqlite => format!("instr(lower({column}), {parameter}) > 0"),
            Dialect::Postgres => format!("position({parameter} in lower({column})) > 0"),
        }
    }

    /// Fills in what differs: `{id}` (a generated key), `{blob}`, and `{rows $1 a text, n int}` (a derived
    /// table of the JSON array's objects; `int`, `real` and `text` are its types).
    pub fn render(self, sql: &str) -> Cow<'_, str> {
        if !sql.contains('{') {
            return Cow::Owned(sql.to_owned());
        }
        let mut out = String::with_capacity(sql.len() + 64);
        let mut rest = sql;
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}') else {
                break;
            };
            out.push_str(&rest[..open]);
            self.token(&rest[open + 1..open + close], &mut out);
            rest = &rest[open + close + 1..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    fn token(self, token: &str, out: &mut String) {
        use fmt::Write as _;
        if token == "id" {
            out.push_str(match self {
                Dialect::Sqlite => "integer primary key autoincrement",
                Dialect::Postgres => "bigint generated by default as identity primary key",
            });
        } else if token == "blob" {
            out.push_str(match self {
                Dialect::Sqlite => "blob",
                Dialect::Postgres => "bytea",
            });
        } else if token == "strict" {
            out.push_str(match self {
                Dialect::Sqlite => "strict",
                Dialect::Postgres => "",
            });
        } else if token == "bigint" {
            out.push_str(match self {
                Dialect::Sqlite => "integer",
                Dialect::Postgres => "bigint",
            });
        } else if let Some((parameter, columns)) = token.strip_prefix("rows ").and_then(|t| t.split_once(' '))
        {
            let columns = columns.split(',').filter_map(|c| c.trim().split_once(' '));
            match self {
                Dialect::Sqlite => {
                    out.push_str("(select ");
                    for (i, (name, _)) in columns.enumerate() {
                        let comma = if i == 0 { "" } else { ", " };
                        let _ = write!(out, "{comma}value ->> '$.{name}' as {name}");
                    }
                    let _ = write!(out, " from json_each({parameter}))");
                }
                Dialect::Postgres => {
                    let _ = write!(
                        out,
                        "(select * from jsonb_to_recordset(cast({parameter} as jsonb)) as r("
                    );
                    for (i, (name, kind)) in columns.enumerate() {
                        let comma = if i == 0 { "" } else { ", " };
                        let kind = match kind {
                            "int" => "bigint",
                            "real" => "double precision",
                            other => other,
                        };
                        let _ = write!(out, "{comma}{name} {kind}");
                    }
                    out.push_str("))");
                }
            }
        } else {
            let _ = write!(out, "{{{token}}}");
        }
    }
}

/// A connection inside a read or a transaction.
pub trait Connection {
    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// [`SqlError`] as the database says; so for `execute`.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>>;

    /// Runs a statement and returns how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64>;

    /// Runs several statements without parameters (migrations).
    fn batch(&mut self, sql: &str) -> Result<()>;

    /// The language it speaks.
    fn dialect(&self) -> Dialect;
}

impl dyn Connection + '_ {
    /// The first row, if any.
    ///
    /// # Errors
    /// As [`Connection::query`].
    pub fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// The first row, which must be there.
    ///
    /// # Errors
    /// As [`Connection::query`]; [`SqlError::Row`] if there is none.
    pub fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row> {
        self.query_opt(sql, params)?
            .ok_or_else(|| SqlError::Row("expected a row, found none".into()))
    }
}

/// The body of a read or a transaction.
pub type Body<'a> = &'a mut dyn FnMut(&mut dyn Connection) -> Result<()>;

/// A database. Synchronous: call it from a thread that may block.
pub trait Sql: Send + Sync {
    /// Runs a closure that only reads.
    ///
    /// # Errors
    /// What the closure answers, or why no connection could be had.
    fn read(&self, body: Body<'_>) -> Result<()>;

    /// Runs a closure in one transaction, committed and durable when this returns `Ok`. SQLite runs one at a
    /// time.
    ///
    /// # Errors
    /// What the closure answers (then nothing was changed), or why the commit failed.
    fn write(&self, body: Body<'_>) -> Result<()>;

    /// The language it speaks.
    fn dialect(&self) -> Dialect;
}

impl dyn Sql + '_ {
    /// [`Sql::read`] with a value.
    ///
    /// # Errors
    /// As [`Sql::read`].
    pub fn reading<T>(&self, mut body: impl FnMut(&mut dyn Connection) -> Result<T>) -> Result<T> {
        let mut out = None;
        self.read(&mut |c| {
            out = Some(body(c)?);
            Ok(())
        })?;
        out.ok_or_else(|| SqlError::Other("the read did not run".into()))
    }

    /// [`Sql::write`] with a value.
    ///
    /// # Errors
    /// As [`Sql::write`].
    pub fn writing<T>(&self, mut body: impl FnMut(&mut dyn Connection) -> Result<T>) -> Result<T> {
        let mut out = None;
        self.write(&mut |c| {
            out = Some(body(c)?);
            Ok(())
        })?;
        out.ok_or_else(|| SqlError::Other("the transaction did not run".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_render_for_both() {
        let sql = "select r.a from {rows $1 a text, n int} r where n > $2";
        assert_eq!(
            Dialect::Sqlite.render(sql),
            "select r.a from (select value ->> '$.a' as a, value ->> '$.n' as n from json_each($1)) r where n > $2"
        );
        assert_eq!(
            Dialect::Postgres.render(sql),
            "select r.a from (select * from jsonb_to_recordset(cast($1 as jsonb)) as r(a text, n bigint)) r where n > $2"
        );
    }
}
