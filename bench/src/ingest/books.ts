import { createHash } from 'node:crypto';

/** A book's levels as numbers, in any order. */
export interface PlainBook {
  readonly bids: Iterable<readonly [price: number, size: number]>;
  readonly asks: Iterable<readonly [price: number, size: number]>;
}

/** The same for the same books, whatever they are kept in: over all levels, best first. */
export class BooksHash {
  readonly #hash = createHash('sha256');

  add(symbol: string, { bids, asks }: PlainBook): void {
    const lines = [
      symbol,
      ...[...bids].sort(([a], [b]) => b - a).map(([price, size]) => `b ${price} ${size}`),
      ...[...asks].sort(([a], [b]) => a - b).map(([price, size]) => `a ${price} ${size}`),
    ];
    this.#hash.update(`${lines.join('\n')}\n`);
  }

  digest(): string {
    return this.#hash.digest('hex').slice(0, 16);
  }
}
