import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { missingEngines } from './cluster/engines.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

/** `screen` needs a browser and is tried with the other end-to-end tests. */
const BENCHES = ['book', 'wire', 'fanout', 'ingest', 'e2e', 'slow', 'history', 'stampede'];

// They compare results themselves (equal books, equal messages, frames that all came) and fail where they differ.
// Some mostly wait: two at a time.
test.concurrent.each(BENCHES)('%s runs, and everybody in it comes to the same results', async (name) => {
  const { exitCode, output, errors } = await run([name, '--smoke', '--json']);
  expect(exitCode, errors).toBe(0);
  const line = JSON.parse(output.trimEnd().split('\n').at(-1)!) as Record<string, object>;
  expect(line).toMatchObject({ bench: name, peers: expect.any(Object), ratios: expect.any(Object) });
  const figures = Object.values(line.ours!) as unknown[];
  expect(figures.length).toBeGreaterThan(0);
  expect(figures.every((figure) => typeof figure === 'number' && figure >= 0)).toBe(true);
});

// One after the other, each several processes.
describe.skipIf(missingEngines.length > 0)('with Redis, PostgreSQL and nginx', () => {
  test('scale runs', async () => {
    const { exitCode, errors } = await run(['scale', '--smoke']);
    expect(exitCode, errors).toBe(0);
  });

  test('a cluster loses its leader, a gateway and Redis, and nobody sees a wrong book', async () => {
    const { exitCode, errors } = await run(['cluster', '--smoke']);
    expect(exitCode, errors).toBe(0);
  });
});

test('a benchmark that there is none of is wrong input', async () => {
  const { exitCode, errors } = await run(['speed']);
  expect(exitCode).toBe(2);
  expect(errors).toContain('there is no benchmark called speed');
});

function run(args: readonly string[]) {
  return new Promise<{ exitCode: number | null; output: string; errors: string }>((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', '--no-warnings', MAIN, ...args]);
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, output, errors }));
  });
}
