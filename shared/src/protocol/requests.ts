import { DepthwireError } from '../model/errors.ts';
import { candleIntervals, isCandleInterval, type CandleInterval } from '../model/events.ts';
import { isInstrumentId } from '../model/instrument.ts';
import { topics, type ClientRequest, type ResumePoint, type Topic } from './messages.ts';
import { show } from './show.ts';

/** Least and most of what a request may say. */
export const requestRanges = {
  /** Also of `ch`. */
  id: { min: 0, max: 2 ** 32 - 1 },
  /** Levels a side. */
  depth: { min: 0, max: 1_000_000 },
  /** Milliseconds. */
  cadence: { min: 0, max: 3_600_000 },
  /** Bytes a second. */
  bandwidth: { min: 1_000, max: 2 ** 32 - 1 },
  /** Times a second. */
  rate: { min: 1, max: 1_000 },
  /** Characters. */
  token: { min: 1, max: 8_192 },
  /** Characters of the name of a gateway. */
  gateway: { min: 1, max: 64 },
} as const;
const MAX_REQUEST_ID = requestRanges.id.max;
const MAX_DEPTH = requestRanges.depth.max;
const MAX_CADENCE_MS = requestRanges.cadence.max;
const { min: MIN_BANDWIDTH, max: MAX_BANDWIDTH } = requestRanges.bandwidth;
const { min: MIN_RATE, max: MAX_RATE } = requestRanges.rate;
const MAX_TOKEN_CHARS = requestRanges.token.max;
const MAX_GATEWAY_CHARS = requestRanges.gateway.max;

/** The `id` of anything that looks like a request, so that an error can name it. */
export function requestIdOf(message: unknown): number | null {
  if (typeof message !== 'object' || message === null) return null;
  const id = (message as { id?: unknown }).id;
  return isCount(id, MAX_REQUEST_ID) ? id : null;
}

/**
 * A decoded message as a request.
 * @throws DepthwireError `invalid_request` or `unknown_topic`, saying which field is wrong
 */
export function parseRequest(message: unknown): ClientRequest {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new DepthwireError('invalid_request', 'expected a map with op and id');
  }
  const fields = message as Record<string, unknown>;
  const id = requestIdOf(message);
  if (id === null) throw invalid('id', `an integer from 0 to ${MAX_REQUEST_ID}`, fields.id);
  switch (fields.op) {
    case 'subscribe':
      return parseSubscribe(id, fields);
    case 'unsubscribe':
    case 'snapshot': {
      const { ch } = fields;
      if (!isCount(ch, MAX_REQUEST_ID)) throw invalid('ch', 'the channel number of a subscription', ch);
      return { op: fields.op, id, ch };
    }
    case 'ping':
      return { op: 'ping', id };
    case 'limit':
      return parseLimit(id, fields);
    case 'authenticate':
      return parseAuthenticate(id, fields);
    default:
      throw invalid('op', 'subscribe, unsubscribe, snapshot, limit, authenticate or ping', fields.op);
  }
}

function parseSubscribe(id: number, fields: Record<string, unknown>): ClientRequest {
  const { topic, instrument, depth, cadence, interval, resume } = fields;
  if (!topics.includes(topic as Topic)) {
    throw new DepthwireError('unknown_topic', `topic: expected ${topics.join(', ')}, got ${show(topic)}`);
  }
  if (!isInstrumentId(instrument)) throw invalid('instrument', 'an id such as sim:BTC-USD', instrument);
  if (depth !== undefined && !isCount(depth, MAX_DEPTH)) {
    throw invalid('depth', `levels a side from 0 (all) to ${MAX_DEPTH}`, depth);
  }
  if (depth !== undefined && topic !== 'book') throw invalid('depth', 'no depth on this topic', depth);
  if (cadence !== undefined && !isCount(cadence, MAX_CADENCE_MS)) {
    throw invalid('cadence', `milliseconds from 0 to ${MAX_CADENCE_MS}`, cadence);
  }
  if (topic === 'candles' ? !isCandleInterval(interval) : interval !== undefined) {
    const expected =
      topic === 'candles' ? Object.keys(candleIntervals).join(', ') : 'no interval on this topic';
    throw invalid('interval', expected, interval);
  }
  return withoutGaps({
    op: 'subscribe',
    id,
    topic: topic as Topic,
    instrument,
    depth,
    cadence,
    interval: interval as CandleInterval | undefined,
    resume: resume === undefined ? undefined : parseResume(resume),
  });
}

function parseLimit(id: number, { bandwidth, rate }: Record<string, unknown>): ClientRequest {
  if (bandwidth !== undefined && !(isCount(bandwidth, MAX_BANDWIDTH) && bandwidth >= MIN_BANDWIDTH))
    throw invalid('bandwidth', `bytes a second from ${MIN_BANDWIDTH} to ${MAX_BANDWIDTH}`, bandwidth);
  if (rate !== undefined && !(isCount(rate, MAX_RATE) && rate >= MIN_RATE))
    throw invalid('rate', `times a second from ${MIN_RATE} to ${MAX_RATE}`, rate);
  return withoutGaps({ op: 'limit', id, bandwidth, rate });
}

function parseAuthenticate(id: number, { token }: Record<string, unknown>): ClientRequest {
  // What was sent instead is not shown: it may be a secret all the same.
  if (!isText(token, MAX_TOKEN_CHARS))
    throw new DepthwireError(
      'invalid_request',
      `token: expected a text of 1 to ${MAX_TOKEN_CHARS} characters`,
      { field: 'token' },
    );
  return { op: 'authenticate', id, token };
}

function parseResume(resume: unknown): ResumePoint {
  const { epoch, ch, seq, gateway, sequence, depth } = (
    typeof resume === 'object' && resume !== null ? resume : {}
  ) as Partial<Record<string, unknown>>;
  if (
    !isCount(epoch, Number.MAX_SAFE_INTEGER) ||
    !isCount(ch, MAX_REQUEST_ID) ||
    !isCount(seq, Number.MAX_SAFE_INTEGER)
  )
    throw invalid('resume', 'a map with the integers epoch, ch and seq', resume);
  if (gateway !== undefined && !isText(gateway, MAX_GATEWAY_CHARS))
    throw invalid('resume.gateway', `a text of 1 to ${MAX_GATEWAY_CHARS} characters`, gateway);
  if (sequence !== undefined && !isCount(sequence, Number.MAX_SAFE_INTEGER))
    throw invalid('resume.sequence', 'an integer of 0 or more', sequence);
  if (depth !== undefined && !isCount(depth, MAX_DEPTH))
    throw invalid('resume.depth', `levels a side from 0 (all) to ${MAX_DEPTH}`, depth);
  return withoutGaps({ epoch, ch, seq, gateway, sequence, depth });
}

/** The same without the fields that are undefined. */
function withoutGaps<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxChars;
}

function isCount(value: unknown, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

function invalid(field: string, expected: string, got: unknown): DepthwireError {
  return new DepthwireError('invalid_request', `${field}: expected ${expected}, got ${show(got)}`, { field });
}
