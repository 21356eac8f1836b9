//! Releases of an organization, or as far as one project has them.

use std::cmp::Ordering;

use http::StatusCode;
use serde_json::{Value, json};
use storage::life::{self, Wish};
use storage::relational::activity;
use storage::relational::commits::{self, NewCommit};
use storage::relational::issues::{self, Issue};
use storage::relational::projects::Project;
use storage::relational::versions::{self, Details, Version, Wanted};
use storage::sql::{Connection, Result as SqlResult};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::{self, Body};
use crate::fixes;
use crate::links::{offset, paged};
use crate::views::release::{self as view, Around};

/// Releases that are put in order by version at once.
const SORTED: usize = 10_000;
/// Commits of one release.
const COMMITS: usize = 10_000;
/// Projects that one request may name.
const PROJECTS: usize = 1_000;

/// The release of the path.
pub fn find(call: &Call) -> Result<Version, ApiError> {
    let org = call.organization()?.id;
    let projects: Vec<i64> = call.projects()?.iter().map(|p| p.id).collect();
    let name = call.param("version");
    let found = call
        .api
        .stores
        .sql
        .reading(|c| versions::find(c, org, &projects, name))?;
    found.ok_or_else(|| ApiError::missing("Release"))
}

/// A release as it is now, with what it needs.
fn show(call: &Call, version: &str, status: StatusCode) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let body = call.api.stores.sql.reading(|c| {
        let all: Vec<i64> = call.seen(c)?.iter().map(|p| p.id).collect();
        let Some(found) = versions::find(c, org, &all, version)? else {
            return Ok(None);
        };
        let page = [found];
        let around = Around::load(call, c, &page, asks_health(call))?;
        Ok(Some(view::release(&page[0], &around)))
    })?;
    let body = body.ok_or_else(|| ApiError::missing("Release"))?;
    Ok(Answer {
        status,
        ..Answer::json(body)
    })
}

fn asks_health(call: &Call) -> bool {
    call.value("health").is_some_and(|v| v != "0" && v != "false")
}

/// The words of `query`: what stands behind `release:`, or the text as it is.
fn part(query: &str) -> &str {
    let query = query.trim();
    query
        .strip_prefix("release:")
        .unwrap_or(query)
        .trim_matches(['"', '*'])
}

/// Releases, those that came out last first; with `sort=semver` the highest version first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let projects: Vec<i64> = call.projects()?.iter().map(|p| p.id).collect();
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let query = part(call.value("query").unwrap_or(""));
    let wanted = Wanted {
        projects: &projects,
        part: Some(query).filter(|q| !q.is_empty()),
        status: call.value("status"),
        ..Wanted::default()
    };
    let by_version = matches!(call.value("sort"), Some("semver" | "-semver" | "build"));
    let (page, more) = call.api.stores.sql.reading(|c| {
        let mut all = if by_version {
            let mut all = versions::page(c, org, &wanted, 0, SORTED)?;
            all.sort_by(|a, b| by_semver(&b.version, &a.version));
            all.into_iter().skip(start).take(limit + 1).collect()
        } else {
            versions::page(c, org, &wanted, start, limit + 1)?
        };
        let more = all.len() > limit;
        all.truncate(limit);
        let around = Around::load(call, c, &all, asks_health(call))?;
        let page: Vec<Value> = all.iter().map(|v| view::release(v, &around)).collect();
        Ok((page, more))
    })?;
    Ok(paged(Answer::json(page), call, start, limit, more))
}

/// Versions that cannot be compared come after those that can.
fn by_semver(a: &str, b: &str) -> Ordering {
    let is = |v: &str| life::compare_releases(v, v).is_some();
    is(a)
        .cmp(&is(b))
        .then_with(|| life::compare_releases(a, b).unwrap_or_else(|| a.cmp(b)))
}

/// One release.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    show(call, &find(call)?.version, StatusCode::OK)
}

/// What a body says of a release.
struct Said {
    details: Details,
    commits: Option<Vec<NewCommit>>,
}

fn said(body: &Body, before: Details) -> Result<Said, ApiError> {
    let mut details = before;
    if let Some(reference) = fields::text(body, "ref", 250)? {
        details.reference = reference;
    }
    if let Some(url) = fields::text(body, "url", 2048)? {
        if url.as_deref().is_some_and(|u| !u.contains("://")) {
            return Err(ApiError::field("url", "Enter a valid URL."));
        }
        details.url = url;
    }
    if let Some(started) = fields::time(body, "dateStarted")? {
        details.date_started = started;
    }
    if let Some(released) = fields::time(body, "dateReleased")? {
        details.date_released = released;
    }
    if let Some(status) = fields::text(body, "status", 32)?.flatten() {
        if !matches!(status.as_str(), "open" | "archived") {
            return Err(ApiError::field(
                "status",
                "Invalid status: it is open or archived.",
            ));
        }
        details.status = status;
    }
    let commits = match fields::objects(body, "commits", COMMITS)? {
        Some(list) => Some(list.into_iter().map(commit).collect::<Result<Vec<_>, _>>()?),
        None => heads(body)?,
    };
    Ok(Said { details, commits })
}

fn commit(body: &Body) -> Result<NewCommit, ApiError> {
    let under = |e: ApiError| match e {
        ApiError::Fields(all) => {
            let all = all
                .into_iter()
                .map(|(name, what)| ("commits".to_owned(), format!("{name}: {what}")));
            ApiError::Fields(all.collect())
        }
        other => other,
    };
    let read = || -> Result<NewCommit, ApiError> {
        let text = |name: &str, most| fields::text(body, name, most).map(Option::flatten);
        let files = fields::objects(body, "patch_set", COMMITS)?.unwrap_or_default();
        let files = files.into_iter().map(|f| {
            let path = fields::needed(f, "path", 4096)?;
            let kind = fields::needed(f, "type", 1)?;
            match kind.as_str() {
                "A" | "M" | "D" => Ok((path, kind)),
                _ => Err(ApiError::field("patch_set", "type is A, M or D")),
            }
        });
        Ok(NewCommit {
            key: fields::needed(body, "id", 64)?,
            repository: text("repository", 255)?.unwrap_or_else(|| "unknown".into()),
            message: text("message", 1 << 16)?,
            author_name: text("author_name", 128)?,
            author_email: text("author_email", 200)?.map(|e| e.to_lowercase()),
            date: fields::time(body, "timestamp")?.flatten(),
            files: files.collect::<Result<Vec<_>, ApiError>>()?,
        })
    };
    read().map_err(under)
}

/// The commits that `refs` (or `headCommits`, its older form) name: of each repository the newest alone, as nobody is
/// asked for those between.
fn heads(body: &Body) -> Result<Option<Vec<NewCommit>>, ApiError> {
    let (name, id) = if body.contains_key("refs") {
        ("refs", "commit")
    } else {
        ("headCommits", "currentId")
    };
    let Some(list) = fields::objects(body, name, 100)?.filter(|l| !l.is_empty()) else {
        return Ok(None);
    };
    let one = |head: &Body| {
        let key = fields::needed(head, id, 137)?;
        // Two ends of a range: `from..to`.
        let key = key.rsplit_once("..").map_or(key.clone(), |(_, to)| to.to_owned());
        Ok(NewCommit {
            key,
            repository: fields::needed(head, "repository", 255)?,
            ..NewCommit::default()
        })
    };
    list.into_iter()
        .map(one)
        .collect::<Result<_, ApiError>>()
        .map(Some)
}

/// Writes what a body says of a release, and resolves the issues that its commits fix.
fn write(c: &mut dyn Connection, call: &Call, org: i64, version: &str, said: &Said) -> SqlResult<()> {
    versions::set_details(c, org, version, &said.details)?;
    if let Some(list) = &said.commits {
        commits::set(c, org, version, list, call.now())?;
        let fixed = list.iter().flat_map(|k| {
            let ids = k.message.as_deref().map(fixes::named).unwrap_or_default();
            ids.into_iter().map(|id| (id, k.key.as_str()))
        });
        for (short, key) in fixed.collect::<Vec<_>>() {
            resolve(c, call, version, &short, key)?;
        }
    }
    Ok(())
}

fn resolve(c: &mut dyn Connection, call: &Call, version: &str, short: &str, key: &str) -> SqlResult<()> {
    let Some((slug, number)) = issues::parse_short_id(short) else {
        return Ok(());
    };
    let Some(project) = call.seen_project(c, &slug)? else {
        return Ok(());
    };
    let Some(mut issue): Option<Issue> = super::issue::by_short(c, project.id, number)? else {
        return Ok(());
    };
    let me = call.user_id().ok();
    let wish = Wish::ResolveInRelease(version.to_owned());
    let counts = (issue.times_seen, issue.users_seen);
    if life::on_wish(&mut issue.state, &wish, counts, me, call.now()).is_some() {
        let data = json!({ "version": version, "commit": key, "inRelease": version });
        activity::add(
            c,
            issue.id,
            project.id,
            me,
            "set_resolved_in_commit",
            &data,
            call.now(),
        )?;
        issues::save(c, &[&issue])?;
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), ApiError> {
    let bad = version.is_empty()
        || version.chars().count() > 250
        || matches!(version, "." | ".." | "latest")
        || version.contains(['/', '\\'])
        || version.chars().any(char::is_control);
    if bad {
        let what = "A version has 1 to 250 characters, no slash and no control character, and is not '.', '..' or 'latest'.";
        return Err(ApiError::field("version", what));
    }
    Ok(())
}

/// Makes a release known, or says more of one that is: `{"version", "projects", "ref"?, "url"?, "dateReleased"?,
/// "status"?, "commits"?, "refs"?}`. 208 if it was known.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let version = fields::needed(&body, "version", 250)?;
    check_version(&version)?;
    let org = call.organization()?.id;
    let all = call.api.stores.sql.reading(|c| call.seen(c))?;
    let wanted = match &call.project {
        Some(p) => vec![p.id],
        None => named_projects(&body, &all)?,
    };
    let ids: Vec<i64> = all.iter().map(|p| p.id).collect();
    let known = call
        .api
        .stores
        .sql
        .reading(|c| versions::find(c, org, &ids, &version))?;
    if known.is_none() && wanted.is_empty() {
        return Err(ApiError::field(
            "projects",
            "A new release needs at least one project.",
        ));
    }
    let mut details = known.as_ref().map(|v| v.details.clone()).unwrap_or_default();
    details.user = details.user.or(call.user_id().ok());
    let said = said(&body, details)?;
    call.api.stores.sql.writing(|c| {
        versions::give(c, &wanted, &version, call.now())?;
        write(c, call, org, &version, &said)
    })?;
    let status = if known.is_some() {
        StatusCode::ALREADY_REPORTED
    } else {
        StatusCode::CREATED
    };
    show(call, &version, status)
}

fn named_projects(body: &Body, all: &[Project]) -> Result<Vec<i64>, ApiError> {
    let names = fields::names(body, "projects")?;
    let names = names.ok_or_else(|| ApiError::field("projects", "This field is required."))?;
    if names.len() > PROJECTS {
        return Err(ApiError::field(
            "projects",
            format!("At most {PROJECTS} projects."),
        ));
    }
    let one = |name: &String| {
        let found = all.iter().find(|p| p.slug == *name || p.id.to_string() == *name);
        found
            .map(|p| p.id)
            .ok_or_else(|| ApiError::field("projects", format!("Invalid project ids or slugs: {name}")))
    };
    names.iter().map(one).collect()
}

/// Says more of a release: `{"ref"?, "url"?, "dateReleased"?, "status"?, "commits"?, "refs"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    let body = call.json()?;
    let more = if body.contains_key("projects") {
        let all = call.api.stores.sql.reading(|c| call.seen(c))?;
        named_projects(&body, &all)?
    } else {
        vec![]
    };
    let said = said(&body, found.details.clone())?;
    call.api.stores.sql.writing(|c| {
        versions::give(c, &more, &found.version, call.now())?;
        write(c, call, org, &found.version, &said)
    })?;
    show(call, &found.version, StatusCode::OK)
}

/// Forgets a release that no issue was first seen in.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let found = find(call)?;
    let org = call.organization()?.id;
    call.change(|c| {
        let all: Vec<i64> = call.seen(c)?.iter().map(|p| p.id).collect();
        if versions::has_issues(c, &all, &found.version)? {
            return Err(ApiError::Bad(
                "This release is referenced by active issues and cannot be removed.".into(),
            ));
        }
        versions::remove(c, org, &found.version)?;
        call.audit(
            c,
            "release.remove",
            Some(found.id),
            &json!({ "name": found.version }),
        )
    })?;
    Ok(Answer::nothing())
}
