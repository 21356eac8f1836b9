import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, signedOut } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { Skeleton } from '../../ui/States.tsx';
import { register, sessionQuery, signInOptions } from './queries.ts';

/** Makes an account, where the installation lets everybody. */
export function Register() {
  useTitle(t('New account'));
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: offered } = useQuery(signInOptions);
  const [account, setAccount] = useState({ email: '', name: '', password: '' });
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const user = await register(account);
      signedOut.set(false);
      client.clear();
      client.setQueryData(sessionQuery.queryKey, user);
      void navigate({ to: '/' });
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  const field = (
    name: keyof typeof account,
    label: string,
    more: React.ComponentProps<'input'>,
    help?: string,
  ) => (
    <Field label={label} help={help} error={problem?.fields[name]?.[0]}>
      {(props) => (
        <Input
          {...props}
          {...more}
          value={account[name]}
          onChange={(event) => setAccount({ ...account, [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <Gate
      foot={
        <Link to="/login" search={{}} className="text-accent underline">
          {t('I have an account')}
        </Link>
      }
    >
      <h1 className="mb-4 text-16 font-semibold">{t('New account')}</h1>
      {!offered && <Skeleton className="h-40" />}
      {offered && !offered.canRegister && (
        <p className="text-text2">{t('This server makes no accounts by itself: ask for an invitation.')}</p>
      )}
      {offered?.canRegister && (
        <form onSubmit={submit} className="flex flex-col gap-4">
          {field('name', t('Your name'), { autoComplete: 'name', maxLength: 200 })}
          {field('email', t('Email'), { type: 'email', autoComplete: 'username', required: true })}
          {field(
            'password',
            t('Password'),
            { type: 'password', autoComplete: 'new-password', minLength: 8, required: true },
            t('At least 8 characters'),
          )}
          {problem && Object.keys(problem.fields).length === 0 && (
            <p role="alert" className="text-13 text-error">
              {problem.detail}
            </p>
          )}
          <Button type="submit" tone="solid" size="md">
            {t('Make the account')}
          </Button>
        </form>
      )}
    </Gate>
  );
}
