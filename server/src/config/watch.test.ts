import { mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@depthwire/feeds';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createKey, hashOf, secretPrefix } from '../access/keys.ts';
import { loadConfig } from './config.ts';
import { stampOf, watchConfig, type TakenConfig } from './watch.ts';

/** A configuration file that is watched by a clock of the test's own. */
async function watched(text: string) {
  const cwd = await mkdtemp(join(tmpdir(), 'depthwire-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  const path = join(cwd, 'depthwire.yaml');
  let seconds = 1;
  const write = async (next: string) => {
    await writeFile(path, next);
    seconds += 1;
    await utimes(path, seconds, seconds);
  };
  await write(text);
  const load = () => loadConfig({ env: {}, cwd });
  const clock = new VirtualClock(0);
  const lines: [string, object][] = [];
  const line = (details: object, message: string) => void lines.push([message, details]);
  const taken: TakenConfig[] = [];
  const timer = watchConfig({
    ...{ path, clock, load, stamp: stampOf(path), config: await load() },
    log: { info: line, warn: line, error: line },
    take: (config) => taken.push(config),
  });
  onTestFinished(() => timer.cancel());
  return {
    ...{ write, taken, lines, path },
    // Twice: what has just been written may be half of it.
    look: () => clock.advanceTo(clock.now() + 4_000),
  };
}

test('takes who may read from a file that has changed, and says what waits for a restart', async () => {
  const { write, look, taken, lines } = await watched('port: 8080');
  look();
  const hash = hashOf(createKey(secretPrefix));
  await write(`port: 8081\naccess:\n  keys: [{ id: desk, hash: "${hash}" }]`);
  look();
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  expect(lines).toEqual([
    ['took what has changed in the configuration', { keys: ['access'] }],
    ['the configuration has changed: this takes a restart', { keys: ['port'] }],
  ]);
  expect(taken).toMatchObject([{ access: { keys: [{ id: 'desk', hash }] } }]);
});

test('goes on with what was before while the file cannot be used, or is gone', async () => {
  const { write, look, taken, lines, path } = await watched('access: { public: true }');
  await write('access: { public: perhaps }');
  look();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]).toEqual([
    'the changed configuration cannot be used; what was before stays',
    { reason: expect.stringContaining('access.public (depthwire.yaml): expected true, false') as string },
  ]);
  await write('access: { public: { topics: [ticker] } }');
  look();
  await vi.waitFor(() => expect(taken).toMatchObject([{ access: { public: { topics: ['ticker'] } } }]));
  expect(lines).toHaveLength(2);
  await rm(path);
  look();
  await vi.waitFor(() => expect(lines).toHaveLength(3));
  expect(lines[2]).toEqual([
    'the changed configuration cannot be used; what was before stays',
    { reason: expect.stringContaining('is gone') as string },
  ]);
  expect(taken).toHaveLength(1);
});

test('is not put off by what it cannot look at, and says so once', async () => {
  const { look, taken, lines, path } = await watched('access: { public: true }');
  await rm(path);
  await symlink(path, path); // a link that leads to itself
  for (let i = 0; i < 5; i++) look();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]![1]).toEqual({ reason: expect.stringContaining('ELOOP') as string });
  expect(taken).toEqual([]);
});

test('does not open what was closed because a file was cut short', async () => {
  const { write, look, taken, lines } = await watched('access: { public: { topics: [ticker] } }');
  await write('');
  look();
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  expect(lines[0]![1]).toEqual({ reason: expect.stringContaining('nothing is left of it') as string });
  expect(taken).toEqual([]);
});

test('compares what waits for a restart with what runs', async () => {
  const { write, look, lines } = await watched('port: 8080\naccess: { public: true }');
  await write('port: 8081\naccess: { public: true, authenticateWithinMs: 500 }');
  look();
  await vi.waitFor(() => expect(lines).toHaveLength(2));
  expect(lines[1]).toEqual([
    'the configuration has changed: this takes a restart',
    { keys: ['port', 'access.authenticateWithinMs'] },
  ]);
  await write('port: 8080\naccess: { public: { topics: [ticker] } }');
  look();
  await vi.waitFor(() => expect(lines).toHaveLength(3));
  expect(lines[2]).toEqual(['took what has changed in the configuration', { keys: ['access'] }]);
});
