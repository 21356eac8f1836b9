//! From HTTP to an endpoint: finds the route, decides whether the caller may, runs the function where it may block.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, Request, StatusCode, header};
use storage::relational::people::Organization;
use storage::relational::projects::Project;
use storage::relational::teams::Team;
use storage::relational::{documents, issues, people, projects, teams};
use tracing::Instrument as _;

use crate::Api;
use crate::access::{self, Access, Door, Principal, Proof};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::rate::{Caller, Turn};
use crate::request_id;
use crate::routes::{ROUTES, Route};
use crate::sight::Sight;
use crate::spool::Spool;

/// The name of the session's cookie.
pub const COOKIE: &str = "vedette_session";
/// Bytes of a request body.
const BODY: usize = 4 << 20;

/// The API under `/api/0/` and the UI on every other path.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/metrics", axum::routing::get(scrape))
        .route("/api/0", axum::routing::any(answer))
        .route("/api/0/", axum::routing::any(answer))
        .route("/api/0/{*path}", axum::routing::any(answer))
        // Where clients of OAuth look for it.
        .route("/oauth/token", axum::routing::any(answer))
        .route("/oauth/token/", axum::routing::any(answer))
        .fallback(axum::routing::any(crate::ui::page))
        .with_state(api)
}

/// A route with what stood in its braces.
type Match = (&'static Route, Vec<(&'static str, String)>);

/// Finds the route of a path: the path without `/api/0`, with or without its last slash.
fn find(method: &Method, path: &str) -> Result<Match, bool> {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let mut other_method = false;
    for route in ROUTES.iter().filter(|r| fits(r.path, &segments)) {
        let names = route.path.split('/').filter(|s| !s.is_empty());
        let named = names.zip(&segments).filter_map(|(p, s)| Some((name(p)?, s)));
        let Some(params) = named.map(|(name, s)| Some((name, decode(s)?))).collect() else {
            continue;
        };
        let head = *method == Method::HEAD && route.method == "GET";
        if route.method == method.as_str() || head {
            return Ok((route, params));
        }
        other_method = true;
    }
    Err(other_method)
}

/// What stands in the braces of a segment.
fn name(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Whether a path has the fixed segments of a pattern, and as many.
fn fits(pattern: &'static str, segments: &[&str]) -> bool {
    let mut pattern = pattern.split('/').filter(|s| !s.is_empty());
    let same = |s: &&str| pattern.next().is_some_and(|p| p == *s || name(p).is_some());
    segments.iter().all(same) && pattern.next().is_none()
}

/// Undoes percent encoding.
fn decode(segment: &str) -> Option<String> {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            let hex = segment.get(i + 1..i + 3)?;
            out.push(u8::from_str_radix(hex, 16).ok()?);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(out).ok()
}

/// A cookie of a request.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| {
            pair.trim()
                .strip_prefix(name)?
                .strip_prefix('=')
                .map(str::to_owned)
        })
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

fn forwarded<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim)
}

/// Whether a trusted proxy says that the caller came over https.
fn secure_hop(headers: &HeaderMap, trusted: bool) -> bool {
    trusted && forwarded(headers, "x-forwarded-proto") == Some("https")
}

/// Answers a call of the API; what is logged meanwhile carries the request's id.
async fn answer(State(api): State<Api>, request: Request<Body>) -> Response {
    let id = request_id::of(request.headers());
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let begun = Instant::now();
    let mut response = handle(api, request).instrument(span.clone()).await;
    span.in_scope(|| {
        let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis() as u64);
        if status >= 500 {
            tracing::warn!(status, ms, "answered");
        } else {
            tracing::debug!(status, ms, "answered");
        }
    });
    if let Ok(value) = id.parse() {
        response.headers_mut().insert(request_id::NAME, value);
    }
    response
}

/// Metrics for Prometheus.
async fn scrape(State(api): State<Api>, request: Request<Body>) -> Response {
    let headers = request.headers().clone();
    let peer = peer(&request);
    let done = tokio::task::spawn_blocking(move || {
        let near = peer.is_some_and(|p| p.is_loopback()) && !headers.contains_key("x-forwarded-for");
        if !near {
            let principal = principal(&api, &headers)?;
            let principal =
                principal.ok_or_else(|| ApiError::Unauthorized("Log in or send a bearer token.".into()))?;
            if !access::administers(&principal) {
                return Err(ApiError::Forbidden(
                    "This is for administrators of the installation.".into(),
                ));
            }
        }
        Ok((api.hooks.scrape)())
    })
    .await;
    match done {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Ok(Err(e)) => e.into_response(),
        Err(e) => ApiError::Internal(e.to_string()).into_response(),
    }
}

fn peer(request: &Request<Body>) -> Option<IpAddr> {
    request
        .extensions()
        .get::<axum::extract::ConnectInfo<SocketAddr>>()
        .map(|c| c.0.ip())
}

async fn handle(api: Api, request: Request<Body>) -> Response {
    let method = request.method().clone();
    let path = request.uri().path();
    let path = path.strip_prefix("/api/0").unwrap_or(path).to_owned();
    let (route, params) = match find(&method, &path) {
        Ok(found) => found,
        Err(true) => {
            let body = serde_json::json!({ "detail": format!("Method {method} is not allowed here.") });
            return Answer {
                status: StatusCode::METHOD_NOT_ALLOWED,
                ..Answer::json(body)
            }
            .into_response();
        }
        Err(false) => {
            return ApiError::Missing("The requested resource does not exist.".into()).into_response();
        }
    };
    let peer = peer(&request);
    let (parts, body) = request.into_parts();
    let (body, upload) = if route.takes > 0 {
        (Bytes::new(), Some(body))
    } else {
        let Ok(body) = axum::body::to_bytes(body, BODY).await else {
            return ApiError::TooLarge(format!("The body is larger than {} MiB.", BODY >> 20))
                .into_response();
        };
        (body, None)
    };
    let trusted = peer.is_none_or(|p| (api.trusted)(p));
    let lists = parts.headers.get_all("x-forwarded-for");
    let lists = lists.iter().filter_map(|v| v.to_str().ok());
    let address = protocol::forwarded::client(peer, lists, &*api.trusted);
    // The proxy next to the server says it; if it only passes on what it was told, a client can at most claim a
    // safer connection than it has, and gets a cookie that it cannot send back.
    let secure = api.url.starts_with("https:") || secure_hop(&parts.headers, trusted);
    let speaks = parts.headers.contains_key("x-forwarded-for");
    api.forwarding
        .saw(peer, trusted, speaks, secure_hop(&parts.headers, trusted));
    let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or("")).unwrap_or_default();
    let headers = parts.headers;
    let foreign = access::foreign(&headers, &api.url, trusted);
    let call = Call {
        path: parts.uri.path().to_owned(),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|v| v.to_str().ok())
            .map(|v| v.chars().take(300).collect()),
        api,
        principal: None,
        organization: None,
        role: None,
        project: None,
        team: None,
        team_admin: false,
        outside: false,
        sight: Sight::default(),
        params,
        query,
        body,
        upload: None,
        address,
        secure,
        unforgeable: !foreign
            && (headers.contains_key("x-requested-with")
                || headers
                    .get(header::CONTENT_TYPE)
                    .is_some_and(|v| v.as_bytes().starts_with(b"application/json"))),
        foreign,
        headers: headers.clone(),
    };
    if let Some(body) = upload {
        return uploaded(route, call, method, headers, body).await;
    }
    blocking(move || run(route, call, &method, &headers))
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// Runs a function where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let span = tracing::Span::current();
    let done = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    done.map_err(|e| ApiError::Internal(e.to_string()))
}

/// A call with a large body, which is read only once it is known that the caller may send it.
async fn uploaded(
    route: &'static Route,
    mut call: Call,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let uploads = call.api.hooks.uploads.clone();
    let sent = headers.clone();
    let admitted = blocking(move || {
        let (turn, may) = admit(route, &mut call, &method, &headers);
        (turn, may.map(|()| call))
    });
    let (turn, may) = match admitted.await {
        Ok(admitted) => admitted,
        Err(e) => return e.into_response(),
    };
    let received = async {
        let mut call = may?;
        if let Some(why) = uploads.unwell() {
            return Err(ApiError::Unavailable(why));
        }
        call.upload = Some(Spool::receive(uploads.folder(), &sent, body, route.takes).await?);
        Ok(call)
    };
    match received.await {
        Ok(call) => blocking(move || finish(&turn, (route.endpoint)(&call)))
            .await
            .unwrap_or_else(IntoResponse::into_response),
        Err(e) => finish(&turn, Err(e)),
    }
}

/// Everything behind the route: who asks, whether they ask too much, whether they may, and the answer.
fn run(route: &Route, mut call: Call, method: &Method, headers: &HeaderMap) -> Response {
    let (turn, may) = admit(route, &mut call, method, headers);
    finish(&turn, may.and_then(|()| (route.endpoint)(&call)))
}

fn finish(turn: &Turn, done: Result<Answer, ApiError>) -> Response {
    let mut response = match done {
        Ok(answer) => answer.into_response(),
        Err(e) => e.into_response(),
    };
    response.headers_mut().extend(turn.headers());
    response
}

/// Who asks, whether they ask too much, and whether they may.
fn admit(
    route: &Route,
    call: &mut Call,
    method: &Method,
    headers: &HeaderMap,
) -> (Turn, Result<(), ApiError>) {
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    // What everybody may do is done in nobody's name, unless a page of this server asks.
    let ours = headers.contains_key("x-requested-with") && !call.foreign;
    let identified = if route.access != Access::Public || safe || ours {
        identify(call, headers)
    } else {
        Ok(())
    };
    let turn = turn(call, headers);
    let may = turn
        .granted()
        .and(identified)
        .and_then(|()| allow(route, call, safe, headers));
    (turn, may)
}

/// Counts the request for who sends it: a user by their session, a token, or else an address.
fn turn(call: &Call, headers: &HeaderMap) -> Turn {
    let caller = match &call.principal {
        None => Caller::address(call.address),
        Some(principal) => match (&principal.proof, principal.user_id(), bearer(headers)) {
            (Proof::Session(_), Some(user), _) => Caller::User(user),
            (_, _, Some(token)) => Caller::token(&token),
            _ => Caller::address(call.address),
        },
    };
    call.api.rates.begin(caller, call.now())
}

/// Decides whether the caller may.
fn allow(route: &Route, call: &mut Call, safe: bool, headers: &HeaderMap) -> Result<(), ApiError> {
    if route.access != Access::Public {
        call.principal()?;
    }
    let by_session = matches!(
        &call.principal,
        Some(Principal {
            proof: Proof::Session(_),
            ..
        })
    );
    if by_session && !safe && !headers.contains_key("x-requested-with") {
        return Err(ApiError::Forbidden(
            "CSRF: send the header X-Requested-With with this request.".into(),
        ));
    }
    if by_session && !safe && call.foreign {
        return Err(ApiError::Forbidden(
            "CSRF: this was sent by a page of another site. Behind a proxy, set url to the address in the browser."
                .into(),
        ));
    }
    if route.access == Access::Session && !by_session {
        return Err(ApiError::Forbidden(
            "This needs a login in the browser, not a token.".into(),
        ));
    }
    if route.access == Access::Superuser && !access::administers(call.principal()?) {
        return Err(ApiError::Forbidden(
            "This is for administrators of the installation.".into(),
        ));
    }
    if route.account {
        access::owns_account(call.principal()?)?;
    }
    if route.sudo {
        access::confirmed(call.principal()?, call.now())?;
    }
    // Public paths name what they are about with a secret, and look for it themselves.
    if route.access != Access::Public {
        locate(call, route)?;
    }
    let scopes = match route.access {
        Access::Scope(scope) => &[scope][..],
        Access::AnyOf(scopes) => scopes,
        _ => &[],
    };
    if !scopes.is_empty() && !scopes.iter().any(|scope| call.may(scope)) {
        return Err(ApiError::Forbidden(format!(
            "You do not have permission to do this: it needs the scope {}.",
            scopes.join(" or ")
        )));
    }
    Ok(())
}

/// Who asks.
fn identify(call: &mut Call, headers: &HeaderMap) -> Result<(), ApiError> {
    call.principal = principal(&call.api, headers)?;
    Ok(())
}

/// Who sends these headers; nobody without a token or with a session that is over.
fn principal(api: &Api, headers: &HeaderMap) -> Result<Option<Principal>, ApiError> {
    let now = api.stores.clock.now();
    let sql = &api.stores.sql;
    let found = if let Some(token) = bearer(headers) {
        let found = sql.reading(|c| Ok(access::by_token(c, &token, now)))??;
        found.ok_or_else(|| ApiError::Unauthorized("Invalid token".into()))?
    } else {
        let Some(token) = cookie(headers, COOKIE) else {
            return Ok(None);
        };
        let Some(found) = sql.reading(|c| Ok(access::by_session(c, &token, now)))?? else {
            return Ok(None);
        };
        found
    };
    let (principal, used) = found;
    if let Some(used) = used {
        sql.writing(|c| access::note(c, &used, now))?;
    }
    Ok(Some(principal))
}

/// What a path is about, and what the caller is there.
struct Found {
    organization: Organization,
    role: Option<String>,
    sight: Sight,
    project: Option<Option<Project>>,
    team: Option<Option<Team>>,
    team_admin: bool,
    outside: bool,
}

/// A path without an organization, whose body names it.
const ORG_IN_BODY: &str = "/sentry-apps/";

/// Finds the organization, project and team of the path, as far as the caller may know of them.
fn locate(call: &mut Call, route: &Route) -> Result<(), ApiError> {
    let param = |name: &str| {
        call.params
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v.clone())
    };
    let (org, project, issue, team) = (param("org"), param("project"), param("issue"), param("team"));
    let org = match org {
        None if route.path == ORG_IN_BODY => call
            .json()?
            .get("organization")
            .and_then(|o| o.as_str().map(str::to_owned)),
        org => org,
    };
    // Paths of applications have no organization either: what they name says it.
    let app = param("installation").or_else(|| param("document"));
    if org.is_none() && issue.is_none() && app.is_none() {
        return Ok(());
    }
    let principal = call.principal()?.clone();
    let sql = call.api.stores.sql.clone();
    let found = sql.reading(|c| {
        let organization = match &org {
            Some(slug) => people::organization_by(c, slug)?,
            None if app.is_some() => match documents::of_name(c, "app", app.as_deref().unwrap_or(""))? {
                Some(document) => people::organization_by(c, &document.org.to_string())?,
                None => None,
            },
            // The old form of issue paths has no organization: the issue says it.
            None => {
                let id = issue.as_deref().and_then(|i| i.parse::<i64>().ok()).unwrap_or(0);
                let project = match issues::by_ids(c, &[id])?.pop() {
                    Some(issue) => projects::by_id(c, issue.project)?,
                    None => None,
                };
                match project {
                    Some(project) => people::organization_by(c, &project.org_id.to_string())?,
                    None => None,
                }
            }
        };
        let Some(organization) = organization else {
            return Ok(None);
        };
        let role = match principal.user_id() {
            Some(user) => people::role(c, organization.id, user)?,
            None => None,
        };
        let own = principal.org_token().is_some_and(|t| t.org_id == organization.id);
        if role.is_none() && !own && !principal.is_superuser() {
            return Ok(None);
        }
        match access::door(c, &principal, &organization, role.as_deref())? {
            Door::Open => {}
            Door::Closed => return Ok(None),
            Door::Provider => return Ok(Some(Err(organization.slug))),
        }
        let sight = Sight::of(c, &principal, &organization, role.as_deref())?;
        let project = match &project {
            Some(slug) => Some(sight.project(c, organization.id, slug)?),
            None => None,
        };
        let team = match &team {
            Some(slug) => Some(teams::find(c, organization.id, slug)?),
            None => None,
        };
        let (mut team_admin, mut outside) = (false, false);
        if let (Some(user), true) = (principal.user_id(), role.is_some()) {
            if let Some(Some(team)) = &team {
                let own = teams::of_user(c, organization.id, user)?;
                let own = own.iter().find(|(t, _)| *t == team.id);
                team_admin = own.is_some_and(|(_, role)| role == teams::ADMIN);
                outside = own.is_none() && matches!(sight, Sight::Only(_));
            }
            if let Some(Some(project)) = &project {
                team_admin = teams::administers_project(c, project.id, user)?;
            }
        }
        Ok(Some(Ok(Found {
            organization,
            role,
            sight,
            project,
            team,
            team_admin,
            outside,
        })))
    })?;
    let noun = match (&org, &app) {
        (Some(_), _) => "Organization",
        (None, Some(_)) => "Application",
        (None, None) => "Issue",
    };
    let found = found.ok_or_else(|| ApiError::missing(noun))?;
    let found = found.map_err(ApiError::SsoRequired)?;
    access::admitted(&principal, &found.organization)?;
    call.organization = Some(found.organization);
    call.role = found.role;
    call.sight = found.sight;
    call.team_admin = found.team_admin;
    call.outside = found.outside;
    if let Some(project) = found.project {
        call.project = Some(project.ok_or_else(|| ApiError::missing("Project"))?);
    }
    if let Some(team) = found.team {
        call.team = Some(team.ok_or_else(|| ApiError::missing("Team"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_route() {
        let (route, params) = find(&Method::GET, "/organizations/acme/issues/SHOP-1/").unwrap();
        assert_eq!(route.path, "/organizations/{org}/issues/{issue}/");
        assert_eq!(
            params,
            vec![("org", "acme".to_owned()), ("issue", "SHOP-1".to_owned())]
        );
        assert!(find(&Method::GET, "/organizations").is_ok());
        assert_eq!(find(&Method::PATCH, "/organizations/").err(), Some(true));
        assert_eq!(find(&Method::GET, "/nothing/").err(), Some(false));
        let (_, params) = find(&Method::GET, "/organizations/a/issues/5/tags/a%20b/").unwrap();
        assert_eq!(params[2].1, "a b");
    }

    #[test]
    fn every_route_stands_once() {
        for (i, a) in ROUTES.iter().enumerate() {
            for b in &ROUTES[i + 1..] {
                assert!(
                    (a.method, a.path) != (b.method, b.path),
                    "{} {}",
                    a.method,
                    a.path
                );
            }
        }
    }
}
