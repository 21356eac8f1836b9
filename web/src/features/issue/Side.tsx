import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { Activity, IssueDetails, IssueTag } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { formatShare } from '../../lib/numbers.ts';
import { quoteValue } from '../../query/grammar.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, TextArea } from '../../ui/Form.tsx';
import { Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { addNote, deleteNote, issueTagsQuery } from '../issues/queries.ts';

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-2 py-1">
      <dt className="w-24 shrink-0 text-text3">{name}</dt>
      <dd className="isolate-text min-w-0 break-words">{children}</dd>
    </div>
  );
}

const statusText = (issue: IssueDetails): string =>
  issue.status === 'resolved'
    ? t('Resolved')
    : issue.status === 'ignored'
      ? t('Archived')
      : `${t('Unresolved')}${issue.substatus ? `, ${t(issue.substatus.replaceAll('_', ' '))}` : ''}`;

export function Triage({ org, issue }: { org: string; issue: IssueDetails }) {
  return (
    <Card title={t('Triage')}>
      <dl className="px-3.5 py-2 text-13">
        <Pair name={t('Status')}>{statusText(issue)}</Pair>
        <Pair name={t('Assignee')}>{issue.assignedTo?.name ?? t('Nobody')}</Pair>
        <Pair name={t('Priority')}>{issue.priority ?? '–'}</Pair>
        <Pair name={t('Project')}>
          <Link
            to="/organizations/$org/issues/"
            params={{ org }}
            search={{ project: [issue.project.id] }}
            className="text-accent underline"
          >
            {issue.project.name || issue.project.slug}
          </Link>
        </Pair>
        <Pair name={t('First seen')}>
          <Time at={issue.firstSeen} form="absolute" />
          {issue.firstRelease &&
            ` ${t('in')} ${issue.firstRelease.shortVersion ?? issue.firstRelease.version}`}
        </Pair>
        <Pair name={t('Last seen')}>
          <Time at={issue.lastSeen} form="absolute" />
          {issue.lastRelease && ` ${t('in')} ${issue.lastRelease.shortVersion ?? issue.lastRelease.version}`}
        </Pair>
      </dl>
    </Card>
  );
}

const SHOWN = 6;

/** Those with several values first: a tag that is the same everywhere tells little. */
function telling(tags: IssueTag[]): IssueTag[] {
  const spread = (tag: IssueTag): number => ((tag.uniqueValues ?? tag.topValues.length) > 1 ? 0 : 1);
  return [...tags].sort((a, b) => spread(a) - spread(b));
}

/** The tags of all events of the issue with the share of their most frequent values. */
export function TagShares({ org, issue }: { org: string; issue: IssueDetails }) {
  const { data, isPending } = useQuery(issueTagsQuery(org, issue.id));
  const [all, setAll] = useState(false);
  if (isPending)
    return (
      <Card title={t('Tags')}>
        <div className="flex flex-col gap-3 p-3.5">
          {[1, 2, 3, 4].map((row) => (
            <Skeleton key={row} className="h-8" />
          ))}
        </div>
      </Card>
    );
  if (!data || data.length === 0) return null;
  return (
    <Card title={t('Tags')} actions={<span className="pr-1.5 text-12 text-text3">{t('of all events')}</span>}>
      <ul className="px-3.5 py-2">
        {(all ? data : telling(data).slice(0, SHOWN)).map((tag) => (
          <li key={tag.key} className="py-1">
            <p className="isolate-text truncate text-12 text-text3">{tag.key}</p>
            {tag.topValues.slice(0, 3).map((value) => (
              <Link
                key={value.value}
                to="/organizations/$org/issues/"
                params={{ org }}
                search={{ query: `${tag.key}:${quoteValue(value.value)}`, project: [issue.project.id] }}
                className="group block min-h-6 text-12 leading-5"
              >
                <span className="flex justify-between gap-2">
                  <span className="isolate-text truncate group-hover:underline">
                    {value.value || t('(empty)')}
                  </span>
                  <span className="shrink-0 text-text2">{formatShare(value.count, tag.totalValues)}</span>
                </span>
                <span aria-hidden className="block h-1 rounded-sm bg-hover">
                  <span
                    className="block h-1 rounded-sm bg-spark"
                    style={{ width: `${Math.min(100, (value.count / Math.max(1, tag.totalValues)) * 100)}%` }}
                  />
                </span>
              </Link>
            ))}
          </li>
        ))}
      </ul>
      {!all && data.length > SHOWN && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="min-h-8 w-full border-t border-border px-3.5 text-left text-12 text-accent hover:bg-hover"
        >
          {t('Show {n} more', { n: data.length - SHOWN })}
        </button>
      )}
    </Card>
  );
}

const WORDS: Record<string, string> = {
  first_seen: 'seen for the first time',
  set_resolved: 'resolved it',
  set_resolved_in_release: 'resolved it in a release',
  set_resolved_in_commit: 'resolved it by a commit',
  set_resolved_by_age: 'resolved by age',
  set_unresolved: 'reopened it',
  set_ignored: 'archived it',
  set_regression: 'it came back',
  set_escalating: 'it escalates',
  assigned: 'assigned it',
  unassigned: 'took the assignment back',
  set_priority: 'changed the priority',
  mark_reviewed: 'reviewed it',
  merge: 'merged issues into it',
  unmerge_source: 'took events out into another issue',
  unmerge_destination: 'took its events out of another issue',
  hashes_given: 'said that hashes belong to it',
  auto_set_ongoing: 'no longer new',
  link_added: 'linked',
  link_removed: 'removed the link to',
  set_public: 'made a public link to it',
  set_private: 'withdrew the public link',
  note: '',
  comment: '',
};

function words(one: Activity): string {
  const known = WORDS[one.type];
  return known === undefined ? one.type.replaceAll('_', ' ') : t(known);
}

export function ActivityCard({ org, issue }: { org: string; issue: IssueDetails }) {
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const refresh = (): void => void client.invalidateQueries({ queryKey: ['issue', org] });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (text.trim() === '') return;
    setBusy(true);
    try {
      await addNote(org, issue.id, text.trim());
      setText('');
      refresh();
    } catch (error) {
      toast(t('The comment was not saved: {why}', { why: String((error as Error).message) }));
    }
    setBusy(false);
  };
  return (
    <Card title={t('Activity')}>
      <form onSubmit={submit} className="flex flex-col items-start gap-2 border-b border-border px-3.5 py-2">
        <div className="w-full">
          <Field label={t('Comment')}>
            {(props) => (
              <TextArea {...props} rows={2} value={text} onChange={(event) => setText(event.target.value)} />
            )}
          </Field>
        </div>
        <Button type="submit" disabled={busy || text.trim() === ''}>
          {t('Comment')}
        </Button>
      </form>
      <ol className="px-3.5 py-2 text-13">
        {(issue.activity ?? []).map((one) => {
          const note = one.type === 'note' || one.type === 'comment';
          return (
            <li key={one.id} className="py-1">
              <span className="font-semibold">{one.user?.name || one.user?.email || 'Vedette'}</span>{' '}
              <span className="text-text2">{words(one)}</span>{' '}
              {typeof one.data?.label === 'string' && one.type.startsWith('link_') && (
                <span className="isolate-text break-words">{one.data.label} </span>
              )}
              <span className="text-12 text-text3">
                <Time at={one.dateCreated} form="long" />
              </span>
              {note && (
                <p className="isolate-text break-words whitespace-pre-wrap">{String(one.data?.text ?? '')}</p>
              )}
              {note && (
                <button
                  type="button"
                  className="min-h-6 text-12 text-accent underline"
                  onClick={() =>
                    void deleteNote(org, issue.id, one.id).then(refresh, (error: Error) =>
                      toast(error.message),
                    )
                  }
                >
                  {t('Delete the comment')}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
