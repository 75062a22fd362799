import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPosition, parsePosition, PositionLog } from './position.ts';

test('a position is read as it is written, and nothing else is one', () => {
  const position = { gateway: 'q1Z-0dTn_XwA', number: 18_250 };
  expect(parsePosition(formatPosition(position))).toEqual(position);
  for (const text of ['', '1', '1.', '.1', '1.2.3', '+1.2', '1.2e3', ' 1.2', '1.12345678901234567'])
    expect(parsePosition(text), text).toBeNull();
});

test('tells the newest frame of a channel as of any place that it remembers, and of no other', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 1_300 });
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), gaps, fc.nat(6_000), (seq, start, steps, asked) => {
      const log = new PositionLog(seq, start);
      const places = [start];
      for (const step of steps) {
        places.push(places.at(-1)! + step);
        log.add(places.at(-1)!);
      }
      const remembered = places.slice(-512);
      const index = remembered.findLastIndex((place) => place <= asked);
      const expected = index < 0 ? null : seq + places.length - remembered.length + index;
      expect(log.seqAt(asked)).toBe(expected);
    }),
    { numRuns: 300 },
  );
});
