import { expect } from '@playwright/test';
import { signIn, test } from './server.ts';

/** What would run, if a page took it for anything but text. */
const HOSTILE = [
  '<img src=x onerror="window.hit=1">',
  '<script>window.hit=1</script>',
  '"><svg onload=window.hit=1>',
  'javascript:window.hit=1',
  '</title><iframe srcdoc="<script>parent.hit=1</script>">',
  '\u202egnp.exe \u001b[31mred',
  '{{constructor.constructor("window.hit=1")()}}',
];

/** An event in which every text is hostile. */
function hostile(n: number): object {
  const text = (where: string): string => `${HOSTILE[n % HOSTILE.length]} ${where}`;
  const frame = {
    function: text('function'),
    module: text('module'),
    filename: text('filename'),
    abs_path: text('abs_path'),
    lineno: 7,
    in_app: true,
    pre_context: [text('pre')],
    context_line: text('line'),
    post_context: [text('post')],
    vars: { [text('name')]: text('var'), nested: { [text('key')]: [text('item')] } },
    package: text('package'),
  };
  return {
    platform: 'javascript',
    level: 'error',
    message: text('message'),
    logger: text('logger'),
    transaction: text('transaction'),
    server_name: text('server'),
    release: 'javascript:window.hit=1',
    dist: 'd<b>',
    environment: 'e<b>',
    fingerprint: [`hostile ${n}`],
    exception: {
      values: [
        {
          type: text('type'),
          value: text('value'),
          mechanism: { type: text('mechanism'), handled: false, help_link: 'javascript:window.hit=1' },
          stacktrace: { frames: [frame, { ...frame, in_app: false }] },
        },
      ],
    },
    user: {
      id: text('id'),
      email: text('email'),
      username: text('user'),
      ip_address: '203.0.113.7',
      link: text('data'),
    },
    tags: { region: text('tag'), link: 'javascript:window.hit=1', url: 'javascript:window.hit=1' },
    extra: { [text('extra')]: text('extra value'), link: 'javascript:window.hit=1' },
    contexts: {
      [`c${n}`]: { [text('context')]: text('context value'), url: 'javascript:window.hit=1' },
      os: { name: text('os'), version: text('version') },
      browser: { name: text('browser') },
    },
    breadcrumbs: {
      values: [
        {
          category: text('category'),
          message: text('crumb'),
          type: 'navigation',
          data: { to: 'javascript:window.hit=1' },
        },
        { category: 'http', type: 'http', data: { url: 'javascript:window.hit=1', method: text('method') } },
      ],
    },
    request: {
      url: 'javascript:window.hit=1',
      method: text('method'),
      query_string: text('query'),
      cookies: text('cookies'),
      headers: { 'X-Header': text('header'), Referer: 'javascript:window.hit=1' },
      data: text('body'),
      env: { [text('env')]: text('env value') },
    },
    sdk: {
      name: text('sdk'),
      version: text('sdk version'),
      packages: [{ name: text('package'), version: '1' }],
    },
    modules: { [text('module')]: text('module version') },
  };
}

test('what an event says is shown as text and never runs', async ({ page, server }) => {
  const dialogs: string[] = [];
  const asked: string[] = [];
  const broken: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('pageerror', (e) => broken.push(String(e)));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) asked.push(request.url());
  });
  const inert = async (where: string): Promise<void> => {
    const found = await page.evaluate(() => ({
      hit: 'hit' in window,
      frames: document.querySelectorAll('iframe, object, embed, svg[onload], img[onerror]').length,
      // Links and sources that would run something.
      links: [...document.querySelectorAll('[href], [src], [action], [formaction]')]
        .flatMap((element) =>
          ['href', 'src', 'action', 'formaction'].map((name) => element.getAttribute(name) ?? ''),
        )
        .filter((value) => /^\s*(javascript|data|vbscript):/i.test(value)),
      handlers: [...document.querySelectorAll('*')].filter((element) =>
        [...element.attributes].some((one) => one.name.startsWith('on')),
      ).length,
    }));
    expect(found, where).toEqual({ hit: false, frames: 0, links: [], handlers: 0 });
    expect({ dialogs, asked, broken }, where).toEqual({ dialogs: [], asked: [], broken: [] });
  };
  const ids: string[] = [];
  for (let n = 0; n < HOSTILE.length; n++) ids.push(await server.send(hostile(n)));
  for (const id of ids) await server.stored(id);

  await page.goto(`${server.url}/organizations/acme/issues/`);
  await signIn(page);
  await expect(page.getByRole('grid')).toContainText('onerror');
  await inert('stream');
  const box = page.getByRole('combobox', { name: 'Search issues' });
  await box.fill('region:');
  await expect(page.getByRole('option').first()).toContainText('window.hit');
  await inert('suggestions');

  for (const id of ids) {
    const issue = await server.get<{ groupID: string }>(`projects/acme/shop/events/${id}/`);
    await page.goto(`${server.url}/organizations/acme/issues/${issue?.groupID}/events/${id}/`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByText('X-Header')).toBeVisible();
    // Everything that is folded is opened.
    for (const summary of await page.locator('summary, main [aria-expanded=false]').all())
      await summary.click({ timeout: 2000 }).catch(() => undefined);
    await page.keyboard.press('Escape');
    await inert(`issue of ${id}`);
  }
});
