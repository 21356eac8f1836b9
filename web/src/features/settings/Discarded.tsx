import { useQuery, useQueryClient } from '@tanstack/react-query';
import { plural, t } from '../../i18n/index.ts';
import { Level } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { ErrorState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { discardedQuery, takeBack } from '../grouping/queries.ts';

/** Issues whose events are left out, and the way back. */
export function Discarded({ org, slug }: { org: string; slug: string }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(discardedQuery(org, slug));
  const back = async (id: string): Promise<void> => {
    try {
      await takeBack(org, slug, id);
      toast(t('Its events are stored again'));
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    void client.invalidateQueries({ queryKey: ['discarded', org, slug] });
  };
  return (
    <Card title={t('Discarded issues')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The discarded issues could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {data?.length === 0 && (
        <p className="p-4 text-13 text-text2">
          {t('None. “Delete and discard” on an issue leaves out all its future events.')}
        </p>
      )}
      <ul>
        {data?.map((one) => (
          <li
            key={one.id}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-border px-4 py-2 last:border-b-0"
          >
            <Level level={one.level} />
            <div className="min-w-0 grow basis-60">
              <p className="isolate-text truncate text-13 font-medium">{one.title}</p>
              <p className="isolate-text text-12 text-text2">
                {t('{what} left out', { what: plural(one.eventsDiscarded, 'event', 'events') })} ·{' '}
                {t('discarded by {who}', { who: one.actor?.name || one.actor?.email || '–' })}{' '}
                <Time at={one.dateAdded} form="long" />
              </p>
            </div>
            <Button size="xs" onClick={() => void back(one.id)}>
              {t('Store its events again')}
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
