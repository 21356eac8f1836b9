import { queryOptions } from '@tanstack/react-query';
import { get, part, send } from '../../api/client.ts';
import { pagesQuery } from '../../api/pages.ts';
import type { AuditEntry, Member, OrganizationDetails, OrganizationToken, Team } from '../../api/types.ts';

const of = (org: string) => `organizations/${part(org)}/`;

export const organizationQuery = (org: string) =>
  queryOptions({
    queryKey: ['organization', org],
    queryFn: ({ signal }) => get<OrganizationDetails>(of(org), undefined, signal),
  });

export const updateOrganization = (
  org: string,
  change: Partial<OrganizationDetails>,
): Promise<OrganizationDetails> => send<OrganizationDetails>('PUT', of(org), change);

export const deleteOrganization = (org: string): Promise<void> => send<void>('DELETE', of(org));

export const createOrganization = (name: string): Promise<OrganizationDetails> =>
  send<OrganizationDetails>('POST', 'organizations/', { name });

export const ROLES = [
  { value: 'member', label: 'Member', help: 'Sees projects and works on their issues.' },
  { value: 'admin', label: 'Admin', help: 'Makes and changes teams and projects.' },
  { value: 'manager', label: 'Manager', help: 'Manages members, teams and all projects.' },
  { value: 'owner', label: 'Owner', help: 'Does everything.' },
] as const;

export const membersPages = (org: string, query?: string) =>
  pagesQuery<Member>(['members', org], `${of(org)}members/`, { query, per_page: 50 });

export const inviteMember = (
  org: string,
  invitation: { email: string; orgRole: string; teams: string[] },
): Promise<Member> => send<Member>('POST', `${of(org)}members/`, invitation);

export const updateMember = (
  org: string,
  id: string,
  change: { orgRole?: string; reinvite?: boolean; regenerate?: boolean },
): Promise<Member> => send<Member>('PUT', `${of(org)}members/${part(id)}/`, change);

export const removeMember = (org: string, id: string): Promise<void> =>
  send<void>('DELETE', `${of(org)}members/${part(id)}/`);

export const teamsPages = (org: string) =>
  pagesQuery<Team>(['teams', org], `${of(org)}teams/`, { per_page: 50 });

export const teamsQuery = (org: string) =>
  queryOptions({
    queryKey: ['teams', org, 'all'],
    queryFn: ({ signal }) => get<Team[]>(`${of(org)}teams/`, { per_page: 100 }, signal),
  });

export const teamQuery = (org: string, team: string) =>
  queryOptions({
    queryKey: ['teams', org, 'one', team],
    queryFn: ({ signal }) => get<Team>(`teams/${part(org)}/${part(team)}/`, undefined, signal),
  });

export const teamMembersPages = (org: string, team: string) =>
  pagesQuery<Member>(['teams', org, 'members', team], `teams/${part(org)}/${part(team)}/members/`);

export const createTeam = (org: string, name: string): Promise<Team> =>
  send<Team>('POST', `${of(org)}teams/`, { name });

export const updateTeam = (org: string, team: string, change: Partial<Team>): Promise<Team> =>
  send<Team>('PUT', `teams/${part(org)}/${part(team)}/`, change);

export const deleteTeam = (org: string, team: string): Promise<void> =>
  send<void>('DELETE', `teams/${part(org)}/${part(team)}/`);

export const joinTeam = (org: string, member: string, team: string): Promise<Team> =>
  send<Team>('POST', `${of(org)}members/${part(member)}/teams/${part(team)}/`);

export const leaveTeam = (org: string, member: string, team: string): Promise<Team> =>
  send<Team>('DELETE', `${of(org)}members/${part(member)}/teams/${part(team)}/`);

export const giveProject = (org: string, project: string, team: string): Promise<unknown> =>
  send<unknown>('POST', `projects/${part(org)}/${part(project)}/teams/${part(team)}/`);

export const takeProject = (org: string, project: string, team: string): Promise<unknown> =>
  send<unknown>('DELETE', `projects/${part(org)}/${part(project)}/teams/${part(team)}/`);

export const organizationTokens = (org: string) =>
  queryOptions({
    queryKey: ['org-tokens', org],
    queryFn: ({ signal }) => get<OrganizationToken[]>(`${of(org)}org-auth-tokens/`, undefined, signal),
  });

export const createOrganizationToken = (org: string, name: string): Promise<OrganizationToken> =>
  send<OrganizationToken>('POST', `${of(org)}org-auth-tokens/`, { name });

export const deleteOrganizationToken = (org: string, id: string): Promise<void> =>
  send<void>('DELETE', `${of(org)}org-auth-tokens/${part(id)}/`);

export const auditPages = (org: string, event?: string) =>
  pagesQuery<AuditEntry>(
    ['audit', org],
    `${of(org)}audit-logs/`,
    { event, per_page: 50 },
    (answer) => (answer as { rows: AuditEntry[] }).rows,
  );

/** How members sign in through a provider. */
export interface SingleSignOn {
  enabled: boolean;
  callbackUrl: string;
  loginUrl: string;
  issuer: string;
  clientId: string;
  hasClientSecret: boolean;
  allowedDomains: string[];
  requireSso: boolean;
  allowJoin: boolean;
  defaultRole: string;
}

export type SingleSignOnDraft = Partial<
  Pick<
    SingleSignOn,
    'issuer' | 'clientId' | 'allowedDomains' | 'requireSso' | 'allowJoin' | 'defaultRole'
  > & { clientSecret: string }
>;

export const singleSignOnQuery = (org: string) =>
  queryOptions({
    queryKey: ['auth-provider', org],
    queryFn: ({ signal }) => get<SingleSignOn>(`${of(org)}auth-provider/`, undefined, signal),
  });

export const setSingleSignOn = (org: string, draft: SingleSignOnDraft): Promise<SingleSignOn> =>
  send<SingleSignOn>('PUT', `${of(org)}auth-provider/`, draft);

export const removeSingleSignOn = (org: string): Promise<void> =>
  send<void>('DELETE', `${of(org)}auth-provider/`);

export interface SingleSignOnTest {
  ok: boolean;
  detail?: string;
  ms: number;
  keys?: number;
  authorizationEndpoint?: string;
}

export const testSingleSignOn = (org: string, issuer: string): Promise<SingleSignOnTest> =>
  send<SingleSignOnTest>('POST', `${of(org)}auth-provider/test/`, { issuer });

/** A member who is known at the provider. */
export interface Identity {
  id: string;
  email: string;
  name: string;
  subject: string;
  lastUsed: string;
}

export const identitiesPages = (org: string) =>
  pagesQuery<Identity>(['auth-provider', org, 'identities'], `${of(org)}auth-provider/identities/`, {
    per_page: 50,
  });

export const unlinkIdentity = (org: string, member: string): Promise<void> =>
  send<void>('DELETE', `${of(org)}auth-provider/identities/${part(member)}/`);

/** Something of the organization's own that asks this server with tokens. */
export interface Integration {
  id: string;
  slug: string;
  name: string;
  scopes: string[];
  isInternal: boolean;
}

export const integrationsPages = (org: string) =>
  pagesQuery<Integration>(['sentry-apps', org], `${of(org)}sentry-apps/`, { per_page: 50 });

export const addIntegration = (org: string, name: string, scopes: string[]): Promise<Integration> =>
  send<Integration>('POST', `${of(org)}sentry-apps/`, { name, scopes, isInternal: true });

export const changeIntegration = (id: string, name: string, scopes: string[]): Promise<Integration> =>
  send<Integration>('PUT', `sentry-apps/${part(id)}/`, { name, scopes });

export const removeIntegration = (id: string): Promise<void> =>
  send<void>('DELETE', `sentry-apps/${part(id)}/`);

export interface IntegrationToken {
  id: string;
  token: string | null;
  tokenLastCharacters: string;
  dateCreated: string;
  dateLastUsed: string | null;
}

export const integrationTokensQuery = (id: string) =>
  queryOptions({
    queryKey: ['sentry-apps', 'tokens', id],
    queryFn: ({ signal }) =>
      get<IntegrationToken[]>(`sentry-apps/${part(id)}/api-tokens/`, undefined, signal),
  });

export const addIntegrationToken = (id: string): Promise<IntegrationToken> =>
  send<IntegrationToken>('POST', `sentry-apps/${part(id)}/api-tokens/`);

export const removeIntegrationToken = (id: string, token: string): Promise<void> =>
  send<void>('DELETE', `sentry-apps/${part(id)}/api-tokens/${part(token)}/`);
