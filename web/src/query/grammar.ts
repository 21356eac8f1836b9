// The search text as tokens: what is highlighted, suggested, held back while typing, and changed by buttons.
// The text stays the truth; nothing here rewrites what a person typed elsewhere in it.

export interface Token {
  kind: 'filter' | 'text' | 'operator' | 'paren';
  start: number;
  end: number;
  negated: boolean;
  /** Empty for everything but filters. */
  key: string;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  value: string;
  /** False while a quote or a list is still open, or the value is empty. */
  complete: boolean;
}

const KEY = /^(?:[A-Za-z0-9_.-]+|"[^"]+"|(?:tags|flags)\[[^\]]*\])$/;

/** The end of a value that starts at `from`, and whether its quote or list was closed. */
function valueEnd(text: string, from: number): { end: number; closed: boolean } {
  let at = from;
  while (at < text.length && /[<>=!]/.test(text[at])) at += 1;
  const open = text[at];
  if (open === '"' || open === '[') {
    const close = open === '[' ? ']' : '"';
    let quoted = open === '"';
    for (let i = at + 1; i < text.length; i += 1) {
      if (text[i] === '\\') i += 1;
      else if (open === '[' && text[i] === '"') quoted = !quoted;
      else if (text[i] === close && (open === '"' || !quoted)) return { end: i + 1, closed: true };
    }
    return { end: text.length, closed: false };
  }
  while (at < text.length && !/[\s()]/.test(text[at])) at += 1;
  return { end: at, closed: true };
}

export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const plain = (kind: Token['kind'], start: number, end: number, complete = true): void => {
    const value = text.slice(start, end);
    tokens.push({
      kind,
      start,
      end,
      negated: false,
      key: '',
      keyStart: start,
      keyEnd: start,
      valueStart: start,
      value,
      complete,
    });
  };
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at])) {
      at += 1;
      continue;
    }
    if (text[at] === '(' || text[at] === ')') {
      plain('paren', at, at + 1);
      at += 1;
      continue;
    }
    const negated = text[at] === '!';
    const keyStart = negated ? at + 1 : at;
    const rest = text.slice(keyStart);
    const key = /^("[^"]+"|(?:tags|flags)\[[^\]\s]*\]|[A-Za-z0-9_.-]+):/.exec(rest)?.[1];
    if (key !== undefined && KEY.test(key)) {
      const keyEnd = keyStart + key.length;
      const { end, closed } = valueEnd(text, keyEnd + 1);
      const value = text.slice(keyEnd + 1, end);
      tokens.push({
        kind: 'filter',
        start: at,
        end,
        negated,
        key,
        keyStart,
        keyEnd,
        valueStart: keyEnd + 1,
        value,
        complete: closed && !/^[<>=!]*$/.test(value),
      });
      at = end;
      continue;
    }
    if (text[at] === '"') {
      const { end, closed } = valueEnd(text, at);
      plain('text', at, end, closed);
      at = end;
      continue;
    }
    let end = at;
    while (end < text.length && !/[\s()]/.test(text[end])) end += 1;
    plain(/^(and|or)$/i.test(text.slice(at, end)) ? 'operator' : 'text', at, end);
    at = end;
  }
  return tokens;
}

/** The value of a filter without quotes and escapes. */
export function plainValue(value: string): string {
  return /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : value;
}

/** The value as a filter writes it: quoted when it holds what would end it. */
export function quoteValue(value: string): string {
  return value === '' || /[\s()",[\]*\\]/.test(value) || /^[<>=!]/.test(value)
    ? `"${value.replace(/(["\\])/g, '\\$1')}"`
    : value;
}

/** The text with the filter added, once; a filter of the same key and value is kept as it is. */
export function withFilter(text: string, key: string, value: string): string {
  const wanted = quoteValue(value);
  if (
    tokenize(text).some((token) => token.key === key && !token.negated && plainValue(token.value) === value)
  )
    return text;
  return `${text.trim()} ${key}:${wanted}`.trim();
}

/**
 * The text to search for while a person types: the token at the caret is held back while it is the beginning
 * of a key or has an unfinished value, so that typing `lev` on the way to `level:` does not empty the list.
 */
export function settled(text: string, caret: number, keys: readonly string[]): string {
  const token = tokenize(text).find((one) => one.start < caret && caret <= one.end);
  if (!token) return text.trim();
  const word = token.value.replace(/^!/, '').toLowerCase();
  const unfinished =
    token.kind === 'filter'
      ? !token.complete
      : !token.complete ||
        (token.kind === 'text' && (word === '' || keys.some((key) => key.toLowerCase().startsWith(word))));
  return unfinished
    ? `${text.slice(0, token.start)}${text.slice(token.end)}`.replace(/\s+/g, ' ').trim()
    : text.trim();
}

/** What can be completed at the caret, and the stretch of text that a choice replaces. */
export interface Completion {
  kind: 'key' | 'value';
  key: string;
  prefix: string;
  from: number;
  to: number;
}

export function completionAt(text: string, caret: number): Completion {
  const token = tokenize(text).find((one) => one.start < caret && caret <= one.end);
  if (!token || token.kind === 'paren') return { kind: 'key', key: '', prefix: '', from: caret, to: caret };
  if (token.kind === 'filter' && caret > token.keyEnd) {
    const inList = /^\[/.test(token.value);
    const typed = text.slice(token.valueStart, caret);
    const lead = inList ? typed.lastIndexOf(typed.includes(',') ? ',' : '[') + 1 : 0;
    const skipped = lead + (/^\s*/.exec(typed.slice(lead))?.[0].length ?? 0);
    return {
      kind: 'value',
      key: token.key,
      prefix: typed.slice(skipped).replace(/^"/, ''),
      from: token.valueStart + skipped,
      to: inList ? caret : token.end,
    };
  }
  const from = token.kind === 'filter' ? token.keyStart : token.start + (token.value.startsWith('!') ? 1 : 0);
  return {
    kind: 'key',
    key: '',
    prefix: text.slice(from, caret),
    from,
    to: token.kind === 'filter' ? token.keyEnd + 1 : token.end,
  };
}

/** The steps between two words, up to a limit. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** A known key that a mistyped one is likely to mean; null when the key is known or nothing is near. */
export function didYouMean(key: string, keys: readonly string[]): string | null {
  if (keys.includes(key) || /^(tags|flags)\[/.test(key)) return null;
  const wanted = key.toLowerCase();
  let best: string | null = null;
  let least = wanted.length <= 4 ? 2 : 3;
  for (const known of keys) {
    const steps = distance(wanted, known.toLowerCase());
    if (steps < least) {
      least = steps;
      best = known;
    }
  }
  return best;
}

/** What `is:` can decide about an issue that is on the screen. */
export interface IssueState {
  status: string;
  substatus: string | null;
  assigned: boolean;
}

const SUBSTATUS = new Set(['new', 'ongoing', 'escalating', 'regressed']);

/** Whether an issue still belongs into the list of this query, as far as its state says. */
export function stillMatches(text: string, issue: IssueState): boolean {
  return tokenize(text).every((token) => {
    if (token.kind !== 'filter' || token.key !== 'is') return true;
    const value = token.value.toLowerCase();
    let holds: boolean;
    if (value === 'unresolved' || value === 'resolved') holds = issue.status === value;
    else if (value === 'archived' || value === 'ignored' || value === 'muted')
      holds = issue.status === 'ignored';
    else if (value === 'assigned') holds = issue.assigned;
    else if (value === 'unassigned') holds = !issue.assigned;
    else if (SUBSTATUS.has(value)) holds = issue.status === 'unresolved' && issue.substatus === value;
    else return true;
    return holds !== token.negated;
  });
}
