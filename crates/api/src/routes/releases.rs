//! Releases and what they are made of.

use super::{Route, route};
use crate::access::Access::{self, AnyOf, Scope};
use crate::endpoints::{
    code_mappings, committers, deploys, environments, ownership, release_commits, releases, repos,
    stacktrace_link,
};

/// Releases are seen by whoever sees projects, and by builds, whose tokens can do nothing else.
const SEE: Access = AnyOf(&["project:read", "project:releases", "org:ci"]);
/// Releases are made by people, and by builds.
const MAKE: Access = AnyOf(&["project:releases", "project:write", "org:ci"]);
const ORG_READ: Access = AnyOf(&["org:read", "org:ci"]);
const READ: Access = Scope("project:read");
const WRITE: Access = Scope("project:write");
/// Rules of ownership are made by those who work on the issues.
const OWN: Access = AnyOf(&["project:write", "event:write"]);
const INTEGRATIONS: Access = AnyOf(&["org:integrations", "org:write"]);

#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    route("GET", "/organizations/{org}/releases/", SEE, releases::list),
    route("POST", "/organizations/{org}/releases/", MAKE, releases::add),
    route("GET", "/organizations/{org}/releases/{version}/", SEE, releases::get),
    route("PUT", "/organizations/{org}/releases/{version}/", MAKE, releases::update),
    route("DELETE", "/organizations/{org}/releases/{version}/", MAKE, releases::remove),
    route("GET", "/organizations/{org}/releases/{version}/commits/", SEE, release_commits::list),
    route("GET", "/organizations/{org}/releases/{version}/commitfiles/", SEE, release_commits::files),
    route("GET", "/organizations/{org}/releases/{version}/previous-with-commits/", SEE, release_commits::previous),
    route("GET", "/organizations/{org}/releases/{version}/deploys/", SEE, deploys::list),
    route("POST", "/organizations/{org}/releases/{version}/deploys/", MAKE, deploys::add),
    route("GET", "/projects/{org}/{project}/releases/", SEE, releases::list),
    route("POST", "/projects/{org}/{project}/releases/", MAKE, releases::add),
    route("GET", "/projects/{org}/{project}/releases/{version}/", SEE, releases::get),
    route("PUT", "/projects/{org}/{project}/releases/{version}/", MAKE, releases::update),
    route("DELETE", "/projects/{org}/{project}/releases/{version}/", MAKE, releases::remove),
    route("GET", "/projects/{org}/{project}/releases/{version}/commits/", SEE, release_commits::list),
    route("GET", "/organizations/{org}/repos/", ORG_READ, repos::list),
    route("POST", "/organizations/{org}/repos/", INTEGRATIONS, repos::add),
    route("PUT", "/organizations/{org}/repos/{repo}/", INTEGRATIONS, repos::update),
    route("DELETE", "/organizations/{org}/repos/{repo}/", INTEGRATIONS, repos::remove),
    route("GET", "/organizations/{org}/repos/{repo}/commits/", ORG_READ, repos::commits),
    route("POST", "/projects/{org}/{project}/repo/", WRITE, repos::link),
    route("GET", "/organizations/{org}/code-mappings/", ORG_READ, code_mappings::list),
    route("POST", "/organizations/{org}/code-mappings/", INTEGRATIONS, code_mappings::add),
    route("POST", "/organizations/{org}/code-mappings/bulk/", MAKE, code_mappings::bulk),
    route("PUT", "/organizations/{org}/code-mappings/{mapping}/", INTEGRATIONS, code_mappings::update),
    route("DELETE", "/organizations/{org}/code-mappings/{mapping}/", INTEGRATIONS, code_mappings::remove),
    route("GET", "/projects/{org}/{project}/stacktrace-link/", READ, stacktrace_link::get),
    route("GET", "/projects/{org}/{project}/ownership/", READ, ownership::get),
    route("PUT", "/projects/{org}/{project}/ownership/", OWN, ownership::update),
    route("GET", "/projects/{org}/{project}/codeowners/", READ, ownership::list_files),
    route("POST", "/projects/{org}/{project}/codeowners/", OWN, ownership::put_file),
    route("PUT", "/projects/{org}/{project}/codeowners/{file}/", OWN, ownership::put_file),
    route("DELETE", "/projects/{org}/{project}/codeowners/{file}/", OWN, ownership::remove_file),
    route("GET", "/projects/{org}/{project}/events/{event}/committers/", Scope("event:read"), committers::committers),
    route("GET", "/projects/{org}/{project}/events/{event}/owners/", Scope("event:read"), committers::owners),
    route("GET", "/organizations/{org}/environments/", Scope("org:read"), environments::list),
    route("GET", "/projects/{org}/{project}/environments/", READ, environments::list),
    route("PUT", "/projects/{org}/{project}/environments/", WRITE, environments::update_many),
    route("GET", "/projects/{org}/{project}/environments/{environment}/", READ, environments::get),
    route("PUT", "/projects/{org}/{project}/environments/{environment}/", WRITE, environments::update),
];
