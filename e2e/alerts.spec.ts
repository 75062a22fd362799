import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive, watchForTrouble } from './page.ts';

const alerts = (page: Page) => page.getByRole('list', { name: 'Alerts' }).getByTestId('alert');
const log = (page: Page) => page.getByTestId('alert-log').getByRole('listitem');
const notices = (page: Page) => page.getByTestId('alert-notices');
const unseen = (page: Page) => page.getByTestId('alerts-button').locator('.count');
/** The simulator moves by itself, but nobody says when. */
const PATIENT = { timeout: 20_000 };

// They wait for a market that moves by itself.
test.beforeEach(() => test.slow());

async function openForm(page: Page): Promise<void> {
  await page.keyboard.press('Alt+a');
  await expect(page.getByRole('dialog', { name: 'New alert' })).toBeVisible();
}

test('a price alert at the last price goes off, is told, logged, and there after a reload', async ({
  page,
  depthwire,
}) => {
  test.setTimeout(120_000); // the market goes where it wants
  const trouble = watchForTrouble(page, () => depthwire.url);
  await openLive(page, '/?instrument=sim:BTC-USD');
  await openForm(page);
  const level = page.getByRole('textbox', { name: 'Level' });
  await expect(level).toHaveValue(/^\d+\.\d+$/);
  await level.fill(`${await level.inputValue()}00001`);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('is not a multiple of');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'New alert' })).toHaveCount(0);

  // One level on each side of the last price: the market leaves the room between them, one way or the other.
  for (const [way, by] of [
    ['above', 5],
    ['below', -5],
  ] as const) {
    await openForm(page);
    await expect(level).toHaveValue(/^\d/);
    await page.getByRole('combobox', { name: 'Which way' }).selectOption(way);
    await level.fill((Number(await level.inputValue()) + by).toFixed(2));
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name: 'New alert' })).toHaveCount(0);
  }
  await expect(unseen(page)).toHaveText(/^[12]/, { timeout: 60_000 });
  await expect(notices(page)).toContainText('last price crosses');
  await expect(page).toHaveTitle(/^\([12]/, PATIENT);
  await page.reload();
  await expect(unseen(page)).toHaveText(/^[12]/, PATIENT);

  await page.getByTestId('alerts-button').click();
  const triggered = alerts(page).and(page.locator('[data-state=triggered]')).first();
  await expect(triggered).toBeVisible();
  await expect(log(page).last()).toContainText(
    /BTC-USD last price crosses (above|below) [\d,]+\.\d+ [\d,]+\.\d+/,
  );
  await expect(unseen(page)).toHaveCount(0);
  await triggered.getByRole('button', { name: /^Arm again/ }).click();
  for (let left = await alerts(page).count(); left > 0; left--)
    await alerts(page)
      .first()
      .getByRole('button', { name: /^Delete/ })
      .click();
  await expect(alerts(page)).toHaveCount(0);
  expect(trouble).toEqual([]);
});

test('the level of an alert is that of the instrument that is typed, as the list shows it, and in percent of its price', async ({
  page,
}) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  await openForm(page);
  const level = page.getByRole('textbox', { name: 'Level' });
  await expect(level).toHaveValue(/^\d{5,}\.\d+$/);
  await page.getByRole('dialog').getByRole('combobox', { name: 'Instrument' }).fill('gbp-usd');
  await expect(level).toHaveValue(/^\d\.\d+$/);
  await level.fill('-1%');
  // The click takes the focus from the field, which writes the price: the button stays where it is.
  await page.getByRole('button', { name: 'Make alert' }).click({ position: { x: 20, y: 2 } });
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByTestId('alerts-button').click();
  await expect(alerts(page)).toContainText('GBP-USD');
});

test('a level says what it comes to while it is typed; a new alert is told, and a deleted one keeps its row and comes back', async ({
  page,
}) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  await openForm(page);
  const dialog = page.getByRole('dialog');
  const level = page.getByRole('textbox', { name: 'Level' });
  const reading = page.getByTestId('level-reading');
  await expect(level).toHaveValue(/^\d+\.\d+$/);
  await expect(dialog).not.toContainText(/does not let the page notify|has no notifications/);
  const { y, height } = (await dialog.boundingBox())!;
  await level.fill('+1%');
  await expect(reading).toHaveText(/^= [\d,]+\.\d\d, 1\.00% above the last price$/);
  await level.fill('abc');
  await expect(reading).toHaveText('expected a decimal number');
  expect(await dialog.boundingBox()).toMatchObject({ y, height });
  const notice = page.getByTestId('notice');
  for (const text of ['900k', '800k']) {
    if (text === '800k') await openForm(page);
    await expect(level).toHaveValue(/\d|abc/);
    await level.fill(text);
    await page.keyboard.press('Enter');
    await expect(notice).toContainText(`Alert set: BTC-USD, last price crosses ${text[0]}00,000`);
  }

  await page.getByTestId('alerts-button').click();
  const cross = alerts(page)
    .first()
    .getByRole('button', { name: /^Delete/ });
  const place = (await cross.boundingBox())!;
  const next = await alerts(page).nth(1).boundingBox();
  await cross.dblclick();
  const gone = page.getByTestId('alert-deleted');
  await expect(gone).toContainText('Deleted');
  await expect(gone).toContainText('900,000');
  await expect(alerts(page)).toHaveCount(1);
  expect(await alerts(page).boundingBox()).toEqual(next);
  // Longer than it stays when nobody is at it.
  await page.waitForTimeout(6_500);
  await gone.getByRole('button', { name: /undo/ }).click();
  await expect(alerts(page)).toHaveCount(2);
  await expect(alerts(page).first()).toContainText('900,000');
  expect(await cross.boundingBox()).toEqual(place);
  await cross.click();
  await page.mouse.move(0, 0);
  await expect(gone).toHaveCount(0, { timeout: 10_000 });
  await expect(alerts(page)).toHaveText([/800,000/]);
});

test('an alert for data that is not live goes off when the server is gone, of an instrument that no panel shows', async ({
  page,
  depthwire,
}) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  await openForm(page);
  await page.getByRole('combobox', { name: 'Instrument' }).fill('sim:ETH-USD');
  await page.getByRole('combobox', { name: 'When' }).selectOption('stale');
  await page.getByRole('textbox', { name: 'Seconds' }).fill('3');
  await page.getByRole('combobox', { name: 'How often' }).selectOption('yes');
  await page.getByRole('button', { name: 'Make alert' }).click();
  await page.getByTestId('alerts-button').click();
  await expect(alerts(page)).toHaveAttribute('data-state', 'armed');
  await expect(log(page)).toHaveText('Nothing yet');

  await depthwire.stop('SIGKILL');
  await expect(log(page)).toContainText(/ETH-USD not live for 3 s .*connection lost/, PATIENT);
  await expect(alerts(page)).toHaveAttribute('data-state', 'armed');
});

test('of two tabs one watches; the other shows what it found, and takes over', async ({ page, context }) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  const other = await context.newPage();
  await openLive(other, '/?instrument=sim:BTC-USD');
  await other.getByTestId('alerts-button').click();
  const elsewhere = other.getByText('Another tab watches the market');
  await expect(elsewhere).toBeVisible();

  await openForm(other);
  await other.getByRole('combobox', { name: 'When' }).selectOption('trade');
  await other.getByRole('textbox', { name: 'Size' }).fill('0.01');
  await other.getByRole('button', { name: 'Make alert' }).click();
  // The first tab is behind the second, and draws nothing.
  await expect(log(other)).toContainText(
    /BTC-USD trade of 0\.01 USD or more [\d.]+ BTC (bought|sold) at/,
    PATIENT,
  );
  await expect(log(other)).toHaveCount(1);

  await page.close();
  await expect(elsewhere).toHaveCount(0);
  await alerts(other)
    .getByRole('button', { name: /^Arm again/ })
    .click();
  await expect(log(other)).toHaveCount(2, PATIENT);
});
