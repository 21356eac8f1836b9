//! Projects and their settings.

use serde_json::{Map, Value, json};
use storage::relational::projects::{self, Project};
use storage::relational::teams::{self, Team};
use storage::sql::SqlError;

use crate::access::SCOPES;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::paged;
use crate::password::new_key;
use crate::sight::Sight;
use crate::views;

/// Checks a slug: lower-case letters, digits, `-` and `_`, not only digits.
pub fn check_slug(slug: &str) -> Result<String, ApiError> {
    let fits = (1..=100).contains(&slug.len())
        && slug
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
        && !slug.bytes().all(|b| b.is_ascii_digit())
        && !slug.starts_with('-')
        && !slug.ends_with('-');
    if fits {
        Ok(slug.to_owned())
    } else {
        let what = "a slug has 1 to 100 lower-case letters, digits, - and _, and is not a number";
        Err(ApiError::field("slug", what))
    }
}

/// A slug made of a name.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_matches('-').chars().take(80).collect();
    let slug = slug.trim_end_matches('-').to_owned();
    if slug.is_empty() || slug.bytes().all(|b| b.is_ascii_digit()) {
        format!("project-{slug}").trim_end_matches('-').to_owned()
    } else {
        slug
    }
}

const TAKEN: &str = "another project of this organization has this slug";

/// Says which field is taken, where the database only says that something is.
pub fn taken(e: SqlError, field: &str, what: &str) -> ApiError {
    match e {
        SqlError::Constraint(_) => ApiError::field(field, what),
        other => other.into(),
    }
}

/// Every project that the caller may see.
pub fn list_all(call: &Call) -> Result<Answer, ApiError> {
    let principal = call.principal()?;
    let views = call.api.stores.sql.reading(|c| {
        let mut views = Vec::new();
        for (o, role) in &super::organizations::entered(c, principal)? {
            let sight = Sight::of(c, principal, o, role.as_deref())?;
            for p in sight.projects(c, o.id)? {
                let mut view = views::project::project(&p);
                view["organization"] = views::people::organization(o, &call.api.url);
                views.push(view);
            }
        }
        Ok(views)
    })?;
    Ok(paged(Answer::json(views), call, 0, 100, false))
}

/// The projects of an organization.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let mut all = call.api.stores.sql.reading(|c| call.sight.projects(c, org))?;
    if let Some(query) = call.value("query") {
        let words = query.to_lowercase();
        all.retain(|p| p.slug.contains(&words) || p.name.to_lowercase().contains(&words));
    }
    let roster = call.api.stores.sql.reading(|c| teams::roster(c, org))?;
    let views = all.iter().map(|p| {
        let mut view = views::project::project(p);
        views::teams::of_project(&mut view, p.id, &roster);
        view
    });
    Ok(paged(
        Answer::json(views.collect::<Vec<_>>()),
        call,
        0,
        100,
        false,
    ))
}

fn platform(body: &Map<String, Value>) -> Result<Option<Option<String>>, ApiError> {
    match body.get("platform") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(s)) if s.len() <= 64 => Ok(Some(Some(s.clone()).filter(|s| !s.is_empty()))),
        Some(_) => Err(ApiError::field(
            "platform",
            "a platform is a short text such as python or javascript",
        )),
    }
}

/// Makes a project with a first key: `{"name", "slug"?, "platform"?}`. It belongs to the first team of its maker, or
/// to the first of the organization.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    create(call, None)
}

/// Makes a project of a team.
pub fn create(call: &Call, team: Option<&Team>) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let name = body
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("")
        .trim()
        .to_owned();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(ApiError::field("name", "a name has 1 to 100 characters"));
    }
    let slug = match body.get("slug").and_then(Value::as_str).filter(|s| !s.is_empty()) {
        Some(slug) => check_slug(slug)?,
        None => slug_of(&name),
    };
    let platform = platform(&body)?.flatten();
    let (org, now) = (call.organization()?.clone(), call.now());
    let user = call.user_id().ok();
    let (project, roster) = call.change(|c| {
        let id = projects::add(c, org.id, &slug, &name, platform.as_deref(), now)
            .map_err(|e| taken(e, "slug", TAKEN))?;
        projects::add_key(c, id, "Default", &new_key(), &new_key(), now)?;
        let own = match (team, user) {
            (Some(team), _) => Some(team.id),
            (None, Some(user)) => teams::of_user(c, org.id, user)?.first().map(|(t, _)| *t),
            (None, None) => None,
        };
        let first = teams::of_organization(c, org.id)?.iter().map(|t| t.id).min();
        if let Some(team) = own.or(first) {
            teams::give(c, id, team)?;
        }
        call.audit(
            c,
            "project.create",
            Some(id),
            &json!({ "slug": slug, "name": name }),
        )?;
        let project = projects::by_id(c, id)?.ok_or_else(|| ApiError::missing("Project"))?;
        Ok((project, teams::roster(c, org.id)?))
    })?;
    (call.api.hooks.changed)();
    let mut view = views::project::details(&project, &org, &call.api.url, call.api.retention);
    views::teams::of_project(&mut view, project.id, &roster);
    Ok(Answer::created(view))
}

/// A project in full with its teams, and what the caller may do with it.
pub fn full(call: &Call, project: &Project) -> Result<Value, ApiError> {
    let organization = call.organization()?;
    let roster = call
        .api
        .stores
        .sql
        .reading(|c| teams::roster(c, organization.id))?;
    let mut view = views::project::details(project, organization, &call.api.url, call.api.retention);
    views::teams::of_project(&mut view, project.id, &roster);
    let scopes = SCOPES.iter().filter(|scope| call.may(scope));
    view["access"] = scopes.copied().collect();
    Ok(view)
}

/// One project.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(full(call, call.project()?)?))
}

/// Changes names and settings.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let mut project = call.project()?.clone();
    if let Some(name) = body.get("name") {
        let name = name.as_str().unwrap_or("").trim();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(ApiError::field("name", "a name has 1 to 100 characters"));
        }
        project.name = name.to_owned();
    }
    if let Some(slug) = body.get("slug") {
        project.slug = check_slug(slug.as_str().unwrap_or(""))?;
    }
    if let Some(platform) = platform(&body)? {
        project.platform = platform;
    }
    let mut settings = project.settings.as_object().cloned().unwrap_or_default();
    scrub_settings(&body, &mut settings)?;
    grouping_rules(&body, &mut settings)?;
    allowed_domains(&body, &mut settings)?;
    script_settings(&body, &mut settings)?;
    public_sources(&body, &mut settings)?;
    super::filters::read_options(&body, &mut settings)?;
    match body.get("retentionDays") {
        None => {}
        Some(Value::Null) => {
            settings.remove("retentionDays");
        }
        Some(value) => match value.as_u64().filter(|n| (1..=3650).contains(n)) {
            Some(days) => {
                settings.insert("retentionDays".into(), json!(days));
            }
            None => {
                return Err(ApiError::field(
                    "retentionDays",
                    "expected a number from 1 to 3650",
                ));
            }
        },
    }
    project.settings = Value::Object(settings);
    (call.api.hooks.check_settings)(&project.settings)
        .map_err(|(field, what)| ApiError::field(&field, what))?;
    call.change(|c| {
        projects::update(c, &project).map_err(|e| taken(e, "slug", TAKEN))?;
        call.audit(c, "project.edit", Some(project.id), &views::audit::kept(&body))
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::json(full(call, &project)?))
}

/// Takes the rules of grouping from a body; whether they can be read is another question.
pub fn grouping_rules(body: &Map<String, Value>, settings: &mut Map<String, Value>) -> Result<(), ApiError> {
    for key in ["groupingEnhancements", "fingerprintingRules"] {
        match body.get(key) {
            None => {}
            Some(Value::String(text)) if text.len() <= 64 * 1024 => {
                settings.insert(key.into(), json!(text));
            }
            Some(Value::String(_)) => return Err(ApiError::field(key, "rules have at most 64 KiB")),
            Some(_) => return Err(ApiError::field(key, "expected a text")),
        }
    }
    Ok(())
}

/// Takes from a body whether scripts are fetched from the web, and what goes with the requests.
fn script_settings(body: &Map<String, Value>, settings: &mut Map<String, Value>) -> Result<(), ApiError> {
    match body.get("scrapeJavaScript") {
        None => {}
        Some(Value::Bool(on)) => {
            settings.insert("scrapeJavaScript".into(), json!(on));
        }
        Some(_) => return Err(ApiError::field("scrapeJavaScript", "expected true or false")),
    }
    let visible = |text: &str| text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
    for (key, fits) in [
        ("securityToken", &visible as &dyn Fn(&str) -> bool),
        ("securityTokenHeader", &|text: &str| {
            text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }),
    ] {
        match body.get(key) {
            None => {}
            Some(Value::Null) => {
                settings.remove(key);
            }
            Some(Value::String(text)) if text.is_empty() => {
                settings.remove(key);
            }
            Some(Value::String(text)) if fits(text) => {
                settings.insert(key.into(), json!(text));
            }
            Some(_) => {
                return Err(ApiError::field(
                    key,
                    "a header's name has letters, digits and -, its value visible ASCII characters",
                ));
            }
        }
    }
    Ok(())
}

/// Takes the public symbol servers that are asked, by their ids; whether there are such is another question.
fn public_sources(body: &Map<String, Value>, settings: &mut Map<String, Value>) -> Result<(), ApiError> {
    let key = "builtinSymbolSources";
    match body.get(key) {
        None => {}
        Some(Value::Null) => {
            settings.remove(key);
        }
        Some(value) => {
            settings.insert(key.into(), json!(field_names(key, value)?));
        }
    }
    Ok(())
}

/// Takes the settings of scrubbing from a body: the same for projects and organizations.
pub fn scrub_settings(body: &Map<String, Value>, settings: &mut Map<String, Value>) -> Result<(), ApiError> {
    for key in ["dataScrubber", "dataScrubberDefaults", "scrubIPAddresses"] {
        match body.get(key) {
            None => {}
            Some(Value::Bool(on)) => {
                settings.insert(key.into(), json!(on));
            }
            Some(_) => return Err(ApiError::field(key, "expected true or false")),
        }
    }
    for key in ["sensitiveFields", "safeFields"] {
        if let Some(value) = body.get(key) {
            settings.insert(key.into(), json!(field_names(key, value)?));
        }
    }
    Ok(())
}

/// Takes the domains whose pages may send.
fn allowed_domains(body: &Map<String, Value>, settings: &mut Map<String, Value>) -> Result<(), ApiError> {
    let key = "allowedDomains";
    let Some(value) = body.get(key) else {
        return Ok(());
    };
    let domains = field_names(key, value)?;
    if domains.is_empty() {
        let what = "without a domain nothing from a browser would be taken: use * for all domains";
        return Err(ApiError::field(key, what));
    }
    if let Some(bad) = domains
        .iter()
        .find(|d| d.contains(char::is_whitespace) || d.contains(','))
    {
        return Err(ApiError::field(key, format!("'{bad}' is not a domain")));
    }
    settings.insert(key.into(), json!(domains));
    Ok(())
}

fn field_names(key: &str, value: &Value) -> Result<Vec<String>, ApiError> {
    let Value::Array(list) = value else {
        return Err(ApiError::field(key, "expected a list of names"));
    };
    let names: Vec<String> = list
        .iter()
        .filter_map(Value::as_str)
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect();
    if names.len() != list.iter().filter(|v| v.as_str() != Some("")).count() {
        return Err(ApiError::field(key, "expected a list of names"));
    }
    if names.len() > 200 || names.iter().any(|n| n.len() > 200) {
        return Err(ApiError::field(key, "at most 200 names of 200 bytes"));
    }
    Ok(names)
}

/// Deletes a project: at once for clients and people, its data by a job.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let mut project = call.project()?.clone();
    "deleting".clone_into(&mut project.status);
    project.slug = format!(
        "{}-deleting-{}",
        project.slug.chars().take(60).collect::<String>(),
        project.id
    );
    let slug = &call.project()?.slug;
    call.change(|c| {
        projects::update(c, &project)?;
        call.audit(
            c,
            "project.remove",
            Some(project.id),
            &json!({ "slug": slug, "name": project.name }),
        )
    })?;
    (call.api.hooks.changed)();
    Ok(Answer::nothing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_made_of_names() {
        assert_eq!(slug_of("My Shop (EU)!"), "my-shop-eu");
        assert_eq!(slug_of("42"), "project-42");
        assert_eq!(slug_of("日本"), "project");
        for bad in ["", "A", "a b", "-a", "12", "a/"] {
            assert!(check_slug(bad).is_err(), "{bad}");
        }
        assert!(check_slug("a-1_b").is_ok());
    }
}
