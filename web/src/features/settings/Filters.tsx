import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Project, ProjectFilter } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, TextArea, Toggle } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { filtersQuery, projectQuery, setFilter, updateProject } from '../projects/queries.ts';
import { ProjectPage } from './ProjectPage.tsx';

const SWITCHES = [
  [
    'localhost',
    'Localhost',
    'What happens on the machine of a developer: localhost, files, loopback addresses',
  ],
  ['web-crawlers', 'Robots', 'Search engines and others that say in their user agent that they are robots'],
  ['browser-extensions', 'Extensions of browsers', 'JavaScript errors whose innermost frame lies in one'],
  ['legacy-browsers', 'Old browsers', null],
  [
    'react-hydration-errors',
    'Hydration errors of React',
    'The server made another page than the browser; often brought about by extensions and translators',
  ],
  [
    'chunk-load-error',
    'Parts that do not load',
    'ChunkLoadError: a file of an older version is gone, as after a deploy',
  ],
] as const;

const BROWSERS = [
  ['ie', 'Internet Explorer'],
  ['edge', 'Edge before 79'],
  ['safari', 'Safari before 12'],
  ['firefox', 'Firefox before 67'],
  ['chrome', 'Chrome before 63'],
  ['opera', 'Opera before 50'],
  ['opera_mini', 'Opera Mini before 35'],
  ['android', 'Android’s browser before 4'],
] as const;

const LISTS = [
  [
    'filters:blacklisted_ips',
    'Addresses',
    'One a line: 203.0.113.7, or a network such as 10.0.0.0/8; of the sender or of the user',
  ],
  ['filters:releases', 'Releases', 'One a line; * stands for any text: shop@0.*'],
  [
    'filters:error_messages',
    'Messages',
    'One a line; * stands for any text: TypeError: null*, *ResizeObserver loop*',
  ],
] as const;

/** Which events of a project are left out. */
export function Filters() {
  const { org, slug } = useParams({ strict: false }) as { org: string; slug: string };
  const project = useQuery(projectQuery(org, slug));
  const filters = useQuery(filtersQuery(org, slug));
  useTitle(t('Filters'), project.data?.name);
  const error = project.error ?? filters.error;
  return (
    <ProjectPage org={org} slug={slug} title={project.data?.name || slug}>
      {error && (!project.data || !filters.data) && (
        <ErrorState
          error={error}
          what={t('The filters could not be read')}
          onRetry={() => {
            void project.refetch();
            void filters.refetch();
          }}
        />
      )}
      {!error && (!project.data || !filters.data) && <Skeleton className="h-96" />}
      {filters.data && project.data && (
        <>
          <Switches org={org} project={project.data} filters={filters.data} />
          <Lists key={project.data.id} org={org} project={project.data} />
        </>
      )}
    </ProjectPage>
  );
}

function Switches({ org, project, filters }: { org: string; project: Project; filters: ProjectFilter[] }) {
  const client = useQueryClient();
  const { queryKey } = filtersQuery(org, project.slug);
  const set = async (id: string, active: boolean | string[]): Promise<void> => {
    const before = filters;
    client.setQueryData(
      queryKey,
      filters.map((one) => (one.id === id ? { ...one, active } : one)),
    );
    try {
      await setFilter(org, project.slug, id, active);
    } catch (failed) {
      client.setQueryData(queryKey, before);
      toast(t('Not saved: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey });
    void client.invalidateQueries({ queryKey: projectQuery(org, project.slug).queryKey });
  };
  const old = filters.find((one) => one.id === 'legacy-browsers')?.active ?? false;
  const groups = BROWSERS.map(([id]) => id as string);
  const chosen = old === true ? groups : old === false ? [] : old;
  return (
    <Card
      title={t('Left out')}
      actions={
        <Link
          to="/organizations/$org/stats/"
          params={{ org }}
          search={{}}
          className={buttonClass({ size: 'xs' })}
        >
          {t('What was left out')}
        </Link>
      }
    >
      <div className="flex flex-col gap-4 p-4">
        {SWITCHES.map(([id, label, help]) =>
          id === 'legacy-browsers' ? (
            <fieldset key={id} className="flex flex-col gap-2">
              <legend className="mb-1 text-13 font-medium">{t(label)}</legend>
              <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2">
                {BROWSERS.map(([group, name]) => (
                  <Toggle
                    key={group}
                    label={t(name)}
                    checked={chosen.includes(group)}
                    onChange={(on) =>
                      void set(id, on ? [...chosen, group] : chosen.filter((one) => one !== group))
                    }
                  />
                ))}
              </div>
            </fieldset>
          ) : (
            <Toggle
              key={id}
              label={t(label)}
              help={help ? t(help) : undefined}
              checked={filters.find((one) => one.id === id)?.active === true}
              onChange={(on) => void set(id, on)}
            />
          ),
        )}
        <p className="text-12 text-text2">
          {t('Saved at once. What is left out is counted and gone: it is not stored anywhere.')}
        </p>
      </div>
    </Card>
  );
}

function Lists({ org, project }: { org: string; project: Project }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const saved = await updateProject(org, project.slug, { options: draft });
      client.setQueryData(projectQuery(org, project.slug).queryKey, saved);
      setDraft({});
      toast(t('Saved'));
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
    setBusy(false);
  };
  const named = LISTS.some(([option]) => problem?.fields[option]);
  return (
    <Card title={t('Left out by lists')}>
      <form onSubmit={save} className="flex flex-col gap-4 p-4">
        {LISTS.map(([option, label, help]) => (
          <Field key={option} label={t(label)} help={t(help)} error={problem?.fields[option]?.[0]}>
            {(props) => (
              <TextArea
                {...props}
                rows={3}
                spellCheck={false}
                className="font-mono text-12"
                value={draft[option] ?? String(project.options?.[option] ?? '')}
                onChange={(event) => setDraft({ ...draft, [option]: event.target.value })}
              />
            )}
          </Field>
        ))}
        {problem && !named && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <div>
          <Button type="submit" tone="solid" disabled={busy || Object.keys(draft).length === 0}>
            {t('Save the lists')}
          </Button>
        </div>
      </form>
    </Card>
  );
}
