import { useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { sessionQuery, verifyAddress } from './queries.ts';

/** Confirms an address for whoever came by the link. Asked by a click: programs that look at mails open links too. */
export function Verify() {
  useTitle(t('Confirm the address'));
  const { token } = useParams({ strict: false }) as { token: string };
  const client = useQueryClient();
  const [done, setDone] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const confirm = async (): Promise<void> => {
    setProblem(null);
    try {
      setDone((await verifyAddress(token)).email);
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    } catch (failed) {
      const known = failed instanceof ApiError ? failed : null;
      setProblem(known?.fields.token?.[0] ?? (failed as Error).message);
    }
  };
  return (
    <Gate>
      <h1 className="mb-3 text-16 font-semibold">{t('Confirm the address')}</h1>
      {done ? (
        <>
          <p role="status" className="mb-4">
            {t('{email} is confirmed.', { email: done })}
          </p>
          <Link to="/" className={buttonClass({ tone: 'solid', size: 'md' })}>
            {t('Go to the issues')}
          </Link>
        </>
      ) : (
        <>
          {problem && (
            <p role="alert" className="mb-3 text-13 text-error">
              {problem}
            </p>
          )}
          <Button tone="solid" size="md" onClick={() => void confirm()}>
            {t('This is my address')}
          </Button>
        </>
      )}
    </Gate>
  );
}
