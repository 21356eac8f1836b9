//! What is asked of the database: one module per noun, one SQL text per question, for both dialects.
//!
//! Functions take an open [`crate::sql::Connection`], so that a caller joins several into one transaction.

pub mod accounts;
pub mod activity;
pub mod artifacts;
pub mod aside;
pub mod attachments;
pub mod audit;
pub mod chunks;
pub mod commits;
pub mod debug_files;
pub mod discarded;
pub mod documents;
pub mod dump;
pub mod features;
pub mod hashes;
pub mod instance;
pub mod integration_tokens;
pub mod issues;
pub mod listing;
pub mod mails;
pub mod members;
pub mod oauth;
pub mod org_tokens;
pub mod outcomes;
pub mod ownership;
pub mod people;
pub mod personal;
pub mod positions;
pub mod projects;
pub mod regroup;
pub mod release_files;
pub mod releases;
pub mod repositories;
pub mod reprocessings;
pub mod sessions;
pub mod sharing;
pub mod sign_on;
pub mod stored_files;
pub mod teams;
pub mod versions;
pub mod whereabouts;

use crate::sql::{Connection, Result};

/// A connection that is lent to a question.
pub type C<'a> = &'a mut (dyn Connection + 'a);

/// Turns rows into values by a function.
fn all<T>(rows: Vec<crate::sql::Row>, read: impl Fn(&crate::sql::Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}

/// A JSON list for `{rows …}`.
fn list(rows: Vec<serde_json::Value>) -> String {
    let text = serde_json::Value::Array(rows).to_string();
    if !text.contains("\\u0000") {
        return text;
    }
    // JSON in PostgreSQL cannot hold NUL; its driver writes plain texts in the same way.
    let mut rows = serde_json::from_str(&text).unwrap_or_default();
    without_nul(&mut rows);
    rows.to_string()
}

fn without_nul(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(s) if s.contains('\0') => *s = s.replace('\0', "\u{fffd}"),
        serde_json::Value::Array(list) => list.iter_mut().for_each(without_nul),
        serde_json::Value::Object(map) => map.values_mut().for_each(without_nul),
        _ => {}
    }
}
