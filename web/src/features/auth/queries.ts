import { queryOptions } from '@tanstack/react-query';
import { ApiError, get, part, send } from '../../api/client.ts';
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

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  /** Only in the answer that makes it. */
  token: string | null;
  tokenLastCharacters: string;
  dateCreated: string;
  dateLastUsed: string | null;
}

export const tokensQuery = queryOptions({
  queryKey: ['api-tokens'],
  queryFn: ({ signal }) => get<Token[]>('api-tokens/', undefined, signal),
});

export const createToken = (name: string, scopes: string[]): Promise<Token> =>
  send<Token>('POST', 'api-tokens/', { name, scopes });

export const deleteToken = (id: string): Promise<void> => send<void>('DELETE', `api-tokens/${part(id)}/`);
