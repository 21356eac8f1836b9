//! Projects, keys and releases.

use protocol::dsn::Dsn;
use protocol::ids::ProjectId;
use serde_json::{Value, json};
use storage::relational::people::Organization;
use storage::relational::projects::{Key, Project};

use super::{constant, time, time_opt};

/// The parts of a project that stand beside an issue.
pub fn reference(p: &Project) -> Value {
    json!({ "id": p.id.to_string(), "slug": p.slug, "name": p.name, "platform": p.platform })
}

/// A project in a list.
pub fn project(p: &Project) -> Value {
    let mut view = json!({
        "id": p.id.to_string(), "slug": p.slug, "name": p.name, "platform": p.platform,
        "platforms": p.platform.iter().collect::<Vec<_>>(), "dateCreated": time(p.date_added),
        "firstEvent": time_opt(p.first_event), "firstTransactionEvent": false, "hasAccess": true, "isMember": true,
        "isBookmarked": false, "isInternal": false, "isPublic": false, "status": p.status, "features": [],
        "access": [], "team": null, "teams": [], "environments": [], "latestRelease": null,
        "hasReplays": false, "hasSessions": false, "hasProfiles": false, "hasMonitors": false, "hasFeedbacks": false,
        "hasMinifiedStackTrace": false, "avatar": { "avatarType": "letter_avatar", "avatarUuid": null },
        "color": "#4f46e5",
    });
    constant::complete(&mut view, constant::project());
    view
}

/// A project in full, with its settings.
pub fn details(p: &Project, o: &Organization, url: &str, retention: u16) -> Value {
    let mut view = project(p);
    let setting = |key: &str, default: Value| p.settings.get(key).cloned().unwrap_or(default);
    view["organization"] = super::people::organization(o, url);
    for (key, default) in [
        ("dataScrubber", json!(true)),
        ("dataScrubberDefaults", json!(true)),
        ("scrubIPAddresses", json!(false)),
        ("scrapeJavaScript", json!(false)),
        ("builtinSymbolSources", json!([])),
        ("securityToken", json!("")),
        ("securityTokenHeader", Value::Null),
        ("sensitiveFields", json!([])),
        ("safeFields", json!([])),
        ("groupingEnhancements", json!("")),
        ("fingerprintingRules", json!("")),
        ("retentionDays", json!(retention)),
        ("allowedDomains", json!(["*"])),
    ] {
        view[key] = setting(key, default);
    }
    view["groupingConfig"] = json!("newstyle:2026-01-20");
    view["options"] = crate::endpoints::filters::options(p);
    constant::complete(&mut view, constant::project_details());
    // In full, a project without a team does not have the key.
    if let Some(map) = view.as_object_mut().filter(|m| m["team"].is_null()) {
        map.remove("team");
    }
    view
}

/// A client key.
pub fn key(k: &Key, url: &str) -> Value {
    let project = ProjectId(u64::try_from(k.project_id).unwrap_or(0));
    let dsn = Dsn::for_url(url, &k.public_key, project);
    let secret = Dsn::for_url(url, &format!("{}:{}", k.public_key, k.secret_key), project);
    let api = format!("{url}/api/{project}");
    let mut view = json!({
        "id": k.public_key, "name": k.label, "label": k.label, "public": k.public_key, "secret": k.secret_key,
        "projectId": k.project_id, "isActive": k.is_active, "dateCreated": time(k.date_added),
        "rateLimit": k.rate_limit.map(|(count, window)| json!({ "count": count, "window": window })),
        "dsn": {
            "public": dsn, "secret": secret,
            "csp": format!("{api}/csp-report/?sentry_key={}", k.public_key),
            "security": format!("{api}/security/?sentry_key={}", k.public_key),
        },
    });
    constant::complete(&mut view["dsn"], constant::key_addresses(&api, &k.public_key));
    constant::complete(&mut view, constant::key());
    view
}

/// A release named by an issue or event.
pub fn release_reference(version: &str) -> Value {
    json!({ "version": version, "shortVersion": short_version(version) })
}

/// `shop@1.2.0+3` without its package: `1.2.0 (3)`; hashes are cut to 12 digits.
pub fn short_version(version: &str) -> String {
    let text = version.rsplit_once('@').map_or(version, |(_, v)| v);
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return text[..12].to_owned();
    }
    match text.split_once('+') {
        Some((v, build)) => format!("{v} ({build})"),
        None => text.to_owned(),
    }
}
