import { closeCodes, errorCatalogue, PROTOCOL_VERSION, subprotocols } from '@depthwire/shared';
import { z } from 'zod';
import { parseConfig } from '../config/config.ts';
import { MAX_MALFORMED } from '../gateway/session.ts';
import { answers, sessionErrors } from './answers.ts';
import { examples } from './examples.ts';
import { candle, checksum, frames, levels, trade } from './frames.ts';
import { forReaders } from './json-schema.ts';
import { requests } from './requests.ts';
import { instrument } from './values.ts';

type Json = Readonly<Record<string, unknown>>;

const description = `
Live order books, trades, tickers and candles over a WebSocket: \`GET /ws\` with an upgrade (RFC 6455). docs/protocol.md says the
same in prose, byte for byte, with a worked session and what a client does when.

- **Encodings.** The subprotocol chooses that of both directions: ${subprotocols.msgpack} (MessagePack, binary frames; the
  default) or ${subprotocols.json} (JSON, text frames). Both carry the same values, one message a WebSocket frame. MessagePack
  sends integers beyond 32 bits as float 64: take the value, whatever number type it comes as.
- **Messages.** Requests, answers and notices are maps with an \`op\`; a receiver ignores keys and ops that it does not know. Data
  frames are arrays: \`code\`, \`ch\`, \`seq\`, and what each schema lists.
- **Open sets.** Topics, error codes, close codes and the words of an instrument may be joined by others: their schemas list
  those known now, beside any text. Requests are closed, and so are the states of a book: this version has no others.
- **Order.** The server greets with \`hello\`. Requests are answered in the order they came, each by its answer or by an
  \`error\` of the same \`id\`. \`subscribed\` is followed by a snapshot of its channel, and then by frames.
- **Numbers.** A price is a whole number of ticks, a size a whole number of lots; the instrument has both scales: value =
  count × units ÷ 10^decimals. Times are unix milliseconds, those of candles seconds.
- **Sequence.** In a channel each frame has a \`seq\` one higher than the one before. A snapshot has that of the newest frame, and
  replaces all. Where a frame of \`book\`, \`trades\` or \`candles\` is missing, or a checksum is wrong, ask for a \`snapshot\` of that
  channel alone and ignore its frames until it comes.
- **Heartbeat.** Both sides close after two of \`heartbeatMs\` without a message; the server sends WebSocket pings, and answers
  the request \`ping\`.
- **A client that falls behind** gets one merged frame, or a snapshot, for all that it missed of a channel.
- **A client that comes back** says in \`resume\` where it was, and goes on from there: on that gateway, or on another of the same
  market, with one frame whose \`from\` is what the client holds.
`.trim();

/** By default, and what happens past it; as in docs/protocol.md. */
function limits(): { limit: string; default: string; past: string }[] {
  const { gateway, http, access } = parseConfig({});
  const of = (limit: string, value: number | string, past: string) => ({
    limit,
    default: String(value),
    past,
  });
  const waiting = gateway.maxBufferedBytes;
  const checksums = `${gateway.checksumIntervalMs} ms`;
  return [
    of('size of a client’s message', gateway.maxMessageBytes, 'close code 1009; in `hello`'),
    of('channels of a connection', gateway.maxSubscriptions, 'error `too_many_subscriptions`; in `hello`'),
    of('connections of a server', gateway.maxConnections, 'close code 1013'),
    of(
      'connections of an address; of a key',
      `${gateway.maxConnectionsPerAddress}; ${gateway.maxConnectionsPerKey}`,
      "close code 1013; an address of the server's own machine has no limit",
    ),
    of(
      'channels of an address; of a key',
      `${gateway.maxSubscriptionsPerAddress}; ${gateway.maxSubscriptionsPerKey}`,
      'error `too_many_subscriptions`',
    ),
    of(
      'requests of a connection',
      `${gateway.maxRequestsPerSecond} a second, ${2 * gateway.maxSubscriptions} at once`,
      'error `rate_limited`, then close code 4429',
    ),
    of('connection without a channel', `${gateway.idleMs / 1000} s`, 'close code 4411'),
    of(
      'connection that has not said who it is',
      `${access.authenticateWithinMs / 1000} s`,
      'close code 4401',
    ),
    of(
      'REST requests and upgrades of an address',
      `${http.maxRequestsPerMinute} a minute`,
      "HTTP 429 with `Retry-After`; the server's own machine has no limit",
    ),
    of('malformed messages of a connection', MAX_MALFORMED, 'close code 4400'),
    of('bytes that wait for a client', waiting, 'frames left out, then merged into one'),
    of('the same, where it goes on asking', 2 * waiting, 'its requests are not read until all are taken'),
    of('time between checksums of a book channel', checksums, 'the next delta carries one'),
  ];
}

interface Described {
  /** Of the message and of its payload in the components. */
  readonly key: string;
  readonly schema: z.ZodType;
  readonly examples: readonly unknown[];
}

const capital = (name: string) => name[0]!.toUpperCase() + name.slice(1);

function describedOf(
  schemas: Readonly<Record<string, z.ZodType>>,
  shown: Readonly<Record<string, readonly unknown[]>>,
  suffix: string,
): Described[] {
  return Object.entries(schemas).map(([name, schema]) => ({
    key: `${capital(name)}${suffix}`,
    schema,
    examples: shown[name] ?? [],
  }));
}

const ofClient = describedOf(requests, examples.requests, 'Request');
const ofServer = [
  ...describedOf(answers, examples.answers, 'Message'),
  ...describedOf(frames, examples.frames, 'Frame'),
];

const shared = { Instrument: instrument, Levels: levels, Checksum: checksum, Trade: trade, Candle: candle };

/** JSON Schemas of all messages, and of what they share. */
function schemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(shared)) registry.add(schema, { id });
  for (const { key, schema } of [...ofClient, ...ofServer]) registry.add(schema, { id: key });
  // Draft 7 is what AsyncAPI takes without being told: tuples are `items` in it.
  const converted = z.toJSONSchema(registry, {
    target: 'draft-7',
    uri: (id) => `#/components/schemas/${id}`,
    override: forReaders,
  });
  return Object.fromEntries(
    Object.entries(converted.schemas).map(([name, { $id: _id, $schema: _schema, ...schema }]) => [
      name,
      schema as Json,
    ]),
  );
}

const channel = { $ref: '#/channels/ws' };
const inChannel = (key: string) => ({ $ref: `#/channels/ws/messages/${key}` });

function message({ key, schema, examples }: Described): Json {
  const { title, description } = schema.meta() ?? {};
  const isRequest = ofClient.some((each) => each.key === key);
  const answersOne = schema instanceof z.ZodObject && 'id' in schema.shape;
  return {
    name: key,
    title,
    summary: description,
    ...(isRequest || answersOne ? { correlationId: { $ref: '#/components/correlationIds/id' } } : null),
    payload: { $ref: `#/components/schemas/${key}` },
    examples: examples.map((payload) => ({ payload })),
  };
}

const answersTo: Readonly<Record<keyof typeof requests, keyof typeof answers>> = {
  subscribe: 'subscribed',
  unsubscribe: 'unsubscribed',
  snapshot: 'snapshot',
  limit: 'limited',
  authenticate: 'authenticated',
  ping: 'pong',
};

/** What is sent unasked, or goes on after an answer. */
const sent: Readonly<Record<string, { readonly summary: string; readonly messages: readonly string[] }>> = {
  greet: { summary: 'Greets a client that connected', messages: ['HelloMessage'] },
  sendBook: {
    summary: 'Sends the book of a channel, and what changes in it',
    messages: [
      'BookSnapshotFrame',
      'BookDeltaFrame',
      'BookStateFrame',
      'BookMergedFrame',
      'BookResumedFrame',
    ],
  },
  sendTrades: {
    summary: 'Sends the trades of a channel',
    messages: ['TradesSnapshotFrame', 'TradesFrame', 'TradesMergedFrame'],
  },
  sendTicker: { summary: 'Sends the ticker of a channel', messages: ['TickerFrame'] },
  sendCandles: {
    summary: 'Sends the candles of a channel',
    messages: ['CandlesSnapshotFrame', 'CandleFrame', 'CandlesMergedFrame'],
  },
  sendStatus: { summary: 'Sends the status of a channel', messages: ['StatusFrame'] },
  tellInstrument: { summary: 'Tells that an instrument changed', messages: ['InstrumentMessage'] },
  refuse: { summary: 'Tells that a message could not be read', messages: ['ErrorMessage'] },
  leave: { summary: 'Tells that the server shuts down', messages: ['GoodbyeMessage'] },
};

function operations(): Json {
  const asked = Object.entries(requests).map(([name, schema]) => [
    name,
    {
      action: 'receive',
      channel,
      summary: schema.meta()?.description,
      messages: [inChannel(`${capital(name)}Request`)],
      reply: {
        channel,
        messages: [
          inChannel(`${capital(answersTo[name as keyof typeof requests])}Message`),
          inChannel('ErrorMessage'),
        ],
      },
    },
  ]);
  const unasked = Object.entries(sent).map(([name, { summary, messages }]) => [
    name,
    { action: 'send', channel, summary, messages: messages.map(inChannel) },
  ]);
  return Object.fromEntries([...asked, ...unasked]) as Json;
}

/** The WebSocket protocol as a document of AsyncAPI 3.0; the application that it describes is the server. */
export function asyncApi() {
  const messages = [...ofClient, ...ofServer];
  return {
    asyncapi: '3.0.0',
    id: `urn:depthwire:v${PROTOCOL_VERSION}`,
    info: {
      title: 'Depthwire WebSocket protocol',
      version: String(PROTOCOL_VERSION),
      description,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      here: { host: 'localhost:8080', protocol: 'ws', description: '`wss` behind what ends TLS' },
    },
    channels: {
      ws: {
        address: '/ws',
        title: 'The connection',
        description:
          'Carries all messages of both directions, and many channels of the protocol, which frames name by `ch`.',
        messages: Object.fromEntries(
          messages.map(({ key }) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: {
                'Sec-WebSocket-Protocol': {
                  type: 'string',
                  enum: Object.values(subprotocols),
                  description:
                    'The first one offered that the server knows is taken; without any, MessagePack',
                },
              },
            },
            bindingVersion: '0.1.0',
          },
        },
      },
    },
    operations: operations(),
    components: {
      correlationIds: {
        id: {
          description: 'What a request and its answer have in common',
          location: '$message.payload#/id',
        },
      },
      messages: Object.fromEntries(messages.map((each) => [each.key, message(each)])),
      schemas: schemas(),
    },
    'x-subprotocols': [
      { name: subprotocols.msgpack, contentType: 'application/vnd.msgpack', frames: 'binary' },
      { name: subprotocols.json, contentType: 'application/json', frames: 'text' },
    ],
    'x-closeCodes': Object.values(closeCodes),
    'x-errors': sessionErrors.map((code) => ({ code, ...errorCatalogue[code] })),
    'x-limits': limits(),
  };
}
