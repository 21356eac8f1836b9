//! Tokens of an organization, for builds: no user stands behind them. A token is shown once, when it is made.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Map, Value, json};
use storage::relational::org_tokens::{self, OrgToken};
use storage::sql::Connection;

use crate::access::ORG_TOKEN;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::token_hash;
use crate::views::{time, time_opt};

/// What such a token may do.
const SCOPE: &str = "org:ci";

fn view(t: &OrgToken, secret: Option<&str>) -> Value {
    let mut view = json!({
        "id": t.id.to_string(), "name": t.name, "scopes": t.scopes, "tokenLastCharacters": t.last_characters,
        "dateCreated": time(t.date_added), "dateLastUsed": time_opt(t.last_used), "projectLastUsedId": null,
        "createdBy": t.creator_id.map(|id| id.to_string()),
    });
    if let Some(secret) = secret {
        view["token"] = json!(secret);
    }
    view
}

/// A new token. Its middle part tells `sentry-cli` where to go and for which organization.
fn new_token(call: &Call, slug: &str) -> String {
    let url = &*call.api.url;
    let seconds = call.now() as f64 / 1e6;
    let says = json!({ "iat": seconds, "url": url, "region_url": url, "org": slug }).to_string();
    let secret = [*uuid::Uuid::new_v4().as_bytes(), *uuid::Uuid::new_v4().as_bytes()].concat();
    format!(
        "{ORG_TOKEN}{}_{}",
        STANDARD.encode(says),
        STANDARD_NO_PAD.encode(secret)
    )
}

fn name(body: &Map<String, Value>) -> Result<String, ApiError> {
    match body.get("name").and_then(Value::as_str).map(str::trim) {
        None | Some("") => Err(ApiError::field("name", "The name cannot be blank.")),
        Some(name) if name.chars().count() > 255 => {
            Err(ApiError::field("name", "use at most 255 characters"))
        }
        Some(name) => Ok(name.to_owned()),
    }
}

fn find(call: &Call, c: &mut dyn Connection) -> Result<OrgToken, ApiError> {
    let (org, id) = (call.organization()?.id, call.number("token", "Token")?);
    org_tokens::find(c, org, id)?.ok_or_else(|| ApiError::missing("Token"))
}

/// The tokens.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let all = call.api.stores.sql.reading(|c| org_tokens::list(c, org))?;
    crate::links::slice(call, all.iter().map(|t| view(t, None)).collect(), 100)
}

/// One token.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let found = call.api.stores.sql.reading(|c| Ok(find(call, c)))??;
    Ok(Answer::json(view(&found, None)))
}

/// Makes a token: `{"name"}`. A token makes no other token.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let (name, user) = (name(&call.json()?)?, call.user_id()?);
    let organization = call.organization()?;
    let secret = new_token(call, &organization.slug);
    let mut token = OrgToken {
        id: 0,
        org_id: organization.id,
        name,
        last_characters: secret[secret.len() - 4..].to_owned(),
        scopes: vec![SCOPE.to_owned()],
        creator_id: Some(user),
        date_added: call.now(),
        last_used: None,
    };
    token.id = call.change(|c| {
        let id = org_tokens::add(c, &token, &token_hash(&secret))?;
        call.audit(
            c,
            "org-auth-token.create",
            Some(id),
            &json!({ "name": token.name }),
        )?;
        Ok(id)
    })?;
    Ok(Answer::created(view(&token, Some(&secret))))
}

/// Changes a token's name: `{"name"}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let name = name(&call.json()?)?;
    call.change(|c| {
        let token = find(call, c)?;
        org_tokens::rename(c, token.id, &name)?;
        call.audit(c, "org-auth-token.edit", Some(token.id), &json!({ "name": name }))
    })?;
    Ok(Answer::nothing())
}

/// Withdraws a token.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    call.change(|c| {
        let token = find(call, c)?;
        org_tokens::remove(c, token.id)?;
        call.audit(
            c,
            "org-auth-token.remove",
            Some(token.id),
            &json!({ "name": token.name }),
        )
    })?;
    Ok(Answer::nothing())
}
