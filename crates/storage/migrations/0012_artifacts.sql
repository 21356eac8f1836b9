-- Pieces of files that clients upload before they say what the whole is. The bytes are the blob `chunks/<org>/<sha1>`.
create table chunks (
  org_id {bigint} not null,
  sha1 text not null,
  size {bigint} not null,
  date_added {bigint} not null,
  primary key (org_id, sha1)
) {strict};
create index chunks_date on chunks (date_added);

-- Whole files, once for each organization. Whatever has one names its blob; a job removes those that nothing names.
create table stored_files (
  blob text primary key,
  org_id {bigint} not null,
  sha1 text not null,
  size {bigint} not null,
  date_added {bigint} not null
) {strict};
create index stored_files_org on stored_files (org_id);

create table artifact_bundles (
  id {id},
  org_id {bigint} not null,
  bundle_id text not null,
  sha1 text not null,
  blob text not null,
  size {bigint} not null,
  file_count {bigint} not null,
  date_uploaded {bigint} not null,
  date_modified {bigint} not null,
  date_used {bigint} not null,
  unique (org_id, sha1),
  unique (org_id, bundle_id)
) {strict};
create index artifact_bundles_blob on artifact_bundles (blob);
create index artifact_bundles_used on artifact_bundles (date_used);

create table artifact_bundle_projects (
  bundle_id {bigint} not null,
  project_id {bigint} not null,
  primary key (bundle_id, project_id)
) {strict};
create index artifact_bundle_projects_project on artifact_bundle_projects (project_id, bundle_id);

create table artifact_bundle_releases (
  bundle_id {bigint} not null,
  version text not null,
  dist text not null,
  primary key (bundle_id, version, dist)
) {strict};
create index artifact_bundle_releases_version on artifact_bundle_releases (version, dist, bundle_id);

create table artifact_bundle_files (
  id {id},
  bundle_id {bigint} not null,
  path text not null,
  url text,
  kind text not null,
  debug_id text,
  source_map text,
  size {bigint} not null,
  headers text not null
) {strict};
create index artifact_bundle_files_url on artifact_bundle_files (bundle_id, url);
create index artifact_bundle_files_debug_id on artifact_bundle_files (debug_id, kind);

-- Files that clients uploaded one by one to a release. The project 0 stands for all of the organization.
create table release_files (
  id {id},
  org_id {bigint} not null,
  version text not null,
  project_id {bigint} not null,
  dist text not null,
  name text not null,
  headers text not null,
  sha1 text not null,
  size {bigint} not null,
  blob text not null,
  date_added {bigint} not null,
  date_used {bigint} not null,
  unique (org_id, version, project_id, dist, name)
) {strict};
create index release_files_blob on release_files (blob);
create index release_files_used on release_files (date_used);

create table debug_files (
  id {id},
  project_id {bigint} not null,
  debug_id text not null,
  code_id text not null,
  kind text not null,
  class text not null,
  object_name text not null,
  cpu text not null,
  features text not null,
  sha1 text not null,
  size {bigint} not null,
  blob text not null,
  date_added {bigint} not null,
  date_used {bigint} not null,
  unique (project_id, debug_id, code_id, sha1)
) {strict};
create index debug_files_sha1 on debug_files (project_id, sha1);
create index debug_files_code_id on debug_files (project_id, code_id);
create index debug_files_blob on debug_files (blob);
create index debug_files_used on debug_files (date_used);
