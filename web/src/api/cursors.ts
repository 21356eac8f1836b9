/** The cursors of a `Link` header; null where it says that there are no results that way. */
export function parseLink(header: string | null): { next: string | null; previous: string | null } {
  const found: { next: string | null; previous: string | null } = { next: null, previous: null };
  for (const entry of header?.split(/,\s*(?=<)/) ?? []) {
    const rel = /;\s*rel="(next|previous)"/.exec(entry)?.[1] as 'next' | 'previous' | undefined;
    if (rel && /;\s*results="true"/.test(entry)) found[rel] = /;\s*cursor="([^"]*)"/.exec(entry)?.[1] ?? null;
  }
  return found;
}
