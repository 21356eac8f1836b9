import { queryOptions } from '@tanstack/react-query';
import { ApiError, get, send } from '../../api/client.ts';
import type { User } from '../../api/types.ts';

/** Who is signed in; null for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 5 * 60_000,
  retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status >= 500,
  queryFn: async ({ signal }) => {
    try {
      return await get<User>('auth/', undefined, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

export const signIn = (username: string, password: string): Promise<User> =>
  send<User>('POST', 'auth/login/', { username, password });

export const signOut = (): Promise<void> => send<void>('DELETE', 'auth/');

export const changePassword = (currentPassword: string, newPassword: string): Promise<void> =>
  send<void>('PUT', 'users/me/password/', { currentPassword, newPassword });
