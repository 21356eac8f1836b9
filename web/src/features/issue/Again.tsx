import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { IssueDetails } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
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
  if (data?.possible === false) return null;
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

/** Asks before the events of an issue are processed again, and then says how far that is. */
export function AgainDialog({
  org,
  issue,
  open,
  onOpenChange,
}: {
  org: string;
  issue: IssueDetails;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const { data, error, refetch } = useQuery({ ...reprocessingQuery(org, issue.id), enabled: open });
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={t('Process {id} again', { id: issue.shortId })}
      description={t(
        'The frames of its events are looked up in the files and sources that are there now. Where grouping comes out otherwise, counts and issues follow.',
      )}
    >
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('It could not be read whether this can be done')}
          onRetry={() => void refetch()}
        />
      )}
      {!error && !data && <Skeleton className="h-7" />}
      {data?.possible === false && (
        <p className="text-13 text-text2">
          {t('Nothing was uploaded to {project}, and it names no source: there is nothing to look up in.', {
            project: issue.project.slug,
          })}
        </p>
      )}
      {data?.possible && <Again org={org} issue={issue.id} />}
    </Dialog>
  );
}
