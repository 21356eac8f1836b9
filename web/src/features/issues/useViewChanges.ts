import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { IssueView, IssueViewBody } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { toast } from '../../ui/toasts.ts';
import { sessionQuery } from '../auth/queries.ts';
import { organizationQuery, updateOrganization } from '../organization/queries.ts';
import { organizationsQuery } from '../organizations/queries.ts';
import { createView, deleteView, orderViews, starredViewsQuery, starView, updateView } from './queries.ts';

/** What can be done with views, and by whom. */
export function useViewChanges(org: string, enabled: boolean) {
  const client = useQueryClient();
  const { data: me } = useQuery(sessionQuery);
  const { data: organization } = useQuery({ ...organizationQuery(org), staleTime: 60_000, enabled });
  const manages = organization?.access.includes('org:write') ?? false;
  return useMemo(() => {
    const fresh = () => client.invalidateQueries({ queryKey: ['views', org] });
    const attempt = async (work: Promise<unknown>, done?: string): Promise<boolean> => {
      let ok = true;
      try {
        await work;
        if (done) toast(done);
      } catch (error) {
        ok = false;
        toast(t('Nothing was changed: {why}', { why: (error as Error).message }));
      }
      await fresh();
      return ok;
    };
    return {
      /** May choose what the organization opens first. */
      manages,
      first: organization?.defaultIssueView ?? null,
      /** May change and delete a view. */
      owns: (view: IssueView): boolean => manages || (me != null && view.createdBy?.id === me.id),
      create: async (body: IssueViewBody): Promise<IssueView> => {
        const made = await createView(org, body);
        await fresh();
        return made;
      },
      update: async (view: IssueView, body: Partial<IssueViewBody>): Promise<void> => {
        await updateView(org, view.id, body);
        await fresh();
      },
      save: (view: IssueView, body: Partial<IssueViewBody>) =>
        attempt(updateView(org, view.id, body), t('{name} is saved', { name: view.name })),
      star: (view: IssueView, starred: boolean) => attempt(starView(org, view.id, starred)),
      remove: (view: IssueView) =>
        attempt(deleteView(org, view.id), t('{name} is deleted', { name: view.name })),
      /** Puts the starred views in an order, at once on the screen. */
      order: (views: IssueView[]) => {
        client.setQueryData(starredViewsQuery(org).queryKey, views);
        return attempt(
          orderViews(
            org,
            views.map((view) => view.id),
          ),
        );
      },
      openFirst: async (view: IssueView | null): Promise<void> => {
        const done = view
          ? t('The organization opens {name} first', { name: view.name })
          : t('The organization opens no view first');
        await attempt(updateOrganization(org, { defaultIssueView: view?.id ?? null }), done);
        await client.invalidateQueries({ queryKey: organizationQuery(org).queryKey });
        await client.invalidateQueries({ queryKey: organizationsQuery.queryKey });
      },
    };
  }, [client, org, me, manages, organization?.defaultIssueView]);
}

export type ViewChanges = ReturnType<typeof useViewChanges>;
