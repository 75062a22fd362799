import { expect, test } from './fixtures.ts';
import { everyFrameVerified, expectLive, panels, readBook, watchForTrouble } from './page.ts';

/** All that holds numbers; bars behind them are data themselves. */
const FIXED_PARTS = [
  '[data-testid=header] > *',
  '[data-testid=status-bar] > *',
  'section',
  'section > header *',
  '[role=columnheader]',
  '[role=row]',
  '[role=gridcell]',
  '[data-testid=bids] > *',
  '[data-testid=asks] > *',
].join(', ');

test.describe('the simulated market', () => {
  test.use({ serverArgs: everyFrameVerified });

  test('fills every panel with live numbers, says that they are simulated, and asks nobody else', async ({
    page,
    depthwire,
  }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await page.goto('/');
    await expectLive(page);
    for (const name of panels) {
      await expect(page.getByRole('region', { name, exact: true })).toHaveAttribute(
        'data-origin',
        'simulated',
      );
    }
    await expect(page.getByTestId('connection')).toContainText('Connected');
    await expect(page.getByTestId('connection')).toContainText('ms');
    expect(trouble).toEqual([]);
  });

  test('holds the very book of the engine: every frame verified, and equal over REST', async ({
    page,
    request,
  }) => {
    await page.goto('/?instrument=sim:BRK.A-USD');
    await expectLive(page);
    // The quietest instrument, so that both can be read at the same sequence.
    await expect
      .poll(
        async () => {
          const ours = await readBook(page);
          const theirs = (await (await request.get('/api/v1/instruments/sim:BRK.A-USD/book')).json()) as {
            sequence: number;
            checksum: number;
          };
          return [ours?.instrument, ours?.sequence === theirs.sequence, ours?.checksum === theirs.checksum];
        },
        { timeout: 15_000 },
      )
      .toEqual(['sim:BRK.A-USD', true, true]);

    await page.goto('/?instrument=sim:BTC-USD-PERP');
    await expectLive(page);
    await expect
      .poll(async () => (await readBook(page))?.frames ?? 0, { timeout: 15_000 })
      .toBeGreaterThan(30);
    const book = await readBook(page);
    expect(book).toMatchObject({ state: 'live', resyncs: 0 });
    expect(book!.verified).toBeGreaterThan(30);
  });

  test('follows the watchlist: every panel moves to the chosen instrument, and a reload keeps it', async ({
    page,
  }) => {
    await page.goto('/');
    await expectLive(page);
    await page
      .getByRole('row', { name: /ES-USD/ })
      .first()
      .click();
    await expect.poll(async () => (await readBook(page))?.instrument).toBe('sim:ES-USD');
    await expectLive(page);
    await expect(page).toHaveURL(/ES-USD/);
    await page.reload();
    await expectLive(page);
    expect((await readBook(page))?.instrument).toBe('sim:ES-USD');
  });

  test('finds instruments by search, from the keyboard', async ({ page }) => {
    await page.goto('/');
    await expectLive(page);
    await page.keyboard.press('/');
    await page.keyboard.type('eur');
    const rows = page.getByRole('region', { name: 'Watchlist' }).getByRole('row', { name: /USD/ });
    await expect(rows).toHaveCount(1);
    await expect(rows.first()).toContainText('EUR');
  });

  test('moves nothing while numbers change', async ({ page }) => {
    await page.goto('/?instrument=sim:BTC-USD-PERP');
    await expectLive(page);
    await expect
      .poll(async () => (await readBook(page))?.frames ?? 0, { timeout: 15_000 })
      .toBeGreaterThan(10);
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
    const { frames } = (await readBook(page))!;
    await expect
      .poll(async () => (await readBook(page))!.frames, { timeout: 15_000 })
      .toBeGreaterThan(frames + 30);
    expect(await boxes()).toEqual(before);
  });

  test('keeps the last picture when the server goes, says so, and recovers by itself', async ({
    page,
    depthwire,
  }) => {
    await page.goto('/');
    await expectLive(page);
    const book = page.getByRole('region', { name: 'Order book' });
    await depthwire.stop('SIGKILL');
    await expect(page.getByTestId('connection')).toContainText('Reconnecting');
    await expect(book).toHaveAttribute('data-state', 'recovering');
    expect(await book.textContent()).toMatch(/\d{2,}\.\d/);
    await depthwire.start();
    await expect(page.getByTestId('connection')).toContainText('Connected', { timeout: 20_000 });
    await expectLive(page);
    const verified = (await readBook(page))!.verified;
    await expect
      .poll(async () => (await readBook(page))!.verified, { timeout: 15_000 })
      .toBeGreaterThan(verified + 5);
  });

  test('recovers from an orderly restart too', async ({ page, depthwire }) => {
    await page.goto('/');
    await expectLive(page);
    await depthwire.restart();
    await expectLive(page);
    await expect(page.getByTestId('connection')).toContainText('Connected');
  });
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('shows price and panels without sideways scrolling', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByTestId('connection')).toHaveAttribute('data-state', 'open', { timeout: 15_000 });
    await expect.poll(async () => (await readBook(page))?.state, { timeout: 15_000 }).toBe('live');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});
