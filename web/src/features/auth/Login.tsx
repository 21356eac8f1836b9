import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import { ApiError, signedOut } from '../../api/client.ts';
import type { User } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { basePath } from '../../lib/base.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import {
  passkeysHere,
  type SecondStep,
  sessionQuery,
  signIn,
  signInOptions,
  signInWithCode,
  signInWithPasskey,
} from './queries.ts';
import { SsoEntry } from './SsoEntry.tsx';

/** Only a path of our own may follow the login. */
export function safeNext(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/';
}

export function Login() {
  useTitle(t('Sign in'));
  const client = useQueryClient();
  const router = useRouter();
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [wait, setWait] = useState(0);
  const [step, setStep] = useState<SecondStep | null>(null);
  const { data: offered } = useQuery(signInOptions);

  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  const enter = (user: User): void => {
    signedOut.set(false);
    client.clear();
    client.setQueryData(sessionQuery.queryKey, user);
    router.history.push(`${basePath}${safeNext(next).slice(1)}`);
  };
  const attempt = async (how: () => Promise<User | SecondStep>): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await how();
      if ('nextStep' in answer) setStep(answer);
      else enter(answer);
    } catch (error) {
      const known = error instanceof ApiError ? error : null;
      if (known?.status === 429) {
        setWait(known.retryAfter ?? 30);
        setProblem(t('Too many attempts.'));
      } else if (known?.status === 401) setProblem(known.detail || t('The name or the password is wrong.'));
      // The browser's own words: it was cancelled, or took too long.
      else setProblem(known?.detail ?? (error as Error).message);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void attempt(() => signIn(username.trim(), password));
  };
  const trouble = (
    <div role="alert" className="min-h-5 text-13 text-error">
      {problem} {wait > 0 && t('Try again in {n} s.', { n: wait })}
    </div>
  );
  const byPasskey = (
    <Button size="md" disabled={busy} onClick={() => void attempt(signInWithPasskey)}>
      {t('Use a passkey')}
    </Button>
  );

  if (step) {
    return (
      <Gate>
        <Second
          step={step}
          busy={busy || wait > 0}
          onCode={(code) => void attempt(() => signInWithCode(step.ticket, code))}
        >
          {trouble}
          {step.methods.passkey && passkeysHere(offered) && byPasskey}
          <Button
            size="md"
            onClick={() => {
              setStep(null);
              setProblem(null);
              setPassword('');
            }}
          >
            {t('Back')}
          </Button>
        </Second>
      </Gate>
    );
  }
  return (
    <Gate
      foot={
        <>
          <Link to="/recover" className="text-accent underline">
            {t('Forgot the password?')}
          </Link>
          {offered?.canRegister && (
            <>
              {' · '}
              <Link to="/register" className="text-accent underline">
                {t('New account')}
              </Link>
            </>
          )}
          <br />
          {t('The first login is printed when the server starts on an empty data folder.')}
        </>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <h1 className="text-16 font-semibold">{t('Sign in')}</h1>
        <Field label={t('Email or user name')}>
          {(props) => (
            <Input
              {...props}
              name="username"
              autoComplete="username"
              autoCapitalize="off"
              required
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          )}
        </Field>
        <Field label={t('Password')}>
          {(props) => (
            <div className="flex gap-2">
              <Input
                {...props}
                name="password"
                type={shown ? 'text' : 'password'}
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
              <Button size="md" aria-pressed={shown} onClick={() => setShown(!shown)}>
                {shown ? t('Hide') : t('Show')}
              </Button>
            </div>
          )}
        </Field>
        {trouble}
        <Button type="submit" tone="solid" size="md" disabled={busy || wait > 0}>
          {busy ? t('Signing in…') : t('Sign in')}
        </Button>
        {passkeysHere(offered) && byPasskey}
      </form>
      <SsoEntry next={next} />
    </Gate>
  );
}

/** The step after the password: a code, or what the parent offers below it. */
function Second({
  step,
  busy,
  onCode,
  children,
}: {
  step: SecondStep;
  busy: boolean;
  onCode: (code: string) => void;
  children: ReactNode;
}) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onCode(code);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <h1 className="text-16 font-semibold">{t('Second factor')}</h1>
      <Field
        label={t('Code')}
        help={
          step.methods.totp
            ? t('The six digits that your app shows, or a recovery code.')
            : t('A recovery code, if you have no passkey at hand.')
        }
      >
        {(props) => (
          <Input
            {...props}
            autoComplete="one-time-code"
            autoFocus
            required
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" tone="solid" size="md" disabled={busy}>
        {t('Sign in')}
      </Button>
      {children}
    </form>
  );
}
