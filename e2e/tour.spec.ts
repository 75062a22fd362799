import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { expectAbove, openLive, readBook, watchForTrouble } from './page.ts';

const offer = (page: Page) => page.getByTestId('tour-offer');
const step = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true });

const steps = [
  'Choose an instrument',
  'How fresh, and whose',
  'The order book',
  'Intervals and indicators',
  'Arrange the panels',
  'Everything by name',
  'Alerts',
  'The connection',
];

test('the tour goes from its offer to its end by keys, while data go on, and is not offered again', async ({
  page,
  depthwire,
}) => {
  test.setTimeout(120_000); // eight steps, and axe
  const trouble = watchForTrouble(page, () => depthwire.url);
  await openLive(page);
  await offer(page).getByRole('button', { name: 'Start' }).focus();
  await page.keyboard.press('Enter');
  const frames = (await readBook(page))?.frames ?? 0;
  for (const [index, name] of steps.entries()) {
    const dialog = step(page, name);
    await expect(dialog).toBeInViewport({ ratio: 1 });
    await expect(dialog).toContainText(`Step ${index + 1} of ${steps.length}`);
    const isLast = index === steps.length - 1;
    await expect(dialog.getByRole('button', { name: isLast ? 'Done' : 'Next' })).toBeFocused();
    if (index === 1) {
      await expect(page.getByTestId('tour-mark')).toBeInViewport({ ratio: 1 });
      await expect(dialog).toHaveAccessibleDescription(/^Each panel says what its data is/);
      // Contrast is computed from the tokens, and takes longest.
      const axe = new AxeBuilder({ page }).include('[role=dialog]').disableRules('color-contrast');
      const { violations } = await axe.analyze();
      expect(violations.map(({ id }) => id)).toEqual([]);
      // There and back.
      await page.keyboard.press('ArrowLeft');
      await expect(step(page, steps[0]!)).toBeVisible();
      await page.keyboard.press('ArrowRight');
      await expect(dialog.getByRole('button', { name: 'Next' })).toBeFocused();
    }
    await page.keyboard.press('Enter');
  }
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByTestId('tour-mark')).toHaveCount(0);
  await expectAbove(page, 'frames', frames);
  await page.reload();
  await expect(page.getByTestId('status-bar')).toBeVisible();
  await expect(offer(page)).toHaveCount(0);
  expect(trouble).toEqual([]);
});

test('the tour is left with Escape, not offered again after a reload, and begun again from the palette', async ({
  page,
}) => {
  await openLive(page);
  await offer(page).getByRole('button', { name: 'Start' }).click();
  await expect(step(page, steps[0]!)).toBeVisible();
  // What it points at can be used meanwhile.
  await page.getByTestId('watch-row').nth(2).click();
  await expect(step(page, steps[0]!)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.reload();
  await expect(page.getByTestId('status-bar')).toBeVisible();
  await expect(offer(page)).toHaveCount(0);
  await expect(page.getByTestId('tab-chart-1')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByPlaceholder('Instrument or command').fill('tour');
  await page.keyboard.press('Enter');
  await expect(step(page, steps[0]!)).toBeVisible();
});

test('a phone has its own tour', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/');
  await offer(page).getByRole('button', { name: 'Start' }).click();
  for (const name of [
    'Swipe, or touch a page',
    'How fresh, and whose',
    'The order book',
    'Alerts',
    'The connection',
  ]) {
    await expect(step(page, name)).toBeInViewport({ ratio: 1 });
    await step(page, name)
      .getByRole('button', { name: /Next|Done/ })
      .click();
  }
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('high contrast is kept over a reload, without a flash, and colours what the browser paints', async ({
  page,
}) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await openLive(page);
  const html = page.locator('html');
  const bars = page.locator('meta[name=theme-color]').first();
  const pixel = () =>
    page.evaluate(() => getComputedStyle(document.querySelector('[data-testid=panel-book] .price')!).color);
  await expect(html).toHaveAttribute('data-contrast', 'normal');
  const before = await pixel();
  await page.getByRole('button', { name: 'Display settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Display settings' });
  await settings.getByRole('radiogroup', { name: 'Contrast' }).getByText('High').click();
  await settings.getByRole('radiogroup', { name: 'Theme' }).getByText('Dark').click();
  await expect(html).toHaveAttribute('data-contrast', 'high');
  await expect(bars).toHaveAttribute('content', 'rgb(0, 0, 0)');
  expect(await pixel()).not.toBe(before);

  // All that it was, from the first element of the page on.
  await page.addInitScript(() => {
    const seen: (string | undefined)[] = [];
    Object.assign(globalThis, { seen });
    new MutationObserver(() => {
      if (document.body) seen.push(document.documentElement.dataset.contrast);
    }).observe(document, { attributes: true, childList: true, subtree: true });
  });
  await page.reload();
  await expect(page.getByTestId('status-bar')).toBeVisible();
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
  expect(seen.length).toBeGreaterThan(0);
  expect(new Set(seen)).toEqual(new Set(['high']));

  // Without a choice, the system's wish.
  await page.getByRole('button', { name: 'Display settings' }).click();
  await settings.getByRole('radiogroup', { name: 'Contrast' }).getByText('Auto').click();
  await expect(html).toHaveAttribute('data-contrast', 'normal');
  await page.emulateMedia({ contrast: 'more' });
  await expect(html).toHaveAttribute('data-contrast', 'high');
});
