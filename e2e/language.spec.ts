import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { watchForTrouble } from './page.ts';

/** Texts of bars, buttons and column heads that have no room for themselves. */
async function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const shown = document.querySelectorAll<HTMLElement>(
      'header button, header dt, .head button, .tab h2, .heads span, .heads button, .verified, footer > *, nav button, th',
    );
    return [...shown]
      .filter((element) => element.checkVisibility() && element.clientWidth > 1)
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => `${element.className}: ${element.innerText}`);
  });
}

/** Nothing is pushed out at the side. */
async function expectNoScroll(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
}

test.describe('in a German browser', () => {
  test.use({ locale: 'de-AT' });

  test('an alert that is being made follows the language, its numbers and what was wrong with them too', async ({
    page,
    context,
  }) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto('/?instrument=sim:BTC-USD');
    await expect(page.getByTestId('last-price')).toContainText(/\d/, { timeout: 15_000 });
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Instrument oder Befehl').fill('new alert');
    await page.keyboard.press('Enter');
    const form = page.getByRole('dialog').locator('form');
    await form.getByRole('combobox', { name: 'Wann' }).selectOption('spread');
    await form.getByRole('textbox', { name: 'Spread' }).fill('1,234');
    await form.getByRole('combobox', { name: 'Wann' }).selectOption('move');
    await form.getByRole('textbox', { name: 'Prozent' }).fill('viel');
    await form.getByRole('button', { name: 'Alarm anlegen' }).click();
    await expect(form.getByRole('alert')).toHaveText(/erwartet/);
    const other = await context.newPage();
    await other.goto('/feeds');
    await other.evaluate(() => localStorage.setItem('depthwire.language', 'en'));
    await expect(form.getByRole('alert')).toHaveText(/expected/);
    await form.getByRole('combobox', { name: 'When' }).selectOption('spread');
    await expect(form.getByRole('textbox', { name: 'Spread' })).toHaveValue('1.234');
  });

  test('the page is German, changes to English at once, and stays so', async ({ page, depthwire }) => {
    const trouble = watchForTrouble(page, () => depthwire.url);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.goto('/?instrument=sim:BTC-USD');
    const html = page.locator('html');
    await expect(html).toHaveAttribute('lang', 'de');
    await expect(page.getByTestId('connection')).toContainText('Verbunden', { timeout: 15_000 });
    await expect(page.getByTestId('verified')).toContainText('✓ Buch geprüft', { timeout: 15_000 });
    const book = page.locator('section[data-label="Orderbuch"]');
    await expect(book).toHaveAttribute('data-state', 'live', { timeout: 15_000 });
    for (const name of ['Orderbuch', 'Markttiefe', 'Times & Sales'])
      await expect(page.getByRole('heading', { name, exact: true })).toBeVisible();
    await expect(page.getByTestId('freshness').filter({ hasText: 'simuliert' }).first()).toBeVisible();
    // As German writes numbers.
    await expect(page.getByTestId('last-price')).toContainText(/\d\.\d{3},\d/);
    expect(await cutTexts(page)).toEqual([]);
    await expectNoScroll(page);

    await page.getByRole('button', { name: /^Arbeitsbereich: / }).click();
    await expect(page.getByRole('menuitem', { name: 'Link kopieren' })).toBeVisible();
    await page.keyboard.press('Escape');

    // Found by its English words, too.
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Instrument oder Befehl').fill('theme dark');
    await expect(page.getByRole('option', { name: 'Farbschema: dunkel' })).toBeVisible();
    await page.getByPlaceholder('Instrument oder Befehl').fill('sprache english');
    const before = await page.evaluate(() => performance.timeOrigin);
    await page.getByRole('option', { name: 'Sprache: English' }).click();
    await expect(html).toHaveAttribute('lang', 'en');
    await expect(page.getByTestId('connection')).toContainText('Connected');
    await expect(page.getByRole('heading', { name: 'Order book', exact: true })).toBeVisible();
    await expect(page.getByTestId('last-price')).toContainText(/\d,\d{3}\.\d/);
    expect(await page.evaluate(() => performance.timeOrigin)).toBe(before);

    await page.reload();
    await expect(html).toHaveAttribute('lang', 'en');
    await page.getByRole('button', { name: 'Display settings' }).click();
    await page.getByRole('dialog', { name: 'Display settings' }).getByText('Automatic').click();
    await expect(html).toHaveAttribute('lang', 'de');
    await expect(page.getByRole('heading', { name: 'Orderbuch', exact: true })).toBeVisible();
    expect(trouble).toEqual([]);
  });

  test('nothing is cut on a phone', async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto('/?instrument=sim:BTC-USD');
    await expect(page.locator('section[data-label="Chart"]')).toHaveAttribute('data-state', 'live', {
      timeout: 15_000,
    });
    for (const name of ['Liste', 'Buch', 'Tiefe', 'Trades', 'Heatmap', 'Alarme']) {
      const tab = page.getByRole('navigation', { name: 'Seiten' }).getByRole('button', { name, exact: true });
      await tab.click();
      await expect(tab).toHaveAttribute('aria-current', 'page');
      expect(await cutTexts(page)).toEqual([]);
      await expectNoScroll(page);
    }
  });
});

test.describe('words', () => {
  test.use({ serviceWorkers: 'block' });

  test('of another language are loaded when it is chosen; where they do not come, the page says so and stays as it is', async ({
    page,
  }) => {
    let asked = 0;
    let isGone = true;
    await page.route('**/_app/immutable/chunks/*.js', async (route) => {
      const response = await route.fetch();
      const isGerman = (await response.text()).includes('Schließen');
      if (isGerman) asked += 1;
      await (isGone && isGerman ? route.fulfill({ status: 404, body: '' }) : route.fulfill({ response }));
    });
    await page.goto('/');
    await expect(page.getByTestId('last-price')).toContainText(/\d/, { timeout: 15_000 });
    expect(asked).toBe(0);
    const choose = async (name: string) => {
      await page.keyboard.press('Control+k');
      await page.getByPlaceholder('Instrument or command').fill(`language ${name}`);
      await page.getByRole('option', { name: `Language: ${name}` }).click();
    };
    await choose('Deutsch');
    await expect(page.getByTestId('notice')).toContainText('could not be loaded');
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    isGone = false;
    await choose('English');
    await choose('Deutsch');
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await expect(page.getByRole('heading', { name: 'Orderbuch', exact: true })).toBeVisible();
    await page.unrouteAll({ behavior: 'wait' });
  });
});
