import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ChartColumn, ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import type { OutcomeStats, SeriesPoint } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { formatFull, formatShare } from '../../lib/numbers.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Menu, MenuChoice } from '../../ui/Menu.tsx';
import { Page } from '../../ui/Page.tsx';
import { EmptyState, ErrorState, Skeleton } from '../../ui/States.tsx';
import { Bars } from '../../viz/Bars.tsx';
import { projectsQuery } from '../projects/queries.ts';
import { statsQuery } from './queries.ts';
import { PERIODS, type Period, type StatsSearch } from './search.ts';

const FIELD = 'sum(quantity)';

const OUTCOMES: Record<string, string> = {
  accepted: 'Accepted',
  filtered: 'Filtered',
  rate_limited: 'Limited',
  invalid: 'Invalid',
  abuse: 'Refused',
  client_discard: 'Dropped by clients',
  cardinality_limited: 'Limited',
};

/** What a reason means, and where what is behind it can be changed. */
const REASONS: Record<string, { text: string; to?: 'projects' | 'server' | 'docs' }> = {
  none: { text: 'Stored' },
  key_quota: { text: 'The limit of the client key was reached', to: 'projects' },
  discarded_hash: { text: 'Its issue was discarded', to: 'projects' },
  duplicate: { text: 'An event with this id was there already' },
  unknown_type: { text: 'A type that this version does not keep' },
  invalid_json: { text: 'The body was no JSON object' },
  empty: { text: 'Nothing to show in it' },
  security_report: { text: 'None of the known forms of reports' },
  attachment_without_event: { text: 'Its event was not stored' },
  too_many_items: { text: 'More items in an envelope than allowed' },
  project_gone: { text: 'The project was deleted or disabled', to: 'projects' },
  too_old: { text: 'Older than the retention', to: 'projects' },
  cors: { text: 'The page is of a domain that is not allowed', to: 'projects' },
  'ip-address': { text: 'Its address is left out', to: 'projects' },
  'release-version': { text: 'Its release is left out', to: 'projects' },
  'error-message': { text: 'Its message is left out', to: 'projects' },
  'browser-extensions': { text: 'An extension of a browser', to: 'projects' },
  localhost: { text: "A developer's own machine", to: 'projects' },
  'web-crawlers': { text: 'A robot', to: 'projects' },
  'legacy-browsers': { text: 'An old browser', to: 'projects' },
  'react-hydration-errors': { text: 'React found another page than was sent', to: 'projects' },
  'chunk-load-error': { text: 'A part of the application did not load', to: 'projects' },
  internal: { text: 'Processing failed; it is kept aside', to: 'server' },
  ratelimit_backoff: { text: 'The SDK waited because it was told to' },
  sample_rate: { text: "The SDK's sample rate" },
  before_send: { text: "The application's before_send" },
  event_processor: { text: 'An event processor of the SDK' },
  network_error: { text: 'The SDK could not reach the server' },
  queue_overflow: { text: "The SDK's queue was full" },
  cache_overflow: { text: "The SDK's cache was full" },
};

const total = (group: OutcomeStats['groups'][number]): number => group.totals[FIELD] ?? 0;

export function Stats() {
  useTitle(t('Stats'));
  const { org } = useParams({ strict: false }) as { org: string };
  const search = useSearch({ strict: false }) as StatsSearch;
  const navigate = useNavigate();
  const period = search.period ?? '7d';
  const reasons = useQuery(statsQuery(org, period, search.category, 'reason'));
  const byProject = useQuery(statsQuery(org, period, search.category, 'project'));
  const everything = useQuery(statsQuery(org, period, undefined, 'reason'));
  const categories = [
    ...new Set(everything.data?.groups.map((group) => group.by.category ?? '') ?? []),
  ].sort();
  const set = (next: StatsSearch): void =>
    void navigate({
      to: '/organizations/$org/stats/',
      params: { org },
      search: { ...search, ...next },
    });
  const groups = reasons.data?.groups ?? [];
  const whole = groups.reduce((sum, group) => sum + total(group), 0);
  return (
    <Page
      title={t('Stats')}
      actions={
        <div className="flex flex-wrap gap-2">
          <Menu
            label={t('Kind of data')}
            align="end"
            trigger={
              <Button>
                {search.category ?? t('Every kind')} <ChevronDown className="size-3.5" aria-hidden />
              </Button>
            }
          >
            <MenuChoice
              value={search.category ?? ''}
              onChange={(value) => set({ category: value || undefined })}
              options={[
                { value: '', label: t('Every kind') },
                ...categories.map((one) => ({ value: one, label: one })),
              ]}
            />
          </Menu>
          <Menu
            label={t('Period')}
            align="end"
            trigger={
              <Button>
                {period} <ChevronDown className="size-3.5" aria-hidden />
              </Button>
            }
          >
            <MenuChoice
              value={period}
              onChange={(value) => set({ period: value as Period })}
              options={PERIODS.map((one) => ({ value: one, label: one }))}
            />
          </Menu>
        </div>
      }
    >
      {reasons.error && !reasons.data && (
        <ErrorState
          error={reasons.error}
          what={t('The counts could not be read')}
          onRetry={() => void reasons.refetch()}
        />
      )}
      {reasons.isPending && <Skeleton className="h-40" />}
      {reasons.data && whole === 0 && (
        <EmptyState icon={ChartColumn} title={t('Nothing was sent in this time')} />
      )}
      {reasons.data && whole > 0 && (
        <>
          <Outcomes data={reasons.data} whole={whole} />
          <Reasons org={org} groups={groups} whole={whole} />
          <ByProject org={org} data={byProject.data} />
        </>
      )}
    </Page>
  );
}

/** One chart for each outcome, so that small ones are seen beside large ones. */
function Outcomes({ data, whole }: { data: OutcomeStats; whole: number }) {
  const names = [...new Set(data.groups.map((group) => group.by.outcome))];
  const of = (name: string) => data.groups.filter((group) => group.by.outcome === name);
  const sum = (name: string) => of(name).reduce((all, group) => all + total(group), 0);
  names.sort((a, b) => sum(b) - sum(a));
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      {names.map((name) => {
        const points: SeriesPoint[] = data.intervals.map((at, index) => [
          Date.parse(at) / 1000,
          of(name).reduce((all, group) => all + (group.series[FIELD]?.[index] ?? 0), 0),
        ]);
        const label = t(OUTCOMES[name] ?? name);
        return (
          <Card
            key={name}
            title={label}
            actions={
              <span className="pr-2 text-13 text-text2">
                {formatFull(sum(name))} · {formatShare(sum(name), whole)}
              </span>
            }
          >
            <Bars points={points} label={label} />
          </Card>
        );
      })}
    </div>
  );
}

function Reasons({ org, groups, whole }: { org: string; groups: OutcomeStats['groups']; whole: number }) {
  const sorted = [...groups].sort((a, b) => total(b) - total(a));
  const link = (to: 'projects' | 'server' | 'docs' | undefined, children: ReactNode): ReactNode => {
    if (to === 'projects') {
      return (
        <Link to="/organizations/$org/projects/" params={{ org }} className="text-accent underline">
          {children}
        </Link>
      );
    }
    if (to === 'server') {
      return (
        <Link to="/settings/server/" className="text-accent underline">
          {children}
        </Link>
      );
    }
    return children;
  };
  return (
    <Card title={t('By reason')}>
      <div className="overflow-x-auto">
        <table className="w-full text-13">
          <thead>
            <tr className="border-b border-border text-left text-12 text-text2">
              <th className="px-4 py-2 font-medium">{t('Outcome')}</th>
              <th className="px-4 py-2 font-medium">{t('Reason')}</th>
              <th className="px-4 py-2 font-medium">{t('Kind')}</th>
              <th className="px-4 py-2 text-right font-medium">{t('Count')}</th>
              <th className="px-4 py-2 text-right font-medium">{t('Share')}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((group) => {
              const { outcome, reason = 'none', category = '' } = group.by;
              const known = REASONS[reason];
              return (
                <tr
                  key={`${outcome} ${reason} ${category}`}
                  className="border-b border-border last:border-b-0"
                >
                  <td className="px-4 py-1.5">{t(OUTCOMES[outcome] ?? outcome)}</td>
                  <td className="px-4 py-1.5">
                    {link(known?.to, known ? t(known.text) : reason)}
                    {known && reason !== 'none' && (
                      <code className="ml-2 font-mono text-12 text-text3">{reason}</code>
                    )}
                  </td>
                  <td className="px-4 py-1.5">{category}</td>
                  <td className="px-4 py-1.5 text-right">{formatFull(total(group))}</td>
                  <td className="px-4 py-1.5 text-right text-text2">{formatShare(total(group), whole)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function ByProject({ org, data }: { org: string; data: OutcomeStats | undefined }) {
  const { data: projects } = useQuery(projectsQuery(org));
  const sums = new Map<number, [taken: number, lost: number]>();
  for (const group of data?.groups ?? []) {
    const [taken, lost] = sums.get(group.by.project ?? 0) ?? [0, 0];
    const accepted = group.by.outcome === 'accepted';
    sums.set(group.by.project ?? 0, accepted ? [taken + total(group), lost] : [taken, lost + total(group)]);
  }
  const rows = [...sums].sort((a, b) => b[1][0] + b[1][1] - a[1][0] - a[1][1]);
  return (
    <Card title={t('By project')}>
      <div className="overflow-x-auto">
        <table className="w-full text-13">
          <thead>
            <tr className="border-b border-border text-left text-12 text-text2">
              <th className="px-4 py-2 font-medium">{t('Project')}</th>
              <th className="px-4 py-2 text-right font-medium">{t('Accepted')}</th>
              <th className="px-4 py-2 text-right font-medium">{t('Not kept')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([id, [taken, lost]]) => {
              const project = projects?.find((one) => one.id === String(id));
              return (
                <tr key={id} className="border-b border-border last:border-b-0">
                  <td className="px-4 py-1.5">
                    {project ? (
                      <Link
                        to="/settings/$org/projects/$slug/"
                        params={{ org, slug: project.slug }}
                        className="text-accent underline"
                      >
                        {project.slug}
                      </Link>
                    ) : (
                      id
                    )}
                  </td>
                  <td className="px-4 py-1.5 text-right">{formatFull(taken)}</td>
                  <td className="px-4 py-1.5 text-right">{formatFull(lost)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
