import { useParams } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import { t } from '../../i18n/index.ts';
import { Box } from '../../ui/Box.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { OrganizationPage } from './OrganizationPage.tsx';
import { auditPages } from './queries.ts';

export function AuditLog() {
  const { org } = useParams({ strict: false }) as { org: string };
  return (
    <OrganizationPage title={t('Audit log')}>
      <Box>
        <PagedList
          query={auditPages(org)}
          label={t('Audit log')}
          failed={t('The audit log could not be read')}
          keyOf={(entry) => entry.id}
          empty={<EmptyState icon={ScrollText} title={t('Nothing was changed yet')} />}
        >
          {(entry) => (
            <>
              <code className="w-44 font-mono text-12">{entry.event}</code>
              <span className="min-w-0 grow basis-48">
                <span className="block break-words">{entry.note || entry.event}</span>
                <span className="block truncate text-12 text-text2">
                  {entry.actor?.name || entry.actor?.email || entry.actor?.username || t('The server')}
                  {entry.ipAddress ? ` · ${entry.ipAddress}` : ''}
                </span>
              </span>
              <span className="text-12 text-text2">
                <Time at={entry.dateCreated} form="absolute" />
              </span>
            </>
          )}
        </PagedList>
      </Box>
    </OrganizationPage>
  );
}
