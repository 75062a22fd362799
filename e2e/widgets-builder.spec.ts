import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive, watchForTrouble } from './page.ts';

/** For what takes more than a moment on a busy machine. */
const PATIENT = { timeout: 15_000 };

/** A site that has nothing to do with Depthwire: files, and headers where they have some. */
class Site {
  readonly #server: Server;
  readonly files = new Map<string, { readonly html: string; readonly headers?: Record<string, string> }>();

  constructor() {
    this.#server = createServer(({ url }, response) => {
      const file = this.files.get(url!);
      response.writeHead(file ? 200 : 404, { 'content-type': 'text/html', ...file?.headers });
      response.end(file?.html);
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

let site: Site;

test.beforeAll(async () => {
  site = new Site();
  await site.start();
});

test.afterAll(() => site.stop());

const preview = (page: Page) => page.getByRole('region', { name: 'Preview' });
const codeOf = (page: Page, label: string) =>
  page.locator('figure').filter({ hasText: label }).locator('code');
/** A live widget says where its data comes from. */
const isLive = (element: Locator) =>
  expect(element.locator('.frame')).toHaveAttribute('data-state', 'live', PATIENT);

async function copied(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name, exact: true }).click();
  await expect(page.getByText('Copied', { exact: true })).toBeVisible();
  return page.evaluate(() => navigator.clipboard.readText());
}

test('a widget is put together, seen live, and lives in a page of another site by the code that was copied', async ({
  page,
  context,
  depthwire,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const trouble = watchForTrouble(page, () => depthwire.url);
  await page.goto('/widgets');
  await expect(page).toHaveTitle('Widgets · Depthwire');
  // What is seen first needs no choice.
  await isLive(preview(page).locator('depthwire-depth'));

  await page.getByRole('radio', { name: 'Ticker', exact: true }).check({ force: true });
  const ticker = preview(page).locator('depthwire-ticker');
  await isLive(ticker);
  await expect(ticker.locator('[part=name]')).toContainText('BTC');

  const instrument = page.getByRole('combobox', { name: 'instrument' });
  await instrument.fill('ether');
  await page.keyboard.press('Enter');
  await expect(instrument).toHaveValue('sim:ETH-USD');
  await expect(ticker.locator('[part=name]')).toContainText('ETH');
  await page.getByLabel('label', { exact: true }).fill('A "B" <C>');
  await expect(ticker.locator('[part=name]')).toHaveText('A "B" <C>');
  const look = page.getByRole('radiogroup', { name: 'theme' });
  await look.getByText('dark').click();
  await expect(ticker).toHaveAttribute('theme', 'dark');
  await page.getByRole('checkbox', { name: 'spread' }).check();
  await expect(ticker.locator('[part=spread]')).toHaveText(/\d/);
  await page.getByText('Colours and sizes').click();
  await page.getByLabel('up', { exact: true }).last().fill('#123456');

  const lines = await copied(page, 'Copy: HTML');
  const className = /class="(dw-[0-9a-f]{8})"/.exec(lines)![1]!;
  expect(lines.split('\n')).toEqual([
    `<script type="module" src="${depthwire.url}/widgets.js"></script>`,
    `<style>.${className} { height: 80px; --depthwire-up: #123456 }</style>`,
    `<depthwire-ticker class="${className}" instrument="sim:ETH-USD" label="A &quot;B&quot; &lt;C>" fields="bid ask volume spread" theme="dark"></depthwire-ticker>`,
  ]);
  await page.getByText('Frame', { exact: true }).click();
  const frame = await copied(page, 'Copy: HTML');
  expect(trouble).toEqual([]);

  // The address has all of it.
  await expect(page).toHaveURL(/way=frame/);
  await page.reload();
  await isLive(ticker);
  await expect(ticker.locator('[part=name]')).toHaveText('A "B" <C>');
  await expect(codeOf(page, 'HTML')).toHaveText(frame);

  site.files.set('/plain.html', { html: `<!doctype html><title>Plain</title>${lines}` });
  site.files.set('/framed.html', { html: `<!doctype html><title>Framed</title>${frame}` });
  const elsewhere = await context.newPage();
  await elsewhere.goto(`${site.url}/plain.html`);
  const embedded = elsewhere.locator('depthwire-ticker');
  await isLive(embedded);
  await expect(embedded.locator('[part=name]')).toHaveText('A "B" <C>');
  expect((await embedded.boundingBox())!.height).toBe(80);
  await elsewhere.goto(`${site.url}/framed.html`);
  const framed = elsewhere.frameLocator('iframe').locator('depthwire-ticker');
  await isLive(framed);
  await expect(framed.locator('[part=name]')).toHaveText('A "B" <C>');
  expect(await framed.evaluate((element) => element.style.getPropertyValue('--depthwire-up'))).toBe(
    '#123456',
  );
});

test('the policy that is shown is enough for a page, with the version that is held against its hash', async ({
  page,
  depthwire,
}) => {
  await page.goto('/widgets?kind=depth&instrument=sim:BTC-USD');
  await page.getByLabel('This version only').check();
  const code = codeOf(page, 'HTML');
  await expect(code).toContainText('integrity="sha384-');
  const lines = (await code.textContent())!;
  const policy = (await codeOf(page, 'Content Security Policy').textContent())!;
  expect(lines).toContain(`${depthwire.url}/widgets/`);
  site.files.set('/strict.html', {
    html: `<!doctype html><html lang="en"><title>Strict</title>${lines.replace(/<style>.*<\/style>/, '')}`,
    headers: { 'content-security-policy': policy.replace(/^.*:\n/, '').replaceAll('\n', '') },
  });
  const errors: string[] = [];
  const elsewhere = await page.context().newPage();
  elsewhere.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await elsewhere.goto(`${site.url}/strict.html`);
  await isLive(elsewhere.locator('depthwire-depth'));
  expect(errors.filter((text) => !text.includes('favicon'))).toEqual([]);
});

test('says at its field what is wrong, and leaves it out of the code', async ({ page }) => {
  await page.goto('/widgets?kind=depth&instrument=sim:NOPE-USD&span=far&width=3&way=module');
  await expect(page.getByText('This server has no instrument sim:NOPE-USD.')).toBeVisible();
  const span = page.getByLabel('span', { exact: true });
  await expect(span).toHaveAccessibleDescription('Expected a number from 0.1 to 5000.');
  await expect(span).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Width')).toHaveAccessibleDescription(
    'Expected whole pixels from 24 to 4000.',
  );
  await page.getByLabel('key', { exact: true }).fill('dw_sk_of-somebody');
  await expect(page.getByText('This is a secret key.')).toBeVisible();
  await expect(codeOf(page, 'HTML')).toHaveText(
    /^<depthwire-depth class="dw-[0-9a-f]{8}" instrument="sim:NOPE-USD"><\/depthwire-depth>$/,
  );
  const configuration = codeOf(page, 'Configuration of the server');
  await expect(configuration).toContainText("instruments: ['sim:NOPE-USD']");
  const instrument = page.getByRole('combobox', { name: 'instrument' });
  await instrument.fill('no instrument');
  await instrument.press('Enter');
  await expect(page.getByText('Choose an instrument first: the entry names')).toBeVisible();
  await expect(configuration).toHaveCount(0);
  await expect(codeOf(page, 'JavaScript')).toContainText('defineWidgets(');
  await expect(page.locator('code').filter({ hasText: 'dw_sk' })).toHaveCount(0);
  await expect.poll(() => page.url()).not.toContain('dw_sk');
});

test('lists are put together by keys alone', async ({ page }) => {
  await page.goto('/widgets?kind=market-table&instruments=sim:BTC-USD');
  const field = page.getByRole('combobox', { name: 'instruments' });
  await field.focus();
  await page.keyboard.type('eth');
  await expect(page.getByRole('option').first()).toContainText('ETH');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Remove sim:ETH-USD' })).toBeVisible();
  await expect(preview(page).locator('depthwire-market-table')).toHaveAttribute(
    'instruments',
    'sim:BTC-USD sim:ETH-USD',
  );
  await page.keyboard.press('Escape');
  await page.keyboard.press('Backspace');
  await expect(page.getByRole('button', { name: 'Remove sim:ETH-USD' })).toBeHidden();
});

test('the gallery is live', async ({ page }) => {
  await page.goto('/widgets');
  const article = page.getByRole('region', { name: 'An article' });
  const plain = page.getByRole('region', { name: 'A plain page' });
  await article.scrollIntoViewIfNeeded();
  await isLive(plain.locator('depthwire-order-book'));
  await isLive(article.locator('depthwire-mini-chart'));
  await page
    .getByRole('region', { name: 'A dark dashboard' })
    .locator('depthwire-mini-chart')
    .scrollIntoViewIfNeeded();
  await isLive(page.getByRole('region', { name: 'A dark dashboard' }).locator('depthwire-mini-chart'));
});

// A colour of one's own has to be readable too, whenever the price is up.
for (const { colorScheme, width, up } of [
  { colorScheme: 'dark', width: 1440, up: 'ff6060' },
  { colorScheme: 'light', width: 360, up: 'b00020' },
] as const)
  test(`axe finds nothing serious, and nothing is wider than the page: ${colorScheme}, ${width} px`, async ({
    page,
  }) => {
    test.setTimeout(90_000);
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.goto(`/widgets?kind=ticker&instrument=sim:BTC-USD&width=abc&--depthwire-up=%23${up}`);
    await isLive(preview(page).locator('depthwire-ticker'));
    await expect(page.getByRole('region', { name: 'A dark dashboard' })).toBeAttached();
    const widths = await page.getByRole('main').evaluate((main) => {
      const { scrollWidth, clientWidth } = main.closest('.page')!;
      return [scrollWidth, clientWidth];
    });
    expect(widths).toEqual([width, width]);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(
      violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(', ')}`),
    ).toEqual([]);
  });

test('is found from the dashboard', async ({ page }) => {
  await openLive(page);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Instrument or command').fill('widgets');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/widgets/);
  await expect(page.getByRole('heading', { name: 'Widgets' })).toBeVisible();
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await expect(page.getByTestId('header')).toBeVisible();
});

test('nothing moves while it is loaded', async ({ page }) => {
  await page.addInitScript(() => {
    const moved: string[] = [];
    Object.assign(globalThis, { moved });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
        // A figure that gets a digit more is no jump.
        if (entry.value >= 0.0005)
          moved.push(`${entry.value.toFixed(4)} at ${Math.round(entry.startTime)} ms`);
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto('/widgets');
  await isLive(preview(page).locator('depthwire-depth'));
  await expect(codeOf(page, 'HTML')).toContainText('instrument="sim:BTC-USD"');
  expect(await page.evaluate(() => (globalThis as unknown as { moved: string[] }).moved)).toEqual([]);
});
