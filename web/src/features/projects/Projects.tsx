import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { FolderKanban } from 'lucide-react';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { buttonClass } from '../../ui/Button.tsx';
import { Page } from '../../ui/Page.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { projectsQuery } from './queries.ts';

export function Projects() {
  useTitle(t('Projects'));
  const { org } = useParams({ strict: false }) as { org: string };
  const { data, error, isPending, refetch } = useQuery(projectsQuery(org));
  const create = (
    <Link to="/organizations/$org/projects/new/" params={{ org }} className={buttonClass({ tone: 'solid' })}>
      {t('New project')}
    </Link>
  );
  return (
    <Page title={t('Projects')} actions={data && data.length > 0 ? create : undefined}>
      <div className="rounded-lg border border-border bg-surface max-md:rounded-none max-md:border-x-0">
        {isPending && (
          <div className="flex flex-col gap-3 p-4">
            {[1, 2, 3].map((row) => (
              <Skeleton key={row} className="h-8" />
            ))}
          </div>
        )}
        {error && !data && (
          <ErrorState
            error={error}
            what={t('The projects could not be read')}
            onRetry={() => void refetch()}
          />
        )}
        {data?.length === 0 && (
          <EmptyState icon={FolderKanban} title={t('No project yet')} action={create}>
            {t('A project receives the errors of one application.')}
          </EmptyState>
        )}
        {data && data.length > 0 && (
          <ul>
            {data.map((project) => (
              <li
                key={project.id}
                className="flex min-h-13 flex-wrap items-center gap-x-4 gap-y-1 border-b border-border px-4 py-1.5 last:border-b-0"
              >
                <span className="min-w-0 grow">
                  <Link
                    to="/organizations/$org/issues/"
                    params={{ org }}
                    search={{ project: [project.id] }}
                    className="block truncate font-semibold hover:underline"
                  >
                    {project.name || project.slug}
                  </Link>
                  <span className="block truncate text-12 text-text2">
                    {project.slug}
                    {project.platform ? ` · ${project.platform}` : ''}
                    {project.firstEvent === null ? ` · ${t('waiting for the first event')}` : ''}
                  </span>
                </span>
                <Link
                  to="/organizations/$org/projects/$slug/getting-started/"
                  params={{ org, slug: project.slug }}
                  className={buttonClass()}
                >
                  {t('Set up the SDK')}
                </Link>
                <Link
                  to="/settings/$org/projects/$slug/"
                  params={{ org, slug: project.slug }}
                  className={buttonClass()}
                >
                  {t('Settings')}
                </Link>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Page>
  );
}
