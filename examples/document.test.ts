import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { conformanceCards, FeedObserver, respondJson, startLoopbackServer } from '@depthwire/feeds/kit';
import { systemClock, type Feed } from '@depthwire/feeds';
import { errorCatalogue } from '@depthwire/shared';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

// What docs/adding-a-feed.md shows is what somebody copies: all of it has to run.

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/adding-a-feed.md'), 'utf8');
const venue = (file: string) => join(root, 'examples/venue', file);

/** The page's programs, by the file name in their first line. */
const programs = new Map(
  [...page.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)].map(([, file, code]) => [file!, code!]),
);
let folder: string;

function run(command: string, ...args: string[]): Promise<string> {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('close', (code) => done(code === 0 ? 'ok' : output));
  });
}

beforeAll(() => {
  mkdirSync(join(root, 'test-results'), { recursive: true });
  folder = mkdtempSync(join(root, 'test-results', 'adding-a-feed-')); // in the checkout, where @depthwire is found
  for (const [file, code] of programs) writeFileSync(join(folder, file), code);
  for (const file of ['emulator.ts', 'tsconfig.json']) copyFileSync(venue(file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('docs/adding-a-feed.md', { timeout: 120_000 }, () => {
  test('shows the adapter that new-feed writes', () => {
    expect(programs.get('index.ts')!.trim()).toBe(readFileSync(venue('index.ts'), 'utf8').trim());
  });

  test('shows programs that have the right types', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(await run(process.execPath, tsc, '-p', '.')).toBe('ok');
  });

  test('shows a joined book that conforms', async () => {
    writeFileSync(
      join(folder, 'joined.test.ts'),
      readFileSync(venue('index.test.ts'), 'utf8')
        .replaceAll('startExampleEmulator', 'startJoinedEmulator')
        .replace("'./emulator.ts'", "'./joined-emulator.ts'")
        .replace("'./index.ts'", "'./joined.ts'")
        .replace('hasHttpSnapshots: false', 'hasHttpSnapshots: true'),
    );
    expect(await run(process.execPath, '--test', 'joined.test.ts')).toBe('ok');
  });

  test('shows a feed that polls', async () => {
    let time = 1_760_000_000_000;
    const server = await startLoopbackServer({
      onRequest: (_url, response) =>
        respondJson(response, 200, { bids: [['9.99', '5']], asks: [['10.01', '4']], time: time++ }),
      onSocket() {},
    });
    const { default: createFeed } = (await import(pathToFileURL(join(folder, 'my-feed.ts')).href)) as {
      default: (options: object) => Feed;
    };
    expect(() => createFeed({})).toThrow('expected a URL');
    const feed = createFeed({ url: server.rest });
    const observer = new FeedObserver(systemClock);
    try {
      await feed.start(observer.context);
      expect(observer.isLive('mine:BTC-USD')).toBe(true);
      expect(observer.text('mine:BTC-USD')).toEqual({ bids: [['9.99', '5']], asks: [['10.01', '4']] });
      await vi.waitFor(() => expect(observer.market('mine:BTC-USD').snapshots).toBeGreaterThan(1), 5_000);
    } finally {
      await feed.stop();
      await server.close();
    }
    expect(observer.failures).toEqual([]);
  });

  test('lists every card of the conformance suite', () => {
    for (const { id, behaviour } of conformanceCards) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${id}\``));
      expect(row, id).toContain(` ${behaviour} `);
    }
  });

  test('names the codes that a feed fails with', () => {
    for (const code of Object.keys(errorCatalogue).filter((name) => name.startsWith('feed_')))
      expect(page).toContain(`\`${code}\``);
  });
});
