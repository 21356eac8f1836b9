//! Signing in, one's own account, and the accounts of the installation.

use super::{Route, route};
use crate::access::Access::{Public, Session, SignedIn, Superuser};
use crate::endpoints::{
    auth, authenticators, confirm, email, notifications, options, passkeys, recover, register, second_factor,
    sessions, tokens, users,
};

#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    // Signing in and out.
    route("GET", "/auth/config/", Public, register::config),
    route("POST", "/auth/register/", Public, register::add),
    route("POST", "/auth/login/", Public, auth::login),
    route("POST", "/auth/login/code/", Public, second_factor::finish),
    route("POST", "/auth/passkey/", Public, passkeys::begin),
    route("POST", "/auth/passkey/finish/", Public, passkeys::finish),
    route("POST", "/auth/recover/", Public, recover::ask),
    route("POST", "/auth/recover/confirm/", Public, recover::confirm),
    route("POST", "/auth/verify/", Public, email::verify),
    route("GET", "/auth/", SignedIn, auth::me),
    route("PUT", "/auth/", Session, confirm::confirm),
    route("DELETE", "/auth/", SignedIn, auth::logout),
    // One's own account.
    route("GET", "/users/me/", SignedIn, auth::me),
    route("PUT", "/users/me/", Session, auth::update_me).account(),
    route("PUT", "/users/me/password/", Session, auth::change_password).account(),
    route("POST", "/users/me/email/", Session, email::change).sudo().account(),
    route("POST", "/users/me/verify/", Session, email::ask).account(),
    route("GET", "/users/me/authenticators/", Session, authenticators::list),
    route("GET", "/users/me/authenticators/{factor}/", Session, authenticators::get),
    route("PUT", "/users/me/authenticators/{factor}/", Session, authenticators::renew).sudo().account(),
    route("DELETE", "/users/me/authenticators/{factor}/", Session, authenticators::remove).sudo().account(),
    route("GET", "/users/me/authenticators/{factor}/enroll/", Session, authenticators::begin).sudo().account(),
    route("POST", "/users/me/authenticators/{factor}/enroll/", Session, authenticators::enroll).sudo().account(),
    route("PUT", "/users/me/authenticators/{factor}/{device}/", Session, authenticators::name).account(),
    route("DELETE", "/users/me/authenticators/{factor}/{device}/", Session, authenticators::remove_device).sudo().account(),
    // Where the caller is signed in.
    route("GET", "/users/me/sessions/", Session, sessions::list),
    route("DELETE", "/users/me/sessions/", Session, sessions::remove_others),
    route("DELETE", "/users/me/sessions/{session}/", Session, sessions::remove),
    route("GET", "/users/me/notifications/", SignedIn, notifications::get),
    route("PUT", "/users/me/notifications/", Session, notifications::update),
    route("GET", "/unsubscribe/{user}/{project_id}/{kind}/{signature}/", Public, notifications::ask),
    route("POST", "/unsubscribe/{user}/{project_id}/{kind}/{signature}/", Public, notifications::stop),
    route("GET", "/api-tokens/", Session, tokens::list),
    route("POST", "/api-tokens/", Session, tokens::add).sudo(),
    route("DELETE", "/api-tokens/", Session, tokens::remove),
    route("DELETE", "/api-tokens/{token}/", Session, tokens::remove),
    // The accounts of the installation.
    route("GET", "/internal/options/", Superuser, options::get),
    route("PUT", "/internal/options/", Superuser, options::update).sudo(),
    route("GET", "/users/", Superuser, users::list),
    route("POST", "/users/", Superuser, users::add).sudo(),
    route("GET", "/users/{user}/", Superuser, users::get),
    route("PUT", "/users/{user}/", Superuser, users::update).sudo(),
    route("DELETE", "/users/{user}/", Superuser, users::remove).sudo(),
    route("POST", "/users/{user}/password-reset/", Superuser, users::reset_password).sudo(),
    route("DELETE", "/users/{user}/authenticators/", Superuser, users::remove_factors).sudo(),
    route("DELETE", "/users/{user}/sessions/", Superuser, users::end_sessions).sudo(),
];
