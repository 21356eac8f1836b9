//! Facts of the installation: a name and a text.

use crate::params;
use crate::sql::{Connection, Result};

/// The value of a name.
///
/// # Errors
/// As the database says; so for every function here.
pub fn get(c: &mut dyn Connection, name: &str) -> Result<Option<String>> {
    let row = c.query_opt("select value from instance where name = $1", params![name])?;
    row.map(|r| r.text(0)).transpose()
}

/// Sets a name's value.
pub fn set(c: &mut dyn Connection, name: &str, value: &str) -> Result<()> {
    c.execute(
        "insert into instance (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}
