//! API tokens of the caller. A token is shown once, when it is made.

use serde_json::{Value, json};
use storage::relational::sessions::{self, Token};
use storage::relational::sign_on;

use crate::access::SCOPES;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::password::{new_secret, token_hash};
use crate::views::{time, time_opt};

fn view(t: &Token, secret: Option<&str>) -> Value {
    json!({
        "id": t.id.to_string(), "name": t.name, "scopes": t.scopes, "token": secret,
        "tokenLastCharacters": t.last_characters, "dateCreated": time(t.date_added),
        "dateLastUsed": time_opt(t.last_used), "application": null, "expiresAt": null, "state": null,
    })
}

/// The caller's tokens.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let id = call.user_id()?;
    let only_in = call.principal()?.only_in;
    let mut tokens = call.api.stores.sql.reading(|c| sessions::tokens(c, id))?;
    tokens.retain(|t| only_in.is_none() || t.org_id == only_in);
    Ok(Answer::json(
        tokens.iter().map(|t| view(t, None)).collect::<Vec<_>>(),
    ))
}

/// Makes a token: `{"name", "scopes"}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let name = body
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("")
        .trim()
        .to_owned();
    if name.chars().count() > 200 {
        return Err(ApiError::field("name", "use at most 200 characters"));
    }
    let scopes: Vec<String> = match body.get("scopes") {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|s| s.as_str().map(str::to_owned))
            .collect(),
        _ => vec![],
    };
    if scopes.is_empty() {
        return Err(ApiError::field("scopes", "choose at least one scope"));
    }
    if let Some(unknown) = scopes.iter().find(|s| !SCOPES.contains(&s.as_str())) {
        return Err(ApiError::field(
            "scopes",
            format!("there is no scope '{unknown}'"),
        ));
    }
    let secret = format!("sntryu_{}", new_secret());
    let last = &secret[secret.len() - 4..];
    let (user, now) = (call.user_id()?, call.now());
    // What a session may not enter, its tokens may not either.
    let only_in = call.principal()?.only_in;
    let id = call.api.stores.sql.writing(|c| {
        let id = sessions::add_token(c, user, &name, &token_hash(&secret), last, &scopes, now)?;
        if let Some(org) = only_in {
            sign_on::bind_token(c, id, org)?;
        }
        Ok(id)
    })?;
    let token = Token {
        id,
        user_id: user,
        name,
        last_characters: last.to_owned(),
        scopes,
        date_added: now,
        last_used: None,
        org_id: only_in,
    };
    Ok(Answer::created(view(&token, Some(&secret))))
}

/// Withdraws a token, named in the path or as `tokenId` in the body.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let user = call.user_id()?;
    let id = if call.param("token").is_empty() {
        let body = call.json()?;
        let named = body
            .get("tokenId")
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        named
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| ApiError::field("tokenId", "This field is required."))?
    } else {
        call.number("token", "Token")?
    };
    let only_in = call.principal()?.only_in;
    let removed = call.api.stores.sql.writing(|c| {
        let own = sessions::tokens(c, user)?;
        let found = own.iter().find(|t| t.id == id);
        if found.is_none_or(|t| only_in.is_some() && t.org_id != only_in) {
            return Ok(false);
        }
        sessions::remove_token(c, user, id)
    })?;
    if removed {
        Ok(Answer::nothing())
    } else {
        Err(ApiError::missing("Token"))
    }
}
