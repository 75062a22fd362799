import { checkIntegers, checkTexts, isRecord, malformed, parseJson } from '../../core/frame-checks.ts';
import { checkLevels } from '../../core/levels.ts';
import {
  bookDepths,
  type BookChannel,
  type BookData,
  type Frame,
  type Ticker,
  type Trade,
} from './messages.ts';

/** "The connection will soon be closed for a service upgrade." */
const SERVICE_UPGRADE = '64008';

/**
 * A text frame of the public socket.
 * @throws DepthwireError `malformed_venue_frame`
 */
export function parseFrame(text: string): Frame {
  if (text === 'pong') return { kind: 'other', name: 'pong' }; // the only frame that is no JSON
  const frame = parseJson(text);
  if (!isRecord(frame)) throw malformed('frame', 'an object', frame);
  if ('event' in frame) return parseEvent(frame);
  if (!isRecord(frame.arg)) throw malformed('arg', 'an object', frame.arg);
  const { channel, instId } = frame.arg;
  if (typeof channel !== 'string') throw malformed('channel', 'a name', channel);
  if (isBookChannel(channel)) {
    const isWhole = !isIncremental(channel) || frame.action === 'snapshot';
    if (!isWhole && frame.action !== 'update') throw malformed('action', 'snapshot or update', frame.action);
    const data = parseData(frame.data, (entry) => checkBook(entry, isWhole));
    return { kind: 'book', channel, instId: checkInstId(instId), isWhole, data };
  }
  switch (channel) {
    case 'trades':
      return { kind: 'trades', instId: checkInstId(instId), data: parseData(frame.data, checkTrade) };
    case 'tickers':
      return { kind: 'tickers', instId: checkInstId(instId), data: parseData(frame.data, checkTicker) };
    default:
      return { kind: 'other', name: channel };
  }
}

/** Symbols whose book a frame that cannot be read may have changed; null for any of them. */
export function concernedBy(text: string): readonly string[] | null {
  const channel = /"channel"\s*:\s*"([^"]*)"/.exec(text)?.[1];
  if (channel !== undefined && !isBookChannel(channel)) return [];
  const instId = /"instId"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return instId === undefined ? null : [instId];
}

function parseEvent(frame: Record<string, unknown>): Frame {
  const { event, code, msg } = frame;
  if (typeof event !== 'string') throw malformed('event', 'a name', event);
  const reason = `${typeof code === 'string' ? code : 'no code'}: ${typeof msg === 'string' ? msg : 'no reason'}`;
  switch (event) {
    case 'error':
      return { kind: 'refusal', refusal: { reason, ...subjectOf(frame) } };
    case 'notice':
      return code === SERVICE_UPGRADE ? { kind: 'ending', reason } : { kind: 'other', name: event };
    default:
      return { kind: 'other', name: event };
  }
}

/** What a refusal is about: its `arg`, or as its text names it. */
function subjectOf({ arg, msg }: Record<string, unknown>) {
  const named = /channel:([\w-]+),\s*instId:([^\s,]+)/.exec(typeof msg === 'string' ? msg : '');
  const { channel, instId } = isRecord(arg) ? arg : { channel: named?.[1], instId: named?.[2] };
  return {
    channel: typeof channel === 'string' ? channel : null,
    instId: typeof instId === 'string' ? instId : null,
  };
}

function isBookChannel(channel: string): channel is BookChannel {
  return Object.hasOwn(bookDepths, channel);
}

/** Whether the channel sends a snapshot and then updates; the others send whole books only. */
function isIncremental(channel: BookChannel): boolean {
  return channel !== 'books5' && channel !== 'bbo-tbt';
}

function checkInstId(instId: unknown): string {
  if (typeof instId !== 'string') throw malformed('instId', 'an instrument', instId);
  return instId;
}

function parseData<Entry>(data: unknown, check: (entry: Record<string, unknown>) => Entry): readonly Entry[] {
  if (!Array.isArray(data)) throw malformed('data', 'an array', data);
  return (data as unknown[]).map((entry) => {
    if (!isRecord(entry)) throw malformed('data', 'an array of objects', entry);
    return check(entry);
  });
}

function checkBook(entry: Record<string, unknown>, isWhole: boolean): BookData {
  checkLevels(entry.asks, 'asks');
  checkLevels(entry.bids, 'bids');
  checkIntegers(entry, isWhole ? ['seqId'] : ['seqId', 'prevSeqId']);
  checkTime(entry);
  return entry as unknown as BookData;
}

function checkTrade(entry: Record<string, unknown>): Trade {
  checkTexts(entry, ['tradeId', 'px', 'sz']);
  if (entry.side !== 'buy' && entry.side !== 'sell') throw malformed('side', 'buy or sell', entry.side);
  checkTime(entry);
  return entry as unknown as Trade;
}

function checkTicker(entry: Record<string, unknown>): Ticker {
  checkTexts(entry, ['last', 'open24h', 'high24h', 'low24h', 'vol24h', 'volCcy24h']);
  checkTime(entry);
  return entry as unknown as Ticker;
}

function checkTime({ ts }: Record<string, unknown>): void {
  if (typeof ts !== 'string' || !/^\d{1,15}$/.test(ts)) throw malformed('ts', 'unix milliseconds', ts);
}
