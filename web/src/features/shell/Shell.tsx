import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import {
  Activity,
  Bug,
  ChartColumn,
  FolderKanban,
  Keyboard,
  LogOut,
  type LucideIcon,
  Monitor,
  Moon,
  Rocket,
  Settings,
  Sun,
  UserRound,
} from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { signedOut } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { useKeys } from '../../keys/registry.ts';
import { createStoredStore, useStore } from '../../lib/store.ts';
import { chooseTheme, shownTheme, type ThemeChoice, themeChoice, toggleTheme } from '../../lib/theme.ts';
import { cx } from '../../ui/cx.ts';
import { Logo } from '../../ui/Logo.tsx';
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from '../../ui/Menu.tsx';
import { Toaster } from '../../ui/Toaster.tsx';
import { toast, undoLast } from '../../ui/toasts.ts';
import { sessionQuery, signOut } from '../auth/queries.ts';
import { organizationsQuery } from '../organizations/queries.ts';
import { Confirmation } from './Confirmation.tsx';

const KeySheet = lazy(() => import('./KeySheet.tsx').then((module) => ({ default: module.KeySheet })));
const Palette = lazy(() => import('./Palette.tsx').then((module) => ({ default: module.Palette })));

const railFolded = createStoredStore('railFolded', false);

interface Place {
  to:
    | '/organizations/$org/issues/'
    | '/organizations/$org/releases/'
    | '/organizations/$org/stats/'
    | '/organizations/$org/projects/'
    | '/settings/$org/';
  icon: LucideIcon;
  label: string;
  inside: RegExp;
}

const PLACES: Place[] = [
  { to: '/organizations/$org/issues/', icon: Bug, label: 'Issues', inside: /\/issues\// },
  { to: '/organizations/$org/releases/', icon: Rocket, label: 'Releases', inside: /\/releases\// },
  { to: '/organizations/$org/stats/', icon: ChartColumn, label: 'Stats', inside: /\/stats\// },
  {
    to: '/organizations/$org/projects/',
    icon: FolderKanban,
    label: 'Projects',
    inside: /\/organizations\/[^/]+\/projects\//,
  },
  { to: '/settings/$org/', icon: Settings, label: 'Settings', inside: /^\/settings\// },
];

export function Shell() {
  const folded = useStore(railFolded);
  const [sheet, setSheet] = useState(false);
  const [palette, setPalette] = useState(false);
  const navigate = useNavigate();
  const client = useQueryClient();
  const over = useStore(signedOut);
  const { data: organizations } = useQuery(organizationsQuery);
  const params = useParams({ strict: false }) as { org?: string };
  const org = params.org ?? organizations?.[0]?.slug;
  const path = useRouterState({ select: (state) => state.location.pathname });

  useEffect(() => {
    if (!over) return;
    signedOut.set(false);
    client.setQueryData(sessionQuery.queryKey, null);
    void navigate({ to: '/login', search: { next: path } });
  }, [over, client, navigate, path]);

  const go = (place: Place) => () => org && void navigate({ to: place.to, params: { org } });
  useKeys({
    help: () => setSheet(true),
    palette: () => setPalette(true),
    theme: toggleTheme,
    undo: undoLast,
    rail: () => railFolded.set(!folded),
    goIssues: go(PLACES[0]),
    goReleases: go(PLACES[1]),
    goStats: go(PLACES[2]),
    goProjects: go(PLACES[3]),
    goSettings: go(PLACES[4]),
  });

  const links = org
    ? PLACES.map((place) => {
        const here = place.inside.test(path);
        return (
          <Link
            key={place.label}
            to={place.to}
            params={{ org }}
            aria-current={here ? 'page' : undefined}
            title={folded ? t(place.label) : undefined}
            className={cx(
              'flex min-w-14 flex-col items-center justify-center gap-1 rounded-md px-1 py-1.5 text-11',
              here ? 'bg-selected font-medium text-accent' : 'text-text2 hover:bg-hover hover:text-text',
            )}
          >
            <place.icon className="size-4" aria-hidden />
            <span className={cx(folded && 'md:sr-only')}>{t(place.label)}</span>
          </Link>
        );
      })
    : null;

  return (
    <div className={cx('min-h-dvh pb-14 md:pb-0', folded ? 'md:pl-12' : 'md:pl-19')}>
      <button
        type="button"
        onClick={() => document.getElementById('main')?.focus()}
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-surface focus:px-3 focus:py-2"
      >
        {t('Skip to the page')}
      </button>
      <nav
        aria-label={t('Pages')}
        className={cx(
          'fixed z-30 flex border-border bg-surface max-md:inset-x-0 max-md:bottom-0 max-md:h-14 max-md:items-center max-md:justify-around max-md:border-t',
          'md:inset-y-0 md:left-0 md:flex-col md:gap-1 md:border-r md:p-1',
          folded ? 'md:w-12 md:[&_a]:min-w-0' : 'md:w-19',
        )}
      >
        <Link to="/" aria-label={t('Vedette, home')} className="hidden justify-center py-2 md:flex">
          <Logo className="size-6" />
        </Link>
        {links}
        <div className="md:mt-auto">
          <AccountMenu onKeys={() => setSheet(true)} folded={folded} />
        </div>
      </nav>
      <main id="main" tabIndex={-1} className="min-w-0 outline-none">
        <Outlet />
      </main>
      <Toaster />
      <Confirmation />
      <Suspense>
        {sheet && <KeySheet open onOpenChange={setSheet} />}
        {palette && org && <Palette org={org} open onOpenChange={setPalette} />}
      </Suspense>
    </div>
  );
}

function AccountMenu({ onKeys, folded }: { onKeys: () => void; folded: boolean }) {
  const { data: user } = useQuery(sessionQuery);
  const theme = useStore(themeChoice);
  const shown = useStore(shownTheme);
  const client = useQueryClient();
  const navigate = useNavigate();
  const Icon = theme === 'system' ? Monitor : shown === 'dark' ? Moon : Sun;
  const leave = async (): Promise<void> => {
    try {
      await signOut();
      client.clear();
      void navigate({ to: '/login', search: {} });
    } catch {
      toast(t('You are still signed in: the server did not answer.'));
    }
  };
  return (
    <Menu
      label={t('Account and appearance')}
      trigger={
        <button
          type="button"
          aria-label={t('Account and appearance')}
          className="flex min-w-14 flex-col items-center justify-center gap-1 rounded-md px-1 py-1.5 text-11 text-text2 hover:bg-hover hover:text-text md:w-full md:min-w-0"
        >
          <Icon className="size-4" aria-hidden />
          <span className={cx(folded && 'md:sr-only')}>{t('Account')}</span>
        </button>
      }
    >
      {user && <MenuLabel>{user.email || user.username}</MenuLabel>}
      <MenuChoice
        value={theme}
        onChange={(value) => chooseTheme(value as ThemeChoice)}
        options={[
          { value: 'light', label: t('Light') },
          { value: 'dark', label: t('Dark') },
          { value: 'system', label: t('As the system') },
        ]}
      />
      <MenuLine />
      <MenuItem onSelect={() => void navigate({ to: '/settings/account/' })}>
        <UserRound className="size-4" aria-hidden /> {t('Account settings')}
      </MenuItem>
      {user?.isSuperuser && (
        <MenuItem onSelect={() => void navigate({ to: '/settings/server/' })}>
          <Activity className="size-4" aria-hidden /> {t('Server status')}
        </MenuItem>
      )}
      <MenuItem onSelect={() => setTimeout(onKeys)}>
        <Keyboard className="size-4" aria-hidden /> {t('Keyboard')}
      </MenuItem>
      <MenuItem onSelect={() => void leave()}>
        <LogOut className="size-4" aria-hidden /> {t('Sign out')}
      </MenuItem>
    </Menu>
  );
}
