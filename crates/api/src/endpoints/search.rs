//! What the search box can suggest.

use protocol::table::Type;
use serde_json::{Value, json};
use storage::search::keys::ISSUE_KEYS;

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// Every key of the search language: `{key, kind, doc, values?}`.
pub fn fields(call: &Call) -> Result<Answer, ApiError> {
    let mut out: Vec<Value> = ISSUE_KEYS
        .iter()
        .map(|k| json!({ "key": k.name, "kind": k.kind, "doc": k.doc, "values": k.values }))
        .collect();
    out.push(json!({ "key": "has", "kind": "key", "doc": "the event has something under this key" }));
    for column in call.api.stores.catalog.errors.columns {
        let kind = match column.kind {
            Type::Text | Type::Texts | Type::SharedTexts | Type::Words => "text",
            Type::Int | Type::Float => "number",
            Type::Bool => "boolean",
            Type::Time => "date",
        };
        let values: &[&str] = match column.name {
            "level" => &["fatal", "error", "warning", "info", "debug"],
            "release" => &["latest"],
            _ if column.kind == Type::Bool => &["true", "false"],
            _ => &[],
        };
        out.push(json!({ "key": column.name, "kind": kind, "doc": column.doc, "values": values }));
    }
    for (key, kind, doc) in [
        ("id", "text", "the id of the event"),
        ("timestamp", "date", "when the event happened"),
        ("project", "text", "the slug of the project"),
        ("release.version", "text", "the version in the release"),
        ("release.package", "text", "the package in the release"),
        ("release.build", "text", "the build in the release"),
    ] {
        out.push(json!({ "key": key, "kind": kind, "doc": doc }));
    }
    Ok(Answer::json(out))
}
