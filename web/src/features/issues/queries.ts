import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback } from 'react';
import { ApiError, call, get, type Params, part, type Reply, send } from '../../api/client.ts';
import { pagesQuery } from '../../api/pages.ts';
import type {
  Actor,
  Event,
  Issue,
  IssueDetails,
  IssueLink,
  IssueTag,
  IssueUpdate,
  IssueView,
  IssueViewBody,
  Member,
  Note,
  Reprocessing,
  SharedIssue,
  User,
} from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { stillMatches } from '../../query/grammar.ts';
import { toast } from '../../ui/toasts.ts';

export type Sort = 'date' | 'new' | 'freq' | 'user';

export interface IssueFilters {
  query: string;
  sort: Sort;
  statsPeriod?: string;
  start?: string;
  end?: string;
  project?: string[];
  environment?: string[];
}

type Page = Reply<Issue[]>;
type Pages = InfiniteData<Page, string | null>;

export const PAGE = 100;

const scope = (filters: IssueFilters): Params => ({
  statsPeriod: filters.start ? undefined : filters.statsPeriod,
  start: filters.start,
  end: filters.end,
  project: filters.project,
  environment: filters.environment,
});

async function fetchPage(
  org: string,
  filters: IssueFilters,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Page> {
  return call<Issue[]>('GET', `organizations/${part(org)}/issues/`, {
    params: {
      query: filters.query,
      sort: filters.sort,
      ...scope(filters),
      limit: PAGE,
      groupStatsPeriod: '24h',
      cursor,
    },
    signal,
  });
}

/** The rows of the stream. They stay as they are until someone asks for what is new. */
export const issuesQuery = (org: string, filters: IssueFilters) =>
  infiniteQueryOptions({
    queryKey: ['issues', org, 'list', filters],
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    retry: (failures, error) =>
      failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => fetchPage(org, filters, pageParam, signal),
    getNextPageParam: (page) => page.next,
  });

export const LIVE_MS = 5000;

/** The first page again and again: counters of shown rows, and what is new. */
export const liveQuery = (org: string, filters: IssueFilters, first: Page | undefined, at: number) =>
  queryOptions({
    queryKey: ['issues', org, 'live', filters],
    staleTime: LIVE_MS,
    initialData: first,
    initialDataUpdatedAt: at,
    retry: false,
    queryFn: ({ signal }) => fetchPage(org, filters, null, signal),
  });

export const countsQuery = (org: string, filters: IssueFilters, queries: string[]) =>
  queryOptions({
    queryKey: ['issue-counts', org, scope(filters), queries],
    staleTime: 30_000,
    refetchInterval: 60_000,
    retry: false,
    queryFn: ({ signal }) =>
      get<Record<string, number>>(
        `organizations/${part(org)}/issues-count/`,
        { query: queries, ...scope(filters) },
        signal,
      ),
  });

export const issueQuery = (org: string, issue: string) =>
  queryOptions({
    queryKey: ['issue', org, issue],
    staleTime: 10_000,
    refetchInterval: 15_000,
    queryFn: ({ signal }) =>
      get<IssueDetails>(`organizations/${part(org)}/issues/${part(issue)}/`, undefined, signal),
  });

/** The newest issue of a project, asked for every two seconds by the page that waits for it. */
export const firstIssueQuery = (org: string, project: string) =>
  queryOptions({
    queryKey: ['first-issue', org, project],
    refetchInterval: 2000,
    retry: false,
    queryFn: async ({ signal }) => {
      const issues = await get<Issue[]>(
        `organizations/${part(org)}/issues/`,
        { project, query: '', sort: 'date', limit: 1, statsPeriod: '90d' },
        signal,
      );
      return issues[0] ?? null;
    },
  });

export const issueTagsQuery = (org: string, issue: string) =>
  queryOptions({
    queryKey: ['issue-tags', org, issue],
    staleTime: 30_000,
    queryFn: ({ signal }) =>
      get<IssueTag[]>(`organizations/${part(org)}/issues/${part(issue)}/tags/`, undefined, signal),
  });

export const issueTagQuery = (org: string, issue: string, key: string) =>
  queryOptions({
    queryKey: ['issue-tag', org, issue, key],
    staleTime: 30_000,
    queryFn: ({ signal }) =>
      get<IssueTag>(`organizations/${part(org)}/issues/${part(issue)}/tags/${part(key)}/`, undefined, signal),
  });

export const issueEventsQuery = (org: string, issue: string) =>
  infiniteQueryOptions({
    queryKey: ['issue-events', org, issue],
    staleTime: 10_000,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      call<Event[]>('GET', `organizations/${part(org)}/issues/${part(issue)}/events/`, {
        params: { cursor: pageParam, per_page: 25 },
        signal,
      }),
    getNextPageParam: (page) => page.next,
  });

/** Makes a public link, a new one if there is one, or withdraws it. */
/** How far processing the events of an issue again is; asked often while it runs. */
export const reprocessingQuery = (org: string, issue: string) =>
  queryOptions({
    queryKey: ['reprocessing', org, issue],
    queryFn: ({ signal }) =>
      get<Reprocessing>(`/organizations/${part(org)}/issues/${part(issue)}/reprocessing/`, undefined, signal),
    refetchInterval: ({ state }) => (state.data?.status === 'open' ? 1500 : false),
  });

export const processAgain = (org: string, issue: string): Promise<Reprocessing> =>
  send('POST', `/organizations/${part(org)}/issues/${part(issue)}/reprocessing/`, {});

export const shareIssue = (org: string, issue: string, isPublic: boolean): Promise<Issue> =>
  send<Issue>('PUT', `organizations/${part(org)}/issues/${part(issue)}/`, { isPublic });

export const sharedIssueQuery = (share: string) =>
  queryOptions({
    queryKey: ['shared-issue', share],
    staleTime: 60_000,
    retry: false,
    queryFn: ({ signal }) => get<SharedIssue>(`shared/issues/${part(share)}/`, undefined, signal),
  });

const views = (org: string): string => `organizations/${part(org)}/group-search-views/`;

export const viewQuery = (org: string, id: string) =>
  queryOptions({
    queryKey: ['views', org, 'one', id],
    staleTime: 60_000,
    retry: false,
    queryFn: ({ signal }) => get<IssueView>(`${views(org)}${part(id)}/`, undefined, signal),
  });

export const starredViewsQuery = (org: string) =>
  queryOptions({
    queryKey: ['views', org, 'starred'],
    staleTime: 60_000,
    queryFn: ({ signal }) => get<IssueView[]>(`${views(org)}starred/`, undefined, signal),
  });

/** The first hundred views that the caller sees. */
export const viewsQuery = (org: string) =>
  queryOptions({
    queryKey: ['views', org, 'all'],
    staleTime: 60_000,
    queryFn: ({ signal }) => get<IssueView[]>(views(org), { per_page: 100 }, signal),
  });

export const viewsPages = (org: string, createdBy: 'me' | 'others') =>
  pagesQuery<IssueView>(['views', org], views(org), { createdBy, per_page: 50 });

export const createView = (org: string, body: IssueViewBody): Promise<IssueView> =>
  send<IssueView>('POST', views(org), body);
export const updateView = (org: string, id: string, body: Partial<IssueViewBody>): Promise<IssueView> =>
  send<IssueView>('PUT', `${views(org)}${part(id)}/`, body);
export const deleteView = (org: string, id: string): Promise<void> =>
  send<void>('DELETE', `${views(org)}${part(id)}/`);
export const starView = (org: string, id: string, starred: boolean): Promise<void> =>
  send<void>('POST', `${views(org)}${part(id)}/starred/`, { starred });
export const orderViews = (org: string, ids: string[]): Promise<void> =>
  send<void>('PUT', `${views(org)}starred/order/`, { view_ids: ids });

const links = (org: string, issue: string): string =>
  `organizations/${part(org)}/issues/${part(issue)}/external-issues/`;

export const linksQuery = (org: string, issue: string) =>
  queryOptions({
    queryKey: ['issue-links', org, issue],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<IssueLink[]>(links(org, issue), undefined, signal),
  });

export const addLink = (org: string, issue: string, webUrl: string, name: string): Promise<IssueLink> =>
  send<IssueLink>('POST', links(org, issue), { webUrl, ...(name ? { displayName: name } : {}) });

export const removeLink = (org: string, issue: string, id: string): Promise<void> =>
  send<void>('DELETE', `${links(org, issue)}${part(id)}/`);

const notes = (org: string, issue: string): string =>
  `organizations/${part(org)}/issues/${part(issue)}/notes/`;

export const addNote = (org: string, issue: string, text: string): Promise<Note> =>
  send<Note>('POST', notes(org, issue), { text });
export const editNote = (org: string, issue: string, id: string, text: string): Promise<Note> =>
  send<Note>('PUT', `${notes(org, issue)}${part(id)}/`, { text });
export const deleteNote = (org: string, issue: string, id: string): Promise<void> =>
  send<void>('DELETE', `${notes(org, issue)}${part(id)}/`);

export const updateIssues = (org: string, which: Params, update: IssueUpdate): Promise<unknown> =>
  send('PUT', `organizations/${part(org)}/issues/`, update, which);
/** Makes issues of one project one; that with the most events stays. */
export const mergeIssues = (org: string, ids: string[]): Promise<{ merge: { parent: string } }> =>
  send('PUT', `organizations/${part(org)}/issues/`, { merge: 1 }, { id: ids });
/** Deletes issues, and leaves out all events that would be theirs. */
export const discardIssues = (org: string, ids: string[]): Promise<void> =>
  send<void>('PUT', `organizations/${part(org)}/issues/`, { discard: true }, { id: ids });
export const deleteIssues = (org: string, which: Params): Promise<void> =>
  send<void>('DELETE', `organizations/${part(org)}/issues/`, undefined, which);

/** The parameters of a bulk change of everything that the stream's filters match. */
export const matching = (filters: IssueFilters): Params => ({ query: filters.query, ...scope(filters) });

/** What an update makes of an issue on the screen, before the server has answered. */
export function applied<T extends Issue>(issue: T, update: IssueUpdate, people: Actor[]): T {
  const next = { ...issue };
  if (update.status) {
    next.status = update.status;
    next.substatus = update.substatus ?? (update.status === 'unresolved' ? 'ongoing' : null);
    next.statusDetails = update.statusDetails ?? {};
  }
  if (update.assignedTo !== undefined) {
    const id = update.assignedTo.replace(/^user:/, '');
    next.assignedTo =
      update.assignedTo === '' ? null : (people.find((one) => one.id === id) ?? issue.assignedTo);
  }
  if (update.isBookmarked !== undefined) next.isBookmarked = update.isBookmarked;
  if (update.isSubscribed !== undefined) next.isSubscribed = update.isSubscribed;
  if (update.hasSeen !== undefined) next.hasSeen = update.hasSeen;
  if (update.priority !== undefined) next.priority = update.priority;
  return next;
}

/** The update that brings an issue back to what it was. */
export function inverse(before: Issue, update: IssueUpdate): IssueUpdate {
  const back: IssueUpdate = {};
  if (update.status) {
    back.status = before.status;
    back.substatus = before.substatus;
    back.statusDetails = before.statusDetails ?? {};
  }
  if (update.assignedTo !== undefined)
    back.assignedTo = before.assignedTo ? `${before.assignedTo.type}:${before.assignedTo.id}` : '';
  if (update.isBookmarked !== undefined) back.isBookmarked = before.isBookmarked;
  if (update.isSubscribed !== undefined) back.isSubscribed = before.isSubscribed ?? false;
  if (update.hasSeen !== undefined) back.hasSeen = before.hasSeen ?? false;
  if (update.priority !== undefined) back.priority = before.priority ?? 'medium';
  if (update.pendingDeletion !== undefined) back.pendingDeletion = !update.pendingDeletion;
  return back;
}

type Edit = (issue: Issue) => Issue | null;

/** Edits issues in every list and page that shows them; null removes. Returns what puts everything back. */
function editCaches(client: QueryClient, org: string, edit: Edit): () => void {
  const before: [readonly unknown[], unknown][] = [];
  const editItems = (items: Issue[], query: string, keepAll: boolean): Issue[] =>
    items.flatMap((issue) => {
      const next = edit(issue);
      if (next === issue) return [issue];
      if (next === null) return [];
      const state = { status: next.status, substatus: next.substatus, assigned: next.assignedTo !== null };
      return keepAll || stillMatches(query, state) ? [next] : [];
    });
  for (const query of client.getQueryCache().findAll({ queryKey: ['issues', org] })) {
    const data = query.state.data as Pages | Page | undefined;
    if (!data) continue;
    const text = (query.queryKey[3] as IssueFilters).query;
    before.push([query.queryKey, data]);
    if ('pages' in data) {
      const pages = data.pages.map((page) => {
        const kept = editItems(page.data, text, false);
        const gone = page.data.length - kept.length;
        return { ...page, data: kept, hits: page.hits === null ? null : page.hits - gone };
      });
      client.setQueryData(query.queryKey, { ...data, pages });
    } else {
      const kept = editItems(data.data, text, false);
      client.setQueryData(query.queryKey, { ...data, data: kept });
    }
  }
  for (const query of client.getQueryCache().findAll({ queryKey: ['issue', org] })) {
    const data = query.state.data as IssueDetails | undefined;
    if (!data) continue;
    before.push([query.queryKey, data]);
    client.setQueryData(query.queryKey, editItems([data], '', true)[0] ?? data);
  }
  return () => {
    for (const [key, data] of before) client.setQueryData(key, data);
  };
}

const why = (error: unknown): string => (error instanceof ApiError ? error.detail : String(error));

/** Changes of issues: at once on the screen, taken back when the server refuses, and undone by a click or `z`. */
export function useIssueChanges(org: string, members: Member[] | undefined, me: User | null) {
  const client = useQueryClient();

  const settle = useCallback(() => {
    void client.invalidateQueries({ queryKey: ['issue-counts', org] });
    void client.invalidateQueries({ queryKey: ['issue', org] });
  }, [client, org]);

  const change = useCallback(
    async (targets: Issue[], update: IssueUpdate, text: string): Promise<void> => {
      if (targets.length === 0) return;
      const people: Actor[] = [
        ...(members ?? []).flatMap((member) =>
          member.user
            ? [
                {
                  type: 'user' as const,
                  id: member.user.id,
                  name: member.name || member.email,
                  email: member.email,
                },
              ]
            : [],
        ),
        ...(me ? [{ type: 'user' as const, id: me.id, name: me.name || me.email, email: me.email }] : []),
      ];
      const ids = new Set(targets.map((issue) => issue.id));
      await client.cancelQueries({ queryKey: ['issues', org] });
      const restore = editCaches(client, org, (issue) =>
        ids.has(issue.id) ? applied(issue, update, people) : issue,
      );
      const undo = async (): Promise<void> => {
        restore();
        const groups = new Map<string, { update: IssueUpdate; ids: string[] }>();
        for (const issue of targets) {
          const back = inverse(issue, update);
          const group = groups.get(JSON.stringify(back)) ?? { update: back, ids: [] };
          group.ids.push(issue.id);
          groups.set(JSON.stringify(back), group);
        }
        try {
          for (const group of groups.values()) await updateIssues(org, { id: group.ids }, group.update);
        } catch (error) {
          toast(t('Could not undo: {why}', { why: why(error) }));
        }
        settle();
      };
      try {
        await updateIssues(org, { id: [...ids] }, update);
        toast(text, () => void undo());
      } catch (error) {
        restore();
        toast(t('Nothing was changed: {why}', { why: why(error) }));
      }
      settle();
    },
    [client, org, members, me, settle],
  );

  const remove = useCallback(
    async (targets: Issue[]): Promise<boolean> => {
      const ids = new Set(targets.map((issue) => issue.id));
      await client.cancelQueries({ queryKey: ['issues', org] });
      const restore = editCaches(client, org, (issue) => (ids.has(issue.id) ? null : issue));
      const undo = async (): Promise<void> => {
        restore();
        try {
          await updateIssues(org, { id: [...ids] }, { pendingDeletion: false });
        } catch (error) {
          toast(t('Could not undo: {why}', { why: why(error) }));
          void client.invalidateQueries({ queryKey: ['issues', org] });
        }
        settle();
      };
      try {
        await deleteIssues(org, { id: [...ids] });
        toast(t('{issues} deleted', { issues: plural(ids.size, 'issue', 'issues') }), () => void undo());
        settle();
        return true;
      } catch (error) {
        restore();
        toast(t('Nothing was deleted: {why}', { why: why(error) }));
        return false;
      }
    },
    [client, org, settle],
  );

  /** Merges issues; the stream is read again, as what stays is for the server to say. */
  const merge = useCallback(
    async (targets: Issue[]): Promise<void> => {
      try {
        await mergeIssues(
          org,
          targets.map((issue) => issue.id),
        );
        toast(t('{issues} merged', { issues: plural(targets.length, 'issue', 'issues') }));
      } catch (error) {
        toast(t('Nothing was merged: {why}', { why: why(error) }));
      }
      await client.invalidateQueries({ queryKey: ['issues', org] });
      settle();
    },
    [client, org, settle],
  );

  /** A change of everything that matches: too wide to be undone by id, so it was asked for once more before. */
  const changeAll = useCallback(
    async (filters: IssueFilters, update: IssueUpdate | null, text: string): Promise<void> => {
      try {
        if (update) await updateIssues(org, matching(filters), update);
        else await deleteIssues(org, matching(filters));
        toast(text);
      } catch (error) {
        toast(t('Nothing was changed: {why}', { why: why(error) }));
      }
      await client.invalidateQueries({ queryKey: ['issues', org] });
      settle();
    },
    [client, org, settle],
  );

  return { change, remove, merge, changeAll };
}
