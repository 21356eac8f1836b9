import { infiniteQueryOptions } from '@tanstack/react-query';
import { ApiError, call, type Params } from './client.ts';

/** A list that the server answers page by page, by the cursors of its `Link` headers; `items` finds it in an answer. */
export const pagesQuery = <T>(
  key: readonly unknown[],
  path: string,
  params?: Params,
  items: (answer: unknown) => T[] = (answer) => answer as T[],
) =>
  infiniteQueryOptions({
    queryKey: [...key, 'pages', params ?? {}],
    retry: (failures, error) =>
      failures < 1 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const page = await call<unknown>('GET', path, { params: { ...params, cursor: pageParam }, signal });
      return { ...page, data: items(page.data) };
    },
    getNextPageParam: (page) => page.next,
  });

export type PagesQuery<T> = ReturnType<typeof pagesQuery<T>>;
