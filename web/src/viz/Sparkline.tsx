import { memo } from 'react';
import type { SeriesPoint } from '../api/types.ts';
import { plural } from '../i18n/index.ts';

const WIDTH = 119;
const HEIGHT = 22;

/** The bars of a series as one path: a bar per point, a short dash where nothing was. */
export function barsPath(values: number[], width: number, height: number): string {
  if (values.length === 0) return '';
  const step = width / values.length;
  const bar = Math.max(1, step - 1.5);
  const top = Math.max(...values, 1);
  return values
    .map((value, index) => {
      const tall = value > 0 ? Math.max(2, (value / top) * height) : 1;
      return `M${(index * step).toFixed(1)} ${(height - tall).toFixed(1)}h${bar.toFixed(1)}v${tall.toFixed(1)}h-${bar.toFixed(1)}z`;
    })
    .join('');
}

/** One small chart a row: one path, with a summary for those who do not see it. */
export const Sparkline = memo(function Sparkline({
  points,
  span,
}: {
  points: SeriesPoint[] | undefined;
  span: string;
}) {
  const values = points?.map((point) => point[1]) ?? [];
  const total = values.reduce((sum, value) => sum + value, 0);
  return (
    <svg
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={`${plural(total, 'event', 'events')}, ${span}`}
      className="block fill-spark"
    >
      <path d={barsPath(values, WIDTH, HEIGHT)} />
    </svg>
  );
});
