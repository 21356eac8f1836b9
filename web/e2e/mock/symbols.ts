// Answers about symbols: uploaded files, and events whose frames were looked up in them.

import bundle from '../fixtures/bundle.json' with { type: 'json' };
import bundles from '../fixtures/bundles.json' with { type: 'json' };
import debugFiles from '../fixtures/debug-files.json' with { type: 'json' };
import event from '../fixtures/event.json' with { type: 'json' };
import native from '../fixtures/event-native.json' with { type: 'json' };
import script from '../fixtures/event-script.json' with { type: 'json' };
import unmapped from '../fixtures/event-unmapped.json' with { type: 'json' };
import lookups from '../fixtures/source-map-debug.json' with { type: 'json' };

const address = 'https://shop.example/static/vendor.4f1c2a9b3d5e7f60.js';

/** An event with an error of each kind that lookups end with. */
const troubled = {
  ...unmapped,
  errors: [
    ...unmapped.errors,
    { type: 'js_no_source', data: { url: address, details: 'the server answered 404' } },
    { type: 'js_no_sourcemap', data: { url: `${address}.map` } },
    { type: 'js_invalid_source', data: { url: address, details: 'it cannot be read as a source map' } },
    { type: 'js_invalid_sourcemap_location', data: { url: address } },
    { type: 'js_missing_sources_content', data: { url: 'https://shop.example/src/cart.ts' } },
    { type: 'proguard_missing_mapping', data: { mapping_uuid: '6dc7fdb0-d2fb-4c8e-9d6b-bb1aa98929b1' } },
  ],
};

/** An event of minified scripts of which nothing was looked up, as nothing was uploaded. */
const minified = {
  ...unmapped,
  errors: [],
  entries: unmapped.entries.map((entry) => ({
    ...entry,
    data: {
      ...entry.data,
      values: entry.data.values.map((value) => ({
        ...value,
        stacktrace: {
          ...value.stacktrace,
          frames: value.stacktrace.frames.map((frame, index) => ({
            ...frame,
            colNo: 21_733 + 1_408 * index,
          })),
        },
      })),
    },
  })),
};

/** The event of an issue: those of which frames were looked up have names of their own. */
export function eventOf(url: URL): unknown {
  const issue = /\/issues\/([^/]+)\//.exec(url.pathname)?.[1];
  return { CRASH: native, SCRIPT: script, UNMAPPED: troubled, MINIFIED: minified }[issue ?? ''] ?? event;
}

/** How the frames of `troubled` were looked up: each in another way. */
const told = {
  ...lookups,
  has_debug_ids: true,
  exceptions: lookups.exceptions.map(({ frames }) => ({
    frames: frames.map((frame, index) => {
      const url = address;
      const source_file = [
        { url, status: 'failure', reason: 'disabled', details: null },
        { url, status: 'success' },
        { url, status: 'failure', reason: 'not_found', details: 'the server answered 404' },
        null,
      ][index % 4];
      return {
        ...frame,
        debug_id_process: {
          debug_id: index > 2 ? 'af3e5a3c-0000-4000-8000-000000000001' : null,
          uploaded_source_file_with_correct_debug_id: index > 2,
          uploaded_source_map_with_correct_debug_id: false,
        },
        release_process: {
          ...frame.release_process,
          matching_source_file_names: index === 4 ? ['~/static/app.js'] : [],
          source_file_lookup_result: index === 4 ? 'wrong-dist' : 'unsuccessful',
        },
        scraping_process: { source_file, source_map: null },
      };
    }),
  })),
};

const source = { layout: { type: 'native', casing: 'default' }, dateCreated: '2026-11-20T10:00:00Z' };
const hidden = { 'hidden-secret': true };

/** Sources of each type, the last one of a kind that this server does not ask. */
const listedSources = [
  {
    ...source,
    id: 'ours',
    type: 'http',
    name: 'Symbols of our builds',
    url: 'https://symbols.example.com/store/',
    username: 'reader',
    password: hidden,
    layout: { type: 'symstore', casing: 'lowercase' },
    filters: { filetypes: ['pe', 'pdb'], path_patterns: ['*ffmpeg*', 'C:\\Games\\*'] },
  },
  {
    ...source,
    id: 'bucket',
    type: 's3',
    name: 'Build artifacts',
    bucket: 'acme-symbols',
    prefix: 'release/native/',
    region: 'us-east-1',
    url: 'https://minio.storage.internal.example.com:9000',
    access_key: 'AKIAIOSFODNN7EXAMPLE',
    secret_key: hidden,
    filters: { filetypes: [], path_patterns: [] },
  },
  {
    ...source,
    id: 'cloud',
    type: 'gcs',
    name: 'Symbols of games, with a name that is far too long to stand in one line of a telephone',
    bucket: 'acme-games-symbols',
    client_email: 'reader@acme.iam.gserviceaccount.com',
    private_key: hidden,
    layout: { type: 'unified', casing: 'default' },
  },
];

const publicServers = [
  ['microsoft', 'Microsoft'],
  ['nuget', 'NuGet.org'],
  ['chromium', 'Google Chrome'],
  ['mozilla', 'Mozilla'],
  ['elfutils', 'debuginfod of elfutils, for many distributions'],
  ['debian', 'Debian'],
].map(([id, name]) => ({ sentry_key: id, id, name, hidden: false }));

/** More bundles than the fixture has: of several releases, and of none. */
const listed = [
  ...bundles,
  {
    ...bundles[0],
    bundleId: 'd41d8cd9-8f00-4204-a980-0998ecf8427e',
    associations: [],
    fileCount: 1234,
    size: 48_000_000,
  },
  {
    ...bundles[0],
    bundleId: '7f1d4a52-0a6c-4f6d-9d0e-2b7d7f3f3c11',
    associations: ['web@2026.11.29+c0ffee', 'a-release-with-a-name-that-is-very-long@1.0.0-beta.12'].map(
      (release) => ({ release, dist: null }),
    ),
  },
];

type Answer = { status: number; value: unknown };
const LATE: Answer = { status: 503, value: { detail: 'The store did not answer in time.' } };
const good = (value: unknown): Answer => ({ status: 200, value });

/** Answers a request about uploaded files; nothing where it is about something else. */
export function symbolsReply(path: string, mood: string): Answer | null {
  const of = (full: unknown, empty: unknown): Answer =>
    mood === 'error' ? LATE : good(mood === 'empty' ? empty : full);
  if (path.endsWith('/files/artifact-bundles/')) return of(listed, []);
  if (/\/artifact-bundles\/[^/]+\/files\/$/.test(path)) return of(bundle, { ...bundle, files: [] });
  if (path.endsWith('/files/dsyms/')) return of(debugFiles, []);
  if (path.endsWith('/symbol-sources/')) return of(listedSources, []);
  if (path.endsWith('/builtin-symbol-sources/')) return good(publicServers);
  if (path.endsWith('/reprocessing/'))
    return good({
      status: 'none',
      totalEvents: 0,
      syncCount: 0,
      changedEvents: 0,
      possible: mood === 'full',
    });
  if (path.endsWith('/source-map-debug/')) return of(told, { ...told, exceptions: [] });
  return null;
}
