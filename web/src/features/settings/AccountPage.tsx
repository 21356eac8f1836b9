import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Page } from '../../ui/Page.tsx';
import { Tabs, tabClass } from '../../ui/Tabs.tsx';
import { organizationsQuery } from '../organizations/queries.ts';

const PAGES = [
  { to: '/settings/account/', label: 'Account' },
  { to: '/settings/account/security/', label: 'Security' },
  { to: '/settings/account/notifications/', label: 'Mail' },
  { to: '/settings/account/tokens/', label: 'Tokens' },
  { to: '/settings/account/applications/', label: 'Applications' },
] as const;

/** One of the pages about the person who is signed in, with the way to the others and back. */
export function AccountPage({ title, children }: { title: string; children: ReactNode }) {
  useTitle(title);
  const { data: organizations } = useQuery(organizationsQuery);
  return (
    <Page
      title={title}
      narrow
      tabs={
        <Tabs label={t('Settings of your account')}>
          {PAGES.map((page) => (
            <Link
              key={page.to}
              to={page.to}
              activeOptions={{ exact: page.to === '/settings/account/' }}
              className={tabClass}
            >
              {t(page.label)}
            </Link>
          ))}
          {organizations?.[0] && (
            <Link to="/settings/$org/" params={{ org: organizations[0].slug }} className={tabClass}>
              {t('Organization')}
            </Link>
          )}
        </Tabs>
      }
    >
      {children}
    </Page>
  );
}
