import type { SearchField } from '../api/types.ts';

/** The keys that are known before the server has named its own, so that the first suggestion needs no request. */
export const BUILT_IN: SearchField[] = [
  {
    key: 'is',
    kind: 'is',
    doc: 'unresolved, resolved, archived…',
    values: [
      'unresolved',
      'resolved',
      'archived',
      'new',
      'ongoing',
      'escalating',
      'regressed',
      'assigned',
      'unassigned',
    ],
  },
  { key: 'assigned', kind: 'user', doc: 'me, none, an e-mail address', values: ['me', 'none'] },
  {
    key: 'level',
    kind: 'text',
    doc: 'fatal, error, warning…',
    values: ['fatal', 'error', 'warning', 'info', 'debug'],
  },
  { key: 'release', kind: 'text', doc: 'a version, or latest', values: ['latest'] },
  { key: 'environment', kind: 'text', doc: 'production, staging…' },
  { key: 'message', kind: 'text', doc: 'words in the message' },
  { key: 'title', kind: 'text', doc: 'words in the title' },
  { key: 'error.type', kind: 'text', doc: 'the type of the exception' },
  { key: 'error.value', kind: 'text', doc: 'the text of the exception' },
  { key: 'error.unhandled', kind: 'boolean', doc: 'true or false', values: ['true', 'false'] },
  { key: 'error.handled', kind: 'boolean', doc: 'true or false', values: ['true', 'false'] },
  { key: 'stack.filename', kind: 'text', doc: 'a file in the stack trace' },
  { key: 'stack.function', kind: 'text', doc: 'a function in the stack trace' },
  { key: 'stack.module', kind: 'text', doc: 'a module in the stack trace' },
  { key: 'user.email', kind: 'text', doc: 'who was affected' },
  { key: 'user.id', kind: 'text', doc: 'who was affected' },
  { key: 'http.url', kind: 'text', doc: 'the address of the request' },
  { key: 'http.method', kind: 'text', doc: 'GET, POST…', values: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
  { key: 'timesSeen', kind: 'number', doc: 'a number of events, such as >100' },
  {
    key: 'firstSeen',
    kind: 'date',
    doc: 'such as -24h or >2026-11-01',
    values: ['-1h', '-24h', '-7d', '+7d'],
  },
  {
    key: 'lastSeen',
    kind: 'date',
    doc: 'such as -24h or >2026-11-01',
    values: ['-1h', '-24h', '-7d', '+7d'],
  },
  { key: 'age', kind: 'date', doc: 'such as -24h', values: ['-1h', '-24h', '-7d', '+7d'] },
  { key: 'has', kind: 'key', doc: 'a key that is present' },
  { key: 'platform', kind: 'text', doc: 'python, javascript…' },
  { key: 'transaction', kind: 'text', doc: 'the route or task' },
  { key: 'os', kind: 'text', doc: 'the operating system' },
  { key: 'browser', kind: 'text', doc: 'the browser' },
  { key: 'trace', kind: 'text', doc: 'a trace id' },
  { key: 'id', kind: 'text', doc: 'an event id' },
];

/** The server's keys first, then those that only we know. */
export function mergeFields(
  served: SearchField[] | undefined,
  tags: { key: string }[] | undefined,
): SearchField[] {
  const merged = new Map<string, SearchField>();
  for (const field of BUILT_IN) merged.set(field.key, field);
  for (const field of served ?? [])
    merged.set(field.key, { ...field, values: field.values ?? merged.get(field.key)?.values });
  for (const tag of tags ?? [])
    if (!merged.has(tag.key)) merged.set(tag.key, { key: tag.key, kind: 'tag', doc: 'a tag' });
  return [...merged.values()];
}
