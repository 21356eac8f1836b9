import { queryOptions } from '@tanstack/react-query';
import { get, part } from '../../api/client.ts';
import type { Environment, Member, Organization, SearchField, TagValue } from '../../api/types.ts';

const SLOW = 5 * 60_000;

export const organizationsQuery = queryOptions({
  queryKey: ['organizations'],
  staleTime: SLOW,
  queryFn: ({ signal }) => get<Organization[]>('organizations/', undefined, signal),
});

export const membersQuery = (org: string) =>
  queryOptions({
    queryKey: ['members', org],
    staleTime: SLOW,
    queryFn: ({ signal }) => get<Member[]>(`organizations/${part(org)}/members/`, undefined, signal),
  });

export const environmentsQuery = (org: string) =>
  queryOptions({
    queryKey: ['environments', org],
    staleTime: SLOW,
    queryFn: ({ signal }) =>
      get<Environment[]>(`organizations/${part(org)}/environments/`, undefined, signal),
  });

export const searchFieldsQuery = (org: string) =>
  queryOptions({
    queryKey: ['search-fields', org],
    staleTime: SLOW,
    queryFn: ({ signal }) =>
      get<SearchField[]>(`organizations/${part(org)}/search/fields/`, undefined, signal),
  });

export const tagKeysQuery = (org: string) =>
  queryOptions({
    queryKey: ['tag-keys', org],
    staleTime: SLOW,
    queryFn: ({ signal }) =>
      get<{ key: string; name: string; totalValues: number }[]>(
        `organizations/${part(org)}/tags/`,
        undefined,
        signal,
      ),
  });

export const tagValuesQuery = (org: string, key: string, prefix: string) =>
  queryOptions({
    queryKey: ['tag-values', org, key, prefix],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      get<TagValue[]>(`organizations/${part(org)}/tags/${part(key)}/values/`, { query: prefix }, signal),
  });
