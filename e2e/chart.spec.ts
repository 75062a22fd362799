import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive, panel, panelHead, watchForTrouble } from './page.ts';

/** A candle as REST tells it: time, open, high, low, close, volume, trades. */
type RestCandle = [number, string, string, string, string, string, number];

async function addIndicator(page: Page, title: string): Promise<void> {
  await panelHead(page, 'Chart').getByRole('button', { name: 'Indicators' }).click();
  await page.getByRole('menuitem', { name: title }).click();
}

/** The crosshair over a chart, a share of its width from the left. */
async function pointAt(page: Page, chart: Locator, share: number): Promise<void> {
  const { x, y, width, height } = (await chart.locator('.canvas').boundingBox())!;
  await page.mouse.move(x + width * share, y + height * 0.45);
}

const timeAt = (chart: Locator) => chart.getByTestId('at').getAttribute('data-time');

test('indicators show their values at the crosshair, are set and removed, and survive a reload', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  await openLive(page);
  const chart = panel(page, 'Chart');
  await addIndicator(page, 'Simple moving average');
  await addIndicator(page, 'Relative strength index');
  const average = chart.getByTestId('indicator-sma-1');
  await expect(average).toContainText(/^SMA 20\s*[\d,]+\.\d{3}/);
  await expect(chart.getByTestId('indicator-rsi-1')).toContainText(/^RSI 14\s*\d+\.\d\d/);

  // An average of one candle is its close, which the legend has exactly.
  await average.getByRole('button', { name: 'SMA 20', exact: true }).click();
  await page.getByLabel('Length').fill('1');
  await page.getByLabel('Length').press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await pointAt(page, chart, 0.5);
  await expect(async () => {
    const close = await chart.getByTitle('Close').innerText();
    await expect(average).toContainText(`${close.replace(/^C\s*/, '').replace(/\s/g, '')}0`, {
      timeout: 250,
    });
  }).toPass();

  await expect
    .poll(() => page.evaluate(() => localStorage.getItem('depthwire.workspaces')?.includes('sma-1')))
    .toBe(true);
  await page.reload();
  await expect(average).toContainText(/^SMA 1\s*[\d,]+\.\d{3}/, { timeout: 15_000 });
  await average.getByRole('button', { name: 'SMA 1', exact: true }).hover();
  await average.getByRole('button', { name: 'Remove SMA 1' }).click();
  await expect(average).toHaveCount(0);
  await expect(chart.getByTestId('indicator-rsi-1')).toBeVisible();
  expect(trouble).toEqual([]);
});

test('candles are saved as CSV, exactly as REST tells them; a date is gone to, or there is none', async ({
  page,
  request,
}) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  const head = panelHead(page, 'Chart');
  await expect(panel(page, 'Chart').getByRole('application')).toHaveAttribute(
    'aria-label',
    /^sim:BTC-USD, 1m, candles\. Last [\d,.]+\. From .+ to .+: .+%$/,
  );

  const menu = head.getByRole('button', { name: 'Chart menu' });
  await menu.click();
  await page.getByRole('menuitem', { name: 'Go to a date' }).click();
  const dialog = page.getByRole('dialog', { name: 'Go to a date' });
  await dialog.getByLabel('Date and time').fill('1999-01-01T00:00');
  await dialog.getByRole('button', { name: 'Go' }).click();
  await expect(dialog.getByRole('alert')).toHaveText(/^Too many candles/);
  await page.keyboard.press('Escape');

  const saved = page.waitForEvent('download');
  await menu.click();
  await page.getByRole('menuitem', { name: 'Save the candles' }).click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe('sim-BTC-USD-1m.csv');
  const [header, ...lines] = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n');
  expect(header).toBe('time,open,high,low,close,volume,trades');
  const rows = lines.map((line) => line.split(','));
  const last = Date.parse(rows.at(-1)![0]!) / 1000;
  // The last is still open.
  const path = `/api/v1/instruments/sim:BTC-USD/candles?interval=1m&limit=${rows.length - 1}&before=${last}`;
  const { candles } = (await (await request.get(path)).json()) as { candles: RestCandle[] };
  expect(rows.slice(0, -1)).toEqual(
    candles.map(([time, ...rest]) => [new Date(time * 1000).toISOString(), ...rest.map(String)]),
  );
  expect(rows.length).toBeGreaterThan(100);
});

test('the crosshair is in step on two charts, and not where that is not wanted', async ({ page }) => {
  await openLive(page);
  const group = page.locator('.dv-groupview').filter({ has: page.getByTestId('tab-chart-1') });
  await group.getByRole('button', { name: 'Panel menu' }).click();
  await page.getByRole('menuitem', { name: 'Split below' }).hover();
  await page.getByRole('menuitem', { name: /^Chart/ }).click();
  const charts = panel(page, 'Chart');
  await expect(charts).toHaveCount(2);
  await expect(charts.last()).toHaveAttribute('data-state', 'live', { timeout: 15_000 });
  await page.keyboard.press('Escape');
  const newest = Number(await timeAt(charts.last()));

  for (const share of [0.3, 0.5]) {
    await pointAt(page, charts.first(), share);
    await expect.poll(async () => Number(await timeAt(charts.first()))).toBeLessThan(newest);
    await expect.poll(() => timeAt(charts.last())).toBe(await timeAt(charts.first()));
  }

  await panelHead(page, 'Chart').last().getByRole('button', { name: 'Chart menu' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Crosshair in step' }).click();
  await expect(page.getByRole('menu')).toHaveCount(0);
  await expect
    .poll(async () => {
      await pointAt(page, charts.first(), 0.5);
      await pointAt(page, charts.first(), 0.4);
      return Number(await timeAt(charts.first()));
    })
    .toBeLessThan(newest);
  await expect.poll(async () => Number(await timeAt(charts.last()))).toBeGreaterThanOrEqual(newest);
});

test('a narrow chart has the sign of its indicators in its bar, where the word would be cut', async ({
  page,
}) => {
  await page.setViewportSize({ width: 1200, height: 800 });
  await openLive(page);
  const bar = panelHead(page, 'Chart');
  const button = bar.getByRole('button', { name: 'Indicators' });
  await expect(button.getByText('Indicators')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Instrument or command').fill('add liquidity heatmap');
  await page.keyboard.press('Enter');
  await expect(button.getByText('ƒx')).toBeVisible();
  await expect(button.getByText('Indicators')).toBeHidden();
  const tools = bar.locator('.tools');
  expect(await tools.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(1);
  await addIndicator(page, 'Simple moving average');
  await expect(panel(page, 'Chart').getByTestId('indicator-sma-1')).toBeVisible();
});

test('gone to a date, the legend and the picture tell what is there, and the price axis the last price', async ({
  page,
}) => {
  const picture: string[] = [];
  await page.exposeFunction('onPictureText', (text: string) => picture.push(text));
  // What is written beside the marks of the price axis: a tag is black or white, whichever its ground needs.
  await page.addInitScript(() => {
    const handle = globalThis as unknown as { tags: string[]; onPictureText(text: string): void };
    handle.tags = [];
    const prototype = CanvasRenderingContext2D.prototype;
    const original = Object.getOwnPropertyDescriptor(prototype, 'fillText')!
      .value as typeof prototype.fillText;
    prototype.fillText = function (text, ...rest) {
      original.call(this, text, ...rest);
      if (!this.canvas.isConnected) handle.onPictureText(text);
      const isTag = ['#000000', '#ffffff'].includes(String(this.fillStyle)) && /^[\d,]+\.\d\d$/.test(text);
      if (isTag && this.canvas.closest('[role="application"]')) handle.tags.push(text);
    };
  });
  await openLive(page, '/?instrument=sim:BTC-USD');
  const chart = panel(page, 'Chart');
  const application = chart.getByRole('application');
  /** All tags of a while that ends with the last price being told, and that price. */
  const readTags = async () => {
    await page.evaluate(() => ((globalThis as unknown as { tags: string[] }).tags = []));
    await page.waitForTimeout(1_500);
    const tags = await page.evaluate(() => (globalThis as unknown as { tags: string[] }).tags.slice(-1));
    const last = /Last ([\d,.]+)\. /.exec((await application.getAttribute('aria-label'))!)![1]!;
    return { tags, last };
  };
  await expect(async () => {
    const { tags, last } = await readTags();
    expect(tags).toEqual([last]);
  }).toPass();

  const { text, seconds } = await page.evaluate(() => {
    const minutes = Math.floor(Date.now() / 60_000) - 300;
    const local = new Date(minutes * 60_000 - new Date().getTimezoneOffset() * 60_000);
    return { text: local.toISOString().slice(0, 16), seconds: minutes * 60 };
  });
  const menu = panelHead(page, 'Chart').getByRole('button', { name: 'Chart menu' });
  await menu.click();
  await page.getByRole('menuitem', { name: 'Go to a date' }).click();
  const dialog = page.getByRole('dialog', { name: 'Go to a date' });
  await dialog.getByLabel('Date and time').fill(text);
  await page.keyboard.press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => timeAt(chart)).toBe(String(seconds));

  const saved = page.waitForEvent('download');
  await menu.click();
  await page.getByRole('menuitem', { name: 'Save a picture' }).click();
  await saved;
  expect(picture.find((line) => line.startsWith('sim:BTC-USD'))).toContain(text.slice(-5));

  // Out of the scale, there is none.
  await expect(async () => {
    const { tags, last } = await readTags();
    for (const tag of tags) expect(tag).toBe(last);
  }).toPass();

  for (const share of [0.6, 0.7]) await pointAt(page, chart, share);
  await page.mouse.move(0, 0);
  await expect.poll(async () => Number(await timeAt(chart))).toBeGreaterThan(seconds);
  expect(Number(await timeAt(chart))).toBeLessThan(seconds + 300 * 60);

  await chart.getByRole('button', { name: 'To the newest' }).click();
  await page.mouse.move(0, 0);
  await expect.poll(async () => Number(await timeAt(chart))).toBeGreaterThanOrEqual(seconds + 300 * 60);
});

test('a hole of the stored history is marked, told at its candles, and gone with the interval', async ({
  page,
}) => {
  // The simulator fills its own holes.
  const hole = { fromMs: 0, toMs: 0 };
  await page.route('**/candles?interval=1m*', async (route) => {
    const response = await route.fetch();
    const body = (await response.json()) as { candles: RestCandle[] };
    if (hole.fromMs === 0) {
      hole.fromMs = body.candles.at(-40)![0] * 1000;
      hole.toMs = hole.fromMs + 10 * 60_000;
    }
    await route.fulfill({ response, json: { ...body, holes: [[hole.fromMs, hole.toMs]] } });
  });
  await page.addInitScript(() => {
    const handle = globalThis as unknown as { hatched: number };
    handle.hatched = 0;
    const prototype = CanvasRenderingContext2D.prototype;
    const original = Object.getOwnPropertyDescriptor(prototype, 'fillRect')!
      .value as typeof prototype.fillRect;
    prototype.fillRect = function (x, y, width, height) {
      original.call(this, x, y, width, height);
      const isChart = this.canvas.closest('[role="application"]') !== null;
      if (isChart && this.fillStyle instanceof CanvasPattern) handle.hatched = width;
    };
  });
  const hatched = () => page.evaluate(() => (globalThis as unknown as { hatched: number }).hatched);
  const reset = () => page.evaluate(() => ((globalThis as unknown as { hatched: number }).hatched = 0));
  await openLive(page, '/?instrument=sim:BTC-USD');
  const chart = panel(page, 'Chart');
  const told = chart.getByTestId('chart-hole');
  const application = chart.getByRole('application');
  await expect.poll(hatched).toBeGreaterThan(40); // ten candles of seven pixels
  await expect(told).toHaveCount(0);

  await application.focus();
  const first = hole.fromMs / 1000;
  for (const key of ['ArrowLeft', ...Array<string>(3).fill('Shift+ArrowLeft')]) await application.press(key);
  await expect
    .poll(async () => {
      if (Number(await timeAt(chart)) > first + 9 * 60) await application.press('ArrowLeft');
      return Number(await timeAt(chart));
    })
    .toBe(first + 9 * 60);
  await expect(told).toHaveText(/^Trades may be missing from \d\d:\d\d:00 to \d\d:\d\d:00$/);
  const words = await told.innerText();
  await expect(application).toHaveAttribute('aria-label', new RegExp(`%\\. ${words}$`));
  await application.press('ArrowRight');
  await expect(told).toHaveCount(0);

  const head = panelHead(page, 'Chart');
  await reset();
  await head.getByRole('button', { name: 'Drawn as: Candles' }).click();
  await page.getByRole('menuitemradio', { name: 'Line' }).click();
  await expect.poll(hatched).toBeGreaterThan(40);

  await head.getByRole('button', { name: 'Interval: 1m' }).click();
  await page.getByRole('menuitemradio', { name: '5m', exact: true }).click();
  await expect(application).toHaveAttribute('aria-label', /^sim:BTC-USD, 5m, line\. .*%$/);
  await reset();
  for (const share of [0.3, 0.5]) await pointAt(page, chart, share);
  await expect.poll(() => timeAt(chart)).not.toBeNull();
  expect(await hatched()).toBe(0);
});
