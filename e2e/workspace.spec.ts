import { readFile } from 'node:fs/promises';
import type { Topic } from '@depthwire/shared';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { expectLive, openLive, panel, readBook, watchForTrouble } from './page.ts';

const tabs = (page: Page) => page.locator('[data-testid^=tab-]');
const workspaceMenu = (page: Page) => page.getByRole('button', { name: /^Workspace: / });

async function choose(page: Page, ...items: string[]): Promise<void> {
  await workspaceMenu(page).click();
  for (const [i, name] of items.entries()) {
    const item = page.getByRole('menuitem', { name }).or(page.getByRole('menuitemradio', { name }));
    if (i < items.length - 1) await item.first().hover();
    else await item.first().click();
  }
}

/** The panels that share a header with this one. */
const groupOf = (page: Page, tab: string) =>
  page.locator('.dv-groupview').filter({ has: page.getByTestId(tab) });

/** What a panel's menu does. */
async function inPanelMenu(page: Page, tab: string, ...items: string[]): Promise<void> {
  await groupOf(page, tab).getByRole('button', { name: 'Panel menu' }).click();
  for (const [i, name] of items.entries()) {
    const item = page.getByRole('menuitem', { name }).last();
    if (i < items.length - 1) await item.hover();
    else await item.click();
  }
}

/** Runs a command by its words. */
async function command(page: Page, words: string, key = 'Enter'): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Instrument or command').fill(words);
  await page.keyboard.press(key);
}

test('panels dock, split and close; what was done is undone, done again, and there after a reload', async ({
  page,
  depthwire,
}) => {
  const trouble = watchForTrouble(page, () => depthwire.url);
  const kept = (id: string) =>
    expect
      .poll(() => page.evaluate((text) => localStorage.getItem('depthwire.workspaces')?.includes(text), id))
      .toBe(true);
  await openLive(page);
  await expect(tabs(page)).toHaveCount(5);

  await inPanelMenu(page, 'tab-depth-1', 'Split to the right', 'Time and sales');
  await expect(page.getByTestId('tab-tape-2')).toBeVisible();
  await expect(panel(page, 'Time and sales')).toHaveCount(2);
  await expect(panel(page, 'Time and sales').last()).toHaveAttribute('data-state', 'live');
  await kept('tape-2'); // closed before, it would be no step at all

  await inPanelMenu(page, 'tab-tape-2', 'Close');
  await expect(tabs(page)).toHaveCount(5);
  await page.keyboard.press('Control+z'); // at once: what is undone is what was done last
  await expect(page.getByTestId('tab-tape-2')).toBeVisible();
  await page.keyboard.press('Control+Shift+z');
  await expect(tabs(page)).toHaveCount(5);
  await workspaceMenu(page).click();
  await page.getByRole('menuitem', { name: 'Undo' }).click();
  await expect(page.getByTestId('tab-tape-2')).toBeVisible();
  await page.keyboard.press('Control+z');
  await expect(tabs(page)).toHaveCount(5);
  await page.keyboard.press('Control+Shift+z');
  await expect(tabs(page)).toHaveCount(6);
  await expect(panel(page, 'Time and sales').last()).toHaveAttribute('data-state', 'live');

  await kept('tape-2');
  await page.reload();
  await expect(page.getByTestId('tab-tape-2')).toBeVisible();
  expect(trouble).toEqual([]);
});

test('a tab that is behind another is not there and subscribes to nothing, and is live again in front', async ({
  page,
  proxied,
}) => {
  const { url, requests } = await proxied();
  await openLive(page, url);
  const subscriptions = (topic: Topic) =>
    requests.filter((request) => request.op === 'subscribe' && request.topic === topic).length;
  const left = () => requests.filter(({ op }) => op === 'unsubscribe').length;
  const before = { trades: subscriptions('trades'), left: left() };
  await inPanelMenu(page, 'tab-tape-1', 'Add a tab', 'Depth');
  await expect(panel(page, 'Time and sales')).toHaveCount(0);
  // Nothing else draws trades; the book is drawn by others, and stays.
  await expect.poll(left).toBe(before.left + 1);
  expect(subscriptions('trades')).toBe(before.trades);
  await page.getByTestId('tab-tape-1').click();
  await expect(panel(page, 'Time and sales')).toHaveAttribute('data-state', 'live');
  expect(subscriptions('trades')).toBe(before.trades + 1);
});

test('panels of one colour follow each other, others keep their instrument', async ({ page }) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  await inPanelMenu(page, 'tab-ladder-1', 'Split below', 'Order book');
  await groupOf(page, 'tab-ladder-2')
    .getByRole('button', { name: /^Linked/ })
    .click();
  await page.getByRole('menuitem', { name: /Pink/ }).click();
  // The panel that was worked with is the pink one.
  await command(page, 'eth-usd', 'Shift+Enter');
  await expect.poll(async () => (await readBook(page))?.instrument).toBe('sim:ETH-USD');
  await expect(page.getByTestId('tab-ladder-2')).toContainText('BTC-USD');
  await expect(page.getByTestId('tab-ladder-1')).not.toContainText('-USD');
  const mids = page.locator('[data-testid=panel-book] .mid');
  await expect(mids).toHaveCount(2);
  await expect(mids.last()).toHaveText(/^\d{2},/);
});

test('the palette chooses for the panel that was clicked last, and with Shift for the header', async ({
  page,
}) => {
  await openLive(page, '/?instrument=sim:BTC-USD');
  await command(page, 'sol-usd');
  await expect.poll(async () => (await readBook(page))?.instrument).toBe('sim:SOL-USD');
  await inPanelMenu(page, 'tab-chart-1', 'Split to the right', 'Chart');
  await groupOf(page, 'tab-chart-2')
    .getByRole('button', { name: /^Linked/ })
    .click();
  await page.getByRole('menuitem', { name: /Pink/ }).click();
  await expect(page.getByTestId('tab-chart-1')).toContainText('SOL-USD');
  await panel(page, 'Chart').last().click();
  await command(page, 'eth-usd');
  await expect(page.getByTestId('tab-chart-2')).toContainText('ETH-USD');
  expect((await readBook(page))?.instrument).toBe('sim:SOL-USD');

  await page.getByTestId('tab-chart-2').getByText('ETH-USD').click();
  const palette = page.getByRole('dialog', { name: 'Search instruments' });
  await page.getByPlaceholder('Instrument or command').fill('btc-usd');
  await expect(palette).toContainText('Instruments for Chart · Pink');
  await page.keyboard.press('Shift+Enter');
  await expect.poll(async () => (await readBook(page))?.instrument).toBe('sim:BTC-USD');
  await expect(page.getByTestId('tab-chart-2')).toContainText('ETH-USD');
});

test('workspaces are made from presets, named, duplicated, deleted, and kept apart', async ({ page }) => {
  await openLive(page);
  await choose(page, 'New', 'Scalping');
  await expect(workspaceMenu(page)).toHaveText(/Scalping/);
  await expect(tabs(page)).toHaveCount(4);
  await choose(page, 'Rename');
  await page.getByRole('textbox', { name: 'Name' }).fill('Fast');
  await page.keyboard.press('Enter');
  await expect(workspaceMenu(page)).toHaveText(/Fast/);
  await choose(page, 'Duplicate');
  await expect(workspaceMenu(page)).toHaveText(/Fast 2/);
  await choose(page, 'Delete');
  await expect(workspaceMenu(page)).not.toHaveText(/Fast 2/);
  await choose(page, 'Fast');
  await choose(page, 'Save as…');
  const name = page.getByRole('dialog', { name: 'Save the workspace as' }).getByRole('textbox');
  await expect(name).toHaveValue('Fast 2');
  await name.fill(' ');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Expected 1 to 60 characters')).toBeVisible();
  await name.fill('Open of the day');
  await page.keyboard.press('Enter');
  await expect(workspaceMenu(page)).toHaveText(/Open of the day/);
  await expect(tabs(page)).toHaveCount(4);
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Instrument or command').fill('save as');
  await page.getByRole('option', { name: 'Save the workspace as…' }).click();
  await expect(name).toHaveValue('Open of the day 2');
  // What is there is only a proposal: typing replaces it.
  await page.keyboard.type('Close');
  await expect(name).toHaveValue('Close');
  await page.keyboard.press('Escape');
  await choose(page, 'Fast');
  await choose(page, 'Trading');
  await expect(tabs(page)).toHaveCount(5);
  await expectLive(page);
});

test('a workspace goes to another browser by file and by link, and what is none is refused', async ({
  page,
  browser,
  depthwire,
}) => {
  await openLive(page);
  await choose(page, 'New', 'Monitoring');
  await expect(tabs(page)).toHaveCount(5);
  const download = page.waitForEvent('download');
  await choose(page, 'Save to a file');
  const file = await (await download).path();
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    format: 'depthwire-workspace',
    version: 1,
  });

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await choose(page, 'Copy link');
  await expect(page.getByText('The link is copied')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());

  const other = await (await browser.newContext()).newPage();
  await other.goto(link.replace(new URL(link).origin, depthwire.url));
  await expect(workspaceMenu(other)).toHaveText(/Monitoring/);
  await expect(tabs(other)).toHaveCount(5);
  expect(new URL(other.url()).hash).toBe('');
  await other.getByLabel('A workspace that was saved to a file').setInputFiles(file);
  await expect(workspaceMenu(other)).toHaveText(/Monitoring 2/);
  await other
    .getByLabel('A workspace that was saved to a file')
    .setInputFiles({ name: 'wrong.json', mimeType: 'application/json', buffer: Buffer.from('{"format":1}') });
  await expect(other.getByText(/^wrong\.json: format: /)).toBeVisible();
  await other.context().close();
});

test('a saved workspace that cannot be used is replaced, and the page says why', async ({ page }) => {
  await page.addInitScript(() => {
    const broken = {
      id: 'broken',
      data: {
        name: 'Broken',
        links: {},
        panels: {
          'chart-1': { kind: 'chart', link: 'blue', instrument: null, settings: { interval: 'never' } },
        },
        layout: {
          grid: {
            root: { type: 'leaf', data: { views: ['ghost'], id: '1' } },
            width: 1,
            height: 1,
            orientation: 'HORIZONTAL',
          },
          panels: { ghost: { id: 'ghost', contentComponent: 'panel' } },
        },
      },
    };
    localStorage.setItem(
      'depthwire.workspaces',
      JSON.stringify({ version: 1, current: 'broken', workspaces: [broken, { id: 'x', data: 7 }] }),
    );
  });
  await page.goto('/');
  await expect(page.getByText(/^The layout cannot be used/)).toBeVisible();
  await expectLive(page);
});

test('a browser that keeps nothing is no obstacle, and it is said once', async ({ page }) => {
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
    };
  });
  await openLive(page);
  await expect(page.getByTestId('notice')).toContainText('This browser keeps nothing for this page');
  await page.getByTestId('notice').getByRole('button').click();
  await command(page, 'colours blue');
  await expect(page.locator('html')).toHaveAttribute('data-palette', 'blue-orange');
  await expect(page.getByTestId('notice')).toBeEmpty();
});

test('everything is reached by keys: the palette, a panel alone, the sheet of shortcuts', async ({
  page,
}) => {
  await openLive(page);
  await command(page, 'colours blue');
  await expect(page.locator('html')).toHaveAttribute('data-palette', 'blue-orange');
  await page.getByTestId('tab-chart-1').click();
  await page.keyboard.press('Alt+m');
  await expect(panel(page, 'Watchlist')).toBeHidden();
  await page.keyboard.press('Alt+m');
  await expect(panel(page, 'Watchlist')).toBeVisible();
  await command(page, 'add feeds');
  await expect(page.getByTestId('panel-feeds')).toHaveAttribute('data-state', 'live');
  await expect(page.getByTestId('panel-feeds')).toContainText('Events a second');
  await command(page, 'add inspector');
  await expect(page.getByTestId('panel-inspector')).toContainText('bookSnapshot');
  // Without Shift, as some layouts have it, and with the focus left on a list.
  await page.getByRole('combobox', { name: 'Smallest trade' }).focus();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toContainText('Ctrl K');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('two tabs keep their workspaces beside each other, over plain HTTP too', async ({ page, context }) => {
  // Browsers have it over TLS alone.
  await context.addInitScript(() => Object.defineProperty(crypto, 'randomUUID', { value: undefined }));
  await openLive(page);
  const other = await context.newPage();
  await openLive(other);
  await choose(other, 'New', 'Scalping');
  await expect(workspaceMenu(other)).toHaveText(/Scalping/);
  const kept = () =>
    page.evaluate(() => {
      const stored = JSON.parse(localStorage.getItem('depthwire.workspaces') ?? '{}') as {
        workspaces?: { data: { name: string } }[];
      };
      return (stored.workspaces ?? []).map(({ data }) => data.name);
    });
  await expect.poll(kept).toEqual(['Trading', 'Scalping']);
  await inPanelMenu(page, 'tab-tape-1', 'Close');
  await workspaceMenu(page).click();
  await expect(page.getByRole('menuitemradio', { name: 'Scalping' })).toBeVisible();
  await page.keyboard.press('Escape');
  // What this tab changed is kept, and so is what the other added.
  await expect
    .poll(() =>
      page.evaluate(() => {
        const text = localStorage.getItem('depthwire.workspaces') ?? '{}';
        const { workspaces } = JSON.parse(text) as { workspaces: { data: { panels: object } }[] };
        return workspaces.map(({ data }) => 'tape-1' in data.panels);
      }),
    )
    .toEqual([false, true]);
});

test('a menu that is asked for before its code is there opens when that has come', async ({ page }) => {
  // Nothing is loaded unasked.
  await page.addInitScript(() => (globalThis.requestIdleCallback = () => 0));
  await page.goto('/');
  await expect(panel(page, 'Order book')).toHaveAttribute('data-state', 'live');
  const menu = page.getByRole('menu');
  await workspaceMenu(page).click();
  await expect(menu).toBeVisible();
  await expect(workspaceMenu(page)).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('Escape');
  await expect(menu).toHaveCount(0);
  await expect(workspaceMenu(page)).toBeFocused();
  for (const key of ['Enter', 'ArrowDown', ' ']) {
    await page.reload();
    await expect(panel(page, 'Order book')).toHaveAttribute('data-state', 'live');
    await workspaceMenu(page).press(key);
    await expect(page.getByRole('menuitemradio', { name: 'Trading' })).toBeFocused();
  }
  await page.reload();
  await page.getByTestId('watch-row').first().click({ button: 'right' });
  await expect(page.getByRole('menuitem', { name: 'Add to favourites' })).toBeVisible();
});

test.describe('without files that were kept', () => {
  test.use({ serviceWorkers: 'block' });

  test('a panel whose code does not come says so, and comes when it is tried again', async ({ page }) => {
    await openLive(page);
    await page.keyboard.press('Control+k');
    await page.context().route('**/*.js', (route) => route.abort());
    await page.getByPlaceholder('Instrument or command').fill('add heatmap');
    await page.keyboard.press('Enter');
    const failure = page.getByRole('alert').filter({ hasText: 'Liquidity heatmap failed' });
    await expect(failure).toContainText('it may have a newer dashboard by now');
    const again = failure.getByRole('button', { name: 'Try again' });
    await again.click();
    await expect(failure).toBeVisible();
    await page.context().unroute('**/*.js');
    await again.click();
    await expect(page.getByTestId('panel-heatmap')).toBeVisible();
    await expect(failure).toHaveCount(0);
  });
});

/**
 * Keeps the docking library from the page for as long as `isGone` says so. Undo it at the end of the test: what a page
 * loads when it has time may be under way then.
 */
async function withhold(page: Page, isGone: () => boolean): Promise<void> {
  await page.route('**/_app/immutable/chunks/*.js', async (route) => {
    const response = await route.fetch();
    const isDocking = (await response.text()).includes('dv-drop-target');
    await (isGone() && isDocking ? route.fulfill({ status: 404, body: '' }) : route.fulfill({ response }));
  });
}

test('docking whose code does not come is said to, panels are live without it, and it comes when asked again', async ({
  page,
}) => {
  let isGone = true;
  await withhold(page, () => isGone);
  await page.setViewportSize({ width: 1440, height: 600 });
  await page.goto('/');
  const main = page.getByRole('main');
  const alert = main.getByRole('alert').filter({ hasText: /./ }); // the library has an empty one
  await expect(alert).toContainText('it may have a newer dashboard by now');
  await expect(alert.getByRole('button', { name: 'Reload' })).toBeVisible();
  await expectLive(page);
  await expect(page.locator('.dv-groupview')).toHaveCount(0);

  const placesOf = () =>
    main.locator('section[data-label], .head, .tab, .link-chip, .group-action').evaluateAll((elements) =>
      elements
        .filter((element) => element.getClientRects().length > 0)
        .map((element) => {
          const { x, y, width, height } = element.getBoundingClientRect();
          const name = element.getAttribute('data-label') ?? element.className.split(' ')[0];
          return [name, x, y, width, height].join(' ');
        })
        .sort(),
    );
  const before = await placesOf();
  expect(before.length).toBeGreaterThan(20);
  const search = main.getByPlaceholder('Search');
  await search.fill('usd');
  const list = main.getByTestId('panel-watchlist').locator('.rows');
  await list.evaluate((grid) => (grid.scrollTop = 60));
  const drawn = await page.getByTestId('panel-book').elementHandle();

  isGone = false;
  // By script: focus stays where somebody is writing.
  await alert.getByRole('button', { name: 'Try again' }).evaluate((button: HTMLElement) => button.click());
  await expect(page.locator('.dv-groupview').first()).toBeVisible();
  await expect(alert).toHaveCount(0);
  expect(await placesOf()).toEqual(before);
  await expect(search).toBeFocused();
  await expect(search).toHaveValue('usd');
  expect(await list.evaluate((grid) => grid.scrollTop)).toBe(60);
  expect(await drawn!.evaluate((element) => element.isConnected)).toBe(true);
  await expectLive(page);
  await page.unrouteAll({ behavior: 'wait' });
});

test('of panels behind each other the one in front is drawn before they dock', async ({ page }) => {
  let isGone = false;
  await withhold(page, () => isGone);
  await openLive(page);
  await inPanelMenu(page, 'tab-tape-1', 'Add a tab', 'Alerts');
  await expect(page.getByTestId('panel-alerts')).toBeVisible();
  await page.getByTestId('tab-tape-1').click();
  await expect(page.getByTestId('panel-tape')).toBeVisible();
  const tape = page.getByTestId('panel-tape');
  const place = await tape.boundingBox();
  await expect
    .poll(() => page.evaluate(() => localStorage.getItem('depthwire.workspaces')))
    .toContain('"activeView":"tape-1"');

  isGone = true;
  await page.reload();
  await expect(tape).toHaveAttribute('data-state', 'live');
  await expect(page.locator('.dv-groupview')).toHaveCount(0);
  expect(await tape.boundingBox()).toEqual(place);
  await expect(page.getByTestId('tab-alerts-1')).toBeVisible();
  await expect(page.getByTestId('panel-alerts')).toHaveCount(0);
  await page.unrouteAll({ behavior: 'wait' });
});

test('a long notice leaves rows and prices to be read, in every width', async ({ page }) => {
  await openLive(page);
  const notice = page.getByTestId('notice');
  for (const width of [1440, 800, 390]) {
    await page.setViewportSize({ width, height: 900 });
    await page.getByLabel('A workspace that was saved to a file').setInputFiles({
      name: `${'long '.repeat(120)}.json`,
      mimeType: 'application/json',
      buffer: Buffer.from('{}'),
    });
    await expect(notice).toContainText('long');
    const bar = await page
      .locator(width < 720 ? 'nav' : 'footer')
      .last()
      .boundingBox();
    const box = await notice.locator('> div').boundingBox();
    // Two lines of it, on a phone above the bar.
    if (width < 720) expect(bar!.y - box!.y).toBeLessThan(50);
    else expect(bar!.y - box!.y).toBeLessThan(12);
    await notice.locator('p').hover();
    await expect.poll(async () => (await notice.locator('p').boundingBox())!.height).toBeGreaterThan(40);
    await notice.getByRole('button', { name: 'Dismiss' }).click();
    await expect(notice).toBeEmpty();
  }
});
