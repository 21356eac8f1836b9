//! Uploaded files: source maps, debug files, and what brings them.

use storage::uploads::{FILE, REQUEST};

use super::{Route, route};
use crate::access::Access::{self, AnyOf};
use crate::endpoints::{artifact_bundles, chunk_upload, debug_files, release_files};

/// Seen by whoever sees releases.
const SEE: Access = AnyOf(&["project:read", "project:releases", "org:ci"]);
/// Uploaded and deleted by whoever makes releases, builds above all.
const MAKE: Access = AnyOf(&["project:releases", "project:write", "org:ci"]);
/// What a form adds to the bytes of its files.
const FORM: u64 = 1 << 20;

#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    route("GET", "/organizations/{org}/chunk-upload/", SEE, chunk_upload::options),
    route("POST", "/organizations/{org}/chunk-upload/", MAKE, chunk_upload::upload).takes(REQUEST + FORM),
    route("POST", "/organizations/{org}/artifactbundle/assemble/", MAKE, chunk_upload::artifact_bundle),
    route("POST", "/organizations/{org}/releases/{version}/assemble/", MAKE, chunk_upload::release_bundle),
    route("GET", "/organizations/{org}/releases/{version}/files/", SEE, release_files::list),
    route("POST", "/organizations/{org}/releases/{version}/files/", MAKE, release_files::add).takes(FILE + FORM),
    route("GET", "/organizations/{org}/releases/{version}/files/{file}/", SEE, release_files::get),
    route("PUT", "/organizations/{org}/releases/{version}/files/{file}/", MAKE, release_files::update),
    route("DELETE", "/organizations/{org}/releases/{version}/files/{file}/", MAKE, release_files::remove),
    route("GET", "/projects/{org}/{project}/releases/{version}/files/", SEE, release_files::list),
    route("POST", "/projects/{org}/{project}/releases/{version}/files/", MAKE, release_files::add).takes(FILE + FORM),
    route("GET", "/projects/{org}/{project}/releases/{version}/files/{file}/", SEE, release_files::get),
    route("PUT", "/projects/{org}/{project}/releases/{version}/files/{file}/", MAKE, release_files::update),
    route("DELETE", "/projects/{org}/{project}/releases/{version}/files/{file}/", MAKE, release_files::remove),
    route("POST", "/projects/{org}/{project}/files/difs/assemble/", MAKE, chunk_upload::debug_files),
    route("GET", "/projects/{org}/{project}/files/dsyms/unknown/", SEE, debug_files::unknown),
    route("POST", "/projects/{org}/{project}/files/dsyms/associate/", MAKE, debug_files::associate),
    route("GET", "/projects/{org}/{project}/files/dsyms/", SEE, debug_files::list),
    route("POST", "/projects/{org}/{project}/files/dsyms/", MAKE, debug_files::add).takes(FILE + FORM),
    route("DELETE", "/projects/{org}/{project}/files/dsyms/", MAKE, debug_files::remove),
    route("GET", "/projects/{org}/{project}/files/proguard-artifact-releases/", SEE, debug_files::proguard_releases),
    route("POST", "/projects/{org}/{project}/files/proguard-artifact-releases/", MAKE, debug_files::link_proguard),
    route("GET", "/projects/{org}/{project}/files/artifact-bundles/", SEE, artifact_bundles::list),
    route("DELETE", "/projects/{org}/{project}/files/artifact-bundles/", MAKE, artifact_bundles::remove),
    route("GET", "/projects/{org}/{project}/artifact-bundles/{bundle}/files/", SEE, artifact_bundles::files),
    route("GET", "/projects/{org}/{project}/artifact-bundles/{bundle}/files/{file}/", SEE, artifact_bundles::file),
    route("GET", "/projects/{org}/{project}/files/source-maps/", SEE, artifact_bundles::releases),
    route("DELETE", "/projects/{org}/{project}/files/source-maps/", MAKE, artifact_bundles::remove_release),
];
