import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { expect, it } from 'vitest';
import type { Event } from '../../api/types.ts';
import { StackTrace } from './StackTrace.tsx';

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
