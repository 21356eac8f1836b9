import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Page } from '../../ui/Page.tsx';
import { toast } from '../../ui/toasts.ts';
import { changePassword, sessionQuery } from '../auth/queries.ts';
import { Notifications } from './Notifications.tsx';
import { Sessions } from './Sessions.tsx';
import { Tokens } from './Tokens.tsx';

export function Account() {
  useTitle(t('Account'));
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
    <Page
      title={t('Account')}
      narrow
      actions={
        <Link to="/settings/account/applications/" className={buttonClass()}>
          {t('Applications')}
        </Link>
      }
    >
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
      <Sessions />
      <Notifications />
      <Tokens />
    </Page>
  );
}
