import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { User } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { toast } from '../../ui/toasts.ts';
import { askToVerify, changeAddress, changeName, changePassword, sessionQuery } from '../auth/queries.ts';
import { AccountPage } from './AccountPage.tsx';

/** Name, address and password of the person who is signed in. */
export function Account() {
  const { data: user } = useQuery(sessionQuery);
  return (
    <AccountPage title={t('Account')}>
      {user && <Person key={`${user.name} ${user.email}`} user={user} />}
      {user?.hasPasswordAuth !== false && <Password />}
    </AccountPage>
  );
}

function Person({ user }: { user: User }) {
  const client = useQueryClient();
  const [name, setName] = useState(user.name === user.email ? '' : user.name);
  const [email, setEmail] = useState(user.email);
  const [told, setTold] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const verified = user.emails?.[0]?.is_verified !== false;
  const work = async (what: () => Promise<string>): Promise<void> => {
    setProblem(null);
    setTold(null);
    try {
      setTold(await what());
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
    await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
  const rename = (event: FormEvent): void => {
    event.preventDefault();
    void work(async () => {
      await changeName(name.trim());
      return t('Saved.');
    });
  };
  const move = (event: FormEvent): void => {
    event.preventDefault();
    void work(async () => (await changeAddress(email.trim())).detail);
  };
  return (
    <Card title={t('Name and address')}>
      <form onSubmit={rename} className="flex flex-wrap items-end gap-2 px-4 pt-4">
        <div className="min-w-48 grow">
          <Field label={t('Your name')} error={problem?.fields.name?.[0]}>
            {(props) => (
              <Input
                {...props}
                autoComplete="name"
                required
                maxLength={200}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        </div>
        <Button type="submit" size="md">
          {t('Save')}
        </Button>
      </form>
      <form onSubmit={move} className="flex flex-wrap items-end gap-2 p-4">
        <div className="min-w-48 grow">
          <Field label={t('Email')} error={problem?.fields.email?.[0]}>
            {(props) => (
              <Input
                {...props}
                type="email"
                autoComplete="email"
                required
                value={email}
                onChange={(event) => setEmail(event.target.value)}
              />
            )}
          </Field>
        </div>
        <Button type="submit" size="md" disabled={email.trim() === user.email}>
          {t('Change')}
        </Button>
      </form>
      {!verified && (
        <p className="flex flex-wrap items-center gap-2 px-4 pb-4">
          <Badge tone="warning">{t('not confirmed')}</Badge>
          <Button size="xs" onClick={() => void work(async () => (await askToVerify()).detail)}>
            {t('Send the link once more')}
          </Button>
        </p>
      )}
      {told && (
        <p role="status" className="px-4 pb-4 text-13 text-text2">
          {told}
        </p>
      )}
      {problem && Object.keys(problem.fields).length === 0 && (
        <p role="alert" className="px-4 pb-4 text-13 text-error">
          {problem.detail}
        </p>
      )}
    </Card>
  );
}

function Password() {
  const { data: user } = useQuery(sessionQuery);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [error, setError] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setError(null);
    try {
      await changePassword(current, next);
      setCurrent('');
      setNext('');
      toast(t('The password is changed.'));
    } catch (failed) {
      setError(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <Card title={t('Password')}>
      <form onSubmit={submit} className="flex flex-col gap-4 p-4">
        <input type="hidden" name="username" autoComplete="username" value={user?.email ?? ''} readOnly />
        <Field
          label={t('Current password')}
          error={
            error?.fields.currentPassword?.[0] ?? (error && !error.fields.newPassword ? error.detail : null)
          }
        >
          {(props) => (
            <Input
              {...props}
              type="password"
              autoComplete="current-password"
              required
              value={current}
              onChange={(event) => setCurrent(event.target.value)}
            />
          )}
        </Field>
        <Field
          label={t('New password')}
          help={t('At least 8 characters')}
          error={error?.fields.newPassword?.[0]}
        >
          {(props) => (
            <Input
              {...props}
              type="password"
              autoComplete="new-password"
              minLength={8}
              required
              value={next}
              onChange={(event) => setNext(event.target.value)}
            />
          )}
        </Field>
        <div>
          <Button type="submit" tone="solid">
            {t('Change the password')}
          </Button>
        </div>
      </form>
    </Card>
  );
}
