import { queryOptions } from '@tanstack/react-query';
import { get, part } from '../../api/client.ts';
import type { OutcomeStats } from '../../api/types.ts';
import type { Period } from './search.ts';

export const statsQuery = (
  org: string,
  period: Period,
  category: string | undefined,
  by: 'reason' | 'project',
) =>
  queryOptions({
    queryKey: ['stats', org, period, category, by],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      get<OutcomeStats>(
        `organizations/${part(org)}/stats_v2/`,
        {
          field: 'sum(quantity)',
          groupBy: by === 'reason' ? ['outcome', 'reason', 'category'] : ['outcome', 'project', 'category'],
          statsPeriod: period,
          interval: period === '24h' ? '1h' : '1d',
          category,
        },
        signal,
      ),
  });
