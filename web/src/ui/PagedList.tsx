import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { PagesQuery } from '../api/pages.ts';
import { t } from '../i18n/index.ts';
import { Button } from './Button.tsx';
import { cx } from './cx.ts';
import { ErrorState, Skeleton } from './States.tsx';

interface PagedListProps<T> {
  query: PagesQuery<T>;
  label: string;
  /** What could not be read, should it fail. */
  failed: string;
  empty: ReactNode;
  keyOf: (item: T) => string;
  children: (item: T) => ReactNode;
}

/** A list with all that lists have: waiting, failing, empty, rows, more. */
export function PagedList<T>({ query, label, failed, empty, keyOf, children }: PagedListProps<T>) {
  const list = useInfiniteQuery({ ...query, placeholderData: keepPreviousData });
  if (list.isPending) {
    return (
      <div className="flex flex-col gap-3 p-4">
        {[1, 2, 3].map((row) => (
          <Skeleton key={row} className="h-8" />
        ))}
      </div>
    );
  }
  if (list.error && !list.data)
    return <ErrorState error={list.error} what={failed} onRetry={() => void list.refetch()} />;
  const items = list.data.pages.flatMap((page) => page.data);
  if (items.length === 0) return empty;
  return (
    <>
      <ul aria-label={label} className={cx(list.isPlaceholderData && 'stale')}>
        {items.map((item) => (
          <li
            key={keyOf(item)}
            className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 border-b border-border px-4 py-1.5 last:border-b-0"
          >
            {children(item)}
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <div className="flex justify-center border-t border-border p-2">
          <Button disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {list.isFetchingNextPage ? t('Loading…') : t('Show more')}
          </Button>
        </div>
      )}
      {list.isFetchNextPageError && (
        <p role="alert" className="p-2 text-center text-13 text-error">
          {t('The next page did not come. Try again.')}
        </p>
      )}
    </>
  );
}
