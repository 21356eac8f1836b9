import { queryOptions } from '@tanstack/react-query';
import { get, part, send } from '../../api/client.ts';

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
