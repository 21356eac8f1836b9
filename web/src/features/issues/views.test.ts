import { expect, test } from 'vitest';
import type { IssueView } from '../../api/types.ts';
import { differs, viewBody, viewSearch } from './views.ts';

const view: IssueView = {
  id: '7',
  name: 'Payments',
  query: 'is:unresolved',
  querySort: 'date',
  projects: [],
  isAllProjects: false,
  environments: [],
  timeFilters: { period: '14d' },
  visibility: 'owner',
  starred: false,
  stars: 0,
  createdBy: null,
};

test('a view is what the stream shows, and back', () => {
  const search = viewSearch({
    ...view,
    querySort: 'freq',
    projects: [3],
    environments: ['prod'],
    timeFilters: { start: '2026-11-01T00:00:00', end: '2026-11-02T00:00:00', period: null },
  });
  expect(search).toEqual({
    view: '7',
    query: 'is:unresolved',
    sort: 'freq',
    start: '2026-11-01T00:00:00',
    end: '2026-11-02T00:00:00',
    project: ['3'],
    environment: ['prod'],
  });
  expect(viewBody(search)).toMatchObject({ projects: [3], isAllProjects: false, environments: ['prod'] });
  // Another client may sort by what this list has no column for, and write "all" in other ways.
  expect(viewSearch({ ...view, querySort: 'inbox', projects: [-1] })).toMatchObject({
    sort: undefined,
    project: undefined,
  });
});

test('what differs from a view is seen, and defaults are no difference', () => {
  expect(differs(view, { view: '7' })).toBe(false);
  expect(differs(view, { view: '7', query: 'is:unresolved', sort: 'date', statsPeriod: '14d' })).toBe(false);
  for (const change of [
    { query: 'is:new' },
    { sort: 'freq' as const },
    { statsPeriod: '24h' },
    { project: ['3'] },
    { environment: ['prod'] },
  ])
    expect(differs(view, { view: '7', ...change })).toBe(true);
});
