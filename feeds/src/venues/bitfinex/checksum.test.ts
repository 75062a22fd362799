import { crc32, decimalScale, OrderBook, parseUnits } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { bookChecksum } from './checksum.ts';

type Level = readonly [price: string, size: string];

const signed = (text: string) => crc32(new TextEncoder().encode(text)) | 0;

function checksum(bids: readonly Level[], asks: readonly Level[], decimals = 8): number {
  const scale = decimalScale(decimals);
  const book = new OrderBook();
  const flat = (levels: readonly Level[]) => levels.flat().map((text) => parseUnits(text, scale));
  book.loadSnapshot(flat(bids), flat(asks));
  return bookChecksum(book, { tick: scale, lot: scale });
}

describe('bookChecksum', () => {
  it('is of bids and asks in turn, asks below zero', () => {
    const bids: Level[] = [
      ['6000', '1'],
      ['5900', '2'],
    ];
    const asks: Level[] = [
      ['6100', '3'],
      ['6200', '4'],
    ];
    expect(checksum(bids, asks)).toBe(1756193398);
    expect(checksum(bids, asks)).toBe(signed('6000:1:6100:-3:5900:2:6200:-4'));
  });

  it('goes on with one side where the other has no more', () => {
    expect(
      checksum(
        [['10', '1']],
        [
          ['11', '2'],
          ['12', '3'],
        ],
      ),
    ).toBe(signed('10:1:11:-2:12:-3'));
    expect(checksum([], [['11', '2']])).toBe(signed('11:-2'));
    expect(checksum([], [])).toBe(0);
  });

  it('writes numbers as JavaScript does', () => {
    expect(checksum([['0.00000056', '0.0000001']], [['0.000001', '123.45']])).toBe(
      signed('5.6e-7:1e-7:0.000001:-123.45'),
    );
    expect(checksum([['12.500', '640000.00']], [])).toBe(signed('12.5:640000'));
  });

  it('covers 25 levels a side', () => {
    const level = (i: number, size = '1'): Level => [String(1000 - i), size];
    const book = Array.from({ length: 30 }, (_, i) => level(i));
    expect(checksum(book, [], 0)).toBe(checksum([...book.slice(0, 25), level(900, '5')], [], 0));
    expect(checksum(book, [], 0)).not.toBe(checksum(book.slice(0, 24), [], 0));
  });
});
