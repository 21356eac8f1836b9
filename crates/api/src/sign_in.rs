//! Opening a session in the browser, whatever showed who it is: a password, an invitation, another provider.

use storage::mail::compose;
use storage::relational::mails::{self, About};
use storage::relational::people::User;
use storage::relational::{people, sessions, sign_on};
use storage::sql::{Connection, Result as SqlResult};

use crate::access::SESSION;
use crate::answer::ApiError;
use crate::call::Call;
use crate::dispatch::COOKIE;
use crate::password::{new_secret, token_hash};

/// The value of `Set-Cookie` for a session's secret, for so many seconds; 0 takes it away.
pub fn cookie(call: &Call, value: &str, seconds: i64) -> String {
    let secure = if call.secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

/// So long a provider's word for somebody counts, µs: then it is asked again.
const VOUCHED: i64 = 7 * 86_400_000_000;

/// Opens a session of a user in the running transaction; answers the value of `Set-Cookie`.
pub fn open(call: &Call, c: &mut dyn Connection, user: i64) -> SqlResult<String> {
    open_for(call, c, user, None)
}

/// [`open`] for somebody for whom the provider of an organization vouches: it counts there alone.
pub fn open_in(call: &Call, c: &mut dyn Connection, user: i64, org: i64) -> SqlResult<String> {
    open_for(call, c, user, Some(org))
}

fn open_for(call: &Call, c: &mut dyn Connection, user: i64, org: Option<i64>) -> SqlResult<String> {
    let (secret, now) = (new_secret(), call.now());
    let address = call.address.map(|a| a.to_string());
    let hash = token_hash(&secret);
    sessions::add(
        c,
        &hash,
        user,
        now,
        now + SESSION,
        address.as_deref(),
        call.user_agent.as_deref(),
    )?;
    people::logged_in(c, user, now)?;
    let Some(org) = org else {
        return Ok(cookie(call, &secret, SESSION / 1_000_000));
    };
    sign_on::bind_session(c, &hash, org, now + VOUCHED)?;
    Ok(cookie(call, &secret, VOUCHED / 1_000_000))
}

/// Mails a user what changed about how they sign in, so that they see what they did not do themselves.
pub fn notice(call: &Call, c: &mut dyn Connection, user: &User, what: &str) -> Result<(), ApiError> {
    if !call.api.sends_mail {
        return Ok(());
    }
    let about = About {
        user: Some(user.id),
        project: None,
    };
    let mail = compose::notice(&user.email, what, &call.api.links.security());
    mails::add(c, &format!("notice {}", new_secret()), about, &mail, call.now())?;
    Ok(())
}
