import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { type Mood, respond } from './mock/api.ts';

/** Everything that the page asked the API to change, as `METHOD path`. */
export interface Mocked {
  changes: string[];
}

/** Answers the page's requests from fixtures and fails the test when the page asks anyone else. */
export async function mock(page: Page, mood: Mood): Promise<Mocked> {
  const mocked: Mocked = { changes: [] };
  await page.route('**/*', async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    if (url.hostname !== '127.0.0.1' && url.protocol.startsWith('http'))
      throw new Error(`the page asked ${url.href}`);
    if (!url.pathname.includes('/api/0/')) return route.continue();
    if (request.method() !== 'GET')
      mocked.changes.push(
        `${request.method()} ${url.pathname.replace(/^.*\/api\/0\//, '')}${url.search} ${request.postData() ?? ''}`.trim(),
      );
    const reply = respond({ method: request.method(), url, body: request.postData() ?? '' }, mood);
    await route.fulfill({
      status: reply.status,
      headers: { 'content-type': 'application/json', ...reply.headers },
      body: reply.body,
    });
  });
  return mocked;
}

/** No violation of WCAG 2.2 A and AA, and nothing wider than the window; `colours` asks for those alone. */
export async function expectSound(page: Page, only?: 'colours'): Promise<void> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (only === 'colours'
    ? axe.withRules(['color-contrast', 'link-in-text-block'])
    : axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
  ).analyze();
  expect(
    violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`),
  ).toEqual([]);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(wide, 'pixels wider than the window').toBeLessThanOrEqual(0);
}
