//! Tokens of internal integrations: they act for the organization with the scopes of the integration. A token is shown
//! once, when it is made.

use serde_json::{Value, json};
use storage::relational::documents::Document;
use storage::relational::integration_tokens::{self as tokens, IntegrationToken};

use crate::access::INTEGRATION_TOKEN;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::kept::Kept as _;
use crate::kept::find;
use crate::kept::integrations::{Apps, demand_scopes, is_internal};
use crate::password::{new_secret, token_hash};
use crate::views::{time, time_opt};

/// Tokens that an integration may have.
const MOST: usize = 20;

fn view(app: &Document, t: &IntegrationToken, secret: Option<&str>) -> Value {
    json!({
        "id": t.id.to_string(), "scopes": app.body["scopes"], "token": secret, "refreshToken": null,
        "tokenLastCharacters": t.last_characters, "dateCreated": time(t.date_added),
        "dateLastUsed": time_opt(t.last_used), "createdBy": t.creator_id.map(|id| id.to_string()), "application": null,
        "expiresAt": null, "state": null,
    })
}

fn internal(call: &Call) -> Result<Document, ApiError> {
    let app = find(call, Apps::KIND)?;
    if is_internal(&app.body) {
        return Ok(app);
    }
    Err(ApiError::Bad(
        "Only an internal integration has tokens: make one with isInternal.".into(),
    ))
}

/// The tokens of an integration.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let app = internal(call)?;
    let all = call.api.stores.sql.reading(|c| tokens::list(c, app.id))?;
    crate::links::slice(call, all.iter().map(|t| view(&app, t, None)).collect(), 100)
}

/// Makes a token. Nobody gets more by it than they may themselves, and a token makes no other token.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let (app, user) = (internal(call)?, call.user_id()?);
    demand_scopes(call, &app.body)?;
    let secret = format!("{INTEGRATION_TOKEN}{}", new_secret());
    let mut token = IntegrationToken {
        id: 0,
        document: app.id,
        last_characters: secret[secret.len() - 4..].to_owned(),
        creator_id: Some(user),
        date_added: call.now(),
        last_used: None,
    };
    token.id = call.change(|c| {
        if tokens::list(c, app.id)?.len() >= MOST {
            return Err(ApiError::Bad(format!(
                "An integration has at most {MOST} tokens."
            )));
        }
        let id = tokens::add(c, &token, &token_hash(&secret))?;
        call.audit(
            c,
            "internal-integration.add-token",
            Some(id),
            &json!({ "name": app.label }),
        )?;
        Ok(id)
    })?;
    Ok(Answer::created(view(&app, &token, Some(&secret))))
}

/// Withdraws a token.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let (app, id) = (internal(call)?, call.number("token", "Token")?);
    call.change(|c| {
        if !tokens::remove(c, app.id, id)? {
            return Err(ApiError::missing("Token"));
        }
        call.audit(
            c,
            "internal-integration.remove-token",
            Some(id),
            &json!({ "name": app.label }),
        )
    })?;
    Ok(Answer::nothing())
}
