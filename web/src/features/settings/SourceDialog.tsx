import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { SymbolSource } from '../../api/sources.ts';
import { t } from '../../i18n/index.ts';
import { CASINGS, FILE_TYPES, LAYOUTS, SOURCE_TYPES } from '../../lib/sources.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field, Input, Select, TextArea, Toggle } from '../../ui/Form.tsx';
import { addSource, changeSource, type SourceBody } from '../files/queries.ts';

const SECRETS = ['password', 'secret_key', 'private_key'] as const;
type Secret = (typeof SECRETS)[number];

/** What is typed of a source. A secret that is `null` was not touched. */
interface Draft {
  type: string;
  name: string;
  url: string;
  username: string;
  bucket: string;
  prefix: string;
  region: string;
  endpoint: string;
  access_key: string;
  client_email: string;
  layout: string;
  casing: string;
  types: string[];
  patterns: string;
  checksum: boolean;
  secrets: Record<Secret, string | null>;
}

function draftOf(source: SymbolSource | null): Draft {
  const bucket = source?.type === 's3';
  return {
    type: source?.type ?? 'http',
    name: source?.name ?? '',
    url: (!bucket && source?.url) || '',
    username: source?.username ?? '',
    bucket: source?.bucket ?? '',
    prefix: source?.prefix ?? '',
    region: source?.region ?? '',
    endpoint: (bucket && source?.url) || '',
    access_key: source?.access_key ?? '',
    client_email: source?.client_email ?? '',
    layout: source?.layout.type ?? 'native',
    casing: source?.layout.casing ?? 'default',
    types: source?.filters?.filetypes ?? [],
    patterns: source?.filters?.path_patterns?.join('\n') ?? '',
    checksum: source?.filters?.requires_checksum ?? false,
    secrets: { password: null, secret_key: null, private_key: null },
  };
}

const optional = (text: string): string | null => text.trim() || null;

/** The body that keeps a draft; what another type has is not sent. */
function bodyOf(draft: Draft): SourceBody {
  const patterns = draft.patterns
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean);
  const body: SourceBody = {
    type: draft.type,
    name: draft.name.trim(),
    layout: { type: draft.layout, casing: draft.casing },
    filters: { filetypes: draft.types, path_patterns: patterns, requires_checksum: draft.checksum },
  };
  const secret = (name: Secret): void => {
    const typed = draft.secrets[name];
    // What is typed is what is kept: a password may end in a blank.
    if (typed !== null) body[name] = typed === '' ? null : typed;
  };
  if (draft.type === 'http') {
    Object.assign(body, { url: draft.url.trim(), username: optional(draft.username) });
    secret('password');
    return body;
  }
  Object.assign(body, { bucket: draft.bucket.trim(), prefix: optional(draft.prefix) });
  if (draft.type === 's3') {
    body.region = draft.region.trim();
    body.url = optional(draft.endpoint);
    body.access_key = draft.access_key.trim();
    secret('secret_key');
  } else {
    body.client_email = draft.client_email.trim();
    secret('private_key');
  }
  return body;
}

/** Adds a source, or changes one; its type stays. */
export function SourceDialog({
  org,
  slug,
  source,
  onClose,
  onSaved,
}: {
  org: string;
  slug: string;
  source: SymbolSource | null;
  onClose: () => void;
  onSaved: () => void;
}) {
  const [draft, setDraft] = useState(() => draftOf(source));
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [narrowed] = useState(draft.types.length > 0 || draft.patterns !== '' || draft.checksum);
  const form = useRef<HTMLFormElement>(null);
  // What is wrong may stand above the part of the form that is in view.
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [problem]);
  const set = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    const body = bodyOf(draft);
    try {
      await (source ? changeSource(org, slug, source.id, body) : addSource(org, slug, body));
      onSaved();
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
    setBusy(false);
  };
  const wrong = (name: string): string | undefined => problem?.fields[name]?.join(' ');
  const layout = LAYOUTS.find(([id]) => id === draft.layout);
  const casing = CASINGS.find(([id]) => id === draft.casing);
  const shown = SHOWN[draft.type] ?? [];
  const elsewhere = problem && !Object.keys(problem.fields).some((name) => shown.includes(name));
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={source ? t('Change {name}', { name: source.name }) : t('Add a source')}
    >
      <form ref={form} onSubmit={submit} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Name')} error={wrong('name')}>
            {(props) => (
              <Input
                {...props}
                required
                maxLength={255}
                value={draft.name}
                onChange={(event) => set({ name: event.target.value })}
              />
            )}
          </Field>
          <Field label={t('Type')} error={wrong('type')}>
            {(props) => (
              <Select
                {...props}
                disabled={source !== null}
                value={draft.type}
                onChange={(event) => {
                  setProblem(null);
                  set({ type: event.target.value });
                }}
              >
                {SOURCE_TYPES.map(([id, name]) => (
                  <option key={id} value={id}>
                    {t(name)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <Place draft={draft} set={set} wrong={wrong} source={source} />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t('Layout')} help={layout && t(layout[2])} error={wrong('layout')}>
            {(props) => (
              <Select
                {...props}
                value={draft.layout}
                onChange={(event) => set({ layout: event.target.value })}
              >
                {LAYOUTS.map(([id, name]) => (
                  <option key={id} value={id}>
                    {t(name)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label={t('Casing')} help={casing && t(casing[2])}>
            {(props) => (
              <Select
                {...props}
                value={draft.casing}
                onChange={(event) => set({ casing: event.target.value })}
              >
                {CASINGS.map(([id, name]) => (
                  <option key={id} value={id}>
                    {t(name)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <details open={narrowed || wrong('filters') !== undefined}>
          <summary className="inline-flex min-h-6 items-center text-13 text-accent">
            {t('Only for some files')}
          </summary>
          <div className="mt-2 flex flex-col gap-4">
            <fieldset>
              <legend className="mb-1 text-13 font-medium">{t('File types')}</legend>
              <div className="grid gap-x-4 gap-y-1.5 sm:grid-cols-2">
                {FILE_TYPES.map(([id, name]) => (
                  <Toggle
                    key={id}
                    label={t(name)}
                    checked={draft.types.includes(id)}
                    onChange={(on) =>
                      set({ types: on ? [...draft.types, id] : draft.types.filter((one) => one !== id) })
                    }
                  />
                ))}
              </div>
              <p className="mt-1 text-12 text-text3">
                {t('Without any, it is asked for files of every type.')}
              </p>
            </fieldset>
            <Field
              label={t('Modules')}
              help={t(
                'Patterns for paths of modules, one a line: *ffmpeg*, C:\\Games\\*. Without any, it is asked for all.',
              )}
              error={wrong('filters')}
            >
              {(props) => (
                <TextArea
                  {...props}
                  rows={2}
                  spellCheck={false}
                  className="font-mono text-12"
                  value={draft.patterns}
                  onChange={(event) => set({ patterns: event.target.value })}
                />
              )}
            </Field>
            <Toggle
              label={t('Only modules with a checksum')}
              help={t('Those of .NET name the checksum of their debug file, and some servers ask for it.')}
              checked={draft.checksum}
              onChange={(checksum) => set({ checksum })}
            />
          </div>
        </details>
        {problem && elsewhere && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <div className="flex gap-2">
          <Button type="submit" tone="solid" disabled={busy}>
            {source ? t('Save') : t('Add the source')}
          </Button>
          <Button onClick={onClose}>{t('Cancel')}</Button>
        </div>
      </form>
    </Dialog>
  );
}

const ALL = ['name', 'type', 'layout', 'filters'];
/** The fields that can say what is wrong with them. */
const SHOWN: Record<string, string[]> = {
  http: [...ALL, 'url', 'username', 'password'],
  s3: [...ALL, 'bucket', 'prefix', 'region', 'url', 'access_key', 'secret_key'],
  gcs: [...ALL, 'bucket', 'prefix', 'client_email', 'private_key'],
};

interface PlaceProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  wrong: (name: string) => string | undefined;
  source: SymbolSource | null;
}

/** Where the source is, and how one gets in. */
function Place(props: PlaceProps) {
  const { draft, set, wrong, source } = props;
  const text = (
    name: 'url' | 'username' | 'bucket' | 'prefix' | 'region' | 'endpoint' | 'access_key' | 'client_email',
    label: string,
    more: { help?: string; required?: boolean; placeholder?: string; type?: string } = {},
  ): ReactNode => (
    <Field label={label} help={more.help} error={wrong(name === 'endpoint' ? 'url' : name)}>
      {(of) => (
        <Input
          {...of}
          type={more.type}
          required={more.required}
          placeholder={more.placeholder}
          spellCheck={false}
          autoComplete="off"
          className="font-mono text-12"
          value={draft[name]}
          onChange={(event) => set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  if (draft.type === 'http')
    return (
      <>
        {text('url', t('Address'), {
          required: true,
          type: 'url',
          placeholder: 'https://symbols.example.com/',
          help: t(
            'Paths of the layout are put behind it. Private addresses have to be allowed in the server’s settings.',
          ),
        })}
        <div className="grid gap-4 sm:grid-cols-2">
          {text('username', t('User name (optional)'))}
          <SecretField
            {...props}
            name="password"
            label={t('Password (optional)')}
            kept={source?.password !== undefined}
            removable
          />
        </div>
      </>
    );
  const bucket = (
    <div className="grid gap-4 sm:grid-cols-2">
      {text('bucket', t('Bucket'), { required: true })}
      {text('prefix', t('Prefix (optional)'), { placeholder: 'symbols/' })}
    </div>
  );
  if (draft.type === 's3')
    return (
      <>
        {bucket}
        <div className="grid gap-4 sm:grid-cols-2">
          {text('region', t('Region'), { required: true, placeholder: 'eu-central-1' })}
          {text('endpoint', t('Endpoint (optional)'), {
            type: 'url',
            placeholder: 'https://minio.example.com',
            help: t('Only if it is not Amazon’s own'),
          })}
          {text('access_key', t('Access key id'), { required: true })}
          <SecretField
            {...props}
            name="secret_key"
            label={t('Secret access key')}
            kept={source?.secret_key !== undefined}
          />
        </div>
      </>
    );
  return (
    <>
      {bucket}
      {text('client_email', t('Email of the service account'), {
        required: true,
        type: 'email',
        placeholder: 'reader@project.iam.gserviceaccount.com',
      })}
      <SecretField
        {...props}
        name="private_key"
        label={t('Private key')}
        kept={source?.private_key !== undefined}
        lines={3}
        help={t('private_key of the JSON file of its key, from -----BEGIN to END-----')}
      />
    </>
  );
}

/** A secret: what is kept is not shown, and stays unless something is typed. */
function SecretField({
  name,
  label,
  kept,
  removable,
  lines,
  help,
  draft,
  set,
  wrong,
}: PlaceProps & {
  name: Secret;
  label: string;
  kept: boolean;
  removable?: boolean;
  lines?: number;
  help?: string;
}) {
  const typed = draft.secrets[name];
  const put = (value: string | null): void => set({ secrets: { ...draft.secrets, [name]: value } });
  const gone = kept && typed === '';
  const said = gone
    ? t('It is taken away when you save.')
    : kept && typed === null
      ? t('One is kept and not shown. Type to put another in its place.')
      : help;
  const control = {
    spellCheck: false,
    autoComplete: 'new-password',
    required: !removable && !kept,
    placeholder: kept && typed === null ? '••••••••' : undefined,
    value: typed ?? '',
    // Emptied again, a secret that is kept stays.
    onChange: (event: { target: { value: string } }) => put(event.target.value || (kept ? null : '')),
  };
  return (
    <div className="flex flex-col items-start gap-1 *:w-full">
      <Field label={label} help={said} error={wrong(name)}>
        {(of) =>
          lines ? (
            <TextArea {...of} {...control} rows={lines} className="font-mono text-12" />
          ) : (
            <Input {...of} {...control} type="password" className="font-mono text-12" />
          )
        }
      </Field>
      {removable && kept && (
        <button
          type="button"
          className="min-h-6 text-left text-12 text-accent underline"
          onClick={() => put(gone ? null : '')}
        >
          {gone ? t('Keep the password') : t('Take the password away')}
        </button>
      )}
    </div>
  );
}
