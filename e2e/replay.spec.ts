import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { APIRequestContext, Page } from '@playwright/test';
import { hasRecorded, recordedFolder, spotCapture } from '../server/test/captures.ts';
import { expect, test } from './fixtures.ts';
import {
  choose,
  everyFrameVerified,
  expectOrigin,
  openLive,
  panel,
  panelHead,
  panels,
  readBook,
  restBook,
  watchForTrouble,
  watchRows,
  type PageBook,
} from './page.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-e2e-'));

function write(name: string, records: readonly object[]): string {
  const file = path.join(folder, name);
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'));
  return file;
}

const byHand = write('written-by-hand.jsonl', spotCapture(600));

/** `--wait`: the page sees the recording from its first record. */
const replayArgs = (file: string, speed: string) => [
  ...everyFrameVerified,
  '--replay',
  file,
  '--speed',
  speed,
  '--wait',
];

/** Once the recording has ended: the page holds the server's book, and never had to take it anew. */
async function expectServersBook(
  page: Page,
  request: APIRequestContext,
  instrument: string,
): Promise<PageBook> {
  const { sequence, checksum } = await restBook(request, instrument);
  await expect.poll(async () => (await readBook(page))?.sequence).toBe(sequence);
  const ours = await readBook(page);
  expect(ours).toMatchObject({ instrument, checksum, resyncs: 0 });
  return ours!;
}

test.describe('a capture written by hand', () => {
  test.use({ serverArgs: replayArgs(byHand, '5') });

  test('plays in the page, marked as replayed, and ends at the book of the engine', async ({
    page,
    request,
    depthwire,
  }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await openLive(page);
    await expectOrigin(page, 'replayed');
    await depthwire.ended();
    await expectServersBook(page, request, 'binance:ABC-USDT');
    expect(trouble).toEqual([]);
  });
});

test.describe('a recording that has ended', () => {
  test.use({ serverArgs: ['--replay', byHand, '--speed', 'max'] });

  test.beforeEach(async ({ page, depthwire }) => {
    await depthwire.ended();
    await page.goto('/');
    for (const name of panels) {
      await expect(panel(page, name)).toHaveAttribute('data-state', 'stale', { timeout: 15_000 });
    }
  });

  test('says so in every panel and for the whole screen, and its clock stands still', async ({ page }) => {
    for (const name of panels) {
      await expect(panelHead(page, name).getByTestId('freshness')).toHaveAttribute(
        'title',
        /the recording has ended/,
      );
      const words = panelHead(page, name).getByText(/^(the recording has|replay) ended$/);
      await expect(words.filter({ visible: true })).toBeInViewport({ ratio: 1 });
    }
    await expect(panelHead(page, 'Depth').getByText('the recording has ended')).toBeVisible();
    await expect(page.getByTestId('header')).toContainText('recording ended');
    await expect(page).toHaveTitle(/^Ended: /);

    const clock = page.getByTestId('status-bar').locator('time');
    await expect(clock).toContainText('Recording ended 2023-11-1');
    const before = await clock.textContent();
    await page.waitForTimeout(1500);
    expect(await clock.textContent()).toBe(before);
  });

  test('keeps its book, verified, and the controls to look at it', async ({ page, request }) => {
    await expectServersBook(page, request, 'binance:ABC-USDT');
    await expect(page.getByTestId('verified')).toContainText('✓');
    for (const name of ['Price group', 'Smallest trade']) await expect(page.getByLabel(name)).toBeVisible();
    await expect(page.getByTestId('asks')).toContainText('10.02');
  });
});

test.describe('a venue whose clock is ahead', () => {
  const aheadMs = 1300;
  const records = spotCapture(600).map((record) => ({ ...record, t: (record as { t: number }).t - aheadMs }));
  test.use({ serverArgs: replayArgs(write('clock-ahead.jsonl', records), '5') });

  test('has a negative lag, and the page says what that means', async ({ page }) => {
    await openLive(page);
    const lag = page.getByTestId('venue-lag');
    await expect(lag).toContainText('\u22121.3 s');
    await expect(lag).toContainText('the venue’s clock is ahead');
    await expect(lag).toHaveAttribute('title', /the venue’s clock is ahead/);
    // The market's clock is that of the recording: it cannot be compared with this machine's.
    const age = page.getByTestId('age');
    await expect(age).toHaveAttribute('title', /in the server \S+ ms ± 1 ms.*network not known/);
  });
});

test.describe('recorded markets', () => {
  const file = path.join(recordedFolder, 'binance-usdm-btcusdt-2024-07.jsonl.gz');
  test.skip(!hasRecorded || !existsSync(file), '../shared/captures is absent');
  test.use({ serverArgs: replayArgs(file, '40') });

  test('the replica of the page is the book of the engine at every frame of the recording', async ({
    page,
    request,
    depthwire,
  }) => {
    await openLive(page);
    await depthwire.ended(28_000);
    const ours = await expectServersBook(page, request, 'binance:BTC-USDT-PERP');
    expect(ours.sequence).toBeGreaterThan(9_000);
    expect(ours.verified).toBeGreaterThan(1_000);
    // Nothing comes that would be drawn again: the first picture must have the sizes in full.
    await page.reload();
    await expect(page.getByTestId('bids').locator('.size').first()).toHaveText(/^\d+\.\d{3}$/);
  });

  test.describe('several of them', () => {
    const other = path.join(recordedFolder, 'binance-usdm-ethusdt-2024-07.jsonl.gz');
    test.use({ serverArgs: ['--replay', file, other, '--speed', '10'] });

    test('play together', async ({ page }) => {
      await openLive(page);
      await expect(watchRows(page)).toHaveCount(2);
      await choose(page, 'ETH', 'binance:ETH-USDT-PERP');
    });
  });
});
