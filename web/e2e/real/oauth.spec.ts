import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { signIn, test } from './server.ts';

/** An application that waits for the answer at an address of its own. */
async function application(): Promise<{ address: string; answer: Promise<URL>; stop: () => void }> {
  let came: (url: URL) => void = () => undefined;
  const answer = new Promise<URL>((done) => {
    came = done;
  });
  const listener = createServer((request, reply) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (url.pathname === '/callback') came(url);
    reply.setHeader('content-type', 'text/html');
    reply.end('<title>Back</title>back at the application');
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  const address = listener.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  return { address: `http://127.0.0.1:${address.port}/callback`, answer, stop: () => listener.close() };
}

test('an application is registered, allowed, acts, and is taken back', async ({ page, server }) => {
  const app = await application();
  await page.goto(`${server.url}/settings/account/applications/`);
  await signIn(page);
  await page.goto(`${server.url}/settings/account/applications/`);
  await page.getByRole('button', { name: 'Register an application' }).click();
  await page.getByLabel('Name').fill('Dashboard');
  await page.getByLabel('Redirect addresses').fill('javascript:alert(1)');
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await expect(page.getByText('is no address that answers may be sent to')).toBeVisible();
  await expectSound(page);
  await page.getByLabel('Redirect addresses').fill(app.address);
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  const secret = await page.getByRole('status').locator('code').innerText();
  const client = await page
    .getByRole('listitem')
    .filter({ hasText: 'Dashboard' })
    .locator('.font-mono')
    .innerText();
  await expectSound(page);

  // It sends the browser to the question, which survives a sign-in.
  const verifier = randomBytes(32).toString('base64url');
  const question = new URLSearchParams({
    client_id: client,
    redirect_uri: app.address,
    response_type: 'code',
    scope: 'org:read project:read',
    state: 'a b&1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  await page.context().clearCookies();
  await page.goto(`${server.url}/oauth/authorize/?${question}`);
  await signIn(page);
  await expect(page.getByRole('heading', { name: 'Allow Dashboard to act as you?' })).toBeVisible();
  await expect(page.getByText('project:read')).toBeVisible();
  await expectSound(page);
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  const back = await app.answer;
  expect(back.searchParams.get('state')).toBe('a b&1');
  await expect(page.getByText('back at the application')).toBeVisible();

  const token = await fetch(`${server.url}/oauth/token/`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      redirect_uri: app.address,
      code_verifier: verifier,
      client_id: client,
      client_secret: secret,
    }),
  });
  expect(token.status).toBe(200);
  const { access_token } = (await token.json()) as { access_token: string };
  const ask = async (): Promise<number> =>
    (
      await fetch(`${server.url}/api/0/organizations/acme/projects/`, {
        headers: { Authorization: `Bearer ${access_token}` },
      })
    ).status;
  expect(await ask()).toBe(200);

  // Taken back, it acts no more.
  await page.goto(`${server.url}/settings/account/applications/`);
  await expect(page.getByText(secret)).toHaveCount(0);
  await page.getByRole('button', { name: 'Take back' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take back' }).click();
  await expect(page.getByText('No application acts in your name.')).toBeVisible();
  expect(await ask()).toBe(401);
  app.stop();
});

test('an integration gets a token, and loses it', async ({ page, server }) => {
  await page.goto(`${server.url}/settings/acme/integrations/`);
  await signIn(page);
  await page.goto(`${server.url}/settings/acme/integrations/`);
  await page.getByRole('button', { name: 'New integration' }).click();
  await page.getByLabel('Name').fill('Nightly');
  await page.getByLabel('event:read').uncheck();
  await page.getByRole('button', { name: 'Make the integration' }).click();
  await expect(page.getByText('org:read, project:read')).toBeVisible();
  await page.getByRole('button', { name: 'Tokens of Nightly' }).click();
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = await page.getByRole('status').locator('code').innerText();
  const ask = async (path: string): Promise<number> =>
    (await fetch(`${server.url}/api/0/${path}`, { headers: { Authorization: `Bearer ${token}` } })).status;
  expect(await ask('organizations/acme/projects/')).toBe(200);
  expect(await ask('organizations/acme/issues/')).toBe(403);
  await expectSound(page);
  await page.getByRole('button', { name: 'Withdraw the token' }).click();
  await expect(page.getByText('None yet.')).toBeVisible();
  expect(await ask('organizations/acme/projects/')).toBe(401);
});
