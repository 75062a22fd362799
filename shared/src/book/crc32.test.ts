import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from './crc32.ts';

test('gives the check value of CRC-32', () => {
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});

test('of nothing is zero', () => {
  expect(crc32(new Uint8Array())).toBe(0);
});

test('equals zlib on any bytes, whole or in part', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      const length = Math.min(cut, bytes.length);
      expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      expect(crc32(bytes, length)).toBe(zlibCrc32(bytes.subarray(0, length)));
    }),
  );
});
