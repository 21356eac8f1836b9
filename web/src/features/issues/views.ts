import type { QueryClient } from '@tanstack/react-query';
import { redirect } from '@tanstack/react-router';
import type { IssueView, IssueViewBody } from '../../api/types.ts';
import { organizationsQuery } from '../organizations/queries.ts';
import { type Sort, viewQuery } from './queries.ts';
import { DEFAULT_QUERY, SORTS, type StreamSearch, toFilters } from './search.ts';

/** The stream's state that a view describes. */
export function viewSearch(view: IssueView): StreamSearch {
  const { period, start, end } = view.timeFilters ?? {};
  const sort = view.querySort as Sort;
  const everywhere = view.isAllProjects || view.projects.length === 0 || view.projects.includes(-1);
  return {
    view: view.id,
    query: view.query,
    sort: SORTS.includes(sort) && sort !== 'date' ? sort : undefined,
    ...(start && end ? { start, end } : { statsPeriod: period ?? undefined }),
    project: everywhere ? undefined : view.projects.map(String),
    environment: view.environments.length > 0 ? view.environments : undefined,
  };
}

/** What a view keeps of the stream's state. */
export function viewBody(search: StreamSearch): Omit<IssueViewBody, 'name' | 'visibility'> {
  const filters = toFilters(search);
  const projects = (filters.project ?? []).map(Number).filter((id) => Number.isInteger(id) && id > 0);
  return {
    query: filters.query,
    querySort: filters.sort,
    projects,
    isAllProjects: projects.length === 0,
    environments: filters.environment ?? [],
    timeFilters: filters.start
      ? { start: filters.start, end: filters.end, period: null }
      : { period: filters.statsPeriod ?? '14d' },
  };
}

/** Whether the stream shows something else than the view says. */
export function differs(view: IssueView, search: StreamSearch): boolean {
  return JSON.stringify(viewBody(viewSearch(view))) !== JSON.stringify(viewBody(search));
}

/**
 * Fills an address that names nothing but a view, and an empty one by the view that the organization opens first. A
 * view that is not there any more is no reason to show nothing.
 */
export async function openView(client: QueryClient, org: string, search: StreamSearch): Promise<void> {
  const { view, ...rest } = search;
  if (Object.values(rest).some((value) => value !== undefined)) return;
  const found = await (async () => {
    try {
      let id = view;
      if (!id) {
        const all = await client.fetchQuery(organizationsQuery);
        id = all.find((one) => one.slug === org)?.defaultIssueView ?? undefined;
      }
      return id ? await client.fetchQuery(viewQuery(org, id)) : null;
    } catch {
      return null;
    }
  })();
  if (!found && !view) return;
  throw redirect({
    to: '/organizations/$org/issues/',
    params: { org },
    search: found ? viewSearch(found) : { query: DEFAULT_QUERY },
    replace: true,
  });
}
