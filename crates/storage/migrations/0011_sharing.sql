-- Issues that everybody sees who has their link.
create table shared_issues (
  issue_id {bigint} primary key,
  share_id text not null unique,
  user_id {bigint},
  date_added {bigint} not null
) {strict};
