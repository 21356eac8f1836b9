import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { expect } from '@playwright/test';
import { expectSound } from '../open.ts';
import { signIn, test } from './server.ts';

// The provider of this test is on this machine.
process.env.VEDETTE_OUTGOING_PRIVATE_NETWORKS = '127.0.0.0/8';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A provider that knows one person, who has to press a button. */
async function provider(): Promise<{ issuer: string; refuse: (on: boolean) => void; stop: () => void }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let refused = false;
  let issuer = '';
  const codes = new Map<string, URLSearchParams>();
  const answer = (path: string, query: URLSearchParams, form: URLSearchParams): [number, string, string] => {
    if (path === '/.well-known/openid-configuration')
      return [
        200,
        'application/json',
        JSON.stringify({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/keys`,
        }),
      ];
    if (path === '/keys')
      return [
        200,
        'application/json',
        JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a', use: 'sig' }] }),
      ];
    if (path === '/authorize') {
      const back = new URLSearchParams({ state: query.get('state') ?? '' });
      if (refused) back.set('error', 'access_denied');
      else {
        const code = String(codes.size + 1);
        codes.set(code, query);
        back.set('code', code);
      }
      const to = `${query.get('redirect_uri')}?${back}`.replaceAll('&', '&amp;');
      return [200, 'text/html', `<title>Provider</title><a href="${to}">Continue as Kim</a>`];
    }
    const asked = codes.get(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (path !== '/token' || asked?.get('code_challenge') !== challenge)
      return [400, 'application/json', '{"error":"invalid_grant"}'];
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: asked.get('client_id'), sub: 'kim', iat: now, exp: now + 60 };
    const person = { nonce: asked.get('nonce'), email: 'kim@example.com', email_verified: true, name: 'Kim' };
    const message = `${part({ alg: 'RS256', kid: 'a' })}.${part({ ...claims, ...person })}`;
    const signature = createSign('sha256').update(message).sign(privateKey, 'base64url');
    return [
      200,
      'application/json',
      JSON.stringify({ access_token: 'x', id_token: `${message}.${signature}` }),
    ];
  };
  const listener = createServer((request, reply) => {
    let body = '';
    request.on('data', (more) => {
      body += more;
    });
    request.on('end', () => {
      const url = new URL(request.url ?? '/', issuer);
      const [status, type, text] = answer(url.pathname, url.searchParams, new URLSearchParams(body));
      reply.writeHead(status, { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  const address = listener.address();
  if (!address || typeof address === 'string') throw new Error('no port');
  issuer = `http://127.0.0.1:${address.port}`;
  return {
    issuer,
    refuse: (on) => {
      refused = on;
    },
    stop: () => listener.close(),
  };
}

test('an owner sets single sign-on up, and somebody comes through it', async ({ page, browser, server }) => {
  const kims = await provider();
  await page.goto(`${server.url}/settings/acme/sign-on/`);
  await signIn(page);
  await page.goto(`${server.url}/settings/acme/sign-on/`);
  await page.getByLabel('Issuer').fill('http://127.0.0.1:1');
  await page.getByRole('button', { name: 'Test' }).click();
  await expect(page.getByRole('status').first()).toContainText('127.0.0.1:1');
  await page.getByLabel('Issuer').fill(kims.issuer);
  await page.getByRole('button', { name: 'Test' }).click();
  await expect(page.getByText('The provider answers: 1 keys')).toBeVisible();
  await page.getByLabel('Client id').fill('vedette');
  await page.getByLabel('Client secret').fill('a secret');
  await page.getByLabel('Whom the provider knows becomes a member').check();
  await page.getByLabel('Require single sign-on').check();
  await page.getByRole('button', { name: 'Turn on single sign-on' }).click();
  await expect(page.getByText('Nobody has come through it yet.')).toBeVisible();
  await expectSound(page);

  // The provider sends browsers back to the address that the server has without the setting `url`.
  const home = server.url.replace('127.0.0.1', 'localhost');
  const kim = await (await browser.newContext()).newPage();
  await kim.goto(`${home}/settings/acme/members/`);
  await kim.getByRole('link', { name: /Sign in with the SSO of/ }).click();
  kims.refuse(true);
  await kim.getByRole('button', { name: 'Continue to the provider' }).click();
  await kim.getByRole('link', { name: 'Continue as Kim' }).click();
  await expect(kim.getByRole('alert')).toContainText('access_denied');
  await expectSound(kim);
  kims.refuse(false);
  await kim.getByRole('link', { name: 'Begin again' }).click();
  await kim.getByLabel('Organization').fill('acme');
  await kim.getByRole('button', { name: 'Continue to the provider' }).click();
  await kim.getByRole('link', { name: 'Continue as Kim' }).click();
  await expect(kim).toHaveURL(/\/organizations\/acme\/issues\//);
  await kim.goto(`${home}/settings/acme/members/`);
  await expect(kim.getByText('Kim (you)')).toBeVisible();

  await page.reload();
  await page.getByRole('button', { name: 'Unlink Kim' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click();
  await expect(page.getByText('Nobody has come through it yet.')).toBeVisible();
  await kim.reload();
  await expect(kim).toHaveURL(/\/login/);
  kims.stop();
});
