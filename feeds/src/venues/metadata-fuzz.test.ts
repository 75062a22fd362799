import { DepthwireError, isInstrumentId } from '@depthwire/shared';
import { WebSocket } from 'ws';
import { describe, expect, it } from 'vitest';
import * as kit from '../kit/index.ts';
import type { EmulatorControls } from '../kit/index.ts';
import type { VenueAdapter } from '../core/venue.ts';
import { findVenue } from '../registry.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A market of each venue, and an emulator that lists it. */
const venues: readonly [
  venue: string,
  market: string,
  start: (options: never) => Promise<EmulatorControls>,
  symbol: string,
  more?: object,
][] = [
  ['binance', 'usdm', kit.startBinanceEmulator, 'BTCUSDT'],
  ['bitfinex', 'spot', kit.startBitfinexEmulator, 'tBTCUSD'],
  ['bitstamp', 'spot', kit.startBitstampEmulator, 'btcusd'],
  [
    'bybit',
    'linear',
    kit.startBybitEmulator,
    'BTC-25DEC26',
    { quote: 'USDC', contractType: 'LinearFutures', deliveryTime: Date.UTC(2026, 11, 25, 8) },
  ],
  ['coinbase', 'spot', kit.startCoinbaseEmulator, 'BTC-USD'],
  ['deribit', 'futures', kit.startDeribitEmulator, 'BTC-PERPETUAL', { kind: 'future' }],
  ['kraken', 'spot', kit.startKrakenEmulator, 'BTC/USD'],
  ['okx', 'swap', kit.startOkxEmulator, 'BTC-USDT-SWAP'],
];

/** What stands in the place of each value; `deep` nests deeper than the stack. */
const strange: readonly (Json | 'deep')[] = [
  ...['deep', null, -1, 0, 8.7e15, 0.1, true, '', 'NaN', '1e999', '-1', '0', '1e-30', '9'.repeat(30)],
  `0.${'0'.repeat(30)}1`,
  [],
  [[1]],
  {},
  { toString: 1, valueOf: 1 },
];
const DEEP = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

async function metadataOf(
  adapter: VenueAdapter,
  market: string,
  { endpoints }: EmulatorControls,
  symbol: string,
) {
  const { metadata } = adapter;
  if (metadata.via === 'http') {
    const texts: string[] = [];
    for (const list of metadata.urls(market, endpoints, [symbol]))
      texts.push(await (await fetch(typeof list === 'string' ? list : list.url)).text());
    return texts;
  }
  const socket = new WebSocket(adapter.socketUrl(market, endpoints));
  socket.on('open', () => socket.send(metadata.request));
  const text = await new Promise<string>((resolve) =>
    socket.on('message', (data) => {
      const frame = (data as Buffer).toString();
      if (metadata.isAnswer(frame)) resolve(frame);
    }),
  );
  socket.terminate();
  return [text];
}

/** Each text with one value of it replaced, over all values; lists that are long are looked into but in part. */
function* mutations(texts: readonly string[]): Generator<string[]> {
  for (const [i, text] of texts.entries()) {
    const whole = JSON.parse(text) as Json;
    for (const path of pathsOf(whole)) {
      for (const value of strange) {
        const copy = structuredClone({ whole });
        let place = copy as { [key: string]: Json };
        for (const key of path.slice(0, -1)) place = place[key] as { [key: string]: Json };
        place[path.at(-1)!] = value;
        yield texts.with(i, JSON.stringify(copy.whole).replace('"deep"', DEEP));
      }
    }
  }
}

function pathsOf(value: Json, path: readonly string[] = ['whole']): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).slice(0, 30);
  return [path, ...inner.flatMap(([key, next]) => pathsOf(next, [...path, key]))];
}

describe('metadata with a strange value in any place', { timeout: 60_000 }, () => {
  it.each(venues)('%s %s raises typed errors alone, and lists nothing unsound', async (...target) => {
    const [venue, market, start, symbol, more] = target;
    const adapter = findVenue(venue, market);
    const symbols = [{ symbol, base: 'BTC', quote: 'USD', ...more }];
    const emulator = await start({ symbols, market } as never);
    const texts = await metadataOf(adapter, market, emulator, symbol).finally(() => emulator.close());
    expect(adapter.parseMetadata(market, texts, [symbol]).instruments).toHaveLength(1);
    let count = 0;
    for (const mutated of mutations(texts)) {
      count += 1;
      try {
        for (const { id, tick, lot } of adapter.parseMetadata(market, mutated, [symbol]).instruments) {
          expect(isInstrumentId(id), id).toBe(true);
          for (const { units, decimals } of [tick, lot]) {
            expect(Number.isSafeInteger(units) && units > 0).toBe(true);
            expect(Number.isInteger(decimals) && decimals >= 0 && decimals <= 18).toBe(true);
          }
        }
      } catch (error) {
        if (!(error instanceof DepthwireError)) throw error;
      }
    }
    expect(count).toBeGreaterThan(100);
  });
});
