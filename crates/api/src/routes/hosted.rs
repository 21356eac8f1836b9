//! What is no part of this server, so that it is said clearly.

use super::{EVENT_READ, ORG_READ, PROJECT_READ, Route, route};
use crate::access::Access::SignedIn;
use crate::endpoints::hosted;

#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    route("GET", "/organizations/{org}/issues/{issue}/autofix/", EVENT_READ, hosted::seer),
    route("POST", "/organizations/{org}/issues/{issue}/autofix/", EVENT_READ, hosted::seer),
    route("GET", "/organizations/{org}/preprodartifacts/snapshots/latest-base/", PROJECT_READ, hosted::mobile),
    route("GET", "/organizations/{org}/preprodartifacts/{artifact}/install-details/", PROJECT_READ, hosted::mobile),
    route("GET", "/organizations/{org}/preprodartifacts/{artifact}/size-analysis/", PROJECT_READ, hosted::mobile),
    route("DELETE", "/organizations/{org}/spike-protections/", ORG_READ, hosted::spike_protection),
    route("POST", "/organizations/{org}/spike-protections/", ORG_READ, hosted::spike_protection),
    route("GET", "/projects/{org}/{project}/preprod/size-analysis/status-check-rules/", PROJECT_READ, hosted::mobile),
    route("POST", "/projects/{org}/{project}/preprod/size-analysis/status-checks/skip/", PROJECT_READ, hosted::mobile),
    route("GET", "/projects/{org}/{project}/preprod/snapshots/status-check-rules/", PROJECT_READ, hosted::mobile),
    route("POST", "/projects/{org}/{project}/preprod/snapshots/status-checks/skip/", PROJECT_READ, hosted::mobile),
    route("GET", "/projects/{org}/{project}/preprodartifacts/build-distribution/latest/", PROJECT_READ, hosted::mobile),
    route("POST", "/projects/{org}/{project}/preprodartifacts/snapshots/", PROJECT_READ, hosted::mobile),
    route("GET", "/seer/models/", SignedIn, hosted::seer),
    route("DELETE", "/organizations/{org}/preprodartifacts/snapshots/{snapshot}/", PROJECT_READ, hosted::mobile),
    route("GET", "/organizations/{org}/preprodartifacts/snapshots/{snapshot}/", PROJECT_READ, hosted::mobile),
    route("GET", "/organizations/{org}/preprodartifacts/snapshots/{snapshot}/images/{image}/", PROJECT_READ, hosted::mobile),
    route("GET", "/organizations/{org}/builds/", PROJECT_READ, hosted::mobile),
    route("GET", "/organizations/{org}/preprodartifacts/snapshots/{snapshot}/archive/", PROJECT_READ, hosted::mobile),
    route("POST", "/organizations/{org}/preprodartifacts/snapshots/{snapshot}/archive/", PROJECT_READ, hosted::mobile),
    route("POST", "/projects/{org}/{project}/files/preprodartifacts/assemble/", PROJECT_READ, hosted::mobile),
    route("GET", "/projects/{org}/{project}/preprodartifacts/snapshots/upload-options/", PROJECT_READ, hosted::mobile),
];
