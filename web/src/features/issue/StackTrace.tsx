import { ChevronDown, ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { Frame, Traced } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { useKeys } from '../../keys/registry.ts';
import { fold, frameFile, type Trace, tracesOf, traceText } from '../../lib/stacktrace.ts';
import { createStoredStore, useStore } from '../../lib/store.ts';
import { readable } from '../../lib/text.ts';
import { Badge, Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { cx } from '../../ui/cx.ts';

const allFrames = createStoredStore('allFrames', false);
const rawTrace = createStoredStore('rawTrace', false);

/** What stands over the code of an open frame of the application. */
type Source = (frame: Frame) => ReactNode;

/** The exceptions with their frames; how they are shown is remembered. */
export function StackTrace({ event, source }: { event: Traced; source?: Source }) {
  const all = useStore(allFrames);
  const raw = useStore(rawTrace);
  const traces = tracesOf(event);
  useKeys({ allFrames: () => allFrames.set(!all), rawTrace: () => rawTrace.set(!raw) });
  if (traces.length === 0) return null;
  const text = (): string => traces.map(traceText).join('\nCaused by: ');
  return (
    <Card
      title={traces[0].exception ? t('Exception') : t('Stack trace')}
      actions={
        <div className="flex gap-1.5">
          <Button size="xs" aria-pressed={all} onClick={() => allFrames.set(!all)}>
            {all ? t('Only in app') : t('All frames')}
          </Button>
          <Button size="xs" aria-pressed={raw} onClick={() => rawTrace.set(!raw)}>
            {raw ? t('Frames') : t('Raw')}
          </Button>
          <Copy size="xs" text={text} label={t('Copy the stack trace')} />
        </div>
      }
    >
      {raw ? (
        <pre tabIndex={0} className="max-h-160 overflow-auto bg-code p-3 font-mono text-12 leading-5">
          {text()}
        </pre>
      ) : (
        traces.map((trace, index) => (
          <Chained key={index} trace={trace} all={all} cause={index > 0} source={source} />
        ))
      )}
    </Card>
  );
}

function Chained({
  trace,
  all,
  cause,
  source,
}: {
  trace: Trace;
  all: boolean;
  cause: boolean;
  source?: Source;
}) {
  const mechanism = trace.exception?.mechanism;
  const frames = trace.stacktrace?.frames ?? [];
  const pieces = fold(frames, all);
  const crash = pieces.find((piece) => piece.kind === 'frame' && piece.frame.inApp);
  const open = crash?.kind === 'frame' ? crash.index : frames.length - 1;
  return (
    <div className="border-b border-border last:border-b-0">
      {trace.type !== null && (
        <div className="px-3.5 py-2">
          {cause && <p className="text-12 text-text3">{t('Caused by')}</p>}
          <h3 className="isolate-text font-semibold break-words">
            {trace.type || t('Exception without a type')}
          </h3>
          {trace.value && (
            <p className="isolate-text font-mono text-12 leading-5 break-words whitespace-pre-wrap text-text2">
              {trace.value}
            </p>
          )}
          {mechanism && (
            <p className="mt-1 flex flex-wrap gap-1.5">
              {mechanism.type && (
                <Badge tone="plain">{t('mechanism {type}', { type: mechanism.type })}</Badge>
              )}
              {mechanism.handled === false && <Badge tone="error">{t('unhandled')}</Badge>}
              {mechanism.handled === true && <Badge tone="plain">{t('handled')}</Badge>}
            </p>
          )}
        </div>
      )}
      {pieces.length === 0 && <p className="px-3.5 pb-2 text-text2">{t('No stack trace was sent.')}</p>}
      <ol aria-label={t('Frames, the newest call first')}>
        {pieces.map((piece) =>
          piece.kind === 'frame' ? (
            <FrameRow
              key={`f${piece.index}`}
              frame={piece.frame}
              start={piece.index === open}
              source={source}
            />
          ) : (
            <Folded key={`r${piece.frames[0].index}`} frames={piece.frames} />
          ),
        )}
      </ol>
    </div>
  );
}

function Folded({ frames }: { frames: { frame: Frame; index: number }[] }) {
  const [open, setOpen] = useState(false);
  if (open) return frames.map((one) => <FrameRow key={one.index} frame={one.frame} start={false} />);
  return (
    <li className="border-t border-border">
      <button
        type="button"
        onClick={() => setOpen(true)}
        className="min-h-7 w-full px-3.5 text-left text-12 text-accent hover:bg-hover"
      >
        {t('Show {frames}', { frames: plural(frames.length, 'library frame', 'library frames') })}
      </button>
    </li>
  );
}

function FrameRow({ frame, start, source }: { frame: Frame; start: boolean; source?: Source }) {
  const vars = Object.entries(frame.vars ?? {});
  const context = frame.context ?? [];
  const more = vars.length > 0 || context.length > 0;
  const [open, setOpen] = useState(start && more);
  const Icon = open ? ChevronDown : ChevronRight;
  const head = (
    <>
      <Icon className={cx('size-4 shrink-0', !more && 'invisible')} aria-hidden />
      <span className="isolate-text min-w-0 grow truncate text-left">
        <span className={frame.inApp ? 'font-semibold' : ''}>{frame.function ?? t('<unknown>')}</span>
        <span className="text-text3"> {t('in')} </span>
        <span className="font-mono text-12" title={frame.absPath ?? undefined}>
          {frameFile(frame)}
        </span>
      </span>
      {frame.inApp && <Badge>{t('in app')}</Badge>}
    </>
  );
  return (
    <li className="border-t border-border">
      {more ? (
        <button
          type="button"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
          className="flex min-h-8 w-full items-center gap-1.5 px-3 hover:bg-hover"
        >
          {head}
        </button>
      ) : (
        <div className="flex min-h-8 items-center gap-1.5 px-3 text-text2">{head}</div>
      )}
      {open && frame.inApp && source?.(frame)}
      {open && context.length > 0 && (
        <section
          aria-label={t('Source of {file}', { file: frameFile(frame) })}
          tabIndex={0}
          className="overflow-x-auto bg-code py-1 font-mono text-12 leading-5"
        >
          <div className="min-w-max">
            {context.map(([number, code]) => (
              <div key={number} className={cx('flex px-3.5', number === frame.lineNo && 'bg-selected')}>
                <span className="w-12 shrink-0 pr-3 text-right text-text3 select-none">{number}</span>
                <span className="whitespace-pre">{code}</span>
              </div>
            ))}
          </div>
        </section>
      )}
      {open && vars.length > 0 && (
        <table
          aria-label={t('Variables')}
          className="w-full table-fixed border-t border-border font-mono text-12 leading-5"
        >
          <tbody>
            {vars.map(([name, value]) => (
              <tr key={name} className="border-b border-border last:border-b-0">
                <th
                  scope="row"
                  className="w-40 px-3.5 py-0.5 text-left align-top font-normal break-words text-text2 max-md:w-28"
                >
                  {name}
                </th>
                <td className="isolate-text py-0.5 pr-3.5 break-words whitespace-pre-wrap">
                  {readable(value)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </li>
  );
}
