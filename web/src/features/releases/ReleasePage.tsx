import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Archive, ArchiveRestore, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Release } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { titleParts } from '../../lib/issues.ts';
import { useTitle } from '../../lib/title.ts';
import { Avatar, Badge, Copy, Count, Level } from '../../ui/Bits.tsx';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Page } from '../../ui/Page.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import {
  changeRelease,
  commitsQuery,
  deleteRelease,
  deploysQuery,
  foundQuery,
  releaseQuery,
} from './queries.ts';

export function ReleasePage() {
  const { org, version } = useParams({ strict: false }) as { org: string; version: string };
  useTitle(version);
  const { data, error, refetch } = useQuery(releaseQuery(org, version));
  if (error && !data) {
    return (
      <Page title={version}>
        <ErrorState error={error} what={t('The release could not be read')} onRetry={() => void refetch()} />
      </Page>
    );
  }
  return (
    <Page title={version} actions={data && <Actions org={org} release={data} />}>
      {data ? <Facts release={data} /> : <Skeleton className="h-20" />}
      <div className="grid gap-3 lg:grid-cols-2">
        <Issues
          org={org}
          title={t('New issues')}
          query={`firstRelease:"${version}"`}
          none={t('No issue was seen first in this release.')}
        />
        <Issues
          org={org}
          title={t('Regressed issues')}
          query={`release:"${version}" is:regressed`}
          none={t('No issue came back in this release.')}
        />
        <Commits org={org} version={version} />
        <Deploys org={org} version={version} />
      </div>
    </Page>
  );
}

function Actions({ org, release }: { org: string; release: Release }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const archived = release.status === 'archived';
  const again = () => client.invalidateQueries({ queryKey: ['releases', org] });
  const toggle = async (): Promise<void> => {
    try {
      await changeRelease(org, release.version, { status: archived ? 'open' : 'archived' });
      toast(archived ? t('The release is active again.') : t('The release is archived.'));
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  const remove = async (): Promise<void> => {
    try {
      await deleteRelease(org, release.version);
      await again();
      await navigate({ to: '/organizations/$org/releases/', params: { org }, search: {} });
    } catch (failed) {
      toast(t('Nothing was deleted: {why}', { why: (failed as Error).message }));
    }
  };
  return (
    <div className="flex flex-wrap gap-2">
      <Link
        to="/organizations/$org/issues/"
        params={{ org }}
        search={{ query: `release:"${release.version}"` }}
        className={buttonClass()}
      >
        {t('All issues')}
      </Link>
      <Copy text={release.version} label={t('Copy the version')} />
      <Button onClick={() => void toggle()}>
        {archived ? (
          <ArchiveRestore className="size-3.5" aria-hidden />
        ) : (
          <Archive className="size-3.5" aria-hidden />
        )}
        {archived ? t('Make active') : t('Archive')}
      </Button>
      <Button className="text-error" onClick={() => setAsking(true)}>
        <Trash2 className="size-3.5" aria-hidden /> {t('Delete')}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete this release?')}
        text={t('Its commits and deploys go with it. Events keep the version they came with.')}
        action={t('Delete')}
        onConfirm={() => void remove()}
      />
    </div>
  );
}

function Facts({ release }: { release: Release }) {
  const facts: [string, React.ReactNode][] = [
    [t('Projects'), release.projects.map((project) => project.slug).join(', ') || '–'],
    [t('Released'), <Time key="released" at={release.dateReleased} form="absolute" />],
    [t('Made'), <Time key="made" at={release.dateCreated} form="absolute" />],
    [t('First event'), <Time key="first" at={release.firstEvent} form="long" />],
    [t('Last event'), <Time key="last" at={release.lastEvent} form="long" />],
    [t('New issues'), <Count key="new" value={release.newGroups} />],
    [t('Reference'), release.ref ?? '–'],
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-2 rounded-lg border border-border bg-surface p-4 text-13 max-md:rounded-none max-md:border-x-0 md:grid-cols-4">
      {facts.map(([label, value]) => (
        <div key={label} className="min-w-0">
          <dt className="text-12 text-text2">{label}</dt>
          <dd className="break-words">{value}</dd>
        </div>
      ))}
      {release.status === 'archived' && (
        <div>
          <dt className="text-12 text-text2">{t('State')}</dt>
          <dd>
            <Badge tone="plain">{t('Archived')}</Badge>
          </dd>
        </div>
      )}
    </dl>
  );
}

function Issues({ org, title, query, none }: { org: string; title: string; query: string; none: string }) {
  return (
    <Card
      title={title}
      actions={
        <Link
          to="/organizations/$org/issues/"
          params={{ org }}
          search={{ query, statsPeriod: '90d' }}
          className={buttonClass({ size: 'xs', tone: 'ghost' })}
        >
          {t('As a list')}
        </Link>
      }
    >
      <PagedList
        query={foundQuery(org, query)}
        label={title}
        failed={t('The issues could not be read')}
        keyOf={(issue) => issue.id}
        empty={<p className="p-4 text-13 text-text2">{none}</p>}
      >
        {(issue) => {
          const [head, text] = titleParts(issue);
          return (
            <>
              <Level level={issue.level} />
              <Link
                to="/organizations/$org/issues/$issue/"
                params={{ org, issue: issue.shortId }}
                className="min-w-0 grow basis-40 truncate hover:underline"
              >
                <span className="font-semibold">{head}</span> <span className="text-text2">{text}</span>
              </Link>
              <span className="text-12 text-text2">{issue.shortId}</span>
              <Count value={Number(issue.count)} className="w-12 text-right" />
            </>
          );
        }}
      </PagedList>
    </Card>
  );
}

function Commits({ org, version }: { org: string; version: string }) {
  return (
    <Card title={t('Commits')}>
      <PagedList
        query={commitsQuery(org, version)}
        label={t('Commits')}
        failed={t('The commits could not be read')}
        keyOf={(commit) => commit.id}
        empty={
          <p className="p-4 text-13 text-text2">
            {t('None are known. They come with')}{' '}
            <code className="font-mono text-12">sentry-cli releases set-commits --auto</code>
          </p>
        }
      >
        {(commit) => {
          const name = commit.author?.name ?? commit.author?.email ?? t('Unknown');
          return (
            <>
              <span aria-hidden>
                <Avatar name={name} />
              </span>
              <span className="min-w-0 grow basis-40">
                <span className="block truncate">
                  {commit.message?.split('\n')[0] || t('Without a message')}
                </span>
                <span className="block truncate text-12 text-text2">
                  {name}
                  {commit.repository ? ` · ${commit.repository.name}` : ''} ·{' '}
                  <Time at={commit.dateCreated} form="long" />
                </span>
              </span>
              {commit.url ? (
                <a
                  href={commit.url}
                  rel="noreferrer"
                  className="inline-flex min-h-6 items-center font-mono text-12 text-accent underline"
                >
                  {commit.id.slice(0, 8)}
                </a>
              ) : (
                <code className="font-mono text-12">{commit.id.slice(0, 8)}</code>
              )}
            </>
          );
        }}
      </PagedList>
    </Card>
  );
}

function Deploys({ org, version }: { org: string; version: string }) {
  return (
    <Card title={t('Deploys')}>
      <PagedList
        query={deploysQuery(org, version)}
        label={t('Deploys')}
        failed={t('The deploys could not be read')}
        keyOf={(deploy) => deploy.id}
        empty={
          <p className="p-4 text-13 text-text2">
            {t('None are known. They come with')}{' '}
            <code className="font-mono text-12">sentry-cli deploys new --env production</code>
          </p>
        }
      >
        {(deploy) => (
          <>
            <Badge tone="success">{deploy.environment}</Badge>
            <span className="min-w-0 grow truncate">{deploy.name ?? ''}</span>
            <Time at={deploy.dateFinished} form="long" />
          </>
        )}
      </PagedList>
    </Card>
  );
}
