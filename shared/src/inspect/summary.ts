import type { Instrument } from '../model/instrument.ts';
import { formatUnits } from '../model/units.ts';
import { wireStates, type ClientRequest, type ServerMessage } from '../protocol/messages.ts';
import type { FrameName } from './fields.ts';

/** In one line, what matters in a message beside its kind, topic and instrument. Values are put in as they came: nothing is said to be right. */

type Fields = Readonly<Record<string, unknown>>;

/** `ticks, lots` pairs, best first; no lots remove the level. */
export interface InspectedLevels {
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

export function summaryOfMap(message: ClientRequest | ServerMessage): string {
  switch (message.op) {
    case 'hello':
      return `${message.server}, protocol ${message.protocol}, epoch ${message.epoch}, heartbeat ${message.heartbeatMs} ms`;
    case 'subscribe': {
      const { depth, cadence, interval, resume } = message;
      return join([
        interval,
        depth === undefined ? null : depth === 0 ? 'whole book' : `${depth} levels`,
        cadence === undefined ? null : `every ${cadence} ms`,
        resume && `goes on from ${join([resume.gateway, `ch ${resume.ch} seq ${resume.seq}`])}`,
      ]);
    }
    case 'subscribed': {
      const { depth, cadence, interval, seq } = message;
      return join([
        interval,
        depth === undefined ? null : depth === 0 ? 'whole book' : `${depth} levels`,
        cadence === 0 ? 'every update' : `every ${cadence} ms`,
        seq === undefined ? null : `goes on, newest seq ${seq}`,
      ]);
    }
    case 'limit':
    case 'limited':
      return `${message.bandwidth ?? 'any'} bytes/s, ${message.rate ?? 'any'} times a second`;
    case 'pong':
      return `server time ${message.time}`;
    case 'error':
      return `${message.code}: ${message.message}`;
    case 'goodbye':
      return `come back within ${message.reconnectMs} ms`;
    case 'instrument':
      return `${message.instrument.id} is ${message.instrument.status}, tick ${formatUnits(1, message.instrument.tick)}`;
    default:
      return '';
  }
}

/** @param levels null where there are none, or they cannot be read */
export function summaryOfFrame(
  name: FrameName,
  fields: Fields,
  levels: InspectedLevels | null,
  instrument: Instrument | null,
): string {
  const price = (ticks: unknown) => scaled(ticks, instrument?.tick);
  const size = (lots: unknown) => scaled(lots, instrument?.lot);
  const reason = typeof fields.reason === 'string' ? fields.reason : null;
  const age = `oldest ${String(fields.ageMs)} ms`;
  const checked = fields.checksum === undefined ? null : 'checksum';
  switch (name) {
    case 'bookSnapshot':
      return join([
        stateOf(fields.state),
        levels && `${levels.bids.length / 2} + ${levels.asks.length / 2} levels`,
        levels && `${price(levels.bids[0])} | ${price(levels.asks[0])}`,
        `sequence ${String(fields.sequence)}`,
        reason,
      ]);
    case 'bookDelta':
      return join([changesOf(levels), `merges ${String(fields.merged)}`, age, checked]);
    case 'bookResumed':
      return join([
        `goes on from update ${String(fields.from)}`,
        stateOf(fields.state),
        changesOf(levels),
        `sequence ${String(fields.sequence)}`,
        age,
        checked,
        reason,
      ]);
    case 'bookMerged':
      return join([
        `in place of all after ${String(fields.from)}`,
        stateOf(fields.state),
        changesOf(levels),
        `merges ${String(fields.merged)}`,
        age,
        checked,
        reason,
      ]);
    case 'bookState':
      return join([stateOf(fields.state), reason]);
    case 'status':
      return join([
        stateOf(fields.state),
        `since ${new Date(fields.sinceMs as number).toISOString()}`,
        reason,
      ]);
    case 'tradesSnapshot':
    case 'trades': {
      const trades = rowsOf(fields.trades);
      const last = trades.at(-1);
      return join([
        counted(trades.length, 'trade'),
        last && `${last[3] === 0 ? 'buy' : 'sell'} ${size(last[2])} at ${price(last[1])}`,
      ]);
    }
    case 'tradesMerged':
      return join([
        `in place of all after ${String(fields.from)}`,
        `${String(fields.count)} trades, ${rowsOf(fields.trades).length} of them listed`,
        `${price(fields.low)} to ${price(fields.high)}`,
        age,
      ]);
    case 'candlesSnapshot':
    case 'candle':
    case 'candlesMerged': {
      const candles = rowsOf(fields.candles);
      const last = candles.at(-1);
      return join([
        name === 'candlesMerged' ? `in place of all after ${String(fields.from)}` : null,
        counted(candles.length, 'candle'),
        last && `${last.slice(1, 5).map(price).join(' ')}, volume ${size(last[5])}`,
      ]);
    }
    case 'ticker':
      return join([
        stateOf(fields.state),
        `${price(fields.bid)} × ${size(fields.bidSize)} | ${price(fields.ask)} × ${size(fields.askSize)}`,
        `last ${price(fields.last)}`,
      ]);
  }
}

export function stateOf(value: unknown): string {
  return wireStates[value as number] ?? `state ${String(value)}`;
}

function changesOf(levels: InspectedLevels | null): string | null {
  if (!levels) return null;
  let put = 0;
  let removed = 0;
  for (const side of [levels.bids, levels.asks]) {
    for (let i = 1; i < side.length; i += 2) {
      if (side[i] === 0) removed += 1;
      else put += 1;
    }
  }
  return join([counted(put, 'level'), removed === 0 ? null : `${removed} removed`]);
}

/** Not everything that came is a whole number, and not every channel is known. */
function scaled(value: unknown, scale: Instrument['tick'] | undefined): string {
  if (!Number.isSafeInteger(value)) return '–';
  return scale ? formatUnits(value as number, scale) : String(value);
}

function rowsOf(value: unknown): unknown[][] {
  return Array.isArray(value) ? value.filter((row) => Array.isArray(row)) : [];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function join(parts: (string | null | undefined)[]): string {
  return parts.filter((part) => part !== null && part !== undefined && part !== '').join(', ');
}
