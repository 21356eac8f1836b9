import { expect, type Page } from '@playwright/test';
import { expectSound } from '../open.ts';
import { type Server, signIn, test } from './server.ts';
import { fixture, scriptEvent, uploadDebugFile, uploadScripts } from './uploads.ts';

/** Opens the issue of an event. */
async function openEvent(page: Page, server: Server, id: string): Promise<void> {
  await server.stored(id);
  const event = await server.get<{ groupID: string }>(`projects/acme/shop/events/${id}/`);
  await page.goto(`${server.url}/organizations/acme/issues/${event?.groupID}/events/${id}/`);
}

test('a crash shows its lines, registers, threads and images, and what is missing', async ({
  page,
  server,
}) => {
  const dump = fixture('symbols/minidump/crash.dmp');
  const before = await server.crash(dump);
  await server.stored(before);
  await page.goto(server.url);
  await signIn(page);
  // Without debug files: what is missing, and how to upload it.
  await openEvent(page, server, before);
  const notice = page.getByRole('region', { name: 'Frames that were not mapped' });
  await expect(notice).toContainText('The debug file of an image was not uploaded.');
  await expect(notice).toContainText('/tmp/shop/libshop.so · ad5dd93c-b37e-471f-8fa5-410b5a6b4b1c');
  const exception = page.getByRole('region', { name: 'Exception' });
  await expect(exception.getByText('0x7f0f4986b3a0').first()).toBeVisible();
  await expect(exception.getByText('no debug file').first()).toBeVisible();
  const images = page.getByRole('region', { name: 'Images loaded' });
  await expect(images).toContainText(
    '--org acme --project shop --id ad5dd93c-b37e-471f-8fa5-410b5a6b4b1c ./build',
  );
  await expectSound(page);

  await uploadDebugFile(server, 'symbols/elf/libshop.so');
  await uploadDebugFile(server, 'symbols/elf/sources.zip');
  await openEvent(page, server, await server.crash(dump));
  await expect(exception.getByText('shop_checkout')).toBeVisible();
  await expect(exception.getByText('shop.cpp:11')).toBeVisible();
  await expect(exception.getByText('return *a * *b;')).toBeVisible();
  await expect(exception.getByText('cfi').first()).toBeVisible();
  await exception.getByRole('button', { name: 'As sent' }).click();
  await expect(exception.getByText('shop_checkout')).toHaveCount(0);
  await exception.getByRole('button', { name: 'Symbolicated' }).click();

  const threads = page.getByRole('region', { name: 'Threads' });
  await expect(threads.getByRole('combobox')).toHaveText(/#28108 shop – crashed.*#28109 stocktaking/s);
  await expect(threads.getByRole('row', { name: 'rip 0x7f0f4986b3a0' })).toBeVisible();
  await threads.getByRole('combobox').selectOption({ label: '#28109 stocktaking' });
  await expect(threads.getByText(/libc\.so\.6/).first()).toBeVisible();
  await expect(threads.getByRole('row', { name: 'rip 0x7f0f4986b3a0' })).toHaveCount(0);

  const library = images.getByRole('row').filter({ hasText: 'ad5dd93c-b37e-471f-8fa5-410b5a6b4b1c' });
  await expect(library).toContainText('found');
  await expect(library).toContainText('debug information');
  await expect(images).not.toContainText('libgcc_s.so.1');
  await images.getByText('Looked for in 2 places').click();
  await expect(images.getByText('sources.zip')).toBeVisible();
  await expectSound(page);

  // The files are listed, found by their id, downloaded and deleted.
  await page.goto(`${server.url}/settings/acme/projects/shop/debug-files/`);
  const files = page.getByRole('list', { name: 'Debug files' });
  await expect(files.getByRole('listitem')).toHaveCount(2);
  await page.getByLabel('Format').selectOption('ELF');
  await expect(files.getByRole('listitem')).toHaveCount(1);
  await page.getByLabel('Find by name or id').fill('AD5DD93CB37E471F8FA5410B5A6B4B1C');
  await expect(files).toContainText('unwind information');
  await expectSound(page);
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download libshop.so' }).click();
  expect((await download).suggestedFilename()).toBe('libshop.so');
  await page.getByRole('button', { name: 'Delete libshop.so' }).click();
  await page.getByRole('button', { name: 'Delete the file' }).click();
  await expect(page.getByText('No debug file fits')).toBeVisible();
  expect(await server.get<object[]>('projects/acme/shop/files/dsyms/')).toHaveLength(1);
});

test('a minified script shows what its author wrote, and its bundle is looked into and deleted', async ({
  page,
  server,
}) => {
  await uploadScripts(server, 'esbuild', { version: 'shop@1', dist: '7' });
  const mapped = await server.send(scriptEvent('esbuild'));
  await server.stored(mapped);
  await page.goto(server.url);
  await signIn(page);
  await openEvent(page, server, mapped);
  const exception = page.getByRole('region', { name: 'Exception' });
  await expect(exception.getByText('total', { exact: true })).toBeVisible();
  await expect(exception.getByText('../src/cart.ts:6')).toBeVisible();
  await expect(exception.getByText('sum += item.price!.amount;')).toBeVisible();
  await exception.getByRole('button', { name: 'Side by side' }).click();
  await expect(exception.getByText('/static/app.js:1:55')).toBeVisible();
  await page.keyboard.press('m');
  await expect(exception.getByText('t.checkout')).toBeVisible();
  await expect(exception.getByText('../src/cart.ts:6')).toHaveCount(0);
  await page.keyboard.press('m');
  await expect(exception.getByText('../src/cart.ts:6').first()).toBeVisible();
  await expectSound(page);

  // Another build, of which nothing was uploaded: why its frames were not mapped.
  const other = await server.send({ ...scriptEvent('esbuild'), debug_meta: {}, dist: '8' });
  await openEvent(page, server, other);
  await expect(page.getByText('this project does not fetch scripts from the web')).toBeVisible();
  await page.getByRole('button', { name: 'Why was this frame not mapped?' }).click();
  const why = page.getByRole('dialog', { name: 'Why this frame was not mapped' });
  await expect(why.getByText('n /static/app.js:1:55')).toBeVisible();
  await expect(why.getByText('The script has no debug id.')).toBeVisible();
  await expect(why).toContainText('--project shop --release shop@1 --dist 8 ./dist');
  await expectSound(page);
  await page.keyboard.press('Escape');

  await page
    .getByRole('region', { name: 'Frames that were not mapped' })
    .getByText('The command to upload')
    .click();
  await page.getByRole('link', { name: 'Source maps of the project, and the switch for fetching' }).click();
  const bundles = page.getByRole('list', { name: 'Bundles' });
  await expect(bundles.getByRole('listitem')).toHaveCount(1);
  await expect(bundles).toContainText('shop@1 · dist 7');
  await page.getByLabel(/^Find by release/).fill('shop@2');
  await expect(page.getByText('No bundle fits')).toBeVisible();
  await page.getByLabel(/^Find by release/).fill('af3e5a3c-0000-4000-8000-000000000001');
  await bundles.getByRole('link').click();
  const files = page.getByRole('list', { name: 'Files' });
  await expect(files.getByRole('listitem')).toHaveCount(2);
  await expectSound(page);
  const download = page.waitForEvent('download');
  await files.getByRole('link', { name: 'Download ~/static/app.js.map' }).click();
  expect((await download).suggestedFilename()).toBe('app.js.map');
  await page.getByRole('link', { name: 'All bundles' }).click();

  // The switch and the header are kept; what is wrong is said at its field.
  const saved = page.waitForResponse((reply) => reply.request().method() === 'PUT');
  await page.getByRole('checkbox', { name: 'Fetch scripts from the web' }).click();
  await saved;
  await page.getByLabel('Name of the header').fill('X Token');
  await page.getByLabel('Security token').fill('s3cret');
  await page.getByRole('button', { name: 'Save the header' }).click();
  await expect(page.getByRole('alert')).toContainText('letters, digits and -');
  await page.getByLabel('Name of the header').fill('X-Token');
  await page.getByRole('button', { name: 'Save the header' }).click();
  await expect(page.getByRole('button', { name: 'Save the header' })).toBeDisabled();
  await page.reload();
  await expect(page.getByLabel('Name of the header')).toHaveValue('X-Token');
  await expect(page.getByRole('checkbox', { name: 'Fetch scripts from the web' })).toBeChecked();

  await page.getByRole('button', { name: /^Delete the bundle/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete the bundle' }).click();
  await expect(page.getByText('No source map was uploaded yet')).toBeVisible();
  expect(await server.get<object[]>('projects/acme/shop/files/artifact-bundles/')).toHaveLength(0);
});

test('sources of symbols are named, changed and taken away, and public servers are chosen', async ({
  page,
  server,
}) => {
  // A minified script, and nothing to read it by: what to do about it, and no way to process it again.
  const frame = {
    filename: '/assets/index-BfXq3Zk1.js',
    lineno: 1,
    colno: 21733,
    function: 'n',
    in_app: true,
  };
  const values = [{ type: 'TypeError', value: 'n is undefined', stacktrace: { frames: [frame] } }];
  const sent = await server.send({ platform: 'javascript', exception: { values } });
  await page.goto(server.url);
  await signIn(page);
  await openEvent(page, server, sent);
  const hint = page.getByRole('region', { name: 'Minified scripts' });
  await expect(hint).toContainText('look minified');
  await hint.getByRole('button', { name: 'Why were frames not mapped?' }).click();
  await expect(page.getByRole('dialog')).toContainText('Nothing was uploaded to the project yet.');
  await page.keyboard.press('Escape');
  const menu = async (name: RegExp) => {
    await page.getByRole('button', { name: 'More actions' }).click();
    return page.getByRole('menuitem', { name });
  };
  await expect(await menu(/^Process again: nothing was uploaded$/)).toBeDisabled();

  await page.goto(`${server.url}/settings/acme/projects/shop/symbol-sources/`);
  await expect(page.getByText('No source yet')).toBeVisible();
  await page.getByRole('button', { name: 'Add a source' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name', { exact: true }).fill('Ours');
  await dialog.getByLabel('Address').fill('ftp://symbols.example/');
  await dialog.getByLabel('User name (optional)').fill('reader');
  await dialog.getByLabel('Password (optional)').fill('s3cret-word');
  await dialog.getByLabel('Layout').selectOption('SymStore');
  await dialog.getByLabel('Casing').selectOption('Lower case');
  await dialog.getByText('Only for some files').click();
  await dialog.getByRole('checkbox', { name: 'PDB', exact: true }).click();
  await dialog.getByRole('button', { name: 'Add the source' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('Enter a valid URL.');
  await expect(dialog.getByLabel('Address')).toBeFocused();
  await dialog.getByLabel('Address').fill('https://symbols.example/store/');
  await dialog.getByRole('button', { name: 'Add the source' }).click();
  const list = page.getByRole('list', { name: 'Own sources' });
  await expect(list).toContainText('https://symbols.example/store/');
  await expect(list).toContainText('SymStoreLower casePDB');
  await expectSound(page);

  // The password is neither shown nor lost when something else is changed.
  type Kept = { id: string; name: string; password?: object; layout: object; filters: object };
  const kept = async () => (await server.get<Kept[]>('projects/acme/shop/symbol-sources/')) ?? [];
  await page.getByRole('button', { name: 'Change Ours' }).click();
  await expect(dialog.getByLabel('Password (optional)')).toHaveValue('');
  await expect(dialog).toContainText('One is kept and not shown.');
  expect(await page.content()).not.toContain('s3cret-word');
  await dialog.getByLabel('Name', { exact: true }).fill('Symbols of ours');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(list).toContainText('Symbols of ours');
  expect(await kept()).toMatchObject([
    {
      name: 'Symbols of ours',
      password: { 'hidden-secret': true },
      layout: { type: 'symstore', casing: 'lowercase' },
      filters: { filetypes: ['pdb'] },
    },
  ]);
  await page.getByRole('button', { name: 'Change Symbols of ours' }).click();
  await dialog.getByRole('button', { name: 'Take the password away' }).click();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toHaveCount(0);
  expect((await kept())[0]).not.toHaveProperty('password');

  // Now there is something to look up in.
  await openEvent(page, server, sent);
  await (await menu(/^Process again…$/)).click();
  const asked = page.getByRole('dialog', { name: /^Process .* again$/ });
  await asked.getByRole('button', { name: 'Process again' }).click();
  await expect(asked).toContainText('Done: 0 events changed.');
  await page.goto(`${server.url}/settings/acme/projects/shop/symbol-sources/`);

  await page.getByRole('button', { name: 'Remove Symbols of ours' }).click();
  await dialog.getByRole('button', { name: 'Remove the source' }).click();
  await expect(page.getByText('No source yet')).toBeVisible();
  expect(await kept()).toEqual([]);

  const chosen = async () =>
    (await server.get<{ builtinSymbolSources: string[] }>('projects/acme/shop/'))?.builtinSymbolSources;
  expect(await chosen()).toEqual([]);
  const saved = page.waitForResponse((reply) => reply.request().method() === 'PUT');
  await page.getByRole('checkbox', { name: 'Debian' }).click();
  await saved;
  expect(await chosen()).toEqual(['debian']);
  await page.reload();
  await expect(page.getByRole('checkbox', { name: 'Debian' })).toBeChecked();
  await expectSound(page);
});
