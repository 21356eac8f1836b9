-- A member who was invited has no user yet: the table is made anew, with a user that may be missing.
create table members_next (
  id {id},
  org_id {bigint} not null references organizations (id),
  user_id {bigint} references users (id),
  role text not null,
  date_added {bigint} not null,
  unique (org_id, user_id)
) {strict};
insert into members_next (org_id, user_id, role, date_added)
  select org_id, user_id, role, date_added from members order by id;
drop table members;
alter table members_next rename to members;
create index members_user on members (user_id);

-- The invitation that a member has not accepted yet.
create table invitations (
  member_id {bigint} primary key references members (id),
  email text not null,
  token_hash text not null,
  inviter_id {bigint},
  expires {bigint} not null
) {strict};

create table teams (
  id {id},
  org_id {bigint} not null references organizations (id),
  slug text not null,
  name text not null,
  date_added {bigint} not null,
  unique (org_id, slug)
) {strict};

create table team_members (
  team_id {bigint} not null references teams (id),
  member_id {bigint} not null references members (id),
  role text not null,
  primary key (team_id, member_id)
) {strict};
create index team_members_member on team_members (member_id);

create table project_teams (
  project_id {bigint} not null references projects (id),
  team_id {bigint} not null references teams (id),
  primary key (project_id, team_id)
) {strict};
create index project_teams_team on project_teams (team_id);

-- Slugs that organizations and projects had before: links with them go on working.
create table organization_redirects (
  slug text primary key,
  org_id {bigint} not null references organizations (id)
) {strict};

create table project_redirects (
  org_id {bigint} not null references organizations (id),
  slug text not null,
  project_id {bigint} not null references projects (id),
  primary key (org_id, slug)
) {strict};
create index project_redirects_project on project_redirects (project_id);

-- Numbers of projects that are gone are not given again: stored events still carry them.
create table removed_projects (
  id {bigint} primary key
) {strict};

alter table issues add column assigned_team {bigint};

-- Tokens of an organization, behind which no user stands.
create table org_tokens (
  id {id},
  org_id {bigint} not null references organizations (id),
  name text not null,
  token_hash text not null unique,
  last_characters text not null,
  scopes text not null,
  creator_id {bigint},
  date_added {bigint} not null,
  last_used {bigint}
) {strict};
create index org_tokens_org on org_tokens (org_id);

-- What was changed in an organization, by whom. The actor's name stays when the user goes.
create table audit_log (
  id {id},
  org_id {bigint} not null references organizations (id),
  actor_id {bigint},
  actor text not null,
  address text,
  date_added {bigint} not null,
  event text not null,
  target {bigint},
  data text not null
) {strict};
create index audit_log_org on audit_log (org_id, id);

-- Until now everybody saw everything: one team of each organization holds all of it.
insert into teams (org_id, slug, name, date_added)
  select id, slug, name, date_added from organizations order by id;
insert into team_members (team_id, member_id, role)
  select t.id, m.id, 'contributor' from members m join teams t on t.org_id = m.org_id;
insert into project_teams (project_id, team_id)
  select p.id, t.id from projects p join teams t on t.org_id = p.org_id;
