-- How members of an organization sign in through a provider (OpenID Connect). The client's secret is sent to the
-- provider, so it must be readable: it is sealed with the secret key.
create table sso_providers (
  org_id {bigint} primary key references organizations (id),
  issuer text not null,
  client_id text not null,
  client_secret text not null,
  domains text not null,
  required {bigint} not null,
  joins {bigint} not null,
  default_role text not null,
  date_added {bigint} not null,
  last_updated {bigint} not null
) {strict};

-- Who somebody is at a provider.
create table sso_identities (
  id {id},
  org_id {bigint} not null references organizations (id),
  user_id {bigint} not null references users (id),
  issuer text not null,
  subject text not null,
  date_added {bigint} not null,
  last_used {bigint} not null,
  unique (org_id, issuer, subject),
  unique (org_id, user_id)
) {strict};
create index sso_identities_user on sso_identities (user_id);

-- Sign-ins that were begun and are not over.
create table sso_logins (
  state_hash text primary key,
  org_id {bigint} not null references organizations (id),
  browser_hash text not null,
  nonce text not null,
  verifier text not null,
  next text,
  address text not null,
  created {bigint} not null,
  expires {bigint} not null
) {strict};
create index sso_logins_address on sso_logins (address, created);
create index sso_logins_expires on sso_logins (expires);

-- Sessions and tokens that count in this organization alone: its provider vouches for them.
alter table sessions add column org_id {bigint};
alter table api_tokens add column org_id {bigint};

-- Applications that ask users to act in their name (OAuth).
create table oauth_applications (
  id {id},
  owner_id {bigint} not null references users (id),
  client_id text not null unique,
  secret_hash text,
  name text not null,
  homepage_url text,
  privacy_url text,
  terms_url text,
  redirect_uris text not null,
  allowed_origins text not null,
  date_added {bigint} not null
) {strict};
create index oauth_applications_owner on oauth_applications (owner_id);

-- What users allowed to applications. Its tokens count in one organization if the session did that allowed it.
create table oauth_grants (
  id {id},
  application_id {bigint} not null references oauth_applications (id),
  user_id {bigint} not null references users (id),
  org_id {bigint},
  scopes text not null,
  date_added {bigint} not null
) {strict};
create index oauth_grants_user on oauth_grants (user_id);
create index oauth_grants_application on oauth_grants (application_id, user_id);

create table oauth_codes (
  code_hash text primary key,
  grant_id {bigint} not null references oauth_grants (id),
  redirect_uri text not null,
  challenge text,
  used {bigint} not null,
  expires {bigint} not null
) {strict};
create index oauth_codes_grant on oauth_codes (grant_id);
create index oauth_codes_expires on oauth_codes (expires);

create table oauth_tokens (
  id {id},
  grant_id {bigint} not null references oauth_grants (id),
  token_hash text not null unique,
  refresh_hash text not null unique,
  spent_hash text,
  expires {bigint} not null,
  refresh_expires {bigint} not null,
  date_added {bigint} not null,
  last_used {bigint}
) {strict};
create index oauth_tokens_grant on oauth_tokens (grant_id);
create index oauth_tokens_spent on oauth_tokens (spent_hash);

-- Tokens of internal integrations, which are documents.
create table integration_tokens (
  id {id},
  document_id {bigint} not null references documents (id),
  token_hash text not null unique,
  last_characters text not null,
  creator_id {bigint},
  date_added {bigint} not null,
  last_used {bigint}
) {strict};
create index integration_tokens_document on integration_tokens (document_id);
