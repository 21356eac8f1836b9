import { queryOptions } from '@tanstack/react-query';
import { apiUrl, get, part, send } from '../../api/client.ts';
import { pagesQuery } from '../../api/pages.ts';
import type { PublicServer, SymbolSource } from '../../api/sources.ts';
import type { ArtifactBundle, BundleFile, DebugFile } from '../../api/types.ts';

const path = (org: string, slug: string): string => `projects/${part(org)}/${part(slug)}/`;
const bundles = (org: string, slug: string): string => `${path(org, slug)}files/artifact-bundles/`;
const bundle = (org: string, slug: string, id: string): string =>
  `${path(org, slug)}artifact-bundles/${part(id)}/files/`;
const sources = (org: string, slug: string): string => `${path(org, slug)}symbol-sources/`;
const debugFiles = (org: string, slug: string): string => `${path(org, slug)}files/dsyms/`;

/** Bundles of scripts and source maps, the newest first. */
export const bundlesPages = (org: string, slug: string, query: string) =>
  pagesQuery<ArtifactBundle>(['artifact-bundles', org, slug], bundles(org, slug), {
    query: query || null,
    per_page: 50,
  });

export const bundleQuery = (org: string, slug: string, id: string) =>
  queryOptions({
    queryKey: ['artifact-bundles', org, slug, id],
    queryFn: ({ signal }) => get<ArtifactBundle>(bundle(org, slug, id), { per_page: 1 }, signal),
  });

export const bundleFilesPages = (org: string, slug: string, id: string, query: string) =>
  pagesQuery<BundleFile>(
    ['artifact-bundles', org, slug, id],
    bundle(org, slug, id),
    { query: query || null, per_page: 100 },
    (answer) => (answer as { files: BundleFile[] }).files,
  );

export const bundleFileUrl = (org: string, slug: string, id: string, file: string): string =>
  apiUrl(`${bundle(org, slug, id)}${part(file)}/`);

export const deleteBundle = (org: string, slug: string, id: string): Promise<void> =>
  send<void>('DELETE', bundles(org, slug), undefined, { bundleId: id });

/** Debug files of these formats, the newest first. */
export const debugFilesPages = (org: string, slug: string, query: string, formats: readonly string[]) =>
  pagesQuery<DebugFile>(['debug-files', org, slug], debugFiles(org, slug), {
    query: query || null,
    file_formats: formats,
    per_page: 50,
  });

export const debugFileUrl = (org: string, slug: string, id: string): string =>
  apiUrl(debugFiles(org, slug), { id });

export const deleteDebugFile = (org: string, slug: string, id: string): Promise<void> =>
  send<void>('DELETE', debugFiles(org, slug), undefined, { id });

/** Servers and buckets of the project that have debug files, in the order in which they are asked. */
export const sourcesPages = (org: string, slug: string) =>
  pagesQuery<SymbolSource>(['symbol-sources', org, slug], sources(org, slug), { per_page: 100 });

/** What is sent of a source: a field that is null is taken away, a secret that is not there stays. */
export type SourceBody = { [name in keyof SymbolSource]?: unknown };

export const addSource = (org: string, slug: string, body: SourceBody): Promise<SymbolSource> =>
  send<SymbolSource>('POST', sources(org, slug), body);

export const changeSource = (
  org: string,
  slug: string,
  id: string,
  body: SourceBody,
): Promise<SymbolSource> => send<SymbolSource>('PUT', sources(org, slug), body, { id });

export const removeSource = (org: string, slug: string, id: string): Promise<void> =>
  send<void>('DELETE', sources(org, slug), undefined, { id });

export const publicServersQuery = (org: string) =>
  queryOptions({
    queryKey: ['public-symbol-servers', org],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      get<PublicServer[]>(`organizations/${part(org)}/builtin-symbol-sources/`, undefined, signal),
  });
