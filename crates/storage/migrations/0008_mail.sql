create table mails (
  id {id},
  dedupe text not null unique,
  user_id {bigint},
  project_id {bigint},
  recipient text not null,
  subject text not null,
  plain text not null,
  html text not null,
  unsubscribe text,
  date_added {bigint} not null,
  next_try {bigint},
  tries {bigint} not null,
  date_sent {bigint},
  error text
) {strict};
create index mails_next_try on mails (next_try);
create index mails_user on mails (user_id, project_id, date_added);
create index mails_date_added on mails (date_added);

-- Project 0 stands for every project.
create table notification_settings (
  user_id {bigint} not null references users (id),
  project_id {bigint} not null,
  kind text not null,
  wanted {bigint} not null,
  primary key (user_id, project_id, kind)
) {strict};

create table password_resets (
  token_hash text primary key,
  user_id {bigint} not null references users (id),
  expires {bigint} not null
) {strict};
create index password_resets_user on password_resets (user_id);
