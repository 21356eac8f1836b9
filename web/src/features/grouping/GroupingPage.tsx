import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Issue, IssueHash } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { formatFull, formatShare } from '../../lib/numbers.ts';
import { useTitle } from '../../lib/title.ts';
import { Count, Level } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Page } from '../../ui/Page.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { issueQuery, mergeIssues } from '../issues/queries.ts';
import { Compare } from './Compare.tsx';
import { hashesQuery, similarQuery, takeOut } from './queries.ts';

/** What belongs to an issue, what looks like it, and how to change that. */
export function GroupingPage() {
  const { org, issue: id } = useParams({ strict: false }) as { org: string; issue: string };
  const issue = useQuery(issueQuery(org, id));
  useTitle(t('Grouping'), issue.data?.shortId ?? id);
  if (!issue.data)
    return issue.error ? (
      <ErrorState
        error={issue.error}
        what={t('The issue could not be read')}
        onRetry={() => void issue.refetch()}
      />
    ) : (
      <Skeleton className="m-4 h-96" />
    );
  return (
    <Page
      title={t('Grouping of {id}', { id: issue.data.shortId })}
      actions={
        <Link
          to="/organizations/$org/issues/$issue/"
          params={{ org, issue: issue.data.shortId }}
          className="min-h-6 text-13 text-accent underline"
        >
          {t('To the issue')}
        </Link>
      }
    >
      <p className="isolate-text max-w-prose px-4 text-13 break-words text-text2 md:px-0">
        {issue.data.title}
      </p>
      <Similar org={org} issue={issue.data} />
      <Hashes org={org} issue={issue.data} />
    </Page>
  );
}

function useRegrouped(org: string) {
  const client = useQueryClient();
  return () => {
    for (const key of ['issue', 'issues', 'issue-counts', 'hashes', 'similar', 'event', 'issue-tags'])
      void client.invalidateQueries({ queryKey: [key, org] });
  };
}

function Similar({ org, issue }: { org: string; issue: Issue }) {
  const { data, error, refetch } = useQuery(similarQuery(org, issue.id));
  const [compared, setCompared] = useState<string | null>(null);
  const [merging, setMerging] = useState<Issue | null>(null);
  const refresh = useRegrouped(org);
  const merge = async (other: Issue): Promise<void> => {
    try {
      await mergeIssues(org, [issue.id, other.id]);
      toast(t('{a} and {b} are one issue now', { a: issue.shortId, b: other.shortId }));
    } catch (failed) {
      toast(t('Nothing was merged: {why}', { why: (failed as Error).message }));
    }
    refresh();
  };
  return (
    <Card title={t('Similar issues')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('Similar issues could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-3 h-24" />}
      {data?.length === 0 && (
        <p className="p-4 text-13 text-text2">{t('No other issue of the project looks like this one.')}</p>
      )}
      <ul>
        {data?.map(([other, score]) => (
          <li
            key={other.id}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-border px-4 py-2 last:border-b-0"
          >
            <span
              className="w-12 text-13 font-semibold tabular-nums"
              title={t('How much it looks like this one')}
            >
              {formatShare(score.exception, 1)}
            </span>
            <Level level={other.level} />
            <div className="min-w-0 grow basis-60">
              <Link
                to="/organizations/$org/issues/$issue/"
                params={{ org, issue: other.shortId }}
                className="isolate-text block truncate text-13 font-medium hover:underline"
              >
                {other.title}
              </Link>
              <p className="isolate-text truncate text-12 text-text2">
                {other.shortId} · {other.culprit} · <Count value={Number(other.count)} /> ·{' '}
                <Time at={other.lastSeen} />
              </p>
            </div>
            <Button size="xs" onClick={() => setCompared(other.id)}>
              {t('Why not one?')}
            </Button>
            <Button size="xs" onClick={() => setMerging(other)}>
              {t('Merge')}
            </Button>
          </li>
        ))}
      </ul>
      <Compare org={org} issue={issue.id} other={compared} onClose={() => setCompared(null)} />
      <Confirm
        open={merging !== null}
        onOpenChange={(open) => !open && setMerging(null)}
        title={t('Merge {a} and {b}?', { a: issue.shortId, b: merging?.shortId ?? '' })}
        text={t(
          'The one with more events stays, and takes events, comments and history of the other. It can be taken apart again by its hashes.',
        )}
        action={t('Merge')}
        onConfirm={() => merging && void merge(merging)}
      />
    </Card>
  );
}

function Hashes({ org, issue }: { org: string; issue: Issue }) {
  const { data, error, refetch } = useQuery(hashesQuery(org, issue.id));
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const refresh = useRegrouped(org);
  const all = data !== undefined && chosen.size === data.length;
  const out = async (): Promise<void> => {
    try {
      const { issue: fresh } = await takeOut(org, issue.id, [...chosen]);
      toast(t('They are issue {id} now', { id: fresh.shortId }));
      setChosen(new Set());
    } catch (failed) {
      toast(t('Nothing was taken out: {why}', { why: (failed as Error).message }));
    }
    refresh();
  };
  const toggle = (hash: IssueHash): void => {
    const next = new Set(chosen);
    if (!next.delete(hash.id)) next.add(hash.id);
    setChosen(next);
  };
  return (
    <Card
      title={t('Hashes of this issue')}
      actions={
        <Button
          size="xs"
          disabled={chosen.size === 0 || all}
          title={all ? t('At least one hash stays') : undefined}
          onClick={() => void out()}
        >
          {t('Take out into a new issue')}
        </Button>
      }
    >
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The hashes could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-3 h-24" />}
      {data?.length === 0 && <p className="p-4 text-13 text-text2">{t('It has no events any more.')}</p>}
      <ul>
        {data?.map((hash) => (
          <li key={hash.id} className="border-b border-border last:border-b-0">
            <label className="flex items-start gap-3 px-4 py-2 text-13">
              <input
                type="checkbox"
                className="mt-1 size-4"
                disabled={data.length < 2}
                checked={chosen.has(hash.id)}
                onChange={() => toggle(hash)}
              />
              <span className="min-w-0 grow">
                <span className="isolate-text block truncate">
                  {hash.latestEvent?.title ?? t('its events are not kept any more')}
                </span>
                <code className="block font-mono text-12 break-all text-text2">{hash.id}</code>
              </span>
              <span className="shrink-0 text-right text-12 text-text2" title={formatFull(hash.count)}>
                {plural(hash.count, 'event', 'events')}
                <br />
                <Time at={hash.lastSeen} />
              </span>
            </label>
          </li>
        ))}
      </ul>
    </Card>
  );
}
