import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ChevronDown, Inbox, SearchX } from 'lucide-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Issue, IssueUpdate } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { useKeys } from '../../keys/registry.ts';
import { formatCount } from '../../lib/numbers.ts';
import { useTitle } from '../../lib/title.ts';
import { mergeFields } from '../../query/fields.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { cx } from '../../ui/cx.ts';
import { Menu, MenuChoice } from '../../ui/Menu.tsx';
import { SearchBox } from '../../ui/SearchBox.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { sessionQuery } from '../auth/queries.ts';
import { membersQuery, searchFieldsQuery, tagKeysQuery, tagValuesQuery } from '../organizations/queries.ts';
import { projectsQuery } from '../projects/queries.ts';
import { BulkBar, type OpenMenu } from './BulkBar.tsx';
import { Filters } from './Filters.tsx';
import { Lag } from './Lag.tsx';
import {
  countsQuery,
  issuesQuery,
  LIVE_MS,
  liveQuery,
  type Sort,
  starredViewsQuery,
  useIssueChanges,
  viewQuery,
} from './queries.ts';
import { Row } from './Row.tsx';
import { lastStream, type StreamSearch, toFilters } from './search.ts';
import { ViewMenu, ViewTab } from './ViewMenu.tsx';

const TABS = [
  ['is:unresolved', 'Unresolved'],
  ['is:new', 'New'],
  ['is:escalating', 'Escalating'],
  ['is:regressed', 'Regressed'],
  ['is:unresolved is:unassigned', 'Unassigned'],
  ['is:archived', 'Archived'],
  ['is:resolved', 'Resolved'],
] as const;
const SORTS: { value: Sort; label: string }[] = [
  { value: 'date', label: 'Last seen' },
  { value: 'new', label: 'First seen' },
  { value: 'freq', label: 'Events' },
  { value: 'user', label: 'Users' },
];

const tabLook = (here: boolean): string =>
  cx(
    'flex h-10 shrink-0 items-center gap-1.5 border-b-2 px-2 text-13',
    here ? 'border-accent font-medium text-accent' : 'border-transparent text-text2 hover:text-text',
  );

export function Stream() {
  const { org } = useParams({ strict: false }) as { org: string };
  const search = useSearch({ strict: false }) as StreamSearch;
  const navigate = useNavigate();
  const client = useQueryClient();
  const filters = useMemo(() => toFilters(search), [search]);
  const { data: me = null } = useQuery(sessionQuery);
  const { data: members = [] } = useQuery(membersQuery(org));
  const { data: projects } = useQuery(projectsQuery(org));
  const { data: starred } = useQuery(starredViewsQuery(org));
  const { data: view } = useQuery({
    ...viewQuery(org, search.view ?? ''),
    enabled: search.view !== undefined,
  });
  useTitle(view?.name ?? t('Issues'));
  const { data: served } = useQuery(searchFieldsQuery(org));
  const { data: tags } = useQuery(tagKeysQuery(org));
  const fields = useMemo(() => mergeFields(served, tags), [served, tags]);
  const list = useInfiniteQuery({ ...issuesQuery(org, filters), placeholderData: keepPreviousData });
  const first = list.isPlaceholderData ? undefined : list.data?.pages[0];
  const live = useQuery({
    ...liveQuery(org, filters, first, list.dataUpdatedAt),
    enabled: first !== undefined,
    refetchInterval: LIVE_MS,
  });
  const tabs = useMemo(() => TABS.map(([query]) => query), []);
  const { data: counts } = useQuery(countsQuery(org, filters, tabs));
  const { change, remove, merge, changeAll } = useIssueChanges(org, members, me);

  // Shown rows stay in their places; their numbers follow the live page, and what it has more is offered by a button.
  const rows = useMemo(() => {
    const newer = new Map(live.data?.data.map((issue) => [issue.id, issue]));
    return (list.data?.pages ?? [])
      .flatMap((page) => page.data)
      .map((issue) => {
        const now = newer.get(issue.id);
        return now
          ? { ...issue, count: now.count, userCount: now.userCount, lastSeen: now.lastSeen, stats: now.stats }
          : issue;
      });
  }, [list.data, live.data]);
  const shown = useMemo(() => new Set(rows.map((issue) => issue.id)), [rows]);
  const fresh = first ? (live.data?.data.filter((issue) => !shown.has(issue.id)).length ?? 0) : 0;
  const total = list.data?.pages[0]?.hits ?? null;
  const more = list.data?.pages[0]?.more ?? false;
  // An empty list has no places to keep: what comes is shown at once.
  const arrived = fresh > 0 && rows.length === 0;
  useEffect(() => {
    if (!arrived) return;
    for (const key of [
      ['issues', org, 'list', filters],
      ['issue-counts', org],
      ['projects', org],
    ])
      void client.invalidateQueries({ queryKey: key });
  }, [arrived, client, org, filters]);

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [everything, setEverything] = useState(false);
  const [anchor, setAnchor] = useState<string | null>(null);
  const [activeId, setActiveId] = useState<string | null>(() => lastStream.get().issue);
  const [menu, setMenu] = useState<OpenMenu>(null);
  const active = rows.findIndex((issue) => issue.id === activeId);
  const clear = useCallback(() => {
    setSelected(new Set());
    setEverything(false);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list means another selection.
  useEffect(clear, [filters, clear]);
  useEffect(() => lastStream.set({ search, issue: activeId }), [search, activeId]);

  const set = useCallback(
    (next: Partial<StreamSearch>) =>
      void navigate({ to: '/organizations/$org/issues/', params: { org }, search: { ...search, ...next } }),
    [navigate, org, search],
  );
  const select = useCallback(
    (issue: Issue, range: boolean) => {
      setEverything(false);
      setSelected((before) => {
        const next = new Set(before);
        const from = rows.findIndex((one) => one.id === anchor);
        const to = rows.findIndex((one) => one.id === issue.id);
        if (range && from >= 0)
          for (const one of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(one.id);
        else if (next.has(issue.id)) next.delete(issue.id);
        else next.add(issue.id);
        return next;
      });
      setAnchor(issue.id);
      setActiveId(issue.id);
    },
    [rows, anchor],
  );
  const onOpen = useCallback((issue: Issue) => lastStream.set({ search, issue: issue.id }), [search]);
  const targets =
    selected.size > 0 ? rows.filter((issue) => selected.has(issue.id)) : active >= 0 ? [rows[active]] : [];
  const update = (change_: IssueUpdate, text: string): void => {
    setMenu(null);
    if (everything) void changeAll(filters, change_, text);
    else void change(targets, change_, text);
    clear();
  };
  const move = (step: number): void => {
    const next = rows[Math.min(Math.max(active + step, 0), rows.length - 1)];
    if (next) setActiveId(next.id);
  };
  const loadNew = (): void => {
    void client.resetQueries({ queryKey: ['issues', org, 'list', filters] });
    window.scrollTo({ top: 0 });
  };
  const openMenu = (name: OpenMenu) => () => {
    if (targets.length === 0) return;
    if (selected.size === 0) setSelected(new Set(targets.map((issue) => issue.id)));
    setMenu(name);
  };
  const count = plural(targets.length, 'issue', 'issues');
  useKeys({
    next: () => move(1),
    previous: () => move(-1),
    open: () => {
      const issue = rows[active];
      if (!issue) return;
      onOpen(issue);
      void navigate({
        to: '/organizations/$org/issues/$issue/',
        params: { org, issue: issue.shortId || issue.id },
      });
    },
    select: () => active >= 0 && select(rows[active], false),
    selectRange: () => active >= 0 && select(rows[active], true),
    selectAll: () => setSelected(new Set(shown)),
    loadNew,
    clear,
    streamResolve: () => update({ status: 'resolved' }, t('{count} resolved', { count })),
    streamReviewed: () => update({ hasSeen: true }, t('{count} reviewed', { count })),
    streamArchive: openMenu('archive'),
    streamAssign: openMenu('assign'),
    streamPriority: openMenu('priority'),
    streamBookmark: () => {
      const on = !targets.every((issue) => issue.isBookmarked);
      update(
        { isBookmarked: on },
        on ? t('{count} bookmarked', { count }) : t('{count} no longer bookmarked', { count }),
      );
    },
  });

  const error = list.error;
  const bad = error instanceof ApiError && error.status === 400 ? error : null;
  const problem = bad ? (bad.position ? { ...bad.position, text: bad.detail } : { text: bad.detail }) : null;
  const useValues = (key: string | null, prefix: string): string[] => {
    const { data } = useQuery({
      ...tagValuesQuery(org, key ?? '', prefix),
      enabled: key !== null && key !== 'is' && key !== 'has',
    });
    return data?.map((one) => one.value) ?? [];
  };
  const sort = SORTS.find((one) => one.value === filters.sort)?.label ?? '';
  const allSelected = rows.length > 0 && selected.size === rows.length;

  return (
    <div>
      <Lag />
      <header className="border-b border-border bg-surface px-4 pt-3">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h1 className="flex min-w-0 items-baseline gap-2 text-20 font-semibold">
            {t('Issues')}
            {view && (
              <span className="isolate-text min-w-0 truncate text-16 font-normal text-text2">
                {view.name}
              </span>
            )}
          </h1>
          <Filters org={org} search={search} onChange={set} />
        </div>
        <div className="-mx-1 mt-1 flex items-center gap-2">
          <nav aria-label={t('Kinds of issues')} className="flex min-w-0 grow overflow-x-auto">
            {TABS.map(([query, label]) => {
              const here = !search.view && filters.query === query;
              return (
                <Link
                  key={query}
                  to="/organizations/$org/issues/"
                  params={{ org }}
                  search={{ ...search, view: undefined, query }}
                  aria-current={here ? 'page' : undefined}
                  className={tabLook(here)}
                >
                  {t(label)}
                  <span className="min-w-4 text-12 text-text3">
                    {counts?.[query] !== undefined ? formatCount(counts[query]) : ''}
                  </span>
                </Link>
              );
            })}
            {starred && starred.length > 0 && (
              <span aria-hidden className="mx-2 my-2.5 w-px shrink-0 bg-border" />
            )}
            {starred?.map((one) => (
              <ViewTab
                key={one.id}
                org={org}
                view={one}
                here={search.view === one.id}
                className={tabLook(search.view === one.id)}
              />
            ))}
          </nav>
          <ViewMenu org={org} search={search} view={view} />
        </div>
      </header>
      <div className="px-4 py-2.5 max-md:px-0">
        <div className="mb-2.5 flex flex-wrap gap-2 max-md:px-2">
          <SearchBox
            value={filters.query}
            onSearch={(query) => set({ query })}
            fields={fields}
            useValues={useValues}
            problem={problem}
            label={t('Search issues')}
          />
          <Menu
            label={t('Sort')}
            align="end"
            trigger={
              <Button size="md">
                <span className="text-text2">{t('Sort')}</span> {t(sort)}
                <ChevronDown className="size-3.5" aria-hidden />
              </Button>
            }
          >
            <MenuChoice
              value={filters.sort}
              onChange={(value) => set({ sort: value as Sort })}
              options={SORTS.map((one) => ({ ...one, label: t(one.label) }))}
            />
          </Menu>
        </div>
        <div className="overflow-hidden rounded-lg border border-border bg-surface max-md:rounded-none max-md:border-x-0">
          {selected.size > 0 && (
            <BulkBar
              count={selected.size}
              total={total}
              more={more}
              everything={everything}
              members={members}
              me={me}
              menu={menu}
              onMenu={setMenu}
              onEverything={() => setEverything(true)}
              onClear={clear}
              onUpdate={update}
              onMerge={
                everything || new Set(targets.map((issue) => issue.project.id)).size > 1
                  ? undefined
                  : () => {
                      void merge(targets);
                      clear();
                    }
              }
              onDelete={() => {
                if (everything)
                  void changeAll(
                    filters,
                    null,
                    t('{count} deleted', { count: plural(total ?? 0, 'issue', 'issues', more) }),
                  );
                else void remove(targets);
                clear();
              }}
            />
          )}
          {fresh > 0 && !arrived && (
            <button
              type="button"
              onClick={loadNew}
              className="h-9 w-full border-b border-border bg-selected text-13 font-medium text-accent"
            >
              {t('Show {count}', { count: plural(fresh, 'new issue', 'new issues') })}
            </button>
          )}
          {error && rows.length === 0 && !bad && (
            <ErrorState
              error={error}
              what={t('The issues could not be read')}
              onRetry={() => void list.refetch()}
            />
          )}
          {bad && (
            <EmptyState icon={SearchX} title={t('The search cannot be read')}>
              {bad.detail}
            </EmptyState>
          )}
          {!bad && list.isPending && <Waiting />}
          {!bad && list.isSuccess && rows.length === 0 && (
            <Nothing
              org={org}
              hasProjects={(projects?.length ?? 1) > 0}
              waiting={projects?.find((one) => one.firstEvent === null)?.slug ?? null}
              never={projects?.every((one) => one.firstEvent === null) ?? false}
              query={filters.query}
              onClear={() => set({ query: '' })}
            />
          )}
          {!bad && rows.length > 0 && (
            <div
              role="grid"
              aria-label={t('Issues')}
              aria-rowcount={more ? -1 : (total ?? -1)}
              className={cx(list.isPlaceholderData && 'stale')}
            >
              <div
                role="row"
                aria-rowindex={1}
                className="stream-grid h-8 border-b border-border bg-canvas text-12 font-medium text-text2"
              >
                <div role="columnheader" className="flex justify-center">
                  <input
                    type="checkbox"
                    className="size-4"
                    aria-label={t('Select all shown')}
                    checked={allSelected}
                    ref={(box) => {
                      if (box) box.indeterminate = selected.size > 0 && !allSelected;
                    }}
                    onChange={() => (selected.size > 0 ? clear() : setSelected(new Set(shown)))}
                  />
                </div>
                <div role="columnheader">
                  <span className="sr-only">{t('Level')}</span>
                </div>
                <div role="columnheader">
                  {total === null ? t('Issue') : plural(total, 'issue', 'issues', more)}
                </div>
                <div role="columnheader" data-from="lg">
                  {t('Last 24 h')}
                </div>
                <div role="columnheader" className="flex justify-end pr-3 md:pr-0">
                  {t('Events')}
                </div>
                <div role="columnheader" data-from="lg" className="justify-end">
                  {t('Users')}
                </div>
                <div role="columnheader" data-from="md" className="justify-end">
                  {t('Seen')}
                </div>
                <div role="columnheader" data-from="lg" className="justify-end">
                  {t('Age')}
                </div>
                <div role="columnheader" data-from="md">
                  <span className="sr-only">{t('Assigned to')}</span>
                </div>
              </div>
              {rows.map((issue, index) => (
                <Row
                  key={issue.id}
                  org={org}
                  issue={issue}
                  index={index}
                  active={index === active}
                  selected={everything || selected.has(issue.id)}
                  onSelect={select}
                  onOpen={onOpen}
                />
              ))}
            </div>
          )}
        </div>
        {error && rows.length > 0 && !bad && (
          <ErrorState
            compact
            error={error}
            what={t('The list could not be brought up to date')}
            onRetry={() => void list.refetch()}
          />
        )}
        {list.hasNextPage && (
          <div className="flex justify-center py-3">
            <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetchingNextPage}>
              {list.isFetchingNextPage ? t('Loading…') : t('Show more')}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label={t('Loading issues')}>
      {Array.from({ length: 12 }, (_, index) => (
        <div key={index} className="flex h-13 flex-col justify-center gap-1.5 border-b border-border px-4">
          <Skeleton className="h-4 w-2/3" />
          <Skeleton className="h-3 w-1/3" />
        </div>
      ))}
    </div>
  );
}

interface NothingProps {
  org: string;
  hasProjects: boolean;
  never: boolean;
  waiting: string | null;
  query: string;
  onClear: () => void;
}

function Nothing({ org, hasProjects, never, waiting, query, onClear }: NothingProps) {
  if (!hasProjects) {
    return (
      <EmptyState
        icon={Inbox}
        title={t('Make the first project')}
        action={
          <Link
            to="/organizations/$org/projects/new/"
            params={{ org }}
            className={buttonClass({ tone: 'solid' })}
          >
            {t('New project')}
          </Link>
        }
      >
        {t('A project receives the errors of one application.')}
      </EmptyState>
    );
  }
  if (never && waiting) {
    return (
      <EmptyState
        icon={Inbox}
        title={t('No event has come yet')}
        action={
          <Link
            to="/organizations/$org/projects/$slug/getting-started/"
            params={{ org, slug: waiting }}
            className={buttonClass({ tone: 'solid' })}
          >
            {t('Set up the SDK')}
          </Link>
        }
      >
        {t('Connect an application, and its errors appear here.')}
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={SearchX}
      title={t('No issue matches')}
      action={query !== '' && <Button onClick={onClear}>{t('Clear the search')}</Button>}
    >
      <span className="font-mono text-12 break-words">{query || t('everything in this period')}</span>
    </EmptyState>
  );
}
