-- What somebody began and ends soon or never: a sign-in that waits for a second factor, a passkey that is made or
-- used, an address that is confirmed. Known by the hash of what was handed out, and taken once.
create table ceremonies (
  token_hash text primary key,
  kind text not null,
  user_id {bigint},
  state text not null,
  expires {bigint} not null
) {strict};

-- The app that shows codes (TOTP, RFC 6238). Its secret must be readable: it is sealed with the secret key.
create table authenticators (
  user_id {bigint} primary key references users (id),
  secret text not null,
  date_added {bigint} not null,
  last_used {bigint},
  last_step {bigint} not null
) {strict};

-- Codes for somebody who lost their second factor, each good once.
create table recovery_codes (
  user_id {bigint} not null references users (id),
  code_hash text not null,
  primary key (user_id, code_hash)
) {strict};

create table passkeys (
  id {id},
  user_id {bigint} not null references users (id),
  handle text not null,
  credential text not null unique,
  static_state text not null,
  dynamic_state text not null,
  name text not null,
  date_added {bigint} not null,
  last_used {bigint}
) {strict};
create index passkeys_user on passkeys (user_id);

-- When who has the session last showed who they are; dangerous acts ask for it again.
alter table sessions add column confirmed {bigint} not null default 0;

-- Whether somebody showed that the address is theirs. Whoever has an account already is believed.
alter table users add column is_verified {bigint} not null default 1;

-- An organization that was removed goes when its projects are gone.
alter table organizations add column removed {bigint} not null default 0;
