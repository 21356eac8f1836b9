import { describe, expect, it } from 'vitest';
import type { Event, Frame } from '../api/types.ts';
import { problemsOf } from './problems.ts';
import { baseName, frameFile, frameName, tracesOf, traceText, twinsOf } from './stacktrace.ts';
import {
  candidateStatus,
  imageCommand,
  imageName,
  imageRange,
  isMissing,
  isUnused,
  sourceMapsCommand,
} from './symbols.ts';

const frame = (more: Partial<Frame>): Frame => ({
  filename: null,
  function: null,
  lineNo: null,
  inApp: true,
  ...more,
});
const target = { org: 'acme', project: 'shop' };

describe('frames that were sent and mapped', () => {
  it('belong together by place, and by address where calls were inlined', () => {
    const sent = [frame({ instructionAddr: '0x1' }), frame({ instructionAddr: '0x2' })];
    const mapped = ['0x1', '0x2', '0x2'].map((instructionAddr) => frame({ instructionAddr }));
    expect(twinsOf(mapped, sent)).toEqual([sent[0], sent[1], sent[1]]);
    expect(twinsOf([mapped[0], frame({})], sent)).toEqual(sent);
    expect(twinsOf([frame({})], sent)).toEqual([null]);
  });
  it('have the name of their image and their address when nothing else is known', () => {
    const native = frame({ package: 'C:\\shop\\shop.dll', instructionAddr: '0x7f01' });
    expect([frameFile(native), frameName(native)]).toEqual(['shop.dll', '0x7f01']);
    expect([baseName('/opt/libshop.so'), baseName('a')]).toEqual(['libshop.so', 'a']);
  });
  it('are found at the exception, or at the thread that crashed', () => {
    const stack = (name: string) => ({ frames: [frame({ function: name, filename: 'a', lineNo: 2 })] });
    const crashed = { id: 7, crashed: true, stacktrace: stack('b'), rawStacktrace: stack('c') };
    const event = (entries: object[]): Event => ({ entries }) as unknown as Event;
    const threads = { type: 'threads', data: { values: [{ id: 1, stacktrace: stack('a') }, crashed] } };
    const [alone] = tracesOf(event([threads]));
    expect([traceText(alone), traceText(alone, true)]).toEqual(['    at b (a:2)', '    at c (a:2)']);
    const exception = { type: 'exception', data: { values: [null, { type: 'A', value: 'x', threadId: 7 }] } };
    expect(tracesOf(event([exception, threads]))[0]).toMatchObject({
      place: 0,
      thread: 7,
      stacktrace: stack('b'),
      sent: stack('c'),
    });
  });
});

describe('what to do about frames', () => {
  it('is said once for each kind of error, with what it is about', () => {
    const data = { image_uuid: 'b5b0', image_path: '/opt/libshop.so' };
    const problems = problemsOf([
      { type: 'js_no_source', data: { url: 'https://a.example/a.js', details: 'not found' } },
      { type: 'js_no_source', data: { url: 'https://a.example/b.js' } },
      { type: 'native_missing_dsym', data },
      { type: 'native_new', data: { image_uuid: 'a' } },
      { type: 'invalid_data' },
    ]);
    expect(problems.map(({ type, about, id, remedy }) => [type, about, id, remedy])).toEqual([
      ['js_no_source', ['https://a.example/a.js · not found', 'https://a.example/b.js'], null, 'sourcemaps'],
      ['native_missing_dsym', ['/opt/libshop.so · b5b0'], 'b5b0', 'debug-files'],
      ['native_new', ['a'], 'a', null],
    ]);
    expect(problems[2].what).toContain('native_new');
    const two = [{ image_uuid: 'a' }, { image_uuid: 'b' }].map((one) => ({
      type: 'native_missing_dsym',
      data: one,
    }));
    expect(problemsOf(two)[0].id).toBeNull();
  });
  it('is a command that a shell takes as it is meant', () => {
    const command = sourceMapsCommand({ org: 'acme', project: 'shop' }, "shop@1 it's; rm -rf /", '7');
    expect(command).toContain(`--release 'shop@1 it'\\''s; rm -rf /' --dist 7 ./dist`);
    expect(sourceMapsCommand(target, null, '7')).not.toContain('--dist');
    expect(imageCommand(target, { debug_id: 'b5b0-1' })).toMatch(
      /debug-files upload --org acme --project shop --id b5b0-1 /,
    );
    expect(imageCommand(target, { type: 'proguard', uuid: 'a-b' })).toContain('upload-proguard');
    expect(imageCommand(target, { type: 'proguard', uuid: 'a-b' })).toContain('--uuid a-b ');
  });
});

describe('images', () => {
  it('have a range of addresses, however they are written', () => {
    expect(imageRange({ image_addr: '0x7f0000001000', image_size: 4096 })).toBe(
      '0x7f0000001000 – 0x7f0000001fff',
    );
    expect(imageRange({ image_addr: 4096 })).toBe('0x1000');
    expect([imageRange({ image_addr: 'x' }), imageRange({}), imageRange({ image_addr: 1.5 })]).toEqual([
      null,
      null,
      null,
    ]);
  });
  it('are missing, unused or neither', () => {
    const cases: [object, boolean, boolean][] = [
      [{ debug_status: 'found', unwind_status: 'missing' }, true, false],
      [{ debug_status: 'unused', unwind_status: 'unused' }, false, true],
      [{ debug_status: 'found', unwind_status: 'found' }, false, false],
      [{}, false, true],
      [{ debug_status: 'malformed' }, true, false],
    ];
    for (const [image, missing, unused] of cases)
      expect([isMissing(image), isUnused(image)]).toEqual([missing, unused]);
  });
  it('are named by their file, their id or their kind', () => {
    expect(
      [{ code_file: '/a/b.so' }, { debug_file: 'C:\\c.pdb' }, { uuid: 'd' }, { type: 'elf' }].map(imageName),
    ).toEqual(['b.so', 'c.pdb', 'd', 'elf']);
  });
  it('say how looking for their files ended', () => {
    expect(
      candidateStatus({ download: { status: 'ok' }, debug: { status: 'malformed', details: 'x' } }),
    ).toEqual({ status: 'ok', details: 'x' });
    expect(candidateStatus({})).toEqual({ status: 'unknown', details: null });
  });
});
