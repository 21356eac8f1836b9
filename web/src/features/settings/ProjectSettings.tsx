import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Project, ProjectKey } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Field, Input, TextArea, Toggle } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import {
  createKey,
  deleteKey,
  deleteProject,
  keysQuery,
  projectQuery,
  updateKey,
  updateProject,
} from '../projects/queries.ts';
import { Discarded } from './Discarded.tsx';
import { Ownership } from './Ownership.tsx';
import { ProjectPage } from './ProjectPage.tsx';
import { Rules } from './Rules.tsx';

export function ProjectSettings() {
  const { org, slug } = useParams({ strict: false }) as { org: string; slug: string };
  const { data, error, refetch } = useQuery(projectQuery(org, slug));
  useTitle(t('Settings'), data?.name);
  if (!data)
    return error ? (
      <ErrorState error={error} what={t('The project could not be read')} onRetry={() => void refetch()} />
    ) : (
      <Skeleton className="m-4 h-96" />
    );
  return (
    <ProjectPage org={org} slug={slug} title={data.name || data.slug}>
      <Details key={data.id} org={org} project={data} />
      <Keys org={org} slug={slug} />
      <Ownership org={org} slug={slug} />
      <Discarded org={org} slug={slug} />
      <Danger org={org} project={data} />
    </ProjectPage>
  );
}

const words = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map((one) => one.trim())
    .filter(Boolean);

function Details({ org, project }: { org: string; project: Project }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<Partial<Project>>({});
  const shown = { ...project, ...draft };
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<Project>): void => setDraft({ ...draft, ...change });
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      const saved = await updateProject(org, project.slug, draft);
      setDraft({});
      client.setQueryData(projectQuery(org, saved.slug).queryKey, saved);
      void client.invalidateQueries({ queryKey: ['projects', org] });
      toast(t('Saved'));
      if (saved.slug !== project.slug)
        void navigate({
          to: '/settings/$org/projects/$slug/',
          params: { org, slug: saved.slug },
          replace: true,
        });
    } catch (error) {
      toast(t('Not saved: {why}', { why: (error as Error).message }));
    }
    setBusy(false);
  };
  return (
    <form onSubmit={save} className="flex flex-col gap-3">
      <Card title={t('General')}>
        <div className="flex flex-col gap-4 p-4">
          <Field label={t('Name')}>
            {(props) => (
              <Input
                {...props}
                required
                value={shown.name}
                onChange={(event) => set({ name: event.target.value })}
              />
            )}
          </Field>
          <Field label={t('Slug')} help={t('Part of addresses and of what tools are configured with')}>
            {(props) => (
              <Input
                {...props}
                required
                pattern="[a-z0-9_\-]+"
                value={shown.slug}
                onChange={(event) => set({ slug: event.target.value })}
              />
            )}
          </Field>
        </div>
      </Card>
      <Card title={t('What is taken and kept')}>
        <div className="flex flex-col gap-4 p-4">
          <Field
            label={t('Domains whose pages may send')}
            help={t('One a line, such as *.example.com; * is every one')}
          >
            {(props) => (
              <TextArea
                {...props}
                rows={2}
                defaultValue={project.allowedDomains?.join('\n')}
                onChange={(event) => set({ allowedDomains: words(event.target.value) })}
              />
            )}
          </Field>
          <Field label={t('Days that events are kept')} help={t('From now on; empty is as the server says')}>
            {(props) => (
              <Input
                {...props}
                type="number"
                min={1}
                max={3650}
                defaultValue={project.retentionDays ?? ''}
                onChange={(event) =>
                  set({ retentionDays: event.target.value === '' ? null : Number(event.target.value) })
                }
              />
            )}
          </Field>
        </div>
      </Card>
      <Card title={t('Scrubbing of secrets')}>
        <div className="flex flex-col gap-4 p-4">
          <Toggle
            label={t('Remove secrets on the server')}
            checked={shown.dataScrubber ?? true}
            onChange={(dataScrubber) => set({ dataScrubber })}
          />
          <Toggle
            label={t('Use the default list')}
            help={t('Passwords, keys, tokens, card numbers')}
            checked={shown.dataScrubberDefaults ?? true}
            onChange={(dataScrubberDefaults) => set({ dataScrubberDefaults })}
          />
          <Toggle
            label={t('Do not keep IP addresses')}
            checked={shown.scrubIPAddresses ?? false}
            onChange={(scrubIPAddresses) => set({ scrubIPAddresses })}
          />
          <Field label={t('Sensitive fields')} help={t('One a line')}>
            {(props) => (
              <TextArea
                {...props}
                rows={3}
                defaultValue={project.sensitiveFields?.join('\n')}
                onChange={(event) => set({ sensitiveFields: words(event.target.value) })}
              />
            )}
          </Field>
          <Field label={t('Safe fields')} help={t('One a line; never scrubbed')}>
            {(props) => (
              <TextArea
                {...props}
                rows={3}
                defaultValue={project.safeFields?.join('\n')}
                onChange={(event) => set({ safeFields: words(event.target.value) })}
              />
            )}
          </Field>
        </div>
      </Card>
      <Rules org={org} slug={project.slug} shown={shown} set={set} />
      <div className="max-md:px-4">
        <Button type="submit" tone="solid" disabled={busy || Object.keys(draft).length === 0}>
          {t('Save')}
        </Button>
      </div>
    </form>
  );
}

function Keys({ org, slug }: { org: string; slug: string }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(keysQuery(org, slug));
  const run = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['project-keys', org, slug] });
  };
  return (
    <Card
      title={t('Keys (DSN)')}
      actions={
        <Button size="xs" onClick={() => void run(createKey(org, slug, t('New key')))}>
          {t('New key')}
        </Button>
      }
    >
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The keys could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      <ul>
        {data?.map((key) => (
          <Key
            key={key.id}
            of={key}
            onUpdate={(body) => void run(updateKey(org, slug, key.id, body))}
            onDelete={() => void run(deleteKey(org, slug, key.id))}
          />
        ))}
      </ul>
    </Card>
  );
}

function Key({
  of,
  onUpdate,
  onDelete,
}: {
  of: ProjectKey;
  onUpdate: (body: Parameters<typeof updateKey>[3]) => void;
  onDelete: () => void;
}) {
  const [asking, setAsking] = useState(false);
  const [count, setCount] = useState(String(of.rateLimit?.count ?? ''));
  const [window, setWindow] = useState(String(of.rateLimit?.window ?? 60));
  const limit = (): void =>
    onUpdate({
      rateLimit: Number(count) > 0 ? { count: Number(count), window: Number(window) || 60 } : null,
    });
  return (
    <li className="flex flex-col gap-3 border-b border-border p-4 last:border-b-0">
      <div className="flex flex-wrap items-center gap-2">
        <span className="grow font-medium break-words">{of.name || of.label}</span>
        <Toggle label={t('Active')} checked={of.isActive} onChange={(isActive) => onUpdate({ isActive })} />
        <Button size="xs" className="text-error" onClick={() => setAsking(true)}>
          {t('Delete')}
        </Button>
      </div>
      <div className="flex items-center gap-2">
        <code className="min-w-0 grow font-mono text-12 break-all">{of.dsn.public}</code>
        <Copy size="xs" text={of.dsn.public} label={t('Copy the DSN')} />
      </div>
      <div className="flex flex-wrap items-end gap-2">
        <div className="w-32">
          <Field label={t('Events at most')}>
            {(props) => (
              <Input
                {...props}
                type="number"
                min={0}
                placeholder={t('no limit')}
                value={count}
                onChange={(event) => setCount(event.target.value)}
              />
            )}
          </Field>
        </div>
        <div className="w-32">
          <Field label={t('in seconds')}>
            {(props) => (
              <Input
                {...props}
                type="number"
                min={1}
                value={window}
                onChange={(event) => setWindow(event.target.value)}
              />
            )}
          </Field>
        </div>
        <Button size="md" onClick={limit}>
          {t('Set the limit')}
        </Button>
      </div>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete this key?')}
        text={t('Applications that use it can no longer send events.')}
        action={t('Delete the key')}
        onConfirm={onDelete}
      />
    </li>
  );
}

function Danger({ org, project }: { org: string; project: Project }) {
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const client = useQueryClient();
  const remove = async (): Promise<void> => {
    try {
      await deleteProject(org, project.slug);
      await client.invalidateQueries({ queryKey: ['projects', org] });
      void navigate({ to: '/organizations/$org/projects/', params: { org } });
    } catch (error) {
      toast(t('The project was not deleted: {why}', { why: (error as Error).message }));
    }
  };
  return (
    <Card title={t('Delete the project')}>
      <div className="flex flex-wrap items-center justify-between gap-3 p-4">
        <p className="text-text2">{t('Its issues and events go with it. This cannot be undone.')}</p>
        <Button tone="danger" onClick={() => setAsking(true)}>
          {t('Delete the project')}
        </Button>
      </div>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete {name}?', { name: project.name || project.slug })}
        text={t('Its issues and events go with it. This cannot be undone.')}
        action={t('Delete the project')}
        onConfirm={() => void remove()}
      />
    </Card>
  );
}
