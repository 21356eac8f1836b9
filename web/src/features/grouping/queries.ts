import { queryOptions } from '@tanstack/react-query';
import { get, part, send } from '../../api/client.ts';
import type {
  Comparison,
  DiscardedIssue,
  IssueHash,
  RulesDraft,
  RulesPreview,
  SimilarIssue,
} from '../../api/types.ts';

const ofIssue = (org: string, issue: string): string => `organizations/${part(org)}/issues/${part(issue)}/`;
const ofProject = (org: string, slug: string): string => `projects/${part(org)}/${part(slug)}/`;

export const hashesQuery = (org: string, issue: string) =>
  queryOptions({
    queryKey: ['hashes', org, issue],
    staleTime: 10_000,
    queryFn: ({ signal }) => get<IssueHash[]>(`${ofIssue(org, issue)}hashes/`, undefined, signal),
  });

export const similarQuery = (org: string, issue: string) =>
  queryOptions({
    queryKey: ['similar', org, issue],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<SimilarIssue[]>(`${ofIssue(org, issue)}similar/`, undefined, signal),
  });

export const compareQuery = (org: string, issue: string, other: string) =>
  queryOptions({
    queryKey: ['compare', org, issue, other],
    staleTime: 30_000,
    queryFn: ({ signal }) =>
      get<Comparison>(`${ofIssue(org, issue)}compare/${part(other)}/`, undefined, signal),
  });

export const discardedQuery = (org: string, slug: string) =>
  queryOptions({
    queryKey: ['discarded', org, slug],
    staleTime: 30_000,
    queryFn: ({ signal }) => get<DiscardedIssue[]>(`${ofProject(org, slug)}tombstones/`, undefined, signal),
  });

/** Takes hashes out of an issue into a new one. */
export const takeOut = (
  org: string,
  issue: string,
  hashes: string[],
): Promise<{ issue: { shortId: string } }> =>
  send('PUT', `${ofIssue(org, issue)}hashes/`, undefined, { id: hashes });

/** What rules would make of recent events; nothing is saved. */
export const previewRules = (org: string, slug: string, rules: RulesDraft): Promise<RulesPreview> =>
  send<RulesPreview>('POST', `${ofProject(org, slug)}grouping-preview/`, rules);

/** Takes a discarded issue back: its events are stored again. */
export const takeBack = (org: string, slug: string, id: string): Promise<void> =>
  send<void>('DELETE', `${ofProject(org, slug)}tombstones/${part(id)}/`);
