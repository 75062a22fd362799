import { DepthwireError, parseRequest, topics, type ClientRequest, type Topic } from '@depthwire/shared';
import type { StreamRequest } from '../gateway/gateway.ts';
import { parsePosition, type Position } from '../gateway/position.ts';
import { CREDENTIALS } from './guard.ts';

/** Of a wrong value, in a message. */
const MAX_SHOWN_CHARS = 80;
const WHOLE_NUMBER = /^\d{1,15}$/;
const options = new Set(['depth', 'cadence', 'interval']);
const limits = new Set(['bandwidth', 'rate']);
/** Who it is is looked at elsewhere. */
const credentials = new Set<string>(CREDENTIALS);

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
      throw wrong(name, value, `expected ${[...topics, ...limits].join(', ')} or lastEventId`);
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
