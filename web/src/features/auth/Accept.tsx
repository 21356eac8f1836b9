import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError, signedOut } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { acceptInvitation, invitationQuery } from './queries.ts';

/** An invitation, for whoever has its link. */
export function Accept() {
  useTitle(t('Invitation'));
  const params = useParams({ strict: false }) as { org: string; member: string; token: string };
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(invitationQuery(params));
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<ApiError | null>(null);
  const accept = async (account?: { name: string; password: string }): Promise<void> => {
    setProblem(null);
    try {
      await acceptInvitation(params, account);
      signedOut.set(false);
      client.clear();
      void navigate({ to: '/organizations/$org/issues/', params: { org: data?.orgSlug ?? params.org } });
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void accept({ name: name.trim(), password });
  };
  if (error && !data) {
    return (
      <Gate>
        <ErrorState
          compact
          error={error}
          what={t('The invitation cannot be accepted')}
          onRetry={() => void refetch()}
        />
      </Gate>
    );
  }
  if (!data) {
    return (
      <Gate>
        <Skeleton className="h-24" />
      </Gate>
    );
  }
  const here = `/accept/${params.org}/${params.member}/${params.token}/`;
  return (
    <Gate>
      <h1 className="text-16 font-semibold">{t('Join {name}', { name: data.organization.name })}</h1>
      <p className="mt-1 mb-4 text-13 text-text2">
        {t('{by} invites {email} as {role}.', {
          by: data.inviterName ?? t('Somebody'),
          email: data.email,
          role: data.orgRole,
        })}
      </p>
      {problem && !problem.fields.password && (
        <p role="alert" className="mb-3 text-13 text-error">
          {problem.detail}
        </p>
      )}
      {data.existingMember ? (
        <Link
          to="/organizations/$org/issues/"
          params={{ org: data.orgSlug }}
          className={buttonClass({ tone: 'solid', size: 'md' })}
        >
          {t('You are a member already: go to the issues')}
        </Link>
      ) : !data.needsAuthentication ? (
        <Button tone="solid" size="md" onClick={() => void accept()}>
          {t('Accept')}
        </Button>
      ) : data.hasAccount ? (
        <Link to="/login" search={{ next: here }} className={buttonClass({ tone: 'solid', size: 'md' })}>
          {t('Sign in to accept')}
        </Link>
      ) : (
        <form onSubmit={submit} className="flex flex-col gap-4">
          <input type="hidden" name="username" autoComplete="username" value={data.email} readOnly />
          <Field label={t('Your name')}>
            {(props) => (
              <Input
                {...props}
                autoComplete="name"
                maxLength={200}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <Field
            label={t('Password')}
            help={t('At least 8 characters')}
            error={problem?.fields.password?.[0]}
          >
            {(props) => (
              <Input
                {...props}
                type="password"
                autoComplete="new-password"
                minLength={8}
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            )}
          </Field>
          <Button type="submit" tone="solid" size="md">
            {t('Make the account and join')}
          </Button>
        </form>
      )}
    </Gate>
  );
}
