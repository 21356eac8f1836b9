//! Settings of the installation that its administrators change while it runs.

use serde_json::{Value, json};
use storage::relational::instance;
use storage::sql::{Connection, Result as SqlResult};

use crate::answer::{Answer, ApiError};
use crate::call::Call;

/// What administrators decided.
pub struct Options {
    /// Everybody who reaches the server may make an account.
    pub registration: bool,
    /// There is one organization, which new accounts join; only administrators make another.
    pub one: bool,
}

const REGISTRATION: &str = "registration";
const ONE: &str = "single-organization";

/// The settings in force; registration is off unless it was turned on.
pub fn read(c: &mut dyn Connection) -> SqlResult<Options> {
    let mut on = |name| Ok(instance::get(c, name)?.as_deref() == Some("on"));
    Ok(Options {
        registration: on(REGISTRATION)?,
        one: on(ONE)?,
    })
}

/// The settings.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let options = call.api.stores.sql.reading(|c| read(c))?;
    Ok(Answer::json(json!({
        "registration": options.registration, "singleOrganization": options.one,
        "sendsMail": call.api.sends_mail,
    })))
}

/// Changes settings: `{"registration"?, "singleOrganization"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut wanted = Vec::new();
    for (field, name) in [("registration", REGISTRATION), ("singleOrganization", ONE)] {
        match body.get(field) {
            None => {}
            Some(Value::Bool(on)) => wanted.push((name, if *on { "on" } else { "off" })),
            Some(_) => return Err(ApiError::field(field, "expected true or false")),
        }
    }
    let by = call.user()?.email.clone();
    call.api.stores.sql.writing(|c| {
        wanted
            .iter()
            .try_for_each(|(name, value)| instance::set(c, name, value))
    })?;
    for (name, value) in &wanted {
        tracing::info!(by, name, value, "a setting of the installation was changed");
    }
    get(call)
}
