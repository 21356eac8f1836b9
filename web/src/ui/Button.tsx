import type { ComponentProps } from 'react';
import { cx } from './cx.ts';

const TONES = {
  solid: 'bg-solid text-on-solid hover:brightness-110 border border-transparent',
  danger: 'bg-danger text-on-solid hover:brightness-110 border border-transparent',
  outline: 'border border-control bg-surface text-text hover:bg-hover',
  ghost: 'border border-transparent text-text2 hover:bg-hover hover:text-text',
} as const;
const SIZES = { md: 'h-9 px-3 text-13', sm: 'h-8 px-2.5 text-13', xs: 'h-7 px-2 text-12' } as const;

export interface ButtonLook {
  tone?: keyof typeof TONES;
  size?: keyof typeof SIZES;
}

/** The classes of a button, for links that look like one. */
export function buttonClass({ tone = 'outline', size = 'sm' }: ButtonLook = {}): string {
  return cx(
    'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap disabled:opacity-60',
    TONES[tone],
    SIZES[size],
  );
}

export function Button({ tone, size, className, ...props }: ComponentProps<'button'> & ButtonLook) {
  return <button type="button" {...props} className={cx(buttonClass({ tone, size }), className)} />;
}

/** A square button with an icon; `label` is its name. */
export function IconButton({ label, className, ...props }: ComponentProps<'button'> & { label: string }) {
  return (
    <button
      type="button"
      {...props}
      aria-label={label}
      title={label}
      className={cx(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-md text-text2 hover:bg-hover hover:text-text disabled:opacity-60',
        className,
      )}
    />
  );
}
