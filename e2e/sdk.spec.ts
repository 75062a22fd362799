import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, test } from './fixtures.ts';

// examples/browser as somebody copies it: on a site of another origin, with the module that the server serves.

const page = readFileSync(path.join(import.meta.dirname, '../examples/browser/index.html'));
const site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(page));

test.beforeAll(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
});
test.afterAll(() => site.close());

test.use({ serverArgs: ['--config', path.join(import.meta.dirname, 'public.yaml')] });

const origin = () => `http://127.0.0.1:${(site.address() as AddressInfo).port}`;

test('a page of another origin shows a live price with the SDK that the server serves', async ({
  page,
  depthwire,
}) => {
  await depthwire.stop();
  process.env.DEPTHWIRE_ALLOWED_ORIGINS = origin();
  try {
    await depthwire.start();
  } finally {
    delete process.env.DEPTHWIRE_ALLOWED_ORIGINS;
  }
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${origin()}/?server=${depthwire.url}`);
  await expect(page.locator('#state')).toHaveText('live');
  await expect(page.locator('#price')).toHaveText(/^\d+\.\d\d \| \d+\.\d\d$/);
  const before = await page.locator('#price').innerText();
  await expect(page.locator('#price')).not.toHaveText(before);
  expect(errors).toEqual([]);
});

test('a page that is not allowed gets the module, and no data', async ({ page, depthwire }) => {
  const warnings: string[] = [];
  page.on('console', (message) => warnings.push(message.text()));
  await page.goto(`${origin()}/?server=${depthwire.url}`);
  await expect
    .poll(() => warnings.filter((text) => text.includes('connection_lost')).length)
    .toBeGreaterThan(0);
  await expect(page.locator('#state')).toHaveText('connecting');
});
