-- What people say of a release, which `releases` knows for each project by its events.
create table release_details (
  org_id {bigint} not null references organizations (id),
  version text not null,
  status text not null,
  ref text,
  url text,
  date_started {bigint},
  date_released {bigint},
  user_id {bigint},
  primary key (org_id, version)
) {strict};
create index releases_version on releases (version);

create table repositories (
  id {id},
  org_id {bigint} not null references organizations (id),
  name text not null,
  provider text not null,
  url text,
  status text not null,
  date_added {bigint} not null,
  unique (org_id, name)
) {strict};

create table commits (
  id {id},
  repository_id {bigint} not null references repositories (id),
  key text not null,
  message text,
  author_name text,
  author_email text,
  date_added {bigint} not null,
  unique (repository_id, key)
) {strict};

create table commit_files (
  commit_id {bigint} not null,
  path text not null,
  kind text not null,
  primary key (commit_id, path)
) {strict};

create table release_commits (
  org_id {bigint} not null,
  version text not null,
  position {bigint} not null,
  commit_id {bigint} not null,
  primary key (org_id, version, position)
) {strict};
create index release_commits_commit on release_commits (commit_id);

create table deploys (
  id {id},
  org_id {bigint} not null references organizations (id),
  version text not null,
  environment text not null,
  name text,
  url text,
  date_started {bigint},
  date_finished {bigint} not null
) {strict};
create index deploys_release on deploys (org_id, version);

create table code_mappings (
  id {id},
  project_id {bigint} not null references projects (id),
  repository_id {bigint} not null references repositories (id),
  stack_root text not null,
  source_root text not null,
  branch text not null,
  date_added {bigint} not null,
  unique (project_id, stack_root, source_root)
) {strict};

create table project_repositories (
  id {id},
  project_id {bigint} not null references projects (id),
  repository_id {bigint} not null references repositories (id),
  date_added {bigint} not null,
  unique (project_id, repository_id)
) {strict};

create table ownership (
  project_id {bigint} primary key references projects (id),
  raw text not null,
  codeowners text not null,
  fallthrough {bigint} not null,
  auto_assignment text not null,
  sync {bigint} not null,
  date_added {bigint} not null,
  last_updated {bigint} not null
) {strict};

-- The last issue that rules of ownership were asked about.
create table ownership_position (
  id {bigint} primary key,
  issue_id {bigint} not null
) {strict};

-- Settings of features that do not act yet, and what else is kept as it was given.
create table documents (
  id {id},
  kind text not null,
  org_id {bigint} not null references organizations (id),
  project_id {bigint},
  slug text not null,
  label text not null,
  body text not null,
  user_id {bigint},
  date_added {bigint} not null,
  last_updated {bigint} not null,
  unique (kind, org_id, slug)
) {strict};
create index documents_project on documents (kind, project_id);
create index documents_label on documents (kind, org_id, label);
