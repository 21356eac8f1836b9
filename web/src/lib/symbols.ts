import type { DebugImage, ImageCandidate } from '../api/types.ts';
import { ownUrl } from './base.ts';
import { quote } from './curl.ts';
import { baseName } from './stacktrace.ts';

/** Where commands upload to. */
export interface Target {
  org: string;
  project: string;
}

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : quote(text));
const cli = (...parts: string[]): string =>
  `sentry-cli --url ${word(ownUrl('').replace(/\/$/, ''))} ${parts.filter(Boolean).join(' ')}`;
const at = ({ org, project }: Target): string => `--org ${word(org)} --project ${word(project)}`;

/** Writes debug ids into a build, and uploads it; a release is named where the event has one. */
export function sourceMapsCommand(target: Target, release?: string | null, dist?: string | null): string {
  return [
    'sentry-cli sourcemaps inject ./dist',
    cli(
      'sourcemaps upload',
      at(target),
      release ? `--release ${word(release)}` : '',
      release && dist ? `--dist ${word(dist)}` : '',
      './dist',
    ),
  ].join(' && \\\n  ');
}

/** Uploads what debug files are found under a path; with an id only the one that has it. */
export function debugFilesCommand(target: Target, id?: string | null): string {
  return cli('debug-files upload', at(target), id ? `--id ${word(id)}` : '--include-sources', './build');
}

/** Uploads the mapping of an obfuscated program under its id. */
export function proguardCommand(target: Target, id?: string | null): string {
  return cli('upload-proguard', at(target), id ? `--uuid ${word(id)}` : '', './mapping.txt');
}

/** What uploads the file that an image lacks. */
export function imageCommand(target: Target, image: DebugImage): string {
  const id = imageId(image);
  return image.type === 'proguard' ? proguardCommand(target, id) : debugFilesCommand(target, id);
}

export const imageId = (image: DebugImage): string | null => image.debug_id || image.uuid || null;

/** The name of the file of an image. */
export function imageName(image: DebugImage): string {
  const path = image.code_file || image.debug_file;
  return path ? baseName(path) : (imageId(image) ?? image.type ?? '<unknown>');
}

/** A number of JSON or of a client, as a whole number. */
function whole(value: string | number | null | undefined): bigint | null {
  if (value === null || value === undefined || value === '') return null;
  try {
    return BigInt(value);
  } catch {
    return null;
  }
}

/** The addresses that an image takes, the last one included. */
export function imageRange(image: DebugImage): string | null {
  const start = whole(image.image_addr);
  if (start === null) return null;
  const size = whole(image.image_size);
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  return size === null || size <= 0n ? hex(start) : `${hex(start)} – ${hex(start + size - 1n)}`;
}

/** What the server looked for and did not get. */
export const isMissing = (image: DebugImage): boolean =>
  [image.debug_status, image.unwind_status].some(
    (status) => status && status !== 'found' && status !== 'unused',
  );

/** No frame lies in it. */
export const isUnused = (image: DebugImage): boolean =>
  (image.debug_status ?? 'unused') === 'unused' && (image.unwind_status ?? 'unused') === 'unused';

/** How it ended at a place where a file was looked for. */
export function candidateStatus(candidate: ImageCandidate): { status: string; details: string | null } {
  const uses = [candidate.download, candidate.debug, candidate.unwind, candidate.sources];
  const told = uses.filter((use) => use?.status);
  return {
    status: told[0]?.status ?? 'unknown',
    details: told.find((use) => use?.details)?.details ?? null,
  };
}
