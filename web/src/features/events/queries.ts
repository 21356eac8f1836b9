import { queryOptions } from '@tanstack/react-query';
import { ApiError, apiUrl, get, part } from '../../api/client.ts';
import type {
  Attachment,
  Committer,
  Event,
  Frame,
  GroupingVariant,
  SourceLink,
  SourceMapDebug,
} from '../../api/types.ts';

const ofProject = (org: string, project: string, event: string): string =>
  `projects/${part(org)}/${part(project)}/events/${part(event)}/`;

/** An event of an issue by its id, or `latest`, `oldest`, `recommended`. */
export const issueEventQuery = (org: string, issue: string, event: string) =>
  queryOptions({
    queryKey: ['event', org, issue, event],
    staleTime: /^(latest|oldest|recommended)$/.test(event) ? 15_000 : Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const path = (which: string): string =>
        `organizations/${part(org)}/issues/${part(issue)}/events/${part(which)}/`;
      try {
        return await get<Event>(path(event), undefined, signal);
      } catch (error) {
        if (event === 'recommended' && error instanceof ApiError && error.status === 404) {
          return await get<Event>(path('latest'), undefined, signal);
        }
        throw error;
      }
    },
  });

export const attachmentsQuery = (org: string, project: string, event: string) =>
  queryOptions({
    queryKey: ['attachments', org, project, event],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      get<Attachment[]>(`${ofProject(org, project, event)}attachments/`, undefined, signal),
  });

export const committersQuery = (org: string, project: string, event: string) =>
  queryOptions({
    queryKey: ['committers', org, project, event],
    staleTime: 5 * 60_000,
    retry: false,
    queryFn: async ({ signal }) =>
      (
        await get<{ committers: Committer[] }>(
          `${ofProject(org, project, event)}committers/`,
          undefined,
          signal,
        )
      ).committers,
  });

/** Where the line of a frame stands in a repository; asked when the frame is open. */
export const sourceLinkQuery = (org: string, project: string, frame: Frame, platform: string | null) => {
  const params = {
    file: frame.filename ?? frame.absPath,
    lineNo: frame.lineNo,
    absPath: frame.absPath,
    module: frame.module,
    platform,
  };
  return queryOptions({
    queryKey: ['source-link', org, project, params],
    staleTime: 5 * 60_000,
    retry: false,
    queryFn: ({ signal }) =>
      get<SourceLink>(`projects/${part(org)}/${part(project)}/stacktrace-link/`, params, signal),
  });
};

export const groupingQuery = (org: string, project: string, event: string) =>
  queryOptions({
    queryKey: ['grouping', org, project, event],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      get<Record<string, GroupingVariant>>(
        `${ofProject(org, project, event)}grouping-info/`,
        undefined,
        signal,
      ),
  });

/** How the sources of an event's frames were looked for. */
export const sourceMapDebugQuery = (org: string, project: string, event: string) =>
  queryOptions({
    queryKey: ['source-map-debug', org, project, event],
    staleTime: 30_000,
    queryFn: ({ signal }) =>
      get<SourceMapDebug>(`${ofProject(org, project, event)}source-map-debug/`, undefined, signal),
  });

export const rawEventQuery = (org: string, project: string, event: string) =>
  queryOptions({
    queryKey: ['raw-event', org, project, event],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => get<unknown>(`${ofProject(org, project, event)}json/`, undefined, signal),
  });

export const rawEventUrl = (org: string, project: string, event: string): string =>
  apiUrl(`${ofProject(org, project, event)}json/`);

export const attachmentUrl = (org: string, project: string, event: string, id: string): string =>
  apiUrl(`${ofProject(org, project, event)}attachments/${part(id)}/`, { download: 1 });
