//! Documents that are kept as they were given: settings of features that do not act yet, saved searches and the like.
//!
//! * [`Kind`] declares what a kind of document holds; `kept/` has a module for each group of them
//! * [`shape`] reads a body by such a declaration
//! * the endpoints are the same for all: [`list`], [`add`], [`get`], [`update`], [`remove`], and two for several
//!
//! The answer of a kind that does not act yet carries `"acting": false`: it is kept and nothing comes of it.

pub mod alerts;
pub mod crons;
pub mod dashboards;
pub mod feedback;
pub mod integrations;
pub mod processing;
pub mod searches;
pub mod shape;
pub mod shown;
pub mod sources;

use std::collections::HashMap;

use http::StatusCode;
use serde_json::{Value, json};
use storage::relational::documents::{self, Document, Wanted};
use storage::relational::people::{self, User};
use storage::relational::projects::Project;
use storage::sql::{Connection, SqlError};

use self::shape::Field;
pub use self::shown::Shown;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::fields::Body;
use crate::links::{offset, paged};

/// What stands in the place of a secret.
pub const HIDDEN: &str = "hidden-secret";
/// Bytes of a document.
const BYTES: usize = 256 << 10;

/// How a document is called in paths, besides its number.
pub enum Naming {
    /// By 32 random hex digits.
    Random,
    /// By the field `slug`, or what is made of this field.
    Slug(&'static str),
    /// By what a function makes of the path and the body.
    Made(fn(&Call, &Body) -> String),
}

/// A kind of document.
pub struct Kind {
    /// Its name in the database.
    pub name: &'static str,
    /// What it is called in a refusal.
    pub noun: &'static str,
    /// What it holds.
    pub fields: &'static [Field],
    /// The field by which it is looked for.
    pub label: &'static str,
    /// So many an organization may have.
    pub most: usize,
    /// How it is called in paths.
    pub naming: Naming,
    /// It belongs to the project of the path, or to that of the field `project`.
    pub of_project: bool,
    /// Fields that the server alone sets.
    pub own: &'static [&'static str],
    /// Fields that are kept sealed and never shown again.
    pub secrets: &'static [&'static str],
    /// It does what it says.
    pub acting: bool,
    /// What is done to it is not noted in the audit log.
    pub quiet: bool,
    /// Checks that go over a single field.
    pub check: fn(&Call, &Body) -> Result<(), ApiError>,
    /// Whether the caller may know of a document, if not everybody may.
    pub visible: Option<fn(&Call, &Document) -> bool>,
    /// Whether the caller may change or remove a document, beside what the route asks for.
    pub guard: fn(&Call, &Document) -> Result<(), ApiError>,
    /// Makes the answer of what is kept.
    pub view: fn(&Shown<'_>, &mut Body),
    /// The statuses of an answer to a document that was made, changed and removed.
    pub statuses: (u16, u16, u16),
}

impl Kind {
    /// What most kinds are.
    pub const PLAIN: Kind = Kind {
        name: "",
        noun: "Document",
        fields: &[],
        label: "name",
        most: 1_000,
        naming: Naming::Random,
        of_project: false,
        own: &[],
        secrets: &[],
        acting: false,
        quiet: false,
        check: |_, _| Ok(()),
        visible: None,
        guard: |_, _| Ok(()),
        view: |_, _| {},
        statuses: (201, 200, 204),
    };
}

/// Something that names a kind: endpoints are functions without arguments.
pub trait Kept {
    /// The kind.
    const KIND: &'static Kind;
}

/// What a page of documents needs besides them.
struct Around {
    projects: Vec<Project>,
    people: HashMap<i64, User>,
}

fn around(call: &Call, all: &[Document]) -> Result<Around, ApiError> {
    Ok(call.api.stores.sql.reading(|c| {
        let users: Vec<i64> = all.iter().filter_map(|d| d.user).collect();
        let projects = call.seen(c)?;
        let people = crate::endpoints::issue::users(c, users)?;
        Ok(Around { projects, people })
    })?)
}

fn views(call: &Call, kind: &Kind, all: &[Document], full: bool) -> Result<Vec<Value>, ApiError> {
    let around = around(call, all)?;
    let one = |d: &Document| {
        let mut out: Body = d.body.as_object().cloned().unwrap_or_default();
        out.insert("id".into(), json!(d.id.to_string()));
        out.insert("dateCreated".into(), crate::views::time(d.date_added));
        out.insert("dateUpdated".into(), crate::views::time(d.last_updated));
        if !kind.acting {
            out.insert("acting".into(), json!(false));
        }
        for name in kind.secrets {
            if out.contains_key(*name) {
                out.insert((*name).into(), json!({ HIDDEN: true }));
            }
        }
        let shown = Shown {
            call,
            document: d,
            projects: &around.projects,
            user: d.user.and_then(|u| around.people.get(&u)),
            full,
        };
        (kind.view)(&shown, &mut out);
        Value::Object(out)
    };
    Ok(all.iter().map(one).collect())
}

/// One document in full, as it is kept now.
pub fn view(call: &Call, kind: &Kind, document: &Document) -> Result<Value, ApiError> {
    Ok(views(call, kind, std::slice::from_ref(document), true)?
        .pop()
        .unwrap_or_default())
}

/// Whether the caller may know of a document.
fn visible(call: &Call, kind: &Kind, document: &Document) -> bool {
    kind.visible.is_none_or(|visible| visible(call, document))
}

/// A page of the documents of a kind that the path and the query are about, oldest first, and whether there are more.
fn page_of(
    call: &Call,
    kind: &Kind,
    label: &str,
    page: (usize, usize),
) -> Result<(Vec<Document>, bool), ApiError> {
    let org = call.organization()?.id;
    let projects: Option<Vec<i64>> = match &call.project {
        Some(project) => Some(vec![project.id]),
        None if kind.of_project => Some(call.projects()?.iter().map(|p| p.id).collect()),
        None => None,
    };
    let wanted = Wanted {
        projects: projects.as_deref(),
        part: call.value("query").unwrap_or(""),
        label,
    };
    let (start, limit) = page;
    // What not everybody may see is sorted out here, so that all of it is read. People make few of these.
    let (from, most) = if kind.visible.is_some() {
        (0, kind.most)
    } else {
        (start, limit.saturating_add(1))
    };
    let read = call
        .api
        .stores
        .sql
        .reading(|c| documents::page(c, kind.name, org, &wanted, from, most))?;
    let mut all: Vec<Document> = read.into_iter().filter(|d| visible(call, kind, d)).collect();
    if kind.visible.is_some() {
        all = all.into_iter().skip(start).collect();
    }
    let more = all.len() > limit;
    all.truncate(limit);
    Ok((all, more))
}

/// The documents of a kind that the path and the query are about, oldest first: for kinds of which there are few.
pub fn of_call(call: &Call, kind: &Kind) -> Result<Vec<Document>, ApiError> {
    Ok(page_of(call, kind, "", (0, kind.most))?.0)
}

/// The documents of a kind, oldest first; `query` is a part of their name.
pub fn list<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let (page, more) = page_of(call, K::KIND, "", (start, limit))?;
    Ok(paged(
        Answer::json(views(call, K::KIND, &page, false)?),
        call,
        start,
        limit,
        more,
    ))
}

/// The documents that are about an issue, oldest first.
pub fn of_issue(call: &Call, kind: &Kind, issue: i64) -> Result<Answer, ApiError> {
    let (start, limit) = (offset(call)?, call.limit(100)?);
    let (page, more) = page_of(call, kind, &issue.to_string(), (start, limit))?;
    Ok(paged(
        Answer::json(views(call, kind, &page, true)?),
        call,
        start,
        limit,
        more,
    ))
}

/// The document that the path names.
pub fn find(call: &Call, kind: &Kind) -> Result<Document, ApiError> {
    named(call, kind, call.param("document"))
}

/// A document by its number or name, as far as the path may know of it.
pub fn named(call: &Call, kind: &Kind, name: &str) -> Result<Document, ApiError> {
    let org = call.organization()?.id;
    let found = call
        .api
        .stores
        .sql
        .reading(|c| documents::find(c, kind.name, org, name))?;
    let project = call.project.as_ref().map(|p| p.id);
    let seen: Vec<i64> = call
        .api
        .stores
        .sql
        .reading(|c| call.seen(c))?
        .iter()
        .map(|p| p.id)
        .collect();
    let fits = |d: &Document| {
        let in_place = project.is_none() || d.project == project;
        in_place && d.project.is_none_or(|p| seen.contains(&p)) && visible(call, kind, d)
    };
    found.filter(fits).ok_or_else(|| ApiError::missing(kind.noun))
}

/// One document.
pub fn get<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    Ok(Answer::json(view(call, K::KIND, &find(call, K::KIND)?)?))
}

fn status(number: u16, value: Value) -> Answer {
    Answer {
        status: StatusCode::from_u16(number).unwrap_or(StatusCode::OK),
        ..Answer::json(value)
    }
}

/// The project that a document belongs to: that of the path, or that which the body names.
fn project(call: &Call, kind: &Kind, body: &Body) -> Result<Option<i64>, ApiError> {
    if let Some(project) = &call.project {
        return Ok(Some(project.id));
    }
    let name = match body
        .get("project")
        .or_else(|| body.get("projects").and_then(|p| p.get(0)))
    {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        _ if kind.of_project => return Err(ApiError::field("project", "This field is required.")),
        _ => return Ok(None),
    };
    if !kind.of_project {
        return Ok(None);
    }
    let found = call.api.stores.sql.reading(|c| call.seen_project(c, &name))?;
    match found {
        Some(p) => Ok(Some(p.id)),
        None => Err(ApiError::field("project", "Invalid project")),
    }
}

fn slug(call: &Call, kind: &Kind, body: &Body, given: &Body) -> Result<String, ApiError> {
    Ok(match &kind.naming {
        Naming::Random => uuid::Uuid::new_v4().simple().to_string(),
        Naming::Made(make) => make(call, body),
        Naming::Slug(source) => match given
            .get("slug")
            .and_then(Value::as_str)
            .filter(|s| !s.is_empty())
        {
            Some(slug) => crate::endpoints::projects::check_slug(slug)?,
            None => crate::endpoints::projects::slug_of(body[*source].as_str().unwrap_or("")),
        },
    })
}

/// By what a document is looked for.
fn label(kind: &Kind, body: &Body) -> String {
    match body.get(kind.label) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

fn check_size(body: &Body) -> Result<(), ApiError> {
    let size = Value::Object(body.clone()).to_string().len();
    if size > BYTES {
        return Err(ApiError::TooLarge(format!(
            "This may have at most {} KiB.",
            BYTES >> 10
        )));
    }
    Ok(())
}

/// Seals the secrets of a document that are not sealed yet.
fn seal(call: &Call, kind: &Kind, body: &mut Body) -> Result<(), ApiError> {
    for name in kind.secrets {
        if let Some(Value::String(secret)) = body.get(*name) {
            let sealed = call.api.seal.close(kind.name, secret.as_bytes());
            let sealed = json!({ "sealed": sealed.map_err(ApiError::Internal)? });
            body.insert((*name).into(), sealed);
        }
    }
    Ok(())
}

/// Keeps a document that a body gives.
pub fn keep(call: &Call, kind: &Kind, given: &Body) -> Result<Document, ApiError> {
    let mut body = shape::read(kind.fields, given, None)?;
    (kind.check)(call, &body)?;
    check_size(&body)?;
    seal(call, kind, &mut body)?;
    let org = call.organization()?.id;
    let mut document = Document {
        id: 0,
        kind: kind.name.to_owned(),
        org,
        project: project(call, kind, given)?,
        slug: slug(call, kind, &body, given)?,
        label: label(kind, &body),
        body: Value::Object(body),
        user: call.user_id().ok(),
        date_added: call.now(),
        last_updated: call.now(),
    };
    let most = i64::try_from(kind.most).unwrap_or(i64::MAX);
    document.id = call.change(|c| {
        if documents::count(c, kind.name, org)? >= most {
            return Err(ApiError::Bad(format!(
                "An organization has at most {most} of these."
            )));
        }
        let id = documents::add(c, &document).map_err(|e| taken(kind, e))?;
        audit(call, c, kind, "setting.create", id, &document.label)?;
        Ok(id)
    })?;
    Ok(document)
}

/// A body as it was sent, without what the server alone sets.
pub fn sent(call: &Call, kind: &Kind) -> Result<Body, ApiError> {
    let mut body = call.json()?;
    body.retain(|name, _| !kind.own.contains(&name.as_str()));
    Ok(body)
}

/// Keeps a new document.
pub fn add<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    let document = keep(call, K::KIND, &sent(call, K::KIND)?)?;
    Ok(status(K::KIND.statuses.0, view(call, K::KIND, &document)?))
}

/// Changes a document by a body: what it does not name stays.
pub fn change(call: &Call, kind: &Kind, document: &mut Document, given: &Body) -> Result<(), ApiError> {
    (kind.guard)(call, document)?;
    let before = document.body.as_object().cloned().unwrap_or_default();
    let mut body = shape::read(kind.fields, given, Some(&before))?;
    (kind.check)(call, &body)?;
    check_size(&body)?;
    seal(call, kind, &mut body)?;
    document.label = label(kind, &body);
    document.body = Value::Object(body);
    if let (Naming::Slug(_), Some(slug)) = (&kind.naming, given.get("slug").and_then(Value::as_str)) {
        document.slug = crate::endpoints::projects::check_slug(slug)?;
    }
    if kind.of_project && call.project.is_none() && given.contains_key("project") {
        document.project = project(call, kind, given)?;
    }
    document.last_updated = call.now();
    call.change(|c| {
        documents::update(c, document).map_err(|e| taken(kind, e))?;
        audit(call, c, kind, "setting.edit", document.id, &document.label)
    })
}

fn taken(kind: &Kind, e: SqlError) -> ApiError {
    match e {
        SqlError::Constraint(_) => {
            ApiError::field("slug", format!("{} with this slug exists already.", kind.noun))
        }
        other => other.into(),
    }
}

/// Notes in the audit log what was done to a setting. What people keep for themselves is their own affair.
fn audit(
    call: &Call,
    c: &mut dyn Connection,
    kind: &Kind,
    event: &str,
    id: i64,
    name: &str,
) -> Result<(), ApiError> {
    if kind.quiet {
        return Ok(());
    }
    call.audit(c, event, Some(id), &json!({ "kind": kind.name, "name": name }))
}

/// Forgets documents in one transaction.
pub fn forget(call: &Call, kind: &Kind, all: &[Document]) -> Result<(), ApiError> {
    call.change(|c| {
        for document in all {
            documents::remove(c, document.id)?;
            audit(call, c, kind, "setting.remove", document.id, &document.label)?;
        }
        Ok(())
    })
}

/// Changes a document.
pub fn update<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    let mut document = find(call, K::KIND)?;
    change(call, K::KIND, &mut document, &sent(call, K::KIND)?)?;
    Ok(status(K::KIND.statuses.1, view(call, K::KIND, &document)?))
}

/// Forgets a document.
pub fn remove<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    let document = find(call, K::KIND)?;
    (K::KIND.guard)(call, &document)?;
    call.api
        .stores
        .sql
        .writing(|c| documents::remove(c, document.id))?;
    Ok(Answer {
        status: StatusCode::from_u16(K::KIND.statuses.2).unwrap_or(StatusCode::NO_CONTENT),
        ..Answer::nothing()
    })
}

/// Those that `id` names, or that the query finds, or of a project; something of it must be there.
fn several(call: &Call, kind: &Kind) -> Result<Vec<Document>, ApiError> {
    let ids = call.values("id");
    let by_project = kind.of_project && call.value("project").is_some();
    if ids.is_empty() && call.value("query").is_none() && !by_project {
        let what = "At least one of 'id', 'query', 'project' must be provided.";
        return Err(ApiError::Bad(what.into()));
    }
    let mut all = of_call(call, kind)?;
    all.retain(|d| ids.is_empty() || ids.contains(&d.id.to_string().as_str()));
    Ok(all)
}

/// Changes several documents: those that `id` names, or that the query finds.
pub fn update_several<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    let given = sent(call, K::KIND)?;
    let mut all = several(call, K::KIND)?;
    for document in &mut all {
        change(call, K::KIND, document, &given)?;
    }
    Ok(Answer::json(views(call, K::KIND, &all, true)?))
}

/// Forgets several documents.
pub fn remove_several<K: Kept>(call: &Call) -> Result<Answer, ApiError> {
    let all = several(call, K::KIND)?;
    all.iter().try_for_each(|d| (K::KIND.guard)(call, d))?;
    forget(call, K::KIND, &all)?;
    Ok(Answer::nothing())
}

/// Whether the caller made a document.
pub fn own(call: &Call, d: &Document) -> bool {
    d.user.is_some() && d.user == call.user_id().ok()
}

/// The members of an organization: whom a document may name.
pub fn members(call: &Call) -> Result<Vec<people::Member>, ApiError> {
    let org = call.organization()?.id;
    Ok(call.api.stores.sql.reading(|c| people::members(c, org))?)
}
