import { expect, test } from './fixtures.ts';
import { watchForTrouble } from './page.ts';

test('the page of the REST API tries a request, by the same policy as every page', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  const answer = await page.goto('/api/docs');
  const policy = answer!.headers()['content-security-policy']!;
  const dashboard = (await page.request.get('/')).headers()['content-security-policy']!;
  expect(policy).toBe(dashboard);
  expect(policy).not.toMatch(/script-src[^;]*'unsafe/);

  await expect(page.getByRole('heading', { name: /Depthwire REST API/ })).toBeVisible();
  const operation = page.locator('.opblock', { hasText: 'The order book now' });
  await operation.getByRole('button', { name: /book/ }).first().click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await operation.getByPlaceholder('id').fill('sim:BTC-USD');
  await operation.getByPlaceholder('depth').fill('3');
  await operation.getByRole('button', { name: 'Execute' }).click();
  const body = operation.locator('.live-responses-table tbody .response-col_description').first();
  await expect(body).toContainText('"instrument": "sim:BTC-USD"');
  await expect(body).toContainText('etag: W/');
  expect(trouble).toEqual([]);
});
