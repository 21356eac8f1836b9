// The types that pages read, compared with the description of the API (`openapi.json`, by way of `schema.d.ts`): what
// a page reads has to be described, with the same type, and be null where it may be. Nothing of this runs; `npm run
// check` generates the schema and fails where the two differ, naming the fields.

import type { paths } from './schema.d.ts';
import type { PublicServer, SymbolSource } from './sources.ts';
import type {
  Attachment,
  AuditEntry,
  Comparison,
  DiscardedIssue,
  Environment,
  Event,
  Issue,
  IssueDetails,
  IssueHash,
  IssueTag,
  Member,
  Organization,
  OrganizationDetails,
  OrganizationToken,
  OutcomeStats,
  Project,
  ProjectKey,
  Release,
  Reprocessing,
  SearchField,
  SharedIssue,
  SimilarIssue,
  TagValue,
  Team,
  User,
} from './types.ts';

/** What a path answers to a GET; of a list, one element. */
type Answer<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { 'application/json': infer T } } } };
}
  ? T extends readonly (infer E)[]
    ? E
    : T
  : never;

type Depth = [never, 0, 1, 2, 3];

/** The fields of `Read` that `Described` does not have, or has otherwise, by their paths. */
type Differs<Read, Described, At extends string = '', D extends number = 4> = [D] extends [never]
  ? never
  : unknown extends Read | Described
    ? never
    : [Read] extends [readonly (infer R)[]]
      ? [Described] extends [readonly (infer E)[]]
        ? unknown extends E
          ? never
          : Differs<NonNullable<R>, NonNullable<E>, `${At}[]`, Depth[D]>
        : `${At} is no list`
      : [Read] extends [object]
        ? [Described] extends [object]
          ? string extends keyof Read | keyof Described
            ? never
            : {
                [K in keyof Read & string]: K extends keyof Described
                  ?
                      | (null extends Described[K]
                          ? null extends Read[K]
                            ? never
                            : undefined extends Read[K]
                              ? never
                              : `${At}.${K} may be null`
                          : never)
                      | (unknown extends Described[K]
                          ? never
                          : Differs<NonNullable<Read[K]>, NonNullable<Described[K]>, `${At}.${K}`, Depth[D]>)
                  : undefined extends Read[K]
                    ? never
                    : `${At}.${K} is not described`;
              }[keyof Read & string]
          : `${At} is no object`
        : [Described] extends [never]
          ? never
          : [Extract<Read, Described> | Extract<Described, Read>] extends [never]
            ? `${At} has another type`
            : never;

/** Takes only what does not differ. */
type Sound<D extends never> = D;

export type Compared = [
  Sound<Differs<User, Answer<'/api/0/auth/'>>>,
  Sound<Differs<User, Answer<'/api/0/users/'>>>,
  Sound<Differs<Organization, Answer<'/api/0/organizations/'>>>,
  Sound<Differs<OrganizationDetails, Answer<'/api/0/organizations/{org}/'>>>,
  Sound<Differs<Member, Answer<'/api/0/organizations/{org}/members/'>>>,
  Sound<Differs<Team, Answer<'/api/0/organizations/{org}/teams/'>>>,
  Sound<Differs<OrganizationToken, Answer<'/api/0/organizations/{org}/org-auth-tokens/'>>>,
  Sound<Differs<AuditEntry, Answer<'/api/0/organizations/{org}/audit-logs/'>['rows'][number]>>,
  Sound<Differs<Project, Answer<'/api/0/projects/{org}/{project}/'>>>,
  Sound<Differs<Project, Answer<'/api/0/organizations/{org}/projects/'>>>,
  Sound<Differs<ProjectKey, Answer<'/api/0/projects/{org}/{project}/keys/'>>>,
  Sound<Differs<SymbolSource, Answer<'/api/0/projects/{org}/{project}/symbol-sources/'>>>,
  Sound<Differs<PublicServer, Answer<'/api/0/organizations/{org}/builtin-symbol-sources/'>>>,
  Sound<Differs<Environment, Answer<'/api/0/organizations/{org}/environments/'>>>,
  Sound<Differs<SearchField, Answer<'/api/0/organizations/{org}/search/fields/'>>>,
  Sound<Differs<TagValue, Answer<'/api/0/organizations/{org}/tags/{key}/values/'>>>,
  Sound<Differs<Issue, Answer<'/api/0/organizations/{org}/issues/'>>>,
  Sound<Differs<IssueDetails, Answer<'/api/0/organizations/{org}/issues/{issue}/'>>>,
  Sound<Differs<IssueTag, Answer<'/api/0/organizations/{org}/issues/{issue}/tags/'>>>,
  Sound<Differs<IssueHash, Answer<'/api/0/organizations/{org}/issues/{issue}/hashes/'>>>,
  Sound<Differs<SimilarIssue, Answer<'/api/0/organizations/{org}/issues/{issue}/similar/'>>>,
  Sound<Differs<Comparison, Answer<'/api/0/organizations/{org}/issues/{issue}/compare/{other}/'>>>,
  Sound<Differs<SharedIssue, Answer<'/api/0/shared/issues/{share}/'>>>,
  Sound<Differs<DiscardedIssue, Answer<'/api/0/projects/{org}/{project}/tombstones/'>>>,
  Sound<Differs<Event, Answer<'/api/0/organizations/{org}/issues/{issue}/events/{event}/'>>>,
  Sound<Differs<Attachment, Answer<'/api/0/projects/{org}/{project}/events/{event}/attachments/'>>>,
  Sound<Differs<Reprocessing, Answer<'/api/0/organizations/{org}/issues/{issue}/reprocessing/'>>>,
  Sound<Differs<Release, Answer<'/api/0/organizations/{org}/releases/'>>>,
  Sound<Differs<OutcomeStats, Answer<'/api/0/organizations/{org}/stats_v2/'>>>,
];
