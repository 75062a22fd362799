import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive } from './page.ts';

/** What axe calls serious or worse, in words. */
async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(', ')}`);
}

for (const colorScheme of ['dark', 'light'] as const) {
  test(`axe finds nothing serious in the dashboard, its menus and dialogs: ${colorScheme}`, async ({
    page,
  }) => {
    test.setTimeout(120_000); // axe looks at every row
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await openLive(page);
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press('Control+k');
    await expect(page.getByPlaceholder('Instrument or command')).toBeFocused();
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Panel menu' }).first().click();
    await expect(page.getByRole('menu')).toBeVisible();
    expect(await serious(page)).toEqual([]);
  });
}
