import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { t } from '../../i18n/index.ts';
import { Page } from '../../ui/Page.tsx';
import { Tabs, tabClass } from '../../ui/Tabs.tsx';

const PAGES = [
  { to: '/settings/$org/projects/$slug/', label: 'General' },
  { to: '/settings/$org/projects/$slug/filters/', label: 'Filters' },
  { to: '/settings/$org/projects/$slug/source-maps/', label: 'Source maps' },
  { to: '/settings/$org/projects/$slug/debug-files/', label: 'Debug files' },
  { to: '/settings/$org/projects/$slug/symbol-sources/', label: 'Symbol sources' },
] as const;

/** One of the pages about a project, with the way to the others. */
export function ProjectPage({
  org,
  slug,
  title,
  children,
}: {
  org: string;
  slug: string;
  title: string;
  children: ReactNode;
}) {
  return (
    <Page
      title={title}
      narrow
      tabs={
        <Tabs label={t('Settings of the project')}>
          {PAGES.map((page) => (
            <Link
              key={page.to}
              to={page.to}
              params={{ org, slug }}
              activeOptions={{ exact: page.label === 'General' }}
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
