import type { RequestData } from '../api/types.ts';
import { readable } from './text.ts';

/** A text as one word of a POSIX shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The query of a request as it stands in an address. */
export function queryText(query: RequestData['query']): string {
  if (!query) return '';
  if (typeof query === 'string') return query.replace(/^\?/, '');
  return query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value ?? '')}`)
    .join('&');
}

/** The request as a command for a POSIX shell; everything is quoted. */
export function toCurl(request: RequestData): string {
  const query = queryText(request.query);
  const url = `${request.url ?? ''}${query && !request.url?.includes('?') ? `?${query}` : ''}`;
  const method = (request.method ?? 'GET').toUpperCase();
  const parts = ['curl'];
  if (method !== 'GET') parts.push(`-X ${quote(method)}`);
  for (const [name, value] of request.headers ?? []) parts.push(`-H ${quote(`${name}: ${value ?? ''}`)}`);
  if (request.data !== null && request.data !== undefined && request.data !== '')
    parts.push(`--data-raw ${quote(readable(request.data))}`);
  parts.push(quote(url));
  return parts.join(' \\\n  ');
}
