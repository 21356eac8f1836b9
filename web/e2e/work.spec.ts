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

test('what is selected is reviewed and followed for oneself', async ({ page }) => {
  const mocked = await mock(page, 'full');
  await page.goto(STREAM);
  const bar = page.getByRole('region', { name: 'Selected issues' });
  for (const [name, field] of [
    ['Mark as reviewed', 'hasSeen'],
    ['Subscribe', 'isSubscribed'],
  ]) {
    await page.getByLabel('Select MY-PROJECT-1', { exact: true }).click();
    await bar.getByRole('button', { name: 'For me' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
    await expect(bar).toHaveCount(0);
    await expect
      .poll(() => mocked.changes.at(-1))
      .toMatch(new RegExp(`^PUT organizations/vedette/issues/\\?id=1 .*"${field}":true`));
  }
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

test('issues are merged, compared and taken apart', async ({ page }) => {
  const mocked = await mock(page, 'full');
  await page.goto(STREAM);
  await page.getByLabel('Select MY-PROJECT-1', { exact: true }).click();
  const bar = page.getByRole('region', { name: 'Selected issues' });
  await expect(bar.getByRole('button', { name: 'Merge' })).toHaveCount(0);
  await page.getByLabel('Select MY-PROJECT-2', { exact: true }).click();
  await bar.getByRole('button', { name: 'Merge' }).click();
  await page.getByRole('button', { name: 'Merge 2 issues' }).click();
  await expect(page.getByText('2 issues merged')).toBeVisible();
  expect(mocked.changes[0]).toMatch(/^PUT organizations\/vedette\/issues\/\?id=1&id=2 .*"merge":1/);

  await page.goto(`${STREAM}MY-PROJECT-5/grouping/`);
  await page.getByRole('button', { name: 'Why not one?' }).first().click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('they differ in 2 places that count');
  await expect(dialog.getByRole('table')).toContainText('pay_later');
  await expectSound(page);
  await page.keyboard.press('Escape');
  const out = page.getByRole('button', { name: 'Take out into a new issue' });
  await expect(out).toBeDisabled();
  await page.getByRole('checkbox').first().check();
  await out.click();
  await expect(page.getByText('They are issue MY-PROJECT-99 now')).toBeVisible();
  expect(mocked.changes.at(-1)).toMatch(
    /^PUT organizations\/vedette\/issues\/\d+\/hashes\/\?id=[0-9a-f]{32}/,
  );
});

test('an issue is deleted with what comes, and rules are tried before they are saved', async ({ page }) => {
  const mocked = await mock(page, 'full');
  await page.goto(`${STREAM}MY-PROJECT-5/`);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Delete and discard…' }).click();
  await expectSound(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Delete and discard' }).click();
  await expect(page.getByText('its events are left out from now on')).toBeVisible();
  expect(mocked.changes.at(-1)).toContain('"discard":true');

  await page.goto('/settings/vedette/projects/my-project/');
  await expect(page.getByText('1 event left out')).toBeVisible();
  await page.getByLabel('Fingerprint rules').fill('error.type:CardError -> card-error');
  await page.getByRole('button', { name: 'Try on recent events' }).click();
  await expect(page.getByText('These 2 issues would become 1:')).toBeVisible();
  await expectSound(page);
  await page.getByRole('button', { name: 'Store its events again' }).click();
  await expect(page.getByText('Its events are stored again')).toBeVisible();
});
