import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Box } from '../../ui/Box.tsx';
import { Button } from '../../ui/Button.tsx';
import { Confirm, Dialog } from '../../ui/Dialog.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { ScopeChoice } from '../../ui/ScopeChoice.tsx';
import { Secret } from '../../ui/Secret.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import {
  addIntegration,
  addIntegrationToken,
  changeIntegration,
  type Integration,
  integrationsPages,
  integrationTokensQuery,
  organizationQuery,
  removeIntegration,
  removeIntegrationToken,
} from './queries.ts';

/** The organization's own programs, which ask this server with tokens of their own. */
export function Integrations() {
  const { org } = useParams({ strict: false }) as { org: string };
  const client = useQueryClient();
  const { data: organization } = useQuery(organizationQuery(org));
  const may = organization?.access.includes('org:write') ?? false;
  const [edited, setEdited] = useState<Integration | 'new' | null>(null);
  const [opened, setOpened] = useState<Integration | null>(null);
  const [leaving, setLeaving] = useState<Integration | null>(null);
  const again = () => client.invalidateQueries({ queryKey: ['sentry-apps'] });
  const remove = async (one: Integration): Promise<void> => {
    try {
      await removeIntegration(one.id);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  return (
    <OrganizationPage
      title={t('Integrations')}
      narrow
      actions={may && <Button onClick={() => setEdited('new')}>{t('New integration')}</Button>}
    >
      <p className="text-13 text-text2 max-md:px-4">
        {t(
          'Programs of your own that ask this server. Their tokens belong to the organization and do what the integration may; they outlive the people who made them.',
        )}
      </p>
      <Box>
        <PagedList
          query={integrationsPages(org)}
          label={t('Integrations')}
          failed={t('The integrations could not be read')}
          keyOf={(one) => one.id}
          empty={
            <EmptyState title={t('No integration yet')}>
              {t('An integration holds scopes and tokens for one program.')}
            </EmptyState>
          }
        >
          {(one) => (
            <>
              <div className="min-w-0 grow basis-60">
                <p className="font-medium break-words">{one.name}</p>
                <p className="text-12 break-words text-text2">
                  {one.scopes.length > 0 ? one.scopes.join(', ') : t('It may do nothing yet.')}
                </p>
              </div>
              {may && (
                <div className="flex flex-wrap gap-2">
                  {one.isInternal && (
                    <Button
                      size="xs"
                      aria-label={t('Tokens of {name}', { name: one.name })}
                      onClick={() => setOpened(one)}
                    >
                      {t('Tokens')}
                    </Button>
                  )}
                  <Button
                    size="xs"
                    aria-label={t('Change {name}', { name: one.name })}
                    onClick={() => setEdited(one)}
                  >
                    {t('Change')}
                  </Button>
                  <Button
                    size="xs"
                    className="text-error"
                    aria-label={t('Delete {name}', { name: one.name })}
                    onClick={() => setLeaving(one)}
                  >
                    {t('Delete')}
                  </Button>
                </div>
              )}
            </>
          )}
        </PagedList>
      </Box>
      {edited && (
        <Editor
          org={org}
          integration={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => {
            setEdited(null);
            void again();
          }}
        />
      )}
      {opened && <TokensOf integration={opened} onClose={() => setOpened(null)} />}
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Delete this integration?')}
        text={t('Its tokens end: what uses them can sign in no more.')}
        action={t('Delete')}
        onConfirm={() => {
          if (leaving) void remove(leaving);
        }}
      />
    </OrganizationPage>
  );
}

function Editor({
  org,
  integration,
  onClose,
  onSaved,
}: {
  org: string;
  integration: Integration | null;
  onClose: () => void;
  onSaved: () => void;
}) {
  const [name, setName] = useState(integration?.name ?? '');
  const [scopes, setScopes] = useState(integration?.scopes ?? ['org:read', 'project:read', 'event:read']);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      if (integration) await changeIntegration(integration.id, name.trim(), scopes);
      else await addIntegration(org, name.trim(), scopes);
      onSaved();
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  const { name: wrongName, slug: wrongSlug, scopes: wrongScopes } = problem?.fields ?? {};
  return (
    <Dialog
      open
      wide
      onOpenChange={onClose}
      title={integration ? t('Change the integration') : t('New integration')}
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        {problem && Object.keys(problem.fields).length === 0 && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <Field label={t('Name')} error={(wrongName ?? wrongSlug)?.[0]}>
          {(props) => (
            <Input
              {...props}
              required
              maxLength={57}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <ScopeChoice
          legend={t('What it may do')}
          chosen={scopes}
          onChange={setScopes}
          error={wrongScopes?.[0]}
        />
        <div className="flex gap-2">
          <Button type="submit" tone="solid">
            {integration ? t('Save') : t('Make the integration')}
          </Button>
          <Button onClick={onClose}>{t('Cancel')}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function TokensOf({ integration, onClose }: { integration: Integration; onClose: () => void }) {
  const client = useQueryClient();
  const query = integrationTokensQuery(integration.id);
  const { data, error, refetch } = useQuery(query);
  const [made, setMade] = useState<string | null>(null);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: query.queryKey });
  };
  const add = async (): Promise<void> => setMade((await addIntegrationToken(integration.id)).token);
  return (
    <Dialog open onOpenChange={onClose} title={t('Tokens of {name}', { name: integration.name })}>
      <Button tone="solid" onClick={() => void attempt(add)}>
        {t('Make a token')}
      </Button>
      <div className="mt-3 overflow-hidden rounded-md border border-border">
        {made && <Secret text={made} what={t('Copy the token now: it is not shown again.')} />}
        {error && !data && (
          <ErrorState
            compact
            error={error}
            what={t('The tokens could not be read')}
            onRetry={() => void refetch()}
          />
        )}
        {!data && !error && <Skeleton className="m-4 h-12" />}
        {data?.length === 0 && <p className="p-4 text-13 text-text2">{t('None yet.')}</p>}
        <ul>
          {data?.map((token) => (
            <li
              key={token.id}
              className="flex flex-wrap items-center gap-2 border-b border-border px-4 py-2 last:border-b-0"
            >
              <p className="min-w-0 grow text-13">
                <span className="font-mono">…{token.tokenLastCharacters}</span>;{' '}
                {token.dateLastUsed ? (
                  <>
                    {t('last used')} <Time at={token.dateLastUsed} form="long" />
                  </>
                ) : (
                  t('never used')
                )}
              </p>
              <Button
                size="xs"
                className="text-error"
                aria-label={t('Withdraw the token that ends in {last}', { last: token.tokenLastCharacters })}
                onClick={() => void attempt(() => removeIntegrationToken(integration.id, token.id))}
              >
                {t('Withdraw')}
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
