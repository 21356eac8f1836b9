import { type ReactNode, useLayoutEffect, useRef } from 'react';

/** The class of a link in a row of tabs. */
export const tabClass =
  'flex h-10 shrink-0 items-center border-b-2 border-transparent px-2 text-13 text-text2 hover:text-text aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-accent';

/** A row of links to pages that belong together. */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  const row = useRef<HTMLElement>(null);
  // On a narrow window the page that is open may be one of those that do not fit.
  useLayoutEffect(() => {
    const tab = row.current?.querySelector<HTMLElement>('[aria-current=page]');
    if (!row.current || !tab) return;
    const end = tab.offsetLeft + tab.offsetWidth - row.current.offsetLeft;
    if (end > row.current.clientWidth) row.current.scrollLeft = end - row.current.clientWidth + 8;
  }, []);
  return (
    <nav ref={row} aria-label={label} className="flex overflow-x-auto border-b border-border bg-surface px-2">
      {children}
    </nav>
  );
}
