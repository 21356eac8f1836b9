import { Search, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import type { SearchField } from '../api/types.ts';
import { t } from '../i18n/index.ts';
import { useKeys } from '../keys/registry.ts';
import {
  type Completion,
  completionAt,
  didYouMean,
  quoteValue,
  settled,
  tokenize,
} from '../query/grammar.ts';
import { IconButton } from './Button.tsx';
import { cx } from './cx.ts';

interface SearchBoxProps {
  value: string;
  onSearch: (query: string) => void;
  fields: SearchField[];
  /** Values of a key that the server knows; a hook, called with null while no value is being typed. */
  useValues: (key: string | null, prefix: string) => string[];
  /** Where the server found the query wrong, and why. */
  problem?: { start: number; end: number; text: string } | { text: string } | null;
  label: string;
}

interface Option {
  text: string;
  doc?: string;
}

const DEBOUNCE_MS = 180;

function keyOptions(fields: SearchField[], prefix: string): Option[] {
  const wanted = prefix.toLowerCase();
  const starts = fields.filter((field) => field.key.toLowerCase().startsWith(wanted));
  const holds = wanted
    ? fields.filter((field) => !starts.includes(field) && field.key.toLowerCase().includes(wanted))
    : [];
  return [...starts, ...holds]
    .slice(0, 10)
    .map((field) => ({ text: `${field.key}:`, doc: field.values?.slice(0, 4).join(', ') || field.doc }));
}

/** A plain text field over a highlighted mirror, with suggestions: the text is the truth. */
export function SearchBox({ value, onSearch, fields, useValues, problem, label }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(value.length);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = useRef(value);
  const id = useId();
  const keys = useMemo(() => fields.map((field) => field.key), [fields]);

  // The address changed by a tab, a link or Back: the box follows, unless it only echoes what was typed here.
  useEffect(() => {
    if (value !== asked.current) {
      asked.current = value;
      setText(value);
      setCaret(value.length);
    }
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useKeys({
    search: () => {
      input.current?.focus();
      input.current?.select();
    },
  });

  const at: Completion = useMemo(() => completionAt(text, caret), [text, caret]);
  const served = useValues(open && at.kind === 'value' ? at.key : null, at.prefix);
  const options: Option[] = useMemo(() => {
    if (at.kind === 'key') return keyOptions(fields, at.prefix);
    const known = fields.find((field) => field.key === at.key)?.values ?? [];
    const source = at.key === 'has' ? keys : [...new Set([...known, ...served])];
    const wanted = at.prefix.toLowerCase();
    return source
      .filter((one) => one.toLowerCase().includes(wanted) && one !== at.prefix)
      .slice(0, 10)
      .map((one) => ({ text: one }));
  }, [at, fields, keys, served]);
  const expanded = open && options.length > 0;

  const ask = (query: string): void => {
    clearTimeout(timer.current);
    if (query === asked.current) return;
    asked.current = query;
    onSearch(query);
  };
  const edit = (next: string, position: number): void => {
    setText(next);
    setCaret(position);
    setActive(-1);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => ask(settled(next, position, keys)), DEBOUNCE_MS);
  };
  const accept = (option: Option): void => {
    const written = at.kind === 'key' ? option.text : `${quoteValue(option.text)} `;
    const rest = text.slice(at.to).replace(/^\s+/, '');
    const next = `${text.slice(0, at.from)}${written}${rest}`;
    const position = at.from + written.length;
    edit(next, position);
    setOpen(true);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(position, position);
    });
  };
  const clear = (): void => {
    setText('');
    setCaret(0);
    ask('');
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (options.length === 0) return;
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((now) =>
        expanded ? (now + step + options.length + (now < 0 && step < 0 ? 1 : 0)) % options.length : 0,
      );
    } else if (event.key === 'Tab' && expanded && !event.shiftKey && (active >= 0 || at.prefix !== '')) {
      event.preventDefault();
      accept(options[Math.max(active, 0)]);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (expanded && active >= 0) accept(options[active]);
      else {
        setOpen(false);
        ask(text.trim());
      }
    } else if (event.key === 'Escape') {
      if (expanded) setOpen(false);
      else input.current?.blur();
    }
  };
  const follow = (): void => {
    const field = input.current;
    if (!field) return;
    setCaret(field.selectionStart ?? field.value.length);
    if (mirror.current) mirror.current.scrollLeft = field.scrollLeft;
  };

  const tokens = useMemo(() => tokenize(text), [text]);
  const wrongKey = useMemo(() => {
    for (const token of tokens) {
      if (token.kind !== 'filter' || (token.start < caret && caret <= token.end && open)) continue;
      const better = didYouMean(token.key, keys);
      if (better) return { token, better };
    }
    return null;
  }, [tokens, keys, caret, open]);
  const marked = problem && 'start' in problem && text.trim() === value ? problem : null;

  return (
    <search className="relative min-w-0 grow">
      <div className="flex h-9 items-center gap-2 rounded-md border border-control bg-surface pr-0.5 pl-3 focus-within:outline-2 focus-within:outline-accent">
        <Search className="size-4 shrink-0 text-text3" aria-hidden />
        <div className="relative h-full min-w-0 grow overflow-hidden font-mono text-12">
          <div
            ref={mirror}
            aria-hidden
            className="pointer-events-none absolute inset-0 overflow-hidden leading-[2.125rem] whitespace-pre"
          >
            <Highlighted text={text} wrong={wrongKey?.token.start} marked={marked} />
          </div>
          <input
            ref={input}
            type="text"
            role="combobox"
            aria-label={label}
            aria-expanded={expanded}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={expanded && active >= 0 ? `${id}-${active}` : undefined}
            aria-invalid={problem ? true : undefined}
            aria-describedby={problem || wrongKey ? `${id}-problem` : undefined}
            autoCapitalize="off"
            autoComplete="off"
            spellCheck={false}
            placeholder={t('Search, for example is:unresolved level:error timeout')}
            value={text}
            onChange={(event) => {
              setOpen(true);
              edit(event.target.value, event.target.selectionStart ?? event.target.value.length);
            }}
            onKeyDown={onKeyDown}
            onSelect={follow}
            onScroll={follow}
            onClick={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            className="query-input absolute inset-0 w-full bg-transparent text-text outline-none"
          />
        </div>
        {text !== '' && (
          <IconButton label={t('Clear the search')} onClick={clear}>
            <X className="size-4" aria-hidden />
          </IconButton>
        )}
      </div>
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={t('Suggestions')}
        hidden={!expanded}
        className="absolute top-full left-0 z-30 mt-1 max-h-80 w-full max-w-md overflow-y-auto rounded-lg border border-border bg-surface p-1 shadow-lg"
      >
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox field holds the keys, as the pattern says.
          <li
            key={option.text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => accept(option)}
            className={cx(
              'flex min-h-7 cursor-pointer items-center gap-3 rounded-sm px-2 text-12',
              index === active ? 'bg-selected' : 'hover:bg-hover',
            )}
          >
            <span className="truncate font-mono">{option.text}</span>
            {option.doc && <span className="min-w-0 truncate text-text3">{option.doc}</span>}
          </li>
        ))}
      </ul>
      {(problem || wrongKey) && (
        <p id={`${id}-problem`} role="status" className="mt-1 text-12 text-error">
          {problem?.text}{' '}
          {wrongKey && (
            <button
              type="button"
              className="min-h-6 text-accent underline"
              onClick={() => {
                const { keyStart, keyEnd } = wrongKey.token;
                const next = `${text.slice(0, keyStart)}${wrongKey.better}${text.slice(keyEnd)}`;
                setText(next);
                ask(next.trim());
              }}
            >
              {t('Did you mean {key}?', { key: wrongKey.better })}
            </button>
          )}
        </p>
      )}
    </search>
  );
}

function Highlighted({
  text,
  wrong,
  marked,
}: {
  text: string;
  wrong?: number;
  marked: { start: number; end: number } | null;
}) {
  const parts = [];
  let at = 0;
  for (const token of tokenize(text)) {
    if (token.start > at) parts.push(<span key={at}>{text.slice(at, token.start)}</span>);
    const bad =
      token.start === wrong || (marked !== null && token.start < marked.end && token.end > marked.start);
    parts.push(
      token.kind === 'filter' ? (
        <span key={token.start} className={cx('rounded-sm bg-hover py-0.5', bad && 'wavy')}>
          <span className="text-text2">{text.slice(token.start, token.valueStart)}</span>
          <span className="text-accent">{token.value}</span>
        </span>
      ) : (
        <span key={token.start} className={cx(token.kind !== 'text' && 'text-fatal', bad && 'wavy')}>
          {token.value}
        </span>
      ),
    );
    at = token.end;
  }
  if (at < text.length) parts.push(<span key={at}>{text.slice(at)}</span>);
  return parts;
}
