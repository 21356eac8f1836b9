import { Link, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Page } from '../../ui/Page.tsx';
import { Tabs, tabClass } from '../../ui/Tabs.tsx';

const PAGES = [
  { to: '/settings/$org/', label: 'Organization' },
  { to: '/settings/$org/members/', label: 'Members' },
  { to: '/settings/$org/teams/', label: 'Teams' },
  { to: '/settings/$org/sign-on/', label: 'Single sign-on' },
  { to: '/settings/$org/integrations/', label: 'Integrations' },
  { to: '/settings/$org/tokens/', label: 'Tokens' },
  { to: '/settings/$org/audit-log/', label: 'Audit log' },
] as const;

/** One of the pages about an organization, with the way to the others. */
export function OrganizationPage({
  title,
  actions,
  narrow,
  children,
}: {
  title: string;
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}) {
  const { org } = useParams({ strict: false }) as { org: string };
  useTitle(title, org);
  return (
    <Page
      title={title}
      actions={actions}
      narrow={narrow}
      tabs={
        <Tabs label={t('Settings of the organization')}>
          {PAGES.map((page) => (
            <Link
              key={page.to}
              to={page.to}
              params={{ org }}
              activeOptions={{ exact: page.to === '/settings/$org/' }}
              className={tabClass}
            >
              {t(page.label)}
            </Link>
          ))}
          <Link to="/settings/account/" className={tabClass}>
            {t('Your account')}
          </Link>
        </Tabs>
      }
    >
      {children}
    </Page>
  );
}
