import { useQuery } from '@tanstack/react-query';
import { Hourglass } from 'lucide-react';
import { t } from '../../i18n/index.ts';
import { healthQuery } from '../server/queries.ts';

/** Seconds of delay that people are told of. */
const TELL = 10;

/** Says that what is shown is behind what came: a delay is never silent. */
export function Lag() {
  const { data } = useQuery(healthQuery);
  const seconds = data?.server?.delaySeconds ?? 0;
  if (seconds <= TELL) return null;
  const text =
    seconds < 120
      ? t('{n} seconds', { n: Math.round(seconds) })
      : t('{n} minutes', { n: Math.round(seconds / 60) });
  return (
    <div
      role="status"
      className="flex items-center gap-2 border-b border-border bg-code px-4 py-2 text-13 text-text"
    >
      <Hourglass className="size-4 shrink-0 text-text2" aria-hidden />
      {t('Events appear {time} after they came: more comes than is processed. None is lost.', { time: text })}
    </div>
  );
}
