import type { DepthAnswer } from '@depthwire/shared/depth';
import { decodeDepthColumns } from '@depthwire/shared/depth';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive, watchForTrouble } from './page.ts';

const PATIENT = { timeout: 30_000 };

// Columns come by the second, and machines are busy.
test.slow();
// The history is as old as the server.
test.use({ ownServer: true });
const INSTRUMENT = 'sim:BTC-USD';

const heatmap = (page: Page) => page.getByTestId('panel-heatmap');
const stage = (page: Page) => heatmap(page).locator('.stage');
const readout = (page: Page) => heatmap(page).getByTestId('heatmap-readout');

async function openHeatmap(page: Page): Promise<void> {
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Instrument or command').fill('add liquidity heatmap');
  await page.keyboard.press('Enter');
  await expect(heatmap(page)).toHaveAttribute('data-state', 'live', PATIENT);
}

async function columnsOf(request: APIRequestContext) {
  const answer = await request.get(`/api/v1/instruments/${INSTRUMENT}/depth-history?limit=3600`);
  return decodeDepthColumns((await answer.json()) as DepthAnswer);
}

const drawnColumns = async (panel: Locator) => Number(await panel.getAttribute('data-columns'));

/** How many different colours the plot has: what is not drawn has those of the ground alone. */
function coloursOf(page: Page): Promise<number> {
  return stage(page)
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height - 30);
      return new Set(new Uint32Array(data.buffer)).size;
    });
}

test('the heatmap has what was recorded before the page came, goes on live, and says what rests where', async ({
  page,
  depthwire,
  request,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  await expect.poll(async () => (await columnsOf(request)).length, PATIENT).toBeGreaterThanOrEqual(4);
  const [oldest] = await columnsOf(request);
  await openHeatmap(page);
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThanOrEqual(4);
  await expect.poll(() => coloursOf(page)).toBeGreaterThan(40);

  const before = await drawnColumns(stage(page));
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThan(before + 1);
  await expect(stage(page)).toHaveAttribute('aria-label', /^Liquidity of BTC\/USD, .* seconds, 0 holes; /);

  // What the picture cannot say to those who do not see it: where it begins, and what its colours are.
  await expect(stage(page)).toHaveAttribute('aria-label', /\. Recorded since \d\d:\d\d:\d\d$/);
  const legend = heatmap(page).getByTestId('heatmap-legend');
  await expect(legend).toHaveText(/^≤ [\d.]+\s*≥ [\d.]+ BTC$/);
  await expect(legend).toHaveAccessibleName(/ percentile 50, to [\d.]+ BTC or more, percentile 99$/);
  await page.getByLabel('Colours up to this percentile').selectOption('95');
  await expect(legend).toHaveAccessibleName(/ percentile 95$/);

  // The crosshair goes to the first column, which is older than the page.
  await stage(page).focus();
  await page.keyboard.press('Home');
  const time = new Date(oldest!.time).toTimeString().slice(0, 8);
  const atOldest = readout(page).filter({ hasText: time });
  for (let i = 0; i < 400 && (await atOldest.count()) === 0; i++) await page.keyboard.press('ArrowLeft');
  await expect(atOldest).toHaveCount(1);
  await expect(heatmap(page).getByRole('status')).toContainText(/bids [\d.,]+, asks [\d.,]+/);
  expect(trouble).toEqual([]);
});

test('the heatmap is scrolled, zoomed and fixed by hand, and goes back to now', async ({ page }) => {
  await openHeatmap(page);
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThanOrEqual(3);
  const box = (await stage(page).boundingBox())!;
  // Beside the newest column: what is zoomed into there stays at now.
  await page.mouse.move(box.x + box.width - 160, box.y + 200);
  const toNow = heatmap(page).getByRole('button', { name: 'To now' });
  await page.mouse.wheel(0, -4_000);
  await expect(toNow).toHaveCount(0);
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThanOrEqual(12);
  await page.mouse.move(box.x + 60, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 140, box.y + 202, { steps: 4 });
  await page.mouse.up();
  await expect(toNow).toBeVisible();
  await toNow.click();
  await expect(toNow).toHaveCount(0);

  const auto = page.getByRole('button', { name: 'Auto price' });
  await expect(auto).toHaveAttribute('aria-pressed', 'true');
  await stage(page).focus();
  await page.keyboard.press('PageUp');
  await expect(auto).toHaveAttribute('aria-pressed', 'false');
  await auto.click();
  await expect(auto).toHaveAttribute('aria-pressed', 'true');
});

test('after a restart of the server the picture stays, with a hole, and goes on', async ({
  page,
  depthwire,
}) => {
  await openHeatmap(page);
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThanOrEqual(3);
  await depthwire.stop('SIGKILL');
  await expect(heatmap(page)).toHaveAttribute('data-state', 'recovering', PATIENT);
  const before = await drawnColumns(stage(page));
  expect(before).toBeGreaterThanOrEqual(3);
  await depthwire.start();
  await expect(heatmap(page)).toHaveAttribute('data-state', 'live', PATIENT);
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThan(before + 1);
  await expect(stage(page)).toHaveAttribute('aria-label', /seconds, [1-9]\d* holes?;/, PATIENT);
});

test('where the past is refused the heatmap says why, and is live all the same', async ({ page }) => {
  const error = { code: 'forbidden', message: 'desk may read 10 levels a side', retry: false };
  await page.route('**/depth-history*', (route) => route.fulfill({ status: 403, json: { error } }));
  await openHeatmap(page);
  const note = heatmap(page).getByText('Live only');
  await expect(note).toHaveAttribute('title', 'desk may read 10 levels a side');
  await expect.poll(() => drawnColumns(stage(page)), PATIENT).toBeGreaterThanOrEqual(2);
});
