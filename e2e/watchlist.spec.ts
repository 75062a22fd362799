import { AxeBuilder } from '@axe-core/playwright';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive, panel, panelHead, watchForTrouble, watchRows } from './page.ts';

const grid = (page: Page) => panel(page, 'Watchlist').locator('.grid');
const headers = (page: Page) => panel(page, 'Watchlist').getByTestId('watch-header');
const ids = (page: Page) =>
  watchRows(page).evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.instrument));

/** What the list shows: an item of the menu in its bar. */
async function show(page: Page, item: string | RegExp): Promise<void> {
  await panelHead(page, 'Watchlist').getByRole('button', { name: 'What is shown' }).click();
  await page.getByRole('menuitemradio', { name: item }).click();
}

const stored = (page: Page, key: string) => page.evaluate((of) => localStorage.getItem(of) ?? '', key);

test('a group is made from marked rows, put in order by key and by drag, and there after a reload', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  await openLive(page);
  const [first, second, third] = (await ids(page)) as [string, string, string];
  await watchRows(page).nth(0).click();
  await watchRows(page)
    .nth(2)
    .click({ modifiers: ['Shift'] });
  await watchRows(page).nth(1).click({ button: 'right' });
  await expect(page.getByRole('menu')).toContainText('3 instruments');
  await page.getByRole('menuitem', { name: 'Groups' }).click();
  await page.getByRole('menuitem', { name: 'New group…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Majors');
  await page.keyboard.press('Enter');
  await show(page, /^\W*Majors/);
  await expect.poll(() => ids(page)).toEqual([first, second, third]);

  await grid(page).press('Home');
  await page.keyboard.press('Alt+ArrowDown');
  await expect.poll(() => ids(page)).toEqual([second, first, third]);
  const [from, to] = [await watchRows(page).nth(2).boundingBox(), await watchRows(page).nth(0).boundingBox()];
  await page.mouse.move(from!.x + 40, from!.y + from!.height / 2);
  await page.mouse.down();
  await page.mouse.move(to!.x + 40, to!.y + 2, { steps: 4 });
  await page.mouse.up();
  await expect.poll(() => ids(page)).toEqual([third, second, first]);
  // What is dragged is not chosen by it, but the keyboard goes with it.
  await expect(watchRows(page).nth(2)).toHaveAttribute('aria-current', 'true');
  await page.keyboard.press('f');
  await expect.poll(() => stored(page, 'depthwire.workspaces')).toContain('"show":"group"');

  await page.reload();
  await expect.poll(() => ids(page)).toEqual([third, second, first]);
  await show(page, /^\W*Favourites/);
  await expect.poll(() => ids(page)).toEqual([third]);
  expect(trouble).toEqual([]);
});

test.describe('of a server with few subscriptions', () => {
  test.use({
    serverArgs: ['--config', path.join(import.meta.dirname, 'few-subscriptions.yaml')],
    viewport: { width: 1440, height: 520 },
  });

  test('rows that are scrolled to are live, though others held all there were', async ({ page }) => {
    await openLive(page);
    await panel(page, 'Watchlist')
      .locator('.rows')
      .evaluate((list) => (list.scrollTop = list.scrollHeight));
    await expect(watchRows(page).last()).toBeInViewport();
    for (const row of await watchRows(page).all())
      await expect(row).toHaveAttribute('data-state', 'live', { timeout: 10_000 });
  });
});

test('headers are closed by keys, and what is below them is not subscribed to', async ({ page, proxied }) => {
  const { url, requests } = await proxied();
  await openLive(page, url);
  await watchRows(page).nth(1).click();
  await page.keyboard.press('f');
  const [, starred] = await ids(page);
  await show(page, 'By group');
  await expect(headers(page)).toHaveCount(2);
  await grid(page).press('End');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  const rest = headers(page).nth(1);
  await expect(rest).toHaveAttribute('aria-expanded', 'false');
  await expect.poll(() => ids(page)).toEqual([starred]);
  const { violations } = await new AxeBuilder({ page }).include('[data-testid=panel-watchlist]').analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);

  await expect.poll(() => stored(page, 'depthwire.workspaces')).toContain('"closed":["rest"]');
  const before = requests.length;
  await page.reload();
  await expect(panel(page, 'Watchlist')).toHaveAttribute('data-state', 'live');
  await expect(rest).toHaveAttribute('aria-expanded', 'false');
  const tickers = () =>
    requests
      .slice(before)
      .flatMap((request) =>
        request.op === 'subscribe' && request.topic === 'ticker' && request.cadence === 250
          ? [request.instrument]
          : [],
      );
  expect(new Set(tickers())).toEqual(new Set([starred]));
  await grid(page).press('End');
  await page.keyboard.press('ArrowRight');
  await expect(rest).toHaveAttribute('aria-expanded', 'true');
  await expect.poll(() => new Set(tickers()).size).toBeGreaterThan(1);
});

test('the header of the rows in sight stays above them, and closes them from there', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 420 });
  await openLive(page);
  await show(page, 'By kind');
  const list = panel(page, 'Watchlist').locator('.rows');
  const top = async () => (await list.boundingBox())!.y;
  const inSight = async () => {
    const at = await list.evaluate((box) => {
      const { left, top } = box.getBoundingClientRect();
      const found = document.elementFromPoint(left + 40, top + 8);
      return found?.closest('[data-testid=watch-header]')?.textContent ?? '';
    });
    return at.replaceAll(/\W+/g, ' ').trim();
  };
  await expect.poll(inSight).toMatch(/^Spot/);
  for (const [row, title] of [
    [8, /^Spot/],
    [14, /^(Perpetuals|Futures)/],
    [30, /^FX/],
  ] as const) {
    await list.evaluate((box, to) => (box.scrollTop = to), row * 24 + 4);
    await expect.poll(inSight).toMatch(title);
  }
  // What is gone to by key is not under it.
  await list.click({ position: { x: 60, y: 100 } });
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowUp');
  const chosen = panel(page, 'Watchlist').locator('[data-testid=watch-row].cursor');
  await expect(chosen).toBeVisible();
  expect((await chosen.boundingBox())!.y).toBeGreaterThanOrEqual((await top()) + 23);
  await list.click({ position: { x: 60, y: 8 } });
  const closed = panel(page, 'Watchlist').locator('[aria-expanded=false]');
  await expect(closed).toBeInViewport();
  await expect(panel(page, 'Watchlist').locator('[aria-expanded=true]').last()).toBeInViewport();
});

test('a column gets another width by drag and by key, and has it after a reload', async ({ page }) => {
  await openLive(page);
  const border = page.getByRole('separator', { name: 'Width of Last price' });
  const width = async () => Number(await border.getAttribute('aria-valuenow'));
  const drawn = () =>
    watchRows(page)
      .first()
      .locator('[data-cell=change]')
      .evaluate(
        (cell) =>
          cell.parentElement!.style.gridTemplateColumns ||
          getComputedStyle(cell.parentElement!).gridTemplateColumns,
      );
  const at = await width();
  const tracks = await drawn();
  const box = (await border.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 11, box.y + box.height / 2, { steps: 3 });
  await page.mouse.up();
  await expect.poll(width).toBe(at + 11);
  await border.press('ArrowRight');
  await expect.poll(width).toBe(at + 7);
  expect(await drawn()).not.toBe(tracks);
  await expect.poll(() => stored(page, 'depthwire.workspaces')).toContain(`"last":${at + 7}`);
  await page.reload();
  await expect.poll(width).toBe(at + 7);
  await border.press('Home');
  // No narrower than its figures.
  await expect.poll(width).toBe(at);
  await border.press('Enter');
  await expect.poll(width).toBeGreaterThan(40);

  await panelHead(page, 'Watchlist').getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitem', { name: 'Reset widths' }).click();
  await expect.poll(width).toBe(at);
});

test('a new group says that it is empty, has no state, and is filled from the list of all', async ({
  page,
}) => {
  await openLive(page);
  await panelHead(page, 'Watchlist').getByRole('button', { name: 'What is shown' }).click();
  await page.getByRole('menuitem', { name: 'New group…' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Mine');
  await page.keyboard.press('Enter');
  await expect(grid(page)).toContainText('Nothing in this group yet');
  await expect(panelHead(page, 'Watchlist').getByTestId('freshness')).toHaveCount(0);
  await grid(page).click({ button: 'right', position: { x: 40, y: 160 } });
  await expect(page.getByRole('menuitem', { name: 'Rename…' })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: 'Add instruments…' })).toBeVisible();
  await page.keyboard.press('Escape');
  await grid(page).getByRole('button', { name: 'Add instruments…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('searchbox').fill('btc-usd');
  const best = dialog.getByRole('checkbox').first();
  await best.check();
  await expect(best).toBeChecked();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await expect.poll(() => ids(page)).toEqual(['sim:BTC-USD']);
  await expect(panel(page, 'Watchlist')).toHaveAttribute('data-state', 'live');
});

test('a sort begins with the largest, is that of the figures, and is kept with the workspace', async ({
  page,
}) => {
  await openLive(page);
  const head = grid(page).getByRole('columnheader', { name: 'Spread' });
  await head.getByRole('button').click();
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  const search = panelHead(page, 'Watchlist').getByRole('searchbox');
  await search.fill('BTC-USD');
  await expect.poll(async () => (await ids(page))[0]).toBe('sim:BTC-USD');
  await search.fill('');
  // Figures change while they are read: they are in order at some moment, as they are after each second.
  await page.waitForFunction(() => {
    const cells = document.querySelectorAll('[data-testid=watch-row] [data-cell=spread]');
    const figures = [...cells].map((cell) => Number(cell.textContent));
    return figures.length > 5 && figures.every((one, i) => i === 0 || one <= figures[i - 1]!);
  });
  await expect.poll(() => stored(page, 'depthwire.workspaces')).toContain('"sortBy":"spread"');
  await page.reload();
  await expect(head).toHaveAttribute('aria-sort', 'descending');
});
