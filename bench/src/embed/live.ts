import type { Page } from '@playwright/test';

/** @throws where a widget does not show live data in time */
export async function expectLive(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll('depthwire-ticker, depthwire-depth')].every(
        ({ shadowRoot }) => shadowRoot?.querySelector('[data-state=live]') !== null,
      ),
    null,
    { timeout: 30_000 },
  );
}
