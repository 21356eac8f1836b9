//! A document as a kind's view sees it.

use serde_json::{Value, json};
use storage::relational::documents::Document;
use storage::relational::people::User;
use storage::relational::projects::Project;

use crate::call::Call;
use crate::fields::Body;
use crate::views;

/// A document with what is around it.
pub struct Shown<'a> {
    /// The call that asks for it.
    pub call: &'a Call,
    /// The document.
    pub document: &'a Document,
    /// The projects of the organization.
    pub projects: &'a [Project],
    /// Who made it.
    pub user: Option<&'a User>,
    /// It is asked for itself, not in a list.
    pub full: bool,
}

impl Shown<'_> {
    /// The number as a text.
    pub fn id(&self) -> String {
        self.document.id.to_string()
    }

    /// The organization's number as a text.
    pub fn org(&self) -> String {
        self.document.org.to_string()
    }

    /// The project it belongs to.
    pub fn project(&self) -> Option<&Project> {
        self.projects.iter().find(|p| Some(p.id) == self.document.project)
    }

    /// Who made it, in full.
    pub fn creator(&self) -> Value {
        self.user.map_or(Value::Null, person)
    }

    /// When it was made.
    pub fn made(&self) -> Value {
        views::time(self.document.date_added)
    }

    /// When it was last changed.
    pub fn changed(&self) -> Value {
        views::time(self.document.last_updated)
    }
}

/// Somebody in full.
pub fn person(user: &User) -> Value {
    let mut view = views::people::me(user);
    let rest = json!({
        "isSuspended": false, "lastActive": view["lastLogin"], "experiments": {}, "identities": [],
        "authenticators": [], "canReset2fa": false,
    });
    views::constant::complete(&mut view, rest);
    view["avatarUrl"] = json!("");
    view
}

/// Names somebody as `user:1`, `team:1`; in the answer it is `{type, id, name}`.
pub fn actor(body: &Body, name: &str) -> Value {
    match body
        .get(name)
        .and_then(Value::as_str)
        .and_then(|t| t.split_once(':'))
    {
        Some((kind @ ("user" | "team"), id)) => json!({ "type": kind, "id": id, "name": id }),
        _ => Value::Null,
    }
}

/// Puts values into an answer.
pub fn put(out: &mut Body, values: Value) {
    if let Value::Object(values) = values {
        out.extend(values);
    }
}

/// Leaves keys out whose value is null.
pub fn without_null(out: &mut Body, names: &[&str]) {
    for name in names {
        if out.get(*name).is_some_and(Value::is_null) {
            out.remove(*name);
        }
    }
}
