-- Events that were processed again: the record that counts is a later one, so rows of the old one are left out.
create table replaced_events (
  project_id {bigint} not null,
  seq {bigint} not null,
  partition text not null,
  primary key (project_id, seq)
) {strict};
create index replaced_events_partition on replaced_events (partition);

-- Issues whose events are processed again, newest first; where it is, and what came of it.
create table reprocessings (
  id {id},
  org_id {bigint} not null,
  project_id {bigint} not null,
  issue_id {bigint} not null,
  user_id {bigint},
  status text not null,
  most {bigint} not null,
  total {bigint} not null,
  done {bigint} not null,
  changed {bigint} not null,
  after_time {bigint},
  after_seq {bigint},
  first_seq {bigint} not null,
  went_to text not null,
  date_added {bigint} not null,
  date_done {bigint}
) {strict};
create index reprocessings_open on reprocessings (status, id);
create index reprocessings_issue on reprocessings (issue_id, id);
