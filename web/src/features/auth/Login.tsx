import { useQueryClient } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { ApiError, signedOut } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { basePath } from '../../lib/base.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { sessionQuery, signIn } from './queries.ts';
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

  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const user = await signIn(username.trim(), password);
      signedOut.set(false);
      client.clear();
      client.setQueryData(sessionQuery.queryKey, user);
      router.history.push(`${basePath}${safeNext(next).slice(1)}`);
    } catch (error) {
      const known = error instanceof ApiError ? error : null;
      if (known?.status === 429) {
        setWait(known.retryAfter ?? 30);
        setProblem(t('Too many attempts.'));
      } else if (known?.status === 401) setProblem(known.detail || t('The name or the password is wrong.'));
      else setProblem(known?.detail ?? String(error));
      setBusy(false);
    }
  };

  return (
    <Gate
      foot={
        <>
          <Link to="/recover" className="text-accent underline">
            {t('Forgot the password?')}
          </Link>
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
        <div role="alert" className="min-h-5 text-13 text-error">
          {problem} {wait > 0 && t('Try again in {n} s.', { n: wait })}
        </div>
        <Button type="submit" tone="solid" size="md" disabled={busy || wait > 0}>
          {busy ? t('Signing in…') : t('Sign in')}
        </Button>
      </form>
      <SsoEntry next={next} />
    </Gate>
  );
}
