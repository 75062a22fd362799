import { decimalScale } from '@depthwire/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attempt } from '../../core/frame-checks.ts';
import { flattenLevels } from '../../core/levels.ts';
import { parseFrame } from './parse.ts';
import { scanDepth } from './scan.ts';
import { depth, diff, startSession } from './test-harness.ts';

const grid = { tick: decimalScale(2), lot: decimalScale(3) };
const symbols = ['BTCUSDT', 'BTCUSD_250627'];
const gridOf = (symbol: string) => (symbols.includes(symbol) ? grid : null);

const id = fc.nat(2 ** 45);
const decimal = (decimals: number) =>
  fc.nat(10_000_000).map((count) => (count / 10 ** decimals).toFixed(decimals));
const levels = fc.array(fc.tuple(decimal(2), decimal(3)), { maxLength: 4 });
const message = fc.record(
  {
    e: fc.constant('depthUpdate'),
    E: id,
    T: id,
    s: fc.constantFrom(...symbols),
    ps: fc.constant('BTCUSD'),
    U: id,
    u: id,
    pu: id,
    b: levels,
    a: levels,
  },
  { requiredKeys: ['e', 'E', 's', 'U', 'u', 'b', 'a'] },
);
const stream = fc.constantFrom('btcusdt@depth', 'btcusdt@depth@100ms', 'btcusdt@depth5@100ms');
const frame = fc
  .tuple(message, fc.option(stream))
  .map(([data, name]) => JSON.stringify(name === null ? data : { stream: name, data }));
const harm = fc.tuple(
  fc.nat(400),
  fc.nat(3),
  fc.constantFrom('', '"', '[', ']', '}', ',', '0', '.', ':', ' ', 'é', '\\'),
);

/** What the general way makes of a frame; null where it takes it for no depth update, or not at all. */
function parsed(text: string) {
  return attempt(() => {
    const read = parseFrame(text);
    if (read.kind !== 'depth') return null;
    const { E, T, s, U, u, pu, b, a } = read.depth;
    const flat = [b, a].map((side) => flattenLevels(side, grid.tick, grid.lot));
    return { E, T, s, U, u, pu, b, a, bids: flat[0], asks: flat[1], venueTimeMs: T ?? E };
  });
}

function scanned(text: string) {
  const read = scanDepth(text, gridOf);
  if (read === null) return null;
  const { E, T, s, U, u, pu, b, a, flat } = read;
  expect([flat.tick, flat.lot]).toEqual([grid.tick, grid.lot]);
  return { E, T, s, U, u, pu, b, a, bids: flat.bids, asks: flat.asks, venueTimeMs: flat.venueTimeMs };
}

describe('scanDepth', () => {
  test('takes any frame as the venue writes it, as the general way does', () => {
    let taken = 0;
    fc.assert(
      fc.property(frame, (text) => {
        const read = scanned(text);
        expect(read).toStrictEqual(parsed(text));
        if (read) taken += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  test('takes of damaged frames none that the general way does not, and none otherwise', () => {
    let taken = 0;
    fc.assert(
      fc.property(frame, harm, (text, [place, lost, put]) => {
        const at = place % (text.length + 1);
        const sent = text.slice(0, at) + put + text.slice(at + lost);
        const read = scanned(sent);
        if (read === null) return;
        taken += 1;
        expect(read).toStrictEqual(parsed(sent));
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(20);
  });

  const plain = diff(11, 12, [['100.00', '1.000']], [['100.01', '2.000']]);
  test.each([
    ['of a symbol that has no book', diff(11, 12, [], [], 'ETHUSDT')],
    ['with a price off the grid', diff(11, 12, [['100.001', '1.000']])],
    ['with a size below zero', diff(11, 12, [['100.00', '-1.000']])],
    ['with keys in another order', { data: plain.data, stream: plain.stream }],
    ['with a key that is not known', { ...plain, data: { ...plain.data, x: 1 } }],
    ['with ids the wrong way round', diff(12, 11)],
    ['of the best levels alone', { ...plain, stream: 'btcusdt@depth20@100ms' }],
    ['of another kind', { ...plain, data: { ...plain.data, e: 'trade' } }],
  ])('leaves to the general way: a frame %s', (_, sent) => {
    expect(scanDepth(JSON.stringify(plain), gridOf)).not.toBeNull();
    expect(scanDepth(JSON.stringify(sent), gridOf)).toBeNull();
  });
});

test('an update that was held while the grid grew finer counts in the new one', () => {
  const { observer, open, hear, answer } = startSession('spot', ['BTCUSDT']);
  open();
  hear(diff(11, 12, [['99.99', '3.000']]));
  answer(depth(10, [['99.995', '1.0005']]));
  const { instrument, book } = observer.market('BTCUSDT');
  expect([instrument.tick.decimals, instrument.lot.decimals]).toEqual([3, 4]);
  expect(book.bids.toFlat()).toEqual([99_995, 10_005, 99_990, 30_000]);
});
