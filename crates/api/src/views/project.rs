//! Projects, keys and releases.

use protocol::dsn::Dsn;
use protocol::ids::ProjectId;
use serde_json::{Value, json};
use storage::relational::people::Organization;
use storage::relational::projects::{Key, Project};
use storage::relational::releases::Release;

use super::{time, time_opt};

/// The parts of a project that stand beside an issue.
pub fn reference(p: &Project) -> Value {
    json!({ "id": p.id.to_string(), "slug": p.slug, "name": p.name, "platform": p.platform })
}

/// A project in a list.
pub fn project(p: &Project) -> Value {
    json!({
        "id": p.id.to_string(), "slug": p.slug, "name": p.name, "platform": p.platform,
        "platforms": p.platform.iter().collect::<Vec<_>>(), "dateCreated": time(p.date_added),
        "firstEvent": time_opt(p.first_event), "firstTransactionEvent": false, "hasAccess": true, "isMember": true,
        "isBookmarked": false, "isInternal": false, "isPublic": false, "status": p.status, "features": [],
        "access": [], "team": null, "teams": [], "environments": [], "latestRelease": null,
        "hasReplays": false, "hasSessions": false, "hasProfiles": false, "hasMonitors": false, "hasFeedbacks": false,
        "hasMinifiedStackTrace": false, "avatar": { "avatarType": "letter_avatar", "avatarUuid": null },
        "color": "#4f46e5",
    })
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
    view["options"] = json!({});
    view
}

/// A client key.
pub fn key(k: &Key, url: &str) -> Value {
    let project = ProjectId(u64::try_from(k.project_id).unwrap_or(0));
    let dsn = Dsn::for_url(url, &k.public_key, project);
    let secret = Dsn::for_url(url, &format!("{}:{}", k.public_key, k.secret_key), project);
    let api = format!("{url}/api/{project}");
    json!({
        "id": k.public_key, "name": k.label, "label": k.label, "public": k.public_key, "secret": k.secret_key,
        "projectId": k.project_id, "isActive": k.is_active, "dateCreated": time(k.date_added),
        "rateLimit": k.rate_limit.map(|(count, window)| json!({ "count": count, "window": window })),
        "dsn": {
            "public": dsn, "secret": secret,
            "csp": format!("{api}/csp-report/?sentry_key={}", k.public_key),
            "security": format!("{api}/security/?sentry_key={}", k.public_key),
        },
    })
}

/// A release as far as events tell of it.
pub fn release(r: &Release, projects: &[Project]) -> Value {
    let project = projects.iter().find(|p| p.id == r.project).map(reference);
    json!({
        "id": r.id, "version": r.version, "shortVersion": short_version(&r.version), "status": "open",
        "dateCreated": time(r.date_added), "dateReleased": null, "firstEvent": time_opt(r.first_event),
        "lastEvent": time_opt(r.last_event), "newGroups": r.new_issues, "commitCount": 0, "deployCount": 0,
        "lastCommit": null, "lastDeploy": null, "authors": [], "owner": null, "ref": null, "url": null, "data": {},
        "projects": project.into_iter().collect::<Vec<_>>(),
    })
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
