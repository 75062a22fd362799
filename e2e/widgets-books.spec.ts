import { AxeBuilder } from '@axe-core/playwright';
import { codecs, frameCodes, type TradesFrame, type TradesMergedFrame } from '@depthwire/shared';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';

// Order book, depth and trades, in a page of the server's own origin.

async function show(page: Page, body: string, attributes = 'lang="en"', base = ''): Promise<void> {
  await page.route('**/host.html', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><html ${attributes}><title>Host</title><script type="module" src="/widgets.js"></script>
        <style>body { display: flex; flex-wrap: wrap; gap: 16px; } body > * { width: 320px; }</style>
        <main>${body}</main>`,
    }),
  );
  await page.goto(`${base}/host.html`);
}

const one = (kind: string, more = '') =>
  `<depthwire-${kind} instrument="sim:BTC-USD" ${more}></depthwire-${kind}>`;

/** Events of a kind, with what they told. */
async function listen(page: Page, name: string): Promise<() => Promise<Record<string, string | null>[]>> {
  await page.addInitScript((type) => {
    const told: unknown[] = [];
    Object.assign(window, { [type]: told });
    addEventListener(type, (event) => told.push((event as CustomEvent).detail));
  }, name);
  return () =>
    page.evaluate(
      (type) => (window as unknown as Record<string, Record<string, string | null>[]>)[type]!,
      name,
    );
}

test('an order book has its rows, best prices inside, and a checksum found right', async ({ page }) => {
  const prices = await listen(page, 'dw-price');
  await show(page, one('order-book', 'rows="5"'));
  const asks = page.getByRole('table', { name: 'Asks' });
  const bids = page.getByRole('table', { name: 'Bids' });
  await expect(asks.getByRole('button')).toHaveCount(5);
  await expect(bids.getByRole('button')).toHaveCount(5);
  await expect(page.getByText('Book verified')).toBeVisible();
  const box = async (table: typeof asks) => (await table.getByRole('button').first().boundingBox())!;
  const worst = (await asks.getByRole('button').last().boundingBox())!;
  expect(worst.y).toBeLessThan((await box(asks)).y);
  expect((await box(asks)).y).toBeLessThan((await box(bids)).y);
  expect((await prices()).at(-1)).toMatchObject({
    instrument: 'sim:BTC-USD',
    bid: expect.stringMatching(/^\d+\.\d\d$/),
  });

  await page.locator('depthwire-order-book').evaluate((element) => (element.style.width = '1000px'));
  expect(Math.abs((await box(asks)).y - (await box(bids)).y)).toBeLessThan(2);
  expect((await box(bids)).x).toBeLessThan((await box(asks)).x);
});

test('rows and groups of an order book change live', async ({ page }) => {
  await show(page, one('order-book'));
  const bids = page.getByRole('table', { name: 'Bids' });
  await expect(bids.getByRole('button')).toHaveCount(10);
  await page.locator('depthwire-order-book').evaluate((element) => {
    Object.assign(element, { rows: 3, group: 100 });
  });
  await expect(bids.getByRole('button')).toHaveCount(3);
  await expect(bids.getByRole('button').first()).toHaveText(/^[\d,]+$/);
});

test('a row is chosen by pointer and keyboard', async ({ page }) => {
  const chosen = await listen(page, 'dw-select');
  await show(page, one('order-book', 'rows="4"'));
  const bids = page.getByRole('table', { name: 'Bids' });
  const asks = page.getByRole('table', { name: 'Asks' });
  await bids
    .getByRole('row')
    .nth(2)
    .click({ position: { x: 250, y: 8 } });
  await expect.poll(chosen).toMatchObject([{ side: 'bid', price: expect.stringMatching(/^\d+\.\d\d$/) }]);
  await page.keyboard.press('ArrowUp');
  await expect(bids.getByRole('button').first()).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(asks.getByRole('button').first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await chosen()).map(({ side }) => side)).toEqual(['bid', 'ask']);
});

test('rows for which there is no room are left out whole', async ({ page }) => {
  await show(page, one('order-book', 'style="height: 220px; min-height: 0"'));
  const asks = page.getByRole('table', { name: 'Asks' });
  await expect(asks.getByRole('button')).toHaveCount(10);
  const shown = await asks.evaluate((table) => {
    const outer = table.querySelector('tbody')!.getBoundingClientRect();
    const rows = [...table.querySelectorAll('tbody tr')].map((row) => row.getBoundingClientRect());
    const seen = rows.filter(({ left }) => left < outer.right - 1);
    return {
      count: seen.length,
      cut: seen.filter(({ top, bottom }) => top < outer.top - 1 || bottom > outer.bottom + 1).length,
    };
  });
  expect(shown.count).toBeGreaterThan(0);
  expect(shown.count).toBeLessThan(10);
  expect(shown.cut).toBe(0);
});

for (const instrument of ['sim:SHIB-USD', 'sim:BTC-USD', 'sim:USD-JPY'])
  test(`no figure of ${instrument} is cut where there is little room`, async ({ page }) => {
    // Compact figures are no longer than others: trades show both.
    const widgets = ['order-book', 'trades', 'trades notation="compact"', 'depth', 'depth measure="value"']
      .map((kind) => kind.split(' '))
      .map(
        ([kind, more = '']) => `<depthwire-${kind} instrument="${instrument}" ${more}></depthwire-${kind}>`,
      );
    await show(
      page,
      `<style>main { display: flex; width: auto } main > * { width: 160px }</style>${widgets.join('')}`,
    );
    await expect(page.locator('.frame[data-state=live]')).toHaveCount(widgets.length);
    await expect(page.locator('depthwire-trades tbody tr:first-child [part=size]')).toHaveText([/\d/, /\d/]);
    await expect(page.locator('[part=bid-total]')).toHaveText([/\d/, /\d/]);
    const cut = () =>
      page.locator('main > *').evaluateAll((elements) =>
        elements.flatMap(({ localName, shadowRoot }) =>
          [...(shadowRoot?.querySelectorAll('th, td, .rows tr, .edge, .middle') ?? [])]
            // What is hidden, but for readers, is one pixel wide.
            .filter((one) => one.clientWidth > 1 && one.closest('thead')?.clientWidth !== 1)
            .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
            .map(({ textContent }) => `${localName}: ${textContent}`),
        ),
      );
    // Sizes change: some of them are longer.
    for (let i = 0; i < 8; i++) {
      expect(await cut()).toEqual([]);
      await page.waitForTimeout(250);
    }
  });

test('a depth chart is drawn, described, and read by keyboard and pointer', async ({ page }) => {
  const prices = await listen(page, 'dw-price');
  await show(page, one('depth', 'span="20"'));
  const picture = page.getByRole('img');
  await expect(picture).toHaveAttribute(
    'aria-label',
    /^BTC\/USD, depth within ±20 bps of [\d,.]+: bids .+ BTC, asks .+ BTC\.$/,
  );
  expect((await prices()).at(-1)).toMatchObject({ ask: expect.stringMatching(/^\d+\.\d\d$/) });
  const painted = await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 0);
  });
  expect(painted).toBe(true);
  await picture.focus();
  await page.keyboard.press('ArrowRight');
  const read = page
    .locator('depthwire-depth')
    .getByRole('status')
    .filter({ hasText: /BTC.+USD; .+USD/ });
  await expect(read).toHaveText(/^[\d,.]+, [\d.]+ BTC, [\d.]+[KM]? USD; [\d,.]+, /);
  const before = await read.textContent();
  await page.keyboard.press('ArrowRight');
  await expect(read).not.toHaveText(before!);
  await page.keyboard.press('Escape');
  await expect(page.locator('[part=bid-reading]')).toBeHidden();
  await picture.hover({ position: { x: 40, y: 60 } });
  await expect(page.locator('[part=bid-reading]')).toBeVisible();
  await page.locator('depthwire-depth').evaluate((element) => element.setAttribute('measure', 'value'));
  await expect(page.locator('[part=bid-total]')).toHaveText(/USD$/);
});

test('trades come at the top, and stay while a pointer moves over them', async ({ page }) => {
  const prices = await listen(page, 'dw-price');
  await show(page, one('trades', 'rows="6"'));
  const rows = page.getByRole('table', { name: 'Trades' }).getByRole('row');
  await expect(rows).toHaveCount(7);
  await expect(rows.nth(1)).toHaveText(/^[▲▼](Buy|Sell) [\d,]+\.\d\d/);
  expect((await prices()).at(-1)).toMatchObject({ last: expect.stringMatching(/^\d+\.\d\d$/) });
  const box = (await rows.nth(3).boundingBox())!;
  await page.mouse.move(box.x + 20, box.y + 5);
  await page.mouse.move(box.x + 30, box.y + 8);
  const held = page.getByRole('button', { name: /^Held still · \d+ new/ });
  const still = await rows.nth(1).textContent();
  await expect(held).toBeVisible();
  expect(await rows.nth(1).textContent()).toBe(still);
  await page.mouse.move(0, 0);
  await expect(held).toBeHidden();
});

test('small trades are left out, and a list without any says so', async ({ page }) => {
  await show(page, one('trades', 'min-size="1000000"'));
  await expect(page.getByText('None of 1,000,000 BTC or more yet')).toBeVisible();
});

test('trades of which only the sums came have a row that says so', async ({ page, proxied }) => {
  const { url } = await proxied((message) => {
    const frame = codecs.msgpack.decode(message) as TradesFrame;
    if (!Array.isArray(frame) || frame[0] !== frameCodes.trades) return message;
    const [, ch, seq, timeMs, trades] = frame;
    const price = trades[0]![1];
    const merged: TradesMergedFrame = [
      ...([frameCodes.tradesMerged, ch, seq, seq - 1, timeMs] as const),
      ...([900, trades.length + 24, 31_000, 12_000, price - 50, price + 70] as const),
      trades,
    ];
    return Buffer.from(codecs.msgpack.encode(merged) as Uint8Array);
  });
  await show(page, one('trades', 'style="width: 600px"'), undefined, url);
  const said = page.getByRole('cell', {
    name: /^24 of \d+ not listed · [\d.]+ bought · [\d.]+ sold · [\d,.]+ to [\d,.]+$/,
  });
  await expect(said.first()).toBeVisible({ timeout: 30_000 }); // some seconds have no trade
});

test.describe('without a server', () => {
  test.use({ ownServer: true });

  test('what was last known stays, and is said to be old; it goes on by itself', async ({
    page,
    depthwire,
  }) => {
    await show(page, one('order-book', 'rows="3"') + one('depth') + one('trades'));
    const old = page.locator('.frame[data-old]');
    const live = page.locator('.frame[data-state=live]');
    await expect(live).toHaveCount(3);
    await depthwire.stop();
    await expect(old).toHaveCount(3);
    await expect(page.getByRole('table', { name: 'Asks' }).getByRole('button')).toHaveCount(3);
    await depthwire.start();
    await expect(live).toHaveCount(3, { timeout: 30_000 });
  });
});

for (const kind of ['order-book', 'depth', 'trades']) {
  test(`of an instrument that is not known, ${kind} says so; of one that is, it goes on`, async ({
    page,
  }) => {
    await show(page, `<depthwire-${kind} instrument="sim:NO-NE"></depthwire-${kind}>`);
    await expect(page.getByText('sim:NO-NE is not known here.')).toBeVisible();
    await page
      .locator(`depthwire-${kind}`)
      .evaluate((element) => element.setAttribute('instrument', 'sim:ETH-USD'));
    await expect(page.getByText('ETH/USD').first()).toBeVisible();
    await expect(page.getByText('Simulated')).toBeVisible();
  });
}

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing in a ${scheme} page`, async ({ page }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const all = one('order-book') + one('depth') + one('trades');
    await show(page, all, `lang="en" style="color-scheme: ${scheme}; background: Canvas"`);
    await expect(page.getByText('Book verified')).toBeVisible();
    await expect(page.getByRole('img')).toHaveAttribute('aria-label', /depth within/);
    const { violations } = await new AxeBuilder({ page }).include('main').analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`)).toEqual([]);
  });
}
