import {
  DepthwireError,
  instrumentIdPattern,
  parseRequest,
  requestRanges,
  topics,
  type ClientRequest,
  type Topic,
} from '@depthwire/shared';
import { z } from 'zod';
import type { StreamRequest } from '../gateway/gateway.ts';
import { parsePosition, positionPattern, type Position } from '../gateway/position.ts';
import { intervals } from '../protocol/values.ts';
import { CREDENTIALS } from './guard.ts';
import { unknownParameter } from './schema-parts.ts';

/** Of a wrong value, in a message. */
const MAX_SHOWN_CHARS = 80;
const WHOLE_NUMBER = /^\d{1,15}$/;
const options = new Set(['depth', 'cadence', 'interval']);
const limits = new Set(['bandwidth', 'rate']);
/** Of a place in a stream, see `formatPosition`. */
const eventId = z.string().regex(positionPattern).optional();
/** Who it is is looked at elsewhere. */
const credentials = new Set<string>(CREDENTIALS);

/** What an option can be, as the text of a regular expression. */
const values = {
  depth: String.raw`\d{1,15}`,
  cadence: String.raw`\d{1,15}`,
  interval: `(${intervals.join('|')})`,
};

/** The subscriptions to a topic, for those who only have the document. */
function ofTopic(topic: Topic, of: readonly (keyof typeof values)[], description: string) {
  const id = instrumentIdPattern.source.slice(1, -1).replace(String.raw`\S`, String.raw`[^\s,]`);
  const numbers = of.filter((name) => name !== 'interval').map((name) => `,${name}=${values[name]}`);
  const pairs = `(${numbers.join('|')})*`;
  const interval = of.includes('interval') ? `,interval=${values.interval}${pairs}` : '';
  const example = `sim:BTC-USD${topic === 'book' ? ',depth=20,cadence=100' : interval && ',interval=1m'}`;
  return z
    .array(z.string().regex(new RegExp(`^${id}${pairs}${interval}$`)))
    .optional()
    .meta({
      description:
        `${description}. Each is one subscription: instrument, then ${of.map((name) => `\`,${name}=…\``).join(' and ')}, each ` +
        'once at most, as in the request `subscribe`',
      examples: [[example]],
    });
}

const within = ({ min, max }: { readonly min: number; readonly max: number }) => z.int().min(min).max(max);

/** For the document: what `parseStreamQuery` takes, which says more of what is wrong. A test holds both together. */
export const streamQuery = z.object({
  book: ofTopic('book', ['depth', 'cadence'], 'Order books'),
  trades: ofTopic('trades', ['cadence'], 'Trades'),
  ticker: ofTopic('ticker', ['cadence'], 'Best bid and ask, last price, and figures of 24 hours'),
  candles: ofTopic('candles', ['interval', 'cadence'], 'Candles, of an interval that has to be named'),
  status: ofTopic('status', ['cadence'], 'The state of the book, since when and why'),
  bandwidth: within(requestRanges.bandwidth).optional().describe('Bytes of data a second at most'),
  rate: within(requestRanges.rate).optional().describe('Times a second at most that data is sent'),
  lastEventId: eventId.describe(
    'As the header `Last-Event-ID`, for who cannot set one; the header goes first',
  ),
} satisfies Record<Topic | 'bandwidth' | 'rate' | 'lastEventId', z.ZodType>);

export const streamHeaders = z.object({
  'Last-Event-ID': eventId.describe(
    'The last id that came, to go on from there; a browser sends it by itself. One of another server counts as none',
  ),
});

/**
 * The query of an event stream: for each subscription its topic and, as the value, the instrument and options such as
 * `book=sim:BTC-USD,depth=20,cadence=100`; `bandwidth` and `rate` for the whole stream; `lastEventId` of a client that
 * can set no header.
 * @param search behind the question mark
 * @param lastEventId of the header; what no server of ours has written counts as none
 * @throws DepthwireError `invalid_request`, saying which parameter is wrong
 */
export function parseStreamQuery(search: string, lastEventId?: string): StreamRequest {
  const subscriptions: ClientRequest[] = [];
  const limit: Record<string, unknown> = {};
  let position: Position | null = null;
  for (const [name, value] of new URLSearchParams(search)) {
    if (isTopic(name)) {
      subscriptions.push(subscription(name, value, subscriptions.length + 1));
    } else if (limits.has(name)) {
      if (name in limit) throw wrong(name, value, 'given twice');
      limit[name] = numberIn(value);
    } else if (name === 'lastEventId') {
      position = parsePosition(value);
      if (position === null) throw wrong(name, value, 'expected the id of an event of this stream');
    } else if (!credentials.has(name)) {
      throw unknownParameter(name, Object.keys(streamQuery.shape));
    }
  }
  if (subscriptions.length === 0) {
    throw new DepthwireError(
      'invalid_request',
      'expected a subscription at least, such as ?book=sim:BTC-USD,depth=20,cadence=100',
    );
  }
  const isLimited = Object.keys(limit).length > 0;
  return {
    requests: isLimited ? [parseRequest({ op: 'limit', id: 0, ...limit }), ...subscriptions] : subscriptions,
    // The header is the newer one: a browser that comes back asks for the URL that it began with.
    position: lastEventId ? parsePosition(lastEventId) : position,
  };
}

function isTopic(name: string): name is Topic {
  return topics.includes(name as Topic);
}

/** @param id that the answer has: 1 for the first subscription of the query */
function subscription(topic: Topic, value: string, id: number): ClientRequest {
  const [instrument, ...pairs] = value.split(',');
  const fields: Record<string, unknown> = { op: 'subscribe', id, topic, instrument };
  for (const pair of pairs) {
    const [option = '', text = '', ...more] = pair.split('=');
    if (!options.has(option) || more.length > 0)
      throw wrong(topic, value, `expected depth=…, cadence=… or interval=…, got ${JSON.stringify(pair)}`);
    if (option in fields) throw wrong(topic, value, `${option} is given twice`);
    fields[option] = option === 'interval' ? text : numberIn(text);
  }
  try {
    return parseRequest(fields);
  } catch (error) {
    throw error instanceof DepthwireError ? wrong(topic, value, error.message) : error;
  }
}

/** What is no number is left as it is, for the message. */
function numberIn(text: string): number | string {
  return WHOLE_NUMBER.test(text) ? Number(text) : text;
}

function wrong(name: string, value: string, message: string): DepthwireError {
  const where = `${name}=${value}`.slice(0, MAX_SHOWN_CHARS);
  return new DepthwireError('invalid_request', `${where}: ${message.slice(0, 2 * MAX_SHOWN_CHARS)}`, {
    field: name,
  });
}
