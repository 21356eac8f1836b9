import { many, one } from '../../lib/search.ts';
import { createStore } from '../../lib/store.ts';
import type { IssueFilters, Sort } from './queries.ts';

/** The stream's state in the address; what is missing has its default. */
export interface StreamSearch {
  query?: string;
  sort?: Sort;
  statsPeriod?: string;
  start?: string;
  end?: string;
  project?: string[];
  environment?: string[];
  /** The view that was opened; what it says stands beside it and may have been changed. */
  view?: string;
}

export const DEFAULT_QUERY = 'is:unresolved';
export const SORTS: readonly Sort[] = ['date', 'new', 'freq', 'user'];

export function validateStreamSearch(raw: Record<string, unknown>): StreamSearch {
  const sort = one(raw.sort) as Sort | undefined;
  return {
    query: one(raw.query),
    sort: sort && SORTS.includes(sort) ? sort : undefined,
    statsPeriod: one(raw.statsPeriod),
    start: one(raw.start),
    end: one(raw.end),
    project: many(raw.project),
    environment: many(raw.environment),
    view: one(raw.view),
  };
}

export function toFilters(search: StreamSearch): IssueFilters {
  const range =
    search.start && search.end
      ? { start: search.start, end: search.end }
      : { statsPeriod: search.statsPeriod ?? '14d' };
  return {
    query: search.query ?? DEFAULT_QUERY,
    sort: search.sort ?? 'date',
    ...range,
    ...(search.project ? { project: search.project } : {}),
    ...(search.environment ? { environment: search.environment } : {}),
  };
}

/** Where the stream was left, so that coming back finds the same list and row. */
export const lastStream = createStore<{ search: StreamSearch; issue: string | null }>({
  search: {},
  issue: null,
});
