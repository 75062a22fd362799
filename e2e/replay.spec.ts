import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hasRecorded, recordedFolder, spotCapture } from '../server/test/captures.ts';
import { expect, test } from './fixtures.ts';
import { everyFrameVerified, expectLive, panels, readBook, watchForTrouble } from './page.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-e2e-'));
const written = path.join(folder, 'written-by-hand.jsonl');
writeFileSync(
  written,
  spotCapture(600)
    .map((record) => JSON.stringify(record))
    .join('\n'),
);

/** `--wait`: the page sees the recording from its first record. */
const replayArgs = (file: string, speed: string) => [
  ...everyFrameVerified,
  '--replay',
  file,
  '--speed',
  speed,
  '--wait',
];

interface RestBook {
  readonly state: string;
  readonly sequence: number;
  readonly checksum: number;
}

test.describe('a capture written by hand', () => {
  test.use({ serverArgs: replayArgs(written, '5') });

  test('plays in the page, marked as replayed, and ends at the book of the engine', async ({
    page,
    request,
    depthwire,
  }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await page.goto('/');
    await expectLive(page);
    for (const name of panels) {
      await expect(page.getByRole('region', { name, exact: true })).toHaveAttribute(
        'data-origin',
        'replayed',
      );
    }
    await expect
      .poll(() => depthwire.log.some((line) => line.includes('the replay has ended')), { timeout: 20_000 })
      .toBe(true);
    const theirs = (await (
      await request.get('/api/v1/instruments/binance:ABC-USDT/book')
    ).json()) as RestBook;
    await expect.poll(async () => (await readBook(page))?.sequence).toBe(theirs.sequence);
    const ours = await readBook(page);
    expect(ours).toMatchObject({ checksum: theirs.checksum, resyncs: 0 });
    expect(trouble).toEqual([]);
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
    await page.goto('/');
    await expectLive(page);
    await expect
      .poll(() => depthwire.log.some((line) => line.includes('the replay has ended')), { timeout: 28_000 })
      .toBe(true);
    const theirs = (await (
      await request.get('/api/v1/instruments/binance:BTC-USDT-PERP/book')
    ).json()) as RestBook;
    await expect.poll(async () => (await readBook(page))?.sequence).toBe(theirs.sequence);
    const ours = (await readBook(page))!;
    expect(ours).toMatchObject({
      instrument: 'binance:BTC-USDT-PERP',
      checksum: theirs.checksum,
      resyncs: 0,
    });
    expect(ours.sequence).toBeGreaterThan(9_000);
    expect(ours.verified).toBeGreaterThan(1_000);
  });

  test.describe('several of them', () => {
    const other = path.join(recordedFolder, 'binance-usdm-ethusdt-2024-07.jsonl.gz');
    test.use({ serverArgs: ['--replay', file, other, '--speed', '10'] });

    test('play together', async ({ page }) => {
      await page.goto('/');
      await expectLive(page);
      const rows = page.getByRole('region', { name: 'Watchlist' }).getByRole('row', { name: /USDT/ });
      await expect(rows).toHaveCount(2);
      await rows.filter({ hasText: 'ETH' }).click();
      await expect.poll(async () => (await readBook(page))?.instrument).toBe('binance:ETH-USDT-PERP');
      await expectLive(page);
    });
  });
});
