import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Server, Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';
import type { SymbolSource } from '../../api/sources.ts';
import type { Project } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { CASINGS, fileTypeName, LAYOUTS, sourceAddress, typeName } from '../../lib/sources.ts';
import { useTitle } from '../../lib/title.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Toggle } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { publicServersQuery, removeSource, sourcesPages } from '../files/queries.ts';
import { projectQuery, updateProject } from '../projects/queries.ts';
import { ProjectPage } from './ProjectPage.tsx';
import { SourceDialog } from './SourceDialog.tsx';

/** Where debug files are looked for that were not uploaded. */
export function SymbolSources() {
  const { org, slug } = useParams({ strict: false }) as { org: string; slug: string };
  const { data: project } = useQuery(projectQuery(org, slug));
  const client = useQueryClient();
  const may = project?.access?.includes('project:write') ?? false;
  const [edited, setEdited] = useState<SymbolSource | 'new' | null>(null);
  const [leaving, setLeaving] = useState<SymbolSource | null>(null);
  useTitle(t('Symbol sources'), project?.name);
  const again = () => client.invalidateQueries({ queryKey: ['symbol-sources', org, slug] });
  const remove = async (source: SymbolSource): Promise<void> => {
    try {
      await removeSource(org, slug, source.id);
      toast(t('{name} is removed', { name: source.name }));
    } catch (failed) {
      toast(t('Nothing was removed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  const add = may && (
    <Button size="xs" onClick={() => setEdited('new')}>
      {t('Add a source')}
    </Button>
  );
  return (
    <ProjectPage org={org} slug={slug} title={project?.name || slug}>
      {project && !may && (
        <p className="text-13 text-text2 max-md:px-4">
          {t(
            'You can see this and not change it. Admins of the organization and of the project’s teams can.',
          )}
        </p>
      )}
      <Card title={t('Own sources')} actions={add}>
        <PagedList
          query={sourcesPages(org, slug)}
          label={t('Own sources')}
          failed={t('The sources could not be read')}
          keyOf={(source) => source.id}
          empty={
            <EmptyState icon={Server} title={t('No source yet')}>
              <p>
                {t(
                  'A source is a server or bucket of yours that has debug files. Name it if your builds put them there already, as into a SymStore or a debuginfod: what an event needs is then fetched from it, and need not be uploaded.',
                )}
              </p>
              <p className="mt-2">
                {t('If you have no such server,')}{' '}
                <Link
                  to="/settings/$org/projects/$slug/debug-files/"
                  params={{ org, slug }}
                  className="text-accent underline"
                >
                  {t('upload the debug files')}
                </Link>
                .
              </p>
            </EmptyState>
          }
        >
          {(source) => (
            <>
              <About of={source} />
              {may && (
                <span className="flex items-center gap-1">
                  <Button
                    size="xs"
                    aria-label={t('Change {name}', { name: source.name })}
                    onClick={() => setEdited(source)}
                  >
                    {t('Change')}
                  </Button>
                  <IconButton
                    label={t('Remove {name}', { name: source.name })}
                    onClick={() => setLeaving(source)}
                  >
                    <Trash2 className="size-4" aria-hidden />
                  </IconButton>
                </span>
              )}
            </>
          )}
        </PagedList>
        <p className="border-t border-border px-4 py-2 text-12 text-text2">
          {t(
            'What was uploaded comes first, then these in the order in which they were added, then public servers.',
          )}
        </p>
      </Card>
      <PublicServers org={org} slug={slug} project={project} may={may} />
      {edited && (
        <SourceDialog
          org={org}
          slug={slug}
          source={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            toast(t('Saved'));
            void again();
          }}
        />
      )}
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Remove {name}?', { name: leaving?.name ?? '' })}
        text={t(
          'It is not asked any more, and its password or key is forgotten. Its files and the events that are stored stay as they are.',
        )}
        action={t('Remove the source')}
        onConfirm={() => leaving && void remove(leaving)}
      />
    </ProjectPage>
  );
}

const nameIn = (list: [string, string, string][], id: string): string =>
  list.find(([one]) => one === id)?.[1] ?? id;

function About({ of }: { of: SymbolSource }) {
  const types = of.filters?.filetypes ?? [];
  const patterns = of.filters?.path_patterns ?? [];
  return (
    <span className="flex min-w-0 grow basis-56 flex-col gap-0.5">
      <span className="flex min-w-0 flex-wrap items-center gap-1.5">
        <span className="isolate-text font-medium break-words">{of.name}</span>
        <Badge>{typeName(of.type)}</Badge>
      </span>
      <code className="isolate-text font-mono text-12 leading-4 break-all text-text2">
        {sourceAddress(of)}
        {of.region && ` · ${of.region}`}
        {of.type === 's3' && of.url && ` · ${of.url}`}
      </code>
      <span className="flex flex-wrap gap-1">
        <Badge tone="plain">{t(nameIn(LAYOUTS, of.layout.type))}</Badge>
        {of.layout.casing !== 'default' && <Badge tone="plain">{t(nameIn(CASINGS, of.layout.casing))}</Badge>}
        {types.map((type) => (
          <Badge key={type} tone="plain">
            {t(fileTypeName(type))}
          </Badge>
        ))}
        {of.filters?.requires_checksum && <Badge tone="plain">{t('with a checksum')}</Badge>}
        {patterns.map((pattern) => (
          <code
            key={pattern}
            className="isolate-text rounded-sm border border-border px-1 font-mono text-12 leading-4 break-all text-text2"
          >
            {pattern}
          </code>
        ))}
      </span>
    </span>
  );
}

function PublicServers({
  org,
  slug,
  project,
  may,
}: {
  org: string;
  slug: string;
  project: Project | undefined;
  may: boolean;
}) {
  const client = useQueryClient();
  const { data: servers, error, refetch } = useQuery(publicServersQuery(org));
  const queue = useRef(Promise.resolve());
  const { queryKey } = projectQuery(org, slug);
  const chosen = project?.builtinSymbolSources ?? [];
  const save = async (builtinSymbolSources: string[]): Promise<void> => {
    try {
      await updateProject(org, slug, { builtinSymbolSources });
    } catch (failed) {
      toast(t('Not saved: {why}', { why: (failed as Error).message }));
      await client.invalidateQueries({ queryKey });
    }
  };
  const set = (id: string, on: boolean): void => {
    if (!project) return;
    // An answer that is under way tells of what was before.
    void client.cancelQueries({ queryKey });
    const builtinSymbolSources = on ? [...chosen, id] : chosen.filter((one) => one !== id);
    client.setQueryData(queryKey, { ...project, builtinSymbolSources });
    // One after another: what was chosen last is what stays.
    queue.current = queue.current.then(() => save(builtinSymbolSources));
  };
  return (
    <Card title={t('Public servers')}>
      {error && !servers && (
        <ErrorState
          compact
          error={error}
          what={t('The public servers could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!error && (!servers || !project) && <Skeleton className="m-4 h-32" />}
      {servers && project && (
        <div className="flex flex-col gap-3 p-4">
          <p className="text-13 text-text2">
            {t(
              'Makers of systems and programs publish debug files of what they ship. Whoever runs such a server learns the names and ids of modules that your programs load. Saved at once.',
            )}
          </p>
          <fieldset
            className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2 lg:grid-cols-3"
            aria-label={t('Public servers')}
          >
            {servers.map(({ sentry_key: id, name }) => (
              <Toggle
                key={id}
                label={name}
                checked={chosen.includes(id)}
                disabled={!may}
                onChange={(on) => set(id, on)}
              />
            ))}
          </fieldset>
        </div>
      )}
    </Card>
  );
}
