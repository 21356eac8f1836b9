import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { UserPlus, Users } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Member } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Avatar, Badge, Copy } from '../../ui/Bits.tsx';
import { Box } from '../../ui/Box.tsx';
import { Button } from '../../ui/Button.tsx';
import { Confirm, Dialog } from '../../ui/Dialog.tsx';
import { Field, Input, Select } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { sessionQuery } from '../auth/queries.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import {
  inviteMember,
  membersPages,
  organizationQuery,
  ROLES,
  removeMember,
  teamsQuery,
  updateMember,
} from './queries.ts';

export function Members() {
  const { org } = useParams({ strict: false }) as { org: string };
  const client = useQueryClient();
  const { data: organization } = useQuery(organizationQuery(org));
  const { data: me } = useQuery(sessionQuery);
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<{ email: string; url: string } | null>(null);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const may = organization?.access.includes('member:write') ?? false;
  const invites = may || (organization?.allowMemberInvite ?? false);
  const again = () => client.invalidateQueries({ queryKey: ['members', org] });
  const change = async (work: () => Promise<unknown>, done: string): Promise<void> => {
    try {
      await work();
      toast(done);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  const resend = async (member: Member): Promise<void> => {
    try {
      const made = await updateMember(org, member.id, { reinvite: true, regenerate: true });
      if (made.inviteLink) setLink({ email: member.email, url: made.inviteLink });
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  return (
    <OrganizationPage
      title={t('Members')}
      actions={
        invites && (
          <Button tone="solid" onClick={() => setInviting(true)}>
            <UserPlus className="size-3.5" aria-hidden /> {t('Invite')}
          </Button>
        )
      }
    >
      {link && <InviteLink {...link} />}
      <Box>
        <PagedList
          query={membersPages(org)}
          label={t('Members')}
          failed={t('The members could not be read')}
          keyOf={(member) => member.id}
          empty={<EmptyState icon={Users} title={t('No members')} />}
        >
          {(member) => (
            <>
              <span aria-hidden>
                <Avatar name={member.name || member.email} />
              </span>
              <span className="min-w-0 grow basis-48">
                <span className="block truncate font-medium">
                  {member.name || member.email} {member.user?.id === me?.id && t('(you)')}
                </span>
                <span className="block truncate text-12 text-text2">
                  {member.email}
                  {member.teams && member.teams.length > 0
                    ? ` · ${member.teams.map((team) => `#${team}`).join(' ')}`
                    : ''}
                  {member.dateCreated && (
                    <>
                      {' '}
                      · <Time at={member.dateCreated} form="long" />
                    </>
                  )}
                </span>
              </span>
              {member.pending && (
                <Badge tone={member.expired ? 'error' : 'warning'}>
                  {member.expired ? t('invitation over') : t('invited')}
                </Badge>
              )}
              <div className="w-30">
                <Select
                  aria-label={t('Role of {name}', { name: member.name || member.email })}
                  disabled={!may || member.user?.id === me?.id}
                  value={member.orgRole}
                  onChange={(event) =>
                    void change(
                      () => updateMember(org, member.id, { orgRole: event.target.value }),
                      t('The role is changed.'),
                    )
                  }
                >
                  {ROLES.map((role) => (
                    <option key={role.value} value={role.value}>
                      {t(role.label)}
                    </option>
                  ))}
                </Select>
              </div>
              {may && member.pending && (
                <Button size="xs" onClick={() => void resend(member)}>
                  {t('New link')}
                </Button>
              )}
              {(may || member.user?.id === me?.id) && (
                <Button size="xs" className="text-error" onClick={() => setLeaving(member)}>
                  {member.user?.id === me?.id ? t('Leave') : t('Remove')}
                </Button>
              )}
            </>
          )}
        </PagedList>
      </Box>
      <Invite
        org={org}
        open={inviting}
        onOpenChange={setInviting}
        onInvited={(member) => {
          if (member.inviteLink) setLink({ email: member.email, url: member.inviteLink });
          void again();
        }}
      />
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Remove {name}?', { name: leaving?.name || leaving?.email || '' })}
        text={t('They see nothing of the organization any more. What they did stays.')}
        action={t('Remove')}
        onConfirm={() => {
          if (leaving) void change(() => removeMember(org, leaving.id), t('Removed.'));
        }}
      />
    </OrganizationPage>
  );
}

function InviteLink({ email, url }: { email: string; url: string }) {
  return (
    <div role="status" className="rounded-lg border border-border bg-code p-4 text-13">
      <p className="font-medium">
        {t('Copy the invitation of {email} now: it is not shown again.', { email })}
      </p>
      <div className="mt-2 flex items-center gap-2">
        <code className="min-w-0 grow font-mono text-12 break-all">{url}</code>
        <Copy text={url} label={t('Copy the invitation')}>
          {t('Copy')}
        </Copy>
      </div>
    </div>
  );
}

function Invite({
  org,
  open,
  onOpenChange,
  onInvited,
}: {
  org: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onInvited: (member: Member) => void;
}) {
  const { data: teams } = useQuery({ ...teamsQuery(org), enabled: open });
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('member');
  const [team, setTeam] = useState('');
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const made = await inviteMember(org, {
        email: email.trim(),
        orgRole: role,
        teams: team ? [team] : [],
      });
      setEmail('');
      onOpenChange(false);
      onInvited(made);
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('Invite somebody')}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <Field
          label={t('Email')}
          error={problem && (problem.fields.email?.[0] ?? (problem.fields.orgRole ? null : problem.detail))}
        >
          {(props) => (
            <Input
              {...props}
              type="email"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field
          label={t('Role')}
          help={t(ROLES.find((one) => one.value === role)?.help ?? '')}
          error={problem?.fields.orgRole?.[0]}
        >
          {(props) => (
            <Select {...props} value={role} onChange={(event) => setRole(event.target.value)}>
              {ROLES.map((one) => (
                <option key={one.value} value={one.value}>
                  {t(one.label)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t('Team')}>
          {(props) => (
            <Select {...props} value={team} onChange={(event) => setTeam(event.target.value)}>
              <option value="">{t('None yet')}</option>
              {teams?.map((one) => (
                <option key={one.id} value={one.slug}>
                  #{one.slug}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <div className="flex justify-end">
          <Button type="submit" tone="solid">
            {t('Invite')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
