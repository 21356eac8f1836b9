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

export const askForPassword = (email: string): Promise<{ detail: string }> =>
  send<{ detail: string }>('POST', 'auth/recover/', { email });

export const setPassword = (token: string, password: string): Promise<void> =>
  send<void>('POST', 'auth/recover/confirm/', { token, password });

export interface InvitationLink {
  org: string;
  member: string;
  token: string;
}

export interface Invitation {
  orgSlug: string;
  organization: { slug: string; name: string };
  email: string;
  orgRole: string;
  inviterName: string | null;
  needsAuthentication: boolean;
  hasAccount: boolean;
  existingMember: boolean;
}

const invitation = ({ org, member, token }: InvitationLink) =>
  `accept-invite/${part(org)}/${part(member)}/${part(token)}/`;

export const invitationQuery = (link: InvitationLink) =>
  queryOptions({
    queryKey: ['invitation', link],
    retry: false,
    queryFn: ({ signal }) => get<Invitation>(invitation(link), undefined, signal),
  });

/** Joins as who is signed in, or with a new account. */
export const acceptInvitation = (
  link: InvitationLink,
  account?: { name: string; password: string },
): Promise<void> => send<void>('POST', invitation(link), account ?? {});

/** Which mails somebody gets. */
export interface Notifications {
  newIssues: boolean;
  regressions: boolean;
  projects: Record<string, Partial<Record<'newIssues' | 'regressions', boolean>>>;
  sendsMail: boolean;
}

export const notificationsQuery = queryOptions({
  queryKey: ['notifications'],
  queryFn: ({ signal }) => get<Notifications>('users/me/notifications/', undefined, signal),
});

export const changeNotifications = (change: Record<string, unknown>): Promise<Notifications> =>
  send<Notifications>('PUT', 'users/me/notifications/', change);

/** A place where somebody is signed in. */
export interface OpenSession {
  id: string;
  isCurrent: boolean;
  ipAddress: string | null;
  userAgent: string | null;
  dateCreated: string;
  lastUsed: string;
}

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => get<OpenSession[]>('users/me/sessions/', undefined, signal),
});

/** Ends one session, or every other. */
export const endSession = (id?: string): Promise<void> =>
  send<void>('DELETE', `users/me/sessions/${id ? `${part(id)}/` : ''}`);

/** The organization of the sign-in page, if there is just one with single sign-on. */
export const ssoQuery = queryOptions({
  queryKey: ['sso'],
  staleTime: 5 * 60_000,
  retry: false,
  queryFn: ({ signal }) =>
    get<{ organization: { slug: string; name: string } | null }>('auth/sso/', undefined, signal),
});

/** Begins a sign-in through an organization; the answer says where the browser has to go. */
export const beginSso = (org: string, next?: string): Promise<{ url: string }> =>
  send<{ url: string }>('POST', `auth/sso/${part(org)}/`, { next });

export const endSso = (
  org: string,
  said: Record<string, string>,
): Promise<{ orgSlug: string; next: string | null; user: User }> =>
  send('POST', `auth/sso/${part(org)}/callback/`, said);

/** An application that acts in the name of users. */
export interface Application {
  id: string;
  clientID: string;
  /** Only in the answer that makes it. */
  clientSecret: string | null;
  isPublic: boolean;
  name: string;
  homepageUrl: string | null;
  redirectUris: string[];
}

export const applicationsQuery = queryOptions({
  queryKey: ['api-applications'],
  queryFn: ({ signal }) => get<Application[]>('api-applications/', undefined, signal),
});

export type ApplicationDraft = Pick<Application, 'name' | 'homepageUrl' | 'redirectUris'>;

export const addApplication = (draft: ApplicationDraft & { isPublic: boolean }): Promise<Application> =>
  send<Application>('POST', 'api-applications/', draft);

export const changeApplication = (id: string, draft: ApplicationDraft): Promise<Application> =>
  send<Application>('PUT', `api-applications/${part(id)}/`, draft);

export const removeApplication = (id: string): Promise<void> =>
  send<void>('DELETE', `api-applications/${part(id)}/`);

export const rotateSecret = (id: string): Promise<{ clientSecret: string }> =>
  send<{ clientSecret: string }>('POST', `api-applications/${part(id)}/rotate-secret/`);

/** What somebody allowed to an application. */
export interface Authorization {
  id: string;
  application: Application;
  scopes: string[];
  dateCreated: string;
}

export const authorizationsQuery = queryOptions({
  queryKey: ['api-authorizations'],
  queryFn: ({ signal }) => get<Authorization[]>('api-authorizations/', undefined, signal),
});

export const revokeAuthorization = (id: string): Promise<void> =>
  send<void>('DELETE', 'api-authorizations/', { authorization: id });

/** What an application asks for; or where to go when its request is wrong. */
export interface Asked {
  redirect?: string;
  application?: { name: string; homepageUrl: string | null; owner: string | null };
  scopes?: string[];
  redirectUri?: string;
  redirectHost?: string;
  user?: string;
}

export const askedQuery = (question: Record<string, string>) =>
  queryOptions({
    queryKey: ['oauth', question],
    retry: false,
    queryFn: ({ signal }) => get<Asked>('oauth/authorize/', question, signal),
  });

export const decide = (question: Record<string, string>, approve: boolean): Promise<{ redirect: string }> =>
  send<{ redirect: string }>('POST', 'oauth/authorize/', { ...question, approve });
