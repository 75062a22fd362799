import { readFileSync } from 'node:fs';
import official from '@asyncapi/specs/schemas/3.0.0-without-$id.json' with { type: 'json' };
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import {
  candleIntervals,
  codecs,
  errorCatalogue,
  frameCodes,
  instrumentKinds,
  origins,
  topics,
  tradingStatuses,
  wireStates,
  type Encoding,
} from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import { column, tableOf } from '../../../shared/test/markdown.ts';
import { documentChecker } from '../../test/json-schema.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { RawClient } from '../../test/raw-client.ts';
import { serveFeeds } from '../../test/server.ts';
import { parseConfig } from '../config/config.ts';
import { createFeeds } from '../feed-factory.ts';
import { createKey, hashOf, secretPrefix } from '../access/keys.ts';
import { asyncApi } from './asyncapi.ts';
import { examples } from './examples.ts';

interface Schema {
  readonly $ref?: string;
  readonly title?: string;
  readonly allOf?: readonly { $ref?: string }[];
  readonly properties?: Record<string, Schema & { const?: unknown }>;
  readonly required?: readonly string[];
  readonly items?: readonly (Schema & { const?: unknown })[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
}
interface Message {
  readonly payload: { readonly $ref: string };
  readonly examples: readonly { payload: unknown }[];
}

const api = asyncApi();
const messages = api.components.messages as unknown as Record<string, Message>;
const schemas = api.components.schemas as Record<string, Schema>;
const check = documentChecker(api, { draft: '7' });
const markdown = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const table = (heading: string, n?: number) => tableOf(markdown, heading, n);
const isRequest = (key: string) => key.endsWith('Request');
const isFrame = (key: string) => key.endsWith('Frame');
const opOf = (key: string) => schemas[key]!.properties!.op!.const as string;
const codeOf = (key: string) => schemas[key]!.items![0]!.const as number;
/** The key of each message of the server by its `op` or its code. */
const keysOfServer = new Map(
  Object.keys(messages)
    .filter((key) => !isRequest(key))
    .map((key) => [isFrame(key) ? codeOf(key) : opOf(key), key] as const),
);

/** What is wrong with a message of the server. */
function problemsOf(message: unknown): string[] {
  const name = Array.isArray(message) ? (message[0] as number) : (message as { op: string }).op;
  const key = keysOfServer.get(name);
  return key === undefined ? [`no message ${name}`] : check(['components', 'schemas', key], message);
}

describe('the document', () => {
  test('docs/asyncapi.json is what the server tells; npm run documents writes it', async () => {
    const { get } = await serveFeeds([]);
    const { body } = await get('/api/v1/asyncapi.json');
    await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot('../../../docs/asyncapi.json');
  });

  test('is valid by the schema that AsyncAPI publishes, and refers to nothing that is not there', () => {
    const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
    const isValid = ajv.compile(official);
    isValid(JSON.parse(JSON.stringify(api)));
    expect(isValid.errors ?? []).toEqual([]);
    const references = [...JSON.stringify(api).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path!);
    expect(references.length).toBeGreaterThan(50);
    const at = (path: string) =>
      path.split('/').reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], api);
    expect(references.filter((path) => at(path) === undefined)).toEqual([]);
  });

  test('uses every message in an operation: requests received, all else sent or replied', () => {
    interface Operation {
      readonly action: string;
      readonly messages: readonly { $ref: string }[];
      readonly reply?: { readonly messages: readonly { $ref: string }[] };
    }
    const operations = Object.values(api.operations as Record<string, Operation>);
    const keys = (refs: readonly { $ref: string }[] = []) => refs.map(({ $ref }) => $ref.split('/').at(-1)!);
    const received = operations.filter(({ action }) => action === 'receive');
    expect(received.flatMap(({ messages }) => keys(messages)).toSorted()).toEqual(
      Object.keys(messages).filter(isRequest).toSorted(),
    );
    const sent = [
      ...operations.filter(({ action }) => action === 'send').flatMap(({ messages }) => keys(messages)),
      ...operations.flatMap(({ reply }) => keys(reply?.messages)),
    ];
    expect([...new Set(sent)].toSorted()).toEqual([...keysOfServer.values()].toSorted());
  });

  test('has examples of every message, which are those of docs/protocol.md', () => {
    const shown = [...markdown.matchAll(/^```json\n(.*?)^```$/gms)].map(
      ([, text]) => JSON.parse(text!) as unknown,
    );
    for (const [key, { payload, examples }] of Object.entries(messages)) {
      expect(examples.length, key).toBeGreaterThan(0);
      for (const example of examples) {
        expect(shown).toContainEqual(example.payload);
        expect(check(payload.$ref.split('/').slice(1), example.payload), key).toEqual([]);
      }
    }
  });
});

describe('docs/protocol.md and the document have the same', () => {
  test('requests and their fields', () => {
    const fields = Object.keys(messages)
      .filter(isRequest)
      .map((key) => [opOf(key), Object.keys(schemas[key]!.properties!).filter((name) => name !== 'op')]);
    const rows = table('Requests').map(([op, names]) => [
      op,
      names!.split(',').map((name) => name.replaceAll('`', '').trim()),
    ]);
    expect(fields).toEqual(rows);
  });

  test('answers and notices', () => {
    const ops = [...keysOfServer.keys()].filter((name) => typeof name === 'string');
    expect(ops.toSorted()).toEqual(column(table('Answers and notices'), 0).toSorted());
    const { properties } = schemas[keysOfServer.get('hello')!]!;
    expect(Object.keys(properties!).slice(1)).toEqual(column(table('hello'), 0));
    expect(Object.keys(schemas.Instrument!.properties!)).toEqual(column(table('subscribed'), 0));
  });

  test('fields of every answer as in its examples', () => {
    for (const [key, { examples }] of Object.entries(messages)) {
      if (isRequest(key) || isFrame(key)) continue;
      const shown = new Set(examples.flatMap(({ payload }) => Object.keys(payload as object)));
      for (const name of schemas[key]!.required!) expect(shown, key).toContain(name);
      for (const name of Object.keys(schemas[key]!.properties!)) expect(markdown).toContain(`\`${name}\``);
    }
  });

  test('frames, element by element', () => {
    const titleOf = ({ title, allOf, $ref = allOf?.[0]!.$ref }: Schema) =>
      title ?? schemas[$ref!.split('/').at(-1)!]!.title;
    const rows = table('Data frames');
    expect(Object.fromEntries(rows.map(([code, name]) => [name, Number(code)]))).toEqual(frameCodes);
    for (const [code, name, , elements] of rows) {
      const { items, minItems, maxItems } = schemas[keysOfServer.get(Number(code))!]!;
      const described = table(`${code} ${name}`);
      expect(items!.map(titleOf), name).toEqual(column(described, 1));
      expect([...new Set([minItems, maxItems])].join(' or '), name).toBe(elements);
    }
    expect([...keysOfServer.keys()].filter((name) => typeof name === 'number')).toEqual(
      Object.values(frameCodes),
    );
  });

  test('close codes, errors, subprotocols and limits', () => {
    expect(api['x-closeCodes'].map(({ code }) => String(code))).toEqual(column(table('Close codes'), 0));
    expect(api['x-errors'].map(({ code, retry }) => [code, retry ? 'yes' : 'no'])).toEqual(
      table('Errors').map(([code, retry]) => [code, retry]),
    );
    expect(api['x-subprotocols'].map(({ name, frames }) => [name, frames])).toEqual(
      table('Connecting').map(([name, , frames]) => [name, frames]),
    );
    const plain = (row: string[]) => row.map((cell) => cell.replaceAll('’', "'").replaceAll('`', ''));
    expect(api['x-limits'].map(({ limit, default: value, past }) => plain([limit, value, past]))).toEqual(
      table('Limits').map(plain),
    );
  });

  test('topics, intervals and ranges', () => {
    const { topic, interval, depth, cadence } = schemas.SubscribeRequest!.properties!;
    expect(topic).toMatchObject({ enum: column(table('subscribe', 1), 0) });
    expect(interval).toMatchObject({ enum: column(table('subscribe', 2), 0) });
    const { bandwidth, rate } = schemas.LimitRequest!.properties!;
    const ranges = { depth, cadence, bandwidth, rate } as Record<string, Schema>;
    const rows = new Map([...table('subscribe'), ...table('limit')].map((row) => [row[0]!, row.at(-1)!]));
    for (const [name, { minimum, maximum }] of Object.entries(ranges))
      expect(rows.get(name), name).toContain(`${minimum} to ${maximum}`);
  });
});

test('words that a later server may add to are listed, and open; what a client sends is closed, and so are states', () => {
  const { SubscribedMessage, ErrorMessage, Instrument, SubscribeRequest, BookStateFrame } = schemas;
  const listed = (of: Schema | undefined, name: string) => {
    const { anyOf } = of!.properties![name]!;
    expect(anyOf, name).toEqual([{ type: 'string', enum: expect.any(Array) as unknown }, { type: 'string' }]);
    return anyOf![0]!.enum;
  };
  expect(listed(ErrorMessage, 'code')).toEqual(Object.keys(errorCatalogue));
  expect(listed(SubscribedMessage, 'topic')).toEqual(topics);
  expect(listed(SubscribedMessage, 'interval')).toEqual(Object.keys(candleIntervals));
  expect(listed(Instrument, 'kind')).toEqual(instrumentKinds);
  expect(listed(Instrument, 'status')).toEqual(tradingStatuses);
  expect(listed(Instrument, 'origin')).toEqual(origins);
  expect(SubscribeRequest!.properties!.topic!.enum).toEqual(topics);
  expect(BookStateFrame!.items![3]!.enum).toEqual(wireStates.map((_, index) => index));

  const ofClient = documentChecker(api, { draft: '7', isClosed: false });
  const at = (name: string) => ['components', 'schemas', name];
  const [error] = examples.answers.error;
  const [subscribe] = examples.requests.subscribe;
  expect(ofClient(at('ErrorMessage'), { ...error, code: 'too_late' })).toEqual([]);
  expect(ofClient(at('ErrorMessage'), { ...error, code: 7 })).not.toEqual([]);
  expect(check(at('ErrorMessage'), { ...error, code: 'too_late' })).not.toEqual([]);
  expect(ofClient(at('SubscribeRequest'), { ...subscribe, topic: 'weather' })).not.toEqual([]);
});

describe.each<Encoding>(['json', 'msgpack'])('in %s', (encoding) => {
  test('every message that a server sends is one of the document, and each of those is sent', async () => {
    const feed = new ScriptedFeed();
    const key = createKey(secretPrefix);
    const keys = [{ id: 'desk', hash: hashOf(key) }];
    const { ws, depthwire } = await serveFeeds([feed], { access: { keys } });
    feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
    feed.state('live');
    feed.trade(101, 2, 0);
    const client = await new RawClient(ws, encoding).open();
    const isOp = (op: string) => (message: Record<string, unknown>) => message.op === op;
    const isCode = (code: number) => (message: Record<number, unknown>) => message[0] === code;
    let id = 0;
    const ask = (request: object) => client.send({ id: (id += 1), ...request });
    const subscribeTo = (topic: string, more: object = {}) =>
      ask({ op: 'subscribe', topic, instrument: 'test:AAA-USD', cadence: 0, ...more });

    ask({ op: 'authenticate', token: key });
    subscribeTo('book', { depth: 10 });
    const { ch, epoch } = await client.next(isOp('subscribed'));
    const { 4: sequence } = await client.next(isCode(frameCodes.bookSnapshot));
    for (const topic of ['trades', 'ticker', 'status']) subscribeTo(topic);
    subscribeTo('candles', { interval: '1m' });
    await client.next(isCode(frameCodes.candlesSnapshot));
    feed.delta([100, 6], []);
    await client.next(isCode(frameCodes.bookDelta));
    feed.trade(101, 3, 1);
    await client.next(isCode(frameCodes.candle));
    feed.state('recovering', 'connection lost');
    await client.next(isCode(frameCodes.bookState));
    feed.state('live');
    const elsewhere = { epoch, ch: 1, seq: 0, gateway: 'another', sequence, depth: 5 };
    subscribeTo('book', { depth: 5, resume: elsewhere });
    await client.next(isCode(frameCodes.bookResumed));
    ask({ op: 'snapshot', ch });
    await client.next(isOp('snapshot'));
    ask({ op: 'snapshot', ch: 9_999 });
    ask({ op: 'dance' });
    client.socket.send(encoding === 'json' ? '{' : Buffer.of(0xc1));
    ask({ op: 'ping' });
    await client.next(isOp('pong'));
    feed.emit({ type: 'instrument', instrument: testInstrument(undefined, { name: 'Another name' }) });
    await client.next(isOp('instrument'));

    // Once a second: what changes meanwhile comes merged.
    ask({ op: 'limit', rate: 1 });
    await client.next(isOp('limited'));
    const isMerged = new Set<unknown>([
      frameCodes.bookMerged,
      frameCodes.tradesMerged,
      frameCodes.candlesMerged,
    ]);
    for (let round = 1; isMerged.size > 0; round++) {
      feed.delta([100, 6 + (round % 7)], []);
      feed.trade(101, round, round + 1);
      await new Promise((resolve) => setTimeout(resolve, 10));
      for (const frame of client.messages.splice(0)) isMerged.delete((frame as unknown[])[0]);
    }
    ask({ op: 'unsubscribe', ch });
    await client.next(isOp('unsubscribed'));
    const ended = client.end();
    await depthwire.close();
    await ended;

    const received = client.frames.map((frame) => codecs[encoding].decode(frame));
    for (const message of received) expect(problemsOf(message), JSON.stringify(message)).toEqual([]);
    const names = received.map((message) =>
      Array.isArray(message) ? (message[0] as number) : (message as { op: string }).op,
    );
    expect(new Set(names)).toEqual(new Set(keysOfServer.keys()));
  });
});

test('so is all that a simulated market sends', async () => {
  const { feeds } = parseConfig({ feeds: [{ feed: 'sim', rate: 20 }] });
  const { ws, depthwire } = await serveFeeds(createFeeds(feeds));
  const client = await new RawClient(ws).open();
  let id = 0;
  for (const instrument of depthwire.source.markets.keys()) {
    for (const topic of topics) {
      const more = topic === 'book' ? { depth: 0 } : topic === 'candles' ? { interval: '1s' } : {};
      client.send({ op: 'subscribe', id: (id += 1), topic, instrument, cadence: 0, ...more });
    }
  }
  while (client.frames.length < 5_000) await client.next();
  const problems = client.frames.flatMap((frame) => problemsOf(codecs.json.decode(frame)));
  expect(problems).toEqual([]);
});

test('a message that the document does not have is found', () => {
  expect(problemsOf({ op: 'pong', id: 1, time: 1, extra: true })).not.toEqual([]);
  expect(problemsOf({ op: 'pong', id: 1 })).not.toEqual([]);
  expect(problemsOf([2, 7, 42, 3, 100, 87, 9, [-2.5], []])).not.toEqual([]);
  expect(problemsOf([3, 7, 44, 4, 5010, null])).not.toEqual([]);
  expect(problemsOf([3, 7, 44, 2, 5010, null, 1])).not.toEqual([]);
  expect(problemsOf({ op: 'gossip' })).not.toEqual([]);
});
