import { writeFileSync } from 'node:fs';
import type { Locator, Page } from '@playwright/test';
import { expect, test as base } from './fixtures.ts';
import { startSite, type Site } from './site.ts';

// What people do who embed: pages of another origin, served by a server that knows nothing of ours.

const test = base.extend<{ site: Site }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads from it that nothing is needed
  site: async ({}, use) => {
    const site = await startSite();
    await use(site);
    await site.close();
  },
});

const PATIENT = { timeout: 20_000 };
const script = (server: string) => `<script type="module" src="${server}/widgets.js"></script>`;
const frameOf = (widget: Locator) => widget.locator('.frame').first();

async function expectLive(widget: Locator): Promise<void> {
  await expect(frameOf(widget)).toHaveAttribute('data-state', 'live', PATIENT);
}

/** What browsers say that a policy forbids, and errors of the page. */
async function troubleOf(page: Page): Promise<string[]> {
  const trouble: string[] = [];
  page.on('pageerror', ({ message }) => trouble.push(message));
  await page.exposeFunction('tellViolation', (text: string) => trouble.push(text));
  await page.addInitScript(() =>
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) =>
      // @ts-expect-error it is exposed by the test
      tellViolation(`${violatedDirective}: ${blockedURI} (${sourceFile})`),
    ),
  );
  return trouble;
}

async function metric(server: string, name: string): Promise<number> {
  const text = await (await fetch(`${server}/metrics`)).text();
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test.describe('a server that nobody configured, a page of the same machine', () => {
  test('three lines show a live depth chart', async ({ page, depthwire, site }) => {
    const trouble = await troubleOf(page);
    const url = site.put(
      '/',
      `${script(depthwire.url)}\n<depthwire-depth instrument="sim:BTC-USD"></depthwire-depth>`,
    );
    await page.goto(url);
    await expectLive(page.locator('depthwire-depth'));
    expect(trouble).toEqual([]);
  });

  test('and under a strict policy with Trusted Types, which nothing is against', async ({
    page,
    depthwire,
    site,
  }) => {
    const trouble = await troubleOf(page);
    const { host } = new URL(depthwire.url);
    const policy = `default-src 'none'; script-src ${depthwire.url}; connect-src ${depthwire.url} ws://${host}; require-trusted-types-for 'script'; trusted-types 'none'`;
    const kinds = ['ticker', 'mini-chart', 'depth', 'order-book', 'trades', 'symbol-overview'];
    const lists = ['ticker-tape', 'market-table', 'heat-tiles'];
    const url = site.put(
      '/',
      [
        script(depthwire.url),
        ...kinds.map((kind) => `<depthwire-${kind} instrument="sim:BTC-USD"></depthwire-${kind}>`),
        ...lists.map(
          (kind) => `<depthwire-${kind} instruments="sim:BTC-USD sim:ETH-USD"></depthwire-${kind}>`,
        ),
      ].join('\n'),
      policy,
    );
    await page.goto(url);
    for (const kind of [...kinds, ...lists]) {
      const widget = page.locator(`body > depthwire-${kind}`);
      await widget.scrollIntoViewIfNeeded();
      await expectLive(widget);
    }
    expect(trouble).toEqual([]);
  });

  test('the same in a frame, whose events the page hears', async ({ page, depthwire, site }) => {
    const url = site.put(
      '/',
      `<iframe title="Depth" src="${depthwire.url}/embed/depth?instrument=sim%3ABTC-USD&theme=dark" width="600" height="300"></iframe>
       <iframe title="Wrong" src="${depthwire.url}/embed/depth?instrument=sim%3ABTC-USD&colour=red"></iframe>`,
    );
    await page.addInitScript(() => {
      addEventListener('message', ({ data }) =>
        Object.assign(window, { [String(data?.type)]: data?.detail }),
      );
    });
    await page.goto(url);
    await expectLive(page.frameLocator('iframe[title=Depth]').locator('depthwire-depth'));
    await expect(page.frameLocator('iframe[title=Wrong]').locator('p')).toContainText(
      'has no option “colour”',
    );
    await expect
      .poll(() => page.evaluate(() => Reflect.get(window, 'dw-price')?.instrument as unknown))
      .toBe('sim:BTC-USD');
  });

  test.describe('counted', () => {
    test.use({ ownServer: true });

    test('twenty widgets have one WebSocket, and those out of sight no subscription', async ({
      page,
      depthwire,
      site,
    }) => {
      const sockets: string[] = [];
      page.on('websocket', (socket) => sockets.push(socket.url()));
      const names = ['BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD', 'DOGE-USD'];
      const widgets = names.flatMap((name) =>
        ['ticker', 'depth', 'mini-chart', 'order-book'].map(
          (kind) =>
            `<depthwire-${kind} instrument="sim:${name}" style="height:80px;width:200px;float:left"></depthwire-${kind}>`,
        ),
      );
      const url = site.put(
        '/',
        `${script(depthwire.url)}${widgets.join('\n')}<div style="clear:both;height:4000px"></div><div id="below">below</div>`,
      );
      await page.goto(url);
      await expect(page.locator('.frame[data-state=live]')).toHaveCount(20, PATIENT);
      expect(sockets).toHaveLength(1);
      expect(await metric(depthwire.url, 'depthwire_connections')).toBe(1);
      expect(await metric(depthwire.url, 'depthwire_subscriptions')).toBeGreaterThanOrEqual(15);
      await page.locator('#below').scrollIntoViewIfNeeded();
      await expect.poll(() => metric(depthwire.url, 'depthwire_subscriptions'), PATIENT).toBe(0);
      await expect.poll(() => metric(depthwire.url, 'depthwire_connections'), PATIENT).toBe(0);
      await page.locator('depthwire-ticker').first().scrollIntoViewIfNeeded();
      await expect(page.locator('.frame[data-state=live]')).toHaveCount(20, PATIENT);
    });

    test('pages of the server’s own origin share a connection, and leave it when they close', async ({
      context,
      depthwire,
    }) => {
      const html = `<!doctype html><title>Own</title>${script('')}<depthwire-ticker instrument="sim:BTC-USD"></depthwire-ticker>`;
      await context.route('**/own.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
      const [first, second] = [await context.newPage(), await context.newPage()];
      for (const page of [first, second]) {
        await page.goto(`${depthwire.url}/own.html`);
        await page.bringToFront();
        await expectLive(page.locator('depthwire-ticker'));
      }
      expect(await metric(depthwire.url, 'depthwire_connections')).toBe(1);
      await first.close();
      await expectLive(second.locator('depthwire-ticker'));
      expect(await metric(depthwire.url, 'depthwire_connections')).toBe(1);
      // Crashed or closed, it makes no difference: nobody says goodbye.
      await second.close();
      await expect.poll(() => metric(depthwire.url, 'depthwire_connections'), PATIENT).toBe(0);
    });
  });

  test.describe('of another origin', () => {
    test.use({ ownServer: true });

    test('pages share a connection by a worker of their own, of one line', async ({
      context,
      depthwire,
      site,
    }) => {
      site.putFile('/worker.js', `import '${depthwire.url}/widgets/worker.js';`, 'text/javascript');
      const url = site.put(
        '/',
        `${script(depthwire.url)}<depthwire-ticker instrument="sim:BTC-USD" worker="/worker.js"></depthwire-ticker>`,
      );
      for (const page of [await context.newPage(), await context.newPage()]) {
        await page.goto(url);
        await page.bringToFront();
        await expectLive(page.locator('depthwire-ticker'));
      }
      expect(await metric(depthwire.url, 'depthwire_connections')).toBe(1);
    });

    test('a worker that there is not is done without', async ({ page, depthwire, site }) => {
      await page.goto(
        site.put(
          '/',
          `${script(depthwire.url)}<depthwire-ticker instrument="sim:BTC-USD" worker="/none.js"></depthwire-ticker>`,
        ),
      );
      await expectLive(page.locator('depthwire-ticker'));
      expect(await metric(depthwire.url, 'depthwire_connections')).toBe(1);
    });
  });

  test('a thousand widgets come and go, and leave nothing', async ({ page, depthwire, site }) => {
    test.setTimeout(120_000);
    const url = site.put('/', `${script(depthwire.url)}<div id="place"></div>`);
    await page.goto(url);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Performance.enable');
    const measure = async () => {
      for (let i = 0; i < 2; i++) await cdp.send('HeapProfiler.collectGarbage');
      const { metrics } = await cdp.send('Performance.getMetrics');
      const of = (name: string) => metrics.find((one) => one.name === name)!.value;
      return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
    };
    // Most are there long enough to draw, and some are gone before their code is asked for.
    const comeAndGo = (batches: number) =>
      page.evaluate(async (count) => {
        const place = document.querySelector('#place')!;
        const kinds = [
          'ticker',
          'depth',
          'mini-chart',
          'order-book',
          'trades',
          'market-table',
          'heat-tiles',
          'ticker-tape',
          'symbol-overview',
          'status',
        ];
        const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
        let drawn = 0;
        for (let batch = 0; batch < count; batch++) {
          const elements = kinds.map((kind) => {
            const element = document.createElement(`depthwire-${kind}`);
            element.setAttribute('instrument', 'sim:BTC-USD');
            element.setAttribute('instruments', 'sim:BTC-USD sim:ETH-USD');
            element.style.cssText = 'display:block;height:60px';
            return element;
          });
          place.append(...elements);
          const isDrawn = (element: Element) =>
            element.shadowRoot?.querySelector('.frame[data-state]') != null;
          for (let i = 0; i < 100 && batch % 4 !== 3 && !elements.every(isDrawn); i++) await pause(10);
          drawn += elements.filter(isDrawn).length;
          place.replaceChildren();
          await pause(0);
        }
        return drawn;
      }, batches);
    await comeAndGo(60); // all code is there by then, and has run often enough to be compiled
    await page.waitForTimeout(4_000);
    const before = await measure();
    expect(await comeAndGo(100)).toBeGreaterThan(700);
    await page.waitForTimeout(4_000);
    const after = await measure();
    expect(after.nodes - before.nodes).toBeLessThanOrEqual(50);
    expect(after.listeners - before.listeners).toBeLessThanOrEqual(5);
    expect(after.heap - before.heap).toBeLessThan(1_200_000);
    await page.evaluate(() => {
      const element = document.createElement('depthwire-ticker');
      element.setAttribute('instrument', 'sim:BTC-USD');
      document.querySelector('#place')!.append(element);
    });
    await expectLive(page.locator('depthwire-ticker'));
  });

  test('attributes are properties, change while it is live, and events bubble', async ({
    page,
    depthwire,
    site,
  }) => {
    const url = site.put(
      '/',
      `${script(depthwire.url)}<section><depthwire-ticker instrument="sim:BTC-USD">Bitcoin</depthwire-ticker></section>`,
    );
    await page.addInitScript(() => {
      const told: unknown[] = [];
      Object.assign(window, { told });
      for (const name of ['dw-price', 'dw-state'])
        addEventListener(name, (event) => told.push([name, (event as CustomEvent<unknown>).detail]));
    });
    await page.goto(url);
    const ticker = page.locator('depthwire-ticker');
    await expectLive(ticker);
    await expect(ticker.locator('.name')).toHaveText('BTC/USD');
    await ticker.evaluate((element) =>
      Object.assign(element, { instrument: 'sim:ETH-USD', timeZone: 'UTC', transparent: true }),
    );
    await expect(ticker).toHaveAttribute('instrument', 'sim:ETH-USD');
    await expect(ticker).toHaveAttribute('time-zone', 'UTC');
    await expect(ticker).toHaveAttribute('transparent', '');
    await expect(ticker.locator('.name')).toHaveText('ETH/USD');
    await expectLive(ticker);
    await ticker.evaluate((element) => element.setAttribute('theme', 'blue'));
    await expect(ticker).toContainText('theme: expected one of auto, light, dark, got “blue”');
    await ticker.evaluate((element) => element.removeAttribute('theme'));
    await expectLive(ticker);
    const told = await page.evaluate(
      () => Reflect.get(window, 'told') as [string, Record<string, unknown>][],
    );
    expect(told.filter(([name]) => name === 'dw-price').map(([, { instrument }]) => instrument)).toEqual(
      expect.arrayContaining(['sim:BTC-USD', 'sim:ETH-USD']),
    );
    const wrong = told.find(([name, { state }]) => name === 'dw-state' && state === 'failed');
    expect(wrong?.[1]).toMatchObject({ error: { code: 'invalid_argument', retry: false } });
  });

  test('attributes that change while a widget begins are the ones that hold', async ({
    page,
    depthwire,
    site,
  }) => {
    await page.goto(site.put('/', `${script(depthwire.url)}<div id="place"></div>`));
    const ids = ['sim:BTC-USD', 'sim:ETH-USD', 'sim:SOL-USD'];
    await page.evaluate(async (instruments) => {
      const element = document.createElement('depthwire-ticker');
      document.querySelector('#place')!.append(element);
      // In every task of its beginning, with the last of them at the end.
      const until = performance.now() + 700;
      for (let i = 0; performance.now() < until; i++) {
        element.setAttribute('instrument', instruments[i % 2]!);
        await new Promise((resolve) => setTimeout(resolve));
        if (element.shadowRoot!.querySelector('.frame')) break;
      }
      element.setAttribute('instrument', instruments[2]!);
    }, ids);
    await expectLive(page.locator('depthwire-ticker'));
    await expect(page.locator('depthwire-ticker .name')).toHaveText('SOL/USD');
  });

  test('a widget keeps its style where it is moved to: out of a template, and into another document', async ({
    page,
    depthwire,
    site,
  }) => {
    const trouble = await troubleOf(page);
    const url = site.put(
      '/',
      `${script(depthwire.url)}<depthwire-ticker instrument="sim:BTC-USD"></depthwire-ticker><iframe title="Other" width="500" height="200"></iframe><template><i></i></template>`,
    );
    await page.goto(url);
    const ticker = page.locator('depthwire-ticker');
    await expectLive(ticker);
    const isDressed = (element: Element) =>
      getComputedStyle(element.shadowRoot!.querySelector('.frame')!).display === 'flex';
    expect(await ticker.evaluate(isDressed)).toBe(true);
    await ticker.evaluate((element) => {
      const { content } = document.querySelector('template')!;
      content.append(element);
      document.querySelector('iframe')!.contentDocument!.body.append(element);
    });
    const moved = page.frameLocator('iframe').locator('depthwire-ticker');
    await expect.poll(() => moved.evaluate(isDressed), PATIENT).toBe(true);
    await expectLive(moved);
    expect(trouble).toEqual([]);
  });

  test('a copy under another name, a pinned one, and one that was tampered with', async ({
    page,
    depthwire,
    site,
  }) => {
    const manifest = (await (await fetch(`${depthwire.url}/widgets/manifest.json`)).json()) as {
      version: string;
      files: Record<string, string>;
    };
    const pinned = `${depthwire.url}/widgets/${manifest.version}/widgets.js`;
    const element = (prefix: string) => `<${prefix}-ticker instrument="sim:BTC-USD"></${prefix}-ticker>`;
    const url = site.put(
      '/',
      `<script type="module" src="${pinned}" integrity="${manifest.files['widgets.js']}" crossorigin></script>
       <script type="module" src="${depthwire.url}/widgets.js?prefix=other"></script>
       ${element('depthwire')}${element('other')}`,
    );
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(url);
    await expectLive(page.locator('depthwire-ticker'));
    await expectLive(page.locator('other-ticker'));
    expect(sockets).toHaveLength(1);
    // A file that is not what the pinned one was built with does not run, whichever it is.
    for (const file of ['widget', 'client', 'ticker']) {
      await page.route(`**/widgets/*/${file}.js`, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `globalThis.isTampered = true;${await response.text()}` });
      });
      await page.goto(
        site.put(
          `/tampered-${file}`,
          `<script type="module" src="${pinned}" integrity="${manifest.files['widgets.js']}" crossorigin></script>${element('depthwire')}`,
        ),
      );
      const state = await page.evaluate(
        () =>
          new Promise((resolve) =>
            addEventListener('dw-state', (event) =>
              resolve((event as CustomEvent<{ state: string }>).detail.state),
            ),
          ),
      );
      expect([file, state]).toEqual([file, 'failed']);
      await expect(page.locator('depthwire-ticker')).toContainText('its code could not be loaded');
      await page.waitForTimeout(6_000); // it was tried again by then
      expect(await page.evaluate(() => 'isTampered' in globalThis)).toBe(false);
      await page.unrouteAll({ behavior: 'wait' });
    }
  });

  test('of another instrument a chart shows nothing of the one before, and tells its price though it told it once', async ({
    page,
    depthwire,
    site,
  }) => {
    await page.goto(
      site.put(
        '/',
        `<style>body { display: flex; flex-wrap: wrap }</style>${script(depthwire.url)}<depthwire-mini-chart instrument="sim:BTC-USD"></depthwire-mini-chart>`,
      ),
    );
    const chart = page.locator('depthwire-mini-chart');
    await expectLive(chart);
    // In a flex row, where nothing else gives it a width.
    expect((await chart.boundingBox())!.width).toBeGreaterThan(200);
    const readout = chart.locator('.readout');
    const first = async () => {
      await chart.locator('.chart').focus();
      await page.keyboard.press('Home');
      await expect(readout).toHaveText(/\d/);
      // The crosshair's price is read from what the library drew.
      return Number(/[\d,.]+$/.exec((await readout.innerText()).trim())![0].replaceAll(',', ''));
    };
    const picture = () =>
      chart
        .locator('canvas')
        .first()
        .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
    const bitcoin = await first();
    const drawn = await picture();
    await chart.evaluate((element) => element.setAttribute('instrument', 'sim:ETH-USD'));
    await expect(chart.locator('.name')).toHaveText('ETH/USD');
    await expectLive(chart);
    expect(await first()).toBeLessThan(bitcoin / 5);
    expect(await picture()).not.toBe(drawn);
    const told = page.evaluate(
      () =>
        new Promise((resolve) =>
          addEventListener('dw-price', (event) =>
            resolve((event as CustomEvent<{ instrument: string }>).detail.instrument),
          ),
        ),
    );
    await chart.evaluate((element) => element.setAttribute('instrument', 'sim:BTC-USD'));
    expect(await told).toBe('sim:BTC-USD');
  });

  test('an instrument that is not known says so; a server that goes is said, and comes back by itself', async ({
    page,
    depthwire,
    site,
  }) => {
    const url = site.put(
      '/',
      `${script(depthwire.url)}<depthwire-ticker instrument="sim:BTC-USD"></depthwire-ticker><depthwire-mini-chart instrument="sim:NOPE"></depthwire-mini-chart>`,
    );
    await page.goto(url);
    const ticker = page.locator('depthwire-ticker');
    await expectLive(ticker);
    await expect(page.locator('depthwire-mini-chart')).toContainText('sim:NOPE is not known here.');
    await depthwire.stop('SIGKILL');
    await expect(frameOf(ticker)).toHaveAttribute('data-state', 'offline', PATIENT);
    await expect(frameOf(ticker)).toHaveAttribute('data-old', '');
    await expect(ticker.locator('.state')).toContainText(/^Offline · as of \d\d:\d\d:\d\d$/);
    await depthwire.start();
    await expectLive(ticker);
    await expect(frameOf(ticker)).not.toHaveAttribute('data-old', '');
  });
});

test.describe('a publishable key', () => {
  const KEY = `dw_pk_${'a'.repeat(43)}`;
  const withKey = test.extend<{ other: Site }>({
    // eslint-disable-next-line no-empty-pattern -- as above
    other: async ({}, use) => {
      const site = await startSite();
      await use(site);
      await site.close();
    },
    ownServer: true,
    serverArgs: async ({ site }, use, testInfo) => {
      const file = testInfo.outputPath('depthwire.yaml');
      writeFileSync(
        file,
        `access:
  publishableKeys:
    - id: shop
      key: ${KEY}
      origins: [${site.origin}]
      instruments: ['sim:BTC-*']
      topics: [ticker, book]
      maxConnections: 2
`,
      );
      await use(['--config', file]);
    },
  });
  const widgets = (server: string) => `${script(server)}
    <depthwire-ticker instrument="sim:BTC-USD" key="${KEY}"></depthwire-ticker>
    <depthwire-depth instrument="sim:ETH-USD" key="${KEY}"></depthwire-depth>
    <depthwire-mini-chart instrument="sim:BTC-USD" key="${KEY}"></depthwire-mini-chart>`;
  const key = withKey;

  key(
    'shows what it may, refuses the rest in words, and nothing else is disturbed',
    async ({ page, depthwire, site, other, context }) => {
      await page.goto(site.put('/', widgets(depthwire.url)));
      await expectLive(page.locator('depthwire-ticker'));
      await expect(page.locator('depthwire-depth')).toContainText('page:shop may not read sim:ETH-USD');

      const stranger = await context.newPage();
      await stranger.goto(other.put('/', widgets(depthwire.url)));
      await expect(stranger.locator('depthwire-ticker')).toContainText(
        `pages of ${other.origin} may not connect`,
        PATIENT,
      );
      await expect(frameOf(stranger.locator('depthwire-ticker'))).toHaveAttribute('data-state', 'refused');
      await expectLive(page.locator('depthwire-ticker'));

      // In a frame the browser holds it: this page may not have one.
      await stranger.goto(
        other.put(
          '/frame',
          `<iframe title="Frame" src="${depthwire.url}/embed/ticker?instrument=sim:BTC-USD&key=${KEY}"></iframe>`,
        ),
      );
      await stranger.waitForTimeout(500);
      expect(await stranger.frameLocator('iframe').locator('depthwire-ticker').count()).toBe(0);
      await stranger.goto(
        site.put(
          '/frame',
          `<iframe title="Frame" src="${depthwire.url}/embed/ticker?instrument=sim:BTC-USD&key=${KEY}"></iframe>`,
        ),
      );
      await expectLive(stranger.frameLocator('iframe').locator('depthwire-ticker'));

      // Past what it may have at once.
      const third = await context.newPage();
      await third.goto(
        site.put(
          '/third',
          `${script(depthwire.url)}<depthwire-ticker instrument="sim:BTC-USD" key="${KEY}"></depthwire-ticker>`,
        ),
      );
      await expect(frameOf(third.locator('depthwire-ticker'))).toHaveAttribute(
        'data-state',
        /offline|refused/,
        PATIENT,
      );
      await expectLive(page.locator('depthwire-ticker'));
    },
  );
});
