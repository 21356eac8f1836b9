import { describe, expect, it } from 'vitest';
import type { Event, Frame } from '../api/types.ts';
import { isMinified } from './minified.ts';

type Short = [file: string, line: number, column: number | null, name?: string | null, more?: Partial<Frame>];

const event = (frames: Short[], platform = 'javascript'): Pick<Event, 'entries' | 'platform'> => ({
  platform,
  entries: [
    {
      type: 'exception',
      data: {
        values: [
          {
            type: 'TypeError',
            value: 'x',
            stacktrace: {
              frames: frames.map(([absPath, lineNo, colNo, name = null, more]) => ({
                filename: null,
                absPath,
                function: name,
                lineNo,
                colNo,
                inApp: true,
                ...more,
              })),
            },
          },
        ],
      },
    },
  ],
});

const site = 'https://shop.example/';

describe('minified scripts', () => {
  it.each<[string, Short[]]>([
    ['one long line', [[`${site}static/app.js`, 1, 23456, 'n']]],
    ['a line below a licence', [[`${site}main.js?v=3`, 2, 220311, 't.checkout']]],
    ['long lines further down', [[`${site}assets/main.js`, 40, 1733, 'checkout']]],
    ['a name that says so', [[`${site}js/app.min.js`, 3, 40, 'go']]],
    ['the hash of a bundler and a letter', [[`${site}assets/index-BfXq3Zk1.js`, 40, 120, 'Fe']]],
    ['the hash of a chunk', [[`${site}_next/static/chunks/742-3f2a6c0d8e1b4795.js`, 6, 201, 'checkout']]],
    ['a bundle of a phone', [['app:///index.android.bundle', 1, 64, 'checkout']]],
    [
      'a line that the client sent',
      [['app:///server.js', 9, 2, 'a', { context: [[9, '{snip} a(b) {snip}']] }]],
    ],
    [
      'a clear call and unclear ones in the same file',
      [
        [`${site}app.js`, 30, 12, 'checkout'],
        [`${site}app.js`, 1, 9000, 'total'],
      ],
    ],
  ])('are known by %s', (_, frames) => {
    expect(isMinified(event(frames))).toBe(true);
  });

  it.each<[string, Short[]]>([
    ['as it was written', [[`${site}js/cart.js`, 42, 17, 'checkout']]],
    ['at the top', [[`${site}js/cart.js`, 3, 40, 'checkout']]],
    ['with short names', [[`${site}js/cart.js`, 12, 17, 'go']]],
    ['with a short name at the top', [[`${site}js/cart.js`, 1, 120, '$']]],
    ['named like a version', [[`${site}js/app-20240101.js`, 400, 210, 'checkout']]],
    ['named with long words', [[`${site}js/jquery-ui-calendar.js`, 1400, 210, 'fn']]],
    [
      'of a development server',
      [['http://localhost:8081/index.bundle?platform=ios', 12345, 210, 'checkout']],
    ],
    ['of a module that is served as it is', [['http://localhost:5173/src/main.tsx?t=17', 1, 700, 'n']]],
    ['within the page', [[`${site}cart.html`, 1, 900, 'n']]],
    ['of an extension', [['chrome-extension://abcd/content.js', 1, 90000, 'n']]],
    ['of a package', [['webpack:///node_modules/react-dom/react-dom.production.min.js', 1, 90000, 'n']]],
    ['of the engine', [['node:internal/process.js', 1, 900, 'n']]],
    ['whose line came along', [[`${site}a.js`, 2, 240, 'go', { context: [[2, '  go();']] }]]],
    ['without columns', [[`${site}a.js`, 1, null, 'n']]],
    [
      'that calls a minified library',
      [
        [`${site}js/cart.js`, 42, 17, 'checkout'],
        [`${site}js/jquery.min.js`, 2, 30311, 'n'],
        [`${site}js/jquery.min.js`, 2, 31320, 'Object.fireWith'],
      ],
    ],
    [
      'that was mapped',
      [
        [`${site}app.js`, 1, 9000, 'n'],
        [`${site}src/cart.js`, 6, 3, 'total', { data: { resolved_with: 'debug-id' } }],
      ],
    ],
  ])('are not seen in a script %s', (_, frames) => {
    expect(isMinified(event(frames))).toBe(false);
  });

  it('are looked for in what the application calls, and only there if it calls anything', () => {
    const library: Short = [`${site}vendor.js`, 1, 90000, 'n', { inApp: false }];
    expect(isMinified(event([[`${site}cart.js`, 42, 17, 'checkout'], library]))).toBe(false);
    expect(isMinified(event([library]))).toBe(true);
  });

  it('are of JavaScript alone', () => {
    expect(isMinified(event([[`${site}app.js`, 1, 23456, 'n']], 'python'))).toBe(false);
    expect(isMinified(event([['/srv/dist/server.js', 1, 23456, 'n']], 'node'))).toBe(true);
    expect(isMinified({ platform: 'javascript', entries: [] })).toBe(false);
  });
});
