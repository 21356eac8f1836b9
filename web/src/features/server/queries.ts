import { queryOptions } from '@tanstack/react-query';
import { get, part, send } from '../../api/client.ts';
import { pagesQuery } from '../../api/pages.ts';
import type { User } from '../../api/types.ts';

export interface Health {
  version: string;
  server?: { delaySeconds: number; queueRecords: number };
}

export interface ServerStatus {
  version: string;
  uptimeSeconds: number;
  database: string;
  queue: { records: number; bytes: number; limitBytes: number; delaySeconds: number };
  throughput: { acceptedPerSecond: number; storedPerSecond: number };
  memoryBytes: number | null;
  disk: {
    freeBytes: number;
    totalBytes: number;
    bytesPerDay: number;
    fullInDays: number | null;
    droppedForSpace: { partition: string; bytes: number; dateDropped: string }[];
  };
  stores: { name: string; bytes: number }[];
  setAside: number;
  failures: number;
  outcomes: { outcome: string; category: string; reason: string; quantity: number }[];
  projects: { project: string; accepted: number; discarded: number }[];
  problems: { level: 'error' | 'warning'; text: string; advice: string }[];
}

export interface SetAside {
  id: string;
  projectSlug: string | null;
  eventId: string | null;
  error: string;
  size: number;
  dateCreated: string;
  payload?: string;
  payloadTruncated?: boolean;
}

/** How far the server is; asked while a page that lives from events is open. */
export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => get<Health>('internal/health/', undefined, signal),
  refetchInterval: 10_000,
});

export const statusQuery = queryOptions({
  queryKey: ['server-status'],
  queryFn: ({ signal }) => get<ServerStatus>('internal/status/', undefined, signal),
  refetchInterval: 5_000,
});

export const setAsideQuery = queryOptions({
  queryKey: ['set-aside'],
  queryFn: ({ signal }) => get<SetAside[]>('internal/set-aside/', { limit: 50 }, signal),
});

export const setAsideItem = (id: string) => get<SetAside>(`internal/set-aside/${part(id)}/`);
export const retrySetAside = (id: string) => send('POST', `internal/set-aside/${part(id)}/`);
export const dropSetAside = (id: string) => send('DELETE', `internal/set-aside/${part(id)}/`);

/** An account of the installation. */
export interface AccountOfServer extends User {
  isActive: boolean;
  dateJoined: string;
  lastLogin: string | null;
  organizations: { slug: string; name: string; role: string }[];
  /** Only in the answer that makes it. */
  passwordLink?: string;
}

export const usersPages = (query: string) =>
  pagesQuery<AccountOfServer>(['server-users'], 'users/', { query, per_page: 50 });

export const createUser = (account: {
  email: string;
  name: string;
  isSuperuser: boolean;
}): Promise<AccountOfServer> => send<AccountOfServer>('POST', 'users/', account);

export const updateUser = (
  id: string,
  change: { isActive?: boolean; isSuperuser?: boolean; isVerified?: boolean },
): Promise<AccountOfServer> => send<AccountOfServer>('PUT', `users/${part(id)}/`, change);

export const deleteUser = (id: string): Promise<void> => send<void>('DELETE', `users/${part(id)}/`);

export const passwordLink = (id: string): Promise<{ passwordLink: string }> =>
  send<{ passwordLink: string }>('POST', `users/${part(id)}/password-reset/`);

export const removeFactors = (id: string): Promise<void> =>
  send<void>('DELETE', `users/${part(id)}/authenticators/`);

export const endSessions = (id: string): Promise<void> => send<void>('DELETE', `users/${part(id)}/sessions/`);

export interface ServerOptions {
  registration: boolean;
  singleOrganization: boolean;
  sendsMail: boolean;
}

export const optionsQuery = queryOptions({
  queryKey: ['server-options'],
  queryFn: ({ signal }) => get<ServerOptions>('internal/options/', undefined, signal),
});

export const changeOptions = (change: Partial<ServerOptions>): Promise<ServerOptions> =>
  send<ServerOptions>('PUT', 'internal/options/', change);
