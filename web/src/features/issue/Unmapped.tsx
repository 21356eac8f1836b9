import { Link } from '@tanstack/react-router';
import { CircleAlert, Info, X } from 'lucide-react';
import { useState } from 'react';
import type { DebugImage, Event, Frame } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { isMinified } from '../../lib/minified.ts';
import { type Problem, problemsOf } from '../../lib/problems.ts';
import { entryOf } from '../../lib/stacktrace.ts';
import { createStoredStore, useStore } from '../../lib/store.ts';
import { debugFilesCommand, proguardCommand, sourceMapsCommand } from '../../lib/symbols.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Command } from '../../ui/Command.tsx';
import { Again } from './Again.tsx';
import { WhyDialog } from './WhyDialog.tsx';

interface PlaceProps {
  org: string;
  project: string;
  event: Event;
}

const SHOWN = 3;

/** Says, over the stack trace, which frames were not mapped and what to do about it. */
export function Unmapped({ org, project, event }: PlaceProps) {
  const problems = problemsOf(event.errors);
  if (problems.length === 0) return null;
  // Kinds that end in the same command name it once.
  const command = (of: Problem): string => `${of.remedy === 'scraping' ? 'sourcemaps' : of.remedy} ${of.id}`;
  const first = (of: Problem): boolean => problems.find((one) => command(one) === command(of)) === of;
  const scripts = problems.some((problem) => problem.type.startsWith('js_'));
  return (
    <section
      aria-label={t('Frames that were not mapped')}
      className="min-w-0 rounded-lg border border-warning bg-surface max-md:rounded-none max-md:border-x-0"
    >
      <ul>
        {problems.map((problem) => (
          <li key={problem.type} className="flex gap-2.5 border-b border-border px-3.5 py-2 last:border-b-0">
            <CircleAlert className="mt-0.5 size-4 shrink-0 text-warning" aria-hidden />
            <div className="min-w-0 grow">
              <p className="text-13 font-medium">
                {t(problem.what)} <code className="text-12 font-normal text-text3">{problem.type}</code>
              </p>
              <About of={problem} />
              {problem.next && <p className="text-12 leading-5 text-text2">{t(problem.next)}</p>}
              {first(problem) && <Remedy of={problem} org={org} project={project} event={event} />}
            </div>
          </li>
        ))}
      </ul>
      <Foot org={org} project={project} event={event} scripts={scripts} />
    </section>
  );
}

/** What can be done about it here: to process again, and to ask for the reasons. */
function Foot({ org, project, event, scripts }: PlaceProps & { scripts: boolean }) {
  const [asking, setAsking] = useState(false);
  if (!event.groupID && !scripts) return null;
  return (
    <div className="flex flex-wrap items-center gap-3 border-t border-border px-3.5 py-2">
      {event.groupID && <Again org={org} issue={event.groupID} />}
      {scripts && (
        <>
          <Button size="xs" onClick={() => setAsking(true)}>
            {t('Why were frames not mapped?')}
          </Button>
          <WhyDialog
            org={org}
            project={project}
            event={event}
            open={asking}
            onOpenChange={setAsking}
            exception={null}
            place={null}
          />
        </>
      )}
    </div>
  );
}

/** The projects whose minified scripts nobody wants to be told of. */
const quiet = createStoredStore<string[]>('minifiedHintOff', []);

/**
 * Says that the scripts are minified where nothing was looked up, as nothing was uploaded. Of what was looked up
 * `Unmapped` tells more.
 */
export function Minified({ org, project, event }: PlaceProps) {
  const off = useStore(quiet);
  const name = `${org}/${project}`;
  if (off.includes(name) || problemsOf(event.errors).length > 0 || !isMinified(event)) return null;
  return (
    <section
      aria-label={t('Minified scripts')}
      className="min-w-0 rounded-lg border border-border bg-surface max-md:rounded-none max-md:border-x-0"
    >
      <div className="flex gap-2.5 py-2 pr-2 pl-3.5">
        <Info className="mt-0.5 size-4 shrink-0 text-info" aria-hidden />
        <div className="min-w-0 grow">
          <p className="text-13 font-medium">{t('The scripts of this event look minified.')}</p>
          <p className="text-12 leading-5 text-text2">
            {t(
              'Upload the source maps of each build, and events show your files, functions and lines. The bundler plugins (@sentry/vite-plugin, @sentry/webpack-plugin and their kin) do the same within the build.',
            )}
          </p>
          <UploadScripts org={org} project={project} event={event}>
            {t('Source maps of the project')}
          </UploadScripts>
        </div>
        <IconButton
          label={t('Do not say this again for {project}', { project })}
          onClick={() => quiet.set([...off, name])}
        >
          <X className="size-4" aria-hidden />
        </IconButton>
      </div>
      <Foot org={org} project={project} event={event} scripts />
    </section>
  );
}

/** Whether source maps were looked for, or should have been: the event says so, or names ids of built scripts. */
function isOfScript(event: Event): boolean {
  const images = entryOf<{ images: (DebugImage | null)[] | null }>(event, 'debugmeta')?.images ?? [];
  return (
    images.some((image) => image?.type === 'sourcemap') ||
    (event.errors ?? []).some((error) => error.type.startsWith('js_'))
  );
}

/** At a frame of a script that was not mapped: the way to the reasons. */
export function FrameWhy({
  frame,
  place,
  exception,
  ...of
}: PlaceProps & { frame: Frame; place: number; exception: number | null }) {
  const [asking, setAsking] = useState(false);
  if (exception === null || frame.data?.resolved_with || !isOfScript(of.event)) return null;
  return (
    <div className="border-t border-border bg-code px-3.5 py-1">
      <Button size="xs" onClick={() => setAsking(true)}>
        {t('Why was this frame not mapped?')}
      </Button>
      <WhyDialog {...of} open={asking} onOpenChange={setAsking} exception={exception} place={place} />
    </div>
  );
}

function About({ of }: { of: Problem }) {
  if (of.about.length === 0) return null;
  return (
    <ul className="font-mono text-12 leading-5">
      {of.about.slice(0, SHOWN).map((one) => (
        <li key={one} className="isolate-text break-all">
          {one}
        </li>
      ))}
      {of.about.length > SHOWN && (
        <li className="text-text3">
          {t('and {more}', { more: plural(of.about.length - SHOWN, 'other', 'others') })}
        </li>
      )}
    </ul>
  );
}

/** The command that uploads the scripts of the event's build, and the way to what was uploaded. */
function UploadScripts({ org, project, event, children }: PlaceProps & { children: string }) {
  return (
    <details className="mt-1">
      <summary className="inline-flex min-h-6 items-center text-12 text-accent">
        {t('The command to upload')}
      </summary>
      <div className="mt-1 flex flex-col gap-1.5">
        <Command text={sourceMapsCommand({ org, project }, event.release?.version, event.dist)} />
        <p className="text-12">
          <Link
            to="/settings/$org/projects/$slug/source-maps/"
            params={{ org, slug: project }}
            className="text-accent underline"
          >
            {children}
          </Link>
        </p>
      </div>
    </details>
  );
}

function Remedy({ of, org, project, event }: PlaceProps & { of: Problem }) {
  const target = { org, project };
  const params = { org, slug: project };
  if (of.remedy === null) return null;
  if (of.remedy === 'sourcemaps' || of.remedy === 'scraping')
    return (
      <UploadScripts org={org} project={project} event={event}>
        {of.remedy === 'scraping'
          ? t('Source maps of the project, and the switch for fetching')
          : t('Source maps of the project')}
      </UploadScripts>
    );
  return (
    <details className="mt-1">
      <summary className="inline-flex min-h-6 items-center text-12 text-accent">
        {t('The command to upload')}
      </summary>
      <div className="mt-1 flex flex-col gap-1.5">
        {(of.remedy === 'debug-files' || of.remedy === 'proguard') && (
          <>
            <Command
              text={
                of.remedy === 'proguard' ? proguardCommand(target, of.id) : debugFilesCommand(target, of.id)
              }
            />
            <p className="text-12">
              <Link
                to="/settings/$org/projects/$slug/debug-files/"
                params={params}
                className="text-accent underline"
              >
                {t('Debug files of the project')}
              </Link>
            </p>
          </>
        )}
      </div>
    </details>
  );
}
