import type { EventError } from '../api/types.ts';
import { t } from '../i18n/index.ts';

/** What a person can do about frames that were not mapped. */
export type Remedy = 'sourcemaps' | 'debug-files' | 'proguard' | 'scraping' | null;

interface Words {
  what: string;
  next: string;
  remedy: Remedy;
}

const UPLOAD = 'Upload the scripts and source maps of this build, best with debug ids.';

const WORDS: Record<string, Words> = {
  js_no_source: {
    what: 'The script was not uploaded and could not be fetched.',
    next: UPLOAD,
    remedy: 'sourcemaps',
  },
  js_no_sourcemap: {
    what: 'The script was found, but no source map for it.',
    next: 'Have the build write source maps, and upload them together with the scripts.',
    remedy: 'sourcemaps',
  },
  js_scraping_disabled: {
    what: 'The script was not uploaded, and this project does not fetch scripts from the web.',
    next: 'Upload the scripts and source maps of this build, or allow fetching in the settings of the project.',
    remedy: 'scraping',
  },
  js_invalid_source: {
    what: 'The source map cannot be read.',
    next: 'See the details for what is wrong with it, build anew and upload again.',
    remedy: 'sourcemaps',
  },
  js_invalid_sourcemap_location: {
    what: 'The source map has nothing at the line and column of the frame.',
    next: 'The script that ran and the source map are probably of different builds: upload those of the same build.',
    remedy: 'sourcemaps',
  },
  js_missing_sources_content: {
    what: 'The frame was mapped, but its source lines are neither in the source map nor among the files.',
    next: 'Have the build put the sources into the map (sourcesContent), or upload them as well.',
    remedy: 'sourcemaps',
  },
  js_too_many_sources: {
    what: 'The event names more scripts than are looked up for one event.',
    next: 'The frames of the first ones are mapped.',
    remedy: null,
  },
  native_missing_dsym: {
    what: 'The debug file of an image was not uploaded.',
    next: 'Upload the debug files of this build.',
    remedy: 'debug-files',
  },
  native_bad_dsym: {
    what: 'The debug file of an image cannot be read.',
    next: 'Delete the file in the settings of the project, and upload it anew.',
    remedy: 'debug-files',
  },
  proguard_missing_mapping: {
    what: 'The ProGuard or R8 mapping of this build was not uploaded.',
    next: 'Upload the mapping under the id that the application names.',
    remedy: 'proguard',
  },
};

/** Errors of one kind, with what they are about. */
export interface Problem extends Words {
  type: string;
  about: string[];
  /** The id under which the missing file is to be uploaded, where all errors have the same. */
  id: string | null;
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const ID = ['image_uuid', 'mapping_uuid', 'debug_id'];

/** What an event says of frames that were not mapped, kind by kind. */
export function problemsOf(errors: readonly EventError[] | undefined): Problem[] {
  const kinds = new Map<string, EventError[]>();
  for (const error of errors ?? []) {
    if (!/^(js|native|proguard)_/.test(error.type)) continue;
    kinds.set(error.type, [...(kinds.get(error.type) ?? []), error]);
  }
  return [...kinds].map(([type, all]) => {
    const words = WORDS[type] ?? {
      what: t('Looking up the frames ended with {type}.', { type }),
      next: '',
      remedy: null,
    };
    const about = all.map(({ data = {} }) => {
      const name = text(data.url) ?? text(data.image_path) ?? text(data.image_name) ?? text(data.source);
      const id = ID.map((key) => text(data[key])).find((one) => one !== null) ?? null;
      return [name, id, text(data.details)].filter((one) => one !== null).join(' · ');
    });
    const ids = new Set(all.flatMap(({ data = {} }) => ID.map((key) => text(data[key])).filter(Boolean)));
    return {
      type,
      ...words,
      about: [...new Set(about)].filter(Boolean),
      id: ids.size === 1 ? ([...ids][0] as string) : null,
    };
  });
}

/** The types of errors that `problemsOf` puts into words. */
export const isProblem = (error: EventError): boolean => /^(js|native|proguard)_/.test(error.type);

const STATUS: Record<string, string> = {
  missing: 'no debug file',
  malformed: 'debug file unreadable',
  timeout: 'took too long',
  fetching_failed: 'fetching failed',
  missing_symbol: 'no symbol at this address',
  unknown_image: 'in no known image',
};

/** In words, how looking up a native frame ended. */
export const frameStatus = (status: string): string => t(STATUS[status] ?? status);

const TRUST: Record<string, string> = {
  context: 'From the registers at the moment of the crash',
  cfi: 'From the unwind information of the file',
  prewalked: 'As the client walked the stack',
  cfiscan: 'Guessed from the stack, checked by unwind information',
  scan: 'Guessed from what lies on the stack: it may be wrong',
  fp: 'From the frame pointer',
};

/** How much a frame found that way is worth. */
export const trustWords = (trust: string): string => t(TRUST[trust] ?? 'How the frame was found');
