import { expect, test } from 'vitest';
import { closeCodes, shouldReconnect } from './close-codes.ts';
import { encodingOf, subprotocols } from './version.ts';

test('a client comes back unless the server said that it is of no use', () => {
  for (const { code, retry } of Object.values(closeCodes)) expect(shouldReconnect(code)).toBe(retry);
  expect([1000, 1005, 1006, 1012, 3000, 4999].every(shouldReconnect)).toBe(true);
});

test('no close code is used twice', () => {
  const codes = Object.values(closeCodes).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test('a subprotocol names its encoding', () => {
  expect(encodingOf(subprotocols.msgpack)).toBe('msgpack');
  expect(encodingOf(subprotocols.json)).toBe('json');
  expect(['', 'depthwire.v2.json', 'json', 'toString'].map(encodingOf)).toEqual([null, null, null, null]);
});
