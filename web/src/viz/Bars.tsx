import type { SeriesPoint } from '../api/types.ts';
import { plural, t } from '../i18n/index.ts';
import { formatCount } from '../lib/numbers.ts';
import { absolute } from '../lib/time.ts';
import { barsPath } from './Sparkline.tsx';

const day = (at: number): string =>
  new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', hour: '2-digit' }).format(at * 1000);

/** Counts over time as bars, with a table of the same numbers for those who do not see it. */
export function Bars({ points, label }: { points: SeriesPoint[]; label: string }) {
  const values = points.map((point) => point[1]);
  const top = Math.max(...values, 1);
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
        <span>{points[0] ? day(points[0][0]) : ''}</span>
        <span>{points.at(-1) ? day(points.at(-1)?.[0] ?? 0) : ''}</span>
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
