import { DepthwireError, type EpochMs } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import type { HttpQueue } from '../../core/http.ts';
import { fetchMetadata } from '../../core/metadata.ts';
import type { HttpCallback } from '../../core/venue.ts';
import { VirtualClock } from '../../core/virtual-clock.ts';
import { scriptSession } from '../../kit/index.ts';
import { bitfinex } from './index.ts';

const CONF = '/v2/conf/pub:list:pair:exchange';
const COMBINED = `${CONF},pub:list:currency,pub:map:currency:sym,pub:info:pair`;
const TICKERS = '/v2/tickers?symbols=ALL';

/** What comes of a server that knows these paths, and answers others with 404. */
async function fetchFrom(answers: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  const http = {
    get(url: string, callback: HttpCallback) {
      const path = url.replace('http://127.0.0.1', '');
      asked.push(path);
      const isKnown = path in answers;
      callback({
        status: isKnown ? 200 : 404,
        body: JSON.stringify(isKnown ? answers[path] : ['error', 10020, 'not found']),
        retryAfterMs: null,
        receiveTimeMs: 0 as EpochMs,
      });
    },
  } as HttpQueue;
  const answer = await fetchMetadata({
    adapter: bitfinex,
    market: 'spot',
    endpoints: { ws: '', rest: 'http://127.0.0.1' },
    symbols: [],
    http,
    clock: new VirtualClock(0),
    signal: new AbortController().signal,
  });
  return { asked, ...answer };
}

const conf = [['BTCUSD', 'MNABTC'], ['BTC', 'MNA', 'USD'], [['MNA', 'MANA']], []];
const ticker = ['tBTCUSD', 1, 2, 3, 4, -5, -0.1, 60417, 6, 61000, 58000];

describe('Bitfinex metadata', () => {
  it('asks for all lists at once', async () => {
    const answers = { [COMBINED]: conf, [TICKERS]: [ticker], '/v2/platform/status': [1] };
    const { asked, texts, isPartial } = await fetchFrom(answers);
    expect(asked).toEqual(Object.keys(answers));
    const metadata = bitfinex.parseMetadata('spot', texts, ['MANA-BTC', 'BTC-USD']);
    expect(metadata).toMatchObject({
      isPartial: false,
      instruments: [{ id: 'bitfinex:BTC-USD', tick: { decimals: 0 } }, { id: 'bitfinex:MANA-BTC' }],
    });
    expect(isPartial).toBe(false);
  });

  it('is content with a server that knows the list of pairs alone', async () => {
    const { asked, texts, isPartial } = await fetchFrom({ [CONF]: [conf[0]] });
    expect(asked).toEqual([COMBINED, CONF, TICKERS, '/v2/platform/status']);
    expect(texts).toHaveLength(1);
    const metadata = bitfinex.parseMetadata('spot', texts, ['tMNABTC']);
    expect(metadata).toMatchObject({ instruments: [{ symbol: 'tMNABTC' }] });
    expect(isPartial).toBe(true);
  });

  it('has the grid of such a pair from its first snapshot', () => {
    const { instruments } = bitfinex.parseMetadata('spot', [JSON.stringify([conf[0]])], ['tMNABTC']);
    const { session, hear, observer } = scriptSession(bitfinex, 'spot', instruments);
    session.onOpen();
    hear({ event: 'conf', status: 'OK', flags: 65_536 });
    hear({ event: 'subscribed', channel: 'book', chanId: 1, symbol: 'tMNABTC', prec: 'P0', len: '100' });
    hear('[1,[[0.00002505,1,40.5],[0.000025300,1,-7]],1]');
    expect(observer.text('tMNABTC')).toEqual({
      bids: [['0.00002505', '40.5']],
      asks: [['0.0000253', '7']],
    });
    expect(observer.isLive('tMNABTC')).toBe(true);
  });

  it('cannot do without that list', async () => {
    await expect(fetchFrom({ [TICKERS]: [ticker] })).rejects.toThrow(DepthwireError);
  });
});
