import { createStore } from '../lib/store.ts';

export interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

/** How long a change can be taken back. */
export const UNDO_MS = 8000;

export const toasts = createStore<Toast[]>([]);
let nextId = 1;
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function dismiss(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.set(toasts.get().filter((one) => one.id !== id));
}

/** The time stops while a pointer or the focus is on the message. */
export function hold(id: number): void {
  clearTimeout(timers.get(id));
}

export function release(id: number): void {
  timers.set(
    id,
    setTimeout(() => dismiss(id), UNDO_MS),
  );
}

export function toast(text: string, undo?: () => void): number {
  const id = nextId;
  nextId += 1;
  toasts.set([...toasts.get().slice(-2), { id, text, undo }]);
  release(id);
  return id;
}

/** Takes back the newest change that still can be. */
export function undoLast(): void {
  const last = toasts.get().findLast((one) => one.undo);
  if (!last) return;
  dismiss(last.id);
  last.undo?.();
}
