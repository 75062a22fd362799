import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';

const three = 'sim:BTC-USD sim:ETH-USD sim:AAPL-USD';

/** A page with widgets, on the server's own origin. */
async function open(page: Page, body: string, attributes = 'lang="en"'): Promise<void> {
  // What is answered here comes from no network: the browser has to be told that it may connect to this machine.
  await page.context().grantPermissions(['local-network-access']);
  await page.route('**/host.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><html ${attributes}><title>Host</title><style>:root { color-scheme: light dark; }</style><script type="module" src="/widgets.js"></script><main><h1>Host</h1>${body}</main></html>`,
    }),
  );
  await page.goto('/host.html');
}

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(', ')}`,
  );
}

/** What the page was told to be chosen. */
async function watchSelected(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const chosen: string[] = [];
    Object.assign(globalThis, { chosen });
    document.addEventListener('dw-select', (event) => {
      chosen.push((event as CustomEvent<{ instrument: string }>).detail.instrument);
    });
  });
  return () => page.evaluate(() => (globalThis as unknown as { chosen: string[] }).chosen);
}

const firstCells = (table: Locator) => table.locator('tbody tr th').allTextContents();

for (const colorScheme of ['light', 'dark'] as const) {
  test(`lists of markets show live prices, and axe finds nothing: ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await open(
      page,
      `<depthwire-ticker-tape instruments="${three} sim:NOPE"></depthwire-ticker-tape>
       <depthwire-market-table instruments="${three} sim:NOPE" sort="-turnover"></depthwire-market-table>
       <depthwire-heat-tiles instruments="${three} sim:EUR-USD sim:LINK-USD sim:GC-USD sim:NOPE"></depthwire-heat-tiles>
       <p>Feed <depthwire-status instrument="sim:BTC-USD"></depthwire-status>
       Server <depthwire-status id="server"></depthwire-status></p>`,
    );
    const tape = page.locator('depthwire-ticker-tape');
    await expect(tape.getByRole('button', { name: /^BTC\/USD [\d,.]+ [+-]?\d\.\d\d%$/ })).toBeVisible();
    const table = page.locator('depthwire-market-table');
    await expect(
      table.getByRole('row', { name: /^ETH\/USD [\d,.]+ [+-]?\d\.\d\d% [\d.]+[MB]$/ }),
    ).toBeVisible();
    await expect(table.getByRole('row', { name: 'NOPE Unknown' })).toBeVisible();
    const tiles = page.locator('depthwire-heat-tiles');
    await expect(tiles.getByRole('button', { name: /^EUR\/USD [+-]?\d\.\d\d%$/ })).toBeVisible();
    await expect(tiles.getByRole('group')).toHaveAttribute('aria-label', /^7 markets, .* Colours from -8/);
    await expect(page.locator('depthwire-status').first()).toContainText(/Simulated\d+s/);
    await expect(page.locator('#server')).toContainText(/Connected\d+ms/);
    expect(await violations(page)).toEqual([]);
  });
}

test('a table is sorted by its heads, rows are reached by keys, and the attribute follows', async ({
  page,
}) => {
  await open(page, `<depthwire-market-table instruments="${three}" rows="3"></depthwire-market-table>`);
  const table = page.locator('depthwire-market-table');
  await expect(table.getByRole('row', { name: /^BTC\/USD [\d,.]+/ })).toBeVisible();
  expect(await firstCells(table)).toEqual(['BTC/USD', 'ETH/USD', 'AAPL/USD']);

  await table.getByRole('button', { name: 'Last' }).click();
  await expect(table).toHaveAttribute('sort', '-last');
  await expect(table.getByRole('columnheader', { name: 'Last' })).toHaveAttribute('aria-sort', 'descending');
  await table.getByRole('button', { name: 'Last' }).press('Enter');
  await expect(table).toHaveAttribute('sort', 'last');
  await expect(table.getByRole('button', { name: 'Last' })).toBeFocused();
  await expect.poll(() => firstCells(table)).toEqual(['AAPL/USD', 'ETH/USD', 'BTC/USD']);

  await table.evaluate((element) => element.setAttribute('sort', 'instrument'));
  await expect.poll(() => firstCells(table)).toEqual(['AAPL/USD', 'BTC/USD', 'ETH/USD']);

  const chosen = await watchSelected(page);
  await table.getByRole('button', { name: 'AAPL/USD' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await table.getByRole('row', { name: /^ETH/ }).getByRole('cell').first().click();
  expect(await chosen()).toEqual(['sim:BTC-USD', 'sim:ETH-USD']);
});

test('a narrow table shows fewer columns, and cuts no figure', async ({ page }) => {
  await open(
    page,
    `<depthwire-market-table instruments="${three} sim:SHIB-USD" columns="last change bid ask high low volume" sort="volume"></depthwire-market-table>`,
  );
  const table = page.locator('depthwire-market-table');
  await expect(table.getByRole('row', { name: /^BTC\/USD [\d,.]+/ })).toBeVisible();
  for (const [width, heads] of [
    ['1200px', ['Market', 'Last', 'Change', 'Bid', 'Ask', 'High', 'Low', 'Volume']],
    ['340px', ['Market', 'Last', 'Volume']],
    ['160px', ['Market', 'Volume']],
  ] as const) {
    await table.evaluate((element, inlineSize) => Object.assign(element.style, { inlineSize }), width);
    await expect
      .poll(() => table.locator('th:visible button').allTextContents())
      .toEqual(expect.arrayContaining([...heads]) as string[]);
    await expect(table.locator('thead th:visible')).toHaveText([...heads]);
    const cut = await table
      .locator('td:visible')
      .evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length);
    expect(cut).toBe(0);
  }
});

test('rows keep still while somebody points at them', async ({ page }) => {
  await open(page, `<depthwire-market-table instruments="${three}" sort="-last"></depthwire-market-table>`);
  const table = page.locator('depthwire-market-table');
  await expect.poll(() => firstCells(table)).toEqual(['BTC/USD', 'ETH/USD', 'AAPL/USD']);
  const body = table.locator('tbody');
  await table.getByRole('row', { name: /^ETH/ }).hover();
  // Out of order, as prices would have it in a while.
  await body.evaluate((element) => element.append(element.firstElementChild!));
  await page.waitForTimeout(3_000);
  expect(await firstCells(table)).toEqual(['ETH/USD', 'AAPL/USD', 'BTC/USD']);
  await page.mouse.move(0, 0);
  await expect.poll(() => firstCells(table)).toEqual(['BTC/USD', 'ETH/USD', 'AAPL/USD']);
});

const leftOf = (locator: Locator) => locator.evaluate((element) => element.getBoundingClientRect().left);

for (const [dir, sign] of [
  ['ltr', -1],
  ['rtl', 1],
] as const) {
  test(`a tape moves on, stands still when it should, and says what was chosen: ${dir}`, async ({ page }) => {
    await open(
      page,
      `<depthwire-ticker-tape instruments="${three} sim:EUR-USD sim:SHIB-USD" speed="100" style="inline-size: 400px"></depthwire-ticker-tape>`,
      `lang="en" dir="${dir}"`,
    );
    const tape = page.locator('depthwire-ticker-tape');
    const first = tape.getByRole('button', { name: /^BTC\/USD/ });
    await expect(first).toBeVisible();
    const moved = async (ms = 500) => {
      const before = await leftOf(first);
      await page.waitForTimeout(ms);
      return (await leftOf(first)) - before;
    };
    await expect.poll(async () => Math.sign(await moved())).toBe(sign);

    await tape.locator('.window').hover();
    expect(await moved()).toBe(0);
    await page.mouse.move(0, 600);
    expect(Math.abs(await moved())).toBeGreaterThan(10);

    const toggle = tape.getByRole('button', { name: 'Pause' });
    const before = await leftOf(first);
    await toggle.click();
    await page.mouse.move(0, 600);
    expect(await moved()).toBe(0);
    expect(Math.abs((await leftOf(first)) - before)).toBeLessThan(300); // it stays where it was
    await tape.getByRole('button', { name: 'Play' }).click();
    await page.mouse.move(0, 600);
    await expect.poll(async () => Math.sign(await moved())).toBe(sign);

    // The focus brings into sight what is outside of it.
    const chosen = await watchSelected(page);
    await first.focus();
    await page.keyboard.press('End');
    const last = tape.getByRole('button', { name: /^SHIB/ });
    await expect(last).toBeFocused();
    await expect(last).toBeInViewport({ ratio: 0.9 });
    await page.keyboard.press('Enter');
    expect(await chosen()).toEqual(['sim:SHIB-USD']);

    await page.emulateMedia({ reducedMotion: 'reduce' });
    await expect(tape.locator('.toggle')).toBeHidden();
    expect(await moved()).toBe(0);
    const room = await tape
      .locator('.window')
      .evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(room).toBeGreaterThan(0);
  });
}

test('tiles fill their box, do not overlap, and are chosen by keys', async ({ page }) => {
  await open(
    page,
    `<depthwire-heat-tiles instruments="${three} sim:EUR-USD sim:LINK-USD sim:GC-USD" style="block-size: 300px"></depthwire-heat-tiles>`,
  );
  const tiles = page.locator('depthwire-heat-tiles');
  await expect(tiles.getByRole('button', { name: /^EUR\/USD/ })).toBeVisible();
  const areas = () =>
    tiles.locator('li').evaluateAll((items) =>
      items.map((item) => {
        const { width, height } = item.getBoundingClientRect();
        return width * height;
      }),
    );
  const list = await tiles.locator('ul').evaluate((element) => element.clientWidth * element.clientHeight);
  const sum = (await areas()).reduce((all, area) => all + area, 0);
  expect(sum / list).toBeCloseTo(1, 2);
  expect(Math.max(...(await areas()))).toBeGreaterThan(3 * Math.min(...(await areas())));

  const chosen = await watchSelected(page);
  await tiles.getByRole('button').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  expect(await chosen()).toHaveLength(1);
  expect((await chosen())[0]).not.toBe('sim:EUR-USD'); // the largest

  await tiles.evaluate((element) => element.setAttribute('size-by', 'equal'));
  await expect
    .poll(async () => Math.max(...(await areas())) / Math.min(...(await areas())))
    .toBeCloseTo(1, 1);
});

test('instruments change live, and those that stay go on', async ({ page }) => {
  await open(page, `<depthwire-market-table instruments="${three}"></depthwire-market-table>`);
  const table = page.locator('depthwire-market-table');
  await expect(table.getByRole('row', { name: /^BTC\/USD [\d,.]+/ })).toBeVisible();
  const priced = page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        const ids = new Set<string>();
        document.addEventListener('dw-price', (event) => {
          ids.add((event as CustomEvent<{ instrument: string }>).detail.instrument);
          if (ids.has('sim:ETH-USD') && ids.has('sim:SOL-USD')) resolve([...ids]);
        });
      }),
  );
  await table.evaluate((element) => element.setAttribute('instruments', 'sim:ETH-USD sim:SOL-USD'));
  await expect(table.getByRole('row', { name: /^SOL\/USD [\d,.]+/ })).toBeVisible();
  expect(await firstCells(table)).toEqual(['ETH/USD', 'SOL/USD']);
  expect(await priced).toContain('sim:SOL-USD');
  await table.evaluate((element) => element.setAttribute('instruments', 'nonsense'));
  await expect(table).toContainText('instruments: expected 1 to 100 instruments');
});

test.describe('where the server goes', () => {
  test.use({ ownServer: true });

  test('lists and badges say so, and come back', async ({ page, depthwire }) => {
    await open(
      page,
      `<depthwire-market-table instruments="${three}"></depthwire-market-table>
       <depthwire-status instrument="sim:BTC-USD"></depthwire-status><depthwire-status id="server"></depthwire-status>`,
    );
    await expect(page.locator('depthwire-status').first()).toContainText('Simulated');
    await expect(page.locator('#server')).toContainText('Connected');
    await depthwire.stop('SIGKILL');
    await expect(page.locator('#server')).toContainText('Offline');
    await expect(page.locator('depthwire-status').first()).toContainText('Offline');
    await expect(page.locator('depthwire-market-table')).toContainText(/Offline · as of \d\d:\d\d:\d\d/);
    await depthwire.start();
    await expect(page.locator('#server')).toContainText('Connected', { timeout: 30_000 });
    await expect(page.locator('depthwire-status').first()).toContainText('Simulated');
  });
});
