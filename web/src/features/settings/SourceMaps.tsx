import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { FileCode, Trash2 } from 'lucide-react';
import { type FormEvent, useDeferredValue, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { ArtifactBundle, Project } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { formatBytes } from '../../lib/numbers.ts';
import { sourceMapsCommand } from '../../lib/symbols.ts';
import { useTitle } from '../../lib/title.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Command } from '../../ui/Command.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Field, Input, Toggle } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { bundlesPages, deleteBundle } from '../files/queries.ts';
import { projectQuery, updateProject } from '../projects/queries.ts';
import { ProjectPage } from './ProjectPage.tsx';

/** Scripts and source maps of a project, and whether missing ones are fetched. */
export function SourceMaps() {
  const { org, slug } = useParams({ strict: false }) as { org: string; slug: string };
  const { data: project } = useQuery(projectQuery(org, slug));
  const client = useQueryClient();
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query.trim());
  const [leaving, setLeaving] = useState<ArtifactBundle | null>(null);
  useTitle(t('Source maps'), project?.name);
  const remove = async (id: string): Promise<void> => {
    try {
      await deleteBundle(org, slug, id);
      toast(t('The bundle is deleted'));
    } catch (failed) {
      toast(t('Nothing was deleted: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['artifact-bundles', org, slug] });
  };
  return (
    <ProjectPage org={org} slug={slug} title={project?.name || slug}>
      <Card title={t('Uploaded bundles')}>
        <div className="border-b border-border px-4 py-2">
          <Input
            type="search"
            className="md:max-w-md"
            aria-label={t('Find by release, distribution, bundle id or debug id')}
            placeholder={t('Release, distribution, bundle id or debug id')}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        <PagedList
          query={bundlesPages(org, slug, wanted)}
          label={t('Bundles')}
          failed={t('The bundles could not be read')}
          keyOf={(bundle) => bundle.bundleId}
          empty={
            wanted ? (
              <EmptyState icon={FileCode} title={t('No bundle fits')} />
            ) : (
              <EmptyState icon={FileCode} title={t('No source map was uploaded yet')}>
                <p className="mb-3">
                  {t('With them, errors of minified scripts show your files, functions and lines.')}
                </p>
                <div className="text-left">
                  <Command text={sourceMapsCommand({ org, project: slug })} />
                </div>
              </EmptyState>
            )
          }
        >
          {(bundle) => (
            <>
              <span className="min-w-0 grow basis-80">
                <Link
                  to="/settings/$org/projects/$slug/source-maps/$bundle/"
                  params={{ org, slug, bundle: bundle.bundleId }}
                  className="flex min-h-6 items-center font-mono text-12 break-all text-accent hover:underline"
                >
                  {bundle.bundleId}
                </Link>
                <Associations of={bundle} />
              </span>
              <span className="text-12 text-text2 max-md:grow">
                {plural(bundle.fileCount, 'file', 'files')}
                {bundle.size === undefined ? '' : ` · ${formatBytes(bundle.size)}`} ·{' '}
                <Time at={bundle.date} form="long" />
              </span>
              <IconButton
                label={t('Delete the bundle {id}', { id: bundle.bundleId })}
                onClick={() => setLeaving(bundle)}
              >
                <Trash2 className="size-4" aria-hidden />
              </IconButton>
            </>
          )}
        </PagedList>
      </Card>
      {project && <Fetching key={project.id} org={org} project={project} />}
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Delete this bundle?')}
        text={t(
          'Events that come from now on are no longer mapped by its files. Those that are stored stay as they are.',
        )}
        action={t('Delete the bundle')}
        onConfirm={() => leaving && void remove(leaving.bundleId)}
      />
    </ProjectPage>
  );
}

/** The releases and distributions that a bundle belongs to. */
export function Associations({ of }: { of: ArtifactBundle }) {
  if (of.associations.length === 0)
    return <span className="block text-12 text-text3">{t('of no release: found by debug id')}</span>;
  return (
    <span className="flex flex-wrap gap-1">
      {of.associations.map(({ release, dist }) => (
        <span
          key={`${release} ${dist}`}
          className="isolate-text rounded-sm border border-border px-1 text-12 leading-4 break-all text-text2"
        >
          {release}
          {dist && ` · ${t('dist {dist}', { dist })}`}
        </span>
      ))}
    </span>
  );
}

function Fetching({ org, project }: { org: string; project: Project }) {
  const client = useQueryClient();
  const [header, setHeader] = useState(project.securityTokenHeader ?? '');
  const [token, setToken] = useState(project.securityToken ?? '');
  const [problem, setProblem] = useState<ApiError | null>(null);
  const { queryKey } = projectQuery(org, project.slug);
  const save = async (change: Partial<Project>): Promise<void> => {
    setProblem(null);
    try {
      client.setQueryData(queryKey, await updateProject(org, project.slug, change));
      toast(t('Saved'));
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void save({ securityTokenHeader: header.trim() || null, securityToken: token.trim() || null });
  };
  const changed = header !== (project.securityTokenHeader ?? '') || token !== (project.securityToken ?? '');
  const named = problem?.fields.securityToken || problem?.fields.securityTokenHeader;
  return (
    <Card title={t('Scripts from the web')}>
      <div className="flex flex-col gap-4 p-4">
        <Toggle
          label={t('Fetch scripts from the web')}
          help={t(
            'Scripts and source maps that were not uploaded are fetched from the addresses in the stack trace. Anybody who can send an event can name an address: it is asked for within limits, and inside private networks only where this server’s settings name them. Saved at once.',
          )}
          checked={project.scrapeJavaScript ?? false}
          onChange={(scrapeJavaScript) => void save({ scrapeJavaScript })}
        />
        <form onSubmit={submit} className="flex flex-col gap-4">
          <Field
            label={t('Name of the header')}
            help={t('Goes with each request, so that your server knows who asks; empty is X-Sentry-Token')}
            error={problem?.fields.securityTokenHeader?.[0]}
          >
            {(props) => (
              <Input
                {...props}
                className="font-mono text-12"
                spellCheck={false}
                placeholder="X-Sentry-Token"
                value={header}
                onChange={(event) => setHeader(event.target.value)}
              />
            )}
          </Field>
          <Field
            label={t('Security token')}
            help={t('The value of the header; without one no header is sent')}
            error={problem?.fields.securityToken?.[0]}
          >
            {(props) => (
              <Input
                {...props}
                className="font-mono text-12"
                spellCheck={false}
                autoComplete="off"
                value={token}
                onChange={(event) => setToken(event.target.value)}
              />
            )}
          </Field>
          {problem && !named && (
            <p role="alert" className="text-13 text-error">
              {problem.detail}
            </p>
          )}
          <div>
            <Button type="submit" tone="solid" disabled={!changed}>
              {t('Save the header')}
            </Button>
          </div>
        </form>
      </div>
    </Card>
  );
}
