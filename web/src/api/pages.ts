import { infiniteQueryOptions } from '@tanstack/react-query';
import { ApiError, call, type Params } from './client.ts';

/** A list that the server answers page by page, by the cursors of its `Link` headers. */
export const pagesQuery = <T>(key: readonly unknown[], path: string, params?: Params) =>
  infiniteQueryOptions({
    queryKey: [...key, 'pages', params ?? {}],
    retry: (failures, error) =>
      failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      call<T[]>('GET', path, { params: { ...params, cursor: pageParam }, signal }),
    getNextPageParam: (page) => page.next,
  });

export type PagesQuery<T> = ReturnType<typeof pagesQuery<T>>;
