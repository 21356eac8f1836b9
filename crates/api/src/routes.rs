//! Every endpoint: method, path, who may, and what answers. Large parts have a table of their own in `routes/`.

mod accounts;
mod files;
mod hosted;
mod kept;
mod people;
mod releases;

use crate::access::Access::{self, AnyOf, Public, Scope, SignedIn, Superuser};
use crate::answer::{Answer, ApiError};
use crate::call::Call;
use crate::endpoints::{
    discarded, events, grouping, hashes, internal, issue, issue_events, issue_notes, issues, keys,
    organizations, projects, reprocessing, root, search, shared, similar, stats, tags,
};

/// One endpoint.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path below `/api/0`; `{name}` stands for one segment.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// Asks a session that did not show for an hour who it is to do so again.
    pub sudo: bool,
    /// Changes how the caller signs in: not for sessions that count in one organization alone.
    pub account: bool,
    /// The most bytes of a body that is read from a file; 0 if it is read into memory, as it mostly is.
    pub takes: u64,
    pub(crate) endpoint: fn(&Call) -> Result<Answer, ApiError>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    access: Access,
    endpoint: fn(&Call) -> Result<Answer, ApiError>,
) -> Route {
    Route {
        method,
        path,
        access,
        sudo: false,
        account: false,
        takes: 0,
        endpoint,
    }
}

impl Route {
    /// For what changes how the caller signs in, everywhere.
    const fn account(self) -> Route {
        Route {
            account: true,
            ..self
        }
    }

    /// For uploads: the caller is looked at first, then the body goes to a file.
    const fn takes(self, most: u64) -> Route {
        Route { takes: most, ..self }
    }

    /// For dangerous acts.
    const fn sudo(self) -> Route {
        Route { sudo: true, ..self }
    }
}

const ORG_READ: Access = Scope("org:read");
/// Builds see their organization and projects, and do nothing else with them.
const SEE_ORG: Access = AnyOf(&["org:read", "org:ci"]);
const SEE: Access = AnyOf(&["project:read", "project:releases", "org:ci"]);
const PROJECT_READ: Access = Scope("project:read");
const PROJECT_WRITE: Access = Scope("project:write");
const PROJECT_ADMIN: Access = Scope("project:admin");
const EVENT_READ: Access = Scope("event:read");
const EVENT_WRITE: Access = Scope("event:write");
const EVENT_ADMIN: Access = Scope("event:admin");

const PARTS: &[&[Route]] = &[
    hosted::ROUTES,
    accounts::ROUTES,
    people::ROUTES,
    releases::ROUTES,
    files::ROUTES,
    kept::ROUTES,
    CORE,
];

const COUNT: usize = {
    let (mut n, mut part) = (0, 0);
    while part < PARTS.len() {
        n += PARTS[part].len();
        part += 1;
    }
    n
};

static ALL: [Route; COUNT] = {
    let mut all = [CORE[0]; COUNT];
    let (mut n, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut i = 0;
        while i < PARTS[part].len() {
            all[n] = PARTS[part][i];
            n += 1;
            i += 1;
        }
        part += 1;
    }
    all
};

/// The table.
pub static ROUTES: &[Route] = &ALL;

/// A path with a fixed segment stands before one with a name in its place.
const CORE: &[Route] = &[
    route("GET", "/", Public, root::index),
    route("GET", "/openapi.json/", Public, root::description),
    // The installation.
    route("GET", "/internal/health/", Public, internal::health),
    route("GET", "/internal/status/", Superuser, internal::status),
    route("GET", "/internal/set-aside/", Superuser, internal::list_set_aside),
    route(
        "GET",
        "/internal/set-aside/{item}/",
        Superuser,
        internal::get_set_aside,
    ),
    route(
        "POST",
        "/internal/set-aside/{item}/",
        Superuser,
        internal::retry_set_aside,
    ),
    route(
        "DELETE",
        "/internal/set-aside/{item}/",
        Superuser,
        internal::remove_set_aside,
    ),
    // Organizations.
    route("GET", "/organizations/", SignedIn, organizations::list),
    route("GET", "/organizations/{org}/", SEE_ORG, organizations::get),
    route(
        "PUT",
        "/organizations/{org}/",
        Scope("org:write"),
        organizations::update,
    ),
    route("GET", "/organizations/{org}/stats_v2/", ORG_READ, stats::stats_v2),
    route(
        "GET",
        "/organizations/{org}/search/fields/",
        EVENT_READ,
        search::fields,
    ),
    route(
        "GET",
        "/organizations/{org}/tags/",
        EVENT_READ,
        tags::organization_tags,
    ),
    route(
        "GET",
        "/organizations/{org}/tags/{key}/values/",
        EVENT_READ,
        tags::organization_values,
    ),
    // Projects.
    route("GET", "/projects/", SignedIn, projects::list_all),
    route("GET", "/organizations/{org}/projects/", SEE, projects::list),
    route(
        "POST",
        "/organizations/{org}/projects/",
        PROJECT_WRITE,
        projects::add,
    ),
    route("GET", "/projects/{org}/{project}/", SEE, projects::get),
    route(
        "PUT",
        "/projects/{org}/{project}/",
        PROJECT_WRITE,
        projects::update,
    ),
    route(
        "DELETE",
        "/projects/{org}/{project}/",
        PROJECT_ADMIN,
        projects::remove,
    )
    .sudo(),
    route("GET", "/projects/{org}/{project}/keys/", PROJECT_READ, keys::list),
    route(
        "POST",
        "/projects/{org}/{project}/keys/",
        PROJECT_WRITE,
        keys::add,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/keys/{key}/",
        PROJECT_READ,
        keys::get,
    ),
    route(
        "PUT",
        "/projects/{org}/{project}/keys/{key}/",
        PROJECT_WRITE,
        keys::update,
    ),
    route(
        "POST",
        "/projects/{org}/{project}/keys/{key}/rotate/",
        PROJECT_WRITE,
        keys::rotate,
    ),
    route(
        "DELETE",
        "/projects/{org}/{project}/keys/{key}/",
        PROJECT_ADMIN,
        keys::remove,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/stats/",
        PROJECT_READ,
        stats::project_stats,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/tags/",
        EVENT_READ,
        tags::organization_tags,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/tags/{key}/values/",
        EVENT_READ,
        tags::organization_values,
    ),
    route(
        "POST",
        "/projects/{org}/{project}/grouping-preview/",
        PROJECT_READ,
        grouping::preview,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/tombstones/",
        PROJECT_READ,
        discarded::list,
    ),
    route(
        "DELETE",
        "/projects/{org}/{project}/tombstones/{tombstone}/",
        PROJECT_ADMIN,
        discarded::remove,
    ),
    // Issues.
    route("GET", "/organizations/{org}/issues/", EVENT_READ, issues::list),
    route("PUT", "/organizations/{org}/issues/", EVENT_WRITE, issues::update),
    route(
        "DELETE",
        "/organizations/{org}/issues/",
        EVENT_ADMIN,
        issues::remove,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/issues/",
        EVENT_READ,
        issues::list,
    ),
    route(
        "PUT",
        "/projects/{org}/{project}/issues/",
        EVENT_WRITE,
        issues::update,
    ),
    route(
        "DELETE",
        "/projects/{org}/{project}/issues/",
        EVENT_ADMIN,
        issues::remove,
    ),
    route(
        "GET",
        "/organizations/{org}/issues-count/",
        EVENT_READ,
        issues::count,
    ),
    route(
        "GET",
        "/organizations/{org}/issues-stats/",
        EVENT_READ,
        issues::stats,
    ),
    route(
        "GET",
        "/organizations/{org}/shortids/{short}/",
        EVENT_READ,
        issue::by_short_id,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/",
        EVENT_READ,
        issue::get,
    ),
    route(
        "PUT",
        "/organizations/{org}/issues/{issue}/",
        EVENT_WRITE,
        issue::update,
    ),
    route(
        "DELETE",
        "/organizations/{org}/issues/{issue}/",
        EVENT_ADMIN,
        issue::remove,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/events/",
        EVENT_READ,
        issue_events::list,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/events/{event}/",
        EVENT_READ,
        issue_events::get,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/hashes/",
        EVENT_READ,
        hashes::list,
    ),
    route(
        "PUT",
        "/organizations/{org}/issues/{issue}/hashes/",
        EVENT_WRITE,
        hashes::unmerge,
    ),
    route(
        "DELETE",
        "/organizations/{org}/issues/{issue}/hashes/",
        EVENT_WRITE,
        hashes::unmerge,
    ),
    route(
        "POST",
        "/organizations/{org}/issues/{issue}/hashes/",
        EVENT_WRITE,
        hashes::give,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/similar/",
        EVENT_READ,
        similar::similar,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/compare/{other}/",
        EVENT_READ,
        similar::compare,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/stats/",
        EVENT_READ,
        issue::stats,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/tags/",
        EVENT_READ,
        tags::issue_tags,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/tags/{key}/",
        EVENT_READ,
        tags::issue_tag,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/tags/{key}/values/",
        EVENT_READ,
        tags::issue_values,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/activities/",
        EVENT_READ,
        issue_notes::activities,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/notes/",
        EVENT_READ,
        issue_notes::list,
    ),
    route(
        "POST",
        "/organizations/{org}/issues/{issue}/notes/",
        EVENT_WRITE,
        issue_notes::add,
    ),
    route(
        "PUT",
        "/organizations/{org}/issues/{issue}/notes/{note}/",
        EVENT_WRITE,
        issue_notes::edit,
    ),
    route(
        "DELETE",
        "/organizations/{org}/issues/{issue}/notes/{note}/",
        EVENT_WRITE,
        issue_notes::remove,
    ),
    // Whoever has the link of an issue that is shared.
    route(
        "GET",
        "/organizations/{org}/shared/issues/{share}/",
        Public,
        shared::get,
    ),
    route("GET", "/shared/issues/{share}/", Public, shared::get),
    route("GET", "/issues/{issue}/", EVENT_READ, issue::get),
    route("PUT", "/issues/{issue}/", EVENT_WRITE, issue::update),
    route("DELETE", "/issues/{issue}/", EVENT_ADMIN, issue::remove),
    route("GET", "/issues/{issue}/events/", EVENT_READ, issue_events::list),
    route(
        "GET",
        "/issues/{issue}/events/{event}/",
        EVENT_READ,
        issue_events::get,
    ),
    route(
        "GET",
        "/issues/{issue}/reprocessing/",
        EVENT_READ,
        reprocessing::get,
    ),
    route(
        "POST",
        "/issues/{issue}/reprocessing/",
        EVENT_WRITE,
        reprocessing::begin,
    ),
    route(
        "GET",
        "/organizations/{org}/issues/{issue}/reprocessing/",
        EVENT_READ,
        reprocessing::get,
    ),
    route(
        "POST",
        "/organizations/{org}/issues/{issue}/reprocessing/",
        EVENT_WRITE,
        reprocessing::begin,
    ),
    route("GET", "/issues/{issue}/hashes/", EVENT_READ, hashes::list),
    route("PUT", "/issues/{issue}/hashes/", EVENT_WRITE, hashes::unmerge),
    route("DELETE", "/issues/{issue}/hashes/", EVENT_WRITE, hashes::unmerge),
    route("GET", "/issues/{issue}/similar/", EVENT_READ, similar::similar),
    route("GET", "/issues/{issue}/tags/", EVENT_READ, tags::issue_tags),
    route("GET", "/issues/{issue}/tags/{key}/", EVENT_READ, tags::issue_tag),
    route(
        "GET",
        "/issues/{issue}/tags/{key}/values/",
        EVENT_READ,
        tags::issue_values,
    ),
    // Events.
    route(
        "GET",
        "/organizations/{org}/eventids/{event}/",
        EVENT_READ,
        events::resolve,
    ),
    route(
        "GET",
        "/organizations/{org}/eventids/{event}/where/",
        EVENT_READ,
        events::whereabouts,
    ),
    route(
        "GET",
        "/organizations/{org}/events/{event}/",
        EVENT_READ,
        events::get_by_pair,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/events/",
        EVENT_READ,
        events::list,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/events/{event}/",
        EVENT_READ,
        events::get,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/events/{event}/json/",
        EVENT_READ,
        events::raw,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/events/{event}/attachments/",
        EVENT_READ,
        events::attachments,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/events/{event}/attachments/{attachment}/",
        EVENT_READ,
        events::attachment,
    ),
    route(
        "DELETE",
        "/projects/{org}/{project}/events/{event}/attachments/{attachment}/",
        EVENT_ADMIN,
        events::remove_attachment,
    ),
    route(
        "GET",
        "/projects/{org}/{project}/events/{event}/grouping-info/",
        EVENT_READ,
        grouping::info,
    ),
];
