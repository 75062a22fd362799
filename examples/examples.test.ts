import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { systemClock } from '@depthwire/feeds';
import { FeedObserver } from '@depthwire/feeds/kit';
import { expect, test, vi } from 'vitest';
import createFeed from './one-file-feed.ts';
import { startExampleEmulator, type ExampleEmulator } from './venue/emulator.ts';

const symbol = 'BTC-USD';
const id = `one-file:${symbol}`;

async function onEmulator(
  body: (emulator: ExampleEmulator, observer: FeedObserver) => Promise<void>,
): Promise<void> {
  const emulator = await startExampleEmulator({ symbols: [{ symbol, base: 'BTC', quote: 'USD' }] });
  const feed = createFeed({ url: `${emulator.endpoints.ws}/stream` });
  const observer = new FeedObserver(systemClock);
  try {
    await feed.start(observer.context);
    await vi.waitFor(() => expect(observer.isLive(id)).toBe(true), 5_000);
    await body(emulator, observer);
  } finally {
    await feed.stop();
    await emulator.close();
  }
}

const tick = (emulator: ExampleEmulator, times: number) => {
  for (let i = 0; i < times; i++) emulator.tick();
};

test('the feed in one file has the book and the trades of its venue', () =>
  onEmulator(async (emulator, observer) => {
    tick(emulator, 50);
    await vi.waitFor(() => expect(observer.text(id)).toEqual(emulator.truth(symbol)), 5_000);
    const { states, trades } = observer.market(id);
    expect(states).toEqual(['live']);
    expect(trades.length).toBe(emulator.trades(symbol).length);
    expect(observer.failures).toEqual([]);
  }));

test('the feed in one file finds a lost update, and takes the book anew', () =>
  onEmulator(async (emulator, observer) => {
    emulator.dropNext(symbol);
    tick(emulator, 3);
    await vi.waitFor(() => expect(observer.market(id).states).toEqual(['live', 'recovering', 'live']), 5_000);
    tick(emulator, 3);
    await vi.waitFor(() => expect(observer.text(id)).toEqual(emulator.truth(symbol)), 5_000);
  }));

test('the feed in one file fails when the connection is lost, for the server to start another', () =>
  onEmulator(async (emulator, observer) => {
    emulator.disconnectAll();
    await vi.waitFor(() => expect(observer.failures).toMatchObject([{ code: 'venue_http' }]), 5_000);
  }));

test('the feed in one file refuses options that make no sense', () => {
  expect(() => createFeed({ symbol: 'BTCUSD' })).toThrow('expected BASE-QUOTE');
});

test('the adapter that new-feed copies conforms', { timeout: 120_000 }, async () => {
  const child = spawn(process.execPath, ['--test'], {
    cwd: join(import.meta.dirname, 'venue'),
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((done) => child.on('close', done));
  expect(code, output).toBe(0);
});
