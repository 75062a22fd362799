import { expect, it } from 'vitest';
import { ageOf } from './age.ts';

it('says an age in the largest unit of which there is one', () => {
  expect([-5, 900, 59_999, 60_000, 3_599_999, 7_300_000, 200_000_000].map((age) => ageOf(age, 'en'))).toEqual(
    [...['0s', '0s', '59s', '1m', '59m', '2h', '2d']],
  );
});
