import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Team } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Avatar } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Select } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { membersQuery } from '../organizations/queries.ts';
import { projectsQuery } from '../projects/queries.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import {
  deleteTeam,
  giveProject,
  joinTeam,
  leaveTeam,
  takeProject,
  teamMembersPages,
  teamQuery,
} from './queries.ts';

export function TeamPage() {
  const { org, team } = useParams({ strict: false }) as { org: string; team: string };
  const { data, error, refetch } = useQuery(teamQuery(org, team));
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const may = data?.access.includes('team:write') ?? false;
  const change = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['teams', org] });
  };
  const remove = async (): Promise<void> => {
    try {
      await deleteTeam(org, team);
      await client.invalidateQueries({ queryKey: ['teams', org] });
      await navigate({ to: '/settings/$org/teams/', params: { org } });
    } catch (failed) {
      toast(t('Nothing was deleted: {why}', { why: (failed as Error).message }));
    }
  };
  return (
    <OrganizationPage
      title={`#${team}`}
      actions={
        data?.access.includes('team:admin') && (
          <Button className="text-error" onClick={() => setAsking(true)}>
            {t('Delete the team')}
          </Button>
        )
      }
    >
      {error && !data && (
        <ErrorState error={error} what={t('The team could not be read')} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton className="h-40" />}
      {data && (
        <div className="grid gap-3 lg:grid-cols-2">
          <People org={org} team={team} may={may} change={change} />
          <Projects org={org} team={data} may={may} change={change} />
        </div>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete #{team}?', { team })}
        text={t('Its projects and members stay in the organization.')}
        action={t('Delete')}
        onConfirm={() => void remove()}
      />
    </OrganizationPage>
  );
}

interface PartProps {
  org: string;
  may: boolean;
  change: (work: () => Promise<unknown>) => Promise<void>;
}

function People({ org, team, may, change }: PartProps & { team: string }) {
  const { data: members } = useQuery(membersQuery(org));
  return (
    <Card title={t('Members')}>
      {may && (
        <div className="border-b border-border p-3">
          <Select
            aria-label={t('Add a member')}
            value=""
            onChange={(event) => void change(() => joinTeam(org, event.target.value, team))}
          >
            <option value="">{t('Add a member…')}</option>
            {members?.map((member) => (
              <option key={member.id} value={member.id}>
                {member.name || member.email}
              </option>
            ))}
          </Select>
        </div>
      )}
      <PagedList
        query={teamMembersPages(org, team)}
        label={t('Members')}
        failed={t('The members could not be read')}
        keyOf={(member) => member.id}
        empty={<p className="p-4 text-13 text-text2">{t('Nobody is in this team yet.')}</p>}
      >
        {(member) => (
          <>
            <span aria-hidden>
              <Avatar name={member.name || member.email} />
            </span>
            <span className="min-w-0 grow truncate">{member.name || member.email}</span>
            {may && (
              <Button
                size="xs"
                aria-label={t('Take {name} out of the team', { name: member.name || member.email })}
                onClick={() => void change(() => leaveTeam(org, member.id, team))}
              >
                {t('Take out')}
              </Button>
            )}
          </>
        )}
      </PagedList>
    </Card>
  );
}

function Projects({ org, team, may, change }: PartProps & { team: Team }) {
  const { data: projects } = useQuery(projectsQuery(org));
  const own = team.projects ?? [];
  const others = projects?.filter((project) => !own.some((one) => one.id === project.id)) ?? [];
  return (
    <Card title={t('Projects')}>
      {may && (
        <div className="border-b border-border p-3">
          <Select
            aria-label={t('Add a project')}
            value=""
            onChange={(event) => void change(() => giveProject(org, event.target.value, team.slug))}
          >
            <option value="">{t('Add a project…')}</option>
            {others.map((project) => (
              <option key={project.id} value={project.slug}>
                {project.slug}
              </option>
            ))}
          </Select>
        </div>
      )}
      {own.length === 0 && <p className="p-4 text-13 text-text2">{t('The team has no projects yet.')}</p>}
      <ul>
        {own.map((project) => (
          <li
            key={project.id}
            className="flex min-h-12 items-center gap-4 border-b border-border px-4 py-1.5 last:border-b-0"
          >
            <span className="min-w-0 grow truncate">{project.slug}</span>
            {may && (
              <Button
                size="xs"
                aria-label={t('Take {name} from the team', { name: project.slug })}
                onClick={() => void change(() => takeProject(org, project.slug, team.slug))}
              >
                {t('Take out')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
