import { queryOptions } from '@tanstack/react-query';
import { apiUrl, get, part, send } from '../../api/client.ts';
import { pagesQuery } from '../../api/pages.ts';
import type { ArtifactBundle, BundleFile, DebugFile } from '../../api/types.ts';

const path = (org: string, slug: string): string => `projects/${part(org)}/${part(slug)}/`;
const bundles = (org: string, slug: string): string => `${path(org, slug)}files/artifact-bundles/`;
const bundle = (org: string, slug: string, id: string): string =>
  `${path(org, slug)}artifact-bundles/${part(id)}/files/`;
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
