import type { SeriesPoint } from '../api/types.ts';
import { plural, t } from '../i18n/index.ts';
import { formatCount } from '../lib/numbers.ts';
import { absolute } from '../lib/time.ts';
import { barsPath } from './Sparkline.tsx';

/** The two ends of the axis: with the hour only where the bars are shorter than a day. */
function ends(points: SeriesPoint[]): [string, string] {
  if (points.length === 0) return ['', ''];
  const daily = points.length > 1 && points[1][0] - points[0][0] >= 86_400;
  // Buckets of days begin at midnight UTC, so their dates are those of UTC.
  const format = new Intl.DateTimeFormat(undefined, {
    month: 'short',
    day: 'numeric',
    ...(daily ? { timeZone: 'UTC' } : { hour: '2-digit', minute: '2-digit' }),
  });
  return [format.format(points[0][0] * 1000), format.format(points[points.length - 1][0] * 1000)];
}

/** Counts over time as bars, with a table of the same numbers for those who do not see it. */
export function Bars({ points, label }: { points: SeriesPoint[]; label: string }) {
  const values = points.map((point) => point[1]);
  const top = Math.max(...values, 1);
  const [start, end] = ends(points);
  const total = values.reduce((sum, value) => sum + value, 0);
  return (
    <figure className="p-3" aria-label={label}>
      <div className="flex h-28 gap-2">
        <div
          aria-hidden
          className="flex w-10 shrink-0 flex-col justify-between text-right text-11 text-text3"
        >
          <span>{formatCount(top)}</span>
          <span>0</span>
        </div>
        <div className="relative min-w-0 grow overflow-hidden border-y border-border">
          <svg
            viewBox="0 0 600 112"
            preserveAspectRatio="none"
            className="absolute inset-0 size-full fill-spark"
            role="img"
            aria-label={`${label}: ${plural(total, 'event', 'events')}`}
          >
            <path d={barsPath(values, 600, 108)} transform="translate(0 4)" />
          </svg>
          <div aria-hidden className="absolute inset-0 flex">
            {points.map(([at, count]) => (
              <span
                key={at}
                className="grow hover:bg-selected/50"
                title={`${absolute(at * 1000)}: ${plural(count, 'event', 'events')}`}
              />
            ))}
          </div>
        </div>
      </div>
      <div aria-hidden className="mt-1 flex justify-between pl-12 text-11 text-text3">
        <span>{start}</span>
        <span>{end}</span>
      </div>
      <details className="pl-12 text-12 text-text2">
        <summary className="inline-block min-h-6 text-accent">{t('As a table')}</summary>
        <table className="mt-1">
          <tbody>
            {points
              .filter(([, count]) => count > 0)
              .map(([at, count]) => (
                <tr key={at}>
                  <th scope="row" className="pr-4 text-left font-normal">
                    {absolute(at * 1000)}
                  </th>
                  <td className="text-right">{count}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
