import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Download, FileCode } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { plural, t } from '../../i18n/index.ts';
import { formatBytes } from '../../lib/numbers.ts';
import { useTitle } from '../../lib/title.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm } from '../../ui/Dialog.tsx';
import { Input } from '../../ui/Form.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { bundleFilesPages, bundleFileUrl, bundleQuery, deleteBundle } from '../files/queries.ts';
import { projectQuery } from '../projects/queries.ts';
import { ProjectPage } from './ProjectPage.tsx';
import { Associations } from './SourceMaps.tsx';

const KINDS: Record<number, string> = {
  1: 'source',
  2: 'script',
  3: 'source map',
  4: 'RAM bundle',
};

/** The files of a bundle. */
export function BundlePage() {
  const {
    org,
    slug,
    bundle: id,
  } = useParams({ strict: false }) as {
    org: string;
    slug: string;
    bundle: string;
  };
  const { data: project } = useQuery(projectQuery(org, slug));
  const { data: bundle } = useQuery(bundleQuery(org, slug, id));
  const client = useQueryClient();
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query.trim());
  const [asking, setAsking] = useState(false);
  useTitle(t('Source maps'), project?.name);
  const remove = async (): Promise<void> => {
    try {
      await deleteBundle(org, slug, id);
    } catch (failed) {
      toast(t('Nothing was deleted: {why}', { why: (failed as Error).message }));
      return;
    }
    toast(t('The bundle is deleted'));
    await navigate({ to: '/settings/$org/projects/$slug/source-maps/', params: { org, slug } });
    await client.invalidateQueries({ queryKey: ['artifact-bundles', org, slug] });
  };
  return (
    <ProjectPage org={org} slug={slug} title={project?.name || slug}>
      <p className="text-12 max-md:px-4">
        <Link
          to="/settings/$org/projects/$slug/source-maps/"
          params={{ org, slug }}
          className="inline-flex min-h-6 items-center text-accent hover:underline"
        >
          {t('All bundles')}
        </Link>
      </p>
      <Card
        title={t('Files of the bundle')}
        actions={
          bundle && (
            <Button size="xs" className="text-error" onClick={() => setAsking(true)}>
              {t('Delete the bundle')}
            </Button>
          )
        }
      >
        <div className="flex flex-col gap-1.5 border-b border-border px-4 py-2">
          <code className="font-mono text-12 break-all">{id}</code>
          {bundle && (
            <>
              <Associations of={bundle} />
              <span className="text-12 text-text2">
                {plural(bundle.fileCount, 'file', 'files')} · <Time at={bundle.date} form="absolute" />
              </span>
            </>
          )}
          <Input
            type="search"
            className="md:max-w-md"
            aria-label={t('Find by address or debug id')}
            placeholder={t('Address or debug id')}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
          />
        </div>
        <PagedList
          query={bundleFilesPages(org, slug, id, wanted)}
          label={t('Files')}
          failed={t('The files could not be read')}
          keyOf={(file) => file.id}
          empty={<EmptyState icon={FileCode} title={wanted ? t('No file fits') : t('No file')} />}
        >
          {(file) => (
            <>
              <span className="min-w-0 grow basis-80">
                <span className="isolate-text block font-mono text-12 break-all">{file.filePath}</span>
                {file.debugId && (
                  <code className="block font-mono text-12 break-all text-text2">{file.debugId}</code>
                )}
              </span>
              <Badge tone="plain">{t(KINDS[file.fileType] ?? 'file')}</Badge>
              <span className="text-12 text-text2">{formatBytes(file.fileSize)}</span>
              <a
                href={bundleFileUrl(org, slug, id, file.id)}
                download
                aria-label={t('Download {name}', { name: file.filePath })}
                className={buttonClass({ size: 'xs' })}
              >
                <Download className="size-3.5" aria-hidden /> {t('Download')}
              </a>
            </>
          )}
        </PagedList>
      </Card>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={t('Delete this bundle?')}
        text={t(
          'Events that come from now on are no longer mapped by its files. Those that are stored stay as they are.',
        )}
        action={t('Delete the bundle')}
        onConfirm={() => void remove()}
      />
    </ProjectPage>
  );
}
