import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { error, signIn, test } from './server.ts';

test('from the login to an error that comes back', async ({ page, server }) => {
  await page.goto(`${server.url}/`);
  await expect(page).toHaveURL(/\/login/);
  await expectSound(page);
  await signIn(page);

  // Nothing has come: the stream leads to the set-up of the SDK, which waits.
  await expect(page.getByText('No event has come yet')).toBeVisible();
  await expectSound(page);
  await page.getByRole('link', { name: 'Set up the SDK' }).click();
  await expect(page.getByText('Waiting for the first event…')).toBeVisible();
  await expect(page.getByRole('region', { name: 'DSN', exact: true })).toHaveText(server.dsn);
  await expectSound(page);
  const first = await server.send(error('order 1 failed'));
  await expect(page.getByText('It works.')).toBeVisible();
  await page.getByRole('link', { name: 'Open SHOP-1' }).click();

  // The issue page.
  await expect(page.getByRole('heading', { level: 1 })).toContainText('OrderError order 1 failed');
  await expect(page.getByText("raise OrderError('no stock')")).toBeVisible();
  await expect(page.getByText('select * from stock')).toBeVisible();
  await expect(page.getByText('jo@example.com').first()).toBeVisible();
  await expectSound(page);

  // The stream, and a search that finds, one that does not, and one that cannot be read.
  await page.getByRole('navigation').getByRole('link', { name: 'Issues' }).first().click();
  const rows = page.locator('[role=row][aria-rowindex]:not([aria-rowindex="1"])');
  await expect(rows).toHaveCount(1, { timeout: 20_000 });
  await expectSound(page);
  const box = page.getByRole('combobox', { name: 'Search issues' });
  const search = async (query: string): Promise<void> => {
    await box.fill(query);
    await page.keyboard.press('Enter');
  };
  await search('is:unresolved region:eu user.email:jo@* "order 1"');
  await expect(rows).toHaveCount(1);
  await search('is:unresolved region:us');
  await expect(page.getByText('No issue matches')).toBeVisible();
  await search('is:unresolved (region:eu');
  await expect(page.getByText('The search cannot be read')).toBeVisible();
  await expectSound(page);
  await search('is:unresolved');
  await rows.first().getByRole('link').click();

  // Resolved, taken back, resolved again; the next event brings it back.
  await page.getByRole('button', { name: 'Resolve' }).click();
  await expect(page.getByText('SHOP-1 resolved')).toBeVisible();
  await page.keyboard.press('z');
  await expect(page.getByRole('button', { name: 'Resolve' })).toBeVisible();
  await page.getByRole('button', { name: 'Resolve' }).click();
  await expect(page.getByRole('button', { name: 'Reopen' })).toBeVisible();
  await page.goto(`${server.url}/organizations/acme/issues/?query=is%3Aunresolved`);
  await expect(page.getByText('No issue matches')).toBeVisible();
  await server.stored(await server.send(error('order 2 failed')));
  await expect(rows).toHaveCount(1, { timeout: 20_000 });
  await expect(rows.first()).toContainText('regressed');
  await rows.first().getByRole('link').click();
  await expect(page.getByText('Unresolved, regressed')).toBeVisible();
  await expect(page.getByText('order 2 failed').first()).toBeVisible();

  // Back to the first event and forth again.
  await page.getByRole('button', { name: /^Previous/ }).click();
  await expect(page).toHaveURL(new RegExp(`/events/${first}/`));
  await expect(page.getByRole('button', { name: /^Previous/ })).toBeDisabled();
  await page.getByRole('button', { name: /^Next/ }).click();
  await expect(page.getByRole('button', { name: /^Next/ })).toBeDisabled();

  // A comment, an assignment, the archive, the end.
  await page.getByRole('textbox', { name: 'Comment' }).fill('the stock service is down');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await expect(page.getByText('the stock service is down')).toBeVisible();
  await page.getByRole('button', { name: 'Assign' }).click();
  await page.getByRole('menuitem', { name: /ann/i }).first().click();
  await expect(page.getByText(/SHOP-1 assigned to/)).toBeVisible();
  await page.getByRole('button', { name: 'Archive' }).click();
  await page.getByRole('menuitem', { name: /escalat/i }).click();
  await expect(page.getByText(/^Archived/).first()).toBeVisible();
  await expectSound(page);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await expectSound(page);
  await page.getByRole('button', { name: 'Delete 1 issue' }).click();
  await expect(page).toHaveURL(/\/issues\/(\?|$)/);
  await expect
    .poll(async () => (await server.get<object[]>('organizations/acme/issues/?query='))?.length)
    .toBe(0);
});
