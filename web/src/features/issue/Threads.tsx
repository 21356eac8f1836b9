import { useState } from 'react';
import type { Stacktrace, Thread, Traced } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { crashedOf, threadsOf, tracesOf } from '../../lib/stacktrace.ts';
import { useStore } from '../../lib/store.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Card } from '../../ui/Card.tsx';
import { Select } from '../../ui/Form.tsx';
import { Frames } from './Frames.tsx';
import { allFrames } from './StackTrace.tsx';

const called = (thread: Thread): string =>
  [thread.id === null || thread.id === undefined ? null : `#${thread.id}`, thread.name]
    .filter(Boolean)
    .join(' ') || t('a thread without a name');

function state(thread: Thread): string {
  if (thread.crashed) return ` – ${t('crashed')}`;
  return thread.current ? ` – ${t('current')}` : '';
}

/** Every thread of the process: one is chosen and shown with its stack trace and registers. */
export function Threads({ event }: { event: Traced }) {
  const threads = threadsOf(event);
  const all = useStore(allFrames);
  const first = Math.max(0, threads.indexOf(crashedOf(threads) ?? threads[0]));
  const [chosen, setChosen] = useState(first);
  const thread = threads[chosen] ?? threads[0];
  if (!thread) return null;
  // The stack trace of the thread that crashed is that of the exception.
  const above = tracesOf(event).find(
    (trace) =>
      (trace.thread !== null && String(trace.thread) === String(thread.id)) ||
      (thread.stacktrace && trace.stacktrace === thread.stacktrace),
  );
  const own: Stacktrace | null = thread.stacktrace ?? null;
  const registers = Object.entries(own?.registers ?? above?.stacktrace?.registers ?? {});
  if (threads.length === 1 && registers.length === 0 && above) return null;
  return (
    <Card
      title={t('Threads')}
      actions={
        <span className="pr-1.5 text-12 text-text3">{plural(threads.length, 'thread', 'threads')}</span>
      }
    >
      <div className="flex flex-wrap items-center gap-2 border-b border-border px-3.5 py-2">
        <Select
          aria-label={t('Thread')}
          className="md:w-auto md:max-w-md"
          value={chosen}
          onChange={(change) => setChosen(Number(change.target.value))}
        >
          {threads.map((one, index) => (
            <option key={index} value={index}>
              {`${called(one)}${state(one)}`}
            </option>
          ))}
        </Select>
        {thread.crashed && <Badge tone="error">{t('crashed')}</Badge>}
        {thread.current && <Badge tone="plain">{t('current')}</Badge>}
      </div>
      {above ? (
        <p className="px-3.5 py-2 text-13 text-text2">
          {above.exception
            ? t('Its stack trace is that of the exception, above.')
            : t('Its stack trace is the one above.')}
        </p>
      ) : own?.frames?.length ? (
        <Frames key={chosen} frames={own.frames} all={all} />
      ) : (
        <p className="px-3.5 py-2 text-13 text-text2">{t('No stack trace was sent.')}</p>
      )}
      {registers.length > 0 && <Registers of={registers} />}
    </Card>
  );
}

const COLUMNS = 3;

function Registers({ of }: { of: [string, string | null][] }) {
  const sorted = [...of].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const rows = Math.ceil(sorted.length / COLUMNS);
  const columns = Array.from({ length: COLUMNS }, (_, at) => sorted.slice(at * rows, (at + 1) * rows));
  return (
    <details open className="border-t border-border">
      <summary className="min-h-8 px-3.5 py-1.5 text-12 text-accent">
        {plural(of.length, 'register', 'registers')}
      </summary>
      <div className="grid border-t border-border lg:grid-cols-3">
        {columns
          .filter((column) => column.length > 0)
          .map((column) => (
            <table
              key={column[0][0]}
              aria-label={t('Registers from {name}', { name: column[0][0] })}
              className="h-fit w-full table-fixed border-border font-mono text-12 leading-5 lg:not-first:border-l"
            >
              <tbody>
                {column.map(([name, value]) => (
                  <tr key={name} className="border-b border-border">
                    <th scope="row" className="w-20 px-3.5 py-0.5 text-left font-normal text-text2">
                      {name}
                    </th>
                    <td className="py-0.5 pr-3.5 break-all">{value ?? '–'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          ))}
      </div>
    </details>
  );
}
