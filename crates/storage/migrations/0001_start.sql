create table organizations (
  id {id},
  slug text not null unique,
  name text not null,
  date_added {bigint} not null,
  settings text not null
) {strict};

create table users (
  id {id},
  email text not null unique,
  name text not null,
  password text not null,
  is_superuser {bigint} not null,
  is_active {bigint} not null,
  date_joined {bigint} not null,
  last_login {bigint},
  session_epoch {bigint} not null
) {strict};

create table members (
  id {id},
  org_id {bigint} not null references organizations (id),
  user_id {bigint} not null references users (id),
  role text not null,
  date_added {bigint} not null,
  unique (org_id, user_id)
) {strict};

create table projects (
  id {id},
  org_id {bigint} not null references organizations (id),
  slug text not null,
  name text not null,
  platform text,
  status text not null,
  date_added {bigint} not null,
  first_event {bigint},
  next_short_id {bigint} not null,
  settings text not null,
  unique (org_id, slug)
) {strict};

create table project_keys (
  id {id},
  project_id {bigint} not null references projects (id),
  label text not null,
  public_key text not null unique,
  secret_key text not null,
  is_active {bigint} not null,
  rate_limit_count {bigint},
  rate_limit_window {bigint},
  date_added {bigint} not null
) {strict};
create index project_keys_project on project_keys (project_id);

create table sessions (
  token_hash text primary key,
  user_id {bigint} not null references users (id),
  epoch {bigint} not null,
  created {bigint} not null,
  expires {bigint} not null,
  last_used {bigint} not null,
  address text,
  user_agent text
) {strict};
create index sessions_user on sessions (user_id);

create table api_tokens (
  id {id},
  user_id {bigint} not null references users (id),
  name text not null,
  token_hash text not null unique,
  last_characters text not null,
  scopes text not null,
  date_added {bigint} not null,
  last_used {bigint}
) {strict};

create table issues (
  id {id},
  project_id {bigint} not null references projects (id),
  short_number {bigint} not null,
  status text not null,
  substatus text not null,
  priority text not null,
  priority_locked {bigint} not null,
  level text not null,
  platform text not null,
  kind text not null,
  logger text not null,
  title text not null,
  culprit text not null,
  metadata text not null,
  handled {bigint},
  first_seen {bigint} not null,
  last_seen {bigint} not null,
  times_seen {bigint} not null,
  users_seen {bigint} not null,
  first_release text,
  last_release text,
  assigned_user {bigint},
  status_details text not null,
  status_changed {bigint} not null,
  num_comments {bigint} not null,
  delete_after {bigint},
  unique (project_id, short_number)
) {strict};
create index issues_last_seen on issues (project_id, last_seen);
create index issues_first_seen on issues (project_id, first_seen);
create index issues_delete_after on issues (delete_after);

create table issue_hashes (
  id {id},
  project_id {bigint} not null,
  hash text not null,
  issue_id {bigint},
  times_seen {bigint} not null,
  first_seen {bigint} not null,
  last_seen {bigint} not null,
  unique (project_id, hash)
) {strict};
create index issue_hashes_issue on issue_hashes (issue_id);

create table hash_hours (
  hash_id {bigint} not null,
  hour {bigint} not null,
  events {bigint} not null,
  primary key (hash_id, hour)
) {strict};
create index hash_hours_hour on hash_hours (hour);

create table hash_users (
  hash_id {bigint} not null,
  day {bigint} not null,
  sketch {blob} not null,
  primary key (hash_id, day)
) {strict};
create index hash_users_day on hash_users (day);

create table tombstones (
  project_id {bigint} not null,
  hash text not null,
  upto {bigint} not null,
  primary key (project_id, hash)
) {strict};

create table releases (
  id {id},
  project_id {bigint} not null references projects (id),
  version text not null,
  date_added {bigint} not null,
  first_event {bigint},
  last_event {bigint},
  new_issues {bigint} not null,
  unique (project_id, version)
) {strict};

create table environments (
  project_id {bigint} not null references projects (id),
  name text not null,
  first_seen {bigint} not null,
  is_hidden {bigint} not null,
  primary key (project_id, name)
) {strict};

create table activity (
  id {id},
  issue_id {bigint} not null,
  project_id {bigint} not null,
  user_id {bigint},
  kind text not null,
  data text not null,
  date_added {bigint} not null
) {strict};
create index activity_issue on activity (issue_id, date_added);

create table bookmarks (
  issue_id {bigint} not null,
  user_id {bigint} not null,
  date_added {bigint} not null,
  primary key (issue_id, user_id)
) {strict};

create table seen (
  issue_id {bigint} not null,
  user_id {bigint} not null,
  last_seen {bigint} not null,
  primary key (issue_id, user_id)
) {strict};

create table subscriptions (
  issue_id {bigint} not null,
  user_id {bigint} not null,
  is_active {bigint} not null,
  primary key (issue_id, user_id)
) {strict};

create table outcomes (
  project_id {bigint} not null,
  hour {bigint} not null,
  outcome text not null,
  category text not null,
  reason text not null,
  quantity {bigint} not null,
  primary key (project_id, hour, outcome, category, reason)
) {strict};

create table discards (
  project_id {bigint} not null,
  event_id text not null,
  reason text not null,
  date_added {bigint} not null,
  primary key (project_id, event_id)
) {strict};
create index discards_date on discards (date_added);

create table attachments (
  id {id},
  project_id {bigint} not null,
  event_id text not null,
  name text not null,
  kind text not null,
  content_type text not null,
  size {bigint} not null,
  sha1 text not null,
  blob text not null,
  day {bigint} not null,
  retention {bigint} not null,
  date_added {bigint} not null
) {strict};
create index attachments_event on attachments (project_id, event_id);
create index attachments_day on attachments (retention, day);

create table applied (
  source {bigint} primary key,
  position {bigint} not null
) {strict};

create table packs (
  retention {bigint} not null,
  day {bigint} not null,
  length {bigint} not null,
  primary key (retention, day)
) {strict};

create table poison (
  id {id},
  project_id {bigint} not null,
  event_id text,
  error text not null,
  payload {blob} not null,
  date_added {bigint} not null
) {strict};

create table instance (
  name text primary key,
  value text not null
) {strict};
