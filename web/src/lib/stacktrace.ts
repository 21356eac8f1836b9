import type { ExceptionValue, Frame, Stacktrace, Thread, Traced } from '../api/types.ts';

/** The data of an event's entry of a type. */
export function entryOf<T>(event: Traced, type: string): T | null {
  return (event.entries?.find((entry) => entry.type === type)?.data as T | undefined) ?? null;
}

export interface Trace {
  type: string | null;
  value: string | null;
  exception: ExceptionValue | null;
  stacktrace: Stacktrace | null;
}

/** The exceptions of an event, newest first; without one, the thread that crashed. */
export function tracesOf(event: Traced): Trace[] {
  const exceptions = entryOf<{ values: (ExceptionValue | null)[] | null }>(event, 'exception')?.values ?? [];
  const threads = entryOf<{ values: (Thread | null)[] | null }>(event, 'threads')?.values ?? [];
  const found = exceptions
    .filter((value) => value !== null)
    .map((value) => ({
      type: value.type,
      value: value.value,
      exception: value,
      stacktrace: value.stacktrace ?? null,
    }))
    .reverse();
  const crashed = threads.find((thread) => thread?.crashed) ?? threads.find((thread) => thread?.current);
  if (found.length === 0) {
    const own = entryOf<Stacktrace>(event, 'stacktrace') ?? crashed?.stacktrace ?? null;
    return own ? [{ type: null, value: null, exception: null, stacktrace: own }] : [];
  }
  if (!found[0].stacktrace?.frames?.length && crashed?.stacktrace)
    found[0] = { ...found[0], stacktrace: crashed.stacktrace };
  return found;
}

/** Where a frame is: file or module, and the line. */
export function frameFile(frame: Frame): string {
  const file = frame.filename ?? frame.module ?? frame.absPath ?? frame.package ?? '<unknown>';
  return frame.lineNo === null || frame.lineNo === undefined ? file : `${file}:${frame.lineNo}`;
}

/** Frames as they are shown, newest call first: runs of library frames are folded into one entry. */
export type Piece =
  | { kind: 'frame'; frame: Frame; index: number }
  | { kind: 'folded'; frames: { frame: Frame; index: number }[] };

export function fold(frames: readonly Frame[], all: boolean): Piece[] {
  const newest = frames.map((frame, index) => ({ frame, index })).reverse();
  if (all || !frames.some((frame) => frame.inApp)) return newest.map((one) => ({ kind: 'frame', ...one }));
  const pieces: Piece[] = [];
  newest.forEach((one, at) => {
    // The frame that raised stays in view, whoever it belongs to.
    if (one.frame.inApp || at === 0) {
      pieces.push({ kind: 'frame', ...one });
      return;
    }
    const last = pieces.at(-1);
    if (last?.kind === 'folded') last.frames.push(one);
    else pieces.push({ kind: 'folded', frames: [one] });
  });
  return pieces;
}

/** A trace as plain text, the newest call first. */
export function traceText(trace: Trace): string {
  const head = trace.type ? [`${trace.type}: ${trace.value ?? ''}`] : [];
  const frames = [...(trace.stacktrace?.frames ?? [])].reverse();
  return [
    ...head,
    ...frames.map((frame) => `    at ${frame.function ?? '<unknown>'} (${frameFile(frame)})`),
  ].join('\n');
}
