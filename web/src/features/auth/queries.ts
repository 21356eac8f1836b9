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

/** A sign-in that waits for the second factor. */
export interface SecondStep {
  nextStep: 'second-factor';
  ticket: string;
  methods: { totp: boolean; passkey: boolean; recovery: boolean };
}

export const signIn = (username: string, password: string): Promise<User | SecondStep> =>
  send<User | SecondStep>('POST', 'auth/login/', { username, password });

export const signInWithCode = (ticket: string, code: string): Promise<User> =>
  send<User>('POST', 'auth/login/code/', { ticket, code });

/** What the sign-in page offers. */
export interface SignInOptions {
  canRegister: boolean;
  passkeys: boolean;
  sendsMail: boolean;
  singleOrganization: boolean;
  /** Host, port and path under which the server is known. */
  serverHostname: string;
}

/** Whether passkeys work on this page: browsers keep them for the server's own name alone. */
export const passkeysHere = (offered: SignInOptions | undefined): boolean =>
  offered?.passkeys === true &&
  typeof PublicKeyCredential !== 'undefined' &&
  offered.serverHostname.split('/')[0] === location.host;

export const signInOptions = queryOptions({
  queryKey: ['sign-in-options'],
  staleTime: 60_000,
  queryFn: ({ signal }) => get<SignInOptions>('auth/config/', undefined, signal),
});

export const register = (account: { email: string; name: string; password: string }): Promise<User> =>
  send<User>('POST', 'auth/register/', account);

export const verifyAddress = (token: string): Promise<{ email: string }> =>
  send<{ email: string }>('POST', 'auth/verify/', { token });

export const askToVerify = (): Promise<{ detail: string }> =>
  send<{ detail: string }>('POST', 'users/me/verify/');

export const changeAddress = (email: string): Promise<{ waiting: boolean; detail: string }> =>
  send<{ waiting: boolean; detail: string }>('POST', 'users/me/email/', { email });

export const changeName = (name: string): Promise<User> => send<User>('PUT', 'users/me/', { name });

/** Shows once more who one is. */
export const confirmIdentity = (proof: Record<string, unknown>): Promise<User> =>
  send<User>('PUT', 'auth/', proof);

interface Waiting {
  ticket: string;
  publicKey: PublicKeyCredentialRequestOptionsJSON;
}

/** Lets the browser answer for a passkey; what comes goes to `auth/passkey/finish/` or `auth/`. */
export async function usePasskey(): Promise<{ ticket: string; credential: unknown }> {
  const { ticket, publicKey } = await send<Waiting>('POST', 'auth/passkey/');
  const answer = await navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey),
  });
  if (!(answer instanceof PublicKeyCredential)) throw new Error('The browser gave no passkey.');
  return { ticket, credential: answer.toJSON() };
}

export const signInWithPasskey = async (): Promise<User> =>
  send<User>('POST', 'auth/passkey/finish/', await usePasskey());

/** A way to show who one is besides the password. */
export interface Factor {
  id: 'totp' | 'u2f' | 'recovery';
  name: string;
  description: string;
  isEnrolled: boolean;
  createdAt: string | null;
  lastUsedAt: string | null;
  /** Why it cannot be set up here. */
  unavailable: string | null;
  codesLeft: number | null;
  devices: { id: string; name: string; dateCreated: string; lastUsed: string | null }[];
  /** Only in the answer that makes them. */
  codes?: string[];
}

const factors = 'users/me/authenticators/';

export const factorsQuery = queryOptions({
  queryKey: ['factors'],
  queryFn: ({ signal }) => get<Factor[]>(factors, undefined, signal),
});

/** What an app needs to be set up. */
export interface AppSecret {
  ticket: string;
  secret: string;
  uri: string;
  qrcode: number[][];
}

export const beginApp = (): Promise<AppSecret> => get<AppSecret>(`${factors}totp/enroll/`);

export const finishApp = (ticket: string, otp: string): Promise<Factor> =>
  send<Factor>('POST', `${factors}totp/enroll/`, { ticket, otp });

/** Makes a passkey in the browser and keeps it under a name. */
export async function addPasskey(name: string): Promise<Factor> {
  const begun = await get<{ ticket: string; publicKey: PublicKeyCredentialCreationOptionsJSON }>(
    `${factors}u2f/enroll/`,
  );
  const made = await navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(begun.publicKey),
  });
  if (!(made instanceof PublicKeyCredential)) throw new Error('The browser made no passkey.');
  return send<Factor>('POST', `${factors}u2f/enroll/`, {
    ticket: begun.ticket,
    credential: made.toJSON(),
    name,
  });
}

export const renewCodes = (): Promise<Factor> => send<Factor>('PUT', `${factors}recovery/`);

export const removeApp = (): Promise<void> => send<void>('DELETE', `${factors}totp/`);

export const removePasskey = (id: string): Promise<void> =>
  send<void>('DELETE', `${factors}u2f/${part(id)}/`);

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
