//! Applications that ask users to act in their name (OAuth), as who registered them sees them, and what the caller
//! allowed to applications.

use serde_json::{Value, json};
use storage::relational::oauth::{self, Application, Grant};
use storage::sql::Connection;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};
use crate::password::{new_secret, token_hash};
use crate::views::time;

/// Applications that somebody may register.
const MOST: usize = 100;
/// Addresses of one.
const ADDRESSES: usize = 50;

fn view(a: &Application, secret: Option<&str>) -> Value {
    json!({
        "id": a.client_id, "clientID": a.client_id, "clientSecret": secret, "isPublic": a.secret_hash.is_none(),
        "name": a.name, "homepageUrl": a.homepage, "privacyUrl": a.privacy, "termsUrl": a.terms,
        "redirectUris": a.redirect_uris, "allowedOrigins": a.allowed_origins, "dateCreated": time(a.date_added),
    })
}

/// Whether answers may be sent to an address: https, this machine by http, or a scheme of an app, which is named after
/// a domain (RFC 8252). Nothing that a browser would run.
pub fn is_redirect(uri: &str) -> bool {
    let plain = uri
        .bytes()
        .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>'));
    let Some((scheme, rest)) = uri.split_once(':') else {
        return false;
    };
    if !plain || uri.len() > 1000 || uri.contains('#') {
        return false;
    }
    let authority = rest.strip_prefix("//").and_then(|r| r.split(['/', '?']).next());
    let host = authority.filter(|a| !a.is_empty() && !a.contains('@'));
    match scheme {
        "https" => host.is_some(),
        "http" => host.is_some_and(|h| {
            let name = match h.strip_prefix('[') {
                Some(rest) => match rest.split_once(']') {
                    Some((name, port)) if port.is_empty() || port.starts_with(':') => name,
                    _ => "",
                },
                None => h.split(':').next().unwrap_or(""),
            };
            matches!(name, "localhost" | "127.0.0.1" | "::1")
        }),
        _ => {
            let own = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+');
            scheme.contains('.') && scheme.bytes().all(own) && !rest.is_empty()
        }
    }
}

fn address(body: &Body, name: &str) -> Result<Option<Option<String>>, ApiError> {
    let found = fields::text(body, name, 500)?;
    if let Some(Some(url)) = &found
        && !crate::sso::is_address(url)
    {
        return Err(ApiError::field(name, "Enter a valid URL."));
    }
    Ok(found)
}

fn addresses(
    body: &Body,
    name: &str,
    good: impl Fn(&str) -> bool,
    what: &str,
) -> Result<Option<Vec<String>>, ApiError> {
    let Some(list) = fields::names(body, name)? else {
        return Ok(None);
    };
    let list: Vec<String> = list
        .iter()
        .map(|u| u.trim().to_owned())
        .filter(|u| !u.is_empty())
        .collect();
    if list.len() > ADDRESSES {
        return Err(ApiError::field(name, format!("use at most {ADDRESSES}")));
    }
    match list.iter().find(|u| !good(u)) {
        Some(bad) => Err(ApiError::field(name, format!("'{bad}' {what}"))),
        None => Ok(Some(list)),
    }
}

fn is_origin(text: &str) -> bool {
    crate::sso::is_address(text) && text.split("://").nth(1).is_some_and(|r| !r.contains(['/', '?']))
}

/// Reads what a body says of an application.
fn read(body: &Body, a: &mut Application) -> Result<(), ApiError> {
    if let Some(name) = fields::text(body, "name", 64)? {
        a.name = name.ok_or_else(|| ApiError::field("name", "This field may not be blank."))?;
    }
    for (field, place) in [
        ("homepageUrl", &mut a.homepage),
        ("privacyUrl", &mut a.privacy),
        ("termsUrl", &mut a.terms),
    ] {
        if let Some(url) = address(body, field)? {
            *place = url;
        }
    }
    let what = "is no address that answers may be sent to: https, http on this machine, or a scheme like com.example.app";
    if let Some(list) = addresses(body, "redirectUris", is_redirect, what)? {
        a.redirect_uris = list;
    }
    if let Some(list) = addresses(
        body,
        "allowedOrigins",
        is_origin,
        "is no origin like https://app.example.com",
    )? {
        a.allowed_origins = list;
    }
    Ok(())
}

/// The caller, who is no guest of one organization: applications are for all of them.
fn owner(call: &Call) -> Result<i64, ApiError> {
    if call.principal()?.only_in.is_some() {
        return Err(ApiError::Forbidden(
            "You are signed in through an organization: to register applications, sign in with your password.".into(),
        ));
    }
    call.user_id()
}

fn find(call: &Call, c: &mut dyn Connection) -> Result<Application, ApiError> {
    let owner = owner(call)?;
    let found = oauth::application_by(c, call.param("application"))?.filter(|a| a.owner_id == owner);
    found.ok_or_else(|| ApiError::missing("Application"))
}

/// The caller's applications.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let owner = owner(call)?;
    let all = call.api.stores.sql.reading(|c| oauth::applications(c, owner))?;
    crate::links::slice(call, all.iter().map(|a| view(a, None)).collect(), 100)
}

/// Registers an application: `{"name"?, "redirectUris"?, "isPublic"?, …}`. The secret is answered this once.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let (body, owner) = (call.json()?, owner(call)?);
    let public = fields::flag(&body, "isPublic")?.unwrap_or(false);
    let secret = new_secret();
    let mut application = Application {
        id: 0,
        owner_id: owner,
        client_id: new_secret(),
        secret_hash: (!public).then(|| token_hash(&secret)),
        name: "My application".into(),
        homepage: None,
        privacy: None,
        terms: None,
        redirect_uris: vec![],
        allowed_origins: vec![],
        date_added: call.now(),
    };
    read(&body, &mut application)?;
    call.change(|c| {
        if oauth::applications(c, owner)?.len() >= MOST {
            return Err(ApiError::Bad(format!(
                "Somebody has at most {MOST} applications."
            )));
        }
        Ok(oauth::add_application(c, &application)?)
    })?;
    Ok(Answer::created(view(
        &application,
        (!public).then_some(secret.as_str()),
    )))
}

/// One application.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let found = call.api.stores.sql.reading(|c| Ok(find(call, c)))??;
    Ok(Answer::json(view(&found, None)))
}

/// Changes an application: what is not named stays.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let changed = call.change(|c| {
        let mut found = find(call, c)?;
        read(&body, &mut found)?;
        oauth::update_application(c, &found)?;
        Ok(found)
    })?;
    Ok(Answer::json(view(&changed, None)))
}

/// Gives an application another secret; the one before no longer counts.
pub fn rotate(call: &Call) -> Result<Answer, ApiError> {
    let secret = new_secret();
    call.change(|c| {
        let mut found = find(call, c)?;
        if found.secret_hash.is_none() {
            return Err(ApiError::Bad("A public application has no secret.".into()));
        }
        found.secret_hash = Some(token_hash(&secret));
        Ok(oauth::update_application(c, &found)?)
    })?;
    Ok(Answer::json(json!({ "clientSecret": secret })))
}

/// Forgets an application; every token it has ends.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    call.change(|c| {
        let found = find(call, c)?;
        Ok(oauth::remove_application(c, found.id)?)
    })?;
    Ok(Answer::nothing())
}

/// What the caller allowed, as far as their session may know of it.
fn own(call: &Call, c: &mut dyn Connection) -> Result<Vec<Grant>, ApiError> {
    let only_in = call.principal()?.only_in;
    let mut all = oauth::grants(c, call.user_id()?)?;
    all.retain(|g| only_in.is_none() || g.org_id == only_in);
    Ok(all)
}

/// What the caller allowed to applications.
pub fn authorizations(call: &Call) -> Result<Answer, ApiError> {
    let all = call.api.stores.sql.reading(|c| {
        let mut out = Vec::new();
        let grants = match own(call, c) {
            Ok(grants) => grants,
            Err(e) => return Ok(Err(e)),
        };
        for g in grants {
            if let Some(a) = oauth::application_of(c, g.application_id)? {
                out.push(json!({
                    "id": g.id.to_string(), "application": view(&a, None), "scopes": g.scopes,
                    "homepageUrl": a.homepage, "dateCreated": time(g.date_added),
                }));
            }
        }
        Ok(Ok(out))
    })??;
    crate::links::slice(call, all, 100)
}

/// Takes back what the caller allowed: `{"authorization": "<id>"}`. The application's tokens end.
pub fn revoke(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let id = fields::needed(&body, "authorization", 32)?;
    call.change(|c| {
        let found = own(call, c)?.into_iter().find(|g| g.id.to_string() == id);
        let found = found.ok_or_else(|| ApiError::missing("Authorization"))?;
        Ok(oauth::remove_grant(c, found.id)?)
    })?;
    Ok(Answer::nothing())
}

#[cfg(test)]
mod tests {
    use super::is_redirect;

    #[test]
    fn answers_go_where_no_browser_runs_them() {
        for good in [
            "https://app.example.com/callback",
            "https://app.example.com",
            "http://localhost:3000/cb?x=1",
            "http://127.0.0.1/cb",
            "http://[::1]:80/cb",
            "com.example.app:/oauth",
            "com.example.app://oauth",
        ] {
            assert!(is_redirect(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "http://app.example.com/cb",
            "//a",
            "/a",
            "https://",
            "https://a@b/",
            "https://a/#x",
            "https://a/ b",
            "http://localhost.evil.example/",
            "file:///x",
            "http://[::1",
            "java.script:",
            "",
            "https://a\\@b/",
            "vbscript:x",
            "http://127.0.0.1@evil.example/",
        ] {
            assert!(!is_redirect(bad), "{bad}");
        }
    }
}
