import type { ReactNode } from 'react';

/** A page with a head and its content; `narrow` is for forms. */
export function Page({
  title,
  actions,
  narrow,
  tabs,
  children,
}: {
  title: string;
  actions?: ReactNode;
  narrow?: boolean;
  /** The pages beside this one. */
  tabs?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div>
      <header className="flex min-h-14 flex-wrap items-center justify-between gap-2 border-b border-border bg-surface px-4 py-2">
        <h1 className="text-20 font-semibold">{title}</h1>
        {actions}
      </header>
      {tabs}
      <div
        className={narrow ? 'flex max-w-3xl flex-col gap-3 py-3 md:px-4' : 'flex flex-col gap-3 py-3 md:px-4'}
      >
        {children}
      </div>
    </div>
  );
}
