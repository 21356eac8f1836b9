//! Rules of a project that say whose an issue is, and its CODEOWNERS file.

use http::StatusCode;
use serde_json::{Value, json};
use storage::ownership::{BadLine, Owner, Rule, parse, parse_codeowners};
use storage::relational::ownership::{self, Kept};
use storage::relational::{people, teams};

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields;
use crate::views::time;

/// Bytes of the rules of a project, and of its CODEOWNERS file.
const MOST: usize = 256 << 10;
/// How new issues find their owners; the first is how it is where nobody said anything.
const WAYS: &[&str] = &[
    "Auto Assign to Issue Owner",
    "Auto Assign to Suspect Commits",
    "Turn off Auto-Assignment",
];

fn kept(call: &Call) -> Result<Kept, ApiError> {
    let project = call.project()?;
    let found = call
        .api
        .stores
        .sql
        .reading(|c| ownership::of_project(c, project.id))?;
    Ok(found.unwrap_or_else(|| Kept {
        project: project.id,
        raw: String::new(),
        codeowners: String::new(),
        fallthrough: true,
        auto_assignment: WAYS[0].to_owned(),
        sync: false,
        date_added: project.date_added,
        last_updated: project.date_added,
    }))
}

fn save(call: &Call, kept: &Kept) -> Result<(), ApiError> {
    let slug = &call.project()?.slug;
    call.change(|c| {
        ownership::put(c, kept)?;
        call.audit(c, "ownership.edit", Some(kept.project), &json!({ "slug": slug }))
    })
}

fn schema(rules: &[Rule]) -> Value {
    if rules.is_empty() {
        return Value::Null;
    }
    json!({ "$version": 1, "rules": rules.iter().map(Rule::to_json).collect::<Vec<_>>() })
}

fn view(k: &Kept) -> Value {
    let rules = parse(&k.raw).unwrap_or_default();
    json!({
        "raw": k.raw, "schema": schema(&rules), "fallthrough": k.fallthrough, "isActive": true,
        "autoAssignment": k.auto_assignment, "codeownersAutoSync": k.sync, "dateCreated": time(k.date_added),
        "lastUpdated": time(k.last_updated),
    })
}

/// The rules of a project.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(view(&kept(call)?)))
}

fn wrong(lines: Vec<BadLine>) -> ApiError {
    let all = lines.into_iter().take(50);
    let text: Vec<String> = all.map(|l| format!("line {}: {}", l.line, l.what)).collect();
    ApiError::field("raw", format!("Parse error: {}", text.join("; ")))
}

/// The rules are about people and teams of the organization.
fn check_owners(call: &Call, rules: &[Rule]) -> Result<(), ApiError> {
    let org = call.organization()?.id;
    let (members, teams) = call
        .api
        .stores
        .sql
        .reading(|c| Ok((people::members(c, org)?, teams::of_organization(c, org)?)))?;
    let mut unknown: Vec<String> = rules
        .iter()
        .flat_map(|r| &r.owners)
        .filter_map(|o| match o {
            Owner::User(email) => Some(email.clone()).filter(|e| !members.iter().any(|m| m.user.email == *e)),
            Owner::Team(slug) => Some(format!("#{slug}")).filter(|_| !teams.iter().any(|t| t.slug == *slug)),
            Owner::External(_) => None,
        })
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(ApiError::field(
        "raw",
        format!("Invalid rule owners: {}", unknown.join(", ")),
    ))
}

/// Changes the rules: `{"raw"?, "fallthrough"?, "autoAssignment"?, "codeownersAutoSync"?}`.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut kept = kept(call)?;
    match body.get("raw") {
        None => {}
        Some(Value::Null) => kept.raw.clear(),
        Some(Value::String(raw)) if raw.len() <= MOST => {
            check_owners(call, &parse(raw).map_err(wrong)?)?;
            kept.raw.clone_from(raw);
        }
        Some(_) => return Err(ApiError::field("raw", "Rules are a text of at most 256 KiB.")),
    }
    if let Some(on) = fields::flag(&body, "fallthrough")? {
        kept.fallthrough = on;
    }
    if let Some(on) = fields::flag(&body, "codeownersAutoSync")? {
        kept.sync = on;
    }
    match body.get("autoAssignment") {
        None | Some(Value::Null) => {}
        // As older clients say it.
        Some(Value::Bool(on)) => WAYS[if *on { 0 } else { 2 }].clone_into(&mut kept.auto_assignment),
        Some(Value::String(way)) if WAYS.contains(&way.as_str()) => kept.auto_assignment.clone_from(way),
        Some(_) => {
            return Err(ApiError::field(
                "autoAssignment",
                format!("Must be one of: {}", WAYS.join(", ")),
            ));
        }
    }
    kept.last_updated = call.now();
    save(call, &kept)?;
    Ok(Answer {
        status: StatusCode::ACCEPTED,
        ..Answer::json(view(&kept))
    })
}

fn file_view(k: &Kept) -> Value {
    let rules = parse_codeowners(&k.codeowners).unwrap_or_default();
    let external = rules.iter().flat_map(|r| &r.owners).filter_map(|o| match o {
        Owner::External(name) => Some(name.as_str()),
        _ => None,
    });
    let mut external: Vec<&str> = external.collect();
    external.sort_unstable();
    external.dedup();
    let (teams, users): (Vec<&str>, Vec<&str>) = external.into_iter().partition(|n| n.contains('/'));
    json!({
        "id": k.project.to_string(), "raw": k.codeowners, "dateCreated": time(k.date_added),
        "dateUpdated": time(k.last_updated), "codeMappingId": null, "provider": "unknown", "codeOwnersUrl": "unknown",
        "schema": schema(&rules),
        "errors": {
            "missing_external_teams": teams, "missing_external_users": users, "missing_user_emails": [],
            "teams_without_access": [], "users_without_access": [],
        },
    })
}

/// The CODEOWNERS file of a project, as a list of one or none.
pub fn list_files(call: &Call) -> Result<Answer, ApiError> {
    let kept = kept(call)?;
    let all: Vec<Value> = Some(&kept)
        .filter(|k| !k.codeowners.is_empty())
        .map(file_view)
        .into_iter()
        .collect();
    Ok(Answer::json(all))
}

/// Takes a CODEOWNERS file: `{"raw"}`.
pub fn put_file(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let raw = fields::needed(&body, "raw", MOST)?;
    parse_codeowners(&raw).map_err(wrong)?;
    let mut kept = kept(call)?;
    let fresh = kept.codeowners.is_empty();
    kept.codeowners = raw;
    kept.last_updated = call.now();
    save(call, &kept)?;
    Ok(if fresh {
        Answer::created(file_view(&kept))
    } else {
        Answer::json(file_view(&kept))
    })
}

/// Forgets the CODEOWNERS file.
pub fn remove_file(call: &Call) -> Result<Answer, ApiError> {
    let mut kept = kept(call)?;
    if kept.codeowners.is_empty() {
        return Err(ApiError::missing("CODEOWNERS file"));
    }
    kept.codeowners.clear();
    kept.last_updated = call.now();
    save(call, &kept)?;
    Ok(Answer::nothing())
}
