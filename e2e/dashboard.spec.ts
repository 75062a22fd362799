import {
  codecs,
  frameCodes,
  type BookDeltaFrame,
  type BookMergedFrame,
  type TradesFrame,
  type TradesMergedFrame,
} from '@depthwire/shared';
import type { Page } from '@playwright/test';
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
].join(', ');

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

test.describe('the simulated market', () => {
  test.use({ serverArgs: everyFrameVerified });

  test('fills every panel with live numbers, says that they are simulated, and asks nobody else', async ({
    page,
    depthwire,
  }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await openLive(page);
    await expectOrigin(page, 'simulated');
    await expect(page.getByTestId('connection')).toContainText('Connected');
    await expect(page.getByTestId('connection')).toContainText('ms');
    expect(trouble).toEqual([]);
  });

  test('says which trades came as sums only, because the connection did not keep up', async ({ page }) => {
    await page.routeWebSocket(/\/ws$/, (socket) => {
      socket.connectToServer().onMessage((message) => {
        const frame = codecs.msgpack.decode(message as Buffer) as TradesFrame;
        if (!Array.isArray(frame) || frame[0] !== frameCodes.trades) {
          socket.send(message);
          return;
        }
        const [, ch, seq, timeMs, trades] = frame;
        const price = trades[0]![1];
        const sums = [900, trades.length + 24, 31_000, 12_000, price - 50, price + 70] as const;
        const merged: TradesMergedFrame = [
          frameCodes.tradesMerged,
          ch,
          seq,
          seq - 1,
          timeMs,
          ...sums,
          trades,
        ];
        socket.send(Buffer.from(codecs.msgpack.encode(merged) as Uint8Array));
      });
    });
    await openLive(page);
    const tape = panel(page, 'Time and sales');
    await expect(tape.getByRole('status')).toHaveText(
      /24 of \d+ trades not listed\s+[\d.,]+ bought\s+[\d.,]+ sold\s+[\d.,]+ to [\d.,]+/,
    );
  });

  test('says of a book that the connection does not keep up with it, and that it does again', async ({
    page,
  }) => {
    let isSlow = true;
    await page.routeWebSocket(/\/ws$/, (socket) => {
      socket.connectToServer().onMessage((message) => {
        const frame = codecs.msgpack.decode(message as Buffer) as BookDeltaFrame;
        // A delta with a checksum is all that a merged frame of one frame is.
        if (!isSlow || !Array.isArray(frame) || frame[0] !== frameCodes.bookDelta || frame[9] === undefined) {
          socket.send(message);
          return;
        }
        const [, ch, seq, , elapsedMs, , lagMs, bids, asks, checksum] = frame;
        const merged: BookMergedFrame = [
          ...([frameCodes.bookMerged, ch, seq, seq - 1, 1] as const),
          ...([frame[3], elapsedMs, 1_400, lagMs, bids, asks, checksum] as const),
        ];
        socket.send(Buffer.from(codecs.msgpack.encode(merged) as Uint8Array));
      });
    });
    await openLive(page);
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

  test('draws, and subscribes to, what is seen of a list of a thousand', async ({ page }) => {
    await page.route('**/api/v1/instruments', async (route) => {
      const { instruments } = (await (await route.fetch()).json()) as { instruments: object[] };
      const more = Array.from({ length: 1_000 - instruments.length }, (_, i) => ({
        ...instruments[0],
        id: `sim:X${i}-USD`,
        base: `X${i}`,
      }));
      await route.fulfill({ json: { instruments: [...instruments, ...more] } });
    });
    const asked = new Set<string>();
    await page.routeWebSocket(/\/ws$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        const request = codecs.msgpack.decode(message as Buffer) as { op: string; instrument: string };
        if (request.op === 'subscribe') asked.add(request.instrument);
        server.send(message);
      });
    });
    await page.goto('/');
    await expectListed(page, 1_000);
    await expect(watchRows(page).first()).toHaveAttribute('data-state', 'live');
    expect(await watchRows(page).count()).toBeLessThan(80);
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
    const before = await boxes();
    expect(before.length).toBeGreaterThan(150);
    await expectAbove(page, 'frames', (await readBook(page))!.frames + 30);
    expect(await boxes()).toEqual(before);
  });

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

test.describe('long names', () => {
  const others = [
    { id: 'binance:1000SHIB-USDT-PERP', venue: 'binance', base: '1000SHIB', quote: 'USDT' },
    { id: 'binance:BTC-USDT-PERP', venue: 'binance', base: 'BTC', quote: 'USDT' },
    { id: 'elsewhere:BTC-USDT-PERP', venue: 'elsewhere', base: 'BTC', quote: 'USDT' },
    { id: 'sim:GC-USD-2026-12', venue: 'sim', base: 'GC', quote: 'USD' },
  ];

  test.beforeEach(async ({ page }) => {
    await page.route('**/api/v1/instruments', async (route) => {
      const { instruments } = (await (await route.fetch()).json()) as { instruments: object[] };
      const more = others.map((other) => ({ ...instruments[0], ...other }));
      await route.fulfill({ json: { instruments: [...more, ...instruments] } });
    });
  });

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
  test.use(phone);

  test('shows price and panels without sideways scrolling', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'open', { timeout: 15_000 });
    await expect.poll(async () => (await readBook(page))?.state, { timeout: 15_000 }).toBe('live');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
