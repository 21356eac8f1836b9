import { expect, test } from '@playwright/test';
import { expectSound, mock } from './open.ts';

const STREAM = '/organizations/vedette/issues/';

test('signing in leads to the page that was asked for', async ({ page }) => {
  await mock(page, 'signed-out');
  await page.goto(`${STREAM}?query=level%3Aerror`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel('Email or user name').fill('admin@localhost');
  await page.getByLabel('Password', { exact: true }).fill('wrong');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('wrong');
  await page.getByLabel('Password', { exact: true }).fill('password1');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/issues\/\?query=level/);
});

test('an issue is found, resolved and brought back by keys alone', async ({ page }) => {
  const mocked = await mock(page, 'full');
  await page.goto(STREAM);
  const rows = page.locator('[role=row][aria-rowindex]');
  await expect(rows).toHaveCount(33);
  const second = await rows.nth(2).getByRole('link').textContent();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('r');
  await expect(page.getByText('1 issue resolved')).toBeVisible();
  await expect(rows).toHaveCount(32);
  await page.keyboard.press('z');
  await expect(rows).toHaveCount(33);
  await expect(rows.nth(2).getByRole('link')).toHaveText(second ?? '');
  expect(mocked.changes[0]).toMatch(/^PUT organizations\/vedette\/issues\/\?id=2 .*"status":"resolved"/);
  expect(mocked.changes[1]).toContain('"status":"unresolved"');
});

test('rows are selected and deleted after one question', async ({ page }) => {
  const mocked = await mock(page, 'full');
  await page.goto(STREAM);
  await page.getByLabel('Select MY-PROJECT-1', { exact: true }).click();
  await page.getByLabel('Select MY-PROJECT-3', { exact: true }).click({ modifiers: ['Shift'] });
  const bar = page.getByRole('region', { name: 'Selected issues' });
  await expect(bar).toContainText('3 selected of 32 matching');
  await expectSound(page);
  await bar.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('dialog')).toContainText('Delete 3 issues?');
  await expectSound(page);
  await page.getByRole('button', { name: 'Delete 3 issues' }).click();
  await expect(page.getByText('3 issues deleted')).toBeVisible();
  expect(mocked.changes[0]).toMatch(/^DELETE organizations\/vedette\/issues\/\?id=1&id=2&id=3/);
});

test('the search box suggests, completes and corrects', async ({ page }) => {
  await mock(page, 'full');
  await page.goto(STREAM);
  const box = page.getByRole('combobox', { name: 'Search issues' });
  await expect(page.getByRole('grid')).toBeVisible();
  await page.keyboard.press('/');
  await expect(box).toBeFocused();
  await box.fill('is:unresolved lev');
  await expect(page.getByRole('option', { name: /^level:/ })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(box).toHaveValue('is:unresolved level:');
  await expect(page.getByRole('option', { name: 'error' })).toBeVisible();
  await expectSound(page);
  await page.keyboard.type('err');
  await page.keyboard.press('Tab');
  await expect(box).toHaveValue('is:unresolved level:error ');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/query=is%3Aunresolved\+level%3Aerror/);
  await box.fill('levle:error');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Did you mean level?' }).click();
  await expect(box).toHaveValue('level:error');
});

test('the issue page shows what is hostile as text, and more when asked', async ({ page }) => {
  await mock(page, 'full');
  await page.goto('/organizations/vedette/issues/MY-PROJECT-5/');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('<script>alert(1)</script>');
  await page.getByRole('button', { name: 'All frames' }).click();
  await expect(page.getByText('get_response', { exact: false }).first()).toBeVisible();
  await page.getByRole('button', { name: 'Show the grouping' }).click();
  await expect(page.getByText('contributes').first()).toBeVisible();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.getByText('"event_id"').first()).toBeVisible();
  await expectSound(page);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(/\/issues\/(\?|$)/);
});

test('the list of keys and the palette open by keys', async ({ page }) => {
  await mock(page, 'full');
  await page.goto(STREAM);
  await expect(page.getByRole('grid')).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toContainText('Show this list');
  await expectSound(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox', { name: /Page, project/ })).toBeFocused();
  await expectSound(page);
  await page.keyboard.type('Projects');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/projects\/$/);
});
