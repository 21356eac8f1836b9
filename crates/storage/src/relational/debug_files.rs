//! Debug files of projects: what was uploaded to read addresses, obfuscated names and the like by. Several files of
//! one debug id are the rule (one with symbols, one with unwind information, one with sources); which serves is
//! chosen by [`DebugFile::features`].

use super::{all, list};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A debug file, or one of the objects in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DebugFile {
    /// Its number; given when it is added.
    pub id: i64,
    /// Its project.
    pub project: i64,
    /// As `symbolic::common::DebugId` writes it, lower case; none if the file has a code id alone.
    pub debug_id: Option<String>,
    /// Lower case hex.
    pub code_id: Option<String>,
    /// `elf`, `macho`, `pe`, `pdb`, `portablepdb`, `breakpad`, `wasm`, `sourcebundle`, `bcsymbolmap`, `uuidmap`,
    /// `il2cpp`, `proguard`, `dartsymbolmap`.
    pub kind: String,
    /// `exe`, `dbg`, `lib`, `src`, `rel`, `other`….
    pub class: String,
    /// The name of the file that was uploaded.
    pub object_name: String,
    /// `x86_64`, `arm64`, `any`…
    pub cpu: String,
    /// Some of `symtab`, `debug`, `unwind`, `sources`, `mapping`.
    pub features: Vec<String>,
    /// SHA-1 of the whole file, hex.
    pub sha1: String,
    /// Bytes of the whole file.
    pub size: i64,
    /// The key of the whole file's bytes.
    pub blob: String,
    /// When it was uploaded, µs.
    pub date_added: i64,
    /// When it last served, µs; first its upload.
    pub date_used: i64,
}

impl DebugFile {
    /// Whether it has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|f| f == feature)
    }
}

const COLUMNS: &str = "d.id, d.project_id, d.debug_id, d.code_id, d.kind, d.class, d.object_name, d.cpu, d.features, \
                       d.sha1, d.size, d.blob, d.date_added, d.date_used";

fn some(text: String) -> Option<String> {
    Some(text).filter(|t| !t.is_empty())
}

fn read(r: &Row) -> Result<DebugFile> {
    Ok(DebugFile {
        id: r.int(0)?,
        project: r.int(1)?,
        debug_id: some(r.text(2)?),
        code_id: some(r.text(3)?),
        kind: r.text(4)?,
        class: r.text(5)?,
        object_name: r.text(6)?,
        cpu: r.text(7)?,
        features: r.text(8)?.split_whitespace().map(str::to_owned).collect(),
        sha1: r.text(9)?,
        size: r.int(10)?,
        blob: r.text(11)?,
        date_added: r.int(12)?,
        date_used: r.int(13)?,
    })
}

/// Adds a debug file; one that the project has counts as uploaded now.
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, d: &DebugFile) -> Result<i64> {
    c.query_one(
        "insert into debug_files (project_id, debug_id, code_id, kind, class, object_name, cpu, features, sha1, size, \
         blob, date_added, date_used) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         on conflict (project_id, debug_id, code_id, sha1) do update set kind = excluded.kind, class = excluded.class, \
         object_name = excluded.object_name, cpu = excluded.cpu, features = excluded.features, blob = excluded.blob, \
         date_added = excluded.date_added, date_used = excluded.date_used returning id",
        params![
            d.project,
            d.debug_id.as_deref().unwrap_or(""),
            d.code_id.as_deref().unwrap_or(""),
            &d.kind,
            &d.class,
            &d.object_name,
            &d.cpu,
            d.features.join(" "),
            &d.sha1,
            d.size,
            &d.blob,
            d.date_added,
            d.date_used
        ],
    )?
    .int(0)
}

/// The projects that have debug files.
pub fn projects_with_any(c: &mut dyn Connection) -> Result<Vec<i64>> {
    let rows = c.query("select distinct project_id from debug_files", params![])?;
    all(rows, |r| r.int(0))
}

/// The debug files of a project with a debug id, newest first.
pub fn by_debug_id(c: &mut dyn Connection, project: i64, debug_id: &str) -> Result<Vec<DebugFile>> {
    let sql = format!(
        "select {COLUMNS} from debug_files d where d.project_id = $1 and d.debug_id = $2 and $2 <> '' \
         order by d.date_added desc, d.id desc limit 100"
    );
    all(c.query(&sql, params![project, debug_id])?, read)
}

/// The debug files of a project with a code id, newest first.
pub fn by_code_id(c: &mut dyn Connection, project: i64, code_id: &str) -> Result<Vec<DebugFile>> {
    let sql = format!(
        "select {COLUMNS} from debug_files d where d.project_id = $1 and d.code_id = $2 and $2 <> '' \
         order by d.date_added desc, d.id desc limit 100"
    );
    all(c.query(&sql, params![project, code_id])?, read)
}

/// The debug files of a project that came with a whole file.
pub fn by_sha1(c: &mut dyn Connection, project: i64, sha1: &str) -> Result<Vec<DebugFile>> {
    let sql = format!(
        "select {COLUMNS} from debug_files d where d.project_id = $1 and d.sha1 = $2 order by d.id limit 100"
    );
    all(c.query(&sql, params![project, sha1])?, read)
}

/// A debug file of a project by its number.
pub fn by_id(c: &mut dyn Connection, project: i64, id: i64) -> Result<Option<DebugFile>> {
    let sql = format!("select {COLUMNS} from debug_files d where d.project_id = $1 and d.id = $2");
    let row = c.query_opt(&sql, params![project, id])?;
    row.map(|r| read(&r)).transpose()
}

/// Which of these SHA-1 a project has.
pub fn known(c: &mut dyn Connection, project: i64, sha1s: &[String]) -> Result<Vec<String>> {
    let wanted = list(sha1s.iter().map(|s| serde_json::json!({"s": s})).collect());
    let rows = c.query(
        "select distinct d.sha1 from {rows $2 s text} x join debug_files d on d.project_id = $1 and d.sha1 = x.s",
        params![project, wanted],
    )?;
    all(rows, |r| r.text(0))
}

/// Which debug files are asked for; what is empty asks nothing.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// With this in their name, ids, kind or cpu.
    pub part: &'a str,
    /// With this debug id.
    pub debug_id: &'a str,
    /// With this code id.
    pub code_id: &'a str,
    /// Of these kinds.
    pub kinds: &'a [String],
}

/// A page of a project's debug files, newest first.
pub fn page(
    c: &mut dyn Connection,
    project: i64,
    wanted: &Wanted<'_>,
    offset: usize,
    limit: usize,
) -> Result<Vec<DebugFile>> {
    let dialect = c.dialect();
    let parts: Vec<String> = [
        "d.object_name",
        "d.debug_id",
        "d.code_id",
        "d.kind",
        "d.cpu",
        "d.features",
    ]
    .iter()
    .map(|column| dialect.contains_ci(column, "$2"))
    .collect();
    let sql = format!(
        "select {COLUMNS} from debug_files d where d.project_id = $1 and ($2 = '' or {}) \
         and ($3 = '' or d.debug_id = $3) and ($4 = '' or d.code_id = $4) \
         and ($5 = 0 or d.kind in (select x.k from {{rows $6 k text}} x)) \
         order by d.date_added desc, d.id desc limit $7 offset $8",
        parts.join(" or ")
    );
    let kinds = list(wanted.kinds.iter().map(|k| serde_json::json!({"k": k})).collect());
    let values = params![
        project,
        wanted.part.to_lowercase(),
        wanted.debug_id,
        wanted.code_id,
        wanted.kinds.len(),
        kinds,
        limit,
        offset
    ];
    all(c.query(&sql, values)?, read)
}

/// Whether a project has any.
pub fn any(c: &mut dyn Connection, project: i64) -> Result<bool> {
    let row = c.query_opt(
        "select 1 from debug_files where project_id = $1 limit 1",
        params![project],
    )?;
    Ok(row.is_some())
}

/// Notes that debug files served. Call it at most daily for each.
pub fn used(c: &mut dyn Connection, ids: &[i64], now: i64) -> Result<()> {
    let ids = list(ids.iter().map(|i| serde_json::json!({"i": i})).collect());
    c.execute(
        "update debug_files set date_used = $2 where id in (select x.i from {rows $1 i int} x)",
        params![ids, now],
    )?;
    Ok(())
}

/// Removes a debug file of a project; whether it was there.
pub fn remove(c: &mut dyn Connection, project: i64, id: i64) -> Result<bool> {
    let n = c.execute(
        "delete from debug_files where project_id = $1 and id = $2",
        params![project, id],
    )?;
    Ok(n > 0)
}

/// Removes those that did not serve since a time; how many.
pub fn sweep(c: &mut dyn Connection, before: i64) -> Result<u64> {
    c.execute("delete from debug_files where date_used < $1", params![before])
}
