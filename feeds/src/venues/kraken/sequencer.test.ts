import { describe, expect, it } from 'vitest';
import { depthAfter, depthOf, isBefore } from './sequencer.ts';

describe('depthOf', () => {
  it.each([
    [0, 0, 10],
    [10, 3, 10],
    [10, 11, 25],
    [840, 707, 1000],
    [1000, 1000, 1000],
    [1001, 0, Infinity],
  ])('of %i bids and %i asks is %d', (bids, asks, depth) => expect(depthOf(bids, asks)).toBe(depth));
});

describe('depthAfter', () => {
  it.each([
    [10, 25],
    [500, 1000],
    [1000, Infinity],
  ])('%i is %d', (depth, next) => expect(depthAfter(depth)).toBe(next));
});

describe('isBefore', () => {
  const time = (micros: string) => `2023-10-06T17:35:55.${micros}Z`;

  it.each([
    ['the same time', time('440295'), time('440295'), false],
    ['a microsecond later', time('440296'), time('440295'), false],
    ['a microsecond before', time('440294'), time('440295'), true],
    ['fewer digits, before', time('44'), time('450295'), true],
    ['fewer digits, later', time('45'), time('440295'), false],
    ['no time', null, time('440295'), false],
    ['no time before', time('440295'), null, false],
    ['no time at all', 'yesterday', time('440295'), false],
  ])('%s', (_name, timestamp, previous, expected) => expect(isBefore(timestamp, previous)).toBe(expected));
});
