//! SQLite: one writer, readers of their own, write-ahead log, every commit synced.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::types::{ToSqlOutput, Value as Raw, ValueRef};
use rusqlite::{Connection as Db, ErrorCode, OpenFlags, ToSql};
use storage::sql::{Body, Connection, Dialect, Result, Row, Sql, SqlError, Value};

/// A database file.
pub struct Sqlite {
    path: PathBuf,
    writer: Mutex<Db>,
    readers: Mutex<Vec<Db>>,
}

/// Readers that are kept open.
const IDLE_READERS: usize = 8;

fn open(path: &Path, write: bool) -> rusqlite::Result<Db> {
    let flags = if write {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let db = Db::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(10))?;
    db.set_prepared_statement_cache_capacity(256);
    if write {
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.pragma_update(None, "wal_autocheckpoint", 4000)?;
    }
    db.pragma_update(None, "foreign_keys", "on")?;
    db.pragma_update(None, "temp_store", "memory")?;
    db.pragma_update(None, "cache_size", if write { -16_000 } else { -2_000 })?;
    Ok(db)
}

impl Sqlite {
    /// Opens or creates a database file.
    ///
    /// # Errors
    /// As SQLite says.
    pub fn open(path: &Path) -> Result<Sqlite> {
        let writer = open(path, true).map_err(convert)?;
        Ok(Sqlite {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        })
    }
}

impl Sql for Sqlite {
    fn read(&self, body: Body<'_>) -> Result<()> {
        let idle = self.readers.lock().pop();
        let mut db = match idle {
            Some(db) => db,
            None => open(&self.path, false).map_err(convert)?,
        };
        let result = {
            let transaction = db.transaction().map_err(convert)?;
            body(&mut Session(&transaction))
        };
        let mut readers = self.readers.lock();
        if readers.len() < IDLE_READERS {
            readers.push(db);
        }
        result
    }

    fn write(&self, body: Body<'_>) -> Result<()> {
        let mut db = self.writer.lock();
        let transaction = db
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(convert)?;
        body(&mut Session(&transaction))?;
        transaction.commit().map_err(convert)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
}

struct Session<'a>(&'a Db);

struct Param<'a>(&'a Value);

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Raw::Null),
            Value::Int(n) => ToSqlOutput::Owned(Raw::Integer(*n)),
            Value::Real(x) => ToSqlOutput::Owned(Raw::Real(*x)),
            Value::Text(s) => ToSqlOutput::Borrowed(ValueRef::Text(s.as_bytes())),
            Value::Blob(b) => ToSqlOutput::Borrowed(ValueRef::Blob(b)),
        })
    }
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> Result<()> {
    for (i, value) in params.iter().enumerate() {
        // By name: SQLite takes `$2` as a name and numbers it by where it appears first.
        if let Some(index) = statement
            .parameter_index(&format!("${}", i + 1))
            .map_err(convert)?
        {
            statement
                .raw_bind_parameter(index, Param(value))
                .map_err(convert)?;
        }
    }
    Ok(())
}

impl Connection for Session<'_> {
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let text = Dialect::Sqlite.render(sql);
        let mut statement = self.0.prepare_cached(&text).map_err(convert)?;
        bind(&mut statement, params)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(convert)? {
            let mut values = Vec::with_capacity(columns);
            for i in 0..columns {
                values.push(match row.get_ref(i).map_err(convert)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(n) => Value::Int(n),
                    ValueRef::Real(x) => Value::Real(x),
                    ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
                    ValueRef::Blob(b) => Value::Blob(b.to_vec()),
                });
            }
            out.push(Row(values));
        }
        Ok(out)
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let text = Dialect::Sqlite.render(sql);
        let mut statement = self.0.prepare_cached(&text).map_err(convert)?;
        bind(&mut statement, params)?;
        statement.raw_execute().map(|n| n as u64).map_err(convert)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.0.execute_batch(sql).map_err(convert)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
}

fn convert(e: rusqlite::Error) -> SqlError {
    let text = e.to_string();
    match e.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => SqlError::Constraint(text),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen,
        ) => SqlError::Unavailable(text),
        _ => SqlError::Other(text),
    }
}
