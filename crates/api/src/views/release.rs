//! Releases, their commits and deploys.

use std::collections::HashMap;

use serde_json::{Value, json};
use storage::relational::commits::{self, Commit, Deploy};
use storage::relational::people::{self, Member};
use storage::relational::projects::Project;
use storage::relational::repositories::{self, Mapping, Repository};
use storage::relational::versions::{self, Version};
use storage::sql::{Connection, Result};

use super::people as people_view;
use super::project::short_version;
use super::{time, time_opt};
use crate::call::Call;

/// What a page of releases needs besides them.
pub struct Around {
    projects: Vec<Project>,
    having: Vec<(String, i64, i64, i64)>,
    heads: HashMap<String, Commit>,
    authors: Vec<(String, Option<String>, String)>,
    deploys: Vec<Deploy>,
    repositories: Vec<Repository>,
    members: Vec<Member>,
    health: bool,
}

impl Around {
    /// Reads it.
    pub fn load(call: &Call, c: &mut dyn Connection, all: &[Version], health: bool) -> Result<Around> {
        let org = call.organization.as_ref().map_or(0, |o| o.id);
        let names: Vec<&str> = all.iter().map(|v| v.version.as_str()).collect();
        Ok(Around {
            projects: call.seen(c)?,
            having: versions::projects(c, org, &names)?,
            heads: commits::heads(c, org, &names)?,
            authors: commits::authors(c, org, &names)?,
            deploys: commits::deploys(c, org, &names)?,
            repositories: repositories::of_organization(c, org)?,
            members: people::members(c, org)?,
            health,
        })
    }

    fn people(&self) -> People<'_> {
        People(&self.members)
    }
}

/// The people of an organization, by whose addresses authors are known.
pub struct People<'a>(pub &'a [Member]);

impl People<'_> {
    /// An author of commits: the user who has the address, or what the commit says.
    pub fn author(&self, name: Option<&str>, email: Option<&str>) -> Value {
        let known = self
            .0
            .iter()
            .find(|m| Some(m.user.email.as_str()) == email.map(str::to_lowercase).as_deref());
        match known {
            Some(m) => people_view::user(&m.user),
            None => json!({ "name": name, "email": email.unwrap_or("") }),
        }
    }
}

/// What a version says of itself.
pub fn version_info(version: &str) -> Value {
    let (package, text) = version
        .rsplit_once('@')
        .map_or((None, version), |(p, v)| (Some(p), v));
    let (core, build) = text.split_once('+').map_or((text, None), |(c, b)| (c, Some(b)));
    let (numbers, pre) = core.split_once('-').map_or((core, None), |(n, p)| (n, Some(p)));
    let parts: Option<Vec<u64>> = numbers.split('.').map(|n| n.parse().ok()).collect();
    let parts = parts.filter(|p| p.len() <= 4);
    let number = |i: usize| parts.as_ref().and_then(|p| p.get(i)).copied();
    let hash = text.len() >= 7 && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    json!({
        "package": package, "description": short_version(version), "buildHash": hash.then_some(text),
        "version": {
            "raw": text, "major": number(0), "minor": number(1), "patch": number(2), "revision": number(3),
            "pre": pre, "buildCode": build, "components": parts.as_ref().map_or(0, Vec::len),
        },
    })
}

/// Sessions are not kept: what they would tell is not known.
fn no_health() -> Value {
    json!({
        "hasHealthData": false, "durationP50": null, "durationP90": null, "crashFreeUsers": null,
        "crashFreeSessions": null, "totalUsers": null, "totalUsers24h": null, "totalProjectUsers24h": null,
        "totalSessions": null, "totalSessions24h": null, "totalProjectSessions24h": null, "adoption": null,
        "sessionsAdoption": null, "sessionsCrashed": 0, "sessionsErrored": 0, "stats": {},
    })
}

/// A release.
pub fn release(v: &Version, around: &Around) -> Value {
    let having = around.having.iter().filter(|(name, ..)| *name == v.version);
    let projects: Vec<Value> = having
        .filter_map(|(_, id, added, new)| {
            let p = around.projects.iter().find(|p| p.id == *id)?;
            let mut view = json!({
                "id": p.id, "slug": p.slug, "name": p.name, "platform": p.platform,
                "platforms": p.platform.iter().collect::<Vec<_>>(), "newGroups": new, "hasHealthData": false,
                "dateCreated": time(*added), "dateStarted": time_opt(v.details.date_started),
                "dateReleased": time_opt(v.details.date_released),
            });
            if around.health {
                view["healthData"] = no_health();
            }
            Some(view)
        })
        .collect();
    let people = around.people();
    let authors = around.authors.iter().filter(|(name, ..)| *name == v.version);
    let authors: Vec<Value> = authors
        .map(|(_, name, email)| people.author(name.as_deref(), Some(email)))
        .collect();
    let owner = v
        .details
        .user
        .and_then(|id| around.members.iter().find(|m| m.user.id == id));
    let head = around
        .heads
        .get(&v.version)
        .map(|k| commit(k, &around.repositories, &people));
    let last = around.deploys.iter().find(|d| d.version == v.version).map(deploy);
    json!({
        "id": v.id, "version": v.version, "shortVersion": short_version(&v.version),
        "versionInfo": version_info(&v.version), "status": v.details.status, "ref": v.details.reference,
        "url": v.details.url, "dateCreated": time(v.date_added), "dateStarted": time_opt(v.details.date_started),
        "dateReleased": time_opt(v.details.date_released), "firstEvent": time_opt(v.first_event),
        "lastEvent": time_opt(v.last_event), "newGroups": v.new_issues, "commitCount": v.commits,
        "deployCount": v.deploys, "lastCommit": head, "lastDeploy": last, "authors": authors,
        "owner": owner.map(|m| people_view::user(&m.user)), "data": {}, "projects": projects, "userAgent": null,
        "adoptionStages": {},
    })
}

/// A deploy.
pub fn deploy(d: &Deploy) -> Value {
    json!({
        "id": d.id.to_string(), "environment": d.environment, "name": d.name, "url": d.url,
        "dateStarted": time_opt(d.date_started), "dateFinished": time(d.date_finished),
    })
}

/// A commit.
pub fn commit(k: &Commit, all: &[Repository], people: &People<'_>) -> Value {
    let mut view = json!({
        "id": k.key, "message": k.message, "dateCreated": time(k.date_added), "pullRequest": null,
        "suspectCommitType": "", "author": people.author(k.author_name.as_deref(), k.author_email.as_deref()),
        "releases": [], "url": null,
    });
    if let Some(found) = all.iter().find(|r| r.id == k.repository) {
        view["repository"] = repository(found);
        view["url"] = json!(crate::source_links::commit(found, &k.key));
    }
    view
}

/// A repository.
pub fn repository(r: &Repository) -> Value {
    let name = match r.provider.as_str() {
        "github" => "GitHub",
        "gitlab" => "GitLab",
        "gitea" => "Gitea",
        "bitbucket" => "Bitbucket",
        _ => "Unknown Provider",
    };
    json!({
        "id": r.id.to_string(), "name": r.name, "url": r.url, "status": r.status, "dateCreated": time(r.date_added),
        "provider": { "id": r.provider, "name": name }, "integrationId": null, "externalSlug": r.name,
        "externalId": null, "settings": null,
    })
}

/// Where code of a project lies in a repository.
pub fn mapping(m: &Mapping, project: Option<&Project>) -> Value {
    json!({
        "id": m.id.to_string(), "projectId": m.project.to_string(), "projectSlug": project.map(|p| &p.slug),
        "repoId": m.repository.id.to_string(), "repoName": m.repository.name, "integrationId": null,
        "provider": { "key": m.repository.provider, "name": repository(&m.repository)["provider"]["name"] },
        "stackRoot": m.stack_root, "sourceRoot": m.source_root, "defaultBranch": m.branch,
        "automaticallyGenerated": false,
    })
}
