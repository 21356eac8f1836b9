import { ChevronDown, ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { Frame } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { frameStatus, trustWords } from '../../lib/problems.ts';
import { baseName, fold, frameFile, frameName, twinsOf } from '../../lib/stacktrace.ts';
import { readable } from '../../lib/text.ts';
import { Badge } from '../../ui/Bits.tsx';
import { cx } from '../../ui/cx.ts';

/** What stands over the code of an open frame that matters; `place` is where the frame is in its stack trace. */
export type Source = (frame: Frame, place: number) => ReactNode;

interface FramesProps {
  frames: readonly Frame[];
  all: boolean;
  /** The frames as they were sent, to be shown beside these. */
  sent?: readonly Frame[] | null;
  source?: Source;
}

/** The frames of a stack trace, the newest call first; the one that matters is open. */
export function Frames({ frames, all, sent, source }: FramesProps) {
  const pieces = fold(frames, all);
  const crash = pieces.find((piece) => piece.kind === 'frame' && piece.frame.inApp);
  const open = crash?.kind === 'frame' ? crash.index : frames.length - 1;
  const twins = sent ? twinsOf(frames, sent) : [];
  return (
    <ol aria-label={t('Frames, the newest call first')}>
      {pieces.map((piece) =>
        piece.kind === 'frame' ? (
          <FrameRow
            key={`f${piece.index}`}
            frame={piece.frame}
            place={piece.index}
            start={piece.index === open}
            twin={twins[piece.index]}
            source={source}
          />
        ) : (
          <Folded key={`r${piece.frames[0].index}`} frames={piece.frames} twins={twins} />
        ),
      )}
    </ol>
  );
}

type Twins = readonly (Frame | null)[];

function Folded({ frames, twins }: { frames: { frame: Frame; index: number }[]; twins: Twins }) {
  const [open, setOpen] = useState(false);
  if (open)
    return frames.map((one) => (
      <FrameRow key={one.index} frame={one.frame} place={one.index} start={false} twin={twins[one.index]} />
    ));
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

interface FrameRowProps {
  frame: Frame;
  place: number;
  start: boolean;
  twin?: Frame | null;
  source?: Source;
}

function FrameRow({ frame, place, start, twin, source }: FrameRowProps) {
  const vars = Object.entries(frame.vars ?? {});
  const context = frame.context ?? [];
  const native = Boolean(frame.instructionAddr);
  const more = vars.length > 0 || context.length > 0 || native || Boolean(twin);
  const [open, setOpen] = useState(start && more);
  const Icon = open ? ChevronDown : ChevronRight;
  const status = frame.data?.symbolicator_status;
  const head = (
    <>
      <Icon className={cx('size-4 shrink-0', !more && 'invisible')} aria-hidden />
      <span className="isolate-text min-w-0 grow truncate text-left">
        <span className={frame.inApp ? 'font-semibold' : ''}>
          {frame.function ??
            (native ? <code className="font-mono text-12">{frameName(frame)}</code> : frameName(frame))}
        </span>
        <span className="text-text3"> {t('in')} </span>
        <span className="font-mono text-12" title={frame.absPath ?? undefined}>
          {frameFile(frame)}
        </span>
        {native && frame.filename && frame.package && (
          <span className="font-mono text-12 text-text3 max-md:hidden"> {baseName(frame.package)}</span>
        )}
      </span>
      {native && frame.function && (
        <code className="shrink-0 font-mono text-12 text-text3 max-lg:hidden">{frame.instructionAddr}</code>
      )}
      {frame.trust && (
        <span title={trustWords(frame.trust)}>
          <Badge tone={/scan/.test(frame.trust) ? 'warning' : 'plain'}>{frame.trust}</Badge>
        </span>
      )}
      {status && status !== 'symbolicated' && (
        <span className="max-md:hidden">
          <Badge tone="warning">{frameStatus(status)}</Badge>
        </span>
      )}
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
      {(start ? open || !more : open && frame.inApp) && source?.(frame, place)}
      {open && native && <Machine frame={frame} />}
      {open && (twin ? <SideBySide frame={frame} twin={twin} /> : <Code frame={frame} />)}
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

/** Where a native frame lies, and how it was found. */
function Machine({ frame }: { frame: Frame }) {
  const status = frame.data?.symbolicator_status;
  const rows: [string, string | null | undefined, words?: boolean][] = [
    [t('Image'), frame.package],
    [t('Instruction'), frame.instructionAddr],
    [t('Symbol'), frame.symbolAddr],
    [t('Found'), frame.trust ? trustWords(frame.trust) : null, true],
    [t('Looked up'), status && status !== 'symbolicated' ? frameStatus(status) : null, true],
  ];
  return (
    <dl className="flex flex-wrap gap-x-5 gap-y-0.5 border-t border-border px-3.5 py-1 text-12 leading-5">
      {rows.map(
        ([name, value, words]) =>
          value && (
            <div key={name} className="flex min-w-0 gap-1.5">
              <dt className="shrink-0 text-text3">{name}</dt>
              <dd className={cx('isolate-text min-w-0', words ? 'break-words' : 'font-mono break-all')}>
                {value}
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** The source of a frame, its line marked. */
function Code({ frame, label }: { frame: Frame; label?: string }) {
  const context = frame.context ?? [];
  if (context.length === 0) return null;
  return (
    <section
      aria-label={label ?? t('Source of {file}', { file: frameFile(frame) })}
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
  );
}

/** What the author wrote, and beside it what ran. */
function SideBySide({ frame, twin }: { frame: Frame; twin: Frame }) {
  const column = twin.colNo === null || twin.colNo === undefined ? '' : `:${twin.colNo}`;
  const panes = [
    { of: frame, name: t('Mapped'), where: frameFile(frame) },
    { of: twin, name: t('As sent'), where: `${frameFile(twin)}${column}` },
  ];
  return (
    <div className="grid border-t border-border bg-code lg:grid-cols-2">
      {panes.map(({ of, name, where }) => (
        <div key={name} className="min-w-0 border-border max-lg:first:border-b lg:first:border-r">
          <p className="isolate-text border-b border-border bg-surface px-3.5 py-0.5 text-12 leading-5 break-all">
            <span className="text-text3">{name}</span> {frameName(of)}{' '}
            <span className="font-mono">{where}</span>
          </p>
          <Code frame={of} label={t('{name}: source of {file}', { name, file: frameFile(of) })} />
          {(of.context ?? []).length === 0 && (
            <p className="px-3.5 py-1 text-12 text-text2">{t('No source line is known.')}</p>
          )}
        </div>
      ))}
    </div>
  );
}
