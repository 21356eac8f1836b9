import { ApiError } from './client.ts';

/** Longer waits are left to the person, seconds. */
const longest = 15;

/** Whether asking once more may help: the server could not, or asks to wait a little. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  if (error.status === 429) return error.retryAfter !== null && error.retryAfter <= longest;
  return error.status < 400 || error.status >= 500;
}

/** How long to wait before that, milliseconds. */
export function pause(failures: number, error: unknown): number {
  if (error instanceof ApiError && error.status === 429 && error.retryAfter !== null)
    return error.retryAfter * 1000;
  return Math.min(1000 * 2 ** failures, 30_000);
}
