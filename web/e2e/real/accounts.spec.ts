import { createHmac } from 'node:crypto';
import { expect, type Page } from '@playwright/test';
import { expectSound } from '../open.ts';
import { signIn, test } from './server.ts';

/** The code of an app (RFC 6238) so many steps from now. */
function code(secret: string, steps = 0): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((one) => alphabet.indexOf(one).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = digest[19] & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** The name under which the server knows itself: browsers keep passkeys for names alone. */
const named = (url: string): string => url.replace('127.0.0.1', 'localhost');

async function leave(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Account and appearance' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page).toHaveURL(/\/login/);
}

test('an app, recovery codes and a passkey guard an account', async ({ page, server }) => {
  const url = named(server.url);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(`${url}/settings/account/security/`);
  await signIn(page);

  // An app: the key is shown, a code of it sets it up, and recovery codes come with it.
  await page.getByRole('button', { name: 'Set up', exact: true }).click();
  const secret = await page.getByRole('dialog').locator('code').innerText();
  await expect(page.getByRole('img', { name: 'QR code of the key' })).toBeVisible();
  await expectSound(page);
  await page.getByLabel('Code that the app shows').fill('000000');
  await page.getByRole('dialog').getByRole('button', { name: 'Set up' }).click();
  await expect(page.getByText('compare the clocks')).toBeVisible();
  await page.getByLabel('Code that the app shows').fill(code(secret));
  await page.getByRole('dialog').getByRole('button', { name: 'Set up' }).click();
  const codes = page.getByRole('status').getByRole('listitem');
  await expect(codes).toHaveCount(10);
  const recovery = await codes.first().innerText();
  await page.screenshot({ path: 'test-results/shots/security-codes.png' });
  await expectSound(page);

  // The password is no longer enough.
  await leave(page);
  await page.getByLabel('Email or user name').fill('ann@example.com');
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Second factor' })).toBeVisible();
  await expectSound(page);
  await page.screenshot({ path: 'test-results/shots/second-factor.png' });
  await page.getByLabel('Code').fill('000000');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('This code is wrong or was used already.')).toBeVisible();
  await page.getByLabel('Code').fill(code(secret, 1));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).not.toHaveURL(/\/login/);
  await page.goto(`${url}/settings/account/security/`);
  await expect(page.getByText('10 are left')).toBeVisible();

  // A passkey signs in by itself.
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByLabel('What to call it').fill('Test key');
  await page.getByRole('button', { name: 'Go on in the browser' }).click();
  await expect(page.getByText('Test key')).toBeVisible();
  await leave(page);
  const answer = page.waitForRequest((request) => request.url().endsWith('/auth/passkey/finish/'));
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page).not.toHaveURL(/\/login/);

  // What the browser answered is good once.
  const body = (await answer).postData() ?? '';
  const again = await page.request.post(`${url}/api/0/auth/passkey/finish/`, {
    data: JSON.parse(body),
    headers: { 'X-Requested-With': 'test' },
  });
  expect(again.status(), await again.text()).toBe(401);

  // A recovery code lets in once; then the factors are removed, and the password is enough.
  await leave(page);
  await page.getByLabel('Email or user name').fill('ann@example.com');
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.keyboard.press('Enter');
  await page.getByLabel('Code').fill(recovery);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).not.toHaveURL(/\/login/);
  await page.goto(`${url}/settings/account/security/`);
  await expect(page.getByText('9 are left')).toBeVisible();
  for (const name of ['Test key', 'the authenticator app']) {
    await page.getByRole('button', { name: 'Remove' }).last().click();
    await expect(page.getByRole('dialog')).toContainText(`Remove ${name}?`);
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    if (name === 'Test key') await expect(page.getByText('Test key')).toHaveCount(0);
  }
  await expect(page.getByText('Come with the first of the factors above.')).toBeVisible();
  await leave(page);
  await signIn(page);
});

test('administrators make accounts and let people register; an organization goes', async ({
  page,
  browser,
  server,
}) => {
  const url = server.url;
  await page.goto(`${url}/settings/server/users/`);
  await signIn(page);
  await page.getByRole('button', { name: 'New account' }).click();
  await page.getByLabel('Email').fill('eve@example.com');
  await page.getByRole('button', { name: 'Make the account' }).click();
  const link = await page.getByRole('status').locator('code').innerText();
  await expectSound(page);
  const other = await (await browser.newContext()).newPage();
  await other.goto(url + new URL(link).pathname);
  await other.getByLabel('New password').fill('a longer horse');
  await other.getByRole('button', { name: 'Set the password' }).click();
  await other.getByLabel('Email or user name').fill('eve@example.com');
  await other.getByLabel('Password', { exact: true }).fill('a longer horse');
  await other.keyboard.press('Enter');
  await expect(other.getByText('No organization is yours yet')).toBeVisible();
  await other.getByLabel('Or make one of your own').fill('Eden');
  await other.getByRole('button', { name: 'Make the organization' }).click();
  await expect(other).toHaveURL(/\/organizations\/eden\/issues\//);

  // Her organization goes again when she has typed its name.
  await other.goto(`${url}/settings/eden/`);
  await other.getByRole('button', { name: 'Remove' }).click();
  const sure = other.getByRole('button', { name: 'Remove the organization' });
  await expect(sure).toBeDisabled();
  await other.getByLabel('Type eden to go on').fill('eden');
  await sure.click();
  await expect(other.getByText('No organization is yours yet')).toBeVisible();

  // Disabled, she is out.
  await page.getByRole('button', { name: 'Actions for eve@example.com' }).click();
  await page.getByRole('menuitem', { name: 'Disable' }).click();
  await expect(page.getByText('disabled', { exact: true })).toBeVisible();
  await other.reload();
  await expect(other).toHaveURL(/\/login/);

  // Registration, switched on.
  await other.goto(`${url}/register`);
  await expect(other.getByText('ask for an invitation')).toBeVisible();
  await page.getByRole('link', { name: 'Options' }).click();
  const saved = page.waitForResponse((reply) => reply.url().endsWith('/internal/options/') && reply.ok());
  await page.getByLabel('Registration').check();
  await saved;
  await other.reload();
  await other.getByLabel('Your name').fill('Cleo');
  await other.getByLabel('Email').fill('cleo@example.com');
  await other.getByLabel('Password').fill('a longer horse');
  await other.getByRole('button', { name: 'Make the account' }).click();
  await expect(other.getByText('No organization is yours yet')).toBeVisible();
});
