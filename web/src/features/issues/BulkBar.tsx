import { ChevronDown } from 'lucide-react';
import { useState } from 'react';
import type { IssueUpdate, Member, User } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { formatFull } from '../../lib/numbers.ts';
import { Button } from '../../ui/Button.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { ArchiveMenu, AssignMenu, PriorityMenu } from '../../ui/IssueMenus.tsx';
import { Menu, MenuItem } from '../../ui/Menu.tsx';

export type OpenMenu = 'archive' | 'assign' | 'priority' | null;

interface BulkBarProps {
  count: number;
  total: number | null;
  /** There are more than `total`. */
  more: boolean;
  everything: boolean;
  members: Member[];
  me: User | null;
  menu: OpenMenu;
  onMenu: (menu: OpenMenu) => void;
  onEverything: () => void;
  onClear: () => void;
  onUpdate: (update: IssueUpdate, text: string) => void;
  onDelete: () => void;
  /** Missing where what is selected cannot be merged. */
  onMerge?: () => void;
}

/** The actions on what is selected; it says exactly how much that is. */
export function BulkBar({
  count,
  total,
  more,
  everything,
  members,
  me,
  menu,
  onMenu,
  onEverything,
  onClear,
  onUpdate,
  onDelete,
  onMerge,
}: BulkBarProps) {
  const [asking, setAsking] = useState(false);
  const [merging, setMerging] = useState(false);
  const number = everything ? (total ?? count) : count;
  const what = plural(number, 'issue', 'issues', everything && more);
  const all = `${formatFull(total ?? 0)}${more ? '+' : ''}`;
  const opener = (name: OpenMenu) => ({
    open: menu === name,
    onOpenChange: (open: boolean) => onMenu(open ? name : null),
  });
  return (
    <section
      aria-label={t('Selected issues')}
      className="flex min-h-10 flex-wrap items-center gap-2 border-b border-border bg-selected px-3 py-1 text-13"
    >
      <span className="font-medium">
        {everything || total === null
          ? t('{what} selected', { what })
          : t('{n} selected of {total} matching', { n: formatFull(count), total: all })}
      </span>
      {!everything && total !== null && total > count && (
        <button type="button" onClick={onEverything} className="min-h-6 text-accent underline">
          {t('Select all {total}', { total: all })}
        </button>
      )}
      <span className="grow" />
      <Button
        size="xs"
        tone="solid"
        onClick={() => onUpdate({ status: 'resolved' }, t('{what} resolved', { what }))}
      >
        {t('Resolve')}
      </Button>
      <ArchiveMenu
        {...opener('archive')}
        trigger={<Button size="xs">{t('Archive')}</Button>}
        onPick={(update, text) => onUpdate(update, t('{what} archived {text}', { what, text }))}
      />
      <AssignMenu
        {...opener('assign')}
        members={members}
        me={me}
        trigger={<Button size="xs">{t('Assign')}</Button>}
        onPick={(update, name) =>
          onUpdate(
            update,
            name ? t('{what} assigned to {name}', { what, name }) : t('{what} assigned to nobody', { what }),
          )
        }
      />
      <PriorityMenu
        {...opener('priority')}
        trigger={<Button size="xs">{t('Priority')}</Button>}
        onPick={(update, name) => onUpdate(update, t('{what} set to {name} priority', { what, name }))}
      />
      <Button size="xs" onClick={() => onUpdate({ status: 'unresolved' }, t('{what} reopened', { what }))}>
        {t('Reopen')}
      </Button>
      <Menu
        label={t('For me')}
        align="end"
        trigger={
          <Button size="xs">
            {t('For me')} <ChevronDown className="size-3.5" aria-hidden />
          </Button>
        }
      >
        {(
          [
            [{ hasSeen: true }, t('Mark as reviewed'), t('{what} reviewed', { what })],
            [{ isBookmarked: true }, t('Bookmark'), t('{what} bookmarked', { what })],
            [{ isBookmarked: false }, t('Remove bookmarks'), t('{what} no longer bookmarked', { what })],
            [{ isSubscribed: true }, t('Subscribe'), t('{what} followed', { what })],
            [{ isSubscribed: false }, t('Unsubscribe'), t('{what} no longer followed', { what })],
          ] as const
        ).map(([update, label, done]) => (
          <MenuItem key={label} onSelect={() => onUpdate(update, done)}>
            {label}
          </MenuItem>
        ))}
      </Menu>
      {count > 1 && (
        <Button
          size="xs"
          disabled={!onMerge}
          title={onMerge ? undefined : t('Only issues of one project can be merged')}
          onClick={() => setMerging(true)}
        >
          {t('Merge')}
        </Button>
      )}
      <Button size="xs" className="text-error" onClick={() => setAsking(true)}>
        {t('Delete')}
      </Button>
      <Button size="xs" tone="ghost" onClick={onClear}>
        {t('Clear')}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete {what}?', { what })}
        text={
          everything
            ? t('Their events go with them. This cannot be undone.')
            : t('Their events go with them. For a few seconds it can be undone.')
        }
        action={t('Delete {what}', { what })}
        onConfirm={onDelete}
      />
      <Confirm
        open={merging}
        onOpenChange={setMerging}
        title={t('Merge {what}?', { what })}
        text={t(
          'The one with the most events stays, and takes events, comments and history of the others. It can be taken apart again by its hashes.',
        )}
        action={t('Merge {what}', { what })}
        onConfirm={() => onMerge?.()}
      />
    </section>
  );
}
