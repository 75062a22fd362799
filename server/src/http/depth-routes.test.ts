import { readFile } from 'node:fs/promises';
import { VirtualClock } from '@depthwire/feeds';
import { DepthwireClient, msgpackCodec, whenReady, type Scale } from '@depthwire/shared';
import {
  decodeDepthColumns,
  depthColumn,
  groupDepthColumn,
  type DepthColumn,
  type DepthAnswer as ColumnsAnswer,
} from '@depthwire/shared/depth';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createKey, hashOf, secretPrefix } from '../access/keys.ts';
import { START_MS, testInstrument } from '../../test/markets.ts';
import { serve as serveMarket } from '../../test/server.ts';

const PATH = '/api/v1/instruments/test:AAA-USD/depth-history';

interface DepthAnswer extends ColumnsAnswer {
  readonly instrument: string;
  readonly tick: Scale;
  readonly period: number;
  readonly since: number | null;
  readonly next: string | null;
  readonly newer: string;
}

/** A server whose market's time goes on when the test says so. */
async function serve(config: object = {}) {
  const clock = new VirtualClock(START_MS);
  const server = await serveMarket(config, undefined, { marketClock: clock });
  const { feed } = server;
  let updates = 0;
  let best = 100;
  /** So many seconds, with an update in each, and a trade in every third. */
  const live = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      updates += 1;
      feed.delta([best - 1, 7 + (updates % 50)], [best + 5 + (updates % 9), updates % 4]);
      if (updates % 3 === 0) feed.trade(101, updates, updates);
      clock.advanceTo(clock.now() + 1_000);
    }
  };
  const snapshot = (bids: number[], asks: number[]) => {
    best = bids[0]!;
    feed.snapshot(bids, asks);
  };
  const hole = (seconds: number) => {
    feed.state('recovering', 'gap');
    clock.advanceTo(clock.now() + 1_000 * seconds);
    feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
    feed.state('live');
  };
  const ask = async (path: string, headers?: Record<string, string>) => {
    const { status, body } = await server.get(path, headers);
    expect([path, status, body]).toEqual([path, 200, expect.anything()]);
    return body as DepthAnswer;
  };
  return { ...server, clock, live, snapshot, hole, ask };
}

const secondsOf = (answer: DepthAnswer) =>
  decodeDepthColumns(answer).map(({ time }) => (time - START_MS) / 1_000);
const codeOf = (body: unknown) => (body as { error: { code: string } }).error.code;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('before the first second has passed there is a step, and no column', async () => {
  const { ask, live } = await serve();
  const empty = await ask(PATH);
  expect(empty).toMatchObject({
    instrument: 'test:AAA-USD',
    period: 1_000,
    step: 1,
    time: null,
    since: null,
  });
  expect([empty.columns, empty.next]).toEqual([[], null]);
  live(2);
  expect(secondsOf(await ask(empty.newer))).toEqual([0, 1]);
});

test('columns are those of the book as a client has it', async () => {
  const { ask, live, ws, clock, depthwire } = await serve();
  const client = new DepthwireClient({
    url: ws,
    openWebSocket: (url, protocols) => new WebSocket(url, protocols) as never,
  });
  onTestFinished(() => client.close());
  const subscription = client.book('test:AAA-USD', { depth: 0, cadenceMs: 0 });
  client.connect();
  await whenReady(subscription);
  const { book } = depthwire.source.markets.get('test:AAA-USD')!;
  const expected: DepthColumn[] = [];
  for (let i = 0; i < 5; i++) {
    live(1);
    await expect
      .poll(() => [subscription.book.bids.toFlat(), subscription.book.asks.toFlat()])
      .toEqual([book.bids.toFlat(), book.asks.toFlat()]);
    expected.push(depthColumn(clock.now() - 1_000, subscription.book, 1));
  }
  const told = decodeDepthColumns(await ask(PATH));
  expect(told.map((column) => ({ ...column, traded: null }))).toEqual(expected);
  expect(told.map(({ traded }) => traded)).toEqual([
    null,
    null,
    { low: 101, high: 101, last: 101, bought: 3, sold: 0 },
    null,
    null,
  ]);
});

test('a second without a live book is a hole, one without a change is none', async () => {
  const { ask, live, hole, clock } = await serve();
  live(3);
  hole(4);
  clock.advanceTo(clock.now() + 3_000);
  const answer = await ask(PATH);
  expect(secondsOf(answer)).toEqual([0, 1, 2, 7, 8, 9]);
  expect(answer.columns.slice(-2)).toEqual([
    [1, 0, 0, [], []],
    [1, 0, 0, [], []],
  ]);
  expect(answer.since).toBe(START_MS);
});

describe('pages', () => {
  test('back in time neither repeat nor leave out a column while new ones come', async () => {
    const { ask, live, hole, get } = await serve();
    live(300);
    hole(7);
    live(60);
    const seen: number[] = [];
    let next: string | null = `${PATH}?limit=50`;
    for (let pages = 0; next !== null && pages < 20; pages++) {
      const page: DepthAnswer = await ask(next);
      expect((await get(next)).headers.get('link')).toBe(page.next && `<${page.next}>; rel="next"`);
      seen.unshift(...secondsOf(page));
      next = page.next;
      live(3);
    }
    expect(next).toBeNull();
    expect(seen).toEqual([...range(0, 300), ...range(307, 367)]);
  });

  test('forward go on where the last one ended, now and when more has come', async () => {
    const { ask, live, hole } = await serve();
    live(100);
    hole(5);
    live(20);
    const seen: number[] = [];
    let { newer, ...page } = await ask(`${PATH}?from=${START_MS + 10_500}&limit=40`);
    for (let pages = 0; pages < 8; pages++) {
      seen.push(...secondsOf({ newer, ...page }));
      live(4);
      ({ newer, ...page } = await ask(page.next ?? newer));
    }
    expect(seen).toEqual([...range(11, 100), ...range(105, 125), ...range(125, 153)].slice(0, seen.length));
    expect(seen.length).toBeGreaterThan(120);
  });

  test('hold what is from one time on and before another', async () => {
    const { ask, live } = await serve();
    live(30);
    const at = (second: number) => START_MS + 1_000 * second;
    expect(secondsOf(await ask(`${PATH}?from=${at(5)}&before=${at(9)}`))).toEqual([5, 6, 7, 8]);
    expect(secondsOf(await ask(`${PATH}?before=${at(9)}&limit=2`))).toEqual([7, 8]);
    const none = await ask(`${PATH}?before=${START_MS - 5_000}`);
    expect([secondsOf(none), none.next, none.step]).toEqual([[], null, 1]);
    const later = await ask(`${PATH}?from=${at(40)}`);
    live(12);
    expect(secondsOf(await ask(later.newer))).toEqual([40, 41]);
  });

  test('have one step each, and columns of a finer one are grouped', async () => {
    const { ask, live, snapshot } = await serve();
    live(100); // to the end of a minute
    snapshot([1_000_000, 5, 500_000, 1], [1_000_010, 5, 1_500_000, 1]);
    live(80);
    const newest = await ask(PATH);
    // 50 is a multiple of 1, and so they all fit
    expect([newest.step, newest.columns.length, newest.next]).toEqual([50, 180, null]);
    const oldest = await ask(`${PATH}?from=0`);
    expect([oldest.step, oldest.columns.length]).toEqual([1, 159]);
    const rest = await ask(oldest.next!);
    expect([rest.step, rest.columns.length, rest.next]).toEqual([50, 21, null]);
    expect(
      decodeDepthColumns(oldest)
        .slice(0, 90)
        .map((column) => groupDepthColumn(column, 50)),
    ).toEqual(decodeDepthColumns(newest).slice(0, 90));
  });
});

test('whoever asks for a coarser step gets the next whole multiple of what was recorded', async () => {
  const { ask, live, snapshot } = await serve();
  snapshot(
    range(0, 200).flatMap((i) => [1_000 - i, 10 + i]),
    range(1, 250).flatMap((i) => [1_000 + i, 10 + i]),
  );
  live(20);
  const fine = await ask(PATH);
  const coarse = await ask(`${PATH}?step=7`);
  expect([fine.step, coarse.step]).toEqual([1, 7]);
  expect(decodeDepthColumns(coarse).map(({ bids }) => bids.length)[0]).toBeLessThan(35);
  // Sizes are within 0.1 % of the sums of those that are within 0.1 %.
  const sums = decodeDepthColumns(fine).map((column) => groupDepthColumn(column, 7));
  for (const [i, { time, bids, asks, traded }] of decodeDepthColumns(coarse).entries()) {
    expect({ time, traded }).toEqual({ time: sums[i]!.time, traded: sums[i]!.traded });
    for (const [told, sum] of [
      [bids, sums[i]!.bids],
      [asks, sums[i]!.asks],
    ] as const) {
      expect(told.length).toBe(sum.length);
      for (let k = 0; k < told.length; k++)
        expect(Math.abs(told[k]! - sum[k]!)).toBeLessThanOrEqual(0.001 * sum[k]!);
    }
  }
});

test('the example of docs/protocol.md reads as it says', async () => {
  const text = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const [, section] = text.split('### Depth history\n');
  const [, example] = /^```json rest\n(.*?)^```$/ms.exec(section!)!;
  const [first, second, third] = decodeDepthColumns(JSON.parse(example!) as DepthAnswer);
  expect(first).toMatchObject({
    time: 1760000010000,
    bid: 6704215,
    bids: Float64Array.of(121_856, 0, 29_440),
  });
  expect(section).toContain('121,856');
  expect(section).toContain('29,440');
  expect(second).toMatchObject({
    time: 1760000011000,
    ask: 6704220,
    traded: { low: 6704200, bought: 42000 },
  });
  expect(second!.asks).toEqual(first!.asks);
  // three seconds later, and a bucket lower
  expect(third).toMatchObject({ time: 1760000014000, bid: 6703695, ask: 6703702, traded: null });
  expect([third!.bids.length, third!.asks.length]).toEqual([2, 3]);
  expect([second!.bids[2], third!.bids[1]]).toEqual([29_056, 29_056]);
});

test('as MessagePack it is the same', async () => {
  const { ask, live, url } = await serve();
  live(40);
  const headers = { accept: 'application/json;q=0.5, application/vnd.msgpack' };
  const response = await fetch(`${url}${PATH}`, { headers });
  expect(response.headers.get('content-type')).toBe('application/vnd.msgpack');
  expect(response.headers.get('vary')).toMatch(/\baccept\b/i);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const json = await ask(PATH);
  expect(msgpackCodec.decode(bytes)).toEqual(json);
  expect(bytes.length).toBeLessThan(JSON.stringify(json).length);
  const etag = response.headers.get('etag')!;
  expect((await fetch(`${url}${PATH}`, { headers: { ...headers, 'if-none-match': etag } })).status).toBe(304);
  expect((await fetch(`${url}${PATH}`, { headers: { 'if-none-match': etag } })).status).toBe(200);
});

test('what it depends on is told to caches, whoever may read it', async () => {
  const { get } = await serve({ allowedOrigins: ['https://desk.example', 'https://shop.example'] });
  const { headers } = await get(PATH, { origin: 'https://desk.example' });
  expect(headers.get('access-control-allow-origin')).toBe('https://desk.example');
  expect(headers.get('vary')!.split(', ').toSorted()).toEqual(['Accept', 'Origin']);
});

test('is sent once until there is another column; the past once for all', async () => {
  const { get, live } = await serve();
  live(10);
  const past = `${PATH}?from=${START_MS}&before=${START_MS + 5_000}`;
  const tags = await Promise.all([PATH, past].map(async (path) => (await get(path)).headers.get('etag')!));
  const again = (path: string, tag: string) => get(path, { 'if-none-match': tag });
  expect(await again(PATH, tags[0]!)).toMatchObject({ status: 304, text: '' });
  live(1);
  expect((await again(PATH, tags[0]!)).status).toBe(200);
  expect((await again(past, tags[1]!)).status).toBe(304);
});

test('after another tick size there is nothing of the old one, and cursors of it lead nowhere', async () => {
  const { ask, get, live, feed, clock } = await serve();
  live(30);
  const old = await ask(`${PATH}?limit=10`);
  feed.emit({
    type: 'instrument',
    instrument: testInstrument(undefined, { tick: { units: 5, decimals: 2 } }),
  });
  feed.snapshot([20, 5], [21, 4]);
  feed.state('live');
  clock.advanceTo(clock.now() + 2_000);
  const fresh = await ask(PATH);
  expect(secondsOf(fresh)).toEqual([30, 31]);
  expect(fresh.tick).toEqual({ units: 5, decimals: 2 });
  for (const path of [old.next!, old.newer]) {
    const { status, body } = await get(path);
    expect([status, codeOf(body)]).toEqual([410, 'cursor_expired']);
  }
});

test.each([
  ['limit=0', 'limit: expected an integer from 1 to 3600, got "0"'],
  ['limit=3601', 'limit: expected an integer from 1 to 3600'],
  ['step=0', 'step: expected an integer'],
  ['step=1.5', 'step: expected an integer'],
  ['step=all', 'step: expected an integer'],
  ['from=-1', 'from: expected an integer'],
  ['before=soon', 'before: expected an integer'],
  ['from=1&from=2', 'from: expected an integer'],
  ['cursor=x', 'cursor: expected one from the `next`'],
  [`cursor=${Buffer.from('[1,1,"from",-1]').toString('base64url')}`, 'cursor: expected one from the `next`'],
])('%s is refused', async (query, message) => {
  const { get } = await serve();
  const { status, body } = await get(`${PATH}?${query}`);
  expect([status, codeOf(body)]).toEqual([400, 'invalid_request']);
  expect((body as { error: { message: string } }).error.message).toContain(message);
});

test('of an instrument that nobody has, or on a server that keeps none, there is none', async () => {
  const { get } = await serve();
  const unknown = await get('/api/v1/instruments/test:NONE-USD/depth-history');
  expect([unknown.status, codeOf(unknown.body)]).toEqual([404, 'unknown_instrument']);
  const { get: getOff } = await serve({ history: { depthMinutes: 0 } });
  const off = await getOff(PATH);
  expect([off.status, codeOf(off.body)]).toEqual([404, 'not_found']);
});

test('keys get no more of the book than they may read', async () => {
  const key = createKey(secretPrefix);
  const withKey = async (grants: object) => {
    const { get, live } = await serve({ access: { keys: [{ id: 'desk', hash: hashOf(key), ...grants }] } });
    live(3);
    const { status, body } = await get(PATH, { authorization: `Bearer ${key}` });
    return { status, body: body as DepthAnswer & { error: { code: string; message: string } } };
  };
  for (const [grants, reason] of [
    [{ topics: ['trades'] }, 'may not read book'],
    [{ instruments: ['other:*'] }, 'may not read test:AAA-USD'],
    [{ maxDepth: 5 }, '5 levels a side'],
    [{ minCadenceMs: 1_001 }, 'every 1001 ms'],
  ] as const) {
    const { status, body } = await withKey(grants);
    expect([status, body.error.code]).toEqual([403, 'forbidden']);
    expect(body.error.message).toContain(reason);
  }
  const tradedOf = (answer: DepthAnswer) =>
    decodeDepthColumns(answer).filter(({ traded }) => traded !== null).length;
  const all = await withKey({ minCadenceMs: 1_000 });
  expect([all.status, tradedOf(all.body)]).toEqual([200, 1]);
  const bookOnly = await withKey({ topics: ['book'] });
  expect([bookOnly.status, bookOnly.body.columns.length, tradedOf(bookOnly.body)]).toEqual([200, 3, 0]);
});
