import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { error, signIn, test } from './server.ts';

test('a search is kept as a view, starred, put in order, shared and opened first', async ({
  page,
  server,
}) => {
  await server.stored(await server.send(error('order 1 failed')));
  await page.goto(`${server.url}/organizations/acme/issues/?query=is%3Anew&statsPeriod=30d`);
  await signIn(page);
  const tabs = page.getByRole('navigation', { name: 'Kinds of issues' });
  const save = async (name: string): Promise<void> => {
    await expect(page.getByRole('button', { name: 'Views' })).toBeVisible();
    await page.keyboard.press('v');
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('button', { name: 'Save the view' }).click();
    await expect(tabs.getByRole('link', { name, exact: true })).toHaveAttribute('aria-current', 'page');
  };
  await save('Fresh');
  await expect(page).toHaveURL(/view=\d+.*statsPeriod=30d|statsPeriod=30d.*view=\d+/);
  await expectSound(page);

  // What is changed is said, saved or taken back.
  const box = page.getByRole('combobox', { name: 'Search issues' });
  await box.fill('is:unresolved region:eu');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(box).toHaveValue('is:new');
  await box.fill('is:unresolved region:eu');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Fresh is saved')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Reset' })).toHaveCount(0);

  // A second one, and the order by keys.
  await tabs.getByRole('link', { name: /^Archived/ }).click();
  await save('Put away');
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'All views' }).click();
  const starred = page.getByRole('list', { name: 'Starred' });
  await expect(starred.getByRole('listitem')).toHaveText(['Fresh', 'Put away']);
  await starred.getByRole('button', { name: 'Move Put away up' }).focus();
  await page.keyboard.press('ArrowUp');
  await expect(starred.getByRole('listitem')).toHaveText(['Put away', 'Fresh']);
  await expectSound(page);
  await page.reload();
  await expect(starred.getByRole('listitem')).toHaveText(['Put away', 'Fresh']);

  // Shared, opened first, found by the palette.
  await page.getByRole('button', { name: 'What to do with Fresh' }).click();
  await page.getByRole('menuitem', { name: 'Rename and share…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('In Europe');
  await page.getByRole('checkbox', { name: 'Shared' }).check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'What to do with In Europe' }).click();
  await page.getByRole('menuitem', { name: 'Open first for all members' }).click();
  await expect(page.getByText('opened first')).toBeVisible();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Issues' }).click();
  await expect(page).toHaveURL(/view=/);
  await expect(box).toHaveValue('is:unresolved region:eu');
  await expect(page.getByText('OrderError')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: /Page, project/ }).fill('put aw');
  await page.keyboard.press('Enter');
  await expect(box).toHaveValue('is:archived');

  // Deleted: the list goes on without it.
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('menuitem', { name: 'Delete…' }).click();
  await page.getByRole('button', { name: 'Delete the view' }).click();
  await expect(tabs.getByRole('link', { name: 'Put away' })).toHaveCount(0);
  await expect(page).not.toHaveURL(/view=/);
});
