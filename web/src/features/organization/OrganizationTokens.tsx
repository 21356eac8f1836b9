import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { OrganizationToken } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import { createOrganizationToken, deleteOrganizationToken, organizationTokens } from './queries.ts';

/** Tokens of the organization, for builds: they belong to nobody who could leave. */
export function OrganizationTokens() {
  const { org } = useParams({ strict: false }) as { org: string };
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(organizationTokens(org));
  const [name, setName] = useState('');
  const [made, setMade] = useState<OrganizationToken | null>(null);
  const [leaving, setLeaving] = useState<OrganizationToken | null>(null);
  const again = () => client.invalidateQueries({ queryKey: ['org-tokens', org] });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      setMade(await createOrganizationToken(org, name.trim()));
      setName('');
    } catch (failed) {
      toast(t('No token was made: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  const withdraw = async (token: OrganizationToken): Promise<void> => {
    try {
      await deleteOrganizationToken(org, token.id);
      if (made?.id === token.id) setMade(null);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  return (
    <OrganizationPage title={t('Tokens')} narrow>
      <Card title={t('Tokens of the organization')}>
        <p className="border-b border-border px-4 py-2 text-13 text-text2">
          {t(
            'For sentry-cli and bundlers in builds: they make releases and upload files, and outlive the people who made them.',
          )}
        </p>
        <form onSubmit={submit} className="flex flex-wrap items-end gap-3 border-b border-border p-4">
          <div className="min-w-40 grow">
            <Field label={t('Name of the token')}>
              {(props) => (
                <Input
                  {...props}
                  required
                  maxLength={255}
                  placeholder={t('Where it is used')}
                  value={name}
                  onChange={(event) => setName(event.target.value)}
                />
              )}
            </Field>
          </div>
          <Button type="submit" tone="solid">
            {t('Make a token')}
          </Button>
        </form>
        {made?.token && (
          <div role="status" className="border-b border-border bg-code p-4 text-13">
            <p className="font-medium">{t('Copy the token now: it is not shown again.')}</p>
            <div className="mt-2 flex items-center gap-2">
              <code className="min-w-0 grow font-mono text-12 break-all">{made.token}</code>
              <Copy text={made.token} label={t('Copy the token')}>
                {t('Copy')}
              </Copy>
            </div>
          </div>
        )}
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
              <div className="min-w-0 grow">
                <p className="font-medium break-words">{token.name}</p>
                <p className="text-12 break-words text-text2">
                  <span className="font-mono">…{token.tokenLastCharacters}</span>, {token.scopes.join(', ')};{' '}
                  {token.dateLastUsed ? (
                    <>
                      {t('last used')} <Time at={token.dateLastUsed} form="long" />
                    </>
                  ) : (
                    t('never used')
                  )}
                </p>
              </div>
              <Button size="xs" className="text-error" onClick={() => setLeaving(token)}>
                {t('Withdraw')}
              </Button>
            </li>
          ))}
        </ul>
      </Card>
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Withdraw this token?')}
        text={t('What uses it can sign in no more.')}
        action={t('Withdraw')}
        onConfirm={() => {
          if (leaving) void withdraw(leaving);
        }}
      />
    </OrganizationPage>
  );
}
