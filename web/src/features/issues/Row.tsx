import { Link } from '@tanstack/react-router';
import { Bookmark, MessageSquare } from 'lucide-react';
import { memo, useEffect, useRef } from 'react';
import type { Issue } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { titleParts } from '../../lib/issues.ts';
import { Avatar, Badge, Count, Level } from '../../ui/Bits.tsx';
import { cx } from '../../ui/cx.ts';
import { Time } from '../../ui/Time.tsx';
import { Sparkline } from '../../viz/Sparkline.tsx';

const SUBSTATES: Record<string, 'accent' | 'warning'> = {
  new: 'accent',
  escalating: 'warning',
  regressed: 'accent',
};

interface RowProps {
  org: string;
  issue: Issue;
  index: number;
  active: boolean;
  selected: boolean;
  onSelect: (issue: Issue, range: boolean) => void;
  onOpen: (issue: Issue) => void;
}

export const Row = memo(function Row({ org, issue, index, active, selected, onSelect, onOpen }: RowProps) {
  const [head, text] = titleParts(issue);
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) row.current?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div
      ref={row}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      className={cx(
        'stream-grid relative h-13 scroll-my-24 border-b border-border last:border-b-0',
        selected ? 'bg-selected' : active ? 'bg-hover' : 'hover:bg-hover',
        active && 'before:absolute before:inset-y-0 before:left-0 before:w-0.75 before:bg-accent',
      )}
    >
      <div role="gridcell" className="flex justify-center">
        <input
          type="checkbox"
          className="size-4"
          aria-label={t('Select {id}', { id: issue.shortId })}
          checked={selected}
          onClick={(event) => onSelect(issue, event.shiftKey)}
          onChange={() => undefined}
        />
      </div>
      <div role="gridcell" className="flex justify-center">
        <Level level={issue.level} />
      </div>
      <div role="gridcell" className="min-w-0 pr-3">
        <Link
          to="/organizations/$org/issues/$issue/"
          params={{ org, issue: issue.shortId || issue.id }}
          onClick={() => onOpen(issue)}
          className={cx(
            'isolate-text block truncate hover:underline',
            issue.hasSeen === false && 'font-medium',
          )}
        >
          <span className="font-semibold">{head}</span>
          {text && <span className="text-text2"> {text}</span>}
        </Link>
        <div className="flex h-5 items-center gap-2 overflow-hidden text-12 text-text2">
          <span className="shrink-0">{issue.shortId}</span>
          {issue.status !== 'unresolved' && (
            <Badge tone="success">{issue.status === 'ignored' ? t('archived') : t('resolved')}</Badge>
          )}
          {issue.status === 'unresolved' && issue.substatus && SUBSTATES[issue.substatus] && (
            <Badge tone={SUBSTATES[issue.substatus]}>{t(issue.substatus)}</Badge>
          )}
          {issue.isUnhandled && <Badge tone="error">{t('unhandled')}</Badge>}
          {issue.isBookmarked && (
            <Bookmark role="img" aria-label={t('Bookmarked')} className="size-3.5 shrink-0 fill-current" />
          )}
          {issue.numComments > 0 && (
            <span className="inline-flex shrink-0 items-center gap-1">
              <MessageSquare role="img" aria-label={t('Comments')} className="size-3.5" />
              {issue.numComments}
            </span>
          )}
          <span className="isolate-text min-w-0 truncate">{issue.culprit}</span>
        </div>
      </div>
      <div role="gridcell" data-from="lg" className="items-center">
        <Sparkline
          points={issue.stats?.['24h'] ?? Object.values(issue.stats ?? {})[0]}
          span={t('last 24 hours')}
        />
      </div>
      <div role="gridcell" className="flex flex-col items-end justify-center pr-3 md:pr-0">
        <Count value={Number(issue.count)} className="font-medium" />
        <span className="text-12 text-text3 md:hidden">
          <Time at={issue.lastSeen} />
        </span>
      </div>
      <div role="gridcell" data-from="lg" className="justify-end text-text2">
        <Count value={issue.userCount} />
      </div>
      <div role="gridcell" data-from="md" className="justify-end text-text2">
        <Time at={issue.lastSeen} />
      </div>
      <div role="gridcell" data-from="lg" className="justify-end text-text2">
        <Time at={issue.firstSeen} />
      </div>
      <div role="gridcell" data-from="md" className="justify-center">
        <Avatar name={issue.assignedTo?.name ?? null} />
      </div>
    </div>
  );
});
