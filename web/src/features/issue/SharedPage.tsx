import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { Link2Off } from 'lucide-react';
import { useEffect } from 'react';
import { ApiError } from '../../api/client.ts';
import type { SharedIssue } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Badge, Level } from '../../ui/Bits.tsx';
import { Card } from '../../ui/Card.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { Logo } from '../../ui/Logo.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { sharedIssueQuery } from '../issues/queries.ts';
import { Message } from './Sections.tsx';
import { StackTrace } from './StackTrace.tsx';

/** Asks search engines not to keep the page. */
function useUnlisted(): void {
  useEffect(() => {
    const meta = document.createElement('meta');
    meta.name = 'robots';
    meta.content = 'noindex, nofollow';
    document.head.append(meta);
    return () => meta.remove();
  }, []);
}

/** An issue as everybody sees it who has its link. */
export function SharedPage() {
  const { share } = useParams({ strict: false }) as { share: string };
  const { data, error, refetch } = useQuery(sharedIssueQuery(share));
  useTitle(data?.title ?? t('Shared issue'));
  useUnlisted();
  if (data) return <Shared issue={data} />;
  if (error instanceof ApiError && error.status === 404)
    return (
      <Gate>
        <EmptyState icon={Link2Off} title={t('This link leads nowhere')}>
          {t(
            'It may have been withdrawn, or the issue was deleted. Ask whoever gave it to you for a new one.',
          )}
        </EmptyState>
      </Gate>
    );
  if (error)
    return (
      <Gate>
        <ErrorState
          compact
          error={error}
          what={t('The issue could not be read')}
          onRetry={() => void refetch()}
        />
      </Gate>
    );
  return (
    <Gate>
      <Skeleton className="h-24" />
    </Gate>
  );
}

function Shared({ issue }: { issue: SharedIssue }) {
  const event = issue.latestEvent;
  const { type, value } = issue.metadata;
  return (
    <main className="mx-auto flex min-h-dvh max-w-5xl flex-col gap-3 pb-8 md:px-4">
      <header className="flex flex-col gap-1 border-b border-border px-4 py-3 md:px-0">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-12 text-text2">
          <Logo className="size-4" />
          <span>{issue.project.name || issue.project.slug}</span>
          <span className="text-text3">/</span>
          <span>{issue.shortId}</span>
          {issue.platform && <Badge tone="plain">{issue.platform}</Badge>}
        </p>
        <h1 className="flex min-w-0 items-start gap-2 text-20">
          <span className="flex h-7 items-center">
            <Level level={issue.level} />
          </span>
          <span className="isolate-text min-w-0 break-words">
            <span className="font-semibold">{type ?? issue.title}</span>
            {type && value && <span className="text-text2"> {value}</span>}
          </span>
        </h1>
        {issue.culprit && (
          <p className="isolate-text font-mono text-12 break-words text-text2">{issue.culprit}</p>
        )}
        {event && (
          <p className="text-12 text-text2">
            {t('Newest event')}: <Time at={event.dateCreated} form="absolute" />
          </p>
        )}
      </header>
      {event ? (
        <>
          <Message event={event} />
          <StackTrace event={event} />
          {event.entries.length === 0 && (
            <Card title={t('Event')}>
              <p className="px-3.5 py-3 text-text2">
                {t('The event has neither a message nor a stack trace.')}
              </p>
            </Card>
          )}
        </>
      ) : (
        <EmptyState title={t('No event is left')}>{t('The time that events are kept is over.')}</EmptyState>
      )}
      <p className="mt-auto px-4 text-12 text-text3 md:px-0">
        {t('Shared with Vedette. Only what failed in the code is shown here.')}
      </p>
    </main>
  );
}
