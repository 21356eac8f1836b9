import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { IssueView } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useKeys } from '../../keys/registry.ts';
import { Button } from '../../ui/Button.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/Menu.tsx';
import { type StreamSearch, toFilters } from './search.ts';
import { useViewChanges, type ViewChanges } from './useViewChanges.ts';
import { ViewDialog } from './ViewDialog.tsx';
import { differs, viewBody, viewSearch } from './views.ts';

/** What can be done with one view; the same in the list of issues and on the page of views. */
export function ViewItems({
  view,
  changes,
  onEdit,
  onDelete,
}: {
  view: IssueView;
  changes: ViewChanges;
  onEdit: () => void;
  onDelete: () => void;
}) {
  const owns = changes.owns(view);
  const isFirst = changes.first === view.id;
  return (
    <>
      <MenuItem onSelect={() => void changes.star(view, !view.starred)}>
        {view.starred ? t('Take the star away') : t('Star')}
      </MenuItem>
      <MenuItem disabled={!owns} onSelect={() => setTimeout(onEdit)}>
        {t('Rename and share…')}
      </MenuItem>
      {changes.manages && (
        <MenuItem
          disabled={!isFirst && view.visibility === 'owner'}
          onSelect={() => void changes.openFirst(isFirst ? null : view)}
        >
          {isFirst ? t('No longer open first for all') : t('Open first for all members')}
        </MenuItem>
      )}
      <MenuItem tone="danger" disabled={!owns} onSelect={() => setTimeout(onDelete)}>
        {t('Delete…')}
      </MenuItem>
    </>
  );
}

/** Keeps what the stream shows as a view, and brings views up to date. */
export function ViewMenu({
  org,
  search,
  view,
}: {
  org: string;
  search: StreamSearch;
  view: IssueView | undefined;
}) {
  const navigate = useNavigate();
  const changes = useViewChanges(org, view !== undefined);
  const [open, setOpen] = useState<'save' | 'edit' | 'delete' | null>(null);
  useKeys({ saveView: () => setOpen('save') });
  const go = (next: StreamSearch): void =>
    void navigate({ to: '/organizations/$org/issues/', params: { org }, search: next });
  const changed = view !== undefined && differs(view, search);
  const { query } = toFilters(search);
  const close = (): void => setOpen(null);
  return (
    <div className="flex shrink-0 items-center gap-1.5">
      {changed && (
        <>
          {changes.owns(view) && (
            <Button size="xs" tone="solid" onClick={() => void changes.save(view, viewBody(search))}>
              {t('Save')}
            </Button>
          )}
          <Button size="xs" onClick={() => go(viewSearch(view))}>
            {t('Reset')}
          </Button>
        </>
      )}
      <Menu
        label={t('Views')}
        align="end"
        trigger={
          <Button size="xs">
            {t('Views')} <ChevronDown className="size-3.5" aria-hidden />
          </Button>
        }
      >
        {view && (
          <>
            <ViewItems
              view={view}
              changes={changes}
              onEdit={() => setOpen('edit')}
              onDelete={() => setOpen('delete')}
            />
            <MenuLine />
          </>
        )}
        <MenuItem onSelect={() => setTimeout(() => setOpen('save'))}>{t('Save as a view…')}</MenuItem>
        <MenuItem
          onSelect={() => void navigate({ to: '/organizations/$org/issues/views/', params: { org } })}
        >
          {t('All views')}
        </MenuItem>
      </Menu>
      {open === 'save' && (
        <ViewDialog
          title={t('Save as a view')}
          action={t('Save the view')}
          query={query}
          onOpenChange={close}
          onSave={async ({ name, shared, starred }) => {
            const made = await changes.create({
              ...viewBody(search),
              name,
              visibility: shared ? 'organization' : 'owner',
              starred,
            });
            go(viewSearch(made));
          }}
        />
      )}
      {open === 'edit' && view && <EditView view={view} changes={changes} onOpenChange={close} />}
      {open === 'delete' && view && (
        <DeleteView view={view} changes={changes} onOpenChange={close} onDone={() => go({ query })} />
      )}
    </div>
  );
}

export function EditView({
  view,
  changes,
  onOpenChange,
}: {
  view: IssueView;
  changes: ViewChanges;
  onOpenChange: (open: boolean) => void;
}) {
  return (
    <ViewDialog
      title={t('Rename and share')}
      action={t('Save')}
      view={view}
      query={view.query}
      onOpenChange={onOpenChange}
      onSave={async ({ name, shared, starred }) => {
        await changes.update(view, { name, visibility: shared ? 'organization' : 'owner' });
        if (starred !== view.starred) await changes.star(view, starred);
      }}
    />
  );
}

export function DeleteView({
  view,
  changes,
  onOpenChange,
  onDone,
}: {
  view: IssueView;
  changes: ViewChanges;
  onOpenChange: (open: boolean) => void;
  onDone?: () => void;
}) {
  return (
    <Confirm
      open
      onOpenChange={onOpenChange}
      title={t('Delete the view {name}?', { name: view.name })}
      text={
        view.visibility === 'organization'
          ? t('It is gone for everybody. The issues stay.')
          : t('The issues stay.')
      }
      action={t('Delete the view')}
      onConfirm={() => void changes.remove(view).then((done) => done && onDone?.())}
    />
  );
}

/** The tab of a starred view. */
export function ViewTab({
  org,
  view,
  here,
  className,
}: {
  org: string;
  view: IssueView;
  here: boolean;
  className: string;
}) {
  return (
    <Link
      to="/organizations/$org/issues/"
      params={{ org }}
      search={viewSearch(view)}
      aria-current={here ? 'page' : undefined}
      className={className}
    >
      <span className="isolate-text max-w-40 truncate">{view.name}</span>
    </Link>
  );
}
