import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Breadcrumb, Event, GroupingComponent, RequestData, Traced } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { queryText, toCurl } from '../../lib/curl.ts';
import { formatBytes } from '../../lib/numbers.ts';
import { isProblem } from '../../lib/problems.ts';
import { entryOf } from '../../lib/stacktrace.ts';
import { readable } from '../../lib/text.ts';
import { clock } from '../../lib/time.ts';
import { Badge, Copy } from '../../ui/Bits.tsx';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { cx } from '../../ui/cx.ts';
import { ErrorState } from '../../ui/States.tsx';
import {
  attachmentsQuery,
  attachmentUrl,
  groupingQuery,
  rawEventQuery,
  rawEventUrl,
} from '../events/queries.ts';

/** Names and values in two columns; values are text and nothing else. */
export function Pairs({ rows, label }: { rows: [string, unknown][]; label: string }) {
  return (
    <table aria-label={label} className="w-full table-fixed text-12 leading-5">
      <tbody>
        {rows.map(([name, value], index) => (
          <tr key={`${name}${index}`} className="border-b border-border last:border-b-0">
            <th
              scope="row"
              className="w-44 px-3.5 py-1 text-left align-top font-normal break-words text-text2 max-md:w-28"
            >
              {name}
            </th>
            <td className="isolate-text py-1 pr-3.5 font-mono break-words whitespace-pre-wrap">
              {readable(value)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Message({ event }: { event: Traced }) {
  const message = entryOf<{ formatted?: string; message?: string }>(event, 'message');
  const text = message?.formatted ?? message?.message;
  if (!text) return null;
  return (
    <Card title={t('Message')} actions={<Copy size="xs" text={text} label={t('Copy the message')} />}>
      <p className="isolate-text px-3.5 py-2 font-mono text-12 leading-5 break-words whitespace-pre-wrap">
        {text}
      </p>
    </Card>
  );
}

const SHOWN = 15;
const TONES: Record<string, string> = { error: 'text-error', fatal: 'text-fatal', warning: 'text-warning' };

export function Breadcrumbs({ event }: { event: Event }) {
  const [all, setAll] = useState(false);
  const crumbs =
    entryOf<{ values: (Breadcrumb | null)[] | null }>(event, 'breadcrumbs')?.values?.filter(
      (one) => one !== null,
    ) ?? [];
  if (crumbs.length === 0) return null;
  const shown = all ? crumbs : crumbs.slice(-SHOWN);
  return (
    <Card
      title={t('Breadcrumbs')}
      actions={
        <span className="pr-1.5 text-12 text-text3">
          {t('newest last · {n} of {total}', { n: shown.length, total: crumbs.length })}
        </span>
      }
    >
      {!all && crumbs.length > SHOWN && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="min-h-7 w-full border-b border-border px-3.5 text-left text-12 text-accent hover:bg-hover"
        >
          {t('Show {n} earlier', { n: crumbs.length - SHOWN })}
        </button>
      )}
      <ol>
        {shown.map((crumb, index) => {
          const at = Date.parse(crumb.timestamp ?? '');
          const data = Object.entries(crumb.data ?? {});
          const tone = TONES[crumb.level ?? ''];
          return (
            <li
              key={index}
              className="grid grid-cols-[4.5rem_6rem_minmax(0,1fr)] gap-x-3 border-b border-border px-3.5 py-1 text-12 leading-5 last:border-b-0 max-md:grid-cols-[4.5rem_minmax(0,1fr)]"
            >
              <span className="font-mono text-text3">{Number.isNaN(at) ? '–' : clock(at)}</span>
              <span className={cx('truncate', tone ?? 'text-text2')}>
                {crumb.category ?? crumb.type ?? ''}
              </span>
              <span className="isolate-text min-w-0 font-mono break-words max-md:col-span-2">
                {crumb.message}
                {data.length > 0 && (
                  <span className="text-text2">{`${crumb.message ? ' ' : ''}${data.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ')}`}</span>
                )}
                {tone && <span className={tone}> {crumb.level}</span>}
              </span>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

export function RequestCard({ event }: { event: Event }) {
  const request = entryOf<RequestData>(event, 'request');
  if (!request) return null;
  const rows: [string, unknown][] = [];
  const query = queryText(request.query);
  if (query) rows.push([t('Query'), query]);
  if (request.data !== null && request.data !== undefined && request.data !== '')
    rows.push([t('Body'), request.data]);
  for (const [name, value] of request.cookies ?? []) rows.push([t('Cookie {name}', { name }), value]);
  for (const [name, value] of request.headers ?? []) rows.push([name, value]);
  for (const [name, value] of Object.entries(request.env ?? {})) rows.push([name, value]);
  return (
    <Card
      title={t('Request')}
      actions={
        <Copy size="xs" text={() => toCurl(request)} label={t('Copy the request as a cURL command')}>
          {t('Copy as cURL')}
        </Copy>
      }
    >
      <p className="isolate-text border-b border-border px-3.5 py-1.5 font-mono text-12 leading-5 break-all">
        <span className="font-semibold">{request.method ?? 'GET'}</span> {request.url}
      </p>
      <Pairs rows={rows} label={t('Request')} />
    </Card>
  );
}

export function Contexts({ event }: { event: Event }) {
  const named = Object.entries(event.contexts ?? {}).filter(
    ([, value]) => value !== null && typeof value === 'object',
  );
  const extra = Object.entries(event.context ?? {});
  const user = Object.entries(event.user ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== '',
  );
  const packages = Object.entries(event.packages ?? {});
  // Those about frames stand over the stack trace.
  const errors = (event.errors ?? []).filter((error) => !isProblem(error));
  return (
    <>
      {user.length > 0 && (
        <Card title={t('User')}>
          <Pairs rows={user} label={t('User')} />
        </Card>
      )}
      {named.length > 0 && (
        <Card title={t('Contexts')}>
          <div className="grid md:grid-cols-2">
            {named.map(([name, value]) => (
              <div key={name} className="min-w-0 border-b border-border md:odd:border-r">
                <h3 className="isolate-text bg-canvas px-3.5 py-1 text-12 font-semibold break-words">
                  {name}
                </h3>
                <Pairs rows={Object.entries(value).filter(([key]) => key !== 'type')} label={name} />
              </div>
            ))}
          </div>
        </Card>
      )}
      {extra.length > 0 && (
        <Card title={t('Additional data')}>
          <Pairs rows={extra} label={t('Additional data')} />
        </Card>
      )}
      {packages.length > 0 && (
        <Card title={t('Packages')}>
          <details>
            <summary className="min-h-8 px-3.5 py-1.5 text-12 text-accent">
              {plural(packages.length, 'package', 'packages')}
            </summary>
            <Pairs rows={packages} label={t('Packages')} />
          </details>
        </Card>
      )}
      {errors.length > 0 && (
        <Card title={t('What processing had to say')}>
          <Pairs
            rows={errors.map((error) => [error.type, error.message ?? error.data ?? ''])}
            label={t('Processing')}
          />
        </Card>
      )}
    </>
  );
}

interface PlaceProps {
  org: string;
  project: string;
  event: Event;
}

export function Attachments({ org, project, event }: PlaceProps) {
  const { data } = useQuery({ ...attachmentsQuery(org, project, event.eventID), retry: false });
  if (!data || data.length === 0) return null;
  return (
    <Card title={t('Attachments')}>
      <ul>
        {data.map((one) => (
          <li
            key={one.id}
            className="flex flex-wrap items-center gap-3 border-b border-border px-3.5 py-1 text-13 last:border-b-0"
          >
            <a
              href={attachmentUrl(org, project, event.eventID, one.id)}
              download
              className="isolate-text min-h-6 min-w-0 grow break-words text-accent underline"
            >
              {one.name}
            </a>
            <span className="text-12 text-text2">{one.mimetype}</span>
            <span className="text-12 text-text2">{formatBytes(one.size)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Component({ of }: { of: GroupingComponent }) {
  const leaves = of.values.filter((value) => value === null || typeof value !== 'object');
  const inner = of.values.filter(
    (value): value is GroupingComponent => value !== null && typeof value === 'object',
  );
  return (
    <li>
      <span className={of.contributes ? 'font-medium' : 'text-text3'}>{of.name ?? of.id}</span>
      {of.hint && <span className="text-text3"> ({of.hint})</span>}
      {leaves.length > 0 && (
        <span className="isolate-text font-mono break-words">
          {' '}
          {leaves.map((value) => String(value)).join(' ')}
        </span>
      )}
      {inner.length > 0 && (
        <ul className="border-l border-border pl-4">
          {inner.map((one, index) => (
            <Component key={index} of={one} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** Why the event is in this issue: each way to group it, the one that decided marked. */
export function Grouping({ org, project, event, issue }: PlaceProps & { issue: string }) {
  const [open, setOpen] = useState(false);
  const { data, error, refetch } = useQuery({ ...groupingQuery(org, project, event.eventID), enabled: open });
  return (
    <Card
      title={t('Why in this issue')}
      actions={
        <>
          <Link
            to="/organizations/$org/issues/$issue/grouping/"
            params={{ org, issue }}
            className={buttonClass({ size: 'xs' })}
          >
            {t('Similar issues, merging')}
          </Link>
          <Button size="xs" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t('Hide') : t('Show the grouping')}
          </Button>
        </>
      }
    >
      {open && error && (
        <ErrorState
          compact
          error={error}
          what={t('The grouping could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {open &&
        data &&
        Object.values(data).map((variant) => (
          <div
            key={variant.key}
            className="border-b border-border px-3.5 py-2 text-12 leading-5 last:border-b-0"
          >
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-semibold">{variant.description || variant.key}</span>
              {variant.contributes !== false && variant.hash && (
                <Badge tone="success">{t('contributes')}</Badge>
              )}
              {variant.hash && <code className="break-all text-text2">{variant.hash}</code>}
              {variant.hint && <span className="text-text3">{variant.hint}</span>}
            </p>
            {variant.component && (
              <ul className="mt-1">
                <Component of={variant.component} />
              </ul>
            )}
          </div>
        ))}
    </Card>
  );
}

export function RawJson({ org, project, event }: PlaceProps) {
  const [open, setOpen] = useState(false);
  const { data, error, refetch } = useQuery({ ...rawEventQuery(org, project, event.eventID), enabled: open });
  return (
    <Card
      title={t('JSON')}
      actions={
        <div className="flex items-center gap-2">
          <a
            href={rawEventUrl(org, project, event.eventID)}
            className="min-h-6 px-1 text-12 text-accent underline"
          >
            {t('Open the file')}
          </a>
          <Button size="xs" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t('Hide') : t('Show')}
          </Button>
        </div>
      }
    >
      {open && error && (
        <ErrorState
          compact
          error={error}
          what={t('The event could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {open && data !== undefined && (
        <pre tabIndex={0} className="max-h-160 overflow-auto bg-code p-3 font-mono text-12 leading-5">
          {JSON.stringify(data, null, 2)}
        </pre>
      )}
    </Card>
  );
}
