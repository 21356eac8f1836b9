-- What lists and counts of issues ask for is in the index.
drop index issues_last_seen;
create index issues_last_seen on issues (project_id, last_seen, status, substatus, delete_after, first_seen);
