const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "5m", "2h", "16d", "4mo": the short age of lists. */
export function shortAge(at: number, now: number): string {
  const age = Math.max(0, now - at);
  if (age < MINUTE) return `${Math.floor(age / SECOND)}s`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m`;
  if (age < DAY) return `${Math.floor(age / HOUR)}h`;
  if (age < 60 * DAY) return `${Math.floor(age / DAY)}d`;
  if (age < 730 * DAY) return `${Math.floor(age / (30.44 * DAY))}mo`;
  return `${Math.floor(age / (365.25 * DAY))}y`;
}

/** "5 min ago", in words, for details. */
export function longAge(at: number, now: number): string {
  const relative = new Intl.RelativeTimeFormat('en', { style: 'short', numeric: 'always' });
  // The page's clock ticks every few seconds: what just happened is not in the future.
  const age = now - at < 0 && now - at > -MINUTE ? 0 : now - at;
  const abs = Math.abs(age);
  if (abs < MINUTE) return relative.format(-Math.round(age / SECOND), 'second');
  if (abs < HOUR) return relative.format(-Math.round(age / MINUTE), 'minute');
  if (abs < DAY) return relative.format(-Math.round(age / HOUR), 'hour');
  if (abs < 60 * DAY) return relative.format(-Math.round(age / DAY), 'day');
  return relative.format(-Math.round(age / (30.44 * DAY)), 'month');
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let found = formats.get(kind);
  if (!found) {
    found = new Intl.DateTimeFormat(undefined, options);
    formats.set(kind, found);
  }
  return found;
}

/** Date and time with the zone, as the reader's place writes them. */
export function absolute(at: number, zone?: string): string {
  return format(`abs${zone ?? ''}`, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
    timeZone: zone,
  }).format(at);
}

/** Time of day with seconds (and thousandths when asked), without a zone. */
export function clock(at: number, millis = false): string {
  return format(millis ? 'clockms' : 'clock', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    fractionalSecondDigits: millis ? 3 : undefined,
  }).format(at);
}

/** The text of the tooltip: relative, local and UTC. */
export function timeTitle(at: number, now: number): string {
  return `${longAge(at, now)}\n${absolute(at)}\n${absolute(at, 'UTC')}`;
}

export interface Period {
  statsPeriod?: string;
  start?: string;
  end?: string;
}

/** Reads `90m`, `3d`, `2w` or `2026-11-01..11-05`; null when the text is neither. */
export function parsePeriod(text: string): Period | null {
  const trimmed = text.trim();
  const relative = /^(\d{1,4})\s*(m|h|d|w)$/i.exec(trimmed);
  if (relative) {
    const amount = Number(relative[1]);
    return amount > 0 ? { statsPeriod: `${amount}${relative[2].toLowerCase()}` } : null;
  }
  const range = /^(\d{4})-(\d{2})-(\d{2})\s*\.\.\s*(?:(\d{4})-)?(\d{2})-(\d{2})$/.exec(trimmed);
  if (!range) return null;
  const [, year, month, day, endYear, endMonth, endDay] = range;
  const start = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const end = Date.UTC(Number(endYear ?? year), Number(endMonth) - 1, Number(endDay)) + DAY;
  const valid = (at: number, m: string, d: string) => {
    const date = new Date(at);
    return date.getUTCMonth() + 1 === Number(m) && date.getUTCDate() === Number(d);
  };
  if (!valid(start, month, day) || !valid(end - DAY, endMonth, endDay) || end <= start) return null;
  return { start: new Date(start).toISOString().slice(0, 19), end: new Date(end).toISOString().slice(0, 19) };
}

/** The period in words for its button. */
export function periodLabel(period: Period): string {
  if (period.start && period.end) {
    const last = new Date(Date.parse(`${period.end}Z`) - 1000).toISOString();
    return `${period.start.slice(0, 10)}..${last.slice(5, 10)}`;
  }
  return period.statsPeriod ?? '14d';
}
