import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { error, signIn, test } from './server.ts';

test('what a project leaves out is chosen, acts and is counted', async ({ page, server }) => {
  await page.goto(`${server.url}/settings/acme/projects/shop/`);
  await signIn(page);
  await page.getByRole('link', { name: 'Filters' }).click();
  const saved = page.waitForResponse((reply) => reply.url().endsWith('/filters/localhost/'));
  await page.getByRole('checkbox', { name: 'Localhost' }).check();
  await saved;
  await page.getByRole('checkbox', { name: 'Internet Explorer' }).check();
  // A line that is wrong is said at its field, and nothing is saved.
  const addresses = page.getByLabel('Addresses');
  await addresses.fill('10.0.0.0/33');
  await page.getByLabel('Releases').fill('shop@0.*');
  await page.getByRole('button', { name: 'Save the lists' }).click();
  await expect(page.getByRole('alert')).toContainText("'10.0.0.0/33' is neither");
  await expectSound(page);
  await addresses.fill('203.0.113.0/24');
  await page.getByRole('button', { name: 'Save the lists' }).click();
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('Releases')).toHaveValue('shop@0.*');
  await expect(page.getByRole('checkbox', { name: 'Internet Explorer' })).toBeChecked();
  await expect(page.getByRole('checkbox', { name: 'Robots' })).not.toBeChecked();

  await server.send(error('too old', { release: 'shop@0.9.0' }));
  await server.send(error('at home', { request: { url: 'http://localhost:3000/cart' } }));
  await server.stored(await server.send(error('kept')));
  await page.getByRole('link', { name: 'What was left out' }).click();
  await expect(page.getByText('Its release is left out')).toBeVisible();
  await expect(page.getByText("A developer's own machine")).toBeVisible();
});
