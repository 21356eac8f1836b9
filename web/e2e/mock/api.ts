// Answers of the API from fixtures that a real server gave, for browser tests and for work without a server.

import attachments from '../fixtures/attachments.json' with { type: 'json' };
import audit from '../fixtures/audit.json' with { type: 'json' };
import commits from '../fixtures/commits.json' with { type: 'json' };
import compare from '../fixtures/compare.json' with { type: 'json' };
import discarded from '../fixtures/discarded.json' with { type: 'json' };
import environments from '../fixtures/environments.json' with { type: 'json' };
import event from '../fixtures/event.json' with { type: 'json' };
import fields from '../fixtures/fields.json' with { type: 'json' };
import grouping from '../fixtures/grouping.json' with { type: 'json' };
import hashes from '../fixtures/hashes.json' with { type: 'json' };
import issue from '../fixtures/issue.json' with { type: 'json' };
import issueTags from '../fixtures/issue-tags.json' with { type: 'json' };
import issues from '../fixtures/issues.json' with { type: 'json' };
import keys from '../fixtures/keys.json' with { type: 'json' };
import members from '../fixtures/members.json' with { type: 'json' };
import organizations from '../fixtures/organizations.json' with { type: 'json' };
import preview from '../fixtures/preview.json' with { type: 'json' };
import project from '../fixtures/project.json' with { type: 'json' };
import projects from '../fixtures/projects.json' with { type: 'json' };
import raw from '../fixtures/raw.json' with { type: 'json' };
import releases from '../fixtures/releases.json' with { type: 'json' };
import session from '../fixtures/session.json' with { type: 'json' };
import setAside from '../fixtures/set-aside.json' with { type: 'json' };
import similar from '../fixtures/similar.json' with { type: 'json' };
import stats from '../fixtures/stats.json' with { type: 'json' };
import status from '../fixtures/status.json' with { type: 'json' };
import tagValues from '../fixtures/tag-values.json' with { type: 'json' };
import tags from '../fixtures/tags.json' with { type: 'json' };
import teams from '../fixtures/teams.json' with { type: 'json' };
import tokens from '../fixtures/tokens.json' with { type: 'json' };
import { eventOf, symbolsReply } from './symbols.ts';

/** What the server is like: full of issues, new and empty, failing, or without a session. */
export type Mood = 'full' | 'empty' | 'error' | 'signed-out';

export interface MockRequest {
  method: string;
  url: URL;
  body: string;
}

export interface MockReply {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

const json = (value: unknown, status = 200, headers?: Record<string, string>): MockReply => ({
  status,
  headers,
  body: JSON.stringify(value),
});

/** The stream: the issues of the fixture several times over, each with its own id, status and counts. */
export function stream(): unknown[] {
  const badges = ['new', 'escalating', 'regressed', 'ongoing'];
  return Array.from({ length: 4 }, (_, round) =>
    issues.map((one, index) => {
      const id = round * issues.length + index + 1;
      const user = members[0].user;
      return {
        ...one,
        id: String(id),
        shortId: `MY-PROJECT-${id.toString(36).toUpperCase()}`,
        count: String(Number(one.count) * 17 ** round),
        substatus: badges[id % badges.length],
        numComments: id % 5 === 0 ? 4 : 0,
        isBookmarked: id % 7 === 0,
        assignedTo: id % 3 === 0 ? { type: 'user', id: user.id, name: user.name, email: user.email } : null,
      };
    }),
  ).flat();
}

const accounts = [
  { ...session, organizations: [{ slug: 'vedette', name: 'Vedette', role: 'owner' }], has2fa: true },
  {
    ...session,
    id: '2',
    name: 'Kim Andersson-Wiśniewska',
    email: 'kim.andersson-wisniewska@payments.example.com',
    isSuperuser: false,
    isActive: false,
    lastLogin: null,
    emails: [{ id: '2', email: 'kim@example.com', is_verified: false }],
    organizations: [
      { slug: 'vedette', name: 'Vedette', role: 'member' },
      { slug: 'payments', name: 'Payments', role: 'manager' },
    ],
  },
];

function factors(mood: Mood): object[] {
  const on = mood === 'full';
  const base = { description: '', createdAt: on ? '2026-11-20T10:00:00Z' : null, unavailable: null };
  const device = { id: '1', name: 'Blue laptop', dateCreated: '2026-11-20T10:00:00Z' };
  return [
    { ...base, id: 'totp', isEnrolled: on, lastUsedAt: on ? '2026-11-28T10:00:00Z' : null, devices: [] },
    {
      ...base,
      id: 'u2f',
      isEnrolled: on,
      lastUsedAt: null,
      devices: on ? [{ ...device, lastUsed: '2026-11-28T10:00:00Z' }] : [],
    },
    { ...base, id: 'recovery', isEnrolled: on, lastUsedAt: null, codesLeft: on ? 9 : 0, devices: [] },
  ];
}
const APPLICATION = {
  id: '3f2a6c0d8e1b4795a0c3d2e1f4b5a697883f2a6c0d8e1b4795a0c3d2e1f4b5a6',
  clientID: '3f2a6c0d8e1b4795a0c3d2e1f4b5a697883f2a6c0d8e1b4795a0c3d2e1f4b5a6',
  clientSecret: null,
  isPublic: false,
  name: 'Release dashboard',
  homepageUrl: null,
  redirectUris: ['https://dash.example.com/callback'],
};

const links = [
  {
    id: '1',
    displayName: 'acme/shop#7',
    webUrl: 'https://github.com/acme/shop/issues/7',
    serviceType: 'link',
  },
  {
    id: '2',
    displayName: 'A ticket with a very long name that does not fit into the column',
    webUrl: 'https://tracker.example/SHOP-12',
    serviceType: 'link',
  },
];

const views = (
  [
    ['1', 'Payments, unresolved', 'is:unresolved path:*payments*', true, 'organization', true],
    ['2', 'My new ones', 'is:new assigned:me', true, 'owner', true],
    [
      '3',
      'A view with a name that is far too long for the place it has beside others',
      'is:unresolved level:error error.type:TimeoutError release:latest environment:production',
      false,
      'organization',
      false,
    ],
  ] as const
).map(([id, name, query, starred, visibility, mine]) => ({
  id,
  name,
  query,
  querySort: 'date',
  projects: [],
  isAllProjects: true,
  environments: [],
  timeFilters: { period: '14d' },
  visibility,
  starred,
  stars: starred ? 1 : 0,
  createdBy: mine ? session : { ...session, id: '77', name: 'Kim Ohara' },
}));

const SHARE = '4f0c2c9be1a54f0fb0f3a6a7a9d1c2e3';

/** What a public link shows of the issue of the fixtures. */
const shared = {
  shareId: SHARE,
  ...Object.fromEntries(
    ['shortId', 'title', 'culprit', 'level', 'platform', 'metadata'].map((key) => [
      key,
      issue[key as keyof typeof issue],
    ]),
  ),
  project: { slug: issue.project.slug, name: issue.project.name, platform: issue.project.platform },
  latestEvent: {
    eventID: event.eventID,
    dateCreated: event.dateCreated,
    entries: [
      { type: 'message', data: { formatted: 'The order was not placed' } },
      ...(
        JSON.parse(
          JSON.stringify(event.entries, (key, value) => (key === 'vars' ? undefined : value)),
        ) as typeof event.entries
      ).filter((entry) => entry.type === 'exception'),
    ],
  },
};

const LIST: [RegExp, (mood: Mood, url: URL) => MockReply][] = [
  [/^organizations\/$/, () => json(organizations)],
  [
    /^internal\/health\/$/,
    () => json({ version: '0.1.0', status: 'ok', server: { delaySeconds: 0, queueRecords: 0 } }),
  ],
  [
    /^internal\/status\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'This is for administrators of the installation.' }, 403)
        : json(
            mood === 'empty'
              ? { ...status, stores: [], outcomes: [], projects: [], problems: [], setAside: 0 }
              : status,
          ),
  ],
  [/^internal\/set-aside\/$/, (mood) => json(mood === 'empty' ? [] : setAside)],
  [/^internal\/set-aside\/\d+\/$/, () => json({ ...setAside[0], payload: '{"event_id": "9f0c"}' })],
  [
    /^auth\/config\/$/,
    () =>
      json({
        canRegister: true,
        passkeys: true,
        sendsMail: true,
        singleOrganization: false,
        serverHostname: '127.0.0.1:4179',
      }),
  ],
  [
    /^users\/me\/authenticators\/$/,
    (mood) =>
      mood === 'error' ? json({ detail: 'The store did not answer in time.' }, 503) : json(factors(mood)),
  ],
  [
    /^users\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'This is for administrators of the installation.' }, 403)
        : json(mood === 'empty' ? [] : accounts),
  ],
  [
    /^internal\/options\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'This is for administrators of the installation.' }, 403)
        : json({ registration: false, singleOrganization: true, sendsMail: true }),
  ],
  [
    /^users\/me\/sessions\/$/,
    () =>
      json(
        [true, false].map((isCurrent) => ({
          id: String(isCurrent),
          isCurrent,
          ipAddress: '203.0.113.7',
          userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0',
          dateCreated: '2026-11-20T10:00:00Z',
          lastUsed: '2026-11-28T10:00:00Z',
        })),
      ),
  ],
  [
    /^users\/me\/notifications\/$/,
    (mood) =>
      json({
        newIssues: true,
        regressions: true,
        projects: { '1': { newIssues: false } },
        sendsMail: mood !== 'empty',
      }),
  ],
  [
    /^accept-invite\//,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'This invitation is over: ask for a new one.' }, 400)
        : json({
            orgSlug: 'vedette',
            organization: { slug: 'vedette', name: 'Vedette' },
            email: 'kim@example.com',
            orgRole: 'member',
            inviterName: 'Mara Lindt',
            needsAuthentication: true,
            hasAccount: false,
            existingMember: false,
          }),
  ],
  [/^auth\/sso\/$/, () => json({ organization: null })],
  [
    /^oauth\/authorize\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'There is no application with this client_id.' }, 400)
        : json({
            application: { name: 'Release dashboard', homepageUrl: null, owner: 'mara@example.com' },
            scopes: ['org:read', 'project:read', 'event:write'],
            redirectUri: 'https://dash.example.com/callback',
            redirectHost: 'dash.example.com',
            user: 'kim@example.com',
          }),
  ],
  [/^api-applications\/$/, (mood) => json(mood === 'empty' ? [] : [APPLICATION])],
  [
    /^api-authorizations\/$/,
    (mood) =>
      json(
        mood === 'empty'
          ? []
          : [
              {
                id: '3',
                application: APPLICATION,
                scopes: ['org:read', 'event:write'],
                dateCreated: '2026-11-20T10:00:00Z',
              },
            ],
      ),
  ],
  [
    /^organizations\/[^/]+\/auth-provider\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'You do not have permission to do this: it needs the scope org:admin.' }, 403)
        : json({
            enabled: mood === 'full',
            callbackUrl: 'https://errors.example.com/auth/sso/1/callback/',
            loginUrl: 'https://errors.example.com/auth/sso/vedette/',
            issuer: mood === 'full' ? 'https://id.example.com/realms/main' : '',
            clientId: mood === 'full' ? 'vedette' : '',
            hasClientSecret: mood === 'full',
            allowedDomains: mood === 'full' ? ['example.com'] : [],
            requireSso: mood === 'full',
            allowJoin: false,
            defaultRole: 'member',
          }),
  ],
  [
    /^organizations\/[^/]+\/auth-provider\/identities\/$/,
    () =>
      json([
        {
          id: '5',
          email: 'kim@example.com',
          name: 'Kim',
          subject: '8f14e45f-ceea-467f-a0e6-6f3b1c1d2e3f',
          lastUsed: '2026-11-28T10:00:00Z',
        },
      ]),
  ],
  [
    /^organizations\/[^/]+\/sentry-apps\/$/,
    (mood) =>
      json(
        mood === 'empty'
          ? []
          : [
              {
                id: '4',
                slug: 'deploys',
                name: 'Deploys',
                scopes: ['org:read', 'project:read', 'project:releases'],
                isInternal: true,
              },
            ],
      ),
  ],
  [/^sentry-apps\/[^/]+\/api-tokens\/$/, () => json(tokens)],
  [/^api-tokens\/$/, (mood) => json(mood === 'empty' ? [] : tokens)],
  [
    /^organizations\/[^/]+\/projects\/$/,
    (mood) => json(mood === 'empty' ? projects.map((one) => ({ ...one, firstEvent: null })) : projects),
  ],
  [
    /^organizations\/[^/]+\/members\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'You do not have permission to do this.' }, 403)
        : json([
            ...members.map((one) => ({ ...one, orgRole: 'owner', teams: ['vedette', 'payments'] })),
            {
              ...members[0],
              id: '77',
              name: 'kim@example.com',
              email: 'kim@example.com',
              user: null,
              orgRole: 'member',
              pending: true,
              teams: [],
            },
          ]),
  ],
  [
    /^organizations\/[^/]+\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'The store did not answer in time.' }, 503)
        : json({
            ...organizations[0],
            openMembership: true,
            allowSharedIssues: true,
            orgRole: 'owner',
            require2FA: true,
            access: ['org:admin', 'org:write', 'member:write', 'team:write', 'team:admin'],
          }),
  ],
  [
    /\/group-search-views\/$/,
    (mood, url) => {
      if (mood === 'error') return json({ detail: 'The store did not answer in time.' }, 503);
      const by = url.searchParams.get('createdBy');
      return json(
        mood === 'empty'
          ? []
          : views.filter((one) => !by || (one.createdBy.id === session.id) === (by === 'me')),
      );
    },
  ],
  [
    /\/group-search-views\/starred\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'The store did not answer in time.' }, 503)
        : json(mood === 'full' ? views.filter((one) => one.starred) : []),
  ],
  [/\/group-search-views\/\d+\/$/, () => json(views[0])],
  [/^organizations\/[^/]+\/teams\/$/, (mood) => json(mood === 'empty' ? [] : teams)],
  [/^teams\/[^/]+\/[^/]+\/$/, () => json(teams[0])],
  [/^teams\/[^/]+\/[^/]+\/members\/$/, (mood) => json(mood === 'empty' ? [] : members)],
  [/^organizations\/[^/]+\/org-auth-tokens\/$/, (mood) => json(mood === 'empty' ? [] : tokens)],
  [
    /^organizations\/[^/]+\/audit-logs\/$/,
    (mood) => json({ rows: mood === 'empty' ? [] : audit, options: [] }),
  ],
  [
    /^organizations\/[^/]+\/releases\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'The store did not answer in time.' }, 503)
        : json(mood === 'empty' ? [] : releases),
  ],
  [
    /^organizations\/[^/]+\/releases\/[^/]+\/$/,
    (mood) =>
      mood === 'error' ? json({ detail: 'The requested resource does not exist' }, 404) : json(releases[0]),
  ],
  [/^organizations\/[^/]+\/releases\/[^/]+\/commits\/$/, (mood) => json(mood === 'empty' ? [] : commits)],
  [
    /^organizations\/[^/]+\/releases\/[^/]+\/deploys\/$/,
    (mood) => json(mood === 'empty' ? [] : [releases[0].lastDeploy]),
  ],
  [
    /^organizations\/[^/]+\/stats_v2\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'The store did not answer in time.' }, 503)
        : json(mood === 'empty' ? { ...stats, groups: [] } : stats),
  ],
  [/^organizations\/[^/]+\/environments\/$/, () => json(environments)],
  [/^organizations\/[^/]+\/search\/fields\/$/, () => json(fields)],
  [/^organizations\/[^/]+\/tags\/$/, () => json(tags)],
  [/^organizations\/[^/]+\/tags\/[^/]+\/values\/$/, () => json(tagValues)],
  [
    /^organizations\/[^/]+\/issues-count\/$/,
    (mood, url) =>
      json(
        Object.fromEntries(
          url.searchParams.getAll('query').map((query) => [query, mood === 'empty' ? 0 : 32]),
        ),
      ),
  ],
  [
    /^organizations\/[^/]+\/issues\/$/,
    (mood, url) => {
      if (mood === 'error')
        return json({ detail: 'The store did not answer in time.' }, 503, { 'X-Request-Id': '5f1c0a' });
      if (url.searchParams.get('query')?.includes('nothing')) return json([], 200, { 'X-Hits': '0' });
      const rows = mood === 'empty' ? [] : stream();
      return json(rows.slice(0, Number(url.searchParams.get('limit') ?? 100)), 200, {
        'X-Hits': String(rows.length),
      });
    },
  ],
  [
    /^organizations\/[^/]+\/issues\/[^/]+\/$/,
    (mood) => (mood === 'error' ? json({ detail: 'The store did not answer in time.' }, 503) : json(issue)),
  ],
  [
    /^shared\/issues\/[^/]+\/$/,
    (mood) =>
      mood === 'empty'
        ? json({ detail: 'Issue not found' }, 404)
        : mood === 'error'
          ? json({ detail: 'The store did not answer in time.' }, 503)
          : json(shared),
  ],
  [/^organizations\/[^/]+\/issues\/[^/]+\/tags\/$/, () => json(issueTags)],
  [/^organizations\/[^/]+\/issues\/[^/]+\/events\/[^/]+\/$/, (_, url) => json(eventOf(url))],
  [/\/issues\/[^/]+\/external-issues\/$/, (mood) => json(mood === 'empty' ? [] : links)],
  [
    /\/events\/[^/]+\/committers\/$/,
    (mood) =>
      json({
        committers: mood === 'empty' ? [] : commits.map((one) => ({ author: one.author, commits: [one] })),
      }),
  ],
  [
    /\/stacktrace-link\/$/,
    (_, url) =>
      json({
        sourceUrl: `https://github.com/acme/shop/blob/main/${url.searchParams.get('file')}`,
        config: { provider: { key: 'github', name: 'GitHub' } },
      }),
  ],
  [/\/issues\/[^/]+\/hashes\/$/, (mood) => json(mood === 'empty' ? [] : hashes)],
  [/\/issues\/[^/]+\/similar\/$/, (mood) => json(mood === 'empty' ? [] : similar)],
  [/\/issues\/[^/]+\/compare\/[^/]+\/$/, () => json(compare)],
  [/^projects\/[^/]+\/[^/]+\/tombstones\/$/, (mood) => json(mood === 'empty' ? [] : discarded)],
  [
    /^projects\/[^/]+\/[^/]+\/$/,
    (mood) =>
      json({
        ...project,
        builtinSymbolSources: mood === 'empty' ? [] : ['microsoft', 'debian'],
        allowedDomains: ['*'],
        options: { 'filters:releases': 'shop@0.*', 'filters:blacklisted_ips': '203.0.113.0/24' },
      }),
  ],
  [
    /^projects\/[^/]+\/[^/]+\/ownership\/$/,
    () => json({ raw: 'path:src/billing/* #payments', autoAssignment: 'Auto Assign to Issue Owner' }),
  ],
  [
    /^projects\/[^/]+\/[^/]+\/filters\/$/,
    (mood) =>
      mood === 'error'
        ? json({ detail: 'The store did not answer in time.' }, 503)
        : json([
            { id: 'localhost', active: true },
            { id: 'web-crawlers', active: false },
            { id: 'browser-extensions', active: true },
            { id: 'legacy-browsers', active: ['ie', 'safari'] },
            { id: 'react-hydration-errors', active: false },
            { id: 'chunk-load-error', active: false },
          ]),
  ],
  [/^projects\/[^/]+\/[^/]+\/keys\/$/, () => json(keys)],
  [/\/events\/[^/]+\/attachments\/$/, () => json(attachments)],
  [/\/events\/[^/]+\/grouping-info\/$/, () => json(grouping)],
  [/\/events\/[^/]+\/json\/$/, () => json(raw)],
];

/** Answers one request under `api/0/`. */
export function respond(request: MockRequest, mood: Mood): MockReply {
  const path = request.url.pathname.replace(/^.*\/api\/0\//, '');
  if (path === 'auth/login/') {
    const right = request.body.includes('"password1"');
    return right ? json(session) : json({ detail: 'The name or the password is wrong.' }, 401);
  }
  if (path === 'auth/')
    return mood === 'signed-out'
      ? json({ detail: 'Authentication credentials were not provided.' }, 401)
      : json(session);
  if (path.endsWith('/callback/'))
    return json({ detail: 'The provider did not sign you in; it says: access_denied.' }, 400);
  if (path.endsWith('/grouping-preview/')) return json(preview);
  if (request.method === 'PUT' && path.endsWith('/hashes/'))
    return json({ issue: { id: '99', shortId: 'MY-PROJECT-99' } }, 202);
  if (request.method === 'DELETE') return { status: 204, body: '' };
  if (request.method === 'PUT') return json(JSON.parse(request.body || '{}'));
  if (request.method === 'POST') return json(project, 201);
  const ofSymbols = symbolsReply(path, mood);
  if (ofSymbols) return json(ofSymbols.value, ofSymbols.status);
  return (
    LIST.find(([pattern]) => pattern.test(path))?.[1](mood, request.url) ??
    json({ detail: `The mock has no ${path}` }, 404)
  );
}
