import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ChevronDown, Rocket } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Badge, Count } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Input } from '../../ui/Form.tsx';
import { Menu, MenuChoice } from '../../ui/Menu.tsx';
import { Page } from '../../ui/Page.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { releasesQuery } from './queries.ts';
import type { ReleasesSearch } from './search.ts';

const SORTS = [
  { value: 'date', label: 'Newest first' },
  { value: 'semver', label: 'Highest version first' },
] as const;

export function Releases() {
  useTitle(t('Releases'));
  const { org } = useParams({ strict: false }) as { org: string };
  const search = useSearch({ strict: false }) as ReleasesSearch;
  const navigate = useNavigate();
  const [text, setText] = useState(search.query ?? '');
  useEffect(() => setText(search.query ?? ''), [search.query]);
  const sort = search.sort ?? 'date';
  const status = search.status ?? 'open';
  const set = (next: Partial<ReleasesSearch>): void =>
    void navigate({
      to: '/organizations/$org/releases/',
      params: { org },
      search: { ...search, ...next },
    });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    set({ query: text.trim() || undefined });
  };
  return (
    <Page title={t('Releases')}>
      <div className="flex flex-wrap gap-2 max-md:px-2">
        <form onSubmit={submit} className="min-w-40 grow">
          <Input
            type="search"
            aria-label={t('Part of a version')}
            placeholder={t('Part of a version')}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </form>
        <Menu
          label={t('Which releases')}
          align="end"
          trigger={
            <Button size="md">
              {status === 'open' ? t('Active') : t('Archived')}
              <ChevronDown className="size-3.5" aria-hidden />
            </Button>
          }
        >
          <MenuChoice
            value={status}
            onChange={(value) => set({ status: value === 'archived' ? 'archived' : undefined })}
            options={[
              { value: 'open', label: t('Active') },
              { value: 'archived', label: t('Archived') },
            ]}
          />
        </Menu>
        <Menu
          label={t('Sort')}
          align="end"
          trigger={
            <Button size="md">
              {t(SORTS.find((one) => one.value === sort)?.label ?? '')}
              <ChevronDown className="size-3.5" aria-hidden />
            </Button>
          }
        >
          <MenuChoice
            value={sort}
            onChange={(value) => set({ sort: value === 'semver' ? 'semver' : undefined })}
            options={SORTS.map((one) => ({ ...one, label: t(one.label) }))}
          />
        </Menu>
      </div>
      <div className="rounded-lg border border-border bg-surface max-md:rounded-none max-md:border-x-0">
        <PagedList
          query={releasesQuery(org, { query: search.query, sort, status })}
          label={t('Releases')}
          failed={t('The releases could not be read')}
          keyOf={(release) => release.version}
          empty={
            search.query || status === 'archived' ? (
              <EmptyState icon={Rocket} title={t('No release matches')} />
            ) : (
              <EmptyState icon={Rocket} title={t('No release yet')}>
                <p>
                  {t('A release comes with the first event that names one, or before its deploy:')}
                  <br />
                  <code className="font-mono text-12">sentry-cli releases new my-app@1.2.3</code>
                </p>
              </EmptyState>
            )
          }
        >
          {(release) => (
            <>
              <span className="min-w-0 grow basis-56">
                <Link
                  to="/organizations/$org/releases/$version/"
                  params={{ org, version: release.version }}
                  className="block truncate font-semibold hover:underline"
                >
                  {release.version}
                </Link>
                <span className="block truncate text-12 text-text2">
                  {release.projects.map((project) => project.slug).join(', ')} ·{' '}
                  {release.dateReleased ? (
                    <>
                      {t('released')} <Time at={release.dateReleased} form="long" />
                    </>
                  ) : (
                    <>
                      {t('made')} <Time at={release.dateCreated} form="long" />
                    </>
                  )}
                </span>
              </span>
              {release.lastDeploy && <Badge tone="success">{release.lastDeploy.environment}</Badge>}
              <Figure label={t('new issues')} value={release.newGroups} />
              <Figure label={t('commits')} value={release.commitCount} />
            </>
          )}
        </PagedList>
      </div>
    </Page>
  );
}

function Figure({ label, value }: { label: string; value: number }) {
  return (
    <span className="text-13 md:w-20 md:text-right">
      <Count value={value} className="font-medium" />{' '}
      <span className="text-12 text-text2 md:block">{label}</span>
    </span>
  );
}
