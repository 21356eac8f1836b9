-- Issues that were merged into others: links and short ids go on working.
create table issue_redirects (
  issue_id {bigint} primary key,
  project_id {bigint} not null,
  short_number {bigint} not null,
  target {bigint} not null
) {strict};
create index issue_redirects_target on issue_redirects (target);
create unique index issue_redirects_short on issue_redirects (project_id, short_number);

-- Issues that were deleted with all their future events, and the hashes by which those are known.
create table discarded_issues (
  id {id},
  project_id {bigint} not null,
  level text not null,
  kind text not null,
  title text not null,
  culprit text not null,
  metadata text not null,
  user_id {bigint},
  date_added {bigint} not null,
  times_discarded {bigint} not null,
  last_discarded {bigint}
) {strict};
create index discarded_issues_project on discarded_issues (project_id);

create table discarded_hashes (
  project_id {bigint} not null,
  hash text not null,
  discarded_id {bigint} not null,
  primary key (project_id, hash)
) {strict};
create index discarded_hashes_issue on discarded_hashes (discarded_id);

-- What the events of a hash look like, to find similar ones. Derived: a job writes it.
create table hash_features (
  hash_id {bigint} primary key,
  project_id {bigint} not null,
  features {blob} not null
) {strict};
create index hash_features_project on hash_features (project_id, hash_id);
