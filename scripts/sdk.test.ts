import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import config from '../shared/rolldown.config.ts';

// What shared/README.md shows is what somebody copies: all of it has to run, and so have the examples.

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'shared/README.md'), 'utf8');
const SHOWN_URL = 'ws://127.0.0.1:8080/ws';
/** The page's programs, by the file name in their first line. */
const programs = new Map(
  [...page.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)].map(([, file, code]) => [file!, code!]),
);
const shared = join(root, 'shared');
const bin = join(root, 'server/bin/depthwire.js');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
let folder: string;
let server: ChildProcess;
let url: string;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Ran> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } },
      (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

beforeAll(async () => {
  mkdirSync(join(root, 'test-results'), { recursive: true });
  folder = mkdtempSync(join(root, 'test-results', 'sdk-')); // in the checkout, where @depthwire is found
  server = spawn(process.execPath, [bin, 'serve', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, PORT: '', HOST: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(server.stdout!)) {
    const entry = JSON.parse(line) as { msg: string; url: string };
    if (entry.msg !== 'listening') continue;
    url = `${entry.url.replace('http', 'ws')}/ws`;
    break;
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [file, code] of programs) writeFileSync(join(folder, file), code.replaceAll(SHOWN_URL, url));
});
afterAll(() => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

describe('shared/README.md', { timeout: 120_000 }, () => {
  test('shows programs that have the right types', async () => {
    const options = {
      extends: '../../tsconfig.base.json',
      compilerOptions: { types: ['node'], lib: ['ES2024', 'DOM'] },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
    expect((await run(tsc, '-p', '.')).stdout).toBe('');
  });

  const expected: Record<string, RegExp> = {
    'connect.ts': /^connecting\nopen\ndepthwire\/\S+ speaks protocol 1\nclosed\n$/,
    'topics.ts':
      /^\d+\.\d+ @ \d+\.\d\d\n\d+\.\d\d \d+\nlast \d+\.\d\d, \d+ trades\n\d+ candles, live since \d{13}\n$/,
    'loop.ts': /^(bid \d+\.\d\d\n){3}$/,
    'limit.ts': /^20000 bytes a second, 4 times a second\n$/,
    'errors.ts': /^unknown_instrument false no feed publishes sim:MOON-USD\n$/,
    'latency.ts':
      /^round trip [\d.]+ ms, .*\nwaited \d+ ms .*\nsent at \d{13}, received at \d{13}.*\n\d+ messages, \d+ bytes\n$/,
    'frames.ts':
      /^in hello \d+ .*\nout subscribe \d+ book 5 levels\n[\s\S]*in bookSnapshot \d+ book live, 5 \+ 5 levels.*\n(.*\n)?\S+ takes the most bytes\n$/,
    'columns.ts': /^\d+ columns of 500 ticks a bucket\nnow: \d+ \+ \d+ buckets, best bid \d+\n$/,
    'replica.ts': /^\d+ bids, 1 checksums right\n/,
  };

  test('has programs, and this test knows what each of them says', () => {
    expect([...programs.keys()].toSorted()).toEqual(Object.keys(expected).toSorted());
  });

  test.each(Object.entries(expected))('%s runs and ends', async (file, output) => {
    const { code, stdout, stderr } = await run(file);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(output);
  });

  test('gives the limits that are held', async () => {
    const { default: limits } = (await import(pathToFileURL(join(root, '.size-limit.mjs')).href)) as {
      default: { path: string | string[]; limit: string }[];
    };
    const shown = [...page.matchAll(/^\| .* \| ([\d.]+ kB) +\|$/gm)].map(([, limit]) => limit);
    expect(shown).toEqual(
      limits.filter(({ path }) => String(path).startsWith('shared/')).map(({ limit }) => limit),
    );
  });
});

describe('the built package', { timeout: 120_000 }, () => {
  const part = (file: string) => readFileSync(join(folder, 'build', file), 'utf8');

  beforeAll(async () => {
    // beside the tests, for the size of what is in shared/build may be measured meanwhile
    for (const { output, ...options } of config as { input: string; output: { file: string } }[])
      await build({ ...options, cwd: shared, output: { ...output, file: join(folder, output.file) } });
  });

  test('is one module that runs by itself', async () => {
    const program = stripTypeScriptTypes(programs.get('topics.ts')!.replaceAll(SHOWN_URL, url));
    writeFileSync(join(folder, 'built.mjs'), program.replace('@depthwire/shared', './build/depthwire.js'));
    expect(await run('built.mjs')).toMatchObject({ code: 0, stderr: '' });
  });

  test('has types, for a compiler that sees nothing of the sources', async () => {
    const { scripts } = JSON.parse(readFileSync(join(shared, 'package.json'), 'utf8')) as {
      scripts: { build: string };
    };
    const flags = /tsc -p \. (.*) --outDir/.exec(scripts.build)![1]!.split(' ');
    const away = mkdtempSync(join(tmpdir(), 'depthwire-types-'));
    try {
      flags[flags.indexOf('src')] = join(shared, 'src');
      const emitted = await run(tsc, '-p', shared, ...flags, '--outDir', join(away, 'types'));
      expect(emitted).toEqual({ code: 0, stdout: '', stderr: '' });
      writeFileSync(
        join(away, 'program.ts'),
        `import { BookReplica, DepthwireClient, type RawFrame } from './types/index.js';
         const client = new DepthwireClient({ url: 'ws://localhost/ws' });
         client.on('frame', ({ direction }: RawFrame) => direction satisfies 'in' | 'out');
         export const bid: number | null = client.book('a:B-C').book.bestBid;
         export const wrong: string = new BookReplica().seq;`,
      );
      const options = {
        compilerOptions: { strict: true, module: 'nodenext', target: 'es2024', lib: ['es2024'], types: [] },
      };
      writeFileSync(join(away, 'tsconfig.json'), JSON.stringify({ ...options, files: ['program.ts'] }));
      const { stdout } = await run(tsc, '--noEmit', '-p', away);
      // One mistake, which is there to be found: the types are not all `any`.
      const [first, ...others] = stdout.trim().split('\n');
      expect(first).toContain("error TS2322: Type 'number' is not assignable to type 'string'.");
      expect(others).toEqual([]);
    } finally {
      rmSync(away, { recursive: true });
    }
  });

  test('leaves out what is not used', () => {
    const holds = (file: string, text: string) => part(file).includes(text);
    const ofClient = 'connection closed with code';
    const ofInspector = 'bidSize ask';
    const files = ['size/client.js', 'size/replica.js', 'size/inspect.js', 'depthwire.js'];
    expect(files.map((file) => holds(file, ofClient))).toEqual([true, false, false, true]);
    expect(files.map((file) => holds(file, ofInspector))).toEqual([false, false, true, false]);
    expect(files.map((file) => holds(file, 'msgpackr'))).toEqual([false, false, false, false]);
  });
});

test(
  'the spread alarm prints the top of the book, and ends when it is told',
  { timeout: 30_000 },
  async () => {
    const child = spawn(process.execPath, [
      join(root, 'examples/node/spread-alarm.ts'),
      'sim:BTC-USD',
      '0',
      url,
    ]);
    let first = '';
    for await (const line of createInterface(child.stdout)) {
      first = line;
      break;
    }
    expect(first).toMatch(
      /^sim:BTC-USD {2}\d+\.\d+ @ \d+\.\d\d \| \d+\.\d\d @ \d+\.\d+ {2}[\d.]+ bps {2}WIDE$/,
    );
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  },
);
