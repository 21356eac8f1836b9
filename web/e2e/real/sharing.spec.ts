import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { error, signIn, test } from './server.ts';

test('an issue is shown to somebody without a login, and no longer', async ({ page, server, browser }) => {
  await server.stored(await server.send(error('order 1 failed')));
  await page.goto(`${server.url}/organizations/acme/issues/SHOP-1/`);
  await signIn(page);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('OrderError');

  // Reviewed, followed, bookmarked: by keys, and still so after reading the page anew.
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await expect(page.getByText('SHOP-1 is followed')).toBeVisible();
  await page.keyboard.press('Shift+R');
  await expect(page.getByText('SHOP-1 reviewed')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: 'Unsubscribe' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('button', { name: 'More actions' }).click();
  await expect(page.getByRole('menuitem', { name: 'Mark as not reviewed' })).toBeVisible();

  // The link.
  await page.getByRole('menuitem', { name: 'Share…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Public link').click();
  const link = await dialog.getByRole('link').textContent();
  expect(link).toMatch(/\/share\/issue\/[0-9a-f]{32}\/$/);
  await page.screenshot({ path: 'test-results/shots/real-share-dialog.png' });
  await expectSound(page);

  // Somebody else's browser.
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const reader = await context.newPage();
  await reader.goto(link ?? '');
  await expect(reader.getByRole('heading', { level: 1 })).toContainText('OrderError order 1 failed');
  await expect(reader.getByText("raise OrderError('no stock')")).toBeVisible();
  await expectSound(reader);
  const seen = await reader.content();
  for (const secret of ['jo@example.com', 'select * from stock', '12.50', 'shop.example', 'ann@example.com'])
    expect(seen).not.toContain(secret);
  await expect(reader.locator('meta[name=robots]')).toHaveAttribute('content', /noindex/);

  // Withdrawn.
  await dialog.getByRole('button', { name: 'Withdraw the link' }).click();
  await expect(dialog.getByRole('link')).toHaveCount(0);
  await reader.reload();
  await expect(reader.getByText('This link leads nowhere')).toBeVisible();
  await expectSound(reader);
  await context.close();
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(page.getByText('withdrew the public link')).toBeVisible();
});
