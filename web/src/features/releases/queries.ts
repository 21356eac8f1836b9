import { queryOptions } from '@tanstack/react-query';
import { get, part, send } from '../../api/client.ts';
import { pagesQuery } from '../../api/pages.ts';
import type { Commit, Deploy, Issue, Release } from '../../api/types.ts';

const of = (org: string, version: string) => `organizations/${part(org)}/releases/${part(version)}/`;

export interface ReleaseFilters {
  query?: string;
  sort?: 'date' | 'semver';
  status?: 'open' | 'archived';
  project?: string[];
}

export const releasesQuery = (org: string, filters: ReleaseFilters) =>
  pagesQuery<Release>(['releases', org], `organizations/${part(org)}/releases/`, {
    ...filters,
    per_page: 50,
  });

export const releaseQuery = (org: string, version: string) =>
  queryOptions({
    queryKey: ['releases', org, 'one', version],
    queryFn: ({ signal }) => get<Release>(of(org, version), undefined, signal),
  });

export const commitsQuery = (org: string, version: string) =>
  pagesQuery<Commit>(['releases', org, 'commits', version], `${of(org, version)}commits/`, { per_page: 25 });

export const deploysQuery = (org: string, version: string) =>
  pagesQuery<Deploy>(['releases', org, 'deploys', version], `${of(org, version)}deploys/`, { per_page: 25 });

/** Issues that a search finds over all of the time that is kept. */
export const foundQuery = (org: string, query: string) =>
  pagesQuery<Issue>(['issues', org, 'found', query], `organizations/${part(org)}/issues/`, {
    query,
    statsPeriod: '90d',
    limit: 10,
  });

export const changeRelease = (org: string, version: string, change: Partial<Release>): Promise<Release> =>
  send<Release>('PUT', of(org, version), change);

export const deleteRelease = (org: string, version: string): Promise<void> =>
  send<void>('DELETE', of(org, version));
