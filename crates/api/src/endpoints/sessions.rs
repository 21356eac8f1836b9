//! The caller's sessions: where they are signed in, and ending that.

use serde_json::{Value, json};
use storage::relational::sessions::{self, Open};

use crate::access::Proof;
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::views::time;

/// By what a session is named: a part of its hash, which opens nothing.
fn name(hash: &str) -> &str {
    hash.get(..16).unwrap_or(hash)
}

fn own(call: &Call) -> Result<Vec<Open>, ApiError> {
    let (user, now) = (call.user_id()?, call.now());
    let mut all = call.api.stores.sql.reading(|c| sessions::of_user(c, user, now))?;
    // Whoever runs the provider of one organization learns nothing of other sessions.
    let only_in = call.principal()?.only_in;
    all.retain(|s| only_in.is_none() || s.org_id == only_in);
    Ok(all)
}

/// Whether this is the session that asks.
fn current(call: &Call, session: &Open) -> bool {
    let proof = call.principal.as_ref().map(|p| &p.proof);
    matches!(proof, Some(Proof::Session(hash)) if *hash == session.hash)
}

/// The sessions in force, the last used first.
pub fn list(call: &Call) -> Result<Answer, ApiError> {
    let view = |s: &Open| {
        json!({
            "id": name(&s.hash), "isCurrent": current(call, s), "ipAddress": s.address, "userAgent": s.user_agent,
            "dateCreated": time(s.created), "lastUsed": time(s.last_used), "expires": time(s.expires),
        })
    };
    Ok(Answer::json(own(call)?.iter().map(view).collect::<Vec<Value>>()))
}

/// Ends one session.
pub fn remove(call: &Call) -> Result<Answer, ApiError> {
    let all = own(call)?;
    let found = all.iter().find(|s| name(&s.hash) == call.param("session"));
    let found = found.ok_or_else(|| ApiError::missing("Session"))?;
    call.api
        .stores
        .sql
        .writing(|c| sessions::remove(c, &found.hash))?;
    Ok(Answer::nothing())
}

/// Ends every session but the one that asks.
pub fn remove_others(call: &Call) -> Result<Answer, ApiError> {
    let all = own(call)?;
    call.api.stores.sql.writing(|c| {
        for session in all.iter().filter(|s| !current(call, s)) {
            sessions::remove(c, &session.hash)?;
        }
        Ok(())
    })?;
    Ok(Answer::nothing())
}
