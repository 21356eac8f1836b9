// The shapes of answers that pages read. Only what is read stands here.

export interface User {
  id: string;
  name: string;
  email: string;
  username: string;
  isSuperuser?: boolean;
  has2fa?: boolean;
  hasPasswordAuth?: boolean;
  emails?: { email: string; is_verified: boolean }[];
}

export interface Organization {
  id: string;
  slug: string;
  name: string;
  /** The view of issues that is opened first. */
  defaultIssueView?: string | null;
}

export interface ProjectRef {
  id: string;
  slug: string;
  name: string;
  platform?: string | null;
}

export interface Project extends ProjectRef {
  dateCreated?: string;
  firstEvent?: string | null;
  stats?: [number, number][];
  dataScrubber?: boolean;
  dataScrubberDefaults?: boolean;
  scrubIPAddresses?: boolean;
  allowedDomains?: string[];
  retentionDays?: number | null;
  sensitiveFields?: string[];
  safeFields?: string[];
  groupingEnhancements?: string;
  fingerprintingRules?: string;
  scrapeJavaScript?: boolean;
  securityToken?: string | null;
  securityTokenHeader?: string | null;
  /** The public symbol servers that are asked, in this order. */
  builtinSymbolSources?: string[];
  /** What one may do with the project; only where it is read in full. */
  access?: string[];
  options?: Record<string, string | boolean>;
}

export interface ProjectFilter {
  id: string;
  /** On or off; of old browsers also which. */
  active: boolean | string[];
}

export interface ProjectKey {
  id: string;
  name: string;
  label?: string;
  public: string;
  isActive: boolean;
  rateLimit: { count: number; window: number } | null;
  dsn: { public: string };
  dateCreated?: string;
}

export interface Member {
  id: string;
  name: string;
  email: string;
  user: User | null;
  orgRole?: string;
  pending?: boolean;
  expired?: boolean;
  dateCreated?: string;
  teams?: string[];
  /** Only in the answer that invites: it is not kept. */
  inviteLink?: string | null;
}

export interface Environment {
  id: string;
  name: string;
}

export interface Actor {
  type: 'user' | 'team';
  id: string;
  name: string;
  email?: string;
}

export type IssueStatus = 'unresolved' | 'resolved' | 'ignored';
export type SeriesPoint = [at: number, count: number];

export interface Issue {
  id: string;
  shortId: string;
  title: string;
  culprit: string | null;
  level: string;
  status: IssueStatus;
  substatus: string | null;
  statusDetails?: Record<string, unknown>;
  platform: string | null;
  project: ProjectRef;
  type: string;
  metadata: { type?: string; value?: string; title?: string; filename?: string; function?: string };
  count: string;
  userCount: number;
  firstSeen: string;
  lastSeen: string;
  assignedTo: Actor | null;
  isBookmarked: boolean;
  isSubscribed?: boolean;
  isPublic?: boolean;
  /** The name of the public link. */
  shareId?: string | null;
  isUnhandled?: boolean;
  hasSeen?: boolean;
  numComments: number;
  priority: string | null;
  stats?: Record<string, SeriesPoint[]>;
  permalink: string;
}

export interface ReleaseRef {
  version: string;
  shortVersion?: string;
  dateCreated?: string;
}

export interface Activity {
  id: string;
  type: string;
  dateCreated: string;
  user: User | null;
  data: Record<string, unknown> | null;
}

export interface IssueDetails extends Issue {
  activity: Activity[];
  firstRelease: ReleaseRef | null;
  lastRelease: ReleaseRef | null;
  seenBy?: User[];
  participants?: User[];
}

export interface IssueUpdate {
  status?: IssueStatus;
  statusDetails?: Record<string, unknown>;
  substatus?: string | null;
  assignedTo?: string;
  isBookmarked?: boolean;
  isSubscribed?: boolean;
  hasSeen?: boolean;
  priority?: string;
  pendingDeletion?: boolean;
}

export interface IssueViewBody {
  name: string;
  query: string;
  querySort: string;
  projects: number[];
  isAllProjects: boolean;
  environments: string[];
  timeFilters: { period?: string | null; start?: string | null; end?: string | null };
  visibility: 'organization' | 'owner';
  /** When it is made: with a star of whoever makes it. */
  starred?: boolean;
}

/** A search of issues that somebody keeps. */
export interface IssueView extends IssueViewBody {
  id: string;
  starred: boolean;
  stars: number;
  createdBy: User | null;
}

export interface SearchField {
  key: string;
  kind: string;
  doc: string;
  values?: string[];
}

export interface TagValue {
  value: string;
  name?: string;
  count: number;
  lastSeen?: string;
}

export interface IssueTag {
  key: string;
  name: string;
  totalValues: number;
  uniqueValues?: number;
  topValues: TagValue[];
}

export interface Frame {
  filename: string | null;
  absPath?: string | null;
  module?: string | null;
  package?: string | null;
  function: string | null;
  lineNo: number | null;
  colNo?: number | null;
  inApp: boolean;
  context?: [number, string | null][] | null;
  vars?: Record<string, unknown> | null;
  instructionAddr?: string | null;
  symbolAddr?: string | null;
  /** How the frame was found on the stack. */
  trust?: string | null;
  data?: { symbolicator_status?: string; symbolicated?: boolean; [name: string]: unknown } | null;
}

export interface Stacktrace {
  frames: Frame[] | null;
  framesOmitted?: [number, number] | null;
  registers?: Record<string, string | null> | null;
}

export interface Mechanism {
  type?: string;
  handled?: boolean | null;
  description?: string | null;
  is_exception_group?: boolean;
  exception_id?: number;
  parent_id?: number;
  source?: string;
  data?: Record<string, unknown> | null;
  meta?: Record<string, unknown> | null;
}

export interface ExceptionValue {
  type: string | null;
  value: string | null;
  module?: string | null;
  mechanism?: Mechanism | null;
  threadId?: number | string | null;
  stacktrace?: Stacktrace | null;
  rawStacktrace?: Stacktrace | null;
}

export interface Thread {
  id: number | string | null;
  name?: string | null;
  crashed?: boolean | null;
  current?: boolean | null;
  stacktrace?: Stacktrace | null;
  rawStacktrace?: Stacktrace | null;
}

/** A place where the file of an image was looked for. */
export interface ImageCandidate {
  source?: string | null;
  source_name?: string | null;
  location?: string | null;
  download?: { status?: string; details?: string | null } | null;
  debug?: { status?: string; details?: string | null } | null;
  unwind?: { status?: string; details?: string | null } | null;
  sources?: { status?: string; details?: string | null } | null;
}

/** A file that was loaded into the process. */
export interface DebugImage {
  type?: string | null;
  code_file?: string | null;
  debug_file?: string | null;
  code_id?: string | null;
  debug_id?: string | null;
  uuid?: string | null;
  arch?: string | null;
  image_addr?: string | number | null;
  image_size?: number | null;
  debug_status?: string | null;
  unwind_status?: string | null;
  features?: Record<string, boolean> | null;
  candidates?: ImageCandidate[] | null;
}

export interface EventError {
  type: string;
  message?: string;
  data?: Record<string, unknown>;
}

export interface Breadcrumb {
  type?: string | null;
  category?: string | null;
  level?: string | null;
  message?: string | null;
  timestamp?: string | null;
  data?: Record<string, unknown> | null;
}

export interface RequestData {
  url?: string | null;
  method?: string | null;
  query?: [string, string][] | string | null;
  fragment?: string | null;
  data?: unknown;
  headers?: [string, string][] | null;
  cookies?: [string, string][] | null;
  env?: Record<string, unknown> | null;
  inferredContentType?: string | null;
}

export interface Entry {
  type: string;
  data: unknown;
}

export interface Event {
  id: string;
  eventID: string;
  groupID: string | null;
  title: string;
  message: string | null;
  culprit: string | null;
  location?: string | null;
  type: string;
  platform: string | null;
  dateCreated: string;
  dateReceived?: string | null;
  size?: number;
  dist?: string | null;
  release?: ReleaseRef | null;
  sdk?: { name: string; version: string } | null;
  tags: { key: string; value: string }[];
  user: Record<string, unknown> | null;
  contexts: Record<string, Record<string, unknown>>;
  context?: Record<string, unknown> | null;
  packages?: Record<string, string> | null;
  entries: Entry[];
  errors?: EventError[];
  metadata?: Record<string, unknown>;
  nextEventID?: string | null;
  previousEventID?: string | null;
  occurrence?: unknown;
}

/** The part of an event from which messages and stack traces are shown. */
export type Traced = Pick<Event, 'entries'>;

/** An issue as its public link shows it. */
export interface SharedIssue {
  shareId: string;
  shortId: string;
  title: string;
  culprit: string | null;
  level: string;
  platform: string | null;
  metadata: Issue['metadata'];
  project: { slug: string; name: string; platform: string | null };
  latestEvent: (Traced & { eventID: string; dateCreated: string }) | null;
}

export interface Attachment {
  id: string;
  name: string;
  type: string;
  size: number;
  mimetype: string;
  dateCreated: string;
}

export interface GroupingComponent {
  id: string;
  name: string | null;
  contributes: boolean;
  hint: string | null;
  values: (GroupingComponent | string | number | null)[];
}

export interface GroupingVariant {
  key: string;
  type: string;
  hash: string | null;
  description: string;
  contributes?: boolean;
  hint?: string | null;
  component?: GroupingComponent;
}

export interface Note {
  id: string;
  type: string;
  dateCreated: string;
  user: User | null;
  data: { text: string };
}

export interface StatsGroup {
  by: { outcome?: string; reason?: string | null; category?: string };
  totals: Record<string, number>;
  series: Record<string, number[]>;
}

export interface Stats {
  start: string;
  end: string;
  intervals: string[];
  groups: StatsGroup[];
}

export interface ApiToken {
  id: string;
  name: string;
  scopes: string[];
  dateCreated: string;
  tokenLastCharacters?: string;
  token?: string | null;
}

export interface IssueHash {
  id: string;
  count: number;
  firstSeen: string;
  lastSeen: string;
  latestEvent: { eventID: string; title: string; culprit: string | null } | null;
}

/** An issue and how much it looks like the one that was asked about, from 0 to 1. */
export type SimilarIssue = [Issue, { exception: number; shouldBeGrouped: 'Yes' | 'No' }];

/** A part of two trees laid over each other; leaves have `left` and `right`, others `values`. */
export interface ComparedPart {
  id?: string;
  name?: string;
  status: 'same' | 'changed' | 'left' | 'right';
  contributes?: [boolean, boolean];
  hint?: [string | null, string | null];
  count?: number;
  left?: string | number | null;
  right?: string | number | null;
  values?: ComparedPart[];
}

export interface ComparedVariant {
  key: string;
  description: string;
  left: string | null;
  right: string | null;
  equal: boolean;
  component: ComparedPart | null;
}

export interface Comparison {
  issues: [Issue, Issue];
  events: [string, string];
  explanation: string;
  shared: string[];
  differences: { where: string; left: string | number | null; right: string | number | null }[];
  moreDifferences: number;
  variants: ComparedVariant[];
}

export interface DiscardedIssue {
  id: string;
  title: string;
  culprit: string;
  level: string;
  actor: User | null;
  dateAdded: string;
  eventsDiscarded: number;
  lastDiscarded: string | null;
}

export interface RulesDraft {
  groupingEnhancements?: string;
  fingerprintingRules?: string;
}

export interface PreviewedIssue {
  id: string;
  shortId: string;
  title: string;
  culprit: string;
  count: string;
}

export interface RulesPreview {
  events: number;
  changedEvents: number;
  issues: number;
  merges: { issues: PreviewedIssue[] }[];
  splits: { issue: PreviewedIssue; into: number }[];
  renewed: PreviewedIssue[];
}

export interface Author {
  id?: string;
  name: string | null;
  email: string;
}

export interface Commit {
  id: string;
  message: string | null;
  dateCreated: string;
  author: Author | null;
  repository?: { name: string; url: string | null };
  /** The page of the commit. */
  url?: string | null;
}

/** Somebody whose commits may have brought an event. */
export interface Committer {
  author: Author | null;
  commits: Commit[];
}

/** Where a frame's line stands in a repository. */
export interface SourceLink {
  sourceUrl: string | null;
  config: { provider: { key: string; name: string } } | null;
}

/** A page of another system that an issue is linked to. */
export interface IssueLink {
  id: string;
  displayName: string;
  webUrl: string;
  serviceType: string;
}

export interface Deploy {
  id: string;
  environment: string;
  name: string | null;
  url: string | null;
  dateStarted: string | null;
  dateFinished: string;
}

export interface Release {
  version: string;
  shortVersion: string;
  status: 'open' | 'archived';
  ref: string | null;
  url: string | null;
  dateCreated: string;
  dateReleased: string | null;
  firstEvent: string | null;
  lastEvent: string | null;
  newGroups: number;
  commitCount: number;
  deployCount: number;
  lastDeploy: Deploy | null;
  authors: Author[];
  projects: (Omit<ProjectRef, 'id'> & { id: number; newGroups: number })[];
}

export interface OutcomeStats {
  intervals: string[];
  groups: {
    by: { outcome: string; reason?: string; category?: string; project?: number };
    totals: Record<string, number>;
    series: Record<string, number[]>;
  }[];
}

export interface OrganizationDetails extends Organization {
  openMembership: boolean;
  require2FA: boolean;
  requireEmailVerification: boolean;
  allowMemberInvite: boolean;
  allowSharedIssues: boolean;
  dataScrubber: boolean;
  dataScrubberDefaults: boolean;
  scrubIPAddresses: boolean;
  access: string[];
  orgRole: string | null;
}

export interface Team {
  id: string;
  slug: string;
  name: string;
  isMember: boolean;
  memberCount: number;
  access: string[];
  projects?: ProjectRef[];
}

export interface OrganizationToken {
  id: string;
  name: string;
  scopes: string[];
  tokenLastCharacters: string | null;
  dateCreated: string;
  dateLastUsed: string | null;
  /** Only in the answer that makes it. */
  token?: string;
}

export interface AuditEntry {
  id: string;
  event: string;
  actor: { name?: string | null; username?: string | null; email?: string | null } | null;
  ipAddress: string | null;
  dateCreated: string;
  note: string | null;
}

/** One place of the web that was or was not asked for a file. */
export interface Fetched {
  url: string;
  status: 'success' | 'not_attempted' | 'failure';
  reason?: string;
  details?: string | null;
}

type Lookup = 'found' | 'wrong-dist' | 'unsuccessful';

/** How the source of a frame was looked for, in each of three ways. */
export interface FrameLookup {
  debug_id_process: {
    debug_id: string | null;
    uploaded_source_file_with_correct_debug_id: boolean;
    uploaded_source_map_with_correct_debug_id: boolean;
  };
  release_process: {
    abs_path: string;
    matching_source_file_names: string[];
    matching_source_map_name: string | null;
    source_map_reference: string | null;
    source_file_lookup_result: Lookup;
    source_map_lookup_result: Lookup;
  } | null;
  scraping_process: { source_file: Fetched | null; source_map: Fetched | null };
  /** The same in words. */
  explanation?: { status: string; message: string; next_step: string; command: string | null };
}

/** Events of an issue that are processed again. */
export interface Reprocessing {
  status: 'none' | 'open' | 'done';
  totalEvents: number;
  syncCount: number;
  changedEvents: number;
  /** The project has something to read frames by. */
  possible: boolean;
}

/** Why the frames of an event were or were not mapped. */
export interface SourceMapDebug {
  dist: string | null;
  release: string | null;
  exceptions: { frames: FrameLookup[] }[];
  has_debug_ids: boolean;
  project_has_some_artifact_bundle: boolean;
  release_has_some_artifact: boolean;
}

/** Scripts and source maps that were uploaded together. */
export interface ArtifactBundle {
  bundleId: string;
  associations: { release: string; dist: string | null }[];
  date: string;
  dateAccessed?: string | null;
  fileCount: number;
  size?: number;
}

export interface BundleFile {
  id: string;
  filePath: string;
  fileSize: number;
  fileType: number;
  debugId: string | null;
  sourcemap: string | null;
}

export interface DebugFile {
  id: string;
  debugId: string;
  codeId: string | null;
  cpuName: string;
  objectName: string;
  symbolType: string;
  size: number;
  dateCreated: string;
  data: { type?: string; features: string[] };
}
