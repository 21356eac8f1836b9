import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';
import type { Event } from '../../api/types.ts';
import { Threads } from './Threads.tsx';

afterEach(cleanup);

const frames = (name: string) => ({
  frames: [{ function: name, filename: 'a.cpp', lineNo: 1, inApp: true }],
});
const event = (exception: object[]): Event =>
  ({
    entries: [
      { type: 'exception', data: { values: exception } },
      {
        type: 'threads',
        data: {
          values: [
            { id: 1, name: 'pool', stacktrace: frames('sleep') },
            { id: 2, name: 'main', crashed: true },
          ],
        },
      },
    ],
  }) as unknown as Event;

it('begins with the thread that crashed, with its registers, and shows the one that is chosen', async () => {
  const stacktrace = { ...frames('crash'), registers: { rip: '0x7f01', rsp: '0x7ffe' } };
  render(<Threads event={event([{ type: 'SIGSEGV', threadId: 2, stacktrace }])} />);
  expect(screen.getByRole('combobox')).toHaveProperty('value', '1');
  expect(screen.getByText('Its stack trace is that of the exception, above.')).toBeDefined();
  expect(screen.queryByText('crash')).toBeNull();
  expect(screen.getByText('0x7f01')).toBeDefined();
  await userEvent.selectOptions(screen.getByRole('combobox'), '#1 pool');
  expect(screen.getByText('sleep')).toBeDefined();
  expect(screen.queryByText('0x7f01')).toBeNull();
});

it('is silent about one thread whose stack trace is the exception’s', () => {
  const one = event([{ type: 'A', threadId: 2, stacktrace: frames('crash') }]);
  (one.entries[1].data as { values: unknown[] }).values.shift();
  expect(render(<Threads event={one} />).container.innerHTML).toBe('');
});
