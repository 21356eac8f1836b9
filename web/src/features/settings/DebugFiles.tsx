import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { Bug, Download, Trash2 } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import type { DebugFile } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { formatBytes } from '../../lib/numbers.ts';
import { debugFilesCommand, proguardCommand } from '../../lib/symbols.ts';
import { useTitle } from '../../lib/title.ts';
import { Badge } from '../../ui/Bits.tsx';
import { buttonClass, IconButton } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Command } from '../../ui/Command.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Input, Select } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { debugFilesPages, debugFileUrl, deleteDebugFile } from '../files/queries.ts';
import { projectQuery } from '../projects/queries.ts';
import { ProjectPage } from './ProjectPage.tsx';

const FORMATS: [string, string][] = [
  ['elf', 'ELF'],
  ['macho', 'Mach-O'],
  ['pe', 'PE'],
  ['pdb', 'PDB'],
  ['portablepdb', 'Portable PDB'],
  ['breakpad', 'Breakpad'],
  ['wasm', 'WebAssembly'],
  ['sourcebundle', 'Source bundle'],
  ['proguard', 'ProGuard'],
  ['il2cpp', 'IL2CPP line map'],
  ['dartsymbolmap', 'Dart symbol map'],
  ['bcsymbolmap', 'BCSymbolMap'],
  ['uuidmap', 'UUID map'],
];
const NAMES = new Map(FORMATS);
const FEATURES: Record<string, string> = {
  symtab: 'symbols',
  debug: 'debug information',
  unwind: 'unwind information',
  sources: 'sources',
  mapping: 'mapping',
};

/** Symbols of programs: what was uploaded of them. */
export function DebugFiles() {
  const { org, slug } = useParams({ strict: false }) as { org: string; slug: string };
  const { data: project } = useQuery(projectQuery(org, slug));
  const client = useQueryClient();
  const [query, setQuery] = useState('');
  const [format, setFormat] = useState('');
  const wanted = useDeferredValue(query.trim());
  const [leaving, setLeaving] = useState<DebugFile | null>(null);
  useTitle(t('Debug files'), project?.name);
  const remove = async (file: DebugFile): Promise<void> => {
    try {
      await deleteDebugFile(org, slug, file.id);
      toast(t('{name} is deleted', { name: file.objectName }));
    } catch (failed) {
      toast(t('Nothing was deleted: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['debug-files', org, slug] });
  };
  return (
    <ProjectPage org={org} slug={slug} title={project?.name || slug}>
      <Card title={t('Uploaded debug files')}>
        <div className="flex flex-wrap gap-2 border-b border-border px-4 py-2">
          <Input
            type="search"
            className="md:max-w-sm"
            aria-label={t('Find by name or id')}
            placeholder={t('Name or id')}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
          <Select
            className="md:w-auto"
            aria-label={t('Format')}
            value={format}
            onChange={(event) => setFormat(event.target.value)}
          >
            <option value="">{t('Every format')}</option>
            {FORMATS.map(([id, name]) => (
              <option key={id} value={id}>
                {t(name)}
              </option>
            ))}
          </Select>
        </div>
        <PagedList
          query={debugFilesPages(org, slug, wanted, format ? [format] : [])}
          label={t('Debug files')}
          failed={t('The debug files could not be read')}
          keyOf={(file) => file.id}
          empty={
            wanted || format ? (
              <EmptyState icon={Bug} title={t('No debug file fits')} />
            ) : (
              <EmptyState icon={Bug} title={t('No debug file was uploaded yet')}>
                <p className="mb-3">
                  {t(
                    'With them, crashes of native, .NET and Android programs show functions, files and lines.',
                  )}
                </p>
                <div className="flex flex-col gap-2 text-left">
                  <Command
                    text={debugFilesCommand({ org, project: slug })}
                    label={t('Copy the command for debug files')}
                  />
                  <Command
                    text={proguardCommand({ org, project: slug })}
                    label={t('Copy the command for ProGuard')}
                  />
                </div>
                <p className="mt-3">
                  {t('If a server of yours has them already, name it:')}{' '}
                  <Link
                    to="/settings/$org/projects/$slug/symbol-sources/"
                    params={{ org, slug }}
                    className="text-accent underline"
                  >
                    {t('symbol sources')}
                  </Link>
                </p>
              </EmptyState>
            )
          }
        >
          {(file) => (
            <>
              <span className="flex min-w-0 grow basis-80 flex-col gap-0.5">
                <span className="isolate-text font-medium break-all">{file.objectName}</span>
                <code className="font-mono text-12 leading-4 break-all text-text2">{file.debugId}</code>
                {file.codeId && (
                  <code className="font-mono text-12 leading-4 break-all text-text3">
                    {t('code id {id}', { id: file.codeId })}
                  </code>
                )}
                <span className="flex flex-wrap gap-1">
                  <Badge tone="accent">{t(NAMES.get(file.symbolType) ?? file.symbolType)}</Badge>
                  {file.cpuName && file.cpuName !== 'any' && file.cpuName !== 'unknown' && (
                    <Badge tone="plain">{file.cpuName}</Badge>
                  )}
                  {file.data.features.map((feature) => (
                    <Badge key={feature} tone="plain">
                      {t(FEATURES[feature] ?? feature)}
                    </Badge>
                  ))}
                </span>
              </span>
              <span className="text-12 whitespace-nowrap text-text2">
                {formatBytes(file.size)} · <Time at={file.dateCreated} form="long" />
              </span>
              <span className="flex items-center gap-1">
                <a
                  href={debugFileUrl(org, slug, file.id)}
                  download
                  aria-label={t('Download {name}', { name: file.objectName })}
                  className={buttonClass({ size: 'xs' })}
                >
                  <Download className="size-3.5" aria-hidden /> {t('Download')}
                </a>
                <IconButton
                  label={t('Delete {name}', { name: file.objectName })}
                  onClick={() => setLeaving(file)}
                >
                  <Trash2 className="size-4" aria-hidden />
                </IconButton>
              </span>
            </>
          )}
        </PagedList>
      </Card>
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Delete {name}?', { name: leaving?.objectName ?? '' })}
        text={t(
          'Crashes that come from now on are no longer looked up in it. Events that are stored stay as they are.',
        )}
        action={t('Delete the file')}
        onConfirm={() => leaving && void remove(leaving)}
      />
    </ProjectPage>
  );
}
