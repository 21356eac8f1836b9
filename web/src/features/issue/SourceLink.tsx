import { useQuery } from '@tanstack/react-query';
import { ExternalLink } from 'lucide-react';
import type { Frame } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { sourceLinkQuery } from '../events/queries.ts';

/** Leads from an open frame to its line in the repository; nothing where no code mapping fits. */
export function SourceLink({
  org,
  project,
  frame,
  platform,
}: {
  org: string;
  project: string;
  frame: Frame;
  platform: string | null;
}) {
  const { data } = useQuery({
    ...sourceLinkQuery(org, project, frame, platform),
    enabled: (frame.filename ?? frame.absPath ?? '') !== '',
  });
  const url = data?.sourceUrl;
  if (!url || !/^https?:\/\//i.test(url)) return null;
  const key = data.config?.provider.key;
  const name = data.config?.provider.name;
  return (
    <p className="border-t border-border bg-code px-3.5 py-0.5">
      <a
        href={url}
        rel="noreferrer"
        className="inline-flex min-h-6 items-center gap-1.5 text-12 text-accent hover:underline"
      >
        <ExternalLink className="size-3.5" aria-hidden />
        {key && name && key !== 'unknown' ? t('Open in {name}', { name }) : t('Open in the repository')}
      </a>
    </p>
  );
}
