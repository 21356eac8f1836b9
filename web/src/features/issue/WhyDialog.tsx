import { useQuery } from '@tanstack/react-query';
import { Check, Minus, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Event, ExceptionValue, Fetched, Frame, FrameLookup, SourceMapDebug } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { entryOf, frameFile, frameName } from '../../lib/stacktrace.ts';
import { sourceMapsCommand } from '../../lib/symbols.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Command } from '../../ui/Command.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { sourceMapDebugQuery } from '../events/queries.ts';
import { Again } from './Again.tsx';

interface WhyProps {
  org: string;
  project: string;
  event: Event;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  /** One frame, or all where these are null. */
  exception: number | null;
  place: number | null;
}

/** Tells, way by way, how the source of a frame was looked for. */
export function WhyDialog({ org, project, event, open, onOpenChange, exception, place }: WhyProps) {
  const { data, error, refetch } = useQuery({
    ...sourceMapDebugQuery(org, project, event.eventID),
    enabled: open,
  });
  return (
    <Dialog
      wide
      open={open}
      onOpenChange={onOpenChange}
      title={place === null ? t('Why frames were not mapped') : t('Why this frame was not mapped')}
      description={t('Files are looked for by debug id, then by release and name, then on the web.')}
    >
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('It could not be read how the frames were looked up')}
          onRetry={() => void refetch()}
        />
      )}
      {!error && !data && <Skeleton className="h-60" />}
      {data && (
        <div className="flex flex-col gap-4">
          <Overall of={data} />
          <Lookups of={data} event={event} exception={exception} place={place} />
          <div className="flex flex-col gap-1.5">
            <h3 className="text-13 font-semibold">{t('Upload the files of this build')}</h3>
            <Command text={sourceMapsCommand({ org, project }, data.release, data.dist)} />
            <p className="text-12 text-text2">
              {t(
                'The first command writes debug ids into the built files: deploy those very files. Events that come after the upload are mapped.',
              )}
            </p>
            {event.groupID && <Again org={org} issue={event.groupID} />}
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Mark({ good, children }: { good: boolean | null; children: ReactNode }) {
  const Icon = good === null ? Minus : good ? Check : X;
  const tone = good === null ? 'text-text3' : good ? 'text-success' : 'text-error';
  return (
    <li className="flex gap-2 text-12 leading-5">
      <Icon
        role="img"
        aria-label={good === null ? t('not tried') : good ? t('yes') : t('no')}
        className={`mt-0.5 size-4 shrink-0 ${tone}`}
      />
      <span className="isolate-text min-w-0 break-words">{children}</span>
    </li>
  );
}

function Overall({ of }: { of: SourceMapDebug }) {
  return (
    <ul className="flex flex-col gap-0.5">
      <Mark good={of.has_debug_ids}>
        {of.has_debug_ids
          ? t('The event names debug ids.')
          : t('The event names no debug id: its scripts were built without them.')}
      </Mark>
      <Mark good={of.project_has_some_artifact_bundle}>
        {of.project_has_some_artifact_bundle
          ? t('The project has uploaded bundles.')
          : t('Nothing was uploaded to the project yet.')}
      </Mark>
      <Mark good={of.release === null ? null : of.release_has_some_artifact}>
        {of.release === null
          ? t('The event names no release.')
          : of.release_has_some_artifact
            ? t('The release {release} has files.', { release: of.release })
            : t('The release {release} has no files.', { release: of.release })}
      </Mark>
    </ul>
  );
}

interface Told {
  key: string;
  name: string;
  where: string;
  mapped: boolean;
  lookup: FrameLookup;
}

/** The frames as they were sent, each with its lookup, the newest call first. */
function named(of: SourceMapDebug, event: Event): Told[][] {
  const values = entryOf<{ values: (ExceptionValue | null)[] | null }>(event, 'exception')?.values ?? [];
  const exceptions = values.filter((value) => value !== null);
  return of.exceptions.map(({ frames }, at) => {
    const mapped: Frame[] = exceptions[at]?.stacktrace?.frames ?? [];
    const sent: Frame[] = exceptions[at]?.rawStacktrace?.frames ?? mapped;
    return frames.map((lookup, index) => {
      const frame = sent[index] as Frame | undefined;
      const column = frame?.colNo === null || frame?.colNo === undefined ? '' : `:${frame.colNo}`;
      return {
        key: `${at}-${index}`,
        name: frame ? frameName(frame) : t('<unknown>'),
        where: frame ? `${frameFile(frame)}${column}` : (lookup.release_process?.abs_path ?? ''),
        mapped: Boolean(mapped[index]?.data?.resolved_with) && Boolean(exceptions[at]?.rawStacktrace),
        lookup,
      };
    });
  });
}

function Lookups({
  of,
  event,
  exception,
  place,
}: {
  of: SourceMapDebug;
  event: Event;
  exception: number | null;
  place: number | null;
}) {
  const all = named(of, event);
  const one = exception === null || place === null ? undefined : all[exception]?.[place];
  const shown = one ? [one] : all.flatMap((frames) => [...frames].reverse());
  const first = Math.max(
    0,
    shown.findIndex((frame) => !frame.mapped),
  );
  if (shown.length === 0)
    return <p className="text-13 text-text2">{t('The exceptions of the event have no frames.')}</p>;
  return (
    <ol className="rounded-md border border-border">
      {shown.map((frame, index) => (
        <li key={frame.key} className="border-b border-border last:border-b-0">
          <details open={index === first}>
            <summary className="flex min-h-8 items-center gap-2 px-3 py-1 hover:bg-hover">
              <span className="isolate-text min-w-0 grow truncate text-13">
                {frame.name} <span className="font-mono text-12 text-text2">{frame.where}</span>
              </span>
              {frame.mapped ? (
                <Badge tone="success">{t('mapped')}</Badge>
              ) : (
                <Badge tone="warning">{t('not mapped')}</Badge>
              )}
            </summary>
            <Ways of={frame.lookup} />
          </details>
        </li>
      ))}
    </ol>
  );
}

function Ways({ of }: { of: FrameLookup }) {
  const { debug_id_process: byId, release_process: byRelease, scraping_process: web, explanation } = of;
  return (
    <div className="flex flex-col gap-2 border-t border-border px-3 py-2">
      {explanation && (
        <div className="flex flex-col gap-1">
          <p className="isolate-text text-13 font-medium break-words">{explanation.message}</p>
          {explanation.next_step && <p className="text-12 text-text2">{explanation.next_step}</p>}
          {explanation.command && <Command text={explanation.command} />}
        </div>
      )}
      <Way title={t('By debug id')}>
        <Mark good={byId.debug_id !== null}>
          {byId.debug_id === null ? t('The script has no debug id.') : <code>{byId.debug_id}</code>}
        </Mark>
        {byId.debug_id !== null && (
          <>
            <Mark good={byId.uploaded_source_file_with_correct_debug_id}>
              {byId.uploaded_source_file_with_correct_debug_id
                ? t('A script with this id was uploaded.')
                : t('No script with this id was uploaded.')}
            </Mark>
            <Mark good={byId.uploaded_source_map_with_correct_debug_id}>
              {byId.uploaded_source_map_with_correct_debug_id
                ? t('A source map with this id was uploaded.')
                : t('No source map with this id was uploaded.')}
            </Mark>
          </>
        )}
      </Way>
      <Way title={t('By release and name')}>
        {byRelease === null ? (
          <Mark good={null}>{t('The event names no release.')}</Mark>
        ) : (
          <>
            <Mark good={byRelease.source_file_lookup_result === 'found'}>
              {found(byRelease.source_file_lookup_result, t('script'))}
              <Named as={byRelease.matching_source_file_names.join(', ') || byRelease.abs_path} />
            </Mark>
            <Mark good={byRelease.source_map_lookup_result === 'found'}>
              {found(byRelease.source_map_lookup_result, t('source map'))}
              <Named as={byRelease.matching_source_map_name ?? byRelease.source_map_reference} />
            </Mark>
          </>
        )}
      </Way>
      <Way title={t('From the web')}>
        <Web of={web.source_file} what={t('script')} />
        <Web of={web.source_map} what={t('source map')} />
      </Way>
    </div>
  );
}

function Way({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <h4 className="text-12 font-semibold">{title}</h4>
      <ul>{children}</ul>
    </div>
  );
}

/** The end of a sentence: what it is about, where that is known. */
function Named({ as: name }: { as: string | null }) {
  return name ? (
    <>
      : <code className="break-all">{name}</code>
    </>
  ) : (
    '.'
  );
}

function found(result: string, what: string): string {
  if (result === 'found') return t('The {what} was found', { what });
  return result === 'wrong-dist'
    ? t('The {what} was uploaded for another distribution', { what })
    : t('No {what} was found', { what });
}

const REASONS: Record<string, string> = {
  not_found: 'it is not there',
  disabled: 'the project does not allow it',
  invalid_host: 'its host is not one that may be asked',
  permission_denied: 'the server refused',
  timeout: 'it took too long',
  download_error: 'it could not be fetched',
};

function Web({ of, what }: { of: Fetched | null; what: string }) {
  if (of === null || of.status === 'not_attempted')
    return <Mark good={null}>{t('The {what} was not asked for.', { what })}</Mark>;
  if (of.status === 'success')
    return (
      <Mark good>
        {t('The {what} was fetched:', { what })} <code className="break-all">{of.url}</code>
      </Mark>
    );
  return (
    <Mark good={false}>
      {t('The {what} was not fetched, as {why}:', {
        what,
        why: t(REASONS[of.reason ?? ''] ?? 'something else went wrong'),
      })}{' '}
      <code className="break-all">{of.url}</code>
      {of.details && <span className="text-text2"> {of.details}</span>}
    </Mark>
  );
}
