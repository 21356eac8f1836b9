//! Members of organizations, also those who were invited and have not come yet.

use super::all;
use super::people::{USER, User, user_at};
use crate::params;
use crate::sql::{Connection, Result, Row};

/// Somebody who is in an organization or invited to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    /// Its number.
    pub id: i64,
    /// The organization.
    pub org_id: i64,
    /// `owner`, `manager`, `admin`, `member`.
    pub role: String,
    /// Since when, µs.
    pub date_added: i64,
    /// Who; nobody before the invitation is accepted.
    pub user: Option<User>,
    /// They are known at the provider of the organization.
    pub linked: bool,
    /// The invitation that is not accepted yet.
    pub invitation: Option<Invitation>,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// Whom it was sent to.
    pub email: String,
    /// The hash of what its link carries.
    pub token_hash: String,
    /// The name of who invited.
    pub inviter: Option<String>,
    /// Until when it can be accepted, µs.
    pub expires: i64,
}

impl Membership {
    /// The e-mail address.
    pub fn email(&self) -> &str {
        match (&self.user, &self.invitation) {
            (Some(user), _) => &user.email,
            (None, Some(invitation)) => &invitation.email,
            (None, None) => "",
        }
    }

    /// The name for people: the e-mail address of those who have none.
    pub fn name(&self) -> &str {
        match &self.user {
            Some(user) if !user.name.is_empty() => &user.name,
            _ => self.email(),
        }
    }
}

fn membership(r: &Row) -> Result<Membership> {
    let user = match r.opt_int(9)? {
        Some(_) => Some(user_at(r, 9)?),
        None => None,
    };
    let invitation = match r.opt_text(4)? {
        None => None,
        Some(email) => Some(Invitation {
            email,
            token_hash: r.text(5)?,
            expires: r.int(6)?,
            inviter: r.opt_text(7)?,
        }),
    };
    Ok(Membership {
        id: r.int(0)?,
        org_id: r.int(1)?,
        role: r.text(2)?,
        date_added: r.int(3)?,
        user,
        linked: r.int(8)? > 0,
        invitation,
    })
}

fn select(condition: &str) -> String {
    format!(
        "select m.id, m.org_id, m.role, m.date_added, n.email, n.token_hash, n.expires, \
         case when b.name = '' then b.email else b.name end, \
         (select count(*) from sso_identities s where s.org_id = m.org_id and s.user_id = m.user_id), \
         {USER} from members m \
         left join users u on u.id = m.user_id left join invitations n on n.member_id = m.id \
         left join users b on b.id = n.inviter_id where {condition} order by coalesce(u.email, n.email)"
    )
}

/// Everybody in an organization and everybody invited, by e-mail address.
///
/// # Errors
/// As the database says; so for every function here.
pub fn list(c: &mut dyn Connection, org: i64) -> Result<Vec<Membership>> {
    all(c.query(&select("m.org_id = $1"), params![org])?, membership)
}

/// A member of an organization by number.
pub fn find(c: &mut dyn Connection, org: i64, id: i64) -> Result<Option<Membership>> {
    let rows = c.query(&select("m.org_id = $1 and m.id = $2"), params![org, id])?;
    all(rows, membership).map(|v| v.into_iter().next())
}

/// The membership of a user.
pub fn of_user(c: &mut dyn Connection, org: i64, user: i64) -> Result<Option<Membership>> {
    let rows = c.query(&select("m.org_id = $1 and m.user_id = $2"), params![org, user])?;
    all(rows, membership).map(|v| v.into_iter().next())
}

/// Invites somebody: a member without a user. Answers the member's number.
pub fn invite(c: &mut dyn Connection, org: i64, email: &str, role: &str, now: i64) -> Result<i64> {
    let sql = "insert into members (org_id, role, date_added) values ($1, $2, $3) returning id";
    let id = c.query_one(sql, params![org, role, now])?.int(0)?;
    c.execute(
        "insert into invitations (member_id, email, token_hash, expires) values ($1, $2, '', 0)",
        params![id, email],
    )?;
    Ok(id)
}

/// Gives an invitation a new link; the one before no longer opens.
pub fn renew(
    c: &mut dyn Connection,
    member: i64,
    token_hash: &str,
    inviter: Option<i64>,
    expires: i64,
) -> Result<()> {
    c.execute(
        "update invitations set token_hash = $2, inviter_id = $3, expires = $4 where member_id = $1",
        params![member, token_hash, inviter, expires],
    )?;
    Ok(())
}

/// Makes a user the member that was invited.
pub fn accept(c: &mut dyn Connection, member: i64, user: i64, now: i64) -> Result<()> {
    c.execute("delete from invitations where member_id = $1", params![member])?;
    c.execute(
        "update members set user_id = $2, date_added = $3 where id = $1",
        params![member, user, now],
    )?;
    Ok(())
}

/// Changes a member's role.
pub fn set_role(c: &mut dyn Connection, member: i64, role: &str) -> Result<()> {
    c.execute(
        "update members set role = $2 where id = $1",
        params![member, role],
    )?;
    Ok(())
}

/// Takes a member out of an organization; issues there that were assigned to them are assigned to nobody.
pub fn remove(c: &mut dyn Connection, m: &Membership) -> Result<()> {
    c.execute("delete from invitations where member_id = $1", params![m.id])?;
    super::teams::leave_all(c, m.id)?;
    if let Some(user) = &m.user {
        super::sign_on::unlink(c, m.org_id, user.id)?;
        for sql in [
            "update issues set assigned_user = null where assigned_user = $2 \
             and project_id in (select id from projects where org_id = $1)",
            "delete from subscriptions where user_id = $2 and issue_id in \
             (select i.id from issues i join projects p on p.id = i.project_id where p.org_id = $1)",
        ] {
            c.execute(sql, params![m.org_id, user.id])?;
        }
    }
    c.execute("delete from members where id = $1", params![m.id])?;
    Ok(())
}

/// How many owners an organization has, without those who were only invited.
pub fn count_owners(c: &mut dyn Connection, org: i64) -> Result<i64> {
    let sql = "select count(*) from members m join users u on u.id = m.user_id \
               where m.org_id = $1 and m.role = 'owner' and u.is_active <> 0";
    c.query_one(sql, params![org])?.int(0)
}
