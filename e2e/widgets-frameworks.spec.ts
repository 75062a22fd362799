import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test as base } from './fixtures.ts';
import { startSite, type Site } from './site.ts';

// The package for bundlers as somebody installs it, and examples/widgets as somebody copies them.

const root = path.resolve(import.meta.dirname, '..');
const { npmCommand } = (await import(new URL('../scripts/setup.mjs', import.meta.url).href)) as {
  npmCommand: (args: string[]) => { file: string; args: string[]; shell: boolean };
};
const PATIENT = { timeout: 20_000 };
/** In the examples. */
const SERVER = 'https://data.example.com/';
const HEAD = '<!doctype html><html lang="en"><title>Shop</title>';

/** What a page does with each example: it shows one, changes its instrument, and takes it away. */
const mains = {
  react: {
    'main.tsx': `
      import { createRoot } from 'react-dom/client';
      import { Ticker } from './Ticker.tsx';
      const root = createRoot(document.querySelector('#place')!);
      export const show = (instrument: string) =>
        root.render(<Ticker instrument={instrument} theme="dark" onPrice={(price) => told.push(price)} />);
      export const end = () => root.unmount();
    `,
  },
  svelte: {
    'main.svelte.ts': `
      import { mount, unmount } from 'svelte';
      import Ticker from './Ticker.svelte';
      let props = $state({ instrument: '', theme: 'dark', onPrice: (price) => told.push(price) });
      let mounted;
      export const show = (instrument: string) => {
        props.instrument = instrument;
        mounted ??= mount(Ticker, { target: document.querySelector('#place'), props });
      };
      export const end = () => unmount(mounted);
    `,
  },
  vue: {
    'main.ts': `
      import { createApp, h, ref } from 'vue';
      import Ticker from './Ticker.vue';
      const instrument = ref('');
      const onPrice = (price) => told.push(price);
      const app = createApp({ render: () => h(Ticker, { instrument: instrument.value, theme: 'dark', onPrice }) });
      export const show = (id: string) => {
        instrument.value = id;
        if (!document.querySelector('#place').firstChild) app.mount('#place');
      };
      export const end = () => app.unmount();
    `,
  },
} as const;

const start = (main: string) => `
  const told: unknown[] = [];
  Object.assign(globalThis, { told });
  const drive = await import('./${main}');
  Object.assign(globalThis, { drive });
  drive.show('sim:BTC-USD');
`;

async function run(folder: string, script: string, ...args: string[]): Promise<void> {
  const file = path.join(root, 'node_modules', script);
  await promisify(execFile)(process.execPath, [file, ...args], { cwd: folder }).catch((error: unknown) => {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${script}: ${stdout}${stderr}`);
  });
}

/** A project of somebody else with the package in it; in the checkout, where the frameworks are found. */
async function install(server: string): Promise<string> {
  mkdirSync(path.join(root, 'test-results'), { recursive: true });
  const folder = mkdtempSync(path.join(root, 'test-results', 'widgets-'));
  cpSync(path.join(root, 'examples/widgets'), folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }');
  const { file, args, shell } = npmCommand([
    'install',
    `${server}widgets/depthwire-widgets.tgz`,
    ...['--cache', path.join(folder, '.npm'), '--no-audit', '--no-fund'],
  ]);
  await promisify(execFile)(file, args, {
    cwd: folder,
    shell,
    env: { ...process.env, NO_PROXY: '127.0.0.1' },
  });
  return folder;
}

const test = base.extend<{ site: Site }, { projects: Map<string, string> }>({
  projects: [
    // eslint-disable-next-line no-empty-pattern -- Playwright reads from it that nothing is needed
    async ({}, use) => {
      const folders = new Map<string, string>();
      await use(folders);
      for (const folder of folders.values()) rmSync(folder, { recursive: true });
    },
    { scope: 'worker' },
  ],
  // eslint-disable-next-line no-empty-pattern -- as above
  site: async ({}, use) => {
    const site = await startSite();
    await use(site);
    await site.close();
  },
});

/** Installed once by each worker. */
async function projectOf(projects: Map<string, string>, server: string): Promise<string> {
  let folder = projects.get('');
  if (folder === undefined) projects.set('', (folder = await install(`${server}/`)));
  return folder;
}

async function connectionsOf(server: string): Promise<number> {
  const text = await (await fetch(`${server}/metrics`)).text();
  const lines = text.split('\n').filter((line) => /^depthwire_connections[{ ]/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** What a bundler made, on a site; returns the page's address. */
function publish(site: Site, folder: string): string {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = types[path.extname(name)];
    if (type) site.putFile(`/${name.replaceAll('\\', '/')}`, readFileSync(path.join(folder, name)), type);
  }
  return `${site.origin}/index.html`;
}

for (const [framework, files] of Object.entries(mains))
  test.describe(framework, () => {
    test.use({ ownServer: true });

    test(`a component of ${framework} shows live data, follows its props, tells events, and leaves nothing`, async ({
      page,
      depthwire,
      site,
      projects,
    }) => {
      const project = await projectOf(projects, depthwire.url);
      const folder = path.join(project, `built-${framework}`);
      cpSync(path.join(project, framework), folder, { recursive: true });
      const [[main, code]] = Object.entries(files) as [[string, string]];
      for (const [name, text] of Object.entries({
        [main]: code,
        'start.ts': start(main),
        'index.html': `${HEAD}<div id="place"></div><script type="module" src="/start.ts"></script>`,
      }))
        writeFileSync(path.join(folder, name), text);
      for (const name of readdirSync(folder).filter((one) => one.startsWith('Ticker'))) {
        const text = readFileSync(path.join(folder, name), 'utf8');
        writeFileSync(path.join(folder, name), text.replace(SERVER, `${depthwire.url}/`));
      }
      await run(folder, 'vite/bin/vite.js', 'build', '--logLevel', 'warn');

      const loaded: string[] = [];
      page.on('response', (response) => loaded.push(response.url()));
      await page.goto(publish(site, path.join(folder, 'dist')));
      const ticker = page.locator('depthwire-ticker');
      await expect(ticker.locator('.frame')).toHaveAttribute('data-state', 'live', PATIENT);
      await expect(ticker.locator('.name')).toHaveText('BTC/USD');
      await expect(ticker).toHaveAttribute('theme', 'dark');
      expect(await connectionsOf(depthwire.url)).toBe(1);

      await page.evaluate(() => Reflect.get(globalThis, 'drive').show('sim:ETH-USD'));
      await expect(ticker.locator('.name')).toHaveText('ETH/USD');
      await expect(ticker).toHaveAttribute('instrument', 'sim:ETH-USD');
      const told = () =>
        page.evaluate(() => (Reflect.get(globalThis, 'told') as { instrument: string }[]).at(-1)?.instrument);
      await expect.poll(told, PATIENT).toBe('sim:ETH-USD');

      await page.evaluate(() => Reflect.get(globalThis, 'drive').end());
      await expect(ticker).toHaveCount(0);
      await expect.poll(() => connectionsOf(depthwire.url), PATIENT).toBe(0);
      // What draws other kinds was not loaded.
      expect(loaded.filter((url) => /mini-chart|order-book/.test(url))).toEqual([]);
      expect(loaded.filter((url) => url.includes('ticker')).length).toBeGreaterThan(0);
    });
  });

test.describe('with the worker of the package', () => {
  test.use({ ownServer: true });

  test('pages of an application share a connection', async ({ context, depthwire, site, projects }) => {
    const folder = path.join(await projectOf(projects, depthwire.url), 'built-worker');
    mkdirSync(folder, { recursive: true });
    const program = `
      import { defineWidgets } from '@depthwire/widgets';
      import worker from '@depthwire/widgets/worker?url';
      defineWidgets({ server: '${depthwire.url}', worker });
    `;
    writeFileSync(path.join(folder, 'start.js'), program);
    const page = `${HEAD}<depthwire-ticker instrument="sim:BTC-USD"></depthwire-ticker>`;
    writeFileSync(path.join(folder, 'index.html'), `${page}<script type="module" src="/start.js"></script>`);
    await run(folder, 'vite/bin/vite.js', 'build', '--logLevel', 'warn');
    const url = publish(site, path.join(folder, 'dist'));
    for (const tab of [await context.newPage(), await context.newPage()]) {
      await tab.goto(url);
      await tab.bringToFront();
      await expect(tab.locator('depthwire-ticker .frame')).toHaveAttribute('data-state', 'live', PATIENT);
    }
    expect(await connectionsOf(depthwire.url)).toBe(1);
  });
});

test('has the types of elements, events and templates, which need nothing else', async ({
  depthwire,
  projects,
}) => {
  test.setTimeout(120_000);
  const folder = await projectOf(projects, depthwire.url);
  const options = JSON.stringify({
    extends: './tsconfig.json',
    include: ['page.ts'],
    compilerOptions: { skipLibCheck: false },
  });
  writeFileSync(path.join(folder, 'tsconfig.page.json'), options);
  writeFileSync(
    path.join(folder, 'page.ts'),
    `import { defineWidgets, kinds, type Kind, type WidgetElement } from '@depthwire/widgets';
     defineWidgets({ server: 'https://data.example.com/', key: 'dw_pk_', prefix: 'mine' });
     const all: readonly Kind[] = kinds;
     const depth: WidgetElement<'depth'> = document.createElement('depthwire-depth');
     depth.span = all.length;
     depth.timeZone = 'UTC';
     // @ts-expect-error a depth chart has no rows
     depth.rows = 3;
     document.querySelector('depthwire-ticker')!.transparent = true;
     document.addEventListener('dw-price', ({ detail }) => detail.last?.split('.'));
     depth.addEventListener('dw-state', ({ detail }) => detail.state === 'live');
     // @ts-expect-error there is no such state
     depth.addEventListener('dw-state', ({ detail }) => detail.state === 'lively');`,
  );
  writeFileSync(
    path.join(folder, 'react/wrong.tsx'),
    `import type {} from '@depthwire/widgets/react';
     // @ts-expect-error a ticker has no rows
     export const wrong = <depthwire-ticker instrument="sim:BTC-USD" rows={3} />;`,
  );
  await run(folder, 'typescript/bin/tsc', '-p', 'tsconfig.page.json');
  // All together: React's by the same compiler.
  await run(folder, 'vue-tsc/bin/vue-tsc.js', '-p', 'tsconfig.json');
  await run(folder, 'svelte-check/bin/svelte-check', '--tsconfig', 'tsconfig.json', '--fail-on-warnings');
});

test('can be imported where there is no document', async ({ depthwire, projects }) => {
  const folder = await projectOf(projects, depthwire.url);
  const program = `
    const { defineWidgets, kinds } = await import('@depthwire/widgets');
    defineWidgets({ server: 'https://data.example.com/' });
    await Promise.all(['react', 'svelte', 'vue'].map((name) => import('@depthwire/widgets/' + name)));
    console.log(String(kinds.length));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: folder,
  });
  expect(stdout.trim()).toBe('10');
  // Whose work is in it has to be told with it.
  const installed = path.join(folder, 'node_modules/@depthwire/widgets');
  expect(readFileSync(path.join(installed, 'NOTICE'), 'utf8')).toContain('TradingView Lightweight Charts');
  expect(readdirSync(installed)).toEqual(expect.arrayContaining(['LICENSE', 'LICENSE-lightweight-charts']));
  expect(JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'))).not.toHaveProperty(
    'dependencies',
  );
});
