//! Issues.

use super::{all, list};
use crate::life::{Details, Priority, State, Status, Substatus};
use crate::params;
use crate::sql::{Connection, Result, Row, Value};

/// An issue.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// Its number.
    pub id: i64,
    /// Its project.
    pub project: i64,
    /// Its number within the project, of which the short id is made.
    pub short_number: i64,
    /// Where it stands.
    pub state: State,
    /// The level of its last event.
    pub level: String,
    /// The platform of its last event.
    pub platform: String,
    /// `error`, `default`, `csp`.
    pub kind: String,
    /// The logger of its last event.
    pub logger: String,
    /// What it is called.
    pub title: String,
    /// Where it happens.
    pub culprit: String,
    /// Type, value, file name and so on, JSON.
    pub metadata: String,
    /// Whether the program handled the last error.
    pub handled: Option<bool>,
    /// First seen, µs.
    pub first_seen: i64,
    /// Last seen, µs.
    pub last_seen: i64,
    /// Events in its life.
    pub times_seen: i64,
    /// Users in its life.
    pub users_seen: i64,
    /// The release of its first event.
    pub first_release: Option<String>,
    /// The release of its last event.
    pub last_release: Option<String>,
    /// Who takes care.
    pub assigned_user: Option<i64>,
    /// The team it is assigned to, if it is not a user.
    pub assigned_team: Option<i64>,
    /// Comments.
    pub num_comments: i64,
    /// It is deleted then, µs, unless somebody takes it back.
    pub delete_after: Option<i64>,
}

impl Issue {
    /// Takes over what an issue shows of its newest event: texts, level, platform, last release.
    pub fn wear(&mut self, newest: &Issue) {
        self.level.clone_from(&newest.level);
        self.platform.clone_from(&newest.platform);
        self.kind.clone_from(&newest.kind);
        self.logger.clone_from(&newest.logger);
        self.title.clone_from(&newest.title);
        self.culprit.clone_from(&newest.culprit);
        self.metadata.clone_from(&newest.metadata);
        self.handled = newest.handled;
        self.last_release.clone_from(&newest.last_release);
    }
}

const COLUMNS: &str = "i.id, i.project_id, i.short_number, i.status, i.substatus, i.priority, i.priority_locked, \
    i.status_details, i.status_changed, i.level, i.platform, i.kind, i.logger, i.title, i.culprit, i.metadata, \
    i.handled, i.first_seen, i.last_seen, i.times_seen, i.users_seen, i.first_release, i.last_release, \
    i.assigned_user, i.num_comments, i.delete_after, i.assigned_team";

fn read(r: &Row) -> Result<Issue> {
    let details: Details = serde_json::from_value(r.json(7)?).unwrap_or_default();
    Ok(Issue {
        id: r.int(0)?,
        project: r.int(1)?,
        short_number: r.int(2)?,
        state: State {
            status: Status::parse(&r.text(3)?).unwrap_or(Status::Unresolved),
            substatus: Substatus::parse(&r.text(4)?).unwrap_or(Substatus::Ongoing),
            priority: Priority::parse(&r.text(5)?).unwrap_or(Priority::Medium),
            priority_locked: r.bool(6)?,
            details,
            changed: r.int(8)?,
        },
        level: r.text(9)?,
        platform: r.text(10)?,
        kind: r.text(11)?,
        logger: r.text(12)?,
        title: r.text(13)?,
        culprit: r.text(14)?,
        metadata: r.text(15)?,
        handled: r.opt_int(16)?.map(|n| n != 0),
        first_seen: r.int(17)?,
        last_seen: r.int(18)?,
        times_seen: r.int(19)?,
        users_seen: r.int(20)?,
        first_release: r.opt_text(21)?,
        last_release: r.opt_text(22)?,
        assigned_user: r.opt_int(23)?,
        num_comments: r.int(24)?,
        delete_after: r.opt_int(25)?,
        assigned_team: r.opt_int(26)?,
    })
}

fn json(i: &Issue) -> serde_json::Value {
    serde_json::json!({
        "id": i.id, "pr": i.project, "sn": i.short_number, "st": i.state.status.name(),
        "ss": i.state.substatus.name(), "pp": i.state.priority.name(),
        "pl": i64::from(i.state.priority_locked),
        "sd": serde_json::to_string(&i.state.details).unwrap_or_else(|_| "{}".into()), "sc": i.state.changed,
        "lv": i.level, "pf": i.platform, "kd": i.kind, "lg": i.logger, "ti": i.title, "cu": i.culprit,
        "me": i.metadata, "ha": i.handled.map(i64::from), "fs": i.first_seen, "ls": i.last_seen,
        "ts": i.times_seen, "us": i.users_seen, "fr": i.first_release, "lr": i.last_release,
        "au": i.assigned_user, "ag": i.assigned_team, "da": i.delete_after,
    })
}

const ROWS: &str = "{rows $1 id int, pr int, sn int, st text, ss text, pp text, pl int, sd text, sc int, lv text, \
    pf text, kd text, lg text, ti text, cu text, me text, ha int, fs int, ls int, ts int, us int, fr text, lr text, \
    au int, ag int, da int}";

/// Makes issues; answers their numbers by (project, short number).
///
/// # Errors
/// As the database says; so for every function here.
pub fn add(c: &mut dyn Connection, issues: &[Issue]) -> Result<Vec<(i64, i64, i64)>> {
    let rows = list(issues.iter().map(json).collect());
    let sql = format!(
        "insert into issues (project_id, short_number, status, substatus, priority, priority_locked, status_details, \
         status_changed, level, platform, kind, logger, title, culprit, metadata, handled, first_seen, last_seen, \
         times_seen, users_seen, first_release, last_release, assigned_user, assigned_team, num_comments, delete_after) \
         select pr, sn, st, ss, pp, pl, sd, sc, lv, pf, kd, lg, ti, cu, me, ha, fs, ls, ts, us, fr, lr, au, ag, 0, da \
         from {ROWS} x returning project_id, short_number, id"
    );
    all(c.query(&sql, params![rows])?, |r| {
        Ok((r.int(0)?, r.int(1)?, r.int(2)?))
    })
}

/// Writes what the worker may change of issues.
pub fn save(c: &mut dyn Connection, issues: &[&Issue]) -> Result<()> {
    if issues.is_empty() {
        return Ok(());
    }
    let rows = list(issues.iter().map(|i| json(i)).collect());
    let sql = format!(
        "update issues set status = x.st, substatus = x.ss, priority = x.pp, priority_locked = x.pl, \
         status_details = x.sd, status_changed = x.sc, level = x.lv, platform = x.pf, kind = x.kd, logger = x.lg, \
         title = x.ti, culprit = x.cu, metadata = x.me, handled = x.ha, first_seen = x.fs, last_seen = x.ls, \
         times_seen = x.ts, users_seen = x.us, first_release = x.fr, last_release = x.lr, assigned_user = x.au, \
         assigned_team = x.ag, delete_after = x.da from {ROWS} x where x.id = issues.id"
    );
    c.execute(&sql, params![rows])?;
    Ok(())
}

/// Issues by number; those that are not there are missing.
pub fn by_ids(c: &mut dyn Connection, ids: &[i64]) -> Result<Vec<Issue>> {
    let ids = list(ids.iter().map(|i| serde_json::json!({"i": i})).collect());
    let sql = format!("select {COLUMNS} from {{rows $1 i int}} x join issues i on i.id = x.i");
    all(c.query(&sql, params![ids])?, read)
}

/// An issue of a project by its short number.
pub fn by_short(c: &mut dyn Connection, project: i64, number: i64) -> Result<Option<Issue>> {
    let sql = format!("select {COLUMNS} from issues i where i.project_id = $1 and i.short_number = $2");
    all(c.query(&sql, params![project, number])?, read).map(|v| v.into_iter().next())
}

/// The issue that one was merged into, by the number or the short number of that one.
pub fn redirect(c: &mut dyn Connection, id: i64) -> Result<Option<i64>> {
    let row = c.query_opt(
        "select target from issue_redirects where issue_id = $1",
        params![id],
    )?;
    row.map(|r| r.int(0)).transpose()
}

/// The same by project and short number.
pub fn redirect_short(c: &mut dyn Connection, project: i64, number: i64) -> Result<Option<i64>> {
    let row = c.query_opt(
        "select target from issue_redirects where project_id = $1 and short_number = $2",
        params![project, number],
    )?;
    row.map(|r| r.int(0)).transpose()
}

/// The number of the newest issue; 0 without any.
pub fn last(c: &mut dyn Connection) -> Result<i64> {
    c.query_one("select coalesce(max(id), 0) from issues", &[])?
        .int(0)
}

/// Issues that were made after one, in their order: number and project.
pub fn after(c: &mut dyn Connection, id: i64, limit: i64) -> Result<Vec<(i64, i64)>> {
    let sql = "select id, project_id from issues where id > $1 order by id limit $2";
    all(c.query(sql, params![id, limit])?, |r| Ok((r.int(0)?, r.int(1)?)))
}

/// Issues whose deletion is due.
pub fn to_delete(c: &mut dyn Connection, now: i64, limit: i64) -> Result<Vec<Issue>> {
    let sql = format!(
        "select {COLUMNS} from issues i where i.delete_after <= $1 order by i.delete_after, i.id limit $2"
    );
    all(c.query(&sql, params![now, limit])?, read)
}

/// Removes an issue and what people attached to it; its hashes are buried before.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    for sql in [
        "delete from activity where issue_id = $1",
        "delete from bookmarks where issue_id = $1",
        "delete from seen where issue_id = $1",
        "delete from subscriptions where issue_id = $1",
        "delete from shared_issues where issue_id = $1",
        "delete from documents where kind = 'external_issue' and label = cast(cast($1 as bigint) as text) \
         and org_id = (select p.org_id from issues i join projects p on p.id = i.project_id where i.id = $1)",
        "delete from issue_redirects where target = $1",
        "delete from issues where id = $1",
    ] {
        c.execute(sql, params![id])?;
    }
    Ok(())
}

/// Archived issues, whose time may be over.
pub fn archived(c: &mut dyn Connection) -> Result<Vec<Issue>> {
    let sql = format!(
        "select {COLUMNS} from issues i where i.status = 'ignored' and i.substatus = 'archived_until_condition_met'"
    );
    all(c.query(&sql, &[])?, read)
}

/// Issues that were archived until they escalate, before a time.
pub fn await_escalation(c: &mut dyn Connection, before: i64) -> Result<Vec<Issue>> {
    let sql = format!(
        "select {COLUMNS} from issues i where i.status = 'ignored' and i.substatus = 'archived_until_escalating' \
         and i.status_changed < $1 order by i.id"
    );
    all(c.query(&sql, params![before])?, read)
}

/// A condition on issues, as text with `?` for each of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// SQL over the alias `i`, with `?` where a value goes.
    pub sql: String,
    /// The values.
    pub values: Vec<Value>,
}

impl Condition {
    /// A condition.
    pub fn new(sql: impl Into<String>, values: Vec<Value>) -> Condition {
        Condition {
            sql: sql.into(),
            values,
        }
    }

    /// Joins conditions.
    #[must_use]
    pub fn join(parts: Vec<Condition>, word: &str, empty: &str) -> Condition {
        if parts.is_empty() {
            return Condition::new(empty, vec![]);
        }
        let sql = parts
            .iter()
            .map(|p| format!("({})", p.sql))
            .collect::<Vec<_>>()
            .join(word);
        Condition {
            sql,
            values: parts.into_iter().flat_map(|p| p.values).collect(),
        }
    }

    /// The opposite; what cannot be said (null) counts as not holding.
    #[must_use]
    pub fn negate(self) -> Condition {
        Condition {
            sql: format!("not coalesce(({}), false)", self.sql),
            values: self.values,
        }
    }

    /// Renders with numbered placeholders from `first` on.
    pub(super) fn render(&self, first: usize) -> String {
        let mut out = String::new();
        let mut n = first;
        for c in self.sql.chars() {
            if c == '?' {
                out.push_str(&format!("${n}"));
                n += 1;
            } else {
                out.push(c);
            }
        }
        out
    }
}

/// Issues by number, in the order of the numbers; those that are not there are missing.
pub fn in_order(c: &mut dyn Connection, ids: &[i64]) -> Result<Vec<Issue>> {
    let mut found = by_ids(c, ids)?;
    let place: std::collections::HashMap<i64, usize> =
        ids.iter().enumerate().map(|(n, id)| (*id, n)).collect();
    found.sort_by_key(|i| place.get(&i.id).copied());
    Ok(found)
}

// The plus before `delete_after` keeps SQLite from its index: almost every issue is null there.

/// Which of these issues fulfil a condition and are not being deleted: number, and first seen in µs.
pub fn filter(c: &mut dyn Connection, ids: &[i64], condition: &Condition) -> Result<Vec<(i64, i64)>> {
    let scope = list(ids.iter().map(|i| serde_json::json!({"i": i})).collect());
    let mut values: Vec<Value> = vec![scope.into()];
    values.extend(condition.values.iter().cloned());
    let sql = format!(
        "select i.id, i.first_seen from {{rows $1 i int}} x join issues i on i.id = x.i \
         where +i.delete_after is null and {}",
        condition.render(2)
    );
    all(c.query(&sql, &values)?, |r| Ok((r.int(0)?, r.int(1)?)))
}

/// Every issue of projects that fulfils a condition: its number.
pub fn ids(c: &mut dyn Connection, projects: &[i64], condition: &Condition) -> Result<Vec<i64>> {
    let scope = list(projects.iter().map(|p| serde_json::json!({"p": p})).collect());
    let mut values: Vec<Value> = vec![scope.into()];
    values.extend(condition.values.iter().cloned());
    let sql = format!(
        "select i.id from issues i join {{rows $1 p int}} x on x.p = i.project_id \
         where +i.delete_after is null and {} order by i.id",
        condition.render(2)
    );
    all(c.query(&sql, &values)?, |r| r.int(0))
}

/// The short id: `SHOP-1A` of project `shop` and number 42 (Crockford's base 32, as Sentry writes it).
pub fn short_id(slug: &str, number: i64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut digits = Vec::new();
    let mut n = u64::try_from(number).unwrap_or(0);
    loop {
        digits.push(char::from(DIGITS[(n % 32) as usize]));
        n /= 32;
        if n == 0 {
            break;
        }
    }
    format!(
        "{}-{}",
        slug.to_uppercase(),
        digits.iter().rev().collect::<String>()
    )
}

/// Reads a short id: the project's slug in lower case, and the number.
pub fn parse_short_id(text: &str) -> Option<(String, i64)> {
    let (slug, digits) = text.trim().rsplit_once('-')?;
    if slug.is_empty() || digits.is_empty() || digits.len() > 12 {
        return None;
    }
    let mut n: i64 = 0;
    for c in digits.to_ascii_uppercase().chars() {
        let c = match c {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        };
        let digit = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".find(c)?;
        n = n * 32 + i64::try_from(digit).ok()?;
    }
    Some((slug.to_lowercase(), n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_read_back() {
        assert_eq!(short_id("shop", 42), "SHOP-1A");
        for n in [0, 1, 31, 32, 1023, 1024, 99_999] {
            assert_eq!(parse_short_id(&short_id("a-b", n)), Some(("a-b".into(), n)));
        }
        assert_eq!(parse_short_id("shop-io"), Some(("shop".into(), 32)));
        assert_eq!(parse_short_id("shop"), None);
        assert_eq!(parse_short_id("shop-u"), None);
    }
}
