import { useQuery, useQueryClient } from '@tanstack/react-query';
import { t } from '../../i18n/index.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { endSession, sessionsQuery } from '../auth/queries.ts';

/** Where somebody is signed in. */
export function Sessions() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(sessionsQuery);
  const end = async (id?: string): Promise<void> => {
    try {
      await endSession(id);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  };
  return (
    <Card
      title={t('Sessions')}
      actions={
        data &&
        data.length > 1 && (
          <Button size="xs" onClick={() => void end()}>
            {t('End all others')}
          </Button>
        )
      }
    >
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The sessions could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-12" />}
      <ul>
        {data?.map((session) => (
          <li
            key={session.id}
            className="flex flex-wrap items-center gap-2 border-b border-border px-4 py-2 last:border-b-0"
          >
            <div className="min-w-0 grow">
              <p className="break-words">{session.userAgent ?? t('An unknown program')}</p>
              <p className="text-12 text-text2">
                {session.ipAddress ?? t('unknown address')}, {t('last used')}{' '}
                <Time at={session.lastUsed} form="long" />
              </p>
            </div>
            {session.isCurrent ? (
              <Badge tone="success">{t('this one')}</Badge>
            ) : (
              <Button size="xs" onClick={() => void end(session.id)}>
                {t('End')}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
