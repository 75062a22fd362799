import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  workers: 2, // a test waits for the market about half of its time
  fullyParallel: true, // files are of very different lengths
  retries: 1, // the machine is shared with a market and two browsers; what passed the second time only is told by name
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 }, // of two workers each may keep the other waiting
  globalTimeout: 15 * 60_000,
  reporter: [['list'], ['json', { outputFile: 'test-results/e2e.json' }]],
  outputDir: 'test-results/e2e',
  use: {
    viewport: { width: 1440, height: 900 },
    trace: 'off', // it takes as much again as the test; to look at one: npm run test:e2e -- --trace on
    screenshot: 'only-on-failure',
    serviceWorkers: 'block', // what it answers, page.route does not see

    launchOptions: {
      // scripts/setup.mjs finds it; without it, the browser that `playwright install` brought.
      ...(process.env.CHROMIUM_PATH && { executablePath: process.env.CHROMIUM_PATH }),
      args: [
        '--no-sandbox', // Chromium refuses to sandbox for root, as in CI
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
