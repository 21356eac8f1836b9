//! The relational port's two drivers, and the migrations that both run.

pub mod postgres;
pub mod sqlite;

use storage::params;
use storage::sql::{Result, Sql};

/// Every migration: its name and its text. They are run in order, each once, each in a transaction.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "0001_start",
        include_str!("../../storage/migrations/0001_start.sql"),
    ),
    (
        "0002_set_aside",
        include_str!("../../storage/migrations/0002_set_aside.sql"),
    ),
    (
        "0003_regrouping",
        include_str!("../../storage/migrations/0003_regrouping.sql"),
    ),
    (
        "0004_listing",
        include_str!("../../storage/migrations/0004_listing.sql"),
    ),
    (
        "0005_busiest",
        include_str!("../../storage/migrations/0005_busiest.sql"),
    ),
    (
        "0006_people",
        include_str!("../../storage/migrations/0006_people.sql"),
    ),
    (
        "0007_releases",
        include_str!("../../storage/migrations/0007_releases.sql"),
    ),
    (
        "0008_mail",
        include_str!("../../storage/migrations/0008_mail.sql"),
    ),
    (
        "0009_accounts",
        include_str!("../../storage/migrations/0009_accounts.sql"),
    ),
    (
        "0010_sign_on",
        include_str!("../../storage/migrations/0010_sign_on.sql"),
    ),
    (
        "0011_sharing",
        include_str!("../../storage/migrations/0011_sharing.sql"),
    ),
    (
        "0012_artifacts",
        include_str!("../../storage/migrations/0012_artifacts.sql"),
    ),
    (
        "0013_reprocessing",
        include_str!("../../storage/migrations/0013_reprocessing.sql"),
    ),
];

/// Brings a database to this version's schema; a newer one is left alone.
///
/// # Errors
/// As the database says.
pub fn migrate(sql: &dyn Sql) -> Result<()> {
    apply(sql, MIGRATIONS)
}

/// Brings a database to the schema that it had before a migration.
#[cfg(test)]
pub fn migrate_before(sql: &dyn Sql, name: &str) -> Result<()> {
    let until = MIGRATIONS.iter().position(|(n, _)| *n == name);
    apply(sql, &MIGRATIONS[..until.expect("a migration")])
}

fn apply(sql: &dyn Sql, migrations: &[(&str, &str)]) -> Result<()> {
    sql.writing(|c| {
        c.batch("create table if not exists migrations (name text primary key)")?;
        for (name, text) in migrations {
            if c.query("select 1 from migrations where name = $1", params![*name])?
                .is_empty()
            {
                let text = c.dialect().render(text);
                c.batch(&text)?;
                c.execute("insert into migrations (name) values ($1)", params![*name])?;
            }
        }
        Ok(())
    })
}
