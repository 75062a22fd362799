import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test as base } from './fixtures.ts';
import { startSite, type Site } from './site.ts';

// What docs/embedding.md shows and examples/widgets has is what somebody copies: all of it has to run, on a site of theirs.

const root = path.resolve(import.meta.dirname, '..');
const document = readFileSync(path.join(root, 'docs/embedding.md'), 'utf8');
const example = (name: string) => readFileSync(path.join(root, 'examples/widgets', name), 'utf8');
const blocks = (language: string) =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code!,
  );
const PATIENT = { timeout: 20_000 };
const LOADER = '<script type="module" src="https://data.example.com/widgets.js"></script>';

const test = base.extend<{ site: Site }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads from it that nothing is needed
  site: async ({}, use) => {
    const site = await startSite();
    await use(site);
    await site.close();
  },
});

/** Text of the document, for the server of the test; its key is for a server that has keys. */
async function at(server: string, text: string): Promise<string> {
  const manifest = (await (await fetch(`${server}/widgets/manifest.json`)).json()) as {
    version: string;
    files: Record<string, string>;
  };
  return text
    .replaceAll('https://data.example.com', server)
    .replaceAll('wss://data.example.com', server.replace('http', 'ws'))
    .replaceAll('0.1.0-1a2b3c4d', manifest.version)
    .replaceAll('sha384-…', manifest.files['widgets.js']!)
    .replaceAll(' key="dw_pk_…"', '');
}

async function expectAllLive(page: Page): Promise<void> {
  const elements = await page.locator(':is(body, body > section) > :is([instrument], [instruments])').all();
  const frames = await page.locator('iframe').all();
  expect(elements.length + frames.length).toBeGreaterThan(0);
  for (const element of elements) {
    await element.scrollIntoViewIfNeeded();
    await expect(element.locator('.frame').first()).toHaveAttribute('data-state', 'live', PATIENT);
  }
  for (const frame of frames) {
    await frame.scrollIntoViewIfNeeded();
    const widget = frame.contentFrame().locator('.frame').first();
    await expect(widget).toHaveAttribute('data-state', 'live', PATIENT);
  }
}

/** What the browser says against a page, of which there shall be nothing. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
      complaints.push(message.text());
  });
  return complaints;
}

test('every HTML block of docs/embedding.md shows live data', async ({ page, depthwire, site }) => {
  test.setTimeout(120_000);
  const complaints = complaintsOf(page);
  const found = blocks('html');
  expect(found.length).toBeGreaterThan(5);
  for (const [index, block] of found.entries()) {
    const whole = /<script|<iframe/.test(block) ? block : `${LOADER}\n${block}`;
    await page.goto(site.put(`/${index}`, await at(depthwire.url, whole)));
    await test.step(block.split('\n').at(-2)!, () => expectAllLive(page));
    if (block.includes('id="price"')) await expect(page.locator('#price')).toHaveText(/^\d+\.\d+$/);
  }
  expect(complaints).toEqual([]);
});

for (const name of ['plain.html', 'strict-csp.html', 'iframe.html'])
  test(`examples/widgets/${name} shows live data`, async ({ page, depthwire, site }) => {
    const complaints = complaintsOf(page);
    await page.goto(site.putFile(`/${name}`, await at(depthwire.url, example(name))));
    await expectAllLive(page);
    if (name === 'iframe.html') await expect(page.locator('#last')).toHaveText(/^\d+\.\d+$/, PATIENT);
    expect(complaints).toEqual([]);
  });

test('the policy of docs/embedding.md is enough', async ({ page, depthwire, site }) => {
  const complaints = complaintsOf(page);
  const [header] = blocks('http');
  const policy = (await at(depthwire.url, header!)).replace('Content-Security-Policy: ', '').trim();
  const widgets = ['ticker', 'depth', 'mini-chart'].map(
    (kind) => `<depthwire-${kind} instrument="sim:BTC-USD"></depthwire-${kind}>`,
  );
  await page.goto(site.put('/', await at(depthwire.url, [LOADER, ...widgets].join('\n')), policy));
  await expectAllLive(page);
  expect(complaints).toEqual([]);
});

test.describe('counted', () => {
  test.use({ ownServer: true });

  test('by the worker of docs/embedding.md pages of another origin share one connection', async ({
    context,
    depthwire,
    site,
  }) => {
    const [worker] = blocks('js');
    site.putFile('/depthwire-worker.js', await at(depthwire.url, worker!), 'text/javascript');
    const html = `${LOADER}<depthwire-ticker instrument="sim:BTC-USD" worker="/depthwire-worker.js"></depthwire-ticker>`;
    const url = site.put('/', await at(depthwire.url, html));
    for (const page of [await context.newPage(), await context.newPage()]) {
      await page.goto(url);
      await page.bringToFront();
      await expectAllLive(page);
    }
    const metrics = await (await fetch(`${depthwire.url}/metrics`)).text();
    const counts = [...metrics.matchAll(/^depthwire_connections(?:\{.*\})? (\d+)$/gm)];
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1);
  });
});
