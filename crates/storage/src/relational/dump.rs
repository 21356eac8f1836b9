//! Whole tables as JSON, for backups: the same on both databases, so that one restores what the other wrote.

use serde_json::{Value as Json, json};

use crate::params;
use crate::sql::{Connection, Dialect, Result, SqlError, Value};

/// Every table whose rows a backup keeps, those first that others refer to; what a column is ordered by makes
/// pages. `packs` is left out: it says where bytes lie, which a restored pack does anew;
/// `ceremonies` and `chunks` as well: what is half done is begun again.
pub const TABLES: &[(&str, &str)] = &[
    ("organizations", "id"),
    ("users", "id"),
    ("members", "id"),
    ("invitations", "member_id"),
    ("projects", "id"),
    ("teams", "id"),
    ("team_members", "team_id, member_id"),
    ("project_teams", "project_id, team_id"),
    ("organization_redirects", "slug"),
    ("project_redirects", "org_id, slug"),
    ("removed_projects", "id"),
    ("project_keys", "id"),
    ("sessions", "token_hash"),
    ("api_tokens", "id"),
    ("authenticators", "user_id"),
    ("recovery_codes", "user_id, code_hash"),
    ("passkeys", "id"),
    ("org_tokens", "id"),
    ("audit_log", "id"),
    ("issues", "id"),
    ("issue_hashes", "id"),
    ("hash_hours", "hash_id, hour"),
    ("hash_users", "hash_id, day"),
    ("hash_features", "hash_id"),
    ("tombstones", "project_id, hash"),
    ("replaced_events", "project_id, seq"),
    ("reprocessings", "id"),
    ("issue_redirects", "issue_id"),
    ("discarded_issues", "id"),
    ("discarded_hashes", "project_id, hash"),
    ("releases", "id"),
    ("release_details", "org_id, version"),
    ("repositories", "id"),
    ("commits", "id"),
    ("commit_files", "commit_id, path"),
    ("release_commits", "org_id, version, position"),
    ("deploys", "id"),
    ("code_mappings", "id"),
    ("project_repositories", "id"),
    ("ownership", "project_id"),
    ("ownership_position", "id"),
    ("documents", "id"),
    ("environments", "project_id, name"),
    ("activity", "id"),
    ("bookmarks", "issue_id, user_id"),
    ("seen", "issue_id, user_id"),
    ("subscriptions", "issue_id, user_id"),
    ("shared_issues", "issue_id"),
    ("outcomes", "project_id, hour, outcome, category, reason"),
    ("discards", "project_id, event_id"),
    ("attachments", "id"),
    ("stored_files", "blob"),
    ("artifact_bundles", "id"),
    ("artifact_bundle_projects", "bundle_id, project_id"),
    ("artifact_bundle_releases", "bundle_id, version, dist"),
    ("artifact_bundle_files", "id"),
    ("release_files", "id"),
    ("debug_files", "id"),
    ("applied", "source"),
    ("poison", "id"),
    ("mails", "id"),
    ("notification_settings", "user_id, project_id, kind"),
    ("password_resets", "token_hash"),
    ("sso_providers", "org_id"),
    ("sso_identities", "id"),
    ("sso_logins", "state_hash"),
    ("oauth_applications", "id"),
    ("oauth_grants", "id"),
    ("oauth_codes", "code_hash"),
    ("oauth_tokens", "id"),
    ("integration_tokens", "id"),
    ("instance", "name"),
];

/// Tables that a backup leaves out.
pub const LEFT_OUT: &[&str] = &["migrations", "packs", "ceremonies", "chunks"];

/// Rows of a page.
const PAGE: i64 = 1000;

/// The columns of a table, by name.
///
/// # Errors
/// As the database says; so for every function here.
pub fn columns(c: &mut dyn Connection, table: &str) -> Result<Vec<String>> {
    let text = match c.dialect() {
        Dialect::Sqlite => "select name from pragma_table_info($1) order by cid",
        Dialect::Postgres => {
            "select column_name::text from information_schema.columns \
             where table_name = $1 and table_schema = current_schema() order by ordinal_position"
        }
    };
    c.query(text, params![table])?.iter().map(|r| r.text(0)).collect()
}

fn write(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(n) => json!(n),
        Value::Real(x) => json!({ "real": x }),
        Value::Text(s) => json!(s),
        Value::Blob(b) => {
            let hex: String = b.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "blob": hex })
        }
    }
}

fn read(value: &Json) -> Result<Value> {
    let wrong = || SqlError::Row(format!("a backup holds {value} as a value"));
    Ok(match value {
        Json::Null => Value::Null,
        Json::Number(n) => Value::Int(n.as_i64().ok_or_else(wrong)?),
        Json::String(s) => Value::Text(s.clone()),
        Json::Object(o) => match (o.get("real"), o.get("blob").and_then(Json::as_str)) {
            (Some(x), _) => Value::Real(x.as_f64().ok_or_else(wrong)?),
            (_, Some(hex)) if hex.len() % 2 == 0 => {
                let byte = |i: usize| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
                let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
                Value::Blob(bytes.ok_or_else(wrong)?)
            }
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    })
}

/// Shows the rows of a table, a page at a time: each a list of values in the order of [`columns`].
pub fn table(
    c: &mut dyn Connection,
    (table, order): (&str, &str),
    see: &mut dyn FnMut(Json) -> Result<()>,
) -> Result<()> {
    let names = columns(c, table)?.join(", ");
    let mut offset = 0;
    loop {
        let text = format!("select {names} from {table} order by {order} limit $1 offset $2");
        let rows = c.query(&text, params![PAGE, offset])?;
        if rows.is_empty() {
            return Ok(());
        }
        offset += rows.len() as i64;
        let row = |r: &crate::sql::Row| r.0.iter().map(write).collect::<Json>();
        see(rows.iter().map(row).collect())?;
    }
}

/// Puts rows that [`table`] showed into a table that may have columns more by now.
pub fn load(c: &mut dyn Connection, table: &str, names: &[String], rows: &Json) -> Result<()> {
    let known = columns(c, table)?;
    if !TABLES.iter().any(|(t, _)| *t == table) || names.iter().any(|n| !known.contains(n)) {
        return Err(SqlError::Row(format!(
            "the backup has a table {table} ({}) that this version does not know",
            names.join(", ")
        )));
    }
    let places: Vec<String> = (1..=names.len()).map(|i| format!("${i}")).collect();
    let text = format!(
        "insert into {table} ({}) values ({})",
        names.join(", "),
        places.join(", ")
    );
    for row in rows.as_array().into_iter().flatten() {
        let values = row
            .as_array()
            .into_iter()
            .flatten()
            .map(read)
            .collect::<Result<Vec<_>>>()?;
        c.execute(&text, &values)?;
    }
    Ok(())
}

/// After [`load`]: generated keys go on behind the loaded ones.
pub fn loaded(c: &mut dyn Connection) -> Result<()> {
    for (table, order) in TABLES {
        // Numbers of these are given by somebody else.
        if *order == "id" && *table != "removed_projects" {
            after_numbered(c, table)?;
        }
    }
    Ok(())
}

/// After rows were written with numbers of their own: generated ones go on behind them.
pub(super) fn after_numbered(c: &mut dyn Connection, table: &str) -> Result<()> {
    if c.dialect() == Dialect::Postgres {
        c.query(
            &format!(
                "select setval(pg_get_serial_sequence('{table}', 'id'), \
                 coalesce((select max(id) from {table}), 0) + 1, false)"
            ),
            &[],
        )?;
    }
    Ok(())
}
