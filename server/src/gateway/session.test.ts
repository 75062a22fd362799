import { codecs, frameCodes } from '@depthwire/shared';
import { expect, test } from 'vitest';
import { messagesIn } from '../../test/websocket.ts';
import { localOwner } from '../../test/owners.ts';
import { ScriptedFeed, silentLog, START_MS, startMarket, testInstrument } from '../../test/markets.ts';
import { Session } from './session.ts';

const limits = {
  ...{ heartbeatMs: 1e9, maxMessageBytes: 1e6, maxSubscriptions: 9, maxBufferedBytes: 1_000 },
  ...{ maxRequestsPerSecond: 1e3, idleMs: 1e9, authenticateWithinMs: 1e4 },
};

/** A session on a clock of the test's own, and what it sends. */
function aSession({ hub, clock }: Awaited<ReturnType<typeof startMarket>>) {
  const sent: unknown[] = [];
  const closed: number[] = [];
  const socket = {
    bufferedBytes: 0,
    write(frames: Uint8Array) {
      for (const message of messagesIn(frames)) sent.push(codecs.json.decode(message));
    },
    close: (code: number) => void closed.push(code),
    terminate() {},
    pause() {},
    resume() {},
    onceDrained() {},
  };
  const clocks = { marketClock: clock, wallClock: clock };
  const session = new Session({
    id: 'test',
    ...{ hub, socket, limits, ...clocks, owner: localOwner(), log: silentLog },
    ...{ server: 'test', encoding: 'json' },
  });
  return { session, socket, sent, closed };
}

test('a client that lags behind an instrument which was forgotten meanwhile gets it when it comes again', async () => {
  const market = await startMarket(new ScriptedFeed('first', [testInstrument('first:A-B')]));
  const { engine, clock } = market;
  const feed = new ScriptedFeed('mine');
  const instruments = [...feed.instruments];
  await engine.addFeed(feed, { isPluggedIn: true });
  feed.snapshot([100, 5], [101, 4]);
  const { session, socket, sent } = aSession(market);
  const request = { op: 'subscribe', id: 1, topic: 'book', instrument: 'test:AAA-USD', cadence: 0 };
  session.onMessage(JSON.stringify(request));
  socket.bufferedBytes = 10_000;
  feed.delta([99, 1], []);

  Object.assign(feed, { instruments: [] });
  await engine.addFeed(feed, { isPluggedIn: true });
  engine.loseGone(feed);
  clock.advanceTo(START_MS + 700_000);
  expect(engine.markets.has('test:AAA-USD')).toBe(false);
  socket.bufferedBytes = 0;
  session.tick();
  session.onMessage(JSON.stringify({ op: 'snapshot', id: 2, ch: 1 }));
  expect(sent.at(-1)).toMatchObject({ op: 'error', id: 2, code: 'unknown_instrument' });

  Object.assign(feed, { instruments });
  await engine.addFeed(feed, { isPluggedIn: true });
  feed.snapshot([200, 5], [201, 4]);
  expect(sent.at(-1)).toMatchObject({ 0: frameCodes.bookSnapshot, 7: 200 });
});

test('what a client does wrong now and then is forgiven, and what it does again and again is not', async () => {
  const market = await startMarket();
  const { clock } = market;
  const { session, closed } = aSession(market);
  for (let i = 0; i < 50; i++) {
    session.onMessage('[');
    clock.advanceTo(clock.now() + 60_000);
  }
  expect(closed).toEqual([]);
  for (let i = 0; i < 10; i++) session.onMessage('[');
  expect(closed).toEqual([4400]);
});
