import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ExternalLink as External, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Event, IssueDetails } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { ErrorState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { committersQuery } from '../events/queries.ts';
import { addLink, linksQuery, removeLink } from '../issues/queries.ts';

/** Only addresses of the web are made links: others could be programs. */
const web = (url: string | null | undefined): string | null =>
  url && /^https?:\/\//i.test(url) ? url : null;

const SHOWN = 3;

/** The commits that may have brought the event. */
export function Suspects({ org, issue, event }: { org: string; issue: IssueDetails; event: Event }) {
  const { data } = useQuery(committersQuery(org, issue.project.slug, event.eventID));
  const [all, setAll] = useState(false);
  const commits = (data ?? []).flatMap((one) =>
    one.commits.map((commit) => ({ ...commit, author: commit.author ?? one.author })),
  );
  if (commits.length === 0) return null;
  return (
    <Card title={t('Suspect commits')}>
      <ol className="px-3.5 py-1 text-13">
        {(all ? commits : commits.slice(0, SHOWN)).map((commit) => {
          const url = web(commit.url);
          const message = commit.message?.split('\n')[0] || t('Without a message');
          return (
            <li key={commit.id} className="border-b border-border py-1.5 last:border-b-0">
              {url ? (
                <a href={url} rel="noreferrer" className="isolate-text break-words text-accent underline">
                  {message}
                </a>
              ) : (
                <p className="isolate-text break-words">{message}</p>
              )}
              <p className="isolate-text break-words text-12 text-text2">
                {commit.author?.name || commit.author?.email || t('Unknown')} ·{' '}
                <Time at={commit.dateCreated} form="long" />
                {commit.repository && ` · ${commit.repository.name}`}{' '}
                <code className="font-mono">{commit.id.slice(0, 8)}</code>
              </p>
            </li>
          );
        })}
      </ol>
      {!all && commits.length > SHOWN && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="min-h-8 w-full border-t border-border px-3.5 text-left text-12 text-accent hover:bg-hover"
        >
          {t('Show {n} more', { n: commits.length - SHOWN })}
        </button>
      )}
    </Card>
  );
}

/** Pages of other systems that the issue is linked to. */
export function LinksCard({ org, issue }: { org: string; issue: IssueDetails }) {
  const client = useQueryClient();
  const query = linksQuery(org, issue.id);
  const { data, error, refetch } = useQuery(query);
  const [adding, setAdding] = useState(false);
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: query.queryKey });
    void client.invalidateQueries({ queryKey: ['issue', org] });
  };
  const remove = async (id: string, name: string): Promise<void> => {
    try {
      await removeLink(org, issue.id, id);
      toast(t('The link to {name} is removed', { name }));
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    refresh();
  };
  return (
    <Card
      title={t('Links')}
      actions={
        <Button size="xs" aria-expanded={adding} onClick={() => setAdding(!adding)}>
          {adding ? t('Cancel') : t('Add')}
        </Button>
      }
    >
      {adding && (
        <Adding
          org={org}
          issue={issue.id}
          onDone={() => {
            setAdding(false);
            refresh();
          }}
        />
      )}
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The links could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {data && data.length === 0 && !adding && (
        <p className="px-3.5 py-2 text-13 text-text2">{t('A ticket, a pull request, any page.')}</p>
      )}
      {data && data.length > 0 && (
        <ul className="py-1 pr-1.5 pl-3.5 text-13">
          {data.map((link) => {
            const url = web(link.webUrl);
            return (
              <li key={link.id} className="flex items-center gap-2">
                {url ? (
                  <a
                    href={url}
                    rel="noreferrer"
                    title={url}
                    className="flex min-h-8 min-w-0 grow items-center gap-1.5 text-accent"
                  >
                    <External className="size-3.5 shrink-0" aria-hidden />
                    <span className="isolate-text min-w-0 truncate underline">{link.displayName}</span>
                  </a>
                ) : (
                  <span className="isolate-text min-h-8 min-w-0 grow truncate leading-8">
                    {link.displayName}
                  </span>
                )}
                <IconButton
                  label={t('Remove the link to {name}', { name: link.displayName })}
                  onClick={() => void remove(link.id, link.displayName)}
                >
                  <X className="size-4" aria-hidden />
                </IconButton>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

function Adding({ org, issue, onDone }: { org: string; issue: string; onDone: () => void }) {
  const [url, setUrl] = useState('');
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await addLink(org, issue, url.trim(), name.trim());
      onDone();
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
    setBusy(false);
  };
  const said = problem?.fields.webUrl?.[0] ?? problem?.fields.displayName?.[0] ?? problem?.detail;
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 border-b border-border px-3.5 py-2">
      <Field label={t('Address')} error={said}>
        {(props) => (
          <Input
            {...props}
            type="url"
            required
            autoFocus
            placeholder="https://"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
        )}
      </Field>
      <Field label={t('Name')} help={t('Empty: made of the address')}>
        {(props) => (
          <Input {...props} maxLength={255} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <div>
        <Button type="submit" tone="solid" disabled={busy || url.trim() === ''}>
          {t('Add the link')}
        </Button>
      </div>
    </form>
  );
}
