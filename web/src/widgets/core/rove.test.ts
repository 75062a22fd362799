import { expect, it } from 'vitest';
import { nextOf } from './rove.ts';

it('goes on and back, not beyond the ends, and the other way where text runs from the right', () => {
  expect(nextOf('ArrowDown', 0, 3, false)).toBe(1);
  expect(nextOf('ArrowDown', 2, 3, false)).toBe(2);
  expect(nextOf('ArrowUp', 0, 3, false)).toBe(0);
  expect(nextOf('ArrowRight', 1, 3, false)).toBe(2);
  expect(nextOf('ArrowRight', 1, 3, true)).toBe(0);
  expect(nextOf('ArrowLeft', 1, 3, true)).toBe(2);
  expect(nextOf('Home', 2, 3, false)).toBe(0);
  expect(nextOf('End', 0, 3, true)).toBe(2);
  expect(nextOf('Enter', 0, 3, false)).toBeNull();
});
