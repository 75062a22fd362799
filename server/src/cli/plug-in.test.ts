import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const bin = fileURLToPath(new URL('../../bin/depthwire.js', import.meta.url));
const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const env = { ...process.env, NODE_OPTIONS: '', PORT: '0', HOST: '' };
const children: ChildProcess[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'depthwire-plug-in-')); // outside the checkout
  await writeFile(join(folder, 'bad-feed.ts'), BAD_FEED);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

function run(cwd: string, file: string, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

async function serve(config: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [bin, 'serve', '--config', config], { cwd: folder, env });
  children.push(child);
  child.stderr.pipe(process.stderr);
  const lines = createInterface(child.stdout);
  for await (const line of lines) {
    const entry = JSON.parse(line) as { msg: string; url: string };
    if (entry.msg !== 'listening') continue;
    child.stdout.resume();
    return { url: entry.url, child };
  }
  throw new Error('the server ended before it listened');
}

interface Health {
  books: Record<string, number>;
  feeds: {
    id: string;
    state: string;
    error: { code: string; message: string } | null;
    retryAt: number | null;
  }[];
}
const health = async (url: string) => (await (await fetch(`${url}/api/v1/health`)).json()) as Health;

/** A feed that is live, and then does what its option says. */
const BAD_FEED = `
import { connect } from 'node:net';
import { scaleOf } from '@depthwire/shared';
import type { Feed, FeedContext } from '@depthwire/feeds';

const misdeeds: Record<string, (context: FeedContext) => unknown> = {
  none: () => {},
  timer: () => setTimeout(() => { throw new Error('in a timer'); }, 10),
  rejection: () => { void Promise.reject(new Error('not awaited')); },
  socket: () => connect(1, '127.0.0.1'),
  flood: ({ emit }) => setInterval(() => { for (let i = 0; i < 9000; i++) emit(null as never); }, 1),
  loop: ({ emit, clock }) => { for (;;) emit({ type: 'ticker', instrument: 'bad:LOOP-USD', venueTimeMs: null, receiveTimeMs: clock.now(), last: null, open: null, high: null, low: null, volume: null, turnover: null }); },
};

export default ({ misdeed }: { misdeed: string }): Feed => {
  if (misdeed === 'factory-timer') setTimeout(() => { throw new Error('in a timer of the factory'); }, 3_000);
  if (misdeed === 'factory-socket') connect(1, '127.0.0.1');
  return feed(misdeed);
};

const feed = (misdeed: string): Feed => ({
  id: misdeed,
  async start(context) {
    const { clock, emit } = context;
    const id = 'bad:' + misdeed.toUpperCase() + '-USD';
    const names = { venue: 'bad', symbol: misdeed, base: misdeed, quote: 'USD', name: misdeed };
    const rest = { kind: 'spot', status: 'trading', origin: 'live', staleAfterMs: 60_000 } as const;
    emit({ type: 'instrument', instrument: { id, ...names, ...rest, tick: scaleOf('0.01'), lot: scaleOf('1') } });
    emit({ type: 'book-snapshot', instrument: id, venueTimeMs: null, receiveTimeMs: clock.now(), bids: [1, 1], asks: [2, 1] });
    emit({ type: 'book-status', instrument: id, timeMs: clock.now(), state: 'live', reason: null });
    misdeeds[misdeed]?.(context);
  },
  stop: async () => {},
});
`;

/** Modules that do something of their own, apart from their feed. */
const BAD_MODULES = {
  'module-timer': `setInterval(() => { throw new Error('in a timer of the module'); }, 3_000);`,
  'module-rejection': `setTimeout(() => Promise.reject(new Error('of the module')), 3_000);`,
  'module-early': `setTimeout(() => { throw new Error('before any feed was made'); }, 0);
    await new Promise((resolve) => setTimeout(resolve, 100));`,
};

describe.concurrent('depthwire serve with feeds of its own', { timeout: 60_000 }, () => {
  test('outlives all that they do, outside the checkout, and ends when it is told to', async () => {
    const misdeeds = ['none', 'timer', 'rejection', 'socket', 'flood', 'loop'];
    const feeds = misdeeds.map((misdeed) => ({ feed: './bad-feed.ts', misdeed }));
    const sim = { feed: 'sim', instruments: ['sim:BTC-USD'], historyDays: 1 };
    await writeFile(join(folder, 'bad.yaml'), JSON.stringify({ feeds: [sim, ...feeds] }));
    const { url, child } = await serve('bad.yaml');
    await vi.waitFor(async () => {
      const { feeds: told } = await health(url);
      const seen = Object.fromEntries(told.map(({ id, error }) => [id, error?.code ?? null]));
      expect(seen).toEqual({
        sim: null,
        none: null,
        timer: 'feed_failed',
        rejection: 'feed_failed',
        socket: 'feed_failed',
        flood: 'feed_malformed',
        loop: 'feed_flooded',
      });
    }, 20_000);
    const { feeds: told } = await health(url);
    expect(told.filter(({ state }) => state === 'running').map(({ id }) => id)).toEqual(
      expect.arrayContaining(['sim', 'none']),
    );
    const loop = (await (await fetch(`${url}/api/v1/instruments/bad:LOOP-USD`)).json()) as object;
    expect(loop).toMatchObject({
      state: 'recovering',
      reason: expect.stringMatching(/^feed loop failed: over 50000 events/),
    });
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});

describe.concurrent(
  'depthwire serve with modules that fail apart from their feeds',
  { timeout: 60_000 },
  () => {
    test('blames their feeds, and goes on', async () => {
      for (const [name, code] of Object.entries(BAD_MODULES)) {
        const head = `import makeFeed from './bad-feed.ts';\n${code}\n`;
        await writeFile(
          join(folder, `${name}.ts`),
          `${head}export default () => makeFeed({ misdeed: '${name}' });`,
        );
      }
      const modules = Object.keys(BAD_MODULES).map((name) => ({ feed: `./${name}.ts` }));
      const feeds = ['factory-timer', 'factory-socket'].map((misdeed) => ({
        ...{ feed: './bad-feed.ts', misdeed },
      }));
      const sim = { feed: 'sim', instruments: ['sim:BTC-USD'], historyDays: 1 };
      await writeFile(join(folder, 'modules.yaml'), JSON.stringify({ feeds: [sim, ...modules, ...feeds] }));
      const { url, child } = await serve('modules.yaml');
      const failed = new Map<string, string>();
      await vi.waitFor(async () => {
        const { feeds: told } = await health(url);
        for (const { id, error } of told) if (error) failed.set(id, error.message);
        expect(Object.fromEntries(failed)).toEqual({
          'module-timer': 'Error: in a timer of the module',
          'module-rejection': 'Error: of the module',
          'factory-timer': 'Error: in a timer of the factory',
          'factory-socket': expect.stringContaining('ECONNREFUSED'),
        });
      }, 20_000);
      const { feeds: told } = await health(url);
      expect(told.filter(({ id }) => id === 'sim' || id === 'module-early')).toMatchObject([
        { state: 'running', error: null },
        { state: 'running', error: null },
      ]);
      child.kill('SIGTERM');
      expect((await once(child, 'exit'))[0]).toBe(0);
    });

    test('says so of one that never finishes loading, in its time', async () => {
      await writeFile(join(folder, 'hangs.mjs'), 'await new Promise(() => {}); export default () => {};');
      await writeFile(join(folder, 'hangs.yaml'), JSON.stringify({ feeds: [{ feed: './hangs.mjs' }] }));
      const { code, output } = await run(folder, process.execPath, bin, 'serve', '--config', 'hangs.yaml');
      expect({ code, output }).toEqual({
        code: 2,
        output: expect.stringMatching(
          /could not be loaded: .*not loaded within 10 s: await nothing at its top level/,
        ),
      });
    });
  },
);

describe.concurrent('depthwire new-feed', { timeout: 120_000 }, () => {
  test('writes a feed that conforms as generated, and runs at once on its emulator', async () => {
    const made = await run(folder, process.execPath, bin, 'new-feed', 'moon-base');
    expect(made).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^moon-base has a feed.*linked to this checkout/),
    });
    const project = join(folder, 'moon-base');
    for (const file of (await readdir(project)).filter((name) => name !== 'node_modules'))
      expect(await readFile(join(project, file), 'utf8'), file).not.toMatch(/example/i);

    const tests = await run(project, process.execPath, '--test');
    expect(tests, tests.output).toMatchObject({ code: 0 });

    // On a port of its own: the one that it comes with may be taken.
    const program = `import { startMoonBaseEmulator } from './emulator.ts';
      const symbols = ['BTC', 'ETH'].map((base) => ({ symbol: base + '-USD', base, quote: 'USD' }));
      console.log(JSON.stringify((await startMoonBaseEmulator({ symbols, tickMs: 50 })).endpoints));`;
    const emulator = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: project, env });
    children.push(emulator);
    const [line] = (await once(emulator.stdout, 'data')) as [Buffer];
    const yaml = await readFile(join(project, 'depthwire.yaml'), 'utf8');
    const { ws, rest } = JSON.parse(String(line)) as { ws: string; rest: string };
    await writeFile(
      join(project, 'depthwire.yaml'),
      yaml.replace('ws://127.0.0.1:9700', ws).replace('http://127.0.0.1:9700', rest),
    );
    const { url } = await serve('moon-base/depthwire.yaml');
    await vi.waitFor(async () => expect((await health(url)).books).toMatchObject({ live: 2 }), 10_000);
  });

  test('overwrites nothing, and takes no name that is none', async () => {
    await cp(join(checkout, 'examples', 'venue', 'README.md'), join(folder, 'taken', 'README.md'));
    for (const [args, message] of [
      [['taken'], /taken exists: choose another name/],
      [['My_Venue'], /expected up to 32 small letters/],
      [['../up'], /expected up to 32 small letters/],
      [['binance'], /binance is a feed already/],
    ] as const) {
      const { code, output } = await run(folder, process.execPath, bin, 'new-feed', ...args);
      expect({ code, output }).toMatchObject({ code: 2, output: expect.stringMatching(message) });
    }
    expect(await readdir(join(folder, 'taken'))).toEqual(['README.md']);
  });
});
