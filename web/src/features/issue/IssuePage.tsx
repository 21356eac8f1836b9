import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Bell, Bookmark, Check, Ellipsis, Globe } from 'lucide-react';
import { useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { Event, IssueDetails, IssueUpdate } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useKeys } from '../../keys/registry.ts';
import { toMarkdown } from '../../lib/markdown.ts';
import { useTitle } from '../../lib/title.ts';
import { Copy, Count, copyText, Level } from '../../ui/Bits.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { ArchiveMenu, AssignMenu, PriorityMenu } from '../../ui/IssueMenus.tsx';
import { Kbd } from '../../ui/Kbd.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/Menu.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { Bars } from '../../viz/Bars.tsx';
import { sessionQuery } from '../auth/queries.ts';
import { issueEventQuery } from '../events/queries.ts';
import { discardIssues, issueQuery, reprocessingQuery, useIssueChanges } from '../issues/queries.ts';
import { membersQuery } from '../organizations/queries.ts';
import { AgainDialog } from './Again.tsx';
import { Images } from './Images.tsx';
import { LinksCard, Suspects } from './Links.tsx';
import {
  Attachments,
  Breadcrumbs,
  Contexts,
  Grouping,
  Message,
  Pairs,
  RawJson,
  RequestCard,
} from './Sections.tsx';
import { ShareDialog } from './ShareDialog.tsx';
import { ActivityCard, TagShares, Triage } from './Side.tsx';
import { SourceLink } from './SourceLink.tsx';
import { StackTrace } from './StackTrace.tsx';
import { Threads } from './Threads.tsx';
import { FrameWhy, Minified, Unmapped } from './Unmapped.tsx';

/** Moves the focus to the next or previous section of the page. */
function walk(step: number): void {
  const sections = [...document.querySelectorAll<HTMLElement>('[data-section]')];
  const now = sections.findIndex((section) => section.contains(document.activeElement));
  const next = sections[Math.min(Math.max(now + step, 0), sections.length - 1)];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'start' });
}

export function IssuePage() {
  const {
    org,
    issue: id,
    event: which = 'recommended',
  } = useParams({ strict: false }) as { org: string; issue: string; event?: string };
  const issue = useQuery(issueQuery(org, id));
  const event = useQuery({ ...issueEventQuery(org, id, which), placeholderData: keepPreviousData });
  useTitle(issue.data ? `${issue.data.shortId} ${issue.data.title}` : id);
  if (issue.isPending) return <Waiting />;
  if (!issue.data) {
    const gone = issue.error instanceof ApiError && issue.error.status === 404;
    return gone ? (
      <EmptyState
        title={t('There is no issue {id}', { id })}
        action={
          <Link to="/organizations/$org/issues/" params={{ org }} className="text-accent underline">
            {t('To the issues')}
          </Link>
        }
      >
        {t('It may have been deleted, or its time of retention is over.')}
      </EmptyState>
    ) : (
      <ErrorState
        error={issue.error}
        what={t('The issue could not be read')}
        onRetry={() => void issue.refetch()}
      />
    );
  }
  return (
    <div>
      <Head org={org} issue={issue.data} event={event.data ?? null} />
      <div className="grid gap-2.5 px-4 py-3 max-md:px-0 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <div className="flex min-w-0 flex-col gap-2.5">
          <OverTime issue={issue.data} />
          {event.isPending && <Skeleton className="h-96" />}
          {event.error && !event.data && (
            <ErrorState
              error={event.error}
              what={t('The event could not be read')}
              onRetry={() => void event.refetch()}
            />
          )}
          {event.data && (
            <EventBody org={org} issue={issue.data} event={event.data} stale={event.isPlaceholderData} />
          )}
        </div>
        <aside aria-label={t('About the issue')} className="flex min-w-0 flex-col gap-2.5">
          <Triage org={org} issue={issue.data} />
          {event.data && <Suspects org={org} issue={issue.data} event={event.data} />}
          <LinksCard org={org} issue={issue.data} />
          <TagShares org={org} issue={issue.data} />
          <ActivityCard org={org} issue={issue.data} />
        </aside>
      </div>
    </div>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label={t('Loading the issue')} className="flex flex-col gap-3 p-4">
      <Skeleton className="h-10" />
      <Skeleton className="h-40" />
      <Skeleton className="h-96" />
    </div>
  );
}

function Head({ org, issue, event }: { org: string; issue: IssueDetails; event: Event | null }) {
  const navigate = useNavigate();
  const { data: me = null } = useQuery(sessionQuery);
  const { data: members = [] } = useQuery(membersQuery(org));
  const { change, remove } = useIssueChanges(org, members, me);
  const [menu, setMenu] = useState<'archive' | 'assign' | 'priority' | null>(null);
  const [asking, setAsking] = useState(false);
  const [discarding, setDiscarding] = useState(false);
  const [sharing, setSharing] = useState(false);
  const [more, setMore] = useState(false);
  const [processing, setProcessing] = useState(false);
  // Asked for when the menu opens: most who read an issue want nothing of it.
  const again = useQuery({ ...reprocessingQuery(org, issue.id), enabled: more });
  const client = useQueryClient();
  const discard = async (): Promise<void> => {
    try {
      await discardIssues(org, [issue.id]);
    } catch (error) {
      toast(t('Nothing was discarded: {why}', { why: (error as Error).message }));
      return;
    }
    toast(t('{id} deleted; its events are left out from now on', { id: issue.shortId }));
    void client.invalidateQueries({ queryKey: ['issues', org] });
    void navigate({ to: '/organizations/$org/issues/', params: { org } });
  };
  const opener = (name: 'archive' | 'assign' | 'priority') => ({
    open: menu === name,
    onOpenChange: (open: boolean) => setMenu(open ? name : null),
  });
  const act = (update: IssueUpdate, text: string): void => void change([issue], update, text);
  const id = issue.shortId;
  const open = issue.status === 'unresolved';
  const resolve = (): void =>
    open
      ? act({ status: 'resolved' }, t('{id} resolved', { id }))
      : act({ status: 'unresolved' }, t('{id} reopened', { id }));
  const bookmark = (): void =>
    act(
      { isBookmarked: !issue.isBookmarked },
      issue.isBookmarked ? t('{id} no longer bookmarked', { id }) : t('{id} bookmarked', { id }),
    );
  const subscribe = (): void =>
    act(
      { isSubscribed: !issue.isSubscribed },
      issue.isSubscribed ? t('{id} is no longer followed', { id }) : t('{id} is followed', { id }),
    );
  const review = (): void =>
    act(
      { hasSeen: !issue.hasSeen },
      issue.hasSeen ? t('{id} not reviewed', { id }) : t('{id} reviewed', { id }),
    );
  const markdown = (): string => (event ? toMarkdown(issue, event, location.href) : '');
  const copyMarkdown = async (): Promise<void> => {
    if (event && (await copyText(markdown()))) toast(t('Copied as Markdown'));
  };
  useKeys({
    resolve,
    archive: () => setMenu('archive'),
    assign: () => setMenu('assign'),
    priority: () => setMenu('priority'),
    bookmark,
    subscribe,
    reviewed: review,
    share: () => setSharing(true),
    processAgain: () => setProcessing(true),
    copyMarkdown: () => void copyMarkdown(),
    nextSection: () => walk(1),
    previousSection: () => walk(-1),
    back: () => void navigate({ to: '/organizations/$org/issues/', params: { org } }),
  });
  const { type, value } = issue.metadata ?? {};
  return (
    <header className="sticky top-0 z-20 flex flex-wrap items-center gap-x-5 gap-y-1 border-b border-border bg-surface px-4 py-1.5">
      <div className="min-w-0 grow basis-80">
        <p className="flex gap-2 text-12">
          <Link to="/organizations/$org/issues/" params={{ org }} className="text-accent hover:underline">
            {t('Issues')}
          </Link>
          <span className="text-text3">/</span>
          <span>{id}</span>
          {!open && (
            <span className="text-success">
              {issue.status === 'resolved' ? t('resolved') : t('archived')}
            </span>
          )}
          {issue.isPublic && (
            <button
              type="button"
              onClick={() => setSharing(true)}
              className="inline-flex items-center gap-1 text-warning hover:underline"
            >
              <Globe className="size-3.5" aria-hidden /> {t('public')}
            </button>
          )}
        </p>
        <h1 className="flex min-w-0 items-center gap-2 text-16">
          <Level level={issue.level} />
          <span className="isolate-text truncate" title={issue.title}>
            <span className="font-semibold">{type ?? issue.title}</span>
            {type && value && <span className="text-text2"> {value}</span>}
          </span>
        </h1>
      </div>
      <dl className="flex gap-5 text-12 max-md:gap-4">
        {(
          [
            [t('Events'), <Count key="e" value={Number(issue.count)} />],
            [t('Users'), <Count key="u" value={issue.userCount} />],
            [t('First seen'), <Time key="f" at={issue.firstSeen} />],
            [t('Last seen'), <Time key="l" at={issue.lastSeen} />],
          ] as const
        ).map(([name, shown]) => (
          <div key={name}>
            <dt className="text-text3">{name}</dt>
            <dd className="text-14 font-semibold">{shown}</dd>
          </div>
        ))}
      </dl>
      <div className="flex flex-wrap gap-1.5">
        <Button tone="solid" onClick={resolve}>
          <Check className="size-4" aria-hidden /> {open ? t('Resolve') : t('Reopen')} <Kbd>r</Kbd>
        </Button>
        <ArchiveMenu
          {...opener('archive')}
          trigger={<Button>{t('Archive')}</Button>}
          onPick={(update, text) => act(update, t('{id} archived {text}', { id, text }))}
        />
        <AssignMenu
          {...opener('assign')}
          members={members}
          me={me}
          trigger={<Button>{t('Assign')}</Button>}
          onPick={(update, name) =>
            act(
              update,
              name ? t('{id} assigned to {name}', { id, name }) : t('{id} assigned to nobody', { id }),
            )
          }
        />
        <PriorityMenu
          {...opener('priority')}
          trigger={<Button className="max-md:hidden">{t('Priority')}</Button>}
          onPick={(update, name) => act(update, t('{id} set to {name} priority', { id, name }))}
        />
        <IconButton
          label={issue.isBookmarked ? t('Remove the bookmark') : t('Bookmark')}
          aria-pressed={issue.isBookmarked}
          onClick={bookmark}
        >
          <Bookmark className={issue.isBookmarked ? 'size-4 fill-current' : 'size-4'} aria-hidden />
        </IconButton>
        <IconButton
          label={issue.isSubscribed ? t('Unsubscribe') : t('Subscribe')}
          aria-pressed={issue.isSubscribed ?? false}
          className="max-md:hidden"
          onClick={subscribe}
        >
          <Bell className={issue.isSubscribed ? 'size-4 fill-current' : 'size-4'} aria-hidden />
        </IconButton>
        <Menu
          label={t('More')}
          align="end"
          open={more}
          onOpenChange={setMore}
          trigger={
            <IconButton label={t('More actions')}>
              <Ellipsis className="size-4" aria-hidden />
            </IconButton>
          }
        >
          <MenuItem onSelect={subscribe}>{issue.isSubscribed ? t('Unsubscribe') : t('Subscribe')}</MenuItem>
          <MenuItem onSelect={review}>
            {issue.hasSeen ? t('Mark as not reviewed') : t('Mark as reviewed')}
          </MenuItem>
          <MenuItem onSelect={() => setTimeout(() => setSharing(true))}>{t('Share…')}</MenuItem>
          <MenuLine />
          <MenuItem
            onSelect={() => void copyText(location.href).then((done) => done && toast(t('Link copied')))}
          >
            {t('Copy the link')}
          </MenuItem>
          <MenuItem disabled={!event} onSelect={() => void copyMarkdown()}>
            {t('Copy as Markdown')}
          </MenuItem>
          <MenuItem
            onSelect={() =>
              void navigate({ to: '/organizations/$org/issues/$issue/grouping/', params: { org, issue: id } })
            }
          >
            {t('Similar issues and merging')}
          </MenuItem>
          <MenuItem disabled={!again.data?.possible} onSelect={() => setTimeout(() => setProcessing(true))}>
            {again.data?.possible === false ? t('Process again: nothing was uploaded') : t('Process again…')}
          </MenuItem>
          <MenuLine />
          <MenuItem tone="danger" onSelect={() => setTimeout(() => setDiscarding(true))}>
            {t('Delete and discard…')}
          </MenuItem>
          <MenuItem tone="danger" onSelect={() => setTimeout(() => setAsking(true))}>
            {t('Delete…')}
          </MenuItem>
        </Menu>
      </div>
      <ShareDialog org={org} issue={issue} open={sharing} onOpenChange={setSharing} />
      <AgainDialog org={org} issue={issue} open={processing} onOpenChange={setProcessing} />
      <Confirm
        open={discarding}
        onOpenChange={setDiscarding}
        title={t('Delete {id} and discard what comes?', { id })}
        text={t(
          'Its events go with it at once, and future ones are left out and counted. In the settings of the project that can be ended, but what was left out is gone.',
        )}
        action={t('Delete and discard')}
        onConfirm={() => void discard()}
      />
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete {id}?', { id })}
        text={t('Its events go with it. For a few seconds it can be undone.')}
        action={t('Delete 1 issue')}
        onConfirm={() =>
          void remove([issue]).then((done) =>
            done ? navigate({ to: '/organizations/$org/issues/', params: { org } }) : undefined,
          )
        }
      />
    </header>
  );
}

function OverTime({ issue }: { issue: IssueDetails }) {
  const names = Object.keys(issue.stats ?? {});
  const [chosen, setChosen] = useState<string | null>(null);
  const name = chosen && names.includes(chosen) ? chosen : (names.find((one) => one !== '24h') ?? names[0]);
  if (!name) return null;
  return (
    <Card
      title={t('Events')}
      actions={
        <div className="flex gap-1">
          {names.map((one) => (
            <Button
              key={one}
              size="xs"
              tone={one === name ? 'outline' : 'ghost'}
              aria-pressed={one === name}
              onClick={() => setChosen(one)}
            >
              {one}
            </Button>
          ))}
        </div>
      }
    >
      <Bars points={issue.stats?.[name] ?? []} label={t('Events of the last {span}', { span: name })} />
    </Card>
  );
}

function EventBody({
  org,
  issue,
  event,
  stale,
}: {
  org: string;
  issue: IssueDetails;
  event: Event;
  stale: boolean;
}) {
  const navigate = useNavigate();
  const go = (to: string | null | undefined) => () => {
    if (to)
      void navigate({
        to: '/organizations/$org/issues/$issue/events/$event/',
        params: { org, issue: issue.shortId || issue.id, event: to },
        resetScroll: false,
      });
  };
  useKeys({
    previousEvent: go(event.previousEventID),
    nextEvent: go(event.nextEventID),
    oldestEvent: go('oldest'),
    newestEvent: go('latest'),
    recommendedEvent: go('recommended'),
  });
  const project = issue.project.slug;
  const place = { org, project, event };
  return (
    <div className={stale ? 'stale flex flex-col gap-2.5' : 'flex flex-col gap-2.5'}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 max-md:px-2">
        <h2 className="grow text-13">
          <span className="font-semibold">{t('Event')}</span>{' '}
          <span className="font-mono text-12">{event.eventID.slice(0, 8)}</span>{' '}
          <span className="text-text2">
            <Time at={event.dateCreated} form="absolute" /> · <Time at={event.dateCreated} form="long" />
          </span>
        </h2>
        <div className="flex flex-wrap gap-1.5">
          <Button onClick={go('oldest')}>{t('Oldest')}</Button>
          <Button
            disabled={!event.previousEventID}
            title={event.previousEventID ? undefined : t('This is the oldest event')}
            onClick={go(event.previousEventID)}
          >
            {t('Previous')} <Kbd>h</Kbd>
          </Button>
          <Button
            disabled={!event.nextEventID}
            title={event.nextEventID ? undefined : t('This is the newest event')}
            onClick={go(event.nextEventID)}
          >
            {t('Next')} <Kbd>l</Kbd>
          </Button>
          <Button onClick={go('latest')}>{t('Newest')}</Button>
          <Copy text={() => toMarkdown(issue, event, location.href)} label={t('Copy as Markdown')}>
            {t('Copy as Markdown')}
          </Copy>
        </div>
      </div>
      <Message event={event} />
      <Unmapped key={`u${event.eventID}`} {...place} />
      <Minified key={`m${event.eventID}`} {...place} />
      <StackTrace
        key={event.eventID}
        event={event}
        source={(frame, at, exception) => (
          <>
            <SourceLink org={org} project={project} frame={frame} platform={event.platform} />
            <FrameWhy {...place} frame={frame} place={at} exception={exception} />
          </>
        )}
      />
      <Threads key={`t${event.eventID}`} event={event} />
      <Breadcrumbs event={event} />
      <RequestCard event={event} />
      {event.tags.length > 0 && (
        <Card title={t('Tags of this event')}>
          <Pairs rows={event.tags.map((tag) => [tag.key, tag.value])} label={t('Tags of this event')} />
        </Card>
      )}
      <Contexts event={event} />
      <Images key={`i${event.eventID}`} org={org} project={project} event={event} />
      <Attachments {...place} />
      <Grouping {...place} issue={issue.shortId} />
      <RawJson {...place} />
    </div>
  );
}
