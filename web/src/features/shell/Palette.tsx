import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { get, part } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { toggleTheme } from '../../lib/theme.ts';
import { cx } from '../../ui/cx.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { Input } from '../../ui/Form.tsx';
import { toast } from '../../ui/toasts.ts';
import { sessionQuery } from '../auth/queries.ts';
import { viewsQuery } from '../issues/queries.ts';
import { projectsQuery } from '../projects/queries.ts';

interface Choice {
  label: string;
  hint: string;
  run: () => void;
}

/** Goes to a page, a project, an issue by its short id, or an event by its id. */
export function Palette({
  org,
  open,
  onOpenChange,
}: {
  org: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const router = useRouter();
  const { data: projects } = useQuery(projectsQuery(org));
  const { data: views } = useQuery(viewsQuery(org));
  const { data: user } = useQuery(sessionQuery);
  const choices = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const all: Choice[] = [
      {
        label: t('Issues'),
        hint: t('page'),
        run: () => router.navigate({ to: '/organizations/$org/issues/', params: { org } }),
      },
      {
        label: t('Releases'),
        hint: t('page'),
        run: () => router.navigate({ to: '/organizations/$org/releases/', params: { org }, search: {} }),
      },
      {
        label: t('Stats'),
        hint: t('page'),
        run: () => router.navigate({ to: '/organizations/$org/stats/', params: { org }, search: {} }),
      },
      {
        label: t('Projects'),
        hint: t('page'),
        run: () => router.navigate({ to: '/organizations/$org/projects/', params: { org } }),
      },
      {
        label: t('New project'),
        hint: t('page'),
        run: () => router.navigate({ to: '/organizations/$org/projects/new/', params: { org } }),
      },
      {
        label: t('Organization'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/', params: { org } }),
      },
      {
        label: t('Members'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/members/', params: { org } }),
      },
      {
        label: t('Teams'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/teams/', params: { org } }),
      },
      {
        label: t('Tokens of the organization'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/tokens/', params: { org } }),
      },
      {
        label: t('Audit log'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/audit-log/', params: { org } }),
      },
      {
        label: t('Single sign-on'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/sign-on/', params: { org } }),
      },
      {
        label: t('Integrations'),
        hint: t('settings'),
        run: () => router.navigate({ to: '/settings/$org/integrations/', params: { org } }),
      },
      {
        label: t('Applications'),
        hint: t('account'),
        run: () => router.navigate({ to: '/settings/account/applications/' }),
      },
      {
        label: t('Account settings'),
        hint: t('page'),
        run: () => router.navigate({ to: '/settings/account/' }),
      },
      {
        label: t('Second factors and sessions'),
        hint: t('account'),
        run: () => router.navigate({ to: '/settings/account/security/' }),
      },
      {
        label: t('Mails to me'),
        hint: t('account'),
        run: () => router.navigate({ to: '/settings/account/notifications/' }),
      },
      {
        label: t('Tokens of mine'),
        hint: t('account'),
        run: () => router.navigate({ to: '/settings/account/tokens/' }),
      },
      ...(user?.isSuperuser
        ? [
            {
              label: t('Server status'),
              hint: t('page'),
              run: () => router.navigate({ to: '/settings/server/' }),
            },
            {
              label: t('Accounts of the server'),
              hint: t('page'),
              run: () => router.navigate({ to: '/settings/server/users/' }),
            },
            {
              label: t('Registration and organizations'),
              hint: t('server'),
              run: () => router.navigate({ to: '/settings/server/options/' }),
            },
          ]
        : []),
      { label: t('Light or dark'), hint: t('appearance'), run: toggleTheme },
      {
        label: t('Views of issues'),
        hint: t('page'),
        run: () => router.navigate({ to: '/organizations/$org/issues/views/', params: { org } }),
      },
      ...(views ?? []).map((view) => ({
        label: view.name,
        hint: t('view {id}', { id: view.id }),
        run: () =>
          router.navigate({
            to: '/organizations/$org/issues/',
            params: { org },
            search: { view: view.id },
          }),
      })),
      ...(projects ?? []).flatMap((project) => [
        {
          label: project.name,
          hint: t('issues of the project'),
          run: () =>
            router.navigate({
              to: '/organizations/$org/issues/',
              params: { org },
              search: { project: [project.id] },
            }),
        },
        {
          label: t('{name}: settings', { name: project.name }),
          hint: t('settings'),
          run: () =>
            router.navigate({ to: '/settings/$org/projects/$slug/', params: { org, slug: project.slug } }),
        },
        {
          label: t('{name}: filters', { name: project.name }),
          hint: t('settings'),
          run: () =>
            router.navigate({
              to: '/settings/$org/projects/$slug/filters/',
              params: { org, slug: project.slug },
            }),
        },
        {
          label: t('{name}: source maps', { name: project.name }),
          hint: t('settings'),
          run: () =>
            router.navigate({
              to: '/settings/$org/projects/$slug/source-maps/',
              params: { org, slug: project.slug },
            }),
        },
        {
          label: t('{name}: debug files', { name: project.name }),
          hint: t('settings'),
          run: () =>
            router.navigate({
              to: '/settings/$org/projects/$slug/debug-files/',
              params: { org, slug: project.slug },
            }),
        },
        {
          label: t('{name}: symbol sources', { name: project.name }),
          hint: t('settings'),
          run: () =>
            router.navigate({
              to: '/settings/$org/projects/$slug/symbol-sources/',
              params: { org, slug: project.slug },
            }),
        },
      ]),
    ];
    const found = all.filter((choice) => choice.label.toLowerCase().includes(wanted)).slice(0, 12);
    const typed = text.trim();
    if (/^[A-Za-z0-9_-]+-[A-Za-z0-9]+$/.test(typed) || /^\d+$/.test(typed)) {
      found.unshift({
        label: typed.toUpperCase(),
        hint: t('open the issue'),
        run: () =>
          router.navigate({
            to: '/organizations/$org/issues/$issue/',
            params: { org, issue: typed.toUpperCase() },
          }),
      });
    }
    if (/^[0-9a-f]{32}$/i.test(typed)) {
      found.unshift({
        label: typed,
        hint: t('open the event'),
        run: async () => {
          try {
            const place = await get<{ groupId: string; eventId: string }>(
              `organizations/${part(org)}/eventids/${typed.toLowerCase()}/`,
            );
            await router.navigate({
              to: '/organizations/$org/issues/$issue/events/$event/',
              params: { org, issue: place.groupId, event: place.eventId },
            });
          } catch {
            toast(t('No event has the id {id}.', { id: typed }));
          }
        },
      });
    }
    return found;
  }, [text, projects, views, user, org, router]);
  const run = (choice: Choice | undefined): void => {
    if (!choice) return;
    onOpenChange(false);
    choice.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setActive(
        (now) => (now + (event.key === 'ArrowDown' ? 1 : -1) + choices.length) % Math.max(1, choices.length),
      );
    } else if (event.key === 'Enter') run(choices[active]);
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('Go to')}>
      <Input
        role="combobox"
        aria-label={t('Page, project, issue or event id')}
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={choices[active] ? `palette-${active}` : undefined}
        placeholder={t('Page, project, issue or event id')}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        autoFocus
      />
      <ul id="palette-list" role="listbox" aria-label={t('Places')} className="mt-2">
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox field holds the keys, as the pattern says.
          <li
            key={`${choice.label} ${choice.hint}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === active}
            onClick={() => run(choice)}
            className={cx(
              'flex min-h-8 cursor-pointer items-center justify-between gap-3 rounded-sm px-2 text-13',
              index === active ? 'bg-selected' : 'hover:bg-hover',
            )}
          >
            <span className="truncate">{choice.label}</span>
            <span className="shrink-0 text-12 text-text3">{choice.hint}</span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && (
        <p className="py-3 text-text2">{t('Nothing is called “{text}”.', { text })}</p>
      )}
    </Dialog>
  );
}
