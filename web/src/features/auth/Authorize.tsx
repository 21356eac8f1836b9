import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { SCOPES } from '../../lib/scopes.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { askedQuery, decide } from './queries.ts';

/** An application asks to act in the name of who is signed in. */
export function Authorize() {
  useTitle(t('Allow an application'));
  const question = useMemo(() => Object.fromEntries(new URLSearchParams(window.location.search)), []);
  const { data, error, refetch } = useQuery(askedQuery(question));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const wrong = data?.redirect;
  useEffect(() => {
    // A request that is wrong is answered to the application, at an address that it registered.
    if (wrong) window.location.replace(wrong);
  }, [wrong]);
  const answer = async (approve: boolean): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      window.location.assign((await decide(question, approve)).redirect);
    } catch (failed) {
      setProblem((failed as Error).message);
      setBusy(false);
    }
  };
  if (error && !data) {
    return (
      <Gate>
        <ErrorState compact error={error} what={t('This cannot be allowed')} onRetry={() => void refetch()} />
      </Gate>
    );
  }
  if (!data?.application) {
    return (
      <Gate>
        <Skeleton className="h-40" />
      </Gate>
    );
  }
  const { application } = data;
  return (
    <Gate foot={t('You can take it back under Account, Applications.')}>
      <h1 className="text-16 font-semibold break-words">
        {t('Allow {name} to act as you?', { name: application.name })}
      </h1>
      <p className="mt-1 text-13 break-words text-text2">
        {t('You are signed in as {user}. The application was registered by {owner}.', {
          user: data.user ?? '',
          owner: application.owner ?? '',
        })}
      </p>
      <h2 className="mt-4 text-13 font-medium">{t('It may, as far as you may:')}</h2>
      <ul className="mt-1 flex flex-col gap-1">
        {data.scopes?.map((scope) => (
          <li key={scope} className="flex flex-wrap items-baseline justify-between gap-x-3">
            <span>{SCOPES[scope] ?? scope}</span>
            <code className="font-mono text-12 text-text2">{scope}</code>
          </li>
        ))}
      </ul>
      <p className="mt-4 text-13 break-words text-text2">
        {t('You then go on to {host}.', { host: data.redirectHost ?? '' })}
      </p>
      {problem && (
        <p role="alert" className="mt-3 text-13 text-error">
          {problem}
        </p>
      )}
      <div className="mt-4 flex flex-wrap gap-2">
        <Button tone="solid" size="md" disabled={busy} onClick={() => void answer(true)}>
          {t('Allow')}
        </Button>
        <Button size="md" disabled={busy} onClick={() => void answer(false)}>
          {t('Do not allow')}
        </Button>
      </div>
    </Gate>
  );
}
