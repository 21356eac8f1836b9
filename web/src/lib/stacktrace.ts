import type { ExceptionValue, Frame, Stacktrace, Thread, Traced } from '../api/types.ts';

/** The data of an event's entry of a type. */
export function entryOf<T>(event: Traced, type: string): T | null {
  return (event.entries?.find((entry) => entry.type === type)?.data as T | undefined) ?? null;
}

export interface Trace {
  type: string | null;
  value: string | null;
  exception: ExceptionValue | null;
  /** Which of the event's exceptions this is, as the event counts them. */
  place: number | null;
  /** The thread whose stack trace this is, where the event says it. */
  thread: Thread['id'];
  stacktrace: Stacktrace | null;
  /** The frames as they were sent, where others took their place. */
  sent: Stacktrace | null;
}

/** The threads of an event. */
export function threadsOf(event: Traced): Thread[] {
  const threads = entryOf<{ values: (Thread | null)[] | null }>(event, 'threads')?.values ?? [];
  return threads.filter((thread) => thread !== null);
}

/** The thread that crashed, or the one that was running. */
export function crashedOf(threads: readonly Thread[]): Thread | null {
  return threads.find((thread) => thread.crashed) ?? threads.find((thread) => thread.current) ?? null;
}

/** The exceptions of an event, newest first; without one, the thread that crashed. */
export function tracesOf(event: Traced): Trace[] {
  const exceptions = entryOf<{ values: (ExceptionValue | null)[] | null }>(event, 'exception')?.values ?? [];
  const crashed = crashedOf(threadsOf(event));
  const found = exceptions
    .filter((value) => value !== null)
    .map((value, place) => ({
      type: value.type,
      value: value.value,
      exception: value,
      place,
      thread: value.threadId ?? null,
      stacktrace: value.stacktrace ?? null,
      sent: value.rawStacktrace ?? null,
    }))
    .reverse();
  const ofThread = {
    thread: crashed?.id ?? null,
    stacktrace: crashed?.stacktrace ?? null,
    sent: crashed?.rawStacktrace ?? null,
  };
  if (found.length === 0) {
    const none = { type: null, value: null, exception: null, place: null };
    const own = entryOf<Stacktrace>(event, 'stacktrace');
    if (own) return [{ ...none, thread: null, stacktrace: own, sent: null }];
    return ofThread.stacktrace ? [{ ...none, ...ofThread }] : [];
  }
  if (!found[0].stacktrace?.frames?.length && crashed?.stacktrace) found[0] = { ...found[0], ...ofThread };
  return found;
}

/** The frame that was sent for each frame: by place, or by the address of the instruction where calls were inlined. */
export function twinsOf(frames: readonly Frame[], sent: readonly Frame[]): (Frame | null)[] {
  if (frames.length === sent.length) return [...sent];
  const byAddress = new Map(sent.map((frame) => [frame.instructionAddr, frame]));
  return frames.map((frame) =>
    frame.instructionAddr ? (byAddress.get(frame.instructionAddr) ?? null) : null,
  );
}

/** The last part of a path of either kind of system. */
export const baseName = (path: string): string =>
  path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);

/** Where a frame is: file or module, and the line. */
export function frameFile(frame: Frame): string {
  const image = frame.package ? baseName(frame.package) : null;
  const file = frame.filename ?? frame.module ?? frame.absPath ?? image ?? '<unknown>';
  return frame.lineNo === null || frame.lineNo === undefined ? file : `${file}:${frame.lineNo}`;
}

/** What a frame is called: its function, or its address. */
export function frameName(frame: Frame): string {
  return frame.function ?? frame.instructionAddr ?? '<unknown>';
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
export function traceText(trace: Trace, sent = false): string {
  const head = trace.type ? [`${trace.type}: ${trace.value ?? ''}`] : [];
  const frames = [...(((sent ? trace.sent : null) ?? trace.stacktrace)?.frames ?? [])].reverse();
  return [...head, ...frames.map((frame) => `    at ${frameName(frame)} (${frameFile(frame)})`)].join('\n');
}
