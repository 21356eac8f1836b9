import type { ReactNode } from 'react';

/** The class of a link in a row of tabs. */
export const tabClass =
  'flex h-10 shrink-0 items-center border-b-2 border-transparent px-2 text-13 text-text2 hover:text-text aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-accent';

/** A row of links to pages that belong together. */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav aria-label={label} className="flex overflow-x-auto border-b border-border bg-surface px-2">
      {children}
    </nav>
  );
}
