// The shapes of answers about symbol servers, as in `types.ts`.

/** A secret is shown as this: it is not told again. */
export interface HiddenSecret {
  'hidden-secret'?: boolean;
}

export type SymbolSourceType = 'http' | 's3' | 'gcs';

/** A server or bucket of a project that has debug files. */
export interface SymbolSource {
  id: string;
  type: string;
  name: string;
  layout: { type: string; casing: string };
  filters?: { filetypes?: string[]; path_patterns?: string[]; requires_checksum?: boolean };
  /** Of a bucket of S3: who has it, if it is not Amazon. */
  url?: string;
  username?: string;
  password?: HiddenSecret;
  bucket?: string;
  prefix?: string;
  region?: string;
  access_key?: string;
  secret_key?: HiddenSecret;
  client_email?: string;
  private_key?: HiddenSecret;
}

/** A symbol server that anybody may ask. */
export interface PublicServer {
  sentry_key: string;
  name: string;
}
