import { expect, test } from 'vitest';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { serveFeeds } from '../../test/server.ts';

const PATH = '/api/v1/instruments/test:AAA-USD';

async function start() {
  const feed = new ScriptedFeed();
  const server = await serveFeeds([feed]);
  feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  feed.state('live');
  feed.trade(100, 1, 1);
  const tagOf = async (path: string) => (await server.get(path)).headers.get('etag')!;
  return { ...server, feed, tagOf };
}

test.each([
  ['a book', `${PATH}/book`, (feed: ScriptedFeed) => feed.delta([100, 6], [])],
  ['the state of a book', `${PATH}/book`, (feed: ScriptedFeed) => feed.state('recovering', 'gap')],
  ['an instrument', PATH, (feed: ScriptedFeed) => feed.state('recovering', 'gap')],
  [
    'the instruments',
    '/api/v1/instruments',
    (feed: ScriptedFeed) => feed.emit({ type: 'instrument', instrument: testInstrument('test:BBB-USD') }),
  ],
  ['trades', `${PATH}/trades`, (feed: ScriptedFeed) => feed.trade(100, 1, 2)],
  ['candles', `${PATH}/candles`, (feed: ScriptedFeed) => feed.trade(103, 1, 2)],
])('%s is sent once for as long as nothing changes', async (_, path, change) => {
  const { get, feed, tagOf } = await start();
  const tag = await tagOf(path);
  const same = await get(path, { 'if-none-match': tag });
  expect(same).toMatchObject({ status: 304, text: '' });
  expect(same.headers.get('etag')).toBe(tag);
  expect(same.headers.get('cache-control')).toBe('private, no-cache');
  expect(await get(path, { 'if-none-match': `"other", ${tag.slice(2)}` })).toMatchObject({ status: 304 });
  change(feed);
  const changed = await get(path, { 'if-none-match': tag });
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).not.toBe(tag);
});

test('HEAD tells the tag of a book without its levels', async () => {
  const { url, tagOf } = await start();
  const tag = await tagOf(`${PATH}/book`);
  const head = (headers = {}) => fetch(`${url}${PATH}/book`, { method: 'HEAD', headers });
  const answer = await head();
  expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([200, tag, '']);
  expect((await head({ 'if-none-match': tag })).status).toBe(304);
  for (const path of [`${PATH}/trades`, `${PATH}/candles`, '/api/v1/instruments']) {
    const fresh = await fetch(`${url}${path}`, { method: 'HEAD', headers: { 'if-none-match': '*' } });
    expect([path, fresh.status, await fresh.text()]).toEqual([path, 304, '']);
  }
});

test('a book of another depth, or of another scale, is another', async () => {
  const { feed, tagOf } = await start();
  const tags = [await tagOf(`${PATH}/book`), await tagOf(`${PATH}/book?depth=1`)];
  feed.emit({
    type: 'instrument',
    instrument: testInstrument(undefined, { tick: { units: 5, decimals: 2 } }),
  });
  feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  feed.state('live');
  tags.push(await tagOf(`${PATH}/book`));
  expect(new Set(tags).size).toBe(3);
});

test('what a moment tells is kept nowhere, and neither are errors', async () => {
  const { get } = await start();
  for (const path of [
    '/api/v1/health',
    '/api/v1/feeds',
    `${PATH}/book?depth=0`,
    '/api/v1/instruments/test:NONE-USD',
  ]) {
    const { headers } = await get(path);
    expect(headers.get('cache-control'), path).toBe('no-store');
    expect(headers.get('etag'), path).toBeNull();
  }
});
