import type { ReactNode } from 'react';
import type { Frame, Traced } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useKeys } from '../../keys/registry.ts';
import { type Trace, tracesOf, traceText } from '../../lib/stacktrace.ts';
import { createStoredStore, useStore } from '../../lib/store.ts';
import { Badge, Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Frames } from './Frames.tsx';

export const allFrames = createStoredStore('allFrames', false);
const rawTrace = createStoredStore('rawTrace', false);
const sentFrames = createStoredStore('sentFrames', false);
const beside = createStoredStore('framesBeside', false);

/** What stands over the code of an open frame; `exception` is which of the event's exceptions it belongs to. */
type Source = (frame: Frame, place: number, exception: number | null) => ReactNode;

/** What the two forms of frames are called: scripts are minified, machine code is without symbols. */
function names(traces: Trace[]): [mapped: string, sent: string] {
  const native = traces.some((trace) => trace.sent?.frames?.some((frame) => frame.instructionAddr));
  if (native) return [t('Symbolicated'), t('As sent')];
  const script = traces.some((trace) => trace.sent?.frames?.some((frame) => frame.colNo));
  return [t('Original'), script ? t('Minified') : t('As sent')];
}

/** The exceptions with their frames; how they are shown is remembered. */
export function StackTrace({ event, source }: { event: Traced; source?: Source }) {
  const all = useStore(allFrames);
  const raw = useStore(rawTrace);
  const sent = useStore(sentFrames);
  const pairs = useStore(beside);
  const traces = tracesOf(event);
  const mapped = traces.some((trace) => trace.sent);
  useKeys({
    allFrames: () => allFrames.set(!all),
    rawTrace: () => rawTrace.set(!raw),
    sentFrames: () => mapped && sentFrames.set(!sent),
  });
  if (traces.length === 0) return null;
  const text = (): string => traces.map((trace) => traceText(trace, sent)).join('\nCaused by: ');
  return (
    <Card
      title={traces[0].exception ? t('Exception') : t('Stack trace')}
      actions={
        <div className="flex flex-wrap gap-1.5">
          {mapped && (
            <fieldset className="flex" aria-label={t('Which frames')}>
              {names(traces).map((name, index) => (
                <Button
                  key={name}
                  size="xs"
                  className={
                    index === 0
                      ? 'rounded-r-none aria-pressed:bg-selected'
                      : '-ml-px rounded-l-none aria-pressed:bg-selected'
                  }
                  aria-pressed={sent === (index === 1)}
                  onClick={() => sentFrames.set(index === 1)}
                >
                  {name}
                </Button>
              ))}
            </fieldset>
          )}
          {mapped && !sent && (
            <Button
              size="xs"
              className="aria-pressed:bg-selected max-lg:hidden"
              aria-pressed={pairs}
              onClick={() => beside.set(!pairs)}
            >
              {t('Side by side')}
            </Button>
          )}
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
          <Chained
            key={`${index}${sent}${pairs}`}
            trace={trace}
            all={all}
            sent={sent}
            pairs={pairs}
            cause={index > 0}
            source={source}
          />
        ))
      )}
    </Card>
  );
}

interface ChainedProps {
  trace: Trace;
  all: boolean;
  sent: boolean;
  pairs: boolean;
  cause: boolean;
  source?: Source;
}

function Chained({ trace, all, sent, pairs, cause, source }: ChainedProps) {
  const mechanism = trace.exception?.mechanism;
  const frames = ((sent ? trace.sent : null) ?? trace.stacktrace)?.frames ?? [];
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
      {frames.length === 0 && <p className="px-3.5 pb-2 text-text2">{t('No stack trace was sent.')}</p>}
      <Frames
        frames={frames}
        all={all}
        sent={pairs && !sent ? trace.sent?.frames : null}
        source={source && !sent ? (frame, place) => source(frame, place, trace.place) : undefined}
      />
    </div>
  );
}
