import { fileURLToPath } from 'node:url';
import { expect, test } from './fixtures.ts';

/** Of access.yaml, which holds its hash. */
const KEY = 'dw_sk_of-this-test-alone-and-of-no-server-anywhere000';

test.use({ serverArgs: ['--config', fileURLToPath(new URL('access.yaml', import.meta.url))] });

test('a server that wants a key is asked for one, and keeps it over a reload', async ({
  page,
  depthwire,
}) => {
  await page.goto(depthwire.url);
  const dialog = page.getByTestId('key-dialog');
  await expect(dialog).toBeVisible();
  await expect(dialog).toContainText('This server asks for a key');
  await dialog.getByLabel('Key or token').fill('dw_sk_wrong');
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(dialog.getByRole('alert')).toContainText('The server did not take it. token: no such key');

  await dialog.getByLabel('Key or token').fill(KEY);
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'open');
  await expect(page.getByTestId('watch-row').first()).toBeVisible();

  await page.reload();
  await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'open');
  await expect(dialog).toBeHidden();
  expect(page.url()).not.toContain('dw_sk_');
  expect(depthwire.log.join('\n')).not.toContain(KEY);
});
