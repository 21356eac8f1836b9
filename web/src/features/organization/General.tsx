import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { OrganizationDetails } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Input, Toggle } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { organizationsQuery } from '../organizations/queries.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import { organizationQuery, updateOrganization } from './queries.ts';

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
