//! The provider that members of an organization sign in through, as its owners set it up. Its secret is never
//! answered.

use std::time::Instant;

use serde_json::{Value, json};
use storage::relational::members;
use storage::relational::sign_on::{self, Provider};

use super::sso::callback_url;
use crate::access::ROLES;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields;
use crate::sso::{self, is_address};
use crate::views::{time, time_opt};

fn stored(call: &Call) -> Result<Option<Provider>, ApiError> {
    let org = call.organization()?.id;
    Ok(call
        .api
        .stores
        .sql
        .reading(|c| sign_on::of_organization(c, org))?)
}

fn view(call: &Call, provider: Option<&Provider>) -> Result<Value, ApiError> {
    let organization = call.organization()?;
    let mut view = json!({
        "key": "oidc", "name": sso::NAME, "enabled": provider.is_some(),
        "callbackUrl": callback_url(call, organization.id),
        "loginUrl": format!("{}/auth/sso/{}/", call.api.url, organization.slug),
        "issuer": "", "clientId": "", "hasClientSecret": false, "allowedDomains": [], "requireSso": false,
        "allowJoin": false, "defaultRole": "member", "dateCreated": null, "dateUpdated": null,
    });
    if let Some(p) = provider {
        for (name, value) in [
            ("issuer", json!(p.issuer)),
            ("clientId", json!(p.client_id)),
            ("hasClientSecret", json!(true)),
            ("allowedDomains", json!(p.domains)),
            ("requireSso", json!(p.required)),
            ("allowJoin", json!(p.joins)),
            ("defaultRole", json!(p.default_role)),
            ("dateCreated", time(p.date_added)),
            ("dateUpdated", time(p.last_updated)),
        ] {
            view[name] = value;
        }
    }
    Ok(view)
}

/// How the organization's single sign-on is set up.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(view(call, stored(call)?.as_ref())?))
}

fn check_issuer(issuer: &str) -> Result<(), ApiError> {
    if is_address(issuer) && !issuer.contains('?') {
        return Ok(());
    }
    Err(ApiError::field(
        "issuer",
        "This is an address like https://id.example.com/realms/main, without ? and #.",
    ))
}

/// A domain as it is compared.
fn domain(text: &str) -> Result<String, ApiError> {
    let domain = text.trim().trim_start_matches('@').to_lowercase();
    let good = domain.contains('.')
        && domain.len() <= 253
        && domain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if good {
        Ok(domain)
    } else {
        Err(ApiError::field(
            "allowedDomains",
            format!("'{text}' is no domain like example.com"),
        ))
    }
}

/// Sets it up or changes it: `{"issuer", "clientId", "clientSecret", "allowedDomains"?, "requireSso"?, "allowJoin"?,
/// "defaultRole"?}`. What is not named stays. With another issuer everybody is linked anew.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let (org, now) = (call.organization()?.id, call.now());
    let before = stored(call)?;
    let text = |name: &str, old: Option<&String>, most| -> Result<String, ApiError> {
        match (fields::text(&body, name, most)?.flatten(), old) {
            (Some(text), _) => Ok(text),
            (None, Some(old)) => Ok(old.clone()),
            (None, None) => Err(ApiError::field(name, "This field is required.")),
        }
    };
    let old = before.as_ref();
    let issuer = text("issuer", old.map(|p| &p.issuer), 500)?;
    check_issuer(&issuer)?;
    let moved = old.is_some_and(|p| p.issuer != issuer);
    // A secret goes to the provider that it was given for, and to no other.
    let kept = old.filter(|_| !moved).map(|p| p.client_secret.clone());
    let client_secret = match (fields::text(&body, "clientSecret", 2000)?.flatten(), kept) {
        (Some(new), _) => call
            .api
            .seal
            .close("sso", new.as_bytes())
            .map_err(ApiError::Internal)?,
        (None, Some(kept)) => kept,
        (None, None) => return Err(ApiError::field("clientSecret", "This field is required.")),
    };
    let default_role = text(
        "defaultRole",
        Some(&old.map_or("member".to_owned(), |p| p.default_role.clone())),
        20,
    )?;
    if !ROLES.contains(&default_role.as_str()) || default_role == "owner" {
        return Err(ApiError::field("defaultRole", "this is member, admin or manager"));
    }
    let domains = match fields::names(&body, "allowedDomains")? {
        None => old.map(|p| p.domains.clone()).unwrap_or_default(),
        Some(list) if list.len() > 50 => {
            return Err(ApiError::field("allowedDomains", "use at most 50 domains"));
        }
        Some(list) => list.iter().map(|d| domain(d)).collect::<Result<_, _>>()?,
    };
    let flag = |name: &str, old: bool| Ok::<bool, ApiError>(fields::flag(&body, name)?.unwrap_or(old));
    let provider = Provider {
        org_id: org,
        issuer,
        client_id: text("clientId", old.map(|p| &p.client_id), 500)?,
        client_secret,
        domains,
        required: flag("requireSso", old.is_some_and(|p| p.required))?,
        joins: flag("allowJoin", old.is_some_and(|p| p.joins))?,
        default_role,
        date_added: old.map_or(now, |p| p.date_added),
        last_updated: now,
    };
    call.change(|c| {
        if moved {
            sign_on::forget_identities(c, org)?;
        }
        sign_on::set(c, &provider)?;
        let event = if old.is_some() { "sso.edit" } else { "sso.enable" };
        let data = json!({
            "issuer": provider.issuer, "clientId": provider.client_id, "allowedDomains": provider.domains,
            "requireSso": provider.required, "allowJoin": provider.joins, "defaultRole": provider.default_role,
        });
        call.audit(c, event, Some(org), &data)
    })?;
    Ok(Answer::json(view(call, Some(&provider))?))
}

/// Takes it away: sessions and tokens that it vouched for end.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let provider = stored(call)?.ok_or_else(|| ApiError::missing("Single sign-on"))?;
    call.change(|c| {
        sign_on::remove(c, org)?;
        call.audit(c, "sso.disable", Some(org), &json!({ "issuer": provider.issuer }))
    })?;
    Ok(Answer::nothing())
}

/// Asks the provider about itself and fetches its keys, as a sign-in does: `{"issuer"?}`.
pub fn test(call: &Call) -> Result<Answer, ApiError> {
    let given = fields::text(&call.json()?, "issuer", 500)?.flatten();
    let issuer = match given {
        Some(issuer) => issuer,
        None => stored(call)?
            .map(|p| p.issuer)
            .ok_or_else(|| ApiError::field("issuer", "This field is required."))?,
    };
    check_issuer(&issuer)?;
    let (outgoing, begun) = (&*call.api.hooks.outgoing, Instant::now());
    let tried = sso::discover(outgoing, &issuer).and_then(|d| {
        let keys = sso::keys(outgoing, &d)?;
        Ok((d, keys.len()))
    });
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Answer::json(match tried {
        Err(why) => json!({ "ok": false, "detail": why, "ms": ms }),
        Ok((d, keys)) => json!({
            "ok": true, "ms": ms, "keys": keys, "authorizationEndpoint": d.authorization_endpoint,
            "tokenEndpoint": d.token_endpoint, "algorithms": d.id_token_signing_alg_values_supported,
        }),
    }))
}

/// Members who are known at the provider.
pub fn identities(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let all = call.api.stores.sql.reading(|c| {
        let people = members::list(c, org)?;
        let known = sign_on::identities(c, org)?;
        let one = |i: &sign_on::Identity| {
            let member = people
                .iter()
                .find(|m| m.user.as_ref().is_some_and(|u| u.id == i.user_id));
            member.map(|m| {
                json!({
                    "id": m.id.to_string(), "email": m.email(), "name": m.name(), "subject": i.subject,
                    "lastUsed": time_opt(Some(i.last_used)),
                })
            })
        };
        Ok(known.iter().filter_map(one).collect::<Vec<Value>>())
    })?;
    crate::links::slice(call, all, 100)
}

/// Undoes the link of a member: the next sign-in with their address makes a new one. Their sessions through the
/// provider end.
pub fn unlink(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let id = call.number("member", "Member")?;
    call.change(|c| {
        let member = members::find(c, org, id)?.filter(|m| m.linked);
        let member = member.ok_or_else(|| ApiError::missing("Member"))?;
        if let Some(user) = &member.user {
            sign_on::unlink(c, org, user.id)?;
        }
        call.audit(
            c,
            "sso-identity.unlink",
            Some(member.id),
            &json!({ "email": member.email() }),
        )
    })?;
    Ok(Answer::nothing())
}
