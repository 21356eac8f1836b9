//! Members, teams, invitations and what was changed by whom.

use super::{Route, route};
use crate::access::Access::{self, AnyOf, Public, Scope, Session, SignedIn};
use crate::endpoints::{
    accept_invite, api_applications, audit_logs, auth_provider, member_teams, members, oauth,
    org_auth_tokens, organizations, project_teams, scim, sso, team, teams, transfer,
};

const MEMBER_READ: Access = Scope("member:read");
const INVITE: Access = AnyOf(&["member:write", "member:read"]);
const MEMBER_WRITE: Access = Scope("member:write");
const MEMBER_ADMIN: Access = Scope("member:admin");
const TEAM_READ: Access = Scope("team:read");
const TEAM_WRITE: Access = Scope("team:write");
const TEAM_ADMIN: Access = Scope("team:admin");
const ORG_READ: Access = Scope("org:read");
const ORG_WRITE: Access = Scope("org:write");
/// Whoever may do what such a token may, makes one.
const CI: Access = AnyOf(&["org:ci", "org:write"]);
const OWNER: Access = Scope("org:admin");
const PROJECT_READ: Access = Scope("project:read");
const PROJECT_WRITE: Access = Scope("project:write");

#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    route("POST", "/organizations/", SignedIn, organizations::add),
    route("DELETE", "/organizations/{org}/", OWNER, organizations::remove).sudo(),
    route("GET", "/organizations/{org}/users/", MEMBER_READ, members::users),
    route("GET", "/organizations/{org}/members/", MEMBER_READ, members::list),
    // Members invite as well where the organization lets them.
    route("POST", "/organizations/{org}/members/", INVITE, members::add),
    route("GET", "/organizations/{org}/members/{member}/", MEMBER_READ, members::get),
    route("PUT", "/organizations/{org}/members/{member}/", MEMBER_WRITE, members::update),
    // Everybody may leave.
    route("DELETE", "/organizations/{org}/members/{member}/", MEMBER_READ, members::remove),
    // Everybody joins and leaves teams by themselves where membership is open.
    route("POST", "/organizations/{org}/members/{member}/teams/{team}/", TEAM_READ, member_teams::join),
    route("PUT", "/organizations/{org}/members/{member}/teams/{team}/", TEAM_WRITE, member_teams::update),
    route("DELETE", "/organizations/{org}/members/{member}/teams/{team}/", TEAM_READ, member_teams::leave),
    route("GET", "/accept-invite/{org}/{member}/{token}/", Public, accept_invite::get),
    route("POST", "/accept-invite/{org}/{member}/{token}/", Public, accept_invite::accept),
    route("GET", "/organizations/{org}/org-auth-tokens/", ORG_READ, org_auth_tokens::list),
    route("POST", "/organizations/{org}/org-auth-tokens/", CI, org_auth_tokens::add),
    route("GET", "/organizations/{org}/org-auth-tokens/{token}/", ORG_READ, org_auth_tokens::get),
    route("PUT", "/organizations/{org}/org-auth-tokens/{token}/", ORG_WRITE, org_auth_tokens::update),
    route("DELETE", "/organizations/{org}/org-auth-tokens/{token}/", ORG_WRITE, org_auth_tokens::remove),
    route("GET", "/organizations/{org}/auth-provider/", OWNER, auth_provider::get),
    route("PUT", "/organizations/{org}/auth-provider/", OWNER, auth_provider::update).sudo(),
    route("DELETE", "/organizations/{org}/auth-provider/", OWNER, auth_provider::remove).sudo(),
    route("POST", "/organizations/{org}/auth-provider/test/", OWNER, auth_provider::test),
    route("GET", "/organizations/{org}/auth-provider/identities/", OWNER, auth_provider::identities),
    route("DELETE", "/organizations/{org}/auth-provider/identities/{member}/", OWNER, auth_provider::unlink),
    // Signing in through it. A state that only the browser can bring back decides who comes.
    route("GET", "/auth/sso/", Public, sso::only_one),
    route("POST", "/auth/sso/{org}/", Public, sso::begin),
    route("POST", "/auth/sso/{org}/callback/", Public, sso::callback),
    // Applications that act in the name of users.
    route("GET", "/api-applications/", Session, api_applications::list),
    route("POST", "/api-applications/", Session, api_applications::add),
    route("GET", "/api-applications/{application}/", Session, api_applications::get),
    route("PUT", "/api-applications/{application}/", Session, api_applications::update),
    route("DELETE", "/api-applications/{application}/", Session, api_applications::remove),
    route("POST", "/api-applications/{application}/rotate-secret/", Session, api_applications::rotate),
    route("GET", "/api-authorizations/", Session, api_applications::authorizations),
    route("DELETE", "/api-authorizations/", Session, api_applications::revoke),
    route("GET", "/oauth/authorize/", Session, oauth::ask),
    route("POST", "/oauth/authorize/", Session, oauth::decide),
    // The client shows who it is by its secret, or by what the code was asked for with.
    route("POST", "/oauth/token/", Public, oauth::token),
    route("GET", "/organizations/{org}/audit-logs/", ORG_WRITE, audit_logs::list),
    route("GET", "/organizations/{org}/scim/v2/Users/", MEMBER_READ, scim::users::list),
    route("POST", "/organizations/{org}/scim/v2/Users/", MEMBER_WRITE, scim::users::add),
    route("GET", "/organizations/{org}/scim/v2/Users/{member}/", MEMBER_READ, scim::users::get),
    route("PATCH", "/organizations/{org}/scim/v2/Users/{member}/", MEMBER_ADMIN, scim::users::update),
    route("DELETE", "/organizations/{org}/scim/v2/Users/{member}/", MEMBER_ADMIN, scim::users::remove),
    route("GET", "/organizations/{org}/scim/v2/Groups/", TEAM_READ, scim::groups::list),
    route("POST", "/organizations/{org}/scim/v2/Groups/", TEAM_WRITE, scim::groups::add),
    route("GET", "/organizations/{org}/scim/v2/Groups/{team}/", TEAM_READ, scim::groups::get),
    route("PATCH", "/organizations/{org}/scim/v2/Groups/{team}/", TEAM_WRITE, scim::groups::update),
    route("DELETE", "/organizations/{org}/scim/v2/Groups/{team}/", TEAM_ADMIN, team::remove),
    route("GET", "/organizations/{org}/teams/", TEAM_READ, teams::list),
    route("POST", "/organizations/{org}/teams/", TEAM_WRITE, teams::add),
    route("GET", "/organizations/{org}/user-teams/", TEAM_READ, teams::own),
    route("GET", "/teams/{org}/{team}/", TEAM_READ, team::get),
    route("PUT", "/teams/{org}/{team}/", TEAM_WRITE, team::update),
    route("DELETE", "/teams/{org}/{team}/", TEAM_ADMIN, team::remove),
    route("GET", "/teams/{org}/{team}/members/", TEAM_READ, team::members),
    route("GET", "/teams/{org}/{team}/projects/", PROJECT_READ, team::projects),
    route("POST", "/teams/{org}/{team}/projects/", PROJECT_WRITE, team::add_project),
    // Who owns both organizations.
    route("POST", "/projects/{org}/{project}/transfer/", OWNER, transfer::transfer).sudo(),
    route("GET", "/projects/{org}/{project}/members/", MEMBER_READ, project_teams::members),
    route("GET", "/projects/{org}/{project}/teams/", PROJECT_READ, project_teams::list),
    route("POST", "/projects/{org}/{project}/teams/{team}/", PROJECT_WRITE, project_teams::give),
    route("DELETE", "/projects/{org}/{project}/teams/{team}/", PROJECT_WRITE, project_teams::take),
];
