import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { UsersRound } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Team } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { Box } from '../../ui/Box.tsx';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import { createTeam, joinTeam, leaveTeam, organizationQuery, teamsPages } from './queries.ts';

export function Teams() {
  const { org } = useParams({ strict: false }) as { org: string };
  const client = useQueryClient();
  const { data: organization } = useQuery(organizationQuery(org));
  const [making, setMaking] = useState(false);
  const may = organization?.access.includes('team:write') ?? false;
  const again = () => client.invalidateQueries({ queryKey: ['teams', org] });
  const toggle = async (team: Team): Promise<void> => {
    try {
      await (team.isMember ? leaveTeam(org, 'me', team.slug) : joinTeam(org, 'me', team.slug));
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  return (
    <OrganizationPage
      title={t('Teams')}
      actions={
        may && (
          <Button tone="solid" onClick={() => setMaking(true)}>
            {t('New team')}
          </Button>
        )
      }
    >
      <Box>
        <PagedList
          query={teamsPages(org)}
          label={t('Teams')}
          failed={t('The teams could not be read')}
          keyOf={(team) => team.id}
          empty={
            <EmptyState icon={UsersRound} title={t('No team yet')}>
              {t('A team has members and projects. Issues can be assigned to it.')}
            </EmptyState>
          }
        >
          {(team) => (
            <>
              <span className="min-w-0 grow basis-48">
                <Link
                  to="/settings/$org/teams/$team/"
                  params={{ org, team: team.slug }}
                  className="block truncate font-semibold hover:underline"
                >
                  #{team.slug}
                </Link>
                <span className="block truncate text-12 text-text2">
                  {plural(team.memberCount, 'member', 'members')}
                  {team.projects && ` · ${plural(team.projects.length, 'project', 'projects')}`}
                </span>
              </span>
              <Button size="xs" onClick={() => void toggle(team)}>
                {team.isMember ? t('Leave') : t('Join')}
              </Button>
            </>
          )}
        </PagedList>
      </Box>
      <NewTeam org={org} open={making} onOpenChange={setMaking} onMade={() => void again()} />
    </OrganizationPage>
  );
}

function NewTeam({
  org,
  open,
  onOpenChange,
  onMade,
}: {
  org: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onMade: () => void;
}) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      await createTeam(org, name.trim());
      setName('');
      onOpenChange(false);
      onMade();
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('New team')}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <Field
          label={t('Name')}
          error={problem && (problem.fields.name?.[0] ?? problem.fields.slug?.[0] ?? problem.detail)}
        >
          {(props) => (
            <Input
              {...props}
              required
              maxLength={64}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <div className="flex justify-end">
          <Button type="submit" tone="solid">
            {t('Make the team')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
