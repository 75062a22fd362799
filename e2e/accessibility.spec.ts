import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { openLive } from './page.ts';

const CONTRAST = 'color-contrast';

/**
 * What axe calls serious or worse, in words. Contrast takes most of its time, by far: where something was opened,
 * it is looked at there, and everything else all over the page.
 */
async function serious(page: Page, opened?: string): Promise<string[]> {
  const whole = new AxeBuilder({ page });
  const { violations } = await (opened ? whole.disableRules(CONTRAST) : whole).analyze();
  if (opened) {
    const { violations: faint } = await new AxeBuilder({ page })
      .include(opened)
      .withRules(CONTRAST)
      .analyze();
    violations.push(...faint);
  }
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(', ')}`);
}

const looks = [
  { colorScheme: 'dark', contrast: 'no-preference' },
  { colorScheme: 'light', contrast: 'no-preference' },
  { colorScheme: 'light', contrast: 'more' },
] as const;

for (const { colorScheme, contrast } of looks) {
  const name = contrast === 'more' ? `${colorScheme}, high contrast` : colorScheme;
  test(`axe finds nothing serious in the dashboard, its menus and dialogs: ${name}`, async ({ page }) => {
    test.setTimeout(120_000); // axe looks at every row
    await page.emulateMedia({ colorScheme, contrast, reducedMotion: 'reduce' });
    await openLive(page);
    expect(await serious(page)).toEqual([]);
    await page.keyboard.press('Control+k');
    await expect(page.getByPlaceholder('Instrument or command')).toBeFocused();
    expect(await serious(page, '[role=dialog]')).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Panel menu' }).first().click();
    await expect(page.getByRole('menu')).toBeVisible();
    expect(await serious(page, '[role=menu]')).toEqual([]);
  });
}
