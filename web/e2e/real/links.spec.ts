import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { error, signIn, test } from './server.ts';

test('commits, lines of code and links of an issue', async ({ page, server }) => {
  await server.post('organizations/acme/repos/', {
    name: 'acme/shop',
    provider: 'github',
    url: 'https://github.com/acme/shop',
  });
  await server.post('organizations/acme/code-mappings/bulk/', {
    project: 'shop',
    repository: 'acme/shop',
    provider: 'github',
    defaultBranch: 'main',
    mappings: [{ stackRoot: 'shop/', sourceRoot: 'src/shop/' }],
  });
  const id = 'c0ffee'.repeat(6);
  await server.post('organizations/acme/releases/', {
    version: 'shop@1.4.2',
    projects: ['shop'],
    commits: [
      {
        id,
        repository: 'acme/shop',
        author_email: 'jo@example.com',
        author_name: 'Jo Smith',
        message: 'Count the stock anew\n\nAll of it.',
        patch_set: [{ path: 'src/shop/cart.py', type: 'M' }],
      },
    ],
  });
  await server.stored(await server.send(error('order 1 failed')));
  await page.goto(`${server.url}/organizations/acme/issues/SHOP-1/`);
  await signIn(page);

  const suspects = page.getByRole('region', { name: 'Suspect commits' });
  await expect(suspects).toContainText('Jo Smith');
  await expect(suspects.getByRole('link', { name: 'Count the stock anew' })).toHaveAttribute(
    'href',
    `https://github.com/acme/shop/commit/${id}`,
  );
  await expect(page.getByRole('link', { name: 'Open in GitHub' })).toHaveAttribute(
    'href',
    'https://github.com/acme/shop/blob/main/src/shop/cart.py#L42',
  );

  const links = page.getByRole('region', { name: 'Links' });
  await links.getByRole('button', { name: 'Add' }).click();
  await expectSound(page);
  await links.getByLabel('Address').fill('https://github.com/acme/shop/issues/7');
  await links.getByRole('button', { name: 'Add the link' }).click();
  const link = links.getByRole('link', { name: 'acme/shop#7' });
  await expect(link).toHaveAttribute('href', 'https://github.com/acme/shop/issues/7');
  // The same twice is refused, and said at its field.
  await links.getByRole('button', { name: 'Add', exact: true }).click();
  await links.getByLabel('Address').fill('https://github.com/acme/shop/issues/7');
  await links.getByRole('button', { name: 'Add the link' }).click();
  await expect(links.getByRole('alert')).toContainText('already');
  await links.getByRole('button', { name: 'Cancel' }).click();
  await page.reload();
  await expect(page.getByText('linked acme/shop#7')).toBeVisible();
  await expectSound(page);
  await links.getByRole('button', { name: 'Remove the link to acme/shop#7' }).click();
  await expect(link).toHaveCount(0);
});
