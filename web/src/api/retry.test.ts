import { expect, test } from 'vitest';
import { ApiError } from './client.ts';
import { mayPass, pause } from './retry.ts';

const limited = (after: number | null) => new ApiError(429, 'Too many requests', {}, null, after);

test('a query waits as long as the server asks, if that is not long', () => {
  expect(mayPass(limited(3))).toBe(true);
  expect(pause(0, limited(3))).toBe(3000);
  expect(mayPass(limited(900))).toBe(false);
  expect(mayPass(limited(null))).toBe(false);
});

test('what a request did wrong is not sent again', () => {
  expect(mayPass(new ApiError(404, 'Issue not found'))).toBe(false);
  expect(mayPass(new ApiError(503, 'Unavailable'))).toBe(true);
  expect(mayPass(new ApiError(0, 'The server cannot be reached.'))).toBe(true);
  expect([pause(0, new ApiError(503, '')), pause(1, new Error('x'))]).toEqual([1000, 2000]);
});
