import { expect, test } from './fixtures.ts';
import { expectLive, openLive } from './page.ts';

test.use({ serviceWorkers: 'allow' });

interface Manifest {
  readonly display: string;
  readonly start_url: string;
  readonly icons: readonly { readonly src: string; readonly sizes: string; readonly purpose?: string }[];
}

test('can be installed: the manifest is found, and its icons are what it says', async ({ page }) => {
  await page.goto('/');
  const href = await page.locator('link[rel=manifest]').getAttribute('href');
  const response = await page.request.get(new URL(href!, page.url()).href);
  expect(response.headers()['content-type']).toContain('application/manifest+json');
  const manifest = (await response.json()) as Manifest;
  expect(manifest).toMatchObject({ display: 'standalone', start_url: '/' });
  const sizes = await page.evaluate(
    (icons) =>
      Promise.all(
        icons.map(async ({ src }) => {
          const image = new Image();
          image.src = src;
          await image.decode();
          return `${image.naturalWidth}x${image.naturalHeight}`;
        }),
      ),
    manifest.icons.filter(({ sizes }) => sizes !== 'any'),
  );
  expect(sizes).toEqual(['192x192', '512x512', '512x512']);
});

test('is installed from the palette, where the browser offers it and nowhere else', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('status-bar')).toBeVisible();
  const option = page.getByRole('option', { name: 'Install as an app' });
  const look = async () => {
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Instrument or command').fill('install');
  };
  await look();
  await expect(page.getByText('Nothing is called “install”')).toBeVisible();
  // What a browser does that can install it; a headless one cannot.
  const asked = page.evaluate(
    () =>
      new Promise<boolean>((resolve) => {
        const offer = new Event('beforeinstallprompt', { cancelable: true });
        Object.assign(offer, { prompt: () => resolve(offer.defaultPrevented) });
        dispatchEvent(offer);
      }),
  );
  await option.click();
  expect(await asked).toBe(true);
  await look();
  await expect(option).toHaveCount(0);
});

test('opens without a server, says so, and is live when that is back', async ({ page, depthwire }) => {
  await openLive(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(() => caches.keys())).toHaveLength(1);
  const kept = await page.evaluate(async () => {
    const cache = await caches.open((await caches.keys())[0]!);
    return (await cache.keys()).map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toContain('/');
  expect(kept.filter((path) => path.startsWith('/api'))).toEqual([]);
  await depthwire.stop();
  await page.goto('/?instrument=sim:ETH-USD');
  await expect(page.getByRole('alert')).toBeVisible();
  await page.goto('/inspector');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect((await page.goto('/nowhere?at=all'))?.status()).toBe(404);
  await expect(page.getByTestId('error-page')).toContainText('/nowhere');
  await page.goto('/?instrument=sim:ETH-USD');
  await depthwire.start();
  await page
    .getByRole('button', { name: 'Try now' })
    .click({ timeout: 2_000 })
    .catch(() => undefined); // or it did by itself
  await expectLive(page);
});
