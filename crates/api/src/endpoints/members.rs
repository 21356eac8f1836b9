//! Members of an organization: who they are, inviting, changing and removing them.

use serde_json::{Map, Value, json};
use storage::mail::compose;
use storage::relational::mails::{self, About};
use storage::relational::members::{self, Membership};
use storage::relational::people;
use storage::relational::teams::{self, Roster, Team};
use storage::sql::Connection;

use crate::access::{ROLES, rank};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::links;
use crate::password::{new_secret, token_hash};
use crate::views;

/// An invitation lasts so long, µs.
const EXPIRES: i64 = 30 * 86_400_000_000;

/// The member of the path: by number, or the caller as `me`.
pub fn find(call: &Call, c: &mut dyn Connection) -> Result<Membership, ApiError> {
    let org = call.organization()?.id;
    let found = match (call.param("member"), call.user_id()) {
        ("me", Ok(user)) => members::of_user(c, org, user)?,
        (text, _) => members::find(c, org, text.parse().unwrap_or(0))?,
    };
    found.ok_or_else(|| ApiError::missing("Member"))
}

/// Whether a member is the caller.
pub fn is_me(call: &Call, m: &Membership) -> bool {
    m.user.is_some() && m.user.as_ref().map(|u| u.id) == call.user_id().ok()
}

/// Whether a word of a query fits a member.
fn fits(m: &Membership, word: &str) -> bool {
    match word.split_once(':') {
        Some(("role", role)) => m.role == role,
        Some(("email" | "user.email", email)) => m.email().eq_ignore_ascii_case(email),
        Some(("isInvited", yes)) => m.user.is_none() == (yes == "true"),
        Some(("id" | "user.id", id)) => m.user.as_ref().is_some_and(|u| u.id.to_string() == id),
        _ => {
            let word = word.to_lowercase();
            m.email().to_lowercase().contains(&word) || m.name().to_lowercase().contains(&word)
        }
    }
}

/// Who is in the organization and who is invited.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let (mut all, roster) = call
        .api
        .stores
        .sql
        .reading(|c| Ok((members::list(c, org)?, teams::roster(c, org)?)))?;
    if let Some(query) = call.value("query") {
        all.retain(|m| query.split_whitespace().all(|word| fits(m, word)));
    }
    let now = call.now();
    let views = all.iter().map(|m| views::members::with_teams(m, &roster, now));
    links::slice(call, views.collect(), 100)
}

/// Who is in the organization, as those whom issues can be assigned to.
pub fn users(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    let (all, roster) = call
        .api
        .stores
        .sql
        .reading(|c| Ok((members::list(c, org)?, teams::roster(c, org)?)))?;
    let seen = call.projects()?;
    let now = call.now();
    let mut out = Vec::new();
    for m in all.iter().filter(|m| m.user.is_some()) {
        let own: Vec<i64> = roster.of_member(m.id).iter().map(|(t, _)| t.id).collect();
        let projects = seen.iter().filter(|p| {
            roster
                .projects
                .iter()
                .any(|(id, t)| *id == p.id && own.contains(t))
        });
        let mut view = views::members::with_teams(m, &roster, now);
        view["projects"] = projects.map(|p| json!(p.slug)).collect();
        out.push(view);
    }
    links::slice(call, out, 100)
}

/// One member in full.
fn details(call: &Call, c: &mut dyn Connection, id: i64, link: Option<&str>) -> Result<Value, ApiError> {
    let org = call.organization()?.id;
    let member = members::find(c, org, id)?.ok_or_else(|| ApiError::missing("Member"))?;
    let (roster, owners) = (teams::roster(c, org)?, members::count_owners(c, org)?);
    Ok(views::members::details(call, &member, &roster, owners, link))
}

/// One member.
pub fn get(call: &Call) -> Result<Answer, ApiError> {
    let view = call
        .api
        .stores
        .sql
        .reading(|c| Ok(find(call, c).and_then(|m| details(call, c, m.id, None))))??;
    Ok(Answer::json(view))
}

/// The role that a body asks for, which the caller may give.
fn wanted_role(call: &Call, body: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    let (name, value) = match (body.get("orgRole"), body.get("role")) {
        (Some(value), _) => ("orgRole", value),
        (None, Some(value)) => ("role", value),
        (None, None) => return Ok(None),
    };
    let role = value.as_str().unwrap_or("");
    may_give(call, name, role)?;
    Ok(Some(role.to_owned()))
}

/// Whether the organization lets its members invite members.
fn invites(call: &Call) -> Result<bool, ApiError> {
    let open = views::people::is_on(call.organization()?, "allowMemberInvite");
    Ok(open && call.role.is_some() && call.may("member:read"))
}

/// Whether there is a role, and the caller may give it.
pub fn may_give(call: &Call, field: &str, role: &str) -> Result<(), ApiError> {
    if !ROLES.contains(&role) {
        let what = format!("a role is one of {}", ROLES.join(", "));
        return Err(ApiError::field(field, what));
    }
    let highest = match views::members::highest(call) {
        None if invites(call)? => Some(rank("member")),
        other => other,
    };
    if highest.is_none_or(|own| rank(role) > own) {
        return Err(ApiError::field(
            field,
            "You do not have permission to give this role.",
        ));
    }
    Ok(())
}

/// The teams that a body asks for with the role in each: `teamRoles`, or the slugs in `teams`.
fn wanted_teams(body: &Map<String, Value>, roster: &Roster) -> Result<Option<Vec<(i64, String)>>, ApiError> {
    let find = |name: &str, slug: &str| -> Result<i64, ApiError> {
        let found = roster.teams.iter().find(|t: &&Team| t.slug == slug);
        found
            .map(|t| t.id)
            .ok_or_else(|| ApiError::field(name, format!("there is no team '{slug}'")))
    };
    if let Some(Value::Array(list)) = body.get("teamRoles") {
        let mut out = Vec::new();
        for one in list {
            let slug = one.get("teamSlug").and_then(Value::as_str).unwrap_or("");
            let role = match one.get("role").and_then(Value::as_str) {
                None | Some(teams::CONTRIBUTOR) => teams::CONTRIBUTOR,
                Some(teams::ADMIN) => teams::ADMIN,
                Some(_) => return Err(ApiError::field("teamRoles", "a role is contributor or admin")),
            };
            out.push((find("teamRoles", slug)?, role.to_owned()));
        }
        return Ok(Some(out));
    }
    let Some(Value::Array(list)) = body.get("teams") else {
        return Ok(None);
    };
    let slugs = list.iter().map(|s| s.as_str().unwrap_or(""));
    let found: Result<Vec<_>, ApiError> = slugs
        .map(|slug| Ok((find("teams", slug)?, teams::CONTRIBUTOR.to_owned())))
        .collect();
    found.map(Some)
}

/// Gives an invitation a new link, which is known only now.
pub fn renew(call: &Call, c: &mut dyn Connection, member: i64) -> Result<String, ApiError> {
    let token = new_secret();
    let inviter = call.principal()?.user_id();
    members::renew(c, member, &token_hash(&token), inviter, call.now() + EXPIRES)?;
    let slug = &call.organization()?.slug;
    Ok(format!("{}/accept/{slug}/{member}/{token}/", call.api.url))
}

/// Sends an invitation, if the installation sends mail.
fn send(call: &Call, c: &mut dyn Connection, email: &str, link: &str) -> Result<(), ApiError> {
    if !call.api.sends_mail {
        return Ok(());
    }
    let organization = &call.organization()?.name;
    let by = call.principal()?.user.as_ref().map(|u| match u.name.as_str() {
        "" => u.email.as_str(),
        name => name,
    });
    let mail = compose::invitation(email, organization, by.unwrap_or("Somebody"), link);
    let reason = format!("invitation {}", token_hash(link));
    mails::add(c, &reason, About::default(), &mail, call.now())?;
    Ok(())
}

/// An e-mail address as it is compared: lower case. Checked roughly: something, `@`, something.
pub fn check_email(field: &str, text: &str) -> Result<String, ApiError> {
    let email = text.trim().to_lowercase();
    let plausible = email
        .split_once('@')
        .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    if !plausible || email.len() > 200 || email.contains(char::is_whitespace) {
        return Err(ApiError::field(field, "Enter a valid email address."));
    }
    Ok(email)
}

/// Invites somebody: `{"email", "orgRole"?, "teamRoles"?}`. Members may invite members where the organization lets
/// them. The answer has the link of the invitation.
pub fn add(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let email = check_email("email", body.get("email").and_then(Value::as_str).unwrap_or(""))?;
    if !call.may("member:write") && !invites(call)? {
        let what = "You do not have permission to invite people: it needs the scope member:write.";
        return Err(ApiError::Forbidden(what.into()));
    }
    let role = wanted_role(call, &body)?.unwrap_or_else(|| "member".into());
    let (org, now) = (call.organization()?.id, call.now());
    let view = call.change(|c| {
        people::hold(c, org)?;
        let known = members::list(c, org)?.into_iter().find(|m| m.email() == email);
        if let Some(known) = known {
            let what = if known.user.is_some() {
                format!("The user {email} is already a member")
            } else {
                format!("The user {email} has already been invited")
            };
            return Err(ApiError::field("email", what));
        }
        let wanted = wanted_teams(&body, &teams::roster(c, org)?)?.unwrap_or_default();
        let id = members::invite(c, org, &email, &role, now)?;
        for (team, role) in &wanted {
            teams::join(c, *team, id, role)?;
        }
        let link = renew(call, c, id)?;
        send(call, c, &email, &link)?;
        call.audit(
            c,
            "member.invite",
            Some(id),
            &json!({ "email": email, "role": role }),
        )?;
        details(call, c, id, Some(&link))
    })?;
    Ok(Answer::created(view))
}

/// Nobody takes the last owner away, and nobody changes somebody whose role is above their own.
pub fn guard(call: &Call, c: &mut dyn Connection, m: &Membership, stays_owner: bool) -> Result<(), ApiError> {
    let above = views::members::highest(call).is_none_or(|own| rank(&m.role) > own);
    if above && !is_me(call, m) {
        return Err(ApiError::Forbidden(
            "You cannot change somebody whose role is above yours.".into(),
        ));
    }
    let owner = m.role == "owner" && m.user.is_some();
    if owner && !stays_owner && members::count_owners(c, m.org_id)? == 1 {
        return Err(ApiError::Forbidden(
            "You cannot remove the only remaining owner of the organization.".into(),
        ));
    }
    Ok(())
}

/// Changes a member: `{"orgRole"?, "teamRoles"?, "reinvite"?}`. Inviting again makes a new link.
pub fn update(call: &Call) -> Result<Answer, ApiError> {
    let body = call.json()?;
    let role = wanted_role(call, &body)?;
    let org = call.organization()?.id;
    let again = ["reinvite", "regenerate"]
        .iter()
        .any(|k| body.get(*k).and_then(Value::as_bool) == Some(true));
    let view = call.change(|c| {
        people::hold(c, org)?;
        let member = find(call, c)?;
        let stays = role.as_deref().is_none_or(|r| r == "owner");
        guard(call, c, &member, stays)?;
        let wanted = wanted_teams(&body, &teams::roster(c, org)?)?;
        if let Some(role) = &role {
            members::set_role(c, member.id, role)?;
        }
        if let Some(wanted) = &wanted {
            teams::leave_all(c, member.id)?;
            for (team, role) in wanted {
                teams::join(c, *team, member.id, role)?;
            }
        }
        let mut link = None;
        if again {
            if member.user.is_some() {
                return Err(ApiError::Bad("This invitation is accepted already.".into()));
            }
            let fresh = renew(call, c, member.id)?;
            send(call, c, member.email(), &fresh)?;
            link = Some(fresh);
            let data = json!({ "email": member.email() });
            call.audit(c, "member.reinvite", Some(member.id), &data)?;
        }
        if role.is_some() || wanted.is_some() {
            let data = json!({ "email": member.email(), "role": role.as_ref().unwrap_or(&member.role) });
            call.audit(c, "member.edit", Some(member.id), &data)?;
        }
        details(call, c, member.id, link.as_deref())
    })?;
    Ok(Answer::json(view))
}

/// Takes a member out of the organization, or withdraws an invitation; everybody may leave.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let org = call.organization()?.id;
    call.change(|c| {
        people::hold(c, org)?;
        let member = find(call, c)?;
        if !is_me(call, &member) {
            call.demand("member:admin")?;
        }
        guard(call, c, &member, false)?;
        members::remove(c, &member)?;
        let data = json!({ "email": member.email(), "role": member.role });
        call.audit(c, "member.remove", Some(member.id), &data)
    })?;
    Ok(Answer::nothing())
}
