//! Teams: who is in them, and which projects are theirs.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// A team.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    /// Its number.
    pub id: i64,
    /// Its organization.
    pub org_id: i64,
    /// Its name in URLs and rules (`#slug`).
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made, µs.
    pub date_added: i64,
}

/// The team role that may change the team and its projects.
pub const ADMIN: &str = "admin";
/// The team role of everybody else.
pub const CONTRIBUTOR: &str = "contributor";

/// All teams of an organization with their members and projects.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// The teams, by slug.
    pub teams: Vec<Team>,
    /// Team, member and team role.
    pub members: Vec<(i64, i64, String)>,
    /// Project and team.
    pub projects: Vec<(i64, i64)>,
}

impl Roster {
    /// A team by number.
    pub fn team(&self, id: i64) -> Option<&Team> {
        self.teams.iter().find(|t| t.id == id)
    }

    /// The teams of a member, with the role in them.
    pub fn of_member(&self, member: i64) -> Vec<(&Team, &str)> {
        let own = self.members.iter().filter(|(_, m, _)| *m == member);
        own.filter_map(|(t, _, role)| Some((self.team(*t)?, role.as_str())))
            .collect()
    }

    /// The teams of a project.
    pub fn of_project(&self, project: i64) -> Vec<&Team> {
        let own = self.projects.iter().filter(|(p, _)| *p == project);
        own.filter_map(|(_, t)| self.team(*t)).collect()
    }

    /// The role of a member in a team.
    pub fn role(&self, team: i64, member: i64) -> Option<&str> {
        let found = self.members.iter().find(|(t, m, _)| *t == team && *m == member);
        found.map(|(_, _, role)| role.as_str())
    }
}

const TEAM: &str = "t.id, t.org_id, t.slug, t.name, t.date_added";

fn team(r: &Row) -> Result<Team> {
    Ok(Team {
        id: r.int(0)?,
        org_id: r.int(1)?,
        slug: r.text(2)?,
        name: r.text(3)?,
        date_added: r.int(4)?,
    })
}

/// The teams of an organization, by slug.
///
/// # Errors
/// As the database says; so for every function here.
pub fn of_organization(c: &mut dyn Connection, org: i64) -> Result<Vec<Team>> {
    let sql = format!("select {TEAM} from teams t where t.org_id = $1 order by t.slug");
    all(c.query(&sql, params![org])?, team)
}

/// Everything about the teams of an organization.
pub fn roster(c: &mut dyn Connection, org: i64) -> Result<Roster> {
    let teams = of_organization(c, org)?;
    let members = c.query(
        "select tm.team_id, tm.member_id, tm.role from team_members tm join teams t on t.id = tm.team_id \
         where t.org_id = $1 order by t.slug, tm.member_id",
        params![org],
    )?;
    let projects = c.query(
        "select pt.project_id, pt.team_id from project_teams pt join teams t on t.id = pt.team_id \
         where t.org_id = $1 order by t.slug, pt.project_id",
        params![org],
    )?;
    Ok(Roster {
        teams,
        members: all(members, |r| Ok((r.int(0)?, r.int(1)?, r.text(2)?)))?,
        projects: all(projects, |r| Ok((r.int(0)?, r.int(1)?)))?,
    })
}

/// A team of an organization by slug, or by number written as text.
pub fn find(c: &mut dyn Connection, org: i64, slug_or_id: &str) -> Result<Option<Team>> {
    let id: i64 = slug_or_id.parse().unwrap_or(0);
    let sql = format!(
        "select {TEAM} from teams t where t.org_id = $1 and (t.slug = $2 or t.id = $3) order by t.id"
    );
    all(c.query(&sql, params![org, slug_or_id, id])?, team).map(|v| v.into_iter().next())
}

/// The teams with these numbers.
pub fn by_ids(c: &mut dyn Connection, ids: &[i64]) -> Result<Vec<Team>> {
    let ids = super::list(ids.iter().map(|i| serde_json::json!({ "i": i })).collect());
    let sql =
        format!("select distinct {TEAM} from {{rows $1 i int}} x join teams t on t.id = x.i order by t.id");
    all(c.query(&sql, params![ids])?, team)
}

/// Makes a team.
pub fn add(c: &mut dyn Connection, org: i64, slug: &str, name: &str, now: i64) -> Result<i64> {
    let sql = "insert into teams (org_id, slug, name, date_added) values ($1, $2, $3, $4) returning id";
    c.query_one(sql, params![org, slug, name, now])?.int(0)
}

/// Writes a team's names.
pub fn update(c: &mut dyn Connection, t: &Team) -> Result<()> {
    c.execute(
        "update teams set slug = $2, name = $3 where id = $1",
        params![t.id, &t.slug, &t.name],
    )?;
    Ok(())
}

/// Removes a team; what was assigned to it is assigned to nobody.
pub fn remove(c: &mut dyn Connection, id: i64) -> Result<()> {
    for sql in [
        "update issues set assigned_team = null where assigned_team = $1",
        "delete from team_members where team_id = $1",
        "delete from project_teams where team_id = $1",
        "delete from teams where id = $1",
    ] {
        c.execute(sql, params![id])?;
    }
    Ok(())
}

/// Puts a member into a team with a role; who is in it gets the role.
pub fn join(c: &mut dyn Connection, team: i64, member: i64, role: &str) -> Result<()> {
    c.execute(
        "insert into team_members (team_id, member_id, role) values ($1, $2, $3) \
         on conflict (team_id, member_id) do update set role = excluded.role",
        params![team, member, role],
    )?;
    Ok(())
}

/// Takes a member out of a team; whether they were in it.
pub fn leave(c: &mut dyn Connection, team: i64, member: i64) -> Result<bool> {
    let sql = "delete from team_members where team_id = $1 and member_id = $2";
    Ok(c.execute(sql, params![team, member])? > 0)
}

/// Takes a member out of every team.
pub fn leave_all(c: &mut dyn Connection, member: i64) -> Result<()> {
    c.execute("delete from team_members where member_id = $1", params![member])?;
    Ok(())
}

/// Makes a project one of a team.
pub fn give(c: &mut dyn Connection, project: i64, team: i64) -> Result<()> {
    c.execute(
        "insert into project_teams (project_id, team_id) values ($1, $2) on conflict do nothing",
        params![project, team],
    )?;
    Ok(())
}

/// Takes a project from a team; whether it was one of it.
pub fn take(c: &mut dyn Connection, project: i64, team: i64) -> Result<bool> {
    let sql = "delete from project_teams where project_id = $1 and team_id = $2";
    Ok(c.execute(sql, params![project, team])? > 0)
}

/// The projects of the teams that a user is in.
pub fn projects_of_user(c: &mut dyn Connection, org: i64, user: i64) -> Result<Vec<i64>> {
    let rows = c.query(
        "select distinct pt.project_id from members m join team_members tm on tm.member_id = m.id \
         join project_teams pt on pt.team_id = tm.team_id where m.org_id = $1 and m.user_id = $2",
        params![org, user],
    )?;
    all(rows, |r| r.int(0))
}

/// The users of the teams that a project belongs to.
pub fn users_of_project(c: &mut dyn Connection, project: i64) -> Result<Vec<i64>> {
    let rows = c.query(
        "select distinct m.user_id from project_teams pt join team_members tm on tm.team_id = pt.team_id \
         join members m on m.id = tm.member_id where pt.project_id = $1 and m.user_id is not null order by 1",
        params![project],
    )?;
    all(rows, |r| r.int(0))
}

/// The teams that a user is in, with the role.
pub fn of_user(c: &mut dyn Connection, org: i64, user: i64) -> Result<Vec<(i64, String)>> {
    let rows = c.query(
        "select tm.team_id, tm.role from members m join team_members tm on tm.member_id = m.id \
         where m.org_id = $1 and m.user_id = $2 order by tm.team_id",
        params![org, user],
    )?;
    all(rows, |r| Ok((r.int(0)?, r.text(1)?)))
}

/// Whether a user is an admin of one of the teams of a project.
pub fn administers_project(c: &mut dyn Connection, project: i64, user: i64) -> Result<bool> {
    let rows = c.query(
        "select 1 from project_teams pt join team_members tm on tm.team_id = pt.team_id \
         join members m on m.id = tm.member_id \
         where pt.project_id = $1 and m.user_id = $2 and tm.role = 'admin' limit 1",
        params![project, user],
    )?;
    Ok(!rows.is_empty())
}
