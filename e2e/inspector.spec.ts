import { codecs, frameCodes } from '@depthwire/shared';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { watchForTrouble } from './page.ts';

const rows = (page: Page) => page.getByTestId('frames').getByRole('listitem');
const detail = (page: Page) => page.getByTestId('frame-detail');

/** What stands beside a name in the detail. */
async function field(page: Page, name: string): Promise<string> {
  return detail(page)
    .locator('dt', { hasText: new RegExp(`^${name}$`) })
    .locator('+ dd')
    .innerText();
}

/** Opens the newest row of a kind; the list stands still from then on. */
async function open(page: Page, kind: string): Promise<string> {
  await page.getByRole('button', { name: 'Pause' }).click();
  const row = rows(page).filter({ hasText: kind }).first();
  const text = await row.innerText();
  await row.click();
  await expect(detail(page)).toContainText(kind);
  return text;
}

test('shows every message of a connection, decoded, with its levels and its bytes', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  await page.goto('/?instrument=sim:ETH-USD');
  await page.getByRole('link', { name: 'Inspector' }).click();
  await expect(page).toHaveTitle('Inspector · Depthwire');
  await expect(page.getByLabel('Instrument', { exact: true })).toHaveValue('sim:ETH-USD');
  await expect(rows(page).filter({ hasText: 'bookDelta' }).nth(3)).toBeVisible();
  await expect(rows(page).filter({ hasText: 'book sim:ETH-USD' }).first()).toBeVisible();

  const row = await open(page, 'bookDelta');
  expect(await field(page, 'code')).toBe('2');
  expect(row.split('\n')).toContain(await field(page, 'seq'));
  const hex = await detail(page).locator('pre').innerText();
  const bytes = hex
    .split('\n')
    .flatMap((line) => line.slice(6, 54).trim().split(/\s+/))
    .map((byte) => parseInt(byte, 16));
  expect(bytes.length).toBe(Number(/(\d+) bytes/.exec(await detail(page).innerText())![1]));
  expect(bytes[1]).toBe(2); // the frame's code, behind the head of the array
  const levels = detail(page).locator('td.up, td.down');
  expect(await levels.count()).toBeGreaterThan(0);
  for (const price of await levels.allInnerTexts()) expect(price).toMatch(/^\d+\.\d\d$/);
  expect(trouble).toEqual([]);
});

test('stands still while paused, filters, and sees both directions', async ({ page }) => {
  await page.goto('/inspector?instrument=sim:BTC-USD');
  await expect(rows(page).filter({ hasText: 'bookDelta' }).nth(3)).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  const held = await rows(page).allInnerTexts();
  await expect(page.getByText(/Paused · \d{2,} new/)).toBeVisible();
  expect(await rows(page).allInnerTexts()).toEqual(held);

  await page.getByText('↑ Out').click();
  await expect(rows(page).filter({ hasText: 'subscribe' })).toHaveCount(5);
  await expect(rows(page).filter({ hasText: 'bookDelta' })).toHaveCount(0);
  await page.getByText('Both').click();
  await page.getByLabel('Filter by kind, topic, instrument').fill('CANDLES');
  await expect(rows(page).filter({ hasText: 'candlesSnapshot' })).toHaveCount(1);
  await expect(rows(page).filter({ hasText: 'bookDelta' })).toHaveCount(0);
  await page.getByLabel('Filter by kind, topic, instrument').fill('');
  await page.getByRole('button', { name: /^hello/ }).click();
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page)).toContainText('protocol 1');

  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(rows(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'hello ✕' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(rows(page).filter({ hasText: 'bookDelta' }).first()).toBeVisible();
});

test('shows the same messages as JSON, and what is subscribed to alone', async ({ page }) => {
  await page.goto('/inspector?instrument=sim:BTC-USD');
  await page.getByText('JSON').click();
  for (const topic of ['trades', 'candles', 'status', 'book']) await page.getByLabel(topic).uncheck();
  await page.getByRole('button', { name: 'Clear' }).click();
  await expect(rows(page).filter({ hasText: 'ticker' }).nth(2)).toBeVisible();
  await open(page, 'ticker');
  const sent = JSON.parse(await detail(page).locator('pre').innerText()) as number[];
  expect(sent.length).toBe(16);
  expect([await field(page, 'code'), await field(page, 'seq'), await field(page, 'bid')]).toEqual(
    [sent[0], sent[2], sent[12]].map(String),
  );
  await expect(rows(page).filter({ hasText: 'bookDelta' })).toHaveCount(0);
});

test('says that the server is away, and goes on when it is back', async ({ page, depthwire }) => {
  await page.goto('/inspector?instrument=sim:BTC-USD');
  await expect(rows(page).filter({ hasText: 'bookDelta' }).first()).toBeVisible();
  await depthwire.stop();
  await expect(page.getByRole('alert')).toContainText('connection');
  await depthwire.start();
  await page
    .getByRole('button', { name: 'Try now' })
    .click({ timeout: 2_000 })
    .catch(() => undefined); // or it did by itself
  await expect(page.getByRole('alert')).toBeHidden();
  await page.getByRole('button', { name: /^hello/ }).click();
  await expect(rows(page)).toHaveCount(2);
  await expect(page.getByTestId('sums').locator('div', { hasText: 'gaps' }).locator('dd')).toHaveText('0');
});

test('finds a frame that is missing, and the snapshot that mends it', async ({ page, proxied }) => {
  let isLosing = false;
  const { url } = await proxied((message) => {
    const frame = codecs.msgpack.decode(message);
    const isLost = isLosing && Array.isArray(frame) && frame[0] === frameCodes.bookDelta;
    if (isLost) isLosing = false;
    return isLost ? null : message;
  });
  await page.goto(`${url}/inspector?instrument=sim:BTC-USD`);
  for (const topic of ['trades', 'candles', 'status', 'ticker']) await page.getByLabel(topic).uncheck();
  await expect(rows(page).filter({ hasText: 'bookDelta' }).nth(3)).toBeVisible();
  isLosing = true; // only now: newer rows soon push this one out of sight
  const gap = rows(page).filter({ hasText: /gap: expected \d+, got \d+/ });
  await expect(gap).toHaveCount(1);
  await expect(page.getByTestId('sums').locator('div', { hasText: 'gaps' }).locator('dd')).toHaveText('1');
  await gap.click();
  await expect(detail(page)).toContainText('A frame of this channel is missing');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByText('↑ Out').click();
  await expect(rows(page).filter({ hasText: 'snapshot' })).toHaveCount(1);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('is reached from the settings, and fits', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('button', { name: 'Display settings' }).click();
    await page.getByRole('link', { name: 'Inspector' }).click();
    await expect(rows(page).filter({ hasText: 'bookDelta' }).first()).toBeVisible();
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBe(0);
    await open(page, 'bookDelta');
    await expect(detail(page)).toBeInViewport();
    expect(await overflow()).toBe(0);
  });
});
