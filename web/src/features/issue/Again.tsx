import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { plural, t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { toast } from '../../ui/toasts.ts';
import { processAgain, reprocessingQuery } from '../issues/queries.ts';

/** Lets the events of an issue be processed again, after files were uploaded, and says how far that is. */
export function Again({ org, issue }: { org: string; issue: string }) {
  const client = useQueryClient();
  const { data } = useQuery(reprocessingQuery(org, issue));
  const begin = useMutation({
    mutationFn: () => processAgain(org, issue),
    onSuccess: (state) => client.setQueryData(reprocessingQuery(org, issue).queryKey, state),
    onError: (error) => toast(error.message),
  });
  if (data?.status === 'open')
    return (
      <p role="status" className="text-12 text-text2">
        {t('Processing again: {done} of {total}', {
          done: String(data.syncCount),
          total: plural(data.totalEvents, 'event', 'events'),
        })}
      </p>
    );
  return (
    <span className="inline-flex flex-wrap items-center gap-2">
      <Button size="xs" disabled={begin.isPending} onClick={() => begin.mutate()}>
        {t('Process again')}
      </Button>
      <span className="text-12 text-text2">
        {data?.status === 'done'
          ? t('Done: {changed} changed. Reload to see them.', {
              changed: plural(data.changedEvents, 'event', 'events'),
            })
          : t('after an upload; events keep their ids')}
      </span>
    </span>
  );
}
