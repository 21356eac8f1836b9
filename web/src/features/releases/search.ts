import { one } from '../../lib/search.ts';

export interface ReleasesSearch {
  query?: string;
  sort?: 'semver';
  status?: 'archived';
}

/** What the address of the list says. */
export function validateReleasesSearch(raw: Record<string, unknown>): ReleasesSearch {
  return {
    query: one(raw.query) || undefined,
    sort: one(raw.sort) === 'semver' ? 'semver' : undefined,
    status: one(raw.status) === 'archived' ? 'archived' : undefined,
  };
}
