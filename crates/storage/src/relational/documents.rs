//! What is kept as it was given: settings of features that do not act yet, saved searches and the like. What a kind
//! of document may hold is known to the API alone.

use serde_json::Value as Json;

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its number.
    pub id: i64,
    /// `dashboard`, `monitor`…
    pub kind: String,
    /// Its organization.
    pub org: i64,
    /// Its project, if it belongs to one.
    pub project: Option<i64>,
    /// Its name in paths, once in its organization and kind.
    pub slug: String,
    /// By what it is looked for: its name, or the number of the issue that it is about.
    pub label: String,
    /// What it says.
    pub body: Json,
    /// Who made it.
    pub user: Option<i64>,
    /// When, µs.
    pub date_added: i64,
    /// When it was last changed, µs.
    pub last_updated: i64,
}

const COLUMNS: &str = "id, kind, org_id, project_id, slug, label, body, user_id, date_added, last_updated";

fn read(r: &Row) -> Result<Document> {
    Ok(Document {
        id: r.int(0)?,
        kind: r.text(1)?,
        org: r.int(2)?,
        project: r.opt_int(3)?,
        slug: r.text(4)?,
        label: r.text(5)?,
        body: r.json(6)?,
        user: r.opt_int(7)?,
        date_added: r.int(8)?,
        last_updated: r.int(9)?,
    })
}

/// The documents of a kind in an organization, or in a project of it, oldest first.
///
/// # Errors
/// As the database says; so for every function here.
pub fn of_kind(c: &mut dyn Connection, kind: &str, org: i64, project: Option<i64>) -> Result<Vec<Document>> {
    let sql = format!(
        "select {COLUMNS} from documents where kind = $1 and org_id = $2 and ($3 = 0 or project_id = $3) order by id"
    );
    all(c.query(&sql, params![kind, org, project.unwrap_or(0)])?, read)
}

/// The documents of a kind in all organizations, oldest first.
pub fn every(c: &mut dyn Connection, kind: &str) -> Result<Vec<Document>> {
    let sql = format!("select {COLUMNS} from documents where kind = $1 order by id");
    all(c.query(&sql, params![kind])?, read)
}

/// Which documents are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// Of these projects, and of none; of all if not given.
    pub projects: Option<&'a [i64]>,
    /// With this in their label.
    pub part: &'a str,
    /// With this label.
    pub label: &'a str,
}

/// A page of the documents of a kind, oldest first.
pub fn page(
    c: &mut dyn Connection,
    kind: &str,
    org: i64,
    wanted: &Wanted<'_>,
    offset: usize,
    limit: usize,
) -> Result<Vec<Document>> {
    let contains = c.dialect().contains_ci("label", "$5");
    let sql = format!(
        "select {COLUMNS} from documents where kind = $1 and org_id = $2 \
         and ($3 = 1 or project_id is null or project_id in (select x.p from {{rows $4 p int}} x)) \
         and ($5 = '' or {contains}) and ($6 = '' or label = $6) order by id limit $7 offset $8"
    );
    let everywhere = i64::from(wanted.projects.is_none());
    let projects = wanted.projects.unwrap_or_default();
    let projects = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let part = wanted.part.to_lowercase();
    let values = params![kind, org, everywhere, projects, part, wanted.label, limit, offset];
    all(c.query(&sql, values)?, read)
}

/// How many documents of a kind an organization has.
pub fn count(c: &mut dyn Connection, kind: &str, org: i64) -> Result<i64> {
    c.query_one(
        "select count(*) from documents where kind = $1 and org_id = $2",
        params![kind, org],
    )?
    .int(0)
}

/// A document by its number or its name.
pub fn find(c: &mut dyn Connection, kind: &str, org: i64, name: &str) -> Result<Option<Document>> {
    let id: i64 = name.parse().unwrap_or(0);
    let sql = format!(
        "select {COLUMNS} from documents where kind = $1 and org_id = $2 and (id = $3 or slug = $4) order by id"
    );
    all(c.query(&sql, params![kind, org, id, name])?, read).map(|v| v.into_iter().next())
}

/// A document in whatever organization it is: by its number, its name, or a text that its body holds.
pub fn of_name(c: &mut dyn Connection, kind: &str, name: &str) -> Result<Option<Document>> {
    let id: i64 = name.parse().unwrap_or(0);
    let contains = c.dialect().contains_ci("body", "$4");
    let sql = format!(
        "select {COLUMNS} from documents where kind = $1 and (id = $2 or slug = $3 or length($4) = 38 and {contains}) \
         order by id"
    );
    // Only a whole value is looked for: an identifier in its quotes.
    let whole = format!("\"{}\"", name.to_lowercase());
    all(c.query(&sql, params![kind, id, name, whole])?, read).map(|v| v.into_iter().next())
}

/// A document by its number.
pub fn by_id(c: &mut dyn Connection, id: i64) -> Result<Option<Document>> {
    let sql = format!("select {COLUMNS} from documents where id = $1");
    all(c.query(&sql, params![id])?, read).map(|v| v.into_iter().next())
}

/// Keeps a document; answers its number.
pub fn add(c: &mut dyn Connection, d: &Document) -> Result<i64> {
    let sql = "insert into documents (kind, org_id, project_id, slug, label, body, user_id, date_added, last_updated) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id";
    let values = params![
        &d.kind,
        d.org,
        d.project,
        &d.slug,
        &d.label,
        &d.body,
        d.user,
        d.date_added,
        d.last_updated
    ];
    c.query_one(sql, values)?.int(0)
}

/// Writes what a document says, its name and its project.
pub fn update(c: &mut dyn Connection, d: &Document) -> Result<()> {
    c.execute(
        "update documents set project_id = $2, slug = $3, label = $4, body = $5, last_updated = $6 where id = $1",
        params![d.id, d.project, &d.slug, &d.label, &d.body, d.last_updated],
    )?;
    Ok(())
}

/// Links of an issue to other systems become those of another issue.
pub fn give_links(c: &mut dyn Connection, from: i64, to: i64) -> Result<()> {
    let sql = format!(
        "select {COLUMNS} from documents where kind = 'external_issue' and label = $2 and org_id = \
         (select p.org_id from issues i join projects p on p.id = i.project_id where i.id = $1) order by id"
    );
    for mut document in all(c.query(&sql, params![from, from.to_string()])?, read)? {
        document.label = to.to_string();
        document.body["issueId"] = to.into();
        update(c, &document)?;
    }
    Ok(())
}

/// Forgets a document.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    c.execute("delete from documents where id = $1", params![id])?;
    Ok(())
}
