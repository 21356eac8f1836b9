import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Field, Input, Select } from '../../ui/Form.tsx';
import { ErrorState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { createToken, deleteToken, type Token, tokensQuery } from '../auth/queries.ts';
import { AccountPage } from './AccountPage.tsx';

/** What people make tokens for, and the scopes that it takes. */
const PURPOSES: { label: string; scopes: string[] }[] = [
  {
    label: 'Read everything',
    scopes: ['org:read', 'project:read', 'team:read', 'member:read', 'event:read'],
  },
  {
    label: 'Releases and uploads (sentry-cli, bundlers)',
    scopes: ['org:read', 'project:read', 'project:write', 'project:releases', 'org:ci'],
  },
  {
    label: 'Work on issues (sentry-mcp, scripts)',
    scopes: ['org:read', 'project:read', 'team:read', 'member:read', 'event:read', 'event:write'],
  },
  {
    label: 'Everything that you may do',
    scopes: [
      'org:admin',
      'project:admin',
      'project:releases',
      'team:admin',
      'member:admin',
      'event:admin',
      'org:ci',
    ],
  },
];

/** Tokens of the person who is signed in. */
export function TokensPage() {
  return (
    <AccountPage title={t('Tokens')}>
      <Tokens />
    </AccountPage>
  );
}

function Tokens() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(tokensQuery);
  const [name, setName] = useState('');
  const [purpose, setPurpose] = useState(0);
  const [made, setMade] = useState<Token | null>(null);
  const [leaving, setLeaving] = useState<Token | null>(null);
  const again = () => client.invalidateQueries({ queryKey: tokensQuery.queryKey });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      setMade(await createToken(name, PURPOSES[purpose].scopes));
      setName('');
    } catch (failed) {
      toast(t('No token was made: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  const withdraw = async (token: Token): Promise<void> => {
    try {
      await deleteToken(token.id);
      if (made?.id === token.id) setMade(null);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  return (
    <Card title={t('API tokens')}>
      <form onSubmit={submit} className="flex flex-wrap items-end gap-3 border-b border-border p-4">
        <div className="min-w-40 grow">
          <Field label={t('Name of the token')}>
            {(props) => (
              <Input
                {...props}
                required
                maxLength={200}
                placeholder={t('Where it is used')}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        </div>
        <div className="min-w-40 grow">
          <Field label={t('What it is for')}>
            {(props) => (
              <Select
                {...props}
                value={String(purpose)}
                onChange={(event) => setPurpose(Number(event.target.value))}
              >
                {PURPOSES.map((one, index) => (
                  <option key={one.label} value={index}>
                    {t(one.label)}
                  </option>
                ))}
              </Select>
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
      {data?.length === 0 && (
        <p className="p-4 text-13 text-text2">{t('None yet. Tools and scripts sign in with a token.')}</p>
      )}
      <ul>
        {data?.map((token) => (
          <li
            key={token.id}
            className="flex flex-wrap items-center gap-2 border-b border-border px-4 py-2 last:border-b-0"
          >
            <div className="min-w-0 grow">
              <p className="font-medium break-words">{token.name || t('Without a name')}</p>
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
    </Card>
  );
}
