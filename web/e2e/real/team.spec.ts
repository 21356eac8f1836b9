import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { error, signIn, test } from './server.ts';

test('a team: invitation, teams, tokens, audit log, releases and stats', async ({
  page,
  browser,
  server,
}) => {
  await page.goto(`${server.url}/settings/acme/members/`);
  await signIn(page);
  await page.goto(`${server.url}/settings/acme/members/`);
  await page.getByRole('button', { name: 'Invite' }).click();
  await page.getByLabel('Email').fill('bob@example.com');
  await page.getByRole('dialog').getByRole('button', { name: 'Invite' }).click();
  const link = await page.getByRole('status').locator('code').innerText();
  expect(link).toContain('/accept/acme/');
  await expect(page.getByText('invited', { exact: true })).toBeVisible();
  await expectSound(page);

  // Who has the link makes an account and is inside.
  const other = await (await browser.newContext()).newPage();
  await other.goto(server.url + new URL(link).pathname);
  await expect(other.getByText('bob@example.com')).toBeVisible();
  await other.getByLabel('Your name').fill('Bob');
  await other.getByLabel('Password').fill('short');
  await other.getByLabel('Password').fill('a longer horse');
  await other.getByRole('button', { name: 'Make the account and join' }).click();
  await expect(other).toHaveURL(/\/organizations\/acme\/issues\//);
  await other.goto(`${server.url}/settings/acme/members/`);
  await expect(other.getByText('Bob (you)')).toBeVisible();
  await expect(other.getByRole('button', { name: 'Invite' })).toHaveCount(0);
  await page.reload();
  await expect(page.getByText('invited', { exact: true })).toHaveCount(0);

  // A team of its own.
  await page.getByRole('link', { name: 'Teams' }).click();
  await page.getByRole('button', { name: 'New team' }).click();
  await page.getByLabel('Name').fill('Payments');
  await page.getByRole('button', { name: 'Make the team' }).click();
  await page.getByRole('link', { name: '#payments' }).click();
  await page.getByLabel('Add a member').selectOption({ label: 'Bob' });
  await expect(page.getByRole('button', { name: 'Take Bob out of the team' })).toBeVisible();
  await page.getByLabel('Add a project').selectOption('shop');
  await expect(page.getByRole('button', { name: 'Take shop from the team' })).toBeVisible();
  await expectSound(page);

  // A token, shown once.
  await page.getByRole('link', { name: 'Tokens' }).click();
  await page.getByLabel('Name of the token').fill('build');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await expect(page.getByRole('status').locator('code')).toContainText('sntrys_');
  await page.reload();
  await expect(page.getByText('sntrys_')).toHaveCount(0);
  await page.getByRole('link', { name: 'Audit log' }).click();
  for (const event of ['member.invite', 'team.create'])
    await expect(page.getByText(event, { exact: true }).first()).toBeVisible();
  await expectSound(page);

  // A release that an event names, its new issue, and what became of what was sent.
  await server.stored(await server.send({ ...error('order 1 failed'), release: 'shop@1.0.0' }));
  await page.getByRole('link', { name: 'Releases' }).click();
  await page.getByRole('link', { name: 'shop@1.0.0' }).click();
  await expect(page.getByRole('region', { name: 'New issues' }).getByText('OrderError')).toBeVisible();
  await page.getByRole('button', { name: 'Archive' }).click();
  await expect(page.getByRole('button', { name: 'Make active' })).toBeVisible();
  await expectSound(page);
  await page.getByRole('link', { name: 'Stats' }).click();
  await expect(page.getByRole('heading', { name: 'Accepted' })).toBeVisible();
  await expectSound(page);

  // Mails about new issues, switched off.
  await page.goto(`${server.url}/settings/account/notifications/`);
  const wanted = page.getByLabel('New issues of every project');
  await expect(wanted).toBeChecked();
  const saved = page.waitForResponse((reply) => reply.url().endsWith('/users/me/notifications/'));
  await wanted.uncheck();
  await saved;
  await page.reload();
  await expect(page.getByLabel('New issues of every project')).not.toBeChecked();
});
