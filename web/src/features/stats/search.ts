import { one } from '../../lib/search.ts';

export const PERIODS = ['24h', '7d', '14d', '30d', '90d'] as const;
export type Period = (typeof PERIODS)[number];

export interface StatsSearch {
  period?: Period;
  category?: string;
}

/** What the address of the page says. */
export function validateStatsSearch(raw: Record<string, unknown>): StatsSearch {
  return {
    period: PERIODS.find((period) => period === one(raw.period)),
    category: one(raw.category) || undefined,
  };
}
