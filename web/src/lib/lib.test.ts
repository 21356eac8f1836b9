import { describe, expect, it } from 'vitest';
import { parseLink } from '../api/cursors.ts';
import type { Event, Frame, Issue } from '../api/types.ts';
import { toCurl } from './curl.ts';
import { toMarkdown } from './markdown.ts';
import { formatCount, formatShare } from './numbers.ts';
import { curlCommand, PLATFORMS, platformOf } from './platforms.ts';
import { fold } from './stacktrace.ts';
import { safeLink } from './text.ts';
import { parsePeriod, shortAge } from './time.ts';

const frame = (name: string, inApp: boolean): Frame => ({
  filename: `${name}.py`,
  function: name,
  lineNo: 1,
  inApp,
});

describe('numbers and times', () => {
  it('shortens counts from 10,000 on', () => {
    expect([9999, 10_000, 12_345, 999_960, 1_700_000].map(formatCount)).toEqual([
      '9,999',
      '10K',
      '12.3K',
      '1M',
      '1.7M',
    ]);
  });
  it('never calls something nothing, or a part the whole', () => {
    expect([formatShare(1, 1000), formatShare(999, 1000), formatShare(0, 0), formatShare(1, 2)]).toEqual([
      '<1%',
      '99%',
      '0%',
      '50%',
    ]);
  });
  it('reads periods and ranges and refuses the rest', () => {
    expect(parsePeriod('90m')).toEqual({ statsPeriod: '90m' });
    expect(parsePeriod('2026-11-01..11-05')).toEqual({
      start: '2026-11-01T00:00:00',
      end: '2026-11-06T00:00:00',
    });
    for (const text of ['', '0d', '2026-02-30..03-01', '2026-11-05..11-01', 'yesterday'])
      expect(parsePeriod(text)).toBeNull();
  });
  it('writes ages in one unit', () => {
    expect([30e3, 5 * 60e3, 3 * 3600e3, 16 * 86400e3].map((age) => shortAge(0, age))).toEqual([
      '30s',
      '5m',
      '3h',
      '16d',
    ]);
  });
});

describe('paging', () => {
  it('takes the cursors that have results', () => {
    const header =
      '<http://h/?cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", <http://h/?cursor=0:100:0>; rel="next"; results="true"; cursor="0:100:0"';
    expect(parseLink(header)).toEqual({ previous: null, next: '0:100:0' });
    expect(parseLink(null)).toEqual({ previous: null, next: null });
  });
});

describe('stack traces', () => {
  it('folds library frames and keeps the newest call', () => {
    const pieces = fold(
      [
        frame('main', true),
        frame('lib1', false),
        frame('lib2', false),
        frame('app', true),
        frame('raise', false),
      ],
      false,
    );
    expect(
      pieces.map((piece) => (piece.kind === 'frame' ? piece.frame.function : piece.frames.length)),
    ).toEqual(['raise', 'app', 2, 'main']);
  });
  it('does not fold when no frame is in app', () => {
    expect(fold([frame('a', false), frame('b', false)], false).every((piece) => piece.kind === 'frame')).toBe(
      true,
    );
  });
});

describe('what is copied', () => {
  it('quotes a request for the shell', () => {
    const text = toCurl({
      url: "http://h/it's",
      method: 'post',
      headers: [['X', "a'; rm -rf /"]],
      data: { a: 1 },
    });
    expect(text).toContain(`'http://h/it'\\''s'`);
    expect(text).toContain(`-H 'X: a'\\''; rm -rf /'`);
    expect(text).toContain("-X 'POST'");
  });
  it('fences hostile text in Markdown', () => {
    const issue = {
      title: '[x](javascript:1)',
      shortId: 'A-1',
      project: { slug: 'a' },
      level: 'error',
      count: '1',
      userCount: 0,
      firstSeen: '',
      lastSeen: '',
    } as Issue;
    const event = {
      eventID: 'e',
      dateCreated: '',
      tags: [],
      message: '```\n# not a head',
      entries: [],
    } as unknown as Event;
    const text = toMarkdown(issue, event, 'http://h/');
    expect(text).toContain('````\n```\n# not a head\n````');
    expect(text).toContain('\\[x\\](javascript:1)');
  });
  it('links only what is safe to open', () => {
    expect(safeLink('javascript:alert(1)')).toBeNull();
    expect(safeLink('data:text/html,x')).toBeNull();
    expect(safeLink('https://example.com/')).toBe('https://example.com/');
  });
});

describe('platforms', () => {
  it('fills the DSN into the instructions of each but Android and curl in their own way', () => {
    const dsn = 'http://key@localhost:9000/errors/7';
    for (const platform of PLATFORMS) if (platform.id !== 'other') expect(platform.setup(dsn)).toContain(dsn);
    expect(curlCommand(dsn)).toContain(
      "'http://localhost:9000/errors/api/7/store/?sentry_version=7&sentry_key=key'",
    );
  });
  it('falls back to the language', () => {
    expect(platformOf('python-celery').id).toBe('python');
    expect(platformOf('cobol').id).toBe('other');
  });
});
