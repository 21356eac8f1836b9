import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { t } from '../../i18n/index.ts';
import { Card } from '../../ui/Card.tsx';
import { Toggle } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { signInOptions } from '../auth/queries.ts';
import { changeOptions, optionsQuery, type ServerOptions } from './queries.ts';
import { ServerPage } from './ServerPage.tsx';

/** Who may make accounts and organizations. */
export function Options() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(optionsQuery);
  const [chosen, setChosen] = useState<Partial<ServerOptions>>({});
  // Shown at once, and as it was if the server refuses.
  const change = async (what: Partial<ServerOptions>): Promise<void> => {
    setChosen({ ...chosen, ...what });
    try {
      client.setQueryData(optionsQuery.queryKey, await changeOptions(what));
      await client.invalidateQueries({ queryKey: signInOptions.queryKey });
    } catch (failed) {
      setChosen({});
      await refetch();
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
  };
  return (
    <ServerPage title={t('Options of the server')} narrow>
      {error && !data && (
        <ErrorState error={error} what={t('The options could not be read')} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton className="h-40" />}
      {data && (
        <Card title={t('Accounts and organizations')}>
          <div className="flex flex-col gap-4 p-4">
            <Toggle
              label={t('Registration')}
              help={t(
                'Everybody who reaches this server makes an account by themselves. Off: by invitation alone.',
              )}
              checked={chosen.registration ?? data.registration}
              onChange={(registration) => void change({ registration })}
            />
            <Toggle
              label={t('One organization')}
              help={t('New accounts join the first one, and only administrators make another.')}
              checked={chosen.singleOrganization ?? data.singleOrganization}
              onChange={(singleOrganization) => void change({ singleOrganization })}
            />
            <p className="text-12 text-text2">
              {data.sendsMail
                ? t('Mail is set up: addresses of new accounts are confirmed by a link.')
                : t('Mail is not set up: nobody confirms the addresses of new accounts.')}
            </p>
          </div>
        </Card>
      )}
    </ServerPage>
  );
}
