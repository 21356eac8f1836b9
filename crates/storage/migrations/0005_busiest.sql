-- Lists by events and by users read the order of whole lives from the same index.
drop index issues_last_seen;
create index issues_last_seen on issues
  (project_id, last_seen, status, substatus, delete_after, first_seen, times_seen, users_seen);
