import { useQueryClient } from '@tanstack/react-query';
import { Link, useParams, useRouter, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ApiError, signedOut } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { basePath } from '../../lib/base.ts';
import { useTitle } from '../../lib/title.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { Skeleton } from '../../ui/States.tsx';
import { safeNext } from './Login.tsx';
import { beginSso, endSso, sessionQuery } from './queries.ts';

const toPassword = (
  <Link to="/login" search={{}} className="text-accent underline">
    {t('Sign in with a password')}
  </Link>
);

/** Asks for the organization, and sends the browser to its provider. */
export function SsoStart() {
  useTitle(t('Single sign-on'));
  const { org } = useParams({ strict: false }) as { org?: string };
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [slug, setSlug] = useState(org ?? '');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      window.location.assign((await beginSso(slug.trim(), safeNext(next))).url);
    } catch (failed) {
      setProblem((failed as Error).message);
      setBusy(false);
    }
  };
  return (
    <Gate foot={toPassword}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <h1 className="text-16 font-semibold">{t('Single sign-on')}</h1>
        <Field label={t('Organization')} help={t('As it is written in its addresses.')} error={problem}>
          {(props) => (
            <Input
              {...props}
              required
              autoCapitalize="off"
              autoComplete="organization"
              spellCheck={false}
              maxLength={100}
              value={slug}
              onChange={(event) => setSlug(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" tone="solid" size="md" disabled={busy}>
          {busy ? t('Going to the provider…') : t('Continue to the provider')}
        </Button>
      </form>
    </Gate>
  );
}

/** Where the provider sends the browser back to. */
export function SsoCallback() {
  useTitle(t('Single sign-on'));
  const { org } = useParams({ strict: false }) as { org: string };
  const client = useQueryClient();
  const router = useRouter();
  const [problem, setProblem] = useState<string | null>(null);
  const asked = useRef(false);
  useEffect(() => {
    // What came back counts once.
    if (asked.current) return;
    asked.current = true;
    const query = new URLSearchParams(window.location.search);
    const said: Record<string, string> = {};
    for (const [name, field] of [
      ['code', 'code'],
      ['state', 'state'],
      ['error', 'error'],
      ['error_description', 'errorDescription'],
    ])
      said[field] = query.get(name) ?? '';
    endSso(org, said)
      .then(({ orgSlug, next, user }) => {
        signedOut.set(false);
        client.clear();
        client.setQueryData(sessionQuery.queryKey, user);
        const inside = `/organizations/${orgSlug}/issues/`;
        const to = safeNext(next ?? undefined);
        router.history.replace(`${basePath}${(to === '/' ? inside : to).slice(1)}`);
      })
      .catch((failed) => setProblem(failed instanceof ApiError ? failed.detail : String(failed)));
  }, [org, client, router]);
  return (
    <Gate foot={problem ? toPassword : undefined}>
      {problem ? (
        <div className="flex flex-col gap-4">
          <h1 className="text-16 font-semibold">{t('You are not signed in')}</h1>
          <p role="alert" className="break-words">
            {problem}
          </p>
          <Link to="/auth/sso/" search={{}} className={buttonClass({ tone: 'solid', size: 'md' })}>
            {t('Begin again')}
          </Link>
        </div>
      ) : (
        <div role="status">
          <p>{t('Signing in…')}</p>
          <Skeleton className="mt-3 h-9" />
        </div>
      )}
    </Gate>
  );
}
