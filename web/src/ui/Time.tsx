import { useNow } from '../lib/now.ts';
import { absolute, longAge, shortAge, timeTitle } from '../lib/time.ts';

/** The one way a moment is shown: short in lists, absolute with its zone in details, all forms in the tooltip. */
export function Time({
  at,
  form = 'short',
}: {
  at: string | null | undefined;
  form?: 'short' | 'long' | 'absolute';
}) {
  const now = useNow();
  const moment = Date.parse(at ?? '');
  if (!at || Number.isNaN(moment)) return <span>–</span>;
  const text =
    form === 'short' ? shortAge(moment, now) : form === 'long' ? longAge(moment, now) : absolute(moment);
  return (
    <time dateTime={at} title={timeTitle(moment, now)}>
      {text}
    </time>
  );
}
