import { useQuery, useQueryClient } from '@tanstack/react-query';
import { t } from '../../i18n/index.ts';
import { Card } from '../../ui/Card.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { changeNotifications, notificationsQuery, type Notifications as Wanted } from '../auth/queries.ts';
import { organizationsQuery } from '../organizations/queries.ts';
import { projectsQuery } from '../projects/queries.ts';
import { AccountPage } from './AccountPage.tsx';

const KINDS = [
  { name: 'newIssues', label: 'New issues' },
  { name: 'regressions', label: 'Regressions' },
] as const;

/** Which mails come, for every project and for each. */
export function NotificationsPage() {
  return (
    <AccountPage title={t('Mail')}>
      <Notifications />
    </AccountPage>
  );
}

function Notifications() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(notificationsQuery);
  const { data: organizations } = useQuery(organizationsQuery);
  // Shown at once, and as it was if the server refuses.
  const change = async (what: Record<string, unknown>, then: (now: Wanted) => Wanted): Promise<void> => {
    client.setQueryData(notificationsQuery.queryKey, (now) => now && then(now));
    try {
      client.setQueryData(notificationsQuery.queryKey, await changeNotifications(what));
    } catch (failed) {
      await refetch();
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
  };
  return (
    <Card title={t('Mail')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The settings could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-12" />}
      {data && !data.sendsMail && (
        <p className="border-b border-border px-4 py-2 text-13 text-warning">
          {t('This server sends no mail yet: its administrator has to set mail-host.')}
        </p>
      )}
      {data && (
        <div className="overflow-x-auto">
          <table className="w-full text-13">
            <thead>
              <tr className="border-b border-border text-left text-12 text-text2">
                <th className="px-4 py-2 font-medium">{t('Project')}</th>
                {KINDS.map((kind) => (
                  <th key={kind.name} className="px-4 py-2 text-center font-medium">
                    {t(kind.label)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <tr className="border-b border-border">
                <th scope="row" className="px-4 py-1.5 text-left font-medium">
                  {t('Every project')}
                </th>
                {KINDS.map((kind) => (
                  <td key={kind.name} className="px-4 py-1.5 text-center">
                    <input
                      type="checkbox"
                      className="size-4.5"
                      aria-label={t('{kind} of every project', { kind: t(kind.label) })}
                      checked={data[kind.name]}
                      onChange={(event) => {
                        const on = { [kind.name]: event.target.checked };
                        void change(on, (now) => ({ ...now, ...on }));
                      }}
                    />
                  </td>
                ))}
              </tr>
              {organizations?.map((organization) => (
                <Projects
                  key={organization.id}
                  org={organization.slug}
                  wanted={(id, kind) => data.projects[id]?.[kind] ?? data[kind]}
                  onChange={(id, kind, on) => {
                    const own = { ...data.projects[id], [kind]: on };
                    void change({ projects: { [id]: { [kind]: on === data[kind] ? null : on } } }, (now) => ({
                      ...now,
                      projects: { ...now.projects, [id]: own },
                    }));
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

type Kind = (typeof KINDS)[number]['name'];

function Projects({
  org,
  wanted,
  onChange,
}: {
  org: string;
  wanted: (id: string, kind: Kind) => boolean;
  onChange: (id: string, kind: Kind, on: boolean) => void;
}) {
  const { data } = useQuery(projectsQuery(org));
  return data?.map((project) => (
    <tr key={project.id} className="border-b border-border last:border-b-0">
      <th scope="row" className="px-4 py-1.5 text-left font-normal break-all">
        {org}/{project.slug}
      </th>
      {KINDS.map((kind) => (
        <td key={kind.name} className="px-4 py-1.5 text-center">
          <input
            type="checkbox"
            className="size-4.5"
            aria-label={t('{kind} of {project}', { kind: t(kind.label), project: project.slug })}
            checked={wanted(project.id, kind.name)}
            onChange={(event) => onChange(project.id, kind.name, event.target.checked)}
          />
        </td>
      ))}
    </tr>
  ));
}
