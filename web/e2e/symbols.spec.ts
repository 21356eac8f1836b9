import { expect, type Page, test } from '@playwright/test';
import { expectSound, mock } from './open.ts';

const ISSUES = '/organizations/vedette/issues';

for (const width of [1440, 390]) {
  const open = async (page: Page, issue: string): Promise<(name: string) => Promise<void>> => {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    await mock(page, 'full');
    await page.goto(`${ISSUES}/${issue}/`);
    return async (name) => {
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await page.screenshot({ path: `test-results/shots/${name}-${theme}-${width}.png` });
        await expectSound(page, theme === 'light' ? undefined : 'colours');
      }
    };
  };

  test(`why frames were not mapped, ${width}`, async ({ page }) => {
    const shot = await open(page, 'UNMAPPED');
    await page.getByRole('button', { name: 'Why were frames not mapped?' }).click();
    const why = page.getByRole('dialog', { name: 'Why frames were not mapped' });
    await expect(why.getByText('No source map with this id was uploaded.').first()).toBeVisible();
    await shot('why');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Why was this frame not mapped?' }).click();
    const one = page.getByRole('dialog', { name: 'Why this frame was not mapped' });
    await expect(one.getByText('not mapped', { exact: true })).toHaveCount(1);
  });

  test(`frames as sent and as mapped, ${width}`, async ({ page }) => {
    const shot = await open(page, 'SCRIPT');
    const exception = page.getByRole('region', { name: 'Exception' });
    await expect(exception.getByText('total', { exact: true })).toBeVisible();
    const beside = exception.getByRole('button', { name: 'Side by side' });
    await expect(beside).toBeVisible({ visible: width === 1440 });
    if (width === 1440) {
      await beside.click();
      await expect(exception.getByText(/\{snip\}/).first()).toBeVisible();
      await exception.scrollIntoViewIfNeeded();
      await shot('beside');
    }
    // The key and the button are one switch, and it is remembered.
    await page.keyboard.press('m');
    await expect(exception.getByText('t.checkout')).toBeVisible();
    await page.reload();
    await expect(exception.getByRole('button', { name: 'Minified' })).toHaveAttribute('aria-pressed', 'true');
    await exception.getByRole('button', { name: 'Original' }).click();
    await expect(exception.getByText('Shop.checkout')).toBeVisible();
  });

  test(`threads and images of a crash, ${width}`, async ({ page }) => {
    const shot = await open(page, 'CRASH');
    const threads = page.getByRole('region', { name: 'Threads' });
    await expect(threads.getByText('Its stack trace is that of the exception, above.')).toBeVisible();
    await expect(threads.getByRole('rowheader', { name: 'rip', exact: true })).toBeVisible();
    await threads.scrollIntoViewIfNeeded();
    await shot('threads');
    await threads.getByRole('combobox').selectOption({ label: '#28109 stocktaking' });
    await expect(threads.getByRole('list', { name: 'Frames' })).toBeVisible();
    const images = page.getByRole('region', { name: 'Images loaded' });
    await images.getByRole('button', { name: /Show 3 images/ }).click();
    await images.scrollIntoViewIfNeeded();
    await shot('images');
    await images.getByRole('searchbox').fill('ad5dd93c');
    await expect(images.getByText('libgcc_s.so.1')).toHaveCount(0);
    await expect(images.getByRole('row').filter({ hasText: 'libshop.so' }).first()).toBeVisible();
  });
}
