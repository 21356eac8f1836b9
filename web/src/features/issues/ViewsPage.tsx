import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowDown, ArrowUp, Ellipsis, GripVertical, Star } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import type { IssueView } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Badge } from '../../ui/Bits.tsx';
import { buttonClass, IconButton } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { cx } from '../../ui/cx.ts';
import { Menu } from '../../ui/Menu.tsx';
import { Page } from '../../ui/Page.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { starredViewsQuery, viewsPages } from './queries.ts';
import { useViewChanges, type ViewChanges } from './useViewChanges.ts';
import { DeleteView, EditView, ViewItems } from './ViewMenu.tsx';
import { viewSearch } from './views.ts';

/** Every view: the starred ones in one's own order, one's own, and those of others. */
export function ViewsPage() {
  useTitle(t('Views'));
  const { org } = useParams({ strict: false }) as { org: string };
  const changes = useViewChanges(org, true);
  const part = (createdBy: 'me' | 'others', title: string, none: string): ReactNode => (
    <Card title={title}>
      <PagedList
        query={viewsPages(org, createdBy)}
        label={title}
        failed={t('The views could not be read')}
        keyOf={(view) => view.id}
        empty={<p className="p-4 text-13 text-text2">{none}</p>}
      >
        {(view) => <ViewRow org={org} view={view} changes={changes} by={createdBy === 'others'} />}
      </PagedList>
    </Card>
  );
  return (
    <Page
      title={t('Views')}
      actions={
        <Link to="/organizations/$org/issues/" params={{ org }} className={buttonClass()}>
          {t('To the issues')}
        </Link>
      }
    >
      <Starred org={org} changes={changes} />
      {part('me', t('Your views'), t('Search for issues, then choose Views, Save as a view.'))}
      {part('others', t('Views of others'), t('Nobody else shares a view yet.'))}
    </Page>
  );
}

function ViewRow({
  org,
  view,
  changes,
  by,
}: {
  org: string;
  view: IssueView;
  changes: ViewChanges;
  by?: boolean;
}) {
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  const close = (): void => setOpen(null);
  return (
    <>
      <IconButton
        label={
          view.starred
            ? t('Take the star of {name} away', { name: view.name })
            : t('Star {name}', { name: view.name })
        }
        aria-pressed={view.starred}
        onClick={() => void changes.star(view, !view.starred)}
      >
        <Star className={cx('size-4', view.starred && 'fill-current text-accent')} aria-hidden />
      </IconButton>
      <span className="min-w-0 grow basis-40">
        <Link
          to="/organizations/$org/issues/"
          params={{ org }}
          search={viewSearch(view)}
          className="isolate-text block truncate font-medium hover:underline"
        >
          {view.name}
        </Link>
        <span className="isolate-text block truncate font-mono text-12 text-text2">
          {view.query || t('everything')}
        </span>
      </span>
      <span className="flex shrink-0 flex-wrap items-center gap-1.5">
        {changes.first === view.id && <Badge>{t('opened first')}</Badge>}
        {by ? (
          <span className="text-12 text-text2">{view.createdBy?.name || view.createdBy?.email || ''}</span>
        ) : (
          <Badge tone="plain">{view.visibility === 'organization' ? t('shared') : t('private')}</Badge>
        )}
        <Menu
          label={t('What to do with {name}', { name: view.name })}
          align="end"
          trigger={
            <IconButton label={t('What to do with {name}', { name: view.name })}>
              <Ellipsis className="size-4" aria-hidden />
            </IconButton>
          }
        >
          <ViewItems
            view={view}
            changes={changes}
            onEdit={() => setOpen('edit')}
            onDelete={() => setOpen('delete')}
          />
        </Menu>
      </span>
      {open === 'edit' && <EditView view={view} changes={changes} onOpenChange={close} />}
      {open === 'delete' && <DeleteView view={view} changes={changes} onOpenChange={close} />}
    </>
  );
}

/** The starred views: put in order by dragging, or by the arrows. */
function Starred({ org, changes }: { org: string; changes: ViewChanges }) {
  const { data, error, refetch } = useQuery(starredViewsQuery(org));
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const views = data ?? [];
  const move = (id: string, to: number): void => {
    const view = views.find((one) => one.id === id);
    if (!view || to < 0 || to >= views.length || views[to].id === id) return;
    const rest = views.filter((one) => one.id !== id);
    void changes.order([...rest.slice(0, to), view, ...rest.slice(to)]);
  };
  const onKeyDown = (view: IssueView, at: number) => (event: KeyboardEvent) => {
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    move(view.id, at + step);
  };
  return (
    <Card
      title={t('Starred')}
      actions={<span className="pr-1.5 text-12 text-text3">{t('beside the tabs, in this order')}</span>}
    >
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The starred views could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-8" />}
      {data && data.length === 0 && <p className="p-4 text-13 text-text2">{t('No view has your star.')}</p>}
      <ol aria-label={t('Starred')}>
        {views.map((view, at) => (
          <li
            key={view.id}
            draggable
            onDragStart={(event) => {
              event.dataTransfer.effectAllowed = 'move';
              event.dataTransfer.setData('text/plain', view.name);
              setDragged(view.id);
            }}
            onDragEnd={() => {
              setDragged(null);
              setOver(null);
            }}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(view.id);
            }}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged !== null) move(dragged, at);
            }}
            className={cx(
              'flex min-h-11 items-center gap-2 border-b border-border pr-2 pl-2.5 last:border-b-0',
              dragged === view.id && 'opacity-50',
              over === view.id && dragged !== view.id && 'bg-selected',
            )}
          >
            <GripVertical className="size-4 shrink-0 cursor-grab text-text3" aria-hidden />
            <Link
              to="/organizations/$org/issues/"
              params={{ org }}
              search={viewSearch(view)}
              draggable={false}
              className="isolate-text min-w-0 grow truncate font-medium hover:underline"
            >
              {view.name}
            </Link>
            <IconButton
              label={t('Move {name} up', { name: view.name })}
              aria-disabled={at === 0}
              className="aria-disabled:opacity-60"
              onKeyDown={onKeyDown(view, at)}
              onClick={() => move(view.id, at - 1)}
            >
              <ArrowUp className="size-4" aria-hidden />
            </IconButton>
            <IconButton
              label={t('Move {name} down', { name: view.name })}
              aria-disabled={at === views.length - 1}
              className="aria-disabled:opacity-60"
              onKeyDown={onKeyDown(view, at)}
              onClick={() => move(view.id, at + 1)}
            >
              <ArrowDown className="size-4" aria-hidden />
            </IconButton>
          </li>
        ))}
      </ol>
    </Card>
  );
}
