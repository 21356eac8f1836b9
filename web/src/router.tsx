import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Login } from './features/auth/Login.tsx';
import { sessionQuery } from './features/auth/queries.ts';
import { Stream } from './features/issues/Stream.tsx';
import { validateStreamSearch } from './features/issues/search.ts';
import { openView } from './features/issues/views.ts';
import { organizationsQuery } from './features/organizations/queries.ts';
import { validateReleasesSearch } from './features/releases/search.ts';
import { Shell } from './features/shell/Shell.tsx';
import { validateStatsSearch } from './features/stats/search.ts';
import { t } from './i18n/index.ts';
import { basePath } from './lib/base.ts';
import { one, parseSearch, stringifySearch } from './lib/search.ts';
import { buttonClass } from './ui/Button.tsx';
import { EmptyState, ErrorState } from './ui/States.tsx';

function NotFound() {
  return (
    <EmptyState
      icon={Compass}
      title={t('There is no such page')}
      action={
        <Link to="/" className={buttonClass()}>
          {t('Go to the issues')}
        </Link>
      }
    >
      {t('The address may be mistyped, or what it named was deleted.')}
    </EmptyState>
  );
}

function Failed({ error, reset }: { error: unknown; reset: () => void }) {
  return <ErrorState error={error} what={t('This page could not be shown')} onRetry={reset} />;
}

async function signedIn({
  context,
  location,
}: {
  context: { client: QueryClient };
  location: { href: string };
}): Promise<void> {
  const user = await context.client.ensureQueryData(sessionQuery);
  if (!user) throw redirect({ to: '/login', search: { next: location.href } });
}

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: Login,
  validateSearch: (raw: Record<string, unknown>): { next?: string } => ({ next: one(raw.next) }),
});

const recover = createRoute({
  getParentRoute: () => root,
  path: '/recover',
  component: lazyRouteComponent(() => import('./features/auth/Recover.tsx'), 'Recover'),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset-password/$token/',
  component: lazyRouteComponent(() => import('./features/auth/Reset.tsx'), 'Reset'),
});
const ssoStart = lazyRouteComponent(() => import('./features/auth/Sso.tsx'), 'SsoStart');
const validateNext = (raw: Record<string, unknown>): { next?: string } => ({ next: one(raw.next) });
const sso = createRoute({
  getParentRoute: () => root,
  path: '/auth/sso/',
  validateSearch: validateNext,
  component: ssoStart,
});
const ssoOf = createRoute({
  getParentRoute: () => root,
  path: '/auth/sso/$org/',
  validateSearch: validateNext,
  component: ssoStart,
});
const ssoCallback = createRoute({
  getParentRoute: () => root,
  path: '/auth/sso/$org/callback/',
  component: lazyRouteComponent(() => import('./features/auth/Sso.tsx'), 'SsoCallback'),
});
const authorize = createRoute({
  getParentRoute: () => root,
  path: '/oauth/authorize/',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import('./features/auth/Authorize.tsx'), 'Authorize'),
});
const accept = createRoute({
  getParentRoute: () => root,
  path: '/accept/$org/$member/$token/',
  component: lazyRouteComponent(() => import('./features/auth/Accept.tsx'), 'Accept'),
});

const register = createRoute({
  getParentRoute: () => root,
  path: '/register',
  component: lazyRouteComponent(() => import('./features/auth/Register.tsx'), 'Register'),
});
const verify = createRoute({
  getParentRoute: () => root,
  path: '/verify-email/$token/',
  component: lazyRouteComponent(() => import('./features/auth/Verify.tsx'), 'Verify'),
});
const shared = createRoute({
  getParentRoute: () => root,
  path: '/share/issue/$share/',
  component: lazyRouteComponent(() => import('./features/issue/SharedPage.tsx'), 'SharedPage'),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: signedIn,
});

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  loader: async ({ context }) => {
    const organizations = await context.client.ensureQueryData(organizationsQuery);
    if (organizations[0])
      throw redirect({ to: '/organizations/$org/issues/', params: { org: organizations[0].slug } });
  },
  component: lazyRouteComponent(() => import('./features/organizations/First.tsx'), 'First'),
});

const stream = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/issues/',
  validateSearch: validateStreamSearch,
  beforeLoad: ({ context, params, search }) => openView(context.client, params.org, search),
  component: Stream,
});
const views = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/issues/views/',
  component: lazyRouteComponent(() => import('./features/issues/ViewsPage.tsx'), 'ViewsPage'),
});
const issuePage = lazyRouteComponent(() => import('./features/issue/IssuePage.tsx'), 'IssuePage');
const issue = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/issues/$issue/',
  component: issuePage,
});
const issueGrouping = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/issues/$issue/grouping/',
  component: lazyRouteComponent(() => import('./features/grouping/GroupingPage.tsx'), 'GroupingPage'),
});
const issueEvent = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/issues/$issue/events/$event/',
  component: issuePage,
});
const projects = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/projects/',
  component: lazyRouteComponent(() => import('./features/projects/Projects.tsx'), 'Projects'),
});
const newProject = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/projects/new/',
  component: lazyRouteComponent(() => import('./features/projects/NewProject.tsx'), 'NewProject'),
});
const gettingStarted = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/projects/$slug/getting-started/',
  validateSearch: (raw: Record<string, unknown>): { platform?: string } => ({ platform: one(raw.platform) }),
  component: lazyRouteComponent(() => import('./features/onboarding/GettingStarted.tsx'), 'GettingStarted'),
});
const releases = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/releases/',
  validateSearch: validateReleasesSearch,
  component: lazyRouteComponent(() => import('./features/releases/Releases.tsx'), 'Releases'),
});
const release = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/releases/$version/',
  component: lazyRouteComponent(() => import('./features/releases/ReleasePage.tsx'), 'ReleasePage'),
});
const stats = createRoute({
  getParentRoute: () => shell,
  path: '/organizations/$org/stats/',
  validateSearch: validateStatsSearch,
  component: lazyRouteComponent(() => import('./features/stats/Stats.tsx'), 'Stats'),
});
const projectSettings = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/projects/$slug/',
  component: lazyRouteComponent(() => import('./features/settings/ProjectSettings.tsx'), 'ProjectSettings'),
});
const projectFilters = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/projects/$slug/filters/',
  component: lazyRouteComponent(() => import('./features/settings/Filters.tsx'), 'Filters'),
});
const projectSourceMaps = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/projects/$slug/source-maps/',
  component: lazyRouteComponent(() => import('./features/settings/SourceMaps.tsx'), 'SourceMaps'),
});
const projectBundle = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/projects/$slug/source-maps/$bundle/',
  component: lazyRouteComponent(() => import('./features/settings/BundlePage.tsx'), 'BundlePage'),
});
const projectDebugFiles = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/projects/$slug/debug-files/',
  component: lazyRouteComponent(() => import('./features/settings/DebugFiles.tsx'), 'DebugFiles'),
});
const projectSymbolSources = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/projects/$slug/symbol-sources/',
  component: lazyRouteComponent(() => import('./features/settings/SymbolSources.tsx'), 'SymbolSources'),
});
const organization = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/',
  component: lazyRouteComponent(() => import('./features/organization/General.tsx'), 'General'),
});
const members = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/members/',
  component: lazyRouteComponent(() => import('./features/organization/Members.tsx'), 'Members'),
});
const teams = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/teams/',
  component: lazyRouteComponent(() => import('./features/organization/Teams.tsx'), 'Teams'),
});
const team = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/teams/$team/',
  component: lazyRouteComponent(() => import('./features/organization/TeamPage.tsx'), 'TeamPage'),
});
const organizationTokens = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/tokens/',
  component: lazyRouteComponent(
    () => import('./features/organization/OrganizationTokens.tsx'),
    'OrganizationTokens',
  ),
});
const singleSignOn = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/sign-on/',
  component: lazyRouteComponent(() => import('./features/organization/SingleSignOn.tsx'), 'SingleSignOnPage'),
});
const integrations = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/integrations/',
  component: lazyRouteComponent(() => import('./features/organization/Integrations.tsx'), 'Integrations'),
});
const applications = createRoute({
  getParentRoute: () => shell,
  path: '/settings/account/applications/',
  component: lazyRouteComponent(() => import('./features/settings/Applications.tsx'), 'Applications'),
});
const auditLog = createRoute({
  getParentRoute: () => shell,
  path: '/settings/$org/audit-log/',
  component: lazyRouteComponent(() => import('./features/organization/AuditLog.tsx'), 'AuditLog'),
});
const account = createRoute({
  getParentRoute: () => shell,
  path: '/settings/account/',
  component: lazyRouteComponent(() => import('./features/settings/Account.tsx'), 'Account'),
});
const security = createRoute({
  getParentRoute: () => shell,
  path: '/settings/account/security/',
  component: lazyRouteComponent(() => import('./features/settings/Security.tsx'), 'Security'),
});
const notifications = createRoute({
  getParentRoute: () => shell,
  path: '/settings/account/notifications/',
  component: lazyRouteComponent(() => import('./features/settings/Notifications.tsx'), 'NotificationsPage'),
});
const tokens = createRoute({
  getParentRoute: () => shell,
  path: '/settings/account/tokens/',
  component: lazyRouteComponent(() => import('./features/settings/Tokens.tsx'), 'TokensPage'),
});

const serverStatus = createRoute({
  getParentRoute: () => shell,
  path: '/settings/server/',
  component: lazyRouteComponent(() => import('./features/server/Status.tsx'), 'Status'),
});
const serverUsers = createRoute({
  getParentRoute: () => shell,
  path: '/settings/server/users/',
  component: lazyRouteComponent(() => import('./features/server/Users.tsx'), 'Users'),
});
const serverOptions = createRoute({
  getParentRoute: () => shell,
  path: '/settings/server/options/',
  component: lazyRouteComponent(() => import('./features/server/Options.tsx'), 'Options'),
});

const tree = root.addChildren([
  login,
  recover,
  reset,
  accept,
  register,
  verify,
  sso,
  ssoOf,
  ssoCallback,
  authorize,
  shared,
  shell.addChildren([
    home,
    stream,
    views,
    issue,
    issueEvent,
    issueGrouping,
    projects,
    newProject,
    gettingStarted,
    releases,
    release,
    stats,
    projectSettings,
    projectFilters,
    projectSourceMaps,
    projectBundle,
    projectDebugFiles,
    projectSymbolSources,
    organization,
    members,
    teams,
    team,
    organizationTokens,
    singleSignOn,
    integrations,
    auditLog,
    account,
    security,
    notifications,
    tokens,
    applications,
    serverStatus,
    serverUsers,
    serverOptions,
  ]),
]);

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: basePath,
    trailingSlash: 'preserve',
    context: { client },
    parseSearch,
    stringifySearch,
    scrollRestoration: true,
    defaultPreload: 'intent',
    defaultNotFoundComponent: NotFound,
    defaultErrorComponent: Failed,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
