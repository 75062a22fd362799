import {
  codecs,
  frameCodes,
  type BookDeltaFrame,
  type BookMergedFrame,
  type TradesFrame,
  type TradesMergedFrame,
} from '@depthwire/shared';
import type { APIRequestContext, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import {
  choose,
  everyFrameVerified,
  expectAbove,
  expectListed,
  expectLive,
  expectOrigin,
  openLive,
  panel,
  panelHead,
  readBook,
  restBook,
  watchForTrouble,
  watchRows,
} from './page.ts';

/** All that holds numbers; bars behind them are data themselves. */
const FIXED_PARTS = [
  '[data-testid=header] > *',
  '[data-testid=status-bar] > *',
  'section',
  '.dv-groupview .head *',
  '.dv-tab',
  '[role=columnheader]',
  '[role=row]',
  '[role=gridcell]',
  '[data-testid=bids] > *',
  '[data-testid=asks] > *',
  '[data-testid=freshness]',
  'section[data-testid=panel-depth] :is(form, th, td, .balance > *)',
  'section[data-testid=panel-tape] :is(.heads *, .speed *, .balance > *)',
  'section[data-testid=panel-heatmap] :is(.stage, .corner)',
].join(', ');

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Another list of instruments. It is made before the page asks: what a route still asks for at a test's end is an error. */
async function changeInstruments(
  page: Page,
  request: APIRequestContext,
  change: (instruments: readonly object[]) => object[],
): Promise<void> {
  const path = '/api/v1/instruments';
  const { instruments } = (await (await request.get(path)).json()) as { instruments: object[] };
  await page.route(`**${path}`, (route) => route.fulfill({ json: { instruments: change(instruments) } }));
}

test.describe('the simulated market', () => {
  test.use({ serverArgs: everyFrameVerified });

  test('fills every panel with live numbers, says that they are simulated, and asks nobody else', async ({
    page,
    depthwire,
  }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await openLive(page);
    expect(page.workers()).toHaveLength(1);
    await expectOrigin(page, 'simulated');
    await expect(page.getByTestId('connection')).toContainText('Connected');
    await expect(page.getByTestId('connection')).toContainText('ms');
    expect(trouble).toEqual([]);
  });

  test('says which trades came as sums only, because the connection did not keep up', async ({
    page,
    proxied,
  }) => {
    const { url } = await proxied((message) => {
      const frame = codecs.msgpack.decode(message) as TradesFrame;
      if (!Array.isArray(frame) || frame[0] !== frameCodes.trades) return message;
      const [, ch, seq, timeMs, trades] = frame;
      const price = trades[0]![1];
      const sums = [900, trades.length + 24, 31_000, 12_000, price - 50, price + 70] as const;
      const merged: TradesMergedFrame = [
        ...([frameCodes.tradesMerged, ch, seq, seq - 1, timeMs] as const),
        ...sums,
        trades,
      ];
      return Buffer.from(codecs.msgpack.encode(merged) as Uint8Array);
    });
    await openLive(page, url);
    const tape = panel(page, 'Time and sales');
    await expect(tape.getByRole('status')).toHaveText(
      /24 of \d+ trades not listed\s+[\d.,]+ bought\s+[\d.,]+ sold\s+[\d.,]+ to [\d.,]+/,
      { timeout: 30_000 }, // some seconds have no trade
    );
  });

  test('says of a book that the connection does not keep up with it, and that it does again', async ({
    page,
    proxied,
  }) => {
    let isSlow = true;
    const { url } = await proxied((message) => {
      const frame = codecs.msgpack.decode(message) as BookDeltaFrame;
      // A delta with a checksum is all that a merged frame of one frame is.
      if (!isSlow || !Array.isArray(frame) || frame[0] !== frameCodes.bookDelta || frame[9] === undefined)
        return message;
      const [, ch, seq, , elapsedMs, , lagMs, bids, asks, checksum] = frame;
      const merged: BookMergedFrame = [
        ...([frameCodes.bookMerged, ch, seq, seq - 1, 1] as const),
        ...([frame[3], elapsedMs, 1_400, lagMs, bids, asks, checksum] as const),
      ];
      return Buffer.from(codecs.msgpack.encode(merged) as Uint8Array);
    });
    await openLive(page, url);
    const badge = panelHead(page, 'Order book').getByTestId('freshness');
    await expect(badge).toHaveText(/conflated/);
    await expect(badge).toHaveAttribute('title', /one frame stood for \d+ updates, the oldest 1.4 s old/);
    isSlow = false;
    await expect(badge).toHaveText(/simulated/, { timeout: 15_000 });
  });

  test('holds the very book of the engine: every frame verified, and equal over REST', async ({
    page,
    request,
  }) => {
    await openLive(page, '/?instrument=sim:BRK.A-USD');
    // The quietest instrument, so that both can be read at the same sequence.
    await expect
      .poll(
        async () => {
          const ours = await readBook(page);
          const theirs = await restBook(request, 'sim:BRK.A-USD');
          return [ours?.instrument, ours?.sequence === theirs.sequence, ours?.checksum === theirs.checksum];
        },
        { timeout: 15_000 },
      )
      .toEqual(['sim:BRK.A-USD', true, true]);

    await openLive(page, '/?instrument=sim:BTC-USD-PERP');
    await expectAbove(page, 'frames', 30);
    const book = await readBook(page);
    expect(book).toMatchObject({ state: 'live', resyncs: 0 });
    expect(book!.verified).toBeGreaterThan(30);
  });

  test('follows the watchlist: every panel moves to the chosen instrument, and a reload keeps it', async ({
    page,
  }) => {
    await openLive(page);
    await choose(page, /^ES-USD/, 'sim:ES-USD');
    await expect(page).toHaveURL(/ES-USD/);
    await page.reload();
    await expectLive(page);
    expect((await readBook(page))?.instrument).toBe('sim:ES-USD');
  });

  test('finds instruments by search, from the keyboard', async ({ page }) => {
    await openLive(page);
    await page.keyboard.press('/');
    await page.keyboard.type('eur');
    await expect(watchRows(page)).toHaveCount(1);
    await expect(watchRows(page).first()).toContainText('EUR');
  });

  test('lists every instrument, on however many pages the server tells them', async ({ page, depthwire }) => {
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/api/v1/instruments?')) asked.push(request.url());
    });
    await page.route('**/api/v1/instruments', (route) =>
      route.continue({ url: `${depthwire.url}/api/v1/instruments?limit=10` }),
    );
    await page.goto('/');
    await expectListed(page, 35);
    expect(asked.length).toBe(3);
  });

  test('does without a worker where there is none', async ({ page }) => {
    await page.route('**/workers/**', (route) => route.abort());
    await openLive(page);
    expect(page.workers()).toEqual([]);
    await expectAbove(page, 'frames', 5);
    await page.getByTitle(/click for its log/).click();
    await expect(page.getByTestId('log')).toContainText('The worker failed');
  });

  test('draws, and subscribes to, what is seen of a list of a thousand', async ({
    page,
    request,
    proxied,
  }) => {
    await changeInstruments(page, request, (instruments) => [
      ...instruments,
      ...Array.from({ length: 1_000 - instruments.length }, (_, i) => ({
        ...instruments[0],
        id: `sim:X${i}-USD`,
        base: `X${i}`,
      })),
    ]);
    const { url, requests } = await proxied();
    await page.goto(url);
    await expectListed(page, 1_000);
    await expect(watchRows(page).first()).toHaveAttribute('data-state', 'live');
    expect(await watchRows(page).count()).toBeLessThan(80);
    const asked = new Set(
      requests.map((request) => (request.op === 'subscribe' ? request.instrument : null)),
    );
    expect(asked.size).toBeGreaterThan(10);
    expect(asked.size).toBeLessThan(80);
    await panel(page, 'Watchlist').getByRole('grid').press('End');
    await expect(page.locator('[data-instrument="sim:X964-USD"]')).toBeInViewport({ ratio: 1 });
    expect(await watchRows(page).count()).toBeLessThan(80);
  });

  test('moves nothing while numbers change', async ({ page }) => {
    await openLive(page, '/?instrument=sim:BTC-USD-PERP');
    await expectAbove(page, 'frames', 10);
    const boxes = () =>
      page.evaluate(
        (selector) =>
          [...document.querySelectorAll(selector)].map((element) => {
            const { x, y, width, height } = element.getBoundingClientRect();
            return `${element.tagName} ${element.classList[0]} ${[x, y, width, height].map(Math.round).join(' ')}`;
          }),
        FIXED_PARTS,
      );
    const expectStill = async () => {
      const before = await boxes();
      expect(before.length).toBeGreaterThan(150);
      await expectAbove(page, 'frames', (await readBook(page))!.frames + 30);
      expect(await boxes()).toEqual(before);
    };
    await expectStill();
    // The other panels of numbers.
    await page.getByRole('button', { name: 'Workspace: Trading' }).click();
    await page.getByRole('menuitem', { name: /New/ }).hover();
    await page.getByRole('menuitem', { name: /^Liquidity/ }).click();
    await expect(page.getByTestId('panel-heatmap')).toHaveAttribute('data-state', 'live', {
      timeout: 15_000,
    });
    await expect(page.locator('[data-testid=panel-heatmap] [data-columns]')).not.toHaveAttribute(
      'data-columns',
      '0',
    );
    await expectStill();
  });

  for (const language of ['en', 'de']) {
    test(`gives way in the header before anything overlaps (${language})`, async ({ page }) => {
      await page.addInitScript((code) => localStorage.setItem('depthwire.language', code), language);
      await page.goto('/?instrument=sim:BTC-USD-PERP');
      await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'open');
      await expect(page.getByTestId('last-price')).toContainText('%');
      for (const width of [720, 800, 900, 1000, 1180]) {
        await page.setViewportSize({ width, height: 600 });
        expect(await readHeader(page), `at ${width} px`).toEqual({ buttons: 4, outside: [], overlaps: [] });
      }
    });
  }

  /** What is drawn over what in the header, and the buttons that are not all on the screen. */
  async function readHeader(page: Page) {
    return page.getByTestId('header').evaluate((header) => {
      // Parts of parts, too: what is too wide for its part is drawn outside of it.
      const seen = (selector: string) =>
        [...header.querySelectorAll(selector)]
          .filter((element) => element.checkVisibility())
          .map((element) => ({ name: element.className, box: element.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0);
      const parts = [':scope > *', '.instrument > *', '.price > *, .instrument', '.end > *, .price'].map(
        seen,
      );
      const overlaps = parts.flatMap((group) =>
        group.flatMap(({ name, box }, i) =>
          group
            .slice(i + 1)
            // The ground of a price that flashes is larger than its text by 5 px, on either side.
            .filter(({ box: other }) => box.right - 5 > other.left && other.right - 5 > box.left)
            .filter(({ box: other }) => box.bottom > other.top + 1 && other.bottom > box.top + 1)
            .map((other) => `${name} and ${other.name}`),
        ),
      );
      const buttons = seen('button');
      const outside = buttons.filter(({ box }) => box.left < 0 || box.right > innerWidth);
      return { buttons: buttons.length, outside: outside.map(({ name }) => name), overlaps };
    });
  }

  test('keeps the last picture when the server goes, says why, and recovers by itself', async ({
    page,
    depthwire,
  }) => {
    await openLive(page);
    const book = panel(page, 'Order book');
    await depthwire.stop('SIGKILL');
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    await expect(book).toHaveAttribute('data-state', 'recovering');
    await expect(panelHead(page, 'Depth').getByText('connection lost')).toBeInViewport({ ratio: 1 });
    expect(await book.textContent()).toMatch(/\d{2,}\.\d/);
    await depthwire.start();
    await expect(page.getByTestId('connection')).toContainText('Connected', { timeout: 20_000 });
    await expectLive(page);
    await expectAbove(page, 'verified', (await readBook(page))!.verified + 5);
  });

  test('recovers from an orderly restart too', async ({ page, depthwire }) => {
    await openLive(page);
    await depthwire.restart();
    await expectLive(page);
    await expect(page.getByTestId('connection')).toContainText('Connected');
  });
});

test.describe('on a wall of 4K', () => {
  test.use({ viewport: { width: 3840, height: 2000 } });

  test('text is large until somebody says otherwise', async ({ page }) => {
    const html = page.locator('html');
    await page.goto('/');
    await expect(html).toHaveAttribute('data-density', 'large');
    await expect(page.getByTestId('status-bar')).toHaveCSS('font-size', '13px');
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Instrument or command').fill('density compact');
    await page.keyboard.press('Enter');
    await expect(html).toHaveAttribute('data-density', 'compact');
    await page.reload();
    await expect(page.getByTestId('status-bar')).toBeVisible();
    await expect(html).toHaveAttribute('data-density', 'compact');
  });
});

test('an address that leads nowhere is said to, and leads to the dashboard', async ({ page, depthwire }) => {
  const response = await page.goto('/nowhere/deep');
  expect(response?.status()).toBe(404);
  await expect(page.getByTestId('error-page')).toContainText('/nowhere/deep');
  await expect(page).toHaveTitle(/There is no such page/);
  await page.getByRole('link', { name: 'To the dashboard' }).click();
  await expect(page).toHaveURL(new RegExp(`^${depthwire.url}/`));
  await expectLive(page);
});

test.describe('long names', () => {
  const others = [
    { id: 'binance:1000SHIB-USDT-PERP', venue: 'binance', base: '1000SHIB', quote: 'USDT' },
    { id: 'binance:BTC-USDT-PERP', venue: 'binance', base: 'BTC', quote: 'USDT' },
    { id: 'elsewhere:BTC-USDT-PERP', venue: 'elsewhere', base: 'BTC', quote: 'USDT' },
    { id: 'sim:GC-USD-2026-12', venue: 'sim', base: 'GC', quote: 'USD' },
  ];

  test.beforeEach(({ page, request }) =>
    changeInstruments(page, request, (instruments) => [
      ...others.map((other) => ({ ...instruments[0], ...other })),
      ...instruments,
    ]),
  );

  /** Each name in full, no two alike, and the whole id where the pointer rests. */
  async function expectTellingNames(page: Page): Promise<void> {
    await expectListed(page, 39);
    for (const { id } of others) {
      await expect(watchRows(page).and(page.locator(`[data-instrument="${id}"]`))).toHaveAttribute(
        'title',
        new RegExp(`^${id} `),
      );
    }
    const names = await watchRows(page).evaluateAll((rows) =>
      rows.map((row) => {
        const parts = [...row.querySelectorAll<HTMLElement>('[role=gridcell]:first-child > span')];
        const isCut = parts.some((part) => part.scrollWidth > part.clientWidth);
        return `${parts.map((part) => part.textContent).join(' ')}${isCut ? ' is cut' : ''}`;
      }),
    );
    expect(names.filter((name) => name.endsWith('is cut'))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  }

  test('can be told apart at every usual width', async ({ page }) => {
    for (const width of [1280, 1440, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto('/');
      await expectTellingNames(page);
    }
  });

  test.describe('on a phone', () => {
    test.use(phone);

    test('can be told apart too', async ({ page }) => {
      await page.goto('/');
      await page.getByRole('button', { name: 'List' }).click();
      await expectTellingNames(page);
    });
  });
});

test.describe('on a phone', () => {
  test.use({ ...phone, viewport: { width: 360, height: 740 } });

  test('reaches every page by its tab, without sideways scrolling, upright and on its side', async ({
    page,
    depthwire,
  }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await page.goto('/');
    await expect.poll(async () => (await readBook(page))?.state, { timeout: 15_000 }).toBe('live');
    const tabs = page.getByRole('navigation', { name: 'Pages' }).getByRole('button');
    await expect(tabs).toHaveText(['List', 'Chart', 'Book', 'Depth', 'Tape', 'Heatmap', 'Alerts']);
    const testids = ['watchlist', 'chart', 'book', 'depth', 'tape', 'heatmap', 'alerts'];
    for (const [index, id] of testids.entries()) {
      await tabs.nth(index).click();
      await expect(page.getByTestId(`panel-${id}`)).toBeInViewport({ ratio: 0.99 });
      expect(await readScreen(page)).toEqual({ isTooWide: false, small: [] });
    }
    await page.setViewportSize({ width: 740, height: 360 });
    await expect(page.getByTestId('panel-alerts')).toBeInViewport({ ratio: 0.99 });
    for (const tab of await tabs.all()) await tab.scrollIntoViewIfNeeded();
    expect(await readScreen(page)).toEqual({ isTooWide: false, small: [] });
    // A tap on the list leads to the chart of what was tapped.
    await tabs.first().click();
    await watchRows(page).nth(1).tap();
    await expect(page.getByTestId('panel-chart')).toBeInViewport({ ratio: 0.99 });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('button', { name: 'Interval: 1m' }).click();
    await page.getByRole('menuitemradio', { name: '5m', exact: true }).click();
    await expect.poll(() => page.evaluate(() => localStorage.getItem('depthwire.phone'))).toContain('"5m"');
    await page.reload();
    await expect(page.getByRole('button', { name: 'Interval: 5m' })).toBeInViewport();
    expect(trouble).toEqual([]);
  });

  /** What a thumb would miss in the header and the pager, and whether the page can be moved sideways. */
  async function readScreen(page: Page): Promise<{ isTooWide: boolean; small: string[] }> {
    return page.evaluate(() => ({
      isTooWide: document.documentElement.scrollWidth > innerWidth,
      small: [...document.querySelectorAll('[data-testid=header] button, nav button')]
        .filter((button) => button.checkVisibility())
        .map((button) => ({ text: button.textContent, box: button.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.height < 44 || box.width < 44))
        .map(({ text, box }) => `${text} ${box.width}x${box.height}`),
    }));
  }
});
