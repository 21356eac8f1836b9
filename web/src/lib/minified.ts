import type { Event, Frame } from '../api/types.ts';
import { baseName, tracesOf } from './stacktrace.ts';

/** So many of the newest calls are looked at. */
const NEWEST = 8;
/** Nobody writes lines that are this long… */
const LONG = 500;
/** …nor these, near the top of a file, where comments and imports stand. */
const WIDE = 200;
const TOP = 5;

const SCRIPT = /\.(?:[cm]?js|(?:js)?bundle)$/i;
/** Not of the application: extensions of browsers, parts of engines, packages. */
const OTHERS = /^(?:[a-z-]*extension:|node:|native |<|\[)|\/node_modules\//i;

/** The file of a frame without query and fragment. */
const pathOf = (frame: Frame): string => (frame.absPath ?? frame.filename ?? '').replace(/[?#].*$/s, '');

/** `app.3f2a6c0d.js`, `index-BfXq3Zk1.js`: a name that a bundler gave. A word, a date or a number is none. */
function isHashed(name: string): boolean {
  const hash = /[.\-_]([\w-]{8}|[0-9a-f]{8,40})(?:\.(?:chunk|bundle))?\.[cm]?js$/i.exec(name)?.[1] ?? '';
  return /[a-z]/i.test(hash) && (/\d/.test(hash) || /[a-z][A-Z]|[A-Z]{2}[a-z]/.test(hash));
}

/** `n`, `t.checkout`, `Object.xe`: one or two letters where people write words. */
function isShort(name: string | null): boolean {
  const parts = (name ?? '').split('.').map((part) => part.replace(/^(?:async|new) /, ''));
  return [parts[0], parts[parts.length - 1]].some((part) => /^[A-Za-z_$][\w$]?$/.test(part));
}

/** What a frame says of its file: that it is minified, that it is as people write it, or nothing. */
function looks(frame: Frame): 'minified' | 'plain' | null {
  const name = baseName(pathOf(frame));
  const line = frame.lineNo ?? 0;
  const column = frame.colNo ?? 0;
  const own = frame.context?.find(([number]) => number === frame.lineNo)?.[1];
  if (own) return own.length > WIDE || own.includes('{snip}') ? 'minified' : 'plain';
  if (/[.-]min\.[cm]?js$/i.test(name) || column >= LONG || (line > 0 && line <= TOP && column >= WIDE))
    return 'minified';
  // What packs applications for phones writes one line.
  if (/bundle$/i.test(name) && line === 1) return 'minified';
  if (isHashed(name)) return isShort(frame.function) || column >= WIDE ? 'minified' : null;
  return line > TOP && column < WIDE && !isShort(frame.function) ? 'plain' : null;
}

/**
 * Whether the newest calls of an event are in minified scripts, as far as frames tell it by themselves. A page with
 * one script as it was written is left alone: what is minified in it is then somebody else's.
 */
export function isMinified(event: Pick<Event, 'entries' | 'platform'>): boolean {
  if (event.platform !== 'javascript' && event.platform !== 'node') return false;
  const frames = tracesOf(event)[0]?.stacktrace?.frames ?? [];
  if (frames.some((frame) => frame.data?.resolved_with)) return false;
  const scripts = frames.filter((frame) => SCRIPT.test(pathOf(frame)) && !OTHERS.test(pathOf(frame)));
  const own = scripts.filter((frame) => frame.inApp);
  const newest = (own.length > 0 ? own : scripts).slice(-NEWEST);
  const of = (what: string): Set<string> =>
    new Set(newest.filter((frame) => looks(frame) === what).map(pathOf));
  const minified = of('minified');
  return minified.size > 0 && [...of('plain')].every((path) => minified.has(path));
}
