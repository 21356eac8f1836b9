//! Projects and their settings.

use serde_json::{Value, json};
use storage::relational::{people, projects};
use storage::sql::SqlError;

use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links::paged;
use crate::password::new_key;
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

/// Says which field is taken, where the database only says that something is.
pub fn taken(e: SqlError, field: &str, what: &str) -> ApiError {
    match e {
        SqlError::Constraint(_) => ApiError::field(field, what),
        other => other.into(),
    }
}

/// Every project that the caller may see.
pub fn list_all(call: &Call) -> Result<Answer, ApiError> {
    let user = &call.principal()?.user;
    let views = call.api.stores.sql.reading(|c| {
        let organizations = if user.is_superuser {
            people::organizations(c)?
        } else {
            people::organizations_of(c, user.id)?
        };
        let mut views = Vec::new();
        for o in &organizations {
            for p in projects::of_organization(c, o.id)? {
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
    let mut all = call
        .api
        .stores
        .sql
        .reading(|c| projects::of_organization(c, org))?;
    if let Some(query) = call.value("query") {
        let words = query.to_lowercase();
        all.retain(|p| p.slug.contains(&words) || p.name.to_lowercase().contains(&words));
    }
    Ok(paged(
        Answer::json(all.iter().map(views::project::project).collect::<Vec<_>>()),
        call,
        0,
        100,
        false,
    ))
}

fn platform(body: &serde_json::Map<String, Value>) -> Result<Option<Option<String>>, ApiError> {
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

/// Makes a project with a first key: `{"name", "slug"?, "platform"?}`.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
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
    let made = call.api.stores.sql.writing(|c| {
        let id = projects::add(c, org.id, &slug, &name, platform.as_deref(), now)?;
        projects::add_key(c, id, "Default", &new_key(), &new_key(), now)?;
        projects::by_id(c, id)
    });
    let made = made.map_err(|e| taken(e, "slug", "another project of this organization has this slug"))?;
    (call.api.hooks.changed)();
    let project = made.ok_or_else(|| ApiError::missing("Project"))?;
    let mut view = views::project::details(&project, &org, &call.api.url, call.api.retention);
    views::constant::complete(&mut view, json!({ "team": null }));
    Ok(Answer::created(view))
}

/// One project.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let view = views::project::details(
        call.project()?,
        call.organization()?,
        &call.api.url,
        call.api.retention,
    );
    Ok(Answer::json(view))
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
    let written = call.api.stores.sql.writing(|c| projects::update(c, &project));
    written.map_err(|e| taken(e, "slug", "another project of this organization has this slug"))?;
    (call.api.hooks.changed)();
    let view = views::project::details(&project, call.organization()?, &call.api.url, call.api.retention);
    Ok(Answer::json(view))
}

/// Takes the rules of grouping from a body; whether they can be read is another question.
pub fn grouping_rules(
    body: &serde_json::Map<String, Value>,
    settings: &mut serde_json::Map<String, Value>,
) -> Result<(), ApiError> {
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

/// Takes the settings of scrubbing from a body: the same for projects and organizations.
pub fn scrub_settings(
    body: &serde_json::Map<String, Value>,
    settings: &mut serde_json::Map<String, Value>,
) -> Result<(), ApiError> {
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
    call.api.stores.sql.writing(|c| projects::update(c, &project))?;
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
