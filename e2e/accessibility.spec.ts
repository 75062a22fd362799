import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive } from './page.ts';

/** What axe calls serious or worse, in words: of the whole page, or of its contrast alone, in one part or all of it. */
async function serious(page: Page, rules: 'all' | 'contrast', part?: string): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  if (rules === 'contrast') axe.withRules('color-contrast');
  if (part) axe.include(part);
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(', ')}`);
}

// Names, roles and order are the same in all of them; contrast is not.
const looks = [
  { colorScheme: 'dark', contrast: 'no-preference', rules: 'all' },
  { colorScheme: 'light', contrast: 'no-preference', rules: 'contrast' },
  { colorScheme: 'light', contrast: 'more', rules: 'contrast' },
] as const;

for (const { colorScheme, contrast, rules } of looks) {
  const name = contrast === 'more' ? `${colorScheme}, high contrast` : colorScheme;
  test(`axe finds nothing serious in the dashboard, its menus and dialogs: ${name}`, async ({ page }) => {
    test.setTimeout(120_000); // axe looks at every row
    await page.emulateMedia({ colorScheme, contrast, reducedMotion: 'reduce' });
    await openLive(page);
    expect(await serious(page, rules)).toEqual([]);
    await page.keyboard.press('Control+k');
    await expect(page.getByPlaceholder('Instrument or command')).toBeFocused();
    expect(await serious(page, rules, '[role=dialog]')).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Panel menu' }).first().click();
    await expect(page.getByRole('menu')).toBeVisible();
    expect(await serious(page, rules, '[role=menu]')).toEqual([]);
  });
}
