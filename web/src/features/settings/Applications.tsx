import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm, Dialog } from '../../ui/Dialog.tsx';
import { Field, Input, TextArea, Toggle } from '../../ui/Form.tsx';
import { Secret } from '../../ui/Secret.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import {
  type Application,
  type Authorization,
  addApplication,
  applicationsQuery,
  authorizationsQuery,
  changeApplication,
  removeApplication,
  revokeAuthorization,
  rotateSecret,
} from '../auth/queries.ts';
import { AccountPage } from './AccountPage.tsx';

const row = 'flex flex-wrap items-center gap-2 border-b border-border px-4 py-2 last:border-b-0';

/** Applications that act in the name of people: what one allowed, and what one registered. */
export function Applications() {
  return (
    <AccountPage title={t('Applications')}>
      <Authorizations />
      <Registered />
    </AccountPage>
  );
}

function Authorizations() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(authorizationsQuery);
  const [leaving, setLeaving] = useState<Authorization | null>(null);
  const revoke = async (one: Authorization): Promise<void> => {
    try {
      await revokeAuthorization(one.id);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: authorizationsQuery.queryKey });
  };
  return (
    <Card title={t('What you allowed')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('What you allowed could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-12" />}
      {data?.length === 0 && (
        <p className="p-4 text-13 text-text2">{t('No application acts in your name.')}</p>
      )}
      <ul>
        {data?.map((one) => (
          <li key={one.id} className={row}>
            <div className="min-w-0 grow">
              <p className="font-medium break-words">{one.application.name}</p>
              <p className="text-12 break-words text-text2">
                {one.scopes.join(', ')}; {t('allowed')} <Time at={one.dateCreated} form="long" />
              </p>
            </div>
            <Button size="xs" className="text-error" onClick={() => setLeaving(one)}>
              {t('Take back')}
            </Button>
          </li>
        ))}
      </ul>
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Take it back?')}
        text={t('The application can act in your name no more.')}
        action={t('Take back')}
        onConfirm={() => {
          if (leaving) void revoke(leaving);
        }}
      />
    </Card>
  );
}

function Registered() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(applicationsQuery);
  const [edited, setEdited] = useState<Application | 'new' | null>(null);
  const [secret, setSecret] = useState<{ name: string; text: string } | null>(null);
  const [leaving, setLeaving] = useState<Application | null>(null);
  const [renewed, setRenewed] = useState<Application | null>(null);
  const again = () => client.invalidateQueries({ queryKey: applicationsQuery.queryKey });
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  return (
    <Card
      title={t('Applications that you registered')}
      actions={
        <Button size="xs" onClick={() => setEdited('new')}>
          {t('Register an application')}
        </Button>
      }
    >
      <p className="border-b border-border px-4 py-2 text-13 text-text2">
        {t('They ask people to act in their name, by OAuth: nobody gives them a password.')}
      </p>
      {secret && (
        <Secret
          text={secret.text}
          what={t('The secret of {name}. Copy it now: it is not shown again.', { name: secret.name })}
        />
      )}
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The applications could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-12" />}
      {data?.length === 0 && <p className="p-4 text-13 text-text2">{t('None yet.')}</p>}
      <ul>
        {data?.map((one) => (
          <li key={one.id} className={row}>
            <div className="min-w-0 grow basis-60">
              <p className="font-medium break-words">{one.name}</p>
              <p className="flex min-w-0 items-center gap-1 text-12 text-text2">
                <span className="truncate font-mono">{one.clientID}</span>
                <Copy text={one.clientID} label={t('Copy the client id of {name}', { name: one.name })} />
              </p>
              <p className="text-12 break-all text-text2">
                {one.redirectUris.length > 0
                  ? one.redirectUris.join(', ')
                  : t('No redirect address yet: it cannot ask anybody.')}
              </p>
            </div>
            <div className="flex flex-wrap gap-2">
              <Button size="xs" onClick={() => setEdited(one)}>
                {t('Change')}
              </Button>
              {!one.isPublic && (
                <Button size="xs" onClick={() => setRenewed(one)}>
                  {t('New secret')}
                </Button>
              )}
              <Button size="xs" className="text-error" onClick={() => setLeaving(one)}>
                {t('Delete')}
              </Button>
            </div>
          </li>
        ))}
      </ul>
      {edited && (
        <Editor
          application={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={(saved) => {
            setEdited(null);
            if (saved.clientSecret) setSecret({ name: saved.name, text: saved.clientSecret });
            void again();
          }}
        />
      )}
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Delete this application?')}
        text={t('It can act in nobody’s name any more.')}
        action={t('Delete')}
        onConfirm={() => {
          if (leaving) void attempt(() => removeApplication(leaving.id));
        }}
      />
      <Confirm
        open={renewed !== null}
        onOpenChange={() => setRenewed(null)}
        title={t('Make a new secret?')}
        text={t('The secret before counts no more.')}
        action={t('Make a new secret')}
        onConfirm={() => {
          if (renewed)
            void attempt(async () => {
              const { clientSecret } = await rotateSecret(renewed.id);
              setSecret({ name: renewed.name, text: clientSecret });
            });
        }}
      />
    </Card>
  );
}

function Editor({
  application,
  onClose,
  onSaved,
}: {
  application: Application | null;
  onClose: () => void;
  onSaved: (saved: Application) => void;
}) {
  const [name, setName] = useState(application?.name ?? '');
  const [homepage, setHomepage] = useState(application?.homepageUrl ?? '');
  const [uris, setUris] = useState(application?.redirectUris.join('\n') ?? '');
  const [isPublic, setPublic] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    const draft = {
      name: name.trim(),
      homepageUrl: homepage.trim() || null,
      redirectUris: uris.split(/\s+/).filter(Boolean),
    };
    try {
      onSaved(
        application
          ? await changeApplication(application.id, draft)
          : await addApplication({ ...draft, isPublic }),
      );
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={application ? t('Change the application') : t('Register an application')}
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        {problem && Object.keys(problem.fields).length === 0 && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <Field label={t('Name')} error={problem?.fields.name?.[0]}>
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
        <Field
          label={t('Redirect addresses')}
          help={t('One a line, exactly as the application names them: https, or http on one’s own machine.')}
          error={problem?.fields.redirectUris?.[0]}
        >
          {(props) => (
            <TextArea
              {...props}
              rows={3}
              required
              spellCheck={false}
              value={uris}
              onChange={(event) => setUris(event.target.value)}
            />
          )}
        </Field>
        <Field label={t('Home page (optional)')} error={problem?.fields.homepageUrl?.[0]}>
          {(props) => (
            <Input
              {...props}
              type="url"
              value={homepage}
              onChange={(event) => setHomepage(event.target.value)}
            />
          )}
        </Field>
        {!application && (
          <Toggle
            label={t('It cannot keep a secret')}
            help={t('For apps on people’s devices and in browsers: they show who they are by PKCE alone.')}
            checked={isPublic}
            onChange={setPublic}
          />
        )}
        <div className="flex gap-2">
          <Button type="submit" tone="solid">
            {application ? t('Save') : t('Register')}
          </Button>
          <Button onClick={onClose}>{t('Cancel')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
