import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Page } from '../../ui/Page.tsx';
import { Tabs, tabClass } from '../../ui/Tabs.tsx';

const PAGES = [
  { to: '/settings/server/', label: 'Status' },
  { to: '/settings/server/users/', label: 'Accounts' },
  { to: '/settings/server/options/', label: 'Options' },
] as const;

/** One of the pages about the installation, for its administrators. */
export function ServerPage({
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
  useTitle(title);
  return (
    <Page
      title={title}
      actions={actions}
      narrow={narrow}
      tabs={
        <Tabs label={t('Pages about the server')}>
          {PAGES.map((page) => (
            <Link
              key={page.to}
              to={page.to}
              activeOptions={{ exact: page.to === '/settings/server/' }}
              className={tabClass}
            >
              {t(page.label)}
            </Link>
          ))}
        </Tabs>
      }
    >
      {children}
    </Page>
  );
}
