import { readFile } from 'node:fs/promises';
import fastifySwagger from '@fastify/swagger';
import { Validator } from '@seriousme/openapi-schema-validator';
import {
  DepthwireError,
  errorCatalogue,
  frameCodes,
  requestRanges,
  topics,
  tradingStatuses,
} from '@depthwire/shared';
import { describe, expect, test, vi } from 'vitest';
import Fastify from 'fastify';
import { z } from 'zod';
import { tableOf } from '../../../shared/test/markdown.ts';
import { documentChecker } from '../../test/json-schema.ts';
import { ScriptedFeed, testInstrument } from '../../test/markets.ts';
import { serveFeeds } from '../../test/server.ts';
import { createKey, hashOf, publishablePrefix, secretPrefix } from '../access/keys.ts';
import { asyncApi } from '../protocol/asyncapi.ts';
import { openApi } from './openapi.ts';
import { serializerCompiler, validatorCompiler } from './schema-parts.ts';
import { parseStreamQuery } from './stream-query.ts';

interface Response {
  readonly description: string;
  readonly headers?: Record<string, object>;
  readonly content?: Record<string, { schema: object; examples?: Record<string, { value: unknown }> }>;
}
interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Readonly<Record<string, string | number | readonly string[]>>;
  }[];
  readonly responses: Record<string, Response>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, { examples?: unknown[] }> };
}

const JSON_TYPE = 'application/json';

async function start() {
  const feed = new ScriptedFeed('scripted', [testInstrument(), testInstrument('test:BBB-USD')]);
  const away = new ScriptedFeed('away', []);
  away.start = () => Promise.reject(new DepthwireError('venue_http', 'GET https://venue.example failed'));
  const server = await serveFeeds([feed, { id: 'away', create: () => away }]);
  feed.snapshot([100, 5, 99, 7], [101, 4, 102, 6]);
  feed.state('live');
  for (let id = 1; id <= 3; id++) feed.trade(100 + id, 5, id);
  const document = (await server.get('/api/v1/openapi.json')).body as Document;
  return { ...server, feed, document };
}

/** Each path has one method. */
const methodOf = (path: string) => (path === '/api/v1/tickets' ? 'post' : 'get');
const operationOf = (document: Document, path: string) => document.paths[path]![methodOf(path)]!;

const at = (path: string, status: number) => [
  'paths',
  path,
  methodOf(path),
  'responses',
  String(status),
  'content',
  JSON_TYPE,
  'schema',
];

test('docs/openapi.json is what the server tells; npm run documents writes it', async () => {
  const { document } = await start();
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../../docs/openapi.json');
});

test('is a valid document of OpenAPI 3.1, whose operations have names', async () => {
  const { document } = await start();
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(await new Validator().validate(structuredClone(document) as never)).toMatchObject({ valid: true });
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  expect(operations).toSatisfy((all: { operationId?: string }[]) =>
    all.every(({ operationId }) => operationId),
  );
});

const id = 'test:AAA-USD';
const requests: [path: string, request: string, status: number, headers?: Record<string, string>][] = [
  // Whatever a balancer or a browser adds.
  ...['openapi.json', 'live', 'ready', 'health'].map((name): [string, string, number] => [
    `/api/v1/${name}`,
    '?_=1',
    200,
  ]),
  ['/api/v1/openapi.json', '', 200],
  ['/api/v1/openapi.json', '', 304, { 'if-none-match': '*' }],
  ['/api/v1/asyncapi.json', '', 200],
  ['/api/v1/asyncapi.json', '', 304, { 'if-none-match': '*' }],
  ['/api/v1/feeds', '', 200],
  ['/api/v1/live', '', 200],
  ['/api/v1/ready', '', 200],
  ['/api/v1/access', '', 200],
  ['/api/v1/tickets', '', 201],
  ['/api/v1/health', '', 200],
  // Nobody has a parameter of this name.
  ...['access', 'feeds', 'tickets', 'stream'].map((name): [string, string, number] => [
    `/api/v1/${name}`,
    '?limt=5',
    400,
  ]),
  ['/api/v1/stream', '', 400],
  ['/api/v1/stream', '?book=test:AAA-USD,depth=x', 400],
  ['/api/v1/stream', '?book=test:NONE-USD', 404],
  ['/api/v1/instruments', '', 200],
  ['/api/v1/instruments', '?limit=1&venue=test&status=trading', 200],
  ['/api/v1/instruments', '?status=asleep', 400],
  ['/api/v1/instruments', `?cursor=${Buffer.from('["test:GONE-USD"]').toString('base64url')}`, 410],
  ['/api/v1/instruments', '', 304, { 'if-none-match': '*' }],
  ['/api/v1/instruments/{id}', id, 200],
  ['/api/v1/instruments/{id}', 'test:BBB-USD', 200],
  ['/api/v1/instruments/{id}', id, 304, { 'if-none-match': '*' }],
  ['/api/v1/instruments/{id}', '%E0%A4%A', 400],
  ['/api/v1/instruments/{id}', 'test:NONE-USD', 404],
  ['/api/v1/instruments/{id}/book', `${id}?depth=1`, 200],
  ['/api/v1/instruments/{id}/book', 'test:BBB-USD', 200],
  ['/api/v1/instruments/{id}/book', id, 304, { 'if-none-match': '*' }],
  ['/api/v1/instruments/{id}/book', `${id}?depth=0`, 400],
  ['/api/v1/instruments/{id}/book', 'test:NONE-USD', 404],
  ['/api/v1/instruments/{id}/trades', `${id}?limit=2`, 200],
  ['/api/v1/instruments/{id}/trades', `${id}?after=0`, 200],
  ['/api/v1/instruments/{id}/trades', id, 304, { 'if-none-match': '*' }],
  ['/api/v1/instruments/{id}/trades', `${id}?cursor=x`, 400],
  ['/api/v1/instruments/{id}/trades', 'test:NONE-USD', 404],
  [
    '/api/v1/instruments/{id}/trades',
    `${id}?cursor=${Buffer.from('[1,1,"from",0]').toString('base64url')}`,
    410,
  ],
  ['/api/v1/instruments/{id}/candles', `${id}?interval=1m&limit=1`, 200],
  ['/api/v1/instruments/{id}/candles', `test:BBB-USD`, 200],
  ['/api/v1/instruments/{id}/candles', id, 304, { 'if-none-match': '*' }],
  ['/api/v1/instruments/{id}/candles', `${id}?interval=7m`, 400],
  ['/api/v1/instruments/{id}/candles', 'test:NONE-USD', 404],
  ['/api/v1/instruments/{id}/depth-history', id, 200],
  ['/api/v1/instruments/{id}/depth-history', `${id}?from=0&limit=5&step=10`, 200],
  ['/api/v1/instruments/{id}/depth-history', 'test:BBB-USD', 200],
  ['/api/v1/instruments/{id}/depth-history', id, 304, { 'if-none-match': '*' }],
  ['/api/v1/instruments/{id}/depth-history', `${id}?step=0`, 400],
  ['/api/v1/instruments/{id}/depth-history', 'test:NONE-USD', 404],
  [
    '/api/v1/instruments/{id}/depth-history',
    `${id}?cursor=${Buffer.from('[1,1,"from",0]').toString('base64url')}`,
    410,
  ],
];

test('every route answers as the document has it, its errors too', async () => {
  const { document, get } = await start();
  const check = documentChecker(document);
  for (const [path, request, status, headers] of requests) {
    const [before, behind] = path.split('{id}');
    const answer = await get(
      behind === undefined ? `${before}${request}` : urlOf(before!, behind, request),
      headers,
      methodOf(path),
    );
    expect(answer.status, `${path} ${request}`).toBe(status);
    const documented = operationOf(document, path).responses[status]!;
    expect(Object.keys(documented.headers ?? {}).filter((name) => name !== 'Link')).toSatisfy(
      (names: string[]) => names.every((name) => answer.headers.has(name)),
    );
    if (documented.content) expect(check(at(path, status), answer.body), `${path} ${request}`).toEqual([]);
    else expect(answer.text).toBe('');
  }
  // A stream has no end, and a test of its own.
  const sent = new Set([...requests.map(([path, , status]) => `${path} ${status}`), '/api/v1/stream 200']);
  const documented = Object.keys(document.paths).flatMap((path) =>
    Object.keys(operationOf(document, path).responses)
      .filter((status) => Number(status) < 500 && !refusedTo.has(Number(status)))
      .map((status) => `${path} ${status}`),
  );
  expect(documented.filter((each) => !sent.has(each))).toEqual([]);
});

describe('the event stream', () => {
  const path = '/api/v1/stream';

  test('takes the parameters that the document lists with the values that it allows, and no others', async () => {
    const { document } = await start();
    const check = documentChecker(document);
    const { parameters = [] } = operationOf(document, path);
    const takes = (query: string, lastEventId?: string) => {
      try {
        return parseStreamQuery(query, lastEventId) !== null;
      } catch {
        return false;
      }
    };
    const listed = (name: string, value: unknown) => {
      const index = parameters.findIndex((parameter) => parameter.name === name);
      return (
        index >= 0 && check(['paths', path, 'get', 'parameters', String(index), 'schema'], value).length === 0
      );
    };
    expect(parameters.map(({ name, in: place }) => `${place} ${name}`)).toEqual([
      ...[...topics, 'bandwidth', 'rate', 'lastEventId'].map((name) => `query ${name}`),
      'header Last-Event-ID',
    ]);
    const options = [
      'depth=20',
      'cadence=100',
      'interval=1m',
      'interval=2m',
      'depth=x',
      'cadence=',
      'topic=book',
    ];
    const behind = ['', ...options, ...options.flatMap((a) => options.map((b) => `${a},${b}`))];
    const count = { taken: 0, refused: 0 };
    for (const topic of [...topics, 'weather']) {
      for (const id of ['sim:BTC-USD', 'BTC', '', 'sim:A B']) {
        for (const more of behind) {
          const pairs = more.split(',').map((pair) => pair.split('=')[0]);
          if (new Set(pairs).size < pairs.length) continue; // each once: the description says so
          const value = more === '' ? id : `${id},${more}`;
          const isTaken = takes(new URLSearchParams({ [topic]: value }).toString());
          expect(listed(topic, [value]), `${topic}=${value}`).toBe(isTaken);
          count[isTaken ? 'taken' : 'refused'] += 1;
        }
      }
    }
    expect(count.taken).toBeGreaterThan(10);
    expect(count.refused).toBeGreaterThan(100);
    for (const name of ['bandwidth', 'rate'] as const) {
      const { min, max } = requestRanges[name];
      for (const value of [min - 1, min, max, max + 1])
        expect(listed(name, value), `${name}=${value}`).toBe(takes(`status=a:B&${name}=${value}`));
    }
    for (const value of ['17.4', '17', 'x', '17.4.1'])
      expect(listed('lastEventId', value), value).toBe(takes(`status=a:B&lastEventId=${value}`));
    for (const name of ['limt', 'depth', 'constructor'])
      expect(takes(`status=a:B&${name}=1`), name).toBe(false);
  });

  test('answers with events such as those of the example, each a message of the protocol', async () => {
    const { document, url } = await start();
    const { content } = operationOf(document, path).responses[200]!;
    const [type] = Object.keys(content!);
    const { examples } = content![type!]!.schema as { examples: string[] };
    const messages = documentChecker(asyncApi(), { draft: '7' });
    const schemaOf = (event: string, data: unknown) =>
      Array.isArray(data)
        ? data[0] === frameCodes.bookSnapshot
          ? 'BookSnapshotFrame'
          : 'BookDeltaFrame'
        : `${event[0]!.toUpperCase()}${event.slice(1)}Message`;
    const eventsOf = (text: string) =>
      text
        .split('\n\n')
        .flatMap((block) => {
          const event = /^event: (.+)$/m.exec(block)?.[1];
          const data = /^data: (.+)$/m.exec(block)?.[1];
          return event === undefined ? [] : [[event, JSON.parse(data!) as unknown] as const];
        })
        .filter(([event]) => event !== 'position');

    const abort = new AbortController();
    const response = await fetch(`${url}${path}?book=${id},cadence=0`, { signal: abort.signal });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain(type);
    let received = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body!) {
      received += decoder.decode(chunk as Uint8Array, { stream: true });
      if (received.includes('event: book\n') && received.endsWith('\n\n')) break;
    }
    abort.abort();
    expect(examples).toHaveLength(1);
    for (const text of [received, ...examples]) {
      expect(text.startsWith('retry: ')).toBe(true);
      const events = eventsOf(text);
      expect(events.map(([event]) => event).slice(0, 3)).toEqual(['hello', 'subscribed', 'book']);
      for (const [event, data] of events)
        expect(messages(['components', 'schemas', schemaOf(event, data)], data), event).toEqual([]);
    }
  });
});

test.each([
  ['instruments/test:AAA-USD/candles?limt=5', 'limt: expected interval, limit or before'],
  ['instruments/test:AAA-USD/book?Depth=5', 'Depth: expected depth'],
  ['instruments/test:AAA-USD?depth=5', 'depth: expected no parameters here'],
  [
    'instruments?limit=5&__proto__=1',
    '__proto__: expected venue, base, quote, kind, status, limit or cursor',
  ],
  ['feeds?x', 'x: expected no parameters here'],
  [
    'stream?book=test:AAA-USD&dept=5',
    'dept: expected book, trades, ticker, candles, status, bandwidth, rate or lastEventId',
  ],
])('GET /api/v1/%s is refused, and the parameters that there are are named', async (request, message) => {
  const { get } = await start();
  const { status, body } = await get(`/api/v1/${request}`);
  expect([status, body]).toEqual([400, { error: { code: 'invalid_request', message, retry: false } }]);
});

test('a query may hold the key wherever it is taken', async () => {
  const key = createKey(publishablePrefix);
  const origin = 'https://page.example';
  const page = { id: 'page', key, origins: [origin], instruments: ['test:*'], topics: ['book'] };
  const { get } = await serveFeeds([new ScriptedFeed()], { access: { publishableKeys: [page] } });
  const ask = (query: string) => get(`/api/v1/instruments?${query}`, { origin });
  expect((await ask(`key=${key}&limit=1`)).status).toBe(200);
  expect((await ask(`key=${key}&limt=1`)).status).toBe(400);
});

/** Statuses of who may not ask, or asks too often: of every route alike. */
const refusedTo = new Set([401, 403, 429]);

test('whoever may not ask, or asks too often, is refused as the document has it', async () => {
  const { document } = await start();
  const check = documentChecker(document);
  const key = createKey(secretPrefix);
  const access = { keys: [{ id: 'desk', hash: hashOf(key) }] };
  const far = { 'x-forwarded-for': '203.0.113.1' };
  const proxied = { access, trustedProxies: ['127.0.0.1'] };
  const { get } = await serveFeeds([], proxied);
  const { get: getBusy } = await serveFeeds([], { ...proxied, http: { maxRequestsPerMinute: 1 } });
  await getBusy('/api/v1/live', far);
  const refused = [
    [401, get, { authorization: 'Bearer dw_sk_wrong' }],
    [403, get, { authorization: `Bearer ${key}`, origin: 'https://evil.example' }],
    [429, getBusy, far],
  ] as const;
  let count = 0;
  for (const path of Object.keys(document.paths)) {
    for (const [status, ask, headers] of refused) {
      if (!(status in operationOf(document, path).responses)) continue;
      const answer = await ask(path.replace('{id}', id), headers, methodOf(path));
      expect(answer.status, path).toBe(status);
      expect(check(at(path, status), answer.body), path).toEqual([]);
      count += 1;
    }
  }
  // Documents and probes are for all.
  expect(count).toBe(3 * Object.keys(document.paths).length - 2 * 4);
});

test('what the server cannot answer is as the document has it: not ready, and failed', async () => {
  const { document, depthwire, get } = await start();
  const check = documentChecker(document);
  const broken = vi.spyOn(depthwire.source, 'feedReports').mockImplementation(() => {
    throw new Error('broken');
  });
  for (const path of ['/api/v1/health', '/api/v1/feeds']) {
    const { status, body } = await get(path);
    expect(status).toBe(500);
    expect(check(at(path, 500), body)).toEqual([]);
    expect(body).toMatchObject({ error: { code: 'internal', retry: true } });
  }
  broken.mockRestore();
  const closing = depthwire.close();
  const response = await depthwire.app.inject('/api/v1/health').catch(() => null);
  await closing;
  if (response === null) throw new Error('closed before it could be asked');
  expect(response.statusCode).toBe(503);
  expect(check(at('/api/v1/health', 503), response.json())).toEqual([]);
});

test('tells the range and the default of each parameter as docs/protocol.md does', async () => {
  const { document } = await start();
  const text = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  let ranges = 0;
  const rows = tableOf(text, 'REST').map((row) => row.map((cell) => cell.replaceAll('`', '')));
  expect(rows.map(([path]) => path).toSorted()).toEqual(Object.keys(document.paths).toSorted());
  for (const [path, told] of rows) {
    for (const { name, in: place, schema } of operationOf(document, path!).parameters ?? []) {
      if (place !== 'query') continue;
      expect(told, path).toContain(name);
      if (schema.default === undefined) continue;
      const range = schema.type === 'integer' ? ` ${schema.minimum} to ${schema.maximum},` : '';
      expect(told, path).toContain(`${name}${range} default ${schema.default}`);
      ranges += 1;
    }
  }
  expect(ranges).toBe(6);
});

test('lists every error code and takes one to come, but no other parameter', async () => {
  const { document } = await start();
  const path = ['components', 'schemas', 'Error'];
  const answer = (code: string) => ({ error: { code, message: '', retry: true } });
  const check = documentChecker(document);
  for (const code of Object.keys(errorCatalogue)) expect(check(path, answer(code)), code).toEqual([]);
  expect(check(path, answer('too_late'))).not.toEqual([]);
  expect(documentChecker(document, { isClosed: false })(path, answer('too_late'))).toEqual([]);
  const { parameters } = operationOf(document, '/api/v1/instruments');
  expect(parameters!.find(({ name }) => name === 'status')!.schema.enum).toEqual(tradingStatuses);
});

test('the examples of docs/protocol.md are answers', async () => {
  const { document } = await start();
  const check = documentChecker(document);
  const text = await readFile(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const names = ['Book', 'TradeList', 'CandleList', 'DepthHistory', 'Error'];
  const examples = [...text.matchAll(/^```json rest\n(.*?)^```$/gms)];
  expect(examples).toHaveLength(names.length);
  for (const [index, [, example]] of examples.entries())
    expect(check(['components', 'schemas', names[index]!], JSON.parse(example!))).toEqual([]);
});

test('its examples are what it describes', async () => {
  const { document } = await start();
  const check = documentChecker(document);
  let count = 0;
  for (const [name, { examples = [] }] of Object.entries(document.components.schemas)) {
    for (const example of examples) {
      expect(check(['components', 'schemas', name], example), name).toEqual([]);
      count += 1;
    }
  }
  for (const path of Object.keys(document.paths)) {
    for (const [status, { content }] of Object.entries(operationOf(document, path).responses)) {
      for (const { value } of Object.values(content?.[JSON_TYPE]?.examples ?? {})) {
        expect(check(at(path, Number(status)), value)).toEqual([]);
        count += 1;
      }
    }
  }
  expect(count).toBeGreaterThan(10);
});

test('a route that takes a body, or answers with no JSON, needs no more than its schema', async () => {
  const app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  await app.register(fastifySwagger, openApi('0.0.0'));
  const wish = z.object({ wish: z.string() }).meta({ id: 'Wish' });
  const schema = {
    operationId: 'makeWish',
    summary: 'A wish',
    body: wish,
    produces: ['text/event-stream'],
    response: { 200: z.string() },
    errors: ['unavailable'] as const,
  };
  app.post('/api/v1/wishes', { schema }, () => 'granted');
  await app.ready();
  const document = app.swagger() as unknown as Document & { components: object };
  expect(document.paths['/api/v1/wishes']!.post).toMatchObject({
    requestBody: { content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/WishInput' } } } },
    responses: {
      200: { description: 'A wish', content: { 'text/event-stream': { schema: { type: 'string' } } } },
      400: { content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } } },
      503: { description: expect.stringContaining('`unavailable`') },
    },
  });
  expect(Object.keys(document.components.schemas).toSorted()).toEqual(['Error', 'WishInput']);
  const refused = await app.inject({ method: 'POST', url: '/api/v1/wishes', payload: { wish: 1 } });
  expect(refused.json()).toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(/^wish: .*, got 1$/),
  });
  z.globalRegistry.remove(wish);
});

/** `id?query` put into `…/instruments/{id}/book`. */
function urlOf(before: string, behind: string, request: string): string {
  const [id, query] = request.split('?');
  return `${before}${id}${behind}${query === undefined ? '' : `?${query}`}`;
}
