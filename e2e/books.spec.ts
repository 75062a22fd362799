import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import {
  expectAbove,
  openLive,
  panel,
  panelHead,
  readBook,
  watchForTrouble,
  type PageHandle,
} from './page.ts';

/** Ticks and lots of sim:BTC-USD. */
const TICK = 0.01;
const INSTRUMENT = 'sim:BTC-USD';

async function choose(page: Page, menu: string, ...options: string[]): Promise<void> {
  await page.getByRole('button', { name: menu }).click();
  for (const name of options) {
    const item = page.getByRole('menuitemradio', { name }).or(page.getByRole('menuitemcheckbox', { name }));
    await item.click();
  }
  await page.keyboard.press('Escape');
}

test('says what selling and buying 50 BTC would cost, as the levels of the book have it', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  const depth = panel(page, 'Depth');
  await depth.getByRole('textbox', { name: 'Market order' }).fill('50');
  const read = (side: 'sell' | 'buy') => depth.getByTestId(`order-${side}`);
  await expect(read('sell')).toContainText('bps');

  // Both are read in one go; where the book changed since the frame that was drawn, once more.
  const compare = () =>
    page.evaluate(
      ({ tick, size }) => {
        const book = (globalThis as unknown as PageHandle).__depthwire!.bookSubscription()!;
        const lot = book.instrument!.lot.units / 10 ** book.instrument!.lot.decimals;
        return (['sell', 'buy'] as const).map((side) => {
          const flat = (side === 'sell' ? book.book.bids : book.book.asks).toFlat();
          let [left, total, worst] = [size, 0, 0];
          for (let i = 0; i < flat.length && left > 1e-9; i += 2) {
            worst = flat[i]! * tick;
            const taken = i + 2 < flat.length ? Math.min(left, flat[i + 1]! * lot) : left;
            total += worst * taken;
            left -= taken;
          }
          const held = flat.reduce((sum, value, i) => sum + (i % 2 === 1 ? value * lot : 0), 0);
          const row = document.querySelector(`[data-testid=order-${side}]`)!;
          const number = (cell: Element) => Number(cell.textContent!.replace(/[^\d.]/g, ''));
          const [average, worstShown] = [...row.querySelectorAll('td')].map(number);
          const shown = number(row.querySelector('[data-testid=total]')!);
          return (
            Math.abs(shown - total) <= 1 &&
            Math.abs(average! - total / size) <= tick &&
            Math.abs(worstShown! - worst) < tick / 2 &&
            row.textContent!.includes('≥') === held < size
          );
        });
      },
      { tick: TICK, size: 50 },
    );
  await expect.poll(compare, { timeout: 15_000 }).toEqual([true, true]);

  await depth.getByRole('textbox', { name: 'Market order' }).fill('fifty');
  await expect(depth.getByRole('textbox', { name: 'Market order' })).toHaveAttribute('aria-invalid', 'true');
  await expect(read('sell')).not.toContainText('bps');
  expect(trouble).toEqual([]);
});

test('the balances of ladder and depth say over what range they are', async ({ page }) => {
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  const rows = panel(page, 'Order book').getByRole('group', { name: /of the \d+ rows shown/ });
  await expect(rows).toHaveAttribute('title', /\d+ rows shown/);
  const span = panel(page, 'Depth').getByRole('group', { name: /within ±[\d.]+\s?(bps|%) of the mid/ });
  await expect(span).toHaveAttribute('title', /within ±/);
});

test('a fixed ladder keeps a price in its row while the market moves, and goes where it is told', async ({
  page,
}) => {
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  await choose(page, 'What the order book shows', 'Fixed prices', 'Keep the best prices near the middle');
  const ladder = panel(page, 'Order book');
  const group = panelHead(page, 'Order book').getByLabel('Price group');
  await group.selectOption({ index: 8 });
  const prices = ladder.getByTestId('prices').locator('.price');
  const all = async () => (await prices.allTextContents()).map((text) => Number(text.replaceAll(',', '')));
  await expect(ladder.getByTestId('prices').locator('.row.bid').first()).toBeVisible();
  const before = await all();
  const step = before[0]! - before[1]!;
  expect(step).toBeGreaterThan(0);
  for (const [row, price] of before.entries()) expect(price).toBeCloseTo(before[0]! - row * step, 6);
  await expectAbove(page, 'frames', (await readBook(page))!.frames + 10);
  expect(await all()).toEqual(before);

  const box = (await ladder.getByTestId('prices').boundingBox())!;
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.wheel(0, -400);
  await expect.poll(async () => (await all())[0]).toBeGreaterThan(before[0]!);
  expect(await all()).toHaveLength(before.length);

  await page.mouse.move(0, 0);
  await ladder.getByRole('group', { name: 'Price rows' }).focus();
  await page.keyboard.press('Home');
  await expect(ladder.locator('.row.cursor.bid')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(ladder.getByTestId('sweep')).toContainText('Sell to here');
});

test('the tape is held still by a pointer that moves over it, until its button is clicked', async ({
  page,
}) => {
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  const tape = panel(page, 'Time and sales');
  const held = tape.getByRole('button', { name: 'Held still' });
  const newest = tape.getByTestId('trades').locator('.time').first();
  await expect(newest).toBeVisible();
  const { x, y } = (await tape.getByTestId('trades').boundingBox())!;
  // It came there, as it does when a menu over the tape closes.
  await page.mouse.move(x + 40, y + 80);
  const arrivals = await tape.getByTestId('trades').locator('.row').allInnerTexts();
  // Some seconds have no trade.
  const aTrade = { timeout: 30_000 };
  await expect
    .poll(() => tape.getByTestId('trades').locator('.row').allInnerTexts(), aTrade)
    .not.toEqual(arrivals);
  await expect(held).toHaveCount(0);
  await expect(async () => {
    await page.mouse.move(x + 44, y + 84);
    await page.mouse.move(x + 45, y + 84);
    await expect(held).toContainText(/\d+ new/, { timeout: 500 });
  }).toPass(aTrade);
  await held.click();
  await expect(held).toHaveCount(0);
});

test('another smallest trade is asked for in the currency of the one in use', async ({ page }) => {
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  const tape = panel(page, 'Time and sales');
  const smallest = tape.getByRole('combobox', { name: 'Smallest trade' });
  const dialog = page.getByRole('dialog', { name: 'Smallest trade' });
  const unit = dialog.getByRole('combobox', { name: 'Unit' });
  await smallest.selectOption('other…');
  await expect(unit.locator('option:checked')).toHaveText('USD');
  await unit.selectOption('BTC');
  await dialog.getByRole('textbox', { name: 'At least' }).fill('0.5');
  await page.keyboard.press('Enter');
  await expect(smallest.locator('option:checked')).toHaveText('≥ 0.5 BTC');
  await smallest.selectOption('other…');
  await expect(unit.locator('option:checked')).toHaveText('BTC');
});

test('the tape puts fills of one order together, and their sums are those of the trades', async ({
  page,
}) => {
  await openLive(page, `/?instrument=${INSTRUMENT}`);
  await choose(page, 'What the tape shows', 'Fills of one order together');
  // Under the pointer the tape is held still.
  await page.mouse.move(0, 0);
  const tape = panel(page, 'Time and sales');
  await expect(tape.getByText(/^×\d/).first()).toBeVisible({ timeout: 15_000 });
  await expect(tape.getByTestId('speed')).toContainText(/10 s\s*[\d.]+\/s/);

  const compare = () =>
    page.evaluate(() => {
      const { trades, instrument } = (globalThis as unknown as PageHandle).__depthwire!.tradesSubscription()!;
      const lot = instrument!.lot.units / 10 ** instrument!.lot.decimals;
      const rows = [...document.querySelectorAll<HTMLElement>('[data-testid=trades] .row')]
        .sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)
        .map(({ title }) => /^(\d+) fills? at .*: ([\d.,]+) /.exec(title)!)
        .map(([, count, size]) => ({ count: Number(count), size: Number(size!.replaceAll(',', '')) }));
      let end = trades.length;
      const areEqual = rows.every(({ count, size }) => {
        const fills = trades.slice(end - count, end);
        end -= count;
        const sum = fills.reduce((lots, fill) => lots + fill.size, 0) * lot;
        return fills.every(({ side }) => side === fills[0]!.side) && Math.abs(sum - size) < lot / 2;
      });
      return { areEqual, hasSums: rows.some(({ count }) => count > 1), isFilled: rows.length > 3 };
    });
  await expect.poll(compare, { timeout: 15_000 }).toEqual({ areEqual: true, hasSums: true, isFilled: true });
});
