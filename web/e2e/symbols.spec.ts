import { expect, type Page, test } from '@playwright/test';
import { expectSound, mock } from './open.ts';

const ISSUES = '/organizations/vedette/issues';

for (const width of [1440, 390]) {
  const open = async (page: Page, issue: string): Promise<(name: string) => Promise<void>> => {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    await mock(page, 'full');
    await page.goto(`${ISSUES}/${issue}/`);
    return async (name) => {
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await page.screenshot({ path: `test-results/shots/${name}-${theme}-${width}.png` });
        await expectSound(page, theme === 'light' ? undefined : 'colours');
      }
    };
  };

  test(`why frames were not mapped, ${width}`, async ({ page }) => {
    const shot = await open(page, 'UNMAPPED');
    await page.getByRole('button', { name: 'Why were frames not mapped?' }).click();
    const why = page.getByRole('dialog', { name: 'Why frames were not mapped' });
    await expect(why.getByText('No source map with this id was uploaded.').first()).toBeVisible();
    await shot('why');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Why was this frame not mapped?' }).click();
    const one = page.getByRole('dialog', { name: 'Why this frame was not mapped' });
    await expect(one.getByText('not mapped', { exact: true })).toHaveCount(1);
  });

  test(`frames as sent and as mapped, ${width}`, async ({ page }) => {
    const shot = await open(page, 'SCRIPT');
    const exception = page.getByRole('region', { name: 'Exception' });
    await expect(exception.getByText('total', { exact: true })).toBeVisible();
    const beside = exception.getByRole('button', { name: 'Side by side' });
    await expect(beside).toBeVisible({ visible: width === 1440 });
    if (width === 1440) {
      await beside.click();
      await expect(exception.getByText(/\{snip\}/).first()).toBeVisible();
      await exception.scrollIntoViewIfNeeded();
      await shot('beside');
    }
    // The key and the button are one switch, and it is remembered.
    await page.keyboard.press('m');
    await expect(exception.getByText('t.checkout')).toBeVisible();
    await page.reload();
    await expect(exception.getByRole('button', { name: 'Minified' })).toHaveAttribute('aria-pressed', 'true');
    await exception.getByRole('button', { name: 'Original' }).click();
    await expect(exception.getByText('Shop.checkout')).toBeVisible();
  });

  test(`threads and images of a crash, ${width}`, async ({ page }) => {
    const shot = await open(page, 'CRASH');
    const threads = page.getByRole('region', { name: 'Threads' });
    await expect(threads.getByText('Its stack trace is that of the exception, above.')).toBeVisible();
    await expect(threads.getByRole('rowheader', { name: 'rip', exact: true })).toBeVisible();
    await threads.scrollIntoViewIfNeeded();
    await shot('threads');
    await threads.getByRole('combobox').selectOption({ label: '#28109 stocktaking' });
    await expect(threads.getByRole('list', { name: 'Frames' })).toBeVisible();
    const images = page.getByRole('region', { name: 'Images loaded' });
    await images.getByRole('button', { name: /Show 3 images/ }).click();
    await images.scrollIntoViewIfNeeded();
    await shot('images');
    await images.getByRole('searchbox').fill('ad5dd93c');
    await expect(images.getByText('libgcc_s.so.1')).toHaveCount(0);
    await expect(images.getByRole('row').filter({ hasText: 'libshop.so' }).first()).toBeVisible();
  });

  test(`a source is added and changed, ${width}`, async ({ page }) => {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    const mocked = await mock(page, 'full');
    await page.goto('/settings/vedette/projects/my-project/symbol-sources/');
    const shot = async (name: string): Promise<void> => {
      for (const theme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: theme });
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await page.screenshot({ path: `test-results/shots/${name}-${theme}-${width}.png` });
        await expectSound(page, theme === 'light' ? undefined : 'colours');
      }
    };
    await page.getByRole('button', { name: 'Change Symbols of our builds' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByLabel('Type')).toBeDisabled();
    await expect(dialog.getByLabel('Password (optional)')).toHaveValue('');
    await expect(dialog.getByRole('checkbox', { name: 'PDB', exact: true })).toBeChecked();
    await shot('source-change');
    // What was not touched is not sent: the password stays. Taken away, it is sent as nothing.
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toHaveCount(0);
    const [method, path, body] = (mocked.changes.at(-1) ?? '').split(/ (?=\w+s\/|\{)/);
    expect([method, path]).toEqual(['PUT', 'projects/vedette/my-project/symbol-sources/?id=ours']);
    expect(JSON.parse(body)).toEqual({
      type: 'http',
      name: 'Symbols of our builds',
      url: 'https://symbols.example.com/store/',
      username: 'reader',
      layout: { type: 'symstore', casing: 'lowercase' },
      filters: {
        filetypes: ['pe', 'pdb'],
        path_patterns: ['*ffmpeg*', 'C:\\Games\\*'],
        requires_checksum: false,
      },
    });
    await page.getByRole('button', { name: 'Change Symbols of our builds' }).click();
    await dialog.getByRole('button', { name: 'Take the password away' }).click();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog).toHaveCount(0);
    expect(mocked.changes.at(-1)).toContain('"password":null');

    await page.getByRole('button', { name: 'Add a source' }).click();
    await dialog.getByLabel('Type').selectOption('s3');
    await dialog.getByLabel('Name').fill('Builds');
    await dialog.getByLabel('Bucket').fill('symbols');
    await dialog.getByLabel('Region').fill('us-east-1');
    await dialog.getByLabel('Endpoint (optional)').fill('https://minio.example.com');
    await dialog.getByLabel('Access key id').fill('AK');
    await dialog.getByLabel('Secret access key').fill('SK');
    await shot('source-s3');
    await dialog.getByRole('button', { name: 'Add the source' }).click();
    await expect(dialog).toHaveCount(0);
    const sent = JSON.parse(mocked.changes.at(-1)?.replace(/^[^{]*/, '') ?? '{}');
    expect(sent).toMatchObject({
      type: 's3',
      bucket: 'symbols',
      prefix: null,
      region: 'us-east-1',
      url: 'https://minio.example.com',
      access_key: 'AK',
      secret_key: 'SK',
      layout: { type: 'native', casing: 'default' },
    });
    expect(sent).not.toHaveProperty('username');

    await page.getByRole('button', { name: 'Add a source' }).click();
    await dialog.getByLabel('Type').selectOption('gcs');
    await expect(dialog.getByLabel('Private key')).toBeVisible();
    await shot('source-gcs');
    await page.keyboard.press('Escape');
    await page.getByRole('checkbox', { name: 'Mozilla' }).click();
    await expect
      .poll(() => mocked.changes.at(-1))
      .toBe('PUT projects/vedette/my-project/ {"builtinSymbolSources":["microsoft","debian","mozilla"]}');
  });

  test(`who may not change a project only sees its sources, ${width}`, async ({ page }) => {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    await mock(page, 'full');
    await page.route('**/api/0/projects/vedette/my-project/', (route) =>
      route.fulfill({ json: { id: '1', slug: 'my-project', name: 'My Project', access: ['project:read'] } }),
    );
    await page.goto('/settings/vedette/projects/my-project/symbol-sources/');
    await expect(page.getByText('You can see this and not change it.')).toBeVisible();
    await expect(page.getByRole('list', { name: 'Own sources' }).getByRole('listitem')).toHaveCount(3);
    await expect(page.getByRole('button', { name: /Add a source|^Change|^Remove/ })).toHaveCount(0);
    await expect(page.getByRole('checkbox', { name: 'Mozilla' })).toBeDisabled();
    await expectSound(page);
  });

  test(`minified scripts are told of until nobody wants to hear it, ${width}`, async ({ page }) => {
    const shot = await open(page, 'MINIFIED');
    const hint = page.getByRole('region', { name: 'Minified scripts' });
    await hint.getByText('The command to upload').click();
    await expect(hint).toContainText('sourcemaps upload --org vedette --project my-project');
    await hint.scrollIntoViewIfNeeded();
    await shot('minified');
    await hint.getByRole('button', { name: 'Do not say this again for my-project' }).click();
    await expect(hint).toHaveCount(0);
    await page.reload();
    await expect(page.getByRole('region', { name: 'Exception' })).toBeVisible();
    await expect(hint).toHaveCount(0);
    // What was looked up tells more itself.
    await page.goto(`${ISSUES}/UNMAPPED/`);
    await expect(page.getByRole('region', { name: 'Frames that were not mapped' })).toBeVisible();
  });

  test(`an issue is processed again from its menu, ${width}`, async ({ page }) => {
    const shot = await open(page, 'MY-PROJECT-5');
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Process again…' }).click();
    const dialog = page.getByRole('dialog', { name: /^Process .* again$/ });
    await expect(dialog.getByRole('button', { name: 'Process again' })).toBeVisible();
    await shot('again');
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await page.keyboard.press('Shift+m');
    await expect(dialog).toBeVisible();
  });
}
