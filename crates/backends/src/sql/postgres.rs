//! PostgreSQL: a small pool of connections; values are converted by the types of the prepared statement.

use std::collections::HashMap;
use std::error::Error;

use parking_lot::Mutex;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, IsolationLevel, NoTls, Statement, Transaction};
use storage::sql::{Body, Connection, Dialect, Result, Row, Sql, SqlError, Value};

/// A database reached by a URL.
pub struct Postgres {
    config: postgres::Config,
    idle: Mutex<Vec<Link>>,
}

struct Link {
    client: Client,
    statements: HashMap<String, Statement>,
}

/// Connections that are kept open.
const IDLE: usize = 8;

impl Postgres {
    /// Connects to `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// [`SqlError`] if the URL is wrong or nobody answers.
    pub fn open(url: &str) -> Result<Postgres> {
        let mut config: postgres::Config = url
            .parse()
            .map_err(|e| SqlError::Other(format!("database URL: {e}")))?;
        config.application_name("vedette");
        let pool = Postgres {
            config,
            idle: Mutex::default(),
        };
        let link = pool.link()?;
        pool.idle.lock().push(link);
        Ok(pool)
    }

    fn link(&self) -> Result<Link> {
        while let Some(link) = { self.idle.lock().pop() } {
            if !link.client.is_closed() {
                return Ok(link);
            }
        }
        let client = self
            .config
            .connect(NoTls)
            .map_err(|e| SqlError::Unavailable(e.to_string()))?;
        Ok(Link {
            client,
            statements: HashMap::new(),
        })
    }

    fn run(&self, read_only: bool, body: Body<'_>) -> Result<()> {
        let mut link = self.link()?;
        let result = {
            let Link { client, statements } = &mut link;
            let transaction = client
                .build_transaction()
                .read_only(read_only)
                // A reader sees one state, as with SQLite; a writer what was committed before each statement.
                .isolation_level(if read_only {
                    IsolationLevel::RepeatableRead
                } else {
                    IsolationLevel::ReadCommitted
                })
                .start()
                .map_err(convert)?;
            let mut session = Session {
                transaction,
                statements,
            };
            body(&mut session).and_then(|()| session.transaction.commit().map_err(convert))
        };
        let mut idle = self.idle.lock();
        if idle.len() < IDLE && !link.client.is_closed() {
            idle.push(link);
        }
        result
    }
}

impl Sql for Postgres {
    fn read(&self, body: Body<'_>) -> Result<()> {
        self.run(true, body)
    }

    fn write(&self, body: Body<'_>) -> Result<()> {
        self.run(false, body)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }
}

struct Session<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<String, Statement>,
}

impl Session<'_> {
    fn statement(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let text = Dialect::Postgres.render(sql);
        let statement = self.transaction.prepare(&text).map_err(convert)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

#[derive(Debug)]
struct Param<'a>(&'a Value);

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Int(n) => match *ty {
                Type::BOOL => (*n != 0).to_sql(ty, out),
                Type::INT2 => i16::try_from(*n)?.to_sql(ty, out),
                Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
                Type::FLOAT8 => (*n as f64).to_sql(ty, out),
                Type::TEXT | Type::VARCHAR => n.to_string().to_sql(ty, out),
                _ => n.to_sql(ty, out),
            },
            Value::Real(x) => x.to_sql(ty, out),
            Value::Text(s) => match *ty {
                Type::JSONB => {
                    out.extend_from_slice(&[1]);
                    out.extend_from_slice(s.as_bytes());
                    Ok(IsNull::No)
                }
                // Text cannot hold NUL there.
                _ if s.contains('\0') => s.replace('\0', "\u{fffd}").to_sql(ty, out),
                _ => s.to_sql(ty, out),
            },
            Value::Blob(b) => b.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

struct Out(Value);

impl<'a> FromSql<'a> for Out {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Out(match *ty {
            Type::BOOL => Value::Int(i64::from(bool::from_sql(ty, raw)?)),
            Type::INT2 => Value::Int(i64::from(i16::from_sql(ty, raw)?)),
            Type::INT4 => Value::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA => Value::Blob(<Vec<u8>>::from_sql(ty, raw)?),
            _ => Value::Text(String::from_sql(ty, raw)?),
        }))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Out(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Connection for Session<'_> {
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let statement = self.statement(sql)?;
        let params: Vec<_> = params.iter().map(Param).collect();
        let params: Vec<_> = params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        let rows = self.transaction.query(&statement, &params).map_err(convert)?;
        rows.iter()
            .map(|row| {
                let values = (0..row.len()).map(|i| row.try_get::<_, Out>(i).map(|o| o.0).map_err(convert));
                values.collect::<Result<Vec<_>>>().map(Row)
            })
            .collect()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let statement = self.statement(sql)?;
        let params: Vec<_> = params.iter().map(Param).collect();
        let params: Vec<_> = params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        self.transaction.execute(&statement, &params).map_err(convert)
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.transaction.batch_execute(sql).map_err(convert)
    }

    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }
}

fn convert(e: postgres::Error) -> SqlError {
    let text = e.as_db_error().map_or_else(
        || e.to_string(),
        |d| format!("{}: {}", d.code().code(), d.message()),
    );
    match e
        .code()
        .map(|c| c.code().get(..2).unwrap_or_default().to_owned())
        .as_deref()
    {
        Some("23") => SqlError::Constraint(text),
        Some("53" | "57" | "58" | "25") => SqlError::Unavailable(text),
        None if e.is_closed() => SqlError::Unavailable(text),
        _ => SqlError::Other(text),
    }
}
