import type { ReactNode } from 'react';

/** The frame around a list. */
export function Box({ children }: { children: ReactNode }) {
  return (
    <div className="rounded-lg border border-border bg-surface max-md:rounded-none max-md:border-x-0">
      {children}
    </div>
  );
}
