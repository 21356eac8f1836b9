//! From what is stored to what is answered: Sentry's shapes, built here and nowhere else.

pub mod audit;
pub mod constant;
pub mod entries;
pub mod event;
pub mod files;
pub mod issue;
pub mod members;
pub mod people;
pub mod project;
pub mod release;
pub mod shared;
pub mod teams;

use protocol::time::format_rfc3339;
use serde_json::Value;

/// A time as clients read it: UTC with `Z`.
pub fn time(us: i64) -> Value {
    Value::String(format_rfc3339(us))
}

/// A time that may be absent.
pub fn time_opt(us: Option<i64>) -> Value {
    us.map_or(Value::Null, time)
}
