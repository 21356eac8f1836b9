//! Organizations, users and who belongs where.

use super::all;
use crate::params;
use crate::sql::{Connection, Result, Row};

/// An organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// Its number.
    pub id: i64,
    /// Its name in URLs.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it was made, µs.
    pub date_added: i64,
    /// Settings, JSON.
    pub settings: serde_json::Value,
    /// It has a provider that members sign in through; true: they must.
    pub sso: Option<bool>,
}

/// Somebody with a login.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Their number.
    pub id: i64,
    /// The e-mail address, lower case; also the login.
    pub email: String,
    /// The name for people.
    pub name: String,
    /// The password's hash (PHC string).
    pub password: String,
    /// May do everything.
    pub is_superuser: bool,
    /// May log in.
    pub is_active: bool,
    /// When they joined, µs.
    pub date_joined: i64,
    /// When they last logged in, µs.
    pub last_login: Option<i64>,
    /// Counts up to end every session.
    pub session_epoch: i64,
    /// Showed that the address is theirs.
    pub is_verified: bool,
    /// Has an app that shows codes or a passkey.
    pub has_factor: bool,
}

impl User {
    /// Whether there is a password to log in with; who comes by another provider has none.
    pub fn has_password(&self) -> bool {
        !self.password.is_empty()
    }
}

/// Somebody in an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The membership's number.
    pub id: i64,
    /// Who.
    pub user: User,
    /// `owner`, `manager`, `admin`, `member`.
    pub role: String,
    /// Since when, µs.
    pub date_added: i64,
}

const ORGANIZATION: &str = "o.id, o.slug, o.name, o.date_added, o.settings, \
                            (select p.required from sso_providers p where p.org_id = o.id)";
pub(super) const USER: &str = "u.id, u.email, u.name, u.password, u.is_superuser, u.is_active, u.date_joined, u.last_login, \
                    u.session_epoch, u.is_verified, \
                    case when exists (select 1 from authenticators a where a.user_id = u.id) \
                    or exists (select 1 from passkeys k where k.user_id = u.id) then 1 else 0 end";

fn organization(r: &Row) -> Result<Organization> {
    Ok(Organization {
        id: r.int(0)?,
        slug: r.text(1)?,
        name: r.text(2)?,
        date_added: r.int(3)?,
        settings: r.json(4)?,
        sso: r.opt_int(5)?.map(|n| n != 0),
    })
}

pub(super) fn user_at(r: &Row, i: usize) -> Result<User> {
    Ok(User {
        id: r.int(i)?,
        email: r.text(i + 1)?,
        name: r.text(i + 2)?,
        password: r.text(i + 3)?,
        is_superuser: r.bool(i + 4)?,
        is_active: r.bool(i + 5)?,
        date_joined: r.int(i + 6)?,
        last_login: r.opt_int(i + 7)?,
        session_epoch: r.int(i + 8)?,
        is_verified: r.bool(i + 9)?,
        has_factor: r.bool(i + 10)?,
    })
}

/// Every organization, by slug.
///
/// # Errors
/// As the database says; so for every function here.
pub fn organizations(c: &mut dyn Connection) -> Result<Vec<Organization>> {
    all(
        c.query(
            &format!("select {ORGANIZATION} from organizations o where o.removed = 0 order by o.slug"),
            &[],
        )?,
        organization,
    )
}

/// The organizations of a user, by slug.
pub fn organizations_of(c: &mut dyn Connection, user: i64) -> Result<Vec<Organization>> {
    let sql = format!(
        "select {ORGANIZATION} from organizations o join members m on m.org_id = o.id where m.user_id = $1 and o.removed = 0 order by o.slug"
    );
    all(c.query(&sql, params![user])?, organization)
}

/// An organization by slug, also one that it had before, or by number written as text.
pub fn organization_by(c: &mut dyn Connection, slug_or_id: &str) -> Result<Option<Organization>> {
    let id: i64 = slug_or_id.parse().unwrap_or(0);
    let sql = format!(
        "select {ORGANIZATION} from organizations o where (o.slug = $1 or o.id = $2) and o.removed = 0 order by o.id"
    );
    if let Some(row) = c.query_opt(&sql, params![slug_or_id, id])? {
        return organization(&row).map(Some);
    }
    let sql = format!(
        "select {ORGANIZATION} from organization_redirects r join organizations o on o.id = r.org_id \
         where r.slug = $1"
    );
    let row = c.query_opt(&sql, params![slug_or_id])?;
    row.map(|r| organization(&r)).transpose()
}

/// Whether an organization has or had this slug.
pub fn slug_taken(c: &mut dyn Connection, slug: &str) -> Result<bool> {
    Ok(organization_by(c, slug)?.is_some())
}

/// Makes whoever else changes the members of an organization wait until this transaction is over.
pub fn hold(c: &mut dyn Connection, org: i64) -> Result<()> {
    c.execute("update organizations set slug = slug where id = $1", params![org])?;
    Ok(())
}

/// Makes an organization.
pub fn add_organization(c: &mut dyn Connection, slug: &str, name: &str, now: i64) -> Result<i64> {
    let sql =
        "insert into organizations (slug, name, date_added, settings) values ($1, $2, $3, '{}') returning id";
    // `{}` is no token of the renderer: it is written as it stands.
    c.query_one(sql, params![slug, name, now])?.int(0)
}

/// An organization by its number.
pub fn organization_by_id(c: &mut dyn Connection, id: i64) -> Result<Option<Organization>> {
    let sql = format!("select {ORGANIZATION} from organizations o where o.id = $1");
    let rows = c.query(&sql, params![id])?;
    Ok(all(rows, organization)?.pop())
}

/// Makes an organization with an owner and a first team that is named after it.
pub fn found(c: &mut dyn Connection, slug: &str, name: &str, owner: i64, now: i64) -> Result<i64> {
    let org = add_organization(c, slug, name, now)?;
    set_member(c, org, owner, "owner", now)?;
    let team = super::teams::add(c, org, slug, name, now)?;
    if let Some(member) = super::members::of_user(c, org, owner)? {
        super::teams::join(c, team, member.id, super::teams::CONTRIBUTOR)?;
    }
    Ok(org)
}

/// Changes an organization's name, slug and settings. The slug it had leads to it from now on.
pub fn update_organization(c: &mut dyn Connection, o: &Organization) -> Result<()> {
    c.execute(
        "delete from organization_redirects where slug = $1 and org_id = $2",
        params![&o.slug, o.id],
    )?;
    c.execute(
        "insert into organization_redirects (slug, org_id) select slug, id from organizations \
         where id = $1 and slug <> $2 on conflict (slug) do update set org_id = excluded.org_id",
        params![o.id, &o.slug],
    )?;
    c.execute(
        "update organizations set slug = $2, name = $3, settings = $4 where id = $1",
        params![o.id, &o.slug, &o.name, &o.settings],
    )?;
    Ok(())
}

/// A user by e-mail address in any case.
pub fn user_by_email(c: &mut dyn Connection, email: &str) -> Result<Option<User>> {
    let sql = format!("select {USER} from users u where u.email = $1");
    let rows = c.query(&sql, params![email.trim().to_lowercase()])?;
    all(rows, |r| user_at(r, 0)).map(|v| v.into_iter().next())
}

/// A user by number.
pub fn user(c: &mut dyn Connection, id: i64) -> Result<Option<User>> {
    let rows = c.query(
        &format!("select {USER} from users u where u.id = $1"),
        params![id],
    )?;
    all(rows, |r| user_at(r, 0)).map(|v| v.into_iter().next())
}

/// How many users there are.
pub fn count_users(c: &mut dyn Connection) -> Result<i64> {
    c.query_one("select count(*) from users", &[])?.int(0)
}

/// Makes a user.
pub fn add_user(
    c: &mut dyn Connection,
    email: &str,
    name: &str,
    password: &str,
    is_superuser: bool,
    now: i64,
) -> Result<i64> {
    let sql = "insert into users (email, name, password, is_superuser, is_active, date_joined, session_epoch) \
               values ($1, $2, $3, $4, 1, $5, 0) returning id";
    c.query_one(
        sql,
        params![email.trim().to_lowercase(), name, password, is_superuser, now],
    )?
    .int(0)
}

/// Sets a password and ends every session of the user.
pub fn set_password(c: &mut dyn Connection, user: i64, hash: &str) -> Result<()> {
    c.execute(
        "update users set password = $2, session_epoch = session_epoch + 1 where id = $1",
        params![user, hash],
    )?;
    Ok(())
}

/// Changes the name for people.
pub fn set_name(c: &mut dyn Connection, user: i64, name: &str) -> Result<()> {
    c.execute("update users set name = $2 where id = $1", params![user, name])?;
    Ok(())
}

/// Makes a user's address another, and says whether it is known to be theirs.
pub fn set_email(c: &mut dyn Connection, user: i64, email: &str, verified: bool) -> Result<()> {
    c.execute(
        "update users set email = $2, is_verified = $3 where id = $1",
        params![user, email, verified],
    )?;
    Ok(())
}

/// Says whether a user may log in, and whether they may do everything.
pub fn set_standing(c: &mut dyn Connection, user: i64, active: bool, superuser: bool) -> Result<()> {
    c.execute(
        "update users set is_active = $2, is_superuser = $3 where id = $1",
        params![user, active, superuser],
    )?;
    Ok(())
}

/// How many active users may do everything.
pub fn count_superusers(c: &mut dyn Connection) -> Result<i64> {
    c.query_one(
        "select count(*) from users where is_superuser = 1 and is_active = 1",
        &[],
    )?
    .int(0)
}

/// A page of the users whose address or name has a part, the newest first.
pub fn users(c: &mut dyn Connection, part: &str, offset: usize, limit: usize) -> Result<Vec<User>> {
    let part = format!(
        "%{}%",
        part.to_lowercase()
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_")
    );
    let sql = format!(
        "select {USER} from users u where lower(u.email) like $1 escape '\\' or lower(u.name) like $1 escape '\\' \
         order by u.id desc limit $2 offset $3"
    );
    let (limit, offset) = (
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(offset).unwrap_or(i64::MAX),
    );
    all(c.query(&sql, params![part, limit, offset])?, |r| user_at(r, 0))
}

/// Takes what makes a user somebody: name, address, login, memberships, what they keep. What they said and did
/// stays, by nobody.
pub fn erase(c: &mut dyn Connection, user: i64) -> Result<()> {
    super::accounts::remove_factors(c, user)?;
    for sql in [
        "delete from team_members where member_id in (select id from members where user_id = $1)",
        "delete from members where user_id = $1",
        "delete from sessions where user_id = $1",
        "delete from api_tokens where user_id = $1",
        "delete from ceremonies where user_id = $1",
        "delete from password_resets where user_id = $1",
        "delete from notification_settings where user_id = $1",
        "delete from sso_identities where user_id = $1",
        "delete from oauth_tokens where grant_id in (select g.id from oauth_grants g \
         join oauth_applications a on a.id = g.application_id where g.user_id = $1 or a.owner_id = $1)",
        "delete from oauth_codes where grant_id in (select g.id from oauth_grants g \
         join oauth_applications a on a.id = g.application_id where g.user_id = $1 or a.owner_id = $1)",
        "delete from oauth_grants where user_id = $1 \
         or application_id in (select id from oauth_applications where owner_id = $1)",
        "delete from oauth_applications where owner_id = $1",
        "delete from bookmarks where user_id = $1",
        "delete from seen where user_id = $1",
        "delete from subscriptions where user_id = $1",
        "update issues set assigned_user = null where assigned_user = $1",
    ] {
        c.execute(sql, params![user])?;
    }
    c.execute(
        "update users set email = $2, name = '', password = '', is_superuser = 0, is_active = 0, \
         session_epoch = session_epoch + 1 where id = $1",
        params![user, format!("removed-{user}@invalid")],
    )?;
    Ok(())
}

/// Takes an organization from everybody; its slug is free from now on, and [`remove_organization`] does the rest.
pub fn retire_organization(c: &mut dyn Connection, org: i64) -> Result<()> {
    for sql in [
        "delete from invitations where member_id in (select id from members where org_id = $1)",
        "delete from team_members where team_id in (select id from teams where org_id = $1)",
        "delete from members where org_id = $1",
        "delete from org_tokens where org_id = $1",
        "delete from organization_redirects where org_id = $1",
    ] {
        c.execute(sql, params![org])?;
    }
    c.execute(
        "update organizations set removed = 1, slug = $2 where id = $1",
        params![org, format!("removed-{org}")],
    )?;
    Ok(())
}

/// The organizations that were retired and have no project any more.
pub fn retired(c: &mut dyn Connection) -> Result<Vec<i64>> {
    let rows = c.query(
        "select o.id from organizations o where o.removed = 1 \
         and not exists (select 1 from projects p where p.org_id = o.id)",
        &[],
    )?;
    all(rows, |r| r.int(0))
}

/// Removes an organization and what the database holds of it, but for its projects, which are gone before.
pub fn remove_organization(c: &mut dyn Connection, org: i64) -> Result<()> {
    for sql in [
        "delete from teams where org_id = $1",
        "delete from audit_log where org_id = $1",
        "delete from sso_logins where org_id = $1",
        "delete from sso_identities where org_id = $1",
        "delete from sso_providers where org_id = $1",
        "delete from integration_tokens where document_id in (select id from documents where org_id = $1)",
        "delete from documents where org_id = $1",
        "delete from deploys where org_id = $1",
        "delete from release_commits where org_id = $1",
        "delete from release_details where org_id = $1",
        "delete from commit_files where commit_id in (select c.id from commits c \
         join repositories r on r.id = c.repository_id where r.org_id = $1)",
        "delete from commits where repository_id in (select id from repositories where org_id = $1)",
        "delete from repositories where org_id = $1",
        "delete from project_redirects where org_id = $1",
        "delete from chunks where org_id = $1",
        "delete from release_files where org_id = $1",
        "delete from artifact_bundle_files where bundle_id in (select id from artifact_bundles where org_id = $1)",
        "delete from artifact_bundle_releases where bundle_id in (select id from artifact_bundles where org_id = $1)",
        "delete from artifact_bundle_projects where bundle_id in (select id from artifact_bundles where org_id = $1)",
        "delete from artifact_bundles where org_id = $1",
        "delete from organizations where id = $1",
    ] {
        c.execute(sql, params![org])?;
    }
    super::stored_files::forget_organization(c, org)
}

/// Notes a login.
pub fn logged_in(c: &mut dyn Connection, user: i64, now: i64) -> Result<()> {
    c.execute(
        "update users set last_login = $2 where id = $1",
        params![user, now],
    )?;
    Ok(())
}

/// Puts a user into an organization with a role; a user who is in it gets the role.
pub fn set_member(c: &mut dyn Connection, org: i64, user: i64, role: &str, now: i64) -> Result<()> {
    c.execute(
        "insert into members (org_id, user_id, role, date_added) values ($1, $2, $3, $4) \
         on conflict (org_id, user_id) do update set role = excluded.role",
        params![org, user, role, now],
    )?;
    Ok(())
}

/// The members of an organization, by e-mail address.
pub fn members(c: &mut dyn Connection, org: i64) -> Result<Vec<Member>> {
    let sql = format!(
        "select m.id, m.role, m.date_added, {USER} from members m join users u on u.id = m.user_id \
         where m.org_id = $1 order by u.email"
    );
    all(c.query(&sql, params![org])?, |r| {
        Ok(Member {
            id: r.int(0)?,
            role: r.text(1)?,
            date_added: r.int(2)?,
            user: user_at(r, 3)?,
        })
    })
}

/// The role of a user in an organization.
pub fn role(c: &mut dyn Connection, org: i64, user: i64) -> Result<Option<String>> {
    let row = c.query_opt(
        "select role from members where org_id = $1 and user_id = $2",
        params![org, user],
    )?;
    row.map(|r| r.text(0)).transpose()
}
