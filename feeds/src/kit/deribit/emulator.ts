import type { ServerResponse } from 'node:http';
import { EmulatedBook, type EmulatedSymbol, type Levels } from '../emulated-book.ts';
import { respondJson } from '../loopback-server.ts';
import type { WalkTrade } from '../market-walk.ts';
import { PastQuery, type EmulatedTrade, type PastAnswer } from '../past-log.ts';
import { deribitPast } from './past.ts';
import { unitsText, type TextLevel } from '../truth-book.ts';
import {
  VenueEmulator,
  type BookMessage,
  type EmulatedConnection,
  type EmulatedListing,
  type EmulatorOptions,
} from '../venue-emulator.ts';
import {
  DeribitClient,
  errors,
  invalid,
  readChannel,
  readRequest,
  type RpcError,
  type RpcRequest,
} from './rpc.ts';

const TICKER_PERIOD_MS = 1_000;
const HEARTBEAT_CHECK_MS = 500;
/** Ids are shared by all instruments: they leave gaps of up to so many. */
const MAX_ID_STEP = 7;
const CURRENCIES = ['BTC', 'ETH', 'USDC', 'USDT', 'EURR', 'any'];
const KINDS = ['future', 'option', 'spot', 'future_combo', 'option_combo'];

export interface DeribitSymbol extends EmulatedSymbol {
  readonly kind: 'future' | 'option' | 'spot';
  /** Futures without one are perpetual. Default for options: 2024-09-27 08:00 UTC. */
  readonly expiryMs?: number;
  /** Of options; default 50000. */
  readonly strike?: number;
  /** Of options; default `call`. */
  readonly right?: 'call' | 'put';
  /** Default: the base currency of inverse contracts, the quote currency of linear ones; spot has none. */
  readonly settlement?: string;
  readonly tickSteps?: readonly { above_price: number; tick_size: number }[];
}

export interface DeribitEmulatorOptions extends EmulatorOptions {
  readonly symbols: readonly DeribitSymbol[];
}

/** Starts Deribit on the loopback interface: JSON-RPC over WebSocket and HTTP, and books that change. */
export function startDeribitEmulator(options: DeribitEmulatorOptions): Promise<DeribitEmulator> {
  return new DeribitEmulator(options).start();
}

/**
 * A stand-in for the venue with books that are known.
 * @see https://docs.deribit.com public/subscribe, book.{instrument_name}.{interval}, public/set_heartbeat
 */
export class DeribitEmulator extends VenueEmulator<DeribitClient> {
  readonly #specs: readonly DeribitSymbol[];
  /** Heartbeats, `test_request`s and closed connections so far. */
  readonly heartbeats = { sent: 0, answered: 0, cutOff: 0 };
  #sharedId = 33_000_000_000;

  constructor(options: DeribitEmulatorOptions) {
    super(options);
    this.#specs = options.symbols;
  }

  protected override createBook(spec: EmulatedSymbol, seed: number): EmulatedBook {
    return new EmulatedBook(spec, seed, 33_000_000_000 - seed * 1_000, () => this.#nextSharedId());
  }

  protected createState(): DeribitClient {
    return new DeribitClient(this.clock);
  }

  protected override onStart(): void {
    this.repeat(HEARTBEAT_CHECK_MS, () => {
      for (const connection of this.connections) this.#beat(connection);
    });
    this.repeat(TICKER_PERIOD_MS, () => {
      for (const book of this.books.values()) this.#sendTicker(book);
    });
  }

  protected onMessage(connection: EmulatedConnection<DeribitClient>, text: string): void {
    const request = readRequest(text);
    if ('error' in request) {
      connection.send(answer(request.id, request));
      return;
    }
    const { id, method } = request;
    if (method !== 'public/test' && !connection.state.spend()) {
      connection.send(answer(id, { error: { ...errors.tooMany, data: { wait: 1 } } }));
      return;
    }
    const before = new Set(connection.topics);
    const outcome = this.#obey(connection, request);
    connection.send(answer(id, outcome));
    for (const topic of connection.topics) if (!before.has(topic)) this.#sendSnapshot(connection, topic);
  }

  protected bookTopic(symbol: string): string {
    return `book.${symbol}.100ms`;
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<DeribitClient> } | null {
    const { publishedId: prev_change_id } = book;
    const levels = book.publish();
    if (!levels) return null;
    const before = book.published(1);
    const common = {
      type: 'change',
      timestamp: this.nowMs(),
      prev_change_id,
      instrument_name: book.spec.symbol,
      change_id: book.publishedId,
    };
    return {
      levels,
      message: (_connection, { bids, asks }) =>
        notification(this.bookTopic(book.spec.symbol), {
          ...common,
          bids: bids.map((level) => changed(level, before.bids)),
          asks: asks.map((level) => changed(level, before.asks)),
        }),
    };
  }

  protected sendTrade(
    book: EmulatedBook,
    { price, quantity, taker }: WalkTrade,
    id: number,
    timeMs: number,
  ): void {
    const { symbol } = book.spec;
    const told = { symbol, id, side: taker, price: unitsText(price), size: unitsText(quantity), timeMs };
    this.#broadcast(`trades.${symbol}.100ms`, [messageOf(told)]);
  }

  protected override onPast(url: URL): PastAnswer | null {
    return deribitPast(url.pathname, new PastQuery(url), {
      trades: (name) => (this.books.has(name) ? this.trades(name) : null),
      candles: (name, seconds) => this.candles(name, seconds),
      isInverse: (name) => {
        const spec = this.#specs.find(({ symbol }) => symbol === name)!;
        return spec.kind === 'future' && settlementOf(spec) === spec.base;
      },
      message: messageOf,
      answer: (outcome) => answer(undefined, outcome),
    });
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    if (url.pathname !== '/api/v2/public/get_instruments') {
      respondJson(response, 404, { jsonrpc: '2.0', error: errors.method });
      return;
    }
    const outcome = this.#instruments(Object.fromEntries(url.searchParams));
    respondJson(response, 'error' in outcome ? 400 : 200, answer(undefined, outcome));
  }

  #obey(connection: EmulatedConnection<DeribitClient>, { method, params }: RpcRequest): Outcome {
    const { state, topics } = connection;
    switch (method) {
      case 'public/test':
        if (state.isTested) this.heartbeats.answered += 1;
        state.isTested = false;
        return { result: { version: '1.2.26' } };
      case 'public/set_heartbeat': {
        const error = state.setHeartbeat(params.interval);
        return error ? { error } : { result: 'ok' };
      }
      case 'public/disable_heartbeat':
        state.heartbeatMs = null;
        return { result: 'ok' };
      case 'public/get_instruments':
        return this.#instruments(params);
      case 'public/subscribe':
      case 'public/unsubscribe': {
        const { channels } = params;
        if (!isTexts(channels)) return { error: invalid('channels', 'must be a list of channels') };
        if (channels.some((channel) => readChannel(channel)?.interval === 'raw'))
          return { error: errors.raw };
        // Names that no channel has are left out of the answer.
        const known = channels.filter((channel) => this.books.has(readChannel(channel)?.name ?? ''));
        for (const channel of known) {
          if (method === 'public/subscribe') topics.add(channel);
          else topics.delete(channel);
        }
        return { result: known };
      }
      default:
        return { error: errors.method };
    }
  }

  #instruments({ currency, kind, expired }: Readonly<Record<string, unknown>>): Outcome {
    if (!CURRENCIES.includes(currency as string)) return { error: invalid('currency', 'must be a currency') };
    if (kind !== undefined && !KINDS.includes(kind as string))
      return { error: invalid('kind', 'must be a kind') };
    if (expired !== undefined && !['true', 'false', true, false].includes(expired as string))
      return { error: invalid('expired', 'must be true or false') };
    const infos = this.#specs
      .filter((spec) => this.of(spec.symbol).isListed)
      .filter((spec) => kind === undefined || spec.kind === kind)
      .filter((spec) => currency === 'any' || settlementOf(spec) === currency)
      .map((spec) => this.#info(spec));
    return { result: infos };
  }

  /** Inverse options are priced in what they are settled in. */
  override listing(symbol: string): EmulatedListing {
    const spec = this.#specs.find((one) => one.symbol === symbol)!;
    const isInverseOption = spec.kind === 'option' && settlementOf(spec) === spec.base;
    return { ...super.listing(symbol), ...(isInverseOption ? { quote: spec.base } : {}) };
  }

  #info(spec: DeribitSymbol): object {
    const { isHalted, tick, quote } = this.listing(spec.symbol);
    const isInverse = settlementOf(spec) === spec.base;
    const common = {
      instrument_name: spec.symbol,
      kind: spec.kind,
      base_currency: spec.base,
      quote_currency: quote,
      counter_currency: spec.quote,
      tick_size: Number(tick),
      tick_size_steps: spec.tickSteps ?? [],
      min_trade_amount: Number(this.of(spec.symbol).spec.lot),
      contract_size: 1,
      is_active: true,
      state: isHalted ? 'locked' : 'open',
    };
    if (spec.kind === 'spot') return common;
    const settled = {
      ...common,
      settlement_currency: settlementOf(spec),
      instrument_type: isInverse ? 'reversed' : 'linear',
    };
    if (spec.kind === 'option') {
      const { strike = 50_000, right = 'call', expiryMs = Date.UTC(2024, 8, 27, 8) } = spec;
      return {
        ...settled,
        settlement_period: 'month',
        strike,
        option_type: right,
        expiration_timestamp: expiryMs,
      };
    }
    return {
      ...settled,
      settlement_period: spec.expiryMs === undefined ? 'perpetual' : 'month',
      expiration_timestamp: spec.expiryMs ?? 32_503_708_800_000,
    };
  }

  /** "The first notification will contain the whole book." */
  #sendSnapshot(connection: EmulatedConnection<DeribitClient>, topic: string): void {
    const channel = readChannel(topic);
    if (channel?.kind !== 'book' || this.withholds(channel.name)) return;
    const { id, bids, asks } = this.of(channel.name).published();
    const level = ([price, size]: TextLevel) => ['new', Number(price), Number(size)];
    connection.send(
      notification(topic, {
        type: 'snapshot',
        timestamp: this.nowMs(),
        instrument_name: channel.name,
        change_id: id,
        bids: bids.map(level),
        asks: asks.map(level),
      }),
    );
  }

  #sendTicker(book: EmulatedBook): void {
    const { bids, asks } = book.published();
    const last = Number(bids[0]?.[0] ?? asks[0]?.[0] ?? 0);
    this.#broadcast(`ticker.${book.spec.symbol}.agg2`, {
      timestamp: this.nowMs(),
      stats: { volume_usd: 1_200_000, volume: 24.5, price_change: 1.5, low: last, high: last },
      state: book.isHalted ? 'closed' : 'open',
      last_price: last,
      instrument_name: book.spec.symbol,
      best_bid_price: Number(bids[0]?.[0] ?? 0),
      best_ask_price: Number(asks[0]?.[0] ?? 0),
    });
  }

  /** A `test_request` that is not answered before the next one is due ends the connection. */
  #beat(connection: EmulatedConnection<DeribitClient>): void {
    const { state, socket } = connection;
    if (state.heartbeatMs === null || this.clock.now() < state.nextHeartbeatMs || connection.isFrozen) return;
    state.nextHeartbeatMs = this.clock.now() + state.heartbeatMs;
    if (state.isTested) {
      this.heartbeats.cutOff += 1;
      socket.close(1000);
      return;
    }
    state.isTested = true;
    this.heartbeats.sent += 1;
    for (const type of ['heartbeat', 'test_request'])
      connection.send({ jsonrpc: '2.0', method: 'heartbeat', params: { type } });
  }

  #broadcast(topic: string, data: object): void {
    for (const connection of this.subscribers(topic)) connection.send(notification(topic, data));
  }

  #nextSharedId(): number {
    this.#sharedId += 1 + (this.#sharedId % MAX_ID_STEP);
    return this.#sharedId;
  }
}

type Outcome = { readonly result: unknown } | { readonly error: RpcError };

function answer(id: unknown, outcome: Outcome): object {
  const body = 'error' in outcome ? { error: outcome.error } : { result: outcome.result };
  return {
    jsonrpc: '2.0',
    ...(id === undefined ? {} : { id }),
    ...body,
    usIn: 1,
    usOut: 2,
    usDiff: 1,
    testnet: false,
  };
}

function messageOf({ symbol, id, side, price, size, timeMs }: EmulatedTrade): object {
  return {
    trade_seq: id,
    trade_id: String(id),
    timestamp: timeMs,
    tick_direction: 0,
    price: Number(price),
    mark_price: Number(price),
    instrument_name: symbol,
    index_price: Number(price),
    direction: side,
    amount: Number(size),
  };
}

function notification(channel: string, data: object): object {
  return { jsonrpc: '2.0', method: 'subscription', params: { channel, data } };
}

function changed([price, size]: TextLevel, before: readonly TextLevel[]): [string, number, number] {
  if (size === '0') return ['delete', Number(price), 0];
  return [before.some(([known]) => known === price) ? 'change' : 'new', Number(price), Number(size)];
}

function settlementOf({ kind, base, quote, settlement }: DeribitSymbol): string | null {
  return settlement ?? (kind === 'spot' ? null : quote === 'USD' ? base : quote);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
