import { ownUrl } from '../lib/base.ts';
import { createStore } from '../lib/store.ts';
import { parseLink } from './cursors.ts';

type Scalar = string | number | boolean;
export type Params = Record<string, Scalar | readonly Scalar[] | null | undefined>;

/** An answer with what its headers say about paging. */
export interface Reply<T> {
  data: T;
  hits: number | null;
  /** There are more than `hits`: the server counted no further. */
  more: boolean;
  next: string | null;
  previous: string | null;
}

/** A request that failed; `status` is 0 when no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly fields: Record<string, string[]> = {},
    readonly position: { start: number; end: number } | null = null,
    readonly retryAfter: number | null = null,
    readonly requestId: string | null = null,
    /** What has to be done first, as the server names it. */
    readonly code: string | null = null,
    /** Where to sign in instead, when the organization asks for its single sign-on. */
    readonly loginUrl: string | null = null,
  ) {
    super(detail);
  }
}

/** Asks the person once more who they are; answers whether they showed it. The page that is open sets it. */
export const confirmation: { ask: (() => Promise<boolean>) | null } = { ask: null };

/** Turns true when the server says that the session is over. */
export const signedOut = createStore(false);

function search(params: Params | undefined): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

export function apiUrl(path: string, params?: Params): string {
  return ownUrl(`api/0/${path}${search(params)}`);
}

async function failure(response: Response): Promise<ApiError> {
  let body: unknown = null;
  try {
    body = await response.json();
  } catch {
    // Not JSON: a proxy may have answered.
  }
  const record = body !== null && typeof body === 'object' ? (body as Record<string, unknown>) : {};
  const fields: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(record)) {
    if (Array.isArray(value)) fields[name] = value.map(String);
  }
  const nested = record.detail as { message?: unknown; code?: unknown } | string | undefined;
  const code = typeof nested === 'object' && typeof nested.code === 'string' ? nested.code : null;
  const said = typeof nested === 'string' ? nested : nested?.message;
  const detail =
    typeof said === 'string'
      ? said
      : (Object.values(fields)[0]?.[0] ??
        `The server answered ${response.status} ${response.statusText}`.trim());
  const position = record.position as { start?: unknown; end?: unknown } | undefined;
  const retry = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiError(
    response.status,
    detail,
    fields,
    typeof position?.start === 'number' && typeof position.end === 'number'
      ? { start: position.start, end: position.end }
      : null,
    Number.isFinite(retry) ? retry : null,
    response.headers.get('X-Request-Id'),
    code,
    record.code === 'sso-required' && typeof record.loginUrl === 'string' ? record.loginUrl : null,
  );
}

interface Options {
  params?: Params;
  body?: unknown;
  signal?: AbortSignal;
}

/** One request to `api/0/`; throws `ApiError` for everything that is not a success. */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<Reply<T>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Requested-With'] = 'Vedette';
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(apiUrl(path, options.params), {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      credentials: 'same-origin',
      signal: options.signal,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, 'The server cannot be reached. Check the connection and that Vedette is running.');
  }
  if (!response.ok) {
    const error = await failure(response);
    // Dangerous acts go on when the person has shown who they are.
    if (error.code === 'sudo-required' && (await confirmation.ask?.())) return call(method, path, options);
    if (response.status === 401 && !error.code && !path.startsWith('auth/')) signedOut.set(true);
    throw error;
  }
  const text = await response.text();
  const links = parseLink(response.headers.get('Link'));
  const hits = response.headers.get('X-Hits');
  let data: T;
  try {
    data = (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new ApiError(
      response.status,
      'The answer is not JSON: something between this page and Vedette answered.',
    );
  }
  return {
    data,
    hits: hits === null ? null : Number(hits),
    more: response.headers.has('X-Max-Hits'),
    next: links.next,
    previous: links.previous,
  };
}

export async function get<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  return (await call<T>('GET', path, { params, signal })).data;
}

export async function send<T>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  params?: Params,
): Promise<T> {
  return (await call<T>(method, path, { body, params })).data;
}

/** A part of a path that comes from data. */
export const part = encodeURIComponent;
