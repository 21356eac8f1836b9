import { type ReactNode, useId } from 'react';
import { cx } from './cx.ts';

interface CardProps {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  id?: string;
}

/** A section with a head of 40 px. Sections of a page are found by `data-section` when keys walk them. */
export function Card({ title, actions, children, className, id }: CardProps) {
  const heading = useId();
  return (
    <section
      id={id}
      aria-labelledby={heading}
      data-section=""
      tabIndex={-1}
      className={cx(
        'min-w-0 scroll-mt-32 overflow-hidden rounded-lg border border-border bg-surface max-md:rounded-none max-md:border-x-0',
        className,
      )}
    >
      <div className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-border py-1 pr-2 pl-3.5">
        <h2 id={heading} className="grow text-14 font-semibold">
          {title}
        </h2>
        {actions}
      </div>
      {children}
    </section>
  );
}
