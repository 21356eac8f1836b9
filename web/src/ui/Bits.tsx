import { Check, Copy as CopyIcon } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { t } from '../i18n/index.ts';
import { formatCount, formatFull } from '../lib/numbers.ts';
import { Button } from './Button.tsx';
import { cx } from './cx.ts';
import { toast } from './toasts.ts';

const LEVELS: Record<string, string> = {
  fatal: 'text-fatal',
  error: 'text-error',
  warning: 'text-warning',
  info: 'text-info',
  debug: 'text-debug',
  log: 'text-debug',
  sample: 'text-debug',
};

/** The level as a letter and a colour. */
export function Level({ level }: { level: string }) {
  return (
    <span
      role="img"
      aria-label={t('Level {level}', { level })}
      title={level}
      className={cx(
        'inline-flex size-4 shrink-0 items-center justify-center rounded-sm border border-current text-11 leading-none font-semibold',
        LEVELS[level] ?? 'text-debug',
      )}
    >
      {(level[0] ?? '?').toUpperCase()}
    </span>
  );
}

/** A count, short, with the full number in its title. */
export function Count({ value, className }: { value: number; className?: string }) {
  return (
    <span title={formatFull(value)} className={className}>
      {formatCount(value)}
    </span>
  );
}

export function Badge({
  children,
  tone = 'accent',
}: {
  children: ReactNode;
  tone?: 'accent' | 'error' | 'warning' | 'success' | 'plain';
}) {
  const tones = {
    accent: 'text-accent',
    error: 'text-error',
    warning: 'text-warning',
    success: 'text-success',
    plain: 'text-text2',
  };
  return (
    <span
      className={cx(
        'inline-flex shrink-0 items-center rounded-sm border border-border bg-surface px-1 text-12 leading-4',
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}

const initials = (name: string): string => {
  const words = name.split(/[\s@._-]+/).filter(Boolean);
  return `${words[0]?.[0] ?? '?'}${words[1]?.[0] ?? ''}`.toUpperCase();
};

export function Avatar({ name }: { name: string | null }) {
  if (!name) {
    return (
      <span
        role="img"
        aria-label={t('Not assigned')}
        title={t('Not assigned')}
        className="inline-flex size-5.5 rounded-full border border-dashed border-control"
      />
    );
  }
  return (
    <span
      role="img"
      aria-label={t('Assigned to {name}', { name })}
      title={name}
      className="inline-flex size-5.5 items-center justify-center rounded-full bg-solid text-11 leading-none font-semibold text-on-solid"
    >
      {initials(name)}
    </span>
  );
}

/** Copies to the clipboard; pages served over plain http have no clipboard API, so a hidden field is the way there. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Refused: the older way may still work.
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.style.position = 'fixed';
  field.style.opacity = '0';
  document.body.append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}

interface CopyProps {
  text: string | (() => string);
  label: string;
  className?: string;
  children?: ReactNode;
  size?: 'xs' | 'sm';
}

export function Copy({ text, label, className, children, size = 'sm' }: CopyProps) {
  const [done, setDone] = useState(false);
  const Icon = done ? Check : CopyIcon;
  return (
    <Button
      size={size}
      aria-label={label}
      className={className}
      onClick={async () => {
        if (await copyText(typeof text === 'string' ? text : text())) {
          setDone(true);
          setTimeout(() => setDone(false), 1500);
        } else toast(t('The browser refused to copy.'));
      }}
    >
      <Icon className="size-3.5" aria-hidden />
      <span>{done ? t('Copied') : (children ?? t('Copy'))}</span>
    </Button>
  );
}
