import { expect, test } from '@playwright/test';
import type { Mood } from './mock/api.ts';
import { expectSound, mock } from './open.ts';

const ORG = '/organizations/vedette';
const PAGES: { name: string; path: string; mood: Mood; ready: string }[] = [
  { name: 'login', path: '/login', mood: 'signed-out', ready: 'Sign in' },
  { name: 'sso', path: '/auth/sso/vedette/', mood: 'signed-out', ready: 'Continue to the provider' },
  {
    name: 'sso-refused',
    path: '/auth/sso/1/callback/?error=access_denied&state=a',
    mood: 'signed-out',
    ready: 'access_denied',
  },
  { name: 'authorize', path: '/oauth/authorize/?client_id=a', mood: 'full', ready: 'Release dashboard' },
  {
    name: 'authorize-error',
    path: '/oauth/authorize/?client_id=a',
    mood: 'error',
    ready: 'There is no application',
  },
  { name: 'recover', path: '/recover', mood: 'signed-out', ready: 'Send the link' },
  { name: 'reset', path: '/reset-password/abc/', mood: 'signed-out', ready: 'Set the password' },
  { name: 'accept', path: '/accept/vedette/5/abc/', mood: 'full', ready: 'Mara Lindt invites' },
  {
    name: 'accept-error',
    path: '/accept/vedette/5/abc/',
    mood: 'error',
    ready: 'This invitation is over',
  },
  { name: 'stream', path: `${ORG}/issues/`, mood: 'full', ready: 'TimeoutError' },
  { name: 'stream-new', path: `${ORG}/issues/`, mood: 'empty', ready: 'No event has come yet' },
  { name: 'stream-filtered', path: `${ORG}/issues/?query=nothing`, mood: 'full', ready: 'No issue matches' },
  { name: 'stream-error', path: `${ORG}/issues/`, mood: 'error', ready: 'The store did not answer in time.' },
  {
    name: 'stream-view',
    path: `${ORG}/issues/?view=1&query=is%3Aunresolved+changed`,
    mood: 'full',
    ready: 'TimeoutError',
  },
  { name: 'views', path: `${ORG}/issues/views/`, mood: 'full', ready: 'Kim Ohara' },
  { name: 'views-empty', path: `${ORG}/issues/views/`, mood: 'empty', ready: 'No view has your star' },
  { name: 'views-error', path: `${ORG}/issues/views/`, mood: 'error', ready: 'views could not be read' },
  { name: 'issue', path: `${ORG}/issues/MY-PROJECT-5/`, mood: 'full', ready: 'place_order|clean_amount' },
  { name: 'issue-crash', path: `${ORG}/issues/CRASH/`, mood: 'full', ready: 'shop_checkout' },
  { name: 'issue-script', path: `${ORG}/issues/SCRIPT/`, mood: 'full', ready: 'sum \\+= item.price' },
  {
    name: 'issue-unmapped',
    path: `${ORG}/issues/UNMAPPED/`,
    mood: 'full',
    ready: 'does not fetch scripts from the web',
  },
  { name: 'issue-minified', path: `${ORG}/issues/MINIFIED/`, mood: 'full', ready: 'look minified' },
  {
    name: 'issue-error',
    path: `${ORG}/issues/MY-PROJECT-5/`,
    mood: 'error',
    ready: 'The issue could not be read',
  },
  {
    name: 'shared',
    path: '/share/issue/4f0c2c9be1a54f0fb0f3a6a7a9d1c2e3/',
    mood: 'full',
    ready: 'place_order',
  },
  {
    name: 'shared-gone',
    path: '/share/issue/4f0c2c9be1a54f0fb0f3a6a7a9d1c2e3/',
    mood: 'empty',
    ready: 'This link leads nowhere',
  },
  {
    name: 'shared-error',
    path: '/share/issue/4f0c2c9be1a54f0fb0f3a6a7a9d1c2e3/',
    mood: 'error',
    ready: 'The issue could not be read',
  },
  { name: 'grouping', path: `${ORG}/issues/MY-PROJECT-5/grouping/`, mood: 'full', ready: 'CardError' },
  {
    name: 'grouping-empty',
    path: `${ORG}/issues/MY-PROJECT-5/grouping/`,
    mood: 'empty',
    ready: 'No other issue of the project looks like this one',
  },
  {
    name: 'grouping-error',
    path: `${ORG}/issues/MY-PROJECT-5/grouping/`,
    mood: 'error',
    ready: 'The issue could not be read',
  },
  { name: 'projects', path: `${ORG}/projects/`, mood: 'full', ready: 'my-project' },
  { name: 'releases', path: `${ORG}/releases/`, mood: 'full', ready: 'shop@2.4.1' },
  { name: 'releases-empty', path: `${ORG}/releases/`, mood: 'empty', ready: 'No release yet' },
  {
    name: 'releases-error',
    path: `${ORG}/releases/`,
    mood: 'error',
    ready: 'The releases could not be read',
  },
  { name: 'release', path: `${ORG}/releases/shop%402.4.1/`, mood: 'full', ready: 'Round the total once' },
  {
    name: 'release-empty',
    path: `${ORG}/releases/shop%402.4.1/`,
    mood: 'empty',
    ready: 'No issue was seen first',
  },
  {
    name: 'release-error',
    path: `${ORG}/releases/shop%402.4.1/`,
    mood: 'error',
    ready: 'The release could not be read',
  },
  { name: 'stats', path: `${ORG}/stats/`, mood: 'full', ready: 'The limit of the client key was reached' },
  { name: 'stats-empty', path: `${ORG}/stats/`, mood: 'empty', ready: 'Nothing was sent in this time' },
  { name: 'new-project', path: `${ORG}/projects/new/`, mood: 'full', ready: 'Create the project' },
  {
    name: 'getting-started',
    path: `${ORG}/projects/my-project/getting-started/?platform=python-django`,
    mood: 'empty',
    ready: 'Waiting for the first event',
  },
  { name: 'project-settings', path: '/settings/vedette/projects/my-project/', mood: 'full', ready: 'Copy' },
  {
    name: 'filters',
    path: '/settings/vedette/projects/my-project/filters/',
    mood: 'full',
    ready: 'Safari before 12',
  },
  {
    name: 'filters-error',
    path: '/settings/vedette/projects/my-project/filters/',
    mood: 'error',
    ready: 'The filters could not be read',
  },
  ...(
    [
      ['source-maps', 'source-maps/', 'shop@1', 'No source map was uploaded yet', 'The bundles could not'],
      ['bundle', 'source-maps/9f2e/', 'app.js.map', 'No file', 'The files could not be read'],
      [
        'debug-files',
        'debug-files/',
        'libshop.so',
        'No debug file was uploaded',
        'The debug files could not',
      ],
      [
        'symbol-sources',
        'symbol-sources/',
        'acme-games-symbols',
        'No source yet',
        'The sources could not be read',
      ],
    ] as const
  ).flatMap(([name, path, full, empty, error]) =>
    (
      [
        ['', 'full', full],
        ['-empty', 'empty', empty],
        ['-error', 'error', error],
      ] as const
    ).map(([end, mood, ready]) => ({
      name: `${name}${end}`,
      path: `/settings/vedette/projects/my-project/${path}`,
      mood,
      ready,
    })),
  ),
  { name: 'organization', path: '/settings/vedette/', mood: 'full', ready: 'Open membership' },
  {
    name: 'organization-error',
    path: '/settings/vedette/',
    mood: 'error',
    ready: 'The organization could not be read',
  },
  { name: 'members', path: '/settings/vedette/members/', mood: 'full', ready: 'kim@example.com' },
  {
    name: 'members-error',
    path: '/settings/vedette/members/',
    mood: 'error',
    ready: 'The members could not be read',
  },
  { name: 'teams', path: '/settings/vedette/teams/', mood: 'full', ready: '#payments' },
  { name: 'teams-empty', path: '/settings/vedette/teams/', mood: 'empty', ready: 'No team yet' },
  { name: 'team', path: '/settings/vedette/teams/payments/', mood: 'full', ready: 'Take out' },
  { name: 'organization-tokens', path: '/settings/vedette/tokens/', mood: 'full', ready: 'last used' },
  { name: 'sign-on', path: '/settings/vedette/sign-on/', mood: 'full', ready: 'Unlink' },
  { name: 'sign-on-new', path: '/settings/vedette/sign-on/', mood: 'empty', ready: 'Turn on single' },
  {
    name: 'sign-on-error',
    path: '/settings/vedette/sign-on/',
    mood: 'error',
    ready: 'Single sign-on could not be read',
  },
  { name: 'integrations', path: '/settings/vedette/integrations/', mood: 'full', ready: 'Deploys' },
  {
    name: 'integrations-empty',
    path: '/settings/vedette/integrations/',
    mood: 'empty',
    ready: 'No integration yet',
  },
  { name: 'applications', path: '/settings/account/applications/', mood: 'full', ready: 'New secret' },
  {
    name: 'applications-empty',
    path: '/settings/account/applications/',
    mood: 'empty',
    ready: 'No application acts',
  },
  { name: 'audit-log', path: '/settings/vedette/audit-log/', mood: 'full', ready: 'member.invite' },
  {
    name: 'audit-log-empty',
    path: '/settings/vedette/audit-log/',
    mood: 'empty',
    ready: 'Nothing was changed yet',
  },
  { name: 'register', path: '/register', mood: 'signed-out', ready: 'Make the account' },
  { name: 'verify', path: '/verify-email/abc/', mood: 'signed-out', ready: 'This is my address' },
  { name: 'account', path: '/settings/account/', mood: 'full', ready: 'Current password' },
  { name: 'security', path: '/settings/account/security/', mood: 'full', ready: 'Blue laptop' },
  { name: 'security-new', path: '/settings/account/security/', mood: 'empty', ready: 'Come with the first' },
  {
    name: 'security-error',
    path: '/settings/account/security/',
    mood: 'error',
    ready: 'The second factors could not be read',
  },
  {
    name: 'notifications',
    path: '/settings/account/notifications/',
    mood: 'full',
    ready: 'Regressions',
  },
  { name: 'tokens', path: '/settings/account/tokens/', mood: 'full', ready: 'last used' },
  { name: 'server-users', path: '/settings/server/users/', mood: 'full', ready: 'two factors' },
  { name: 'server-users-empty', path: '/settings/server/users/', mood: 'empty', ready: 'No account fits' },
  {
    name: 'server-users-error',
    path: '/settings/server/users/',
    mood: 'error',
    ready: 'The accounts could not be read',
  },
  { name: 'server-options', path: '/settings/server/options/', mood: 'full', ready: 'One organization' },
  {
    name: 'server-options-error',
    path: '/settings/server/options/',
    mood: 'error',
    ready: 'The options could not be read',
  },
  { name: 'status', path: '/settings/server/', mood: 'full', ready: 'index out of bounds' },
  { name: 'status-empty', path: '/settings/server/', mood: 'empty', ready: 'All is well' },
  {
    name: 'status-error',
    path: '/settings/server/',
    mood: 'error',
    ready: 'The status of the server could not be read',
  },
];

for (const width of [1440, 390]) {
  for (const one of PAGES) {
    // Empty and failing pages share their parts: each theme and each width once is enough.
    const themes =
      one.mood === 'full' ? (['light', 'dark'] as const) : ([width === 390 ? 'light' : 'dark'] as const);
    test(`${one.name}, ${width}`, async ({ page }) => {
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await page.emulateMedia({ colorScheme: themes[0] });
      await mock(page, one.mood);
      await page.goto(one.path);
      await expect(page.getByText(new RegExp(one.ready)).first()).toBeVisible({ timeout: 15_000 });
      await page.evaluate(() => document.fonts.ready);
      for (const theme of themes) {
        await page.emulateMedia({ colorScheme: theme });
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await page.screenshot({ path: `test-results/shots/${one.name}-${theme}-${width}.png` });
        await expectSound(page, theme === themes[0] ? undefined : 'colours');
      }
      expect(problems).toEqual([]);
    });
  }
}
