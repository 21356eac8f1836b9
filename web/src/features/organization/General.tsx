import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { OrganizationDetails } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field, Input, Toggle } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { organizationsQuery } from '../organizations/queries.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import { deleteOrganization, organizationQuery, updateOrganization } from './queries.ts';

export function General() {
  const { org } = useParams({ strict: false }) as { org: string };
  const { data, error, refetch } = useQuery(organizationQuery(org));
  return (
    <OrganizationPage title={t('Organization')} narrow>
      {error && !data && (
        <ErrorState
          error={error}
          what={t('The organization could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="h-60" />}
      {data && <Details key={data.id} org={org} organization={data} />}
      {data?.access.includes('org:admin') && <Removal organization={data} />}
    </OrganizationPage>
  );
}

function Details({ org, organization }: { org: string; organization: OrganizationDetails }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Partial<OrganizationDetails>>({});
  const [problem, setProblem] = useState<ApiError | null>(null);
  const shown = { ...organization, ...draft };
  const may = organization.access.includes('org:write');
  const set = (change: Partial<OrganizationDetails>): void => setDraft({ ...draft, ...change });
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const saved = await updateOrganization(org, draft);
      setDraft({});
      toast(t('Saved.'));
      client.setQueryData(organizationQuery(saved.slug).queryKey, saved);
      await client.invalidateQueries({ queryKey: organizationsQuery.queryKey });
      if (saved.slug !== org) await navigate({ to: '/settings/$org/', params: { org: saved.slug } });
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <Card title={t('Name and access')}>
      <form onSubmit={save} className="flex flex-col gap-4 p-4">
        {!may && (
          <p className="text-13 text-text2">{t('Managers and owners of the organization change this.')}</p>
        )}
        <Field label={t('Name')} error={problem?.fields.name?.[0]}>
          {(props) => (
            <Input
              {...props}
              required
              maxLength={64}
              disabled={!may}
              value={shown.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
        <Field
          label={t('Name in addresses')}
          help={t('The old name goes on working.')}
          error={problem?.fields.slug?.[0]}
        >
          {(props) => (
            <Input
              {...props}
              required
              maxLength={50}
              disabled={!may}
              value={shown.slug}
              onChange={(event) => set({ slug: event.target.value })}
            />
          )}
        </Field>
        <Toggle
          label={t('Open membership')}
          help={t(
            'Every member sees every project and joins teams by themselves. Off: members see the projects of their teams.',
          )}
          checked={shown.openMembership}
          disabled={!may}
          onChange={(openMembership) => set({ openMembership })}
        />
        <Toggle
          label={t('Public links to issues')}
          help={t('Members may show an issue to people without a login. Off: all links lead nowhere.')}
          checked={shown.allowSharedIssues}
          disabled={!may}
          onChange={(allowSharedIssues) => set({ allowSharedIssues })}
        />
        <Toggle
          label={t('Members invite members')}
          help={t('Off: managers and owners invite.')}
          checked={shown.allowMemberInvite}
          disabled={!may}
          onChange={(allowMemberInvite) => set({ allowMemberInvite })}
        />
        <Toggle
          label={t('Ask for a second factor')}
          help={t('Members without one see nothing here until they have set one up.')}
          checked={shown.require2FA}
          disabled={!may}
          onChange={(require2FA) => set({ require2FA })}
        />
        <Toggle
          label={t('Ask for a confirmed address')}
          help={t('Members who have not opened the link in their mail see nothing here.')}
          checked={shown.requireEmailVerification}
          disabled={!may}
          onChange={(requireEmailVerification) => set({ requireEmailVerification })}
        />
        {(problem?.fields.require2FA ?? problem?.fields.requireEmailVerification) && (
          <p role="alert" className="text-13 text-error">
            {(problem?.fields.require2FA ?? problem?.fields.requireEmailVerification)?.[0]}{' '}
            <Link to="/settings/account/security/" className="text-accent underline">
              {t('Your account')}
            </Link>
          </p>
        )}
        {problem && Object.keys(problem.fields).length === 0 && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <div>
          <Button type="submit" tone="solid" disabled={!may || Object.keys(draft).length === 0}>
            {t('Save')}
          </Button>
        </div>
      </form>
    </Card>
  );
}

function Removal({ organization }: { organization: OrganizationDetails }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  const remove = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setAsking(false);
    try {
      await deleteOrganization(organization.slug);
      client.clear();
      await navigate({ to: '/' });
      toast(t('{name} is removed.', { name: organization.name }));
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
  };
  return (
    <Card title={t('Remove the organization')}>
      <div className="flex flex-wrap items-center gap-3 p-4">
        <p className="min-w-0 grow basis-64 text-text2">
          {t('Its projects, issues, events and settings go with it, at once and for good.')}
        </p>
        <Button
          tone="danger"
          onClick={() => {
            setTyped('');
            setAsking(true);
          }}
        >
          {t('Remove')}
        </Button>
      </div>
      <Dialog
        open={asking}
        onOpenChange={setAsking}
        title={t('Remove {name}?', { name: organization.name })}
        description={t('Everything that it holds is lost.')}
      >
        <form onSubmit={remove} className="flex flex-col gap-4">
          <Field label={t('Type {slug} to go on', { slug: organization.slug })}>
            {(props) => (
              <Input
                {...props}
                autoComplete="off"
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
              />
            )}
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsking(false)}>{t('Cancel')}</Button>
            <Button type="submit" tone="danger" disabled={typed !== organization.slug}>
              {t('Remove the organization')}
            </Button>
          </div>
        </form>
      </Dialog>
    </Card>
  );
}
