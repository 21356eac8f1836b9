import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Field, Input, Select, Toggle } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { OrganizationPage } from './OrganizationPage.tsx';
import {
  type Identity,
  identitiesPages,
  ROLES,
  removeSingleSignOn,
  type SingleSignOn,
  type SingleSignOnDraft,
  type SingleSignOnTest,
  setSingleSignOn,
  singleSignOnQuery,
  testSingleSignOn,
  unlinkIdentity,
} from './queries.ts';

/** How members sign in through a provider of the organization. */
export function SingleSignOnPage() {
  const { org } = useParams({ strict: false }) as { org: string };
  const { data, error, refetch } = useQuery(singleSignOnQuery(org));
  return (
    <OrganizationPage title={t('Single sign-on')} narrow>
      {error && !data && (
        <ErrorState
          error={error}
          what={t('Single sign-on could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="h-60" />}
      {data && (
        <>
          <Settings key={String(data.enabled)} org={org} settings={data} />
          {data.enabled && <Identities org={org} />}
        </>
      )}
    </OrganizationPage>
  );
}

function Address({ label, text, children }: { label: string; text: string; children?: ReactNode }) {
  return (
    <div className="border-b border-border px-4 py-2 text-13">
      <p className="font-medium">{label}</p>
      <div className="mt-1 flex items-center gap-2">
        <code className="min-w-0 grow font-mono text-12 break-all">{text}</code>
        <Copy text={text} label={t('Copy: {what}', { what: label })}>
          {t('Copy')}
        </Copy>
      </div>
      {children}
    </div>
  );
}

function Settings({ org, settings }: { org: string; settings: SingleSignOn }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<SingleSignOnDraft>({});
  const [domains, setDomains] = useState(settings.allowedDomains.join(', '));
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [tested, setTested] = useState<SingleSignOnTest | null>(null);
  const [busy, setBusy] = useState(false);
  const [ending, setEnding] = useState(false);
  const shown = { ...settings, ...draft };
  const set = (change: SingleSignOnDraft): void => setDraft({ ...draft, ...change });
  const wrong = (name: string): string | undefined => problem?.fields[name]?.[0];
  const keep = (failed: unknown): void =>
    setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const saved = await setSingleSignOn(org, {
        ...draft,
        allowedDomains: domains.split(/[\s,]+/).filter(Boolean),
      });
      setDraft({});
      toast(t('Saved.'));
      client.setQueryData(singleSignOnQuery(org).queryKey, saved);
      await client.invalidateQueries({ queryKey: ['organization', org] });
    } catch (failed) {
      keep(failed);
    }
  };
  const test = async (): Promise<void> => {
    setProblem(null);
    setTested(null);
    setBusy(true);
    try {
      setTested(await testSingleSignOn(org, shown.issuer.trim()));
    } catch (failed) {
      keep(failed);
    }
    setBusy(false);
  };
  const end = async (): Promise<void> => {
    try {
      await removeSingleSignOn(org);
      toast(t('Single sign-on is off.'));
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['auth-provider', org] });
  };
  return (
    <Card
      title={t('Provider (OpenID Connect)')}
      actions={
        settings.enabled && (
          <Button size="xs" className="text-error" onClick={() => setEnding(true)}>
            {t('Turn off')}
          </Button>
        )
      }
    >
      <Address label={t('Callback address, for the provider')} text={settings.callbackUrl} />
      {settings.enabled && (
        <Address label={t('Where members sign in')} text={settings.loginUrl}>
          <p className="mt-1 text-12 text-text3">
            {t('Try it in a private window: client id and secret are only tested by a sign-in.')}
          </p>
        </Address>
      )}
      <form onSubmit={save} className="flex flex-col gap-4 p-4">
        {problem && Object.keys(problem.fields).length === 0 && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <Field
          label={t('Issuer')}
          help={t('The address below which /.well-known/openid-configuration is.')}
          error={wrong('issuer')}
        >
          {(props) => (
            <div className="flex flex-wrap gap-2">
              <Input
                {...props}
                className="min-w-40 grow basis-0"
                type="url"
                required
                maxLength={500}
                placeholder="https://id.example.com/realms/main"
                value={shown.issuer}
                onChange={(event) => set({ issuer: event.target.value })}
              />
              <Button size="md" disabled={busy || shown.issuer.trim() === ''} onClick={() => void test()}>
                {busy ? t('Asking…') : t('Test')}
              </Button>
            </div>
          )}
        </Field>
        {tested && (
          <p role="status" className={tested.ok ? 'text-13' : 'text-13 break-words text-error'}>
            {tested.ok
              ? t('The provider answers: {n} keys in {ms} ms; members are sent to {where}.', {
                  n: tested.keys ?? 0,
                  ms: tested.ms,
                  where: new URL(tested.authorizationEndpoint ?? '').host,
                })
              : tested.detail}
          </p>
        )}
        <Field label={t('Client id')} error={wrong('clientId')}>
          {(props) => (
            <Input
              {...props}
              required
              maxLength={500}
              autoComplete="off"
              spellCheck={false}
              value={shown.clientId}
              onChange={(event) => set({ clientId: event.target.value })}
            />
          )}
        </Field>
        <Field
          label={t('Client secret')}
          help={
            settings.hasClientSecret ? t('One is kept; it is not shown. Leave it empty to keep it.') : null
          }
          error={wrong('clientSecret')}
        >
          {(props) => (
            <Input
              {...props}
              type="password"
              autoComplete="new-password"
              required={!settings.hasClientSecret}
              maxLength={2000}
              value={draft.clientSecret ?? ''}
              onChange={(event) => set({ clientSecret: event.target.value || undefined })}
            />
          )}
        </Field>
        <Field
          label={t('Domains of e-mail addresses (optional)')}
          help={t('With commas between. Others are not let in, whatever the provider says.')}
          error={wrong('allowedDomains')}
        >
          {(props) => (
            <Input
              {...props}
              spellCheck={false}
              placeholder="example.com"
              value={domains}
              onChange={(event) => setDomains(event.target.value)}
            />
          )}
        </Field>
        <Toggle
          label={t('Whom the provider knows becomes a member')}
          help={t('Otherwise people need an invitation first.')}
          checked={shown.allowJoin}
          onChange={(allowJoin) => set({ allowJoin })}
        />
        <Field label={t('Role of new members')} error={wrong('defaultRole')}>
          {(props) => (
            <Select
              {...props}
              value={shown.defaultRole}
              onChange={(event) => set({ defaultRole: event.target.value })}
            >
              {ROLES.filter((role) => role.value !== 'owner').map((role) => (
                <option key={role.value} value={role.value}>
                  {t(role.label)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Toggle
          label={t('Require single sign-on')}
          help={t(
            'Members must come through the provider. Owners can still use their password, as a way back in.',
          )}
          checked={shown.requireSso}
          onChange={(requireSso) => set({ requireSso })}
        />
        <div>
          <Button type="submit" tone="solid">
            {settings.enabled ? t('Save') : t('Turn on single sign-on')}
          </Button>
        </div>
      </form>
      <Confirm
        open={ending}
        onOpenChange={() => setEnding(false)}
        title={t('Turn single sign-on off?')}
        text={t('Sessions through the provider end, and so do tokens that were made in them.')}
        action={t('Turn off')}
        onConfirm={() => void end()}
      />
    </Card>
  );
}

function Identities({ org }: { org: string }) {
  const client = useQueryClient();
  const [leaving, setLeaving] = useState<Identity | null>(null);
  const unlink = async (one: Identity): Promise<void> => {
    try {
      await unlinkIdentity(org, one.id);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['auth-provider', org] });
  };
  return (
    <Card title={t('Members who are known at the provider')}>
      <PagedList
        query={identitiesPages(org)}
        label={t('Members who are known at the provider')}
        failed={t('The members could not be read')}
        keyOf={(one) => one.id}
        empty={<p className="p-4 text-13 text-text2">{t('Nobody has come through it yet.')}</p>}
      >
        {(one) => (
          <>
            <div className="min-w-0 grow">
              <p className="font-medium break-words">{one.name}</p>
              <p className="text-12 break-all text-text2">
                {one.email}, <span className="font-mono">{one.subject}</span>; {t('last used')}{' '}
                <Time at={one.lastUsed} form="long" />
              </p>
            </div>
            <Button
              size="xs"
              className="text-error"
              aria-label={t('Unlink {name}', { name: one.name })}
              onClick={() => setLeaving(one)}
            >
              {t('Unlink')}
            </Button>
          </>
        )}
      </PagedList>
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Unlink {name}?', { name: leaving?.name ?? '' })}
        text={t('Their sessions through the provider end. Their next sign-in there makes a new link.')}
        action={t('Unlink')}
        onConfirm={() => {
          if (leaving) void unlink(leaving);
        }}
      />
    </Card>
  );
}
