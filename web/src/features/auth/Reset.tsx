import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { toast } from '../../ui/toasts.ts';
import { setPassword } from './queries.ts';

/** Takes a new password from whoever came by the link. */
export function Reset() {
  useTitle(t('New password'));
  const { token } = useParams({ strict: false }) as { token: string };
  const navigate = useNavigate();
  const [password, setNew] = useState('');
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      await setPassword(token, password);
      toast(t('The password is set. Sign in with it.'));
      void navigate({ to: '/login', search: {} });
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  const over = problem?.fields.token?.[0];
  return (
    <Gate
      foot={
        <Link to="/recover" className="text-accent underline">
          {t('Ask for another link')}
        </Link>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <h1 className="text-16 font-semibold">{t('New password')}</h1>
        <input type="hidden" name="username" autoComplete="username" />
        <Field
          label={t('New password')}
          help={t('At least 8 characters')}
          error={problem && (problem.fields.password?.[0] ?? over ?? problem.detail)}
        >
          {(props) => (
            <Input
              {...props}
              type="password"
              autoComplete="new-password"
              minLength={8}
              required
              value={password}
              onChange={(event) => setNew(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" tone="solid" size="md">
          {t('Set the password')}
        </Button>
      </form>
    </Gate>
  );
}
