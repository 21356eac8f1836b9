import { queryOptions } from '@tanstack/react-query';
import { get, part, send } from '../../api/client.ts';
import type { Project, ProjectFilter, ProjectKey } from '../../api/types.ts';

const path = (org: string, slug: string): string => `projects/${part(org)}/${part(slug)}/`;

export const projectsQuery = (org: string) =>
  queryOptions({
    queryKey: ['projects', org],
    staleTime: 60_000,
    queryFn: ({ signal }) => get<Project[]>(`organizations/${part(org)}/projects/`, undefined, signal),
  });

export const projectQuery = (org: string, slug: string) =>
  queryOptions({
    queryKey: ['project', org, slug],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<Project>(path(org, slug), undefined, signal),
  });

export const keysQuery = (org: string, slug: string) =>
  queryOptions({
    queryKey: ['project-keys', org, slug],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<ProjectKey[]>(`${path(org, slug)}keys/`, undefined, signal),
  });

export const filtersQuery = (org: string, slug: string) =>
  queryOptions({
    queryKey: ['project-filters', org, slug],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<ProjectFilter[]>(`${path(org, slug)}filters/`, undefined, signal),
  });

export const setFilter = (
  org: string,
  slug: string,
  filter: string,
  active: boolean | string[],
): Promise<void> =>
  send<void>(
    'PUT',
    `${path(org, slug)}filters/${part(filter)}/`,
    Array.isArray(active) ? { subfilters: active } : { active },
  );

export const createProject = (
  org: string,
  body: { name: string; slug?: string; platform?: string },
): Promise<Project> => send<Project>('POST', `organizations/${part(org)}/projects/`, body);

export const updateProject = (org: string, slug: string, body: Partial<Project>): Promise<Project> =>
  send<Project>('PUT', path(org, slug), body);

export const deleteProject = (org: string, slug: string): Promise<void> =>
  send<void>('DELETE', path(org, slug));

export const createKey = (org: string, slug: string, name: string): Promise<ProjectKey> =>
  send<ProjectKey>('POST', `${path(org, slug)}keys/`, { name });

export const updateKey = (
  org: string,
  slug: string,
  id: string,
  body: { name?: string; isActive?: boolean; rateLimit?: { count: number; window: number } | null },
): Promise<ProjectKey> => send<ProjectKey>('PUT', `${path(org, slug)}keys/${part(id)}/`, body);

export const deleteKey = (org: string, slug: string, id: string): Promise<void> =>
  send<void>('DELETE', `${path(org, slug)}keys/${part(id)}/`);

/** Rules of ownership, and what happens to new issues. */
export interface Ownership {
  raw: string | null;
  autoAssignment: string;
}

export const ownershipQuery = (org: string, slug: string) =>
  queryOptions({
    queryKey: ['ownership', org, slug],
    queryFn: ({ signal }) => get<Ownership>(`${path(org, slug)}ownership/`, undefined, signal),
  });

export const updateOwnership = (org: string, slug: string, change: Partial<Ownership>): Promise<Ownership> =>
  send<Ownership>('PUT', `${path(org, slug)}ownership/`, change);
