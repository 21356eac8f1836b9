import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { formatBytes, formatCount, formatFull, formatShare } from '../../lib/numbers.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm, Dialog } from '../../ui/Dialog.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import {
  dropSetAside,
  retrySetAside,
  type ServerStatus,
  type SetAside,
  setAsideItem,
  setAsideQuery,
  statusQuery,
} from './queries.ts';
import { ServerPage } from './ServerPage.tsx';

/** For administrators: how the server is, and what to do about it. */
export function Status() {
  const { data, error, refetch } = useQuery(statusQuery);
  if (!data)
    return (
      <ServerPage title={t('Server status')}>
        {error ? (
          <ErrorState
            error={error}
            what={t('The status of the server could not be read')}
            onRetry={() => void refetch()}
          />
        ) : (
          <Skeleton className="m-4 h-96" />
        )}
      </ServerPage>
    );
  return (
    <ServerPage title={t('Server status')}>
      <Problems status={data} />
      <Figures status={data} />
      <div className="grid gap-3 lg:grid-cols-2">
        <Disk status={data} />
        <Outcomes status={data} />
      </div>
      <Aside />
    </ServerPage>
  );
}

function Problems({ status }: { status: ServerStatus }) {
  return (
    <Card title={t('Health')}>
      {status.problems.length === 0 ? (
        <p className="flex items-center gap-2 p-4 text-13">
          <CircleCheck className="size-4 text-success" aria-hidden />
          {t('All is well. Events appear as they come.')}
        </p>
      ) : (
        <ul>
          {status.problems.map((one) => {
            const Icon = one.level === 'error' ? CircleAlert : TriangleAlert;
            return (
              <li key={one.text} className="flex gap-2 border-b border-border p-4 last:border-b-0">
                <Icon
                  className={
                    one.level === 'error'
                      ? 'mt-0.5 size-4 shrink-0 text-error'
                      : 'mt-0.5 size-4 shrink-0 text-warning'
                  }
                  aria-label={one.level === 'error' ? t('Error') : t('Warning')}
                />
                <div className="min-w-0">
                  <p className="font-medium break-words">{one.text}</p>
                  <p className="text-text2">{one.advice}</p>
                </div>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}

function Figure({ label, children, more }: { label: string; children: ReactNode; more?: ReactNode }) {
  return (
    <div className="min-w-36 grow px-4 py-3">
      <dt className="text-12 text-text2">{label}</dt>
      <dd>
        <span className="block text-16 font-semibold tabular-nums">{children}</span>
        {more && <span className="block text-12 text-text2">{more}</span>}
      </dd>
    </div>
  );
}

const rate = (perSecond: number): string =>
  perSecond >= 100 ? formatCount(Math.round(perSecond)) : perSecond.toFixed(1);

function uptime(seconds: number): string {
  if (seconds < 3600) return t('{n} min', { n: Math.floor(seconds / 60) });
  if (seconds < 172_800) return t('{n} h', { n: Math.floor(seconds / 3600) });
  return t('{n} days', { n: Math.floor(seconds / 86_400) });
}

function Figures({ status }: { status: ServerStatus }) {
  const { queue, throughput, disk } = status;
  return (
    <Card title={t('Now')}>
      <dl className="grid grid-cols-2 sm:grid-cols-5">
        <Figure
          label={t('Delay')}
          more={t('{n} waiting, {size}', { n: formatCount(queue.records), size: formatBytes(queue.bytes) })}
        >
          {t('{n} s', { n: formatFull(queue.delaySeconds) })}
        </Figure>
        <Figure label={t('Accepted a second')} more={t('over the last minute')}>
          {rate(throughput.acceptedPerSecond)}
        </Figure>
        <Figure label={t('Stored a second')} more={t('over the last minute')}>
          {rate(throughput.storedPerSecond)}
        </Figure>
        <Figure
          label={t('Disk free')}
          more={
            disk.fullInDays === null
              ? t('not full within a year')
              : t('full in {n} days at this rate', { n: disk.fullInDays })
          }
        >
          {formatBytes(disk.freeBytes)}
        </Figure>
        <Figure
          label={t('Memory')}
          more={t('version {v}, up {time}', { v: status.version, time: uptime(status.uptimeSeconds) })}
        >
          {status.memoryBytes === null ? '–' : formatBytes(status.memoryBytes)}
        </Figure>
      </dl>
    </Card>
  );
}

const STORES: Record<string, string> = {
  packs: 'Events',
  index: 'Search index',
  ids: 'Event ids',
  blobs: 'Attachments',
  queue: 'Queue',
  database: 'Database',
};

function Rows({
  head,
  rows,
  empty,
}: {
  head: [string, string];
  rows: [string, string, string?][];
  empty: string;
}) {
  if (rows.length === 0) return <p className="p-4 text-13 text-text2">{empty}</p>;
  return (
    <table className="w-full text-13">
      <thead>
        <tr className="border-b border-border text-12 text-text2">
          <th scope="col" className="px-4 py-1.5 text-left font-normal">
            {head[0]}
          </th>
          <th scope="col" className="px-4 py-1.5 text-right font-normal">
            {head[1]}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, value, more]) => (
          <tr key={name} className="border-b border-border last:border-b-0">
            <td className="px-4 py-1.5 break-words">
              {name}
              {more && <span className="ml-2 text-12 text-text2">{more}</span>}
            </td>
            <td className="px-4 py-1.5 text-right tabular-nums whitespace-nowrap">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Disk({ status }: { status: ServerStatus }) {
  const { disk, stores } = status;
  const held = stores.reduce((sum, one) => sum + one.bytes, 0);
  const rows = stores
    .filter((one) => one.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .map((one): [string, string, string] => [
      t(STORES[one.name] ?? one.name),
      formatBytes(one.bytes),
      formatShare(one.bytes, held),
    ]);
  return (
    <Card title={t('Stores')}>
      <p className="border-b border-border px-4 py-2 text-13 text-text2">
        {t('{size} in all, {day} more a day; the disk has {free} of {total} free.', {
          size: formatBytes(held),
          day: formatBytes(disk.bytesPerDay),
          free: formatBytes(disk.freeBytes),
          total: formatBytes(disk.totalBytes),
        })}
      </p>
      <Rows head={[t('Store'), t('Size')]} rows={rows} empty={t('Sizes are measured every minute.')} />
      {disk.droppedForSpace.length > 0 && (
        <div className="border-t border-border p-4 text-13">
          <h3 className="font-medium">{t('Days dropped early for want of space')}</h3>
          <ul className="mt-1 text-text2">
            {disk.droppedForSpace.map((one) => (
              <li key={`${one.partition} ${one.dateDropped}`}>
                {one.partition}, {formatBytes(one.bytes)}, <Time at={one.dateDropped} form="long" />
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}

function Outcomes({ status }: { status: ServerStatus }) {
  const rows = status.outcomes.map((one): [string, string, string] => [
    one.reason || t('stored'),
    /attachment$/.test(one.category) ? formatBytes(one.quantity) : formatFull(one.quantity),
    one.category === 'error' ? one.outcome : `${one.outcome}, ${one.category}`,
  ]);
  return (
    <Card title={t('What came in the last 24 hours')}>
      <Rows head={[t('How it ended'), t('Items')]} rows={rows} empty={t('Nothing came.')} />
      {status.projects.length > 1 && (
        <div className="border-t border-border">
          <Rows
            head={[t('Project'), t('Errors')]}
            rows={status.projects.map((one): [string, string, string?] => [
              one.project,
              formatFull(one.accepted),
              one.discarded > 0 ? t('{n} not stored', { n: formatFull(one.discarded) }) : undefined,
            ])}
            empty=""
          />
        </div>
      )}
    </Card>
  );
}

function Aside() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(setAsideQuery);
  const [shown, setShown] = useState<SetAside | null>(null);
  const [dropping, setDropping] = useState<SetAside | null>(null);
  const run = async (work: Promise<unknown>, done: string): Promise<void> => {
    try {
      await work;
      toast(done);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: setAsideQuery.queryKey });
    await client.invalidateQueries({ queryKey: statusQuery.queryKey });
  };
  const open = async (item: SetAside): Promise<void> => {
    try {
      setShown(await setAsideItem(item.id));
    } catch (failed) {
      toast(t('It could not be read: {why}', { why: (failed as Error).message }));
    }
  };
  return (
    <Card title={t('Kept aside')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('What is kept aside could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {data?.length === 0 && (
        <p className="p-4 text-13 text-text2">
          {t('Nothing. What makes processing fail is kept here with its bytes and can be tried again.')}
        </p>
      )}
      <ul>
        {data?.map((item) => (
          <li
            key={item.id}
            className="flex flex-wrap items-center gap-2 border-b border-border px-4 py-2 last:border-b-0"
          >
            <div className="min-w-0 grow">
              <p className="font-mono text-12 break-words">{item.error}</p>
              <p className="text-12 text-text2">
                {item.projectSlug ?? '–'}, {formatBytes(item.size)},{' '}
                <Time at={item.dateCreated} form="long" />
                {item.eventId && <span className="font-mono"> {item.eventId}</span>}
              </p>
            </div>
            <Button size="xs" onClick={() => void open(item)}>
              {t('Show')}
            </Button>
            <Button
              size="xs"
              onClick={() => void run(retrySetAside(item.id), t('It is in the queue again.'))}
            >
              {t('Try again')}
            </Button>
            <Button size="xs" className="text-error" onClick={() => setDropping(item)}>
              {t('Drop')}
            </Button>
          </li>
        ))}
      </ul>
      <Dialog open={shown !== null} onOpenChange={() => setShown(null)} title={t('What was sent')} wide>
        <pre
          tabIndex={0}
          className="max-h-96 overflow-auto rounded-sm bg-code p-3 text-12 break-all whitespace-pre-wrap"
        >
          {shown?.payload}
        </pre>
        {shown?.payloadTruncated && <p className="mt-2 text-12 text-text2">{t('Cut at 64 kB.')}</p>}
      </Dialog>
      <Confirm
        open={dropping !== null}
        onOpenChange={() => setDropping(null)}
        title={t('Drop this item for good?')}
        text={t('Its bytes are gone then, and it cannot be tried again.')}
        action={t('Drop')}
        onConfirm={() => {
          if (dropping) void run(dropSetAside(dropping.id), t('Dropped'));
        }}
      />
    </Card>
  );
}
