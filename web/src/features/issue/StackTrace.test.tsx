import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it } from 'vitest';
import type { Event } from '../../api/types.ts';
import { StackTrace } from './StackTrace.tsx';

afterEach(cleanup);

const event = {
  eventID: 'a'.repeat(32),
  tags: [],
  entries: [
    {
      type: 'exception',
      data: {
        values: [
          {
            type: 'ValueError',
            value: '<img src=x onerror=alert(1)>',
            mechanism: { type: 'generic', handled: false },
            stacktrace: {
              frames: [
                { filename: 'lib.py', function: 'call', lineNo: 3, inApp: false },
                { filename: 'lib.py', function: 'more', lineNo: 9, inApp: false },
                {
                  filename: 'app.py',
                  function: 'pay',
                  lineNo: 7,
                  inApp: true,
                  context: [
                    [6, 'a = 1'],
                    [7, 'b = <b>2</b>'],
                  ],
                  vars: { cart: '<script>1</script>' },
                },
              ],
            },
          },
        ],
      },
    },
  ],
} as unknown as Event;

it('opens the crash frame, folds the library, and shows what is hostile as text', async () => {
  const { container } = render(<StackTrace event={event} />);
  expect(screen.getByText('<img src=x onerror=alert(1)>')).toBeDefined();
  expect(screen.getByText('b = <b>2</b>')).toBeDefined();
  expect(screen.getByText('<script>1</script>')).toBeDefined();
  expect(container.querySelector('img, script, b')).toBeNull();
  expect(screen.queryByText('call')).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Show 2 library frames' }));
  expect(screen.getByText('call')).toBeDefined();
});

it('shows the frames as they were sent, and opens a frame that has nothing but an address', async () => {
  const native = {
    entries: [
      {
        type: 'exception',
        data: {
          values: [
            {
              type: 'SIGSEGV',
              stacktrace: {
                frames: [
                  {
                    function: 'total',
                    filename: 'shop.cpp',
                    package: '/opt/libshop.so',
                    lineNo: 27,
                    inApp: false,
                    instructionAddr: '0x7f01',
                    trust: 'scan',
                    data: { symbolicator_status: 'missing_symbol' },
                  },
                ],
              },
              rawStacktrace: {
                frames: [{ package: '/opt/libshop.so', inApp: false, instructionAddr: '0x7f01' }],
              },
            },
          ],
        },
      },
    ],
  } as unknown as Event;
  render(<StackTrace event={native} />);
  expect(screen.getByText('total')).toBeDefined();
  expect(screen.getByText('scan')).toBeDefined();
  expect(screen.getAllByText('no symbol at this address')).toHaveLength(2);
  expect(screen.getByText('/opt/libshop.so')).toBeDefined();
  await userEvent.click(screen.getByRole('button', { name: 'As sent' }));
  expect(screen.queryByText('total')).toBeNull();
  expect(screen.getAllByText('0x7f01').length).toBeGreaterThan(0);
  await userEvent.click(screen.getByRole('button', { name: 'Symbolicated' }));
  expect(screen.getByText('total')).toBeDefined();
});
