import type { Issue } from '../api/types.ts';

/** The type in bold and the text beside it, as the metadata gives them; the title when they are missing. */
export function titleParts(issue: Pick<Issue, 'title' | 'metadata'>): [string, string] {
  const { type, value, title } = issue.metadata ?? {};
  if (type) return [type, value ?? ''];
  return [title || issue.title, ''];
}
