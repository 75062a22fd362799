import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';

const MAIN = fileURLToPath(new URL('../bench/src/main.ts', import.meta.url));

test('the benchmark of the screen runs, with every panel live', () => {
  test.setTimeout(120_000);
  const args = ['--expose-gc', '--no-warnings', MAIN, 'screen', '--smoke', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  const { bench, ours } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, object>;
  expect(bench).toBe('screen');
  expect(Object.values(ours!).every((figure) => typeof figure === 'number')).toBe(true);
});
