import { createRandom } from '../harness/random.ts';

export interface Scenario {
  readonly name: string;
  readonly cadenceMs: number;
  readonly clients: number;
  /** Of them, those that decode and measure; the others only receive. */
  readonly samples: number;
  readonly instruments: number;
  /** Books of one client. */
  readonly booksEach: number;
  readonly levelsPerSecond: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Levels a side that clients subscribe to: the default of the server. */
export const DEPTH = 50;

const symbolOf = (book: number) => `T${String(book).padStart(3, '0')}USDT`;

export const symbolsOf = (instruments: number): string[] =>
  Array.from({ length: instruments }, (_, book) => symbolOf(book));

/** The server's name of a book. */
export const instrumentOf = (book: number): string => `binance:${symbolOf(book).replace('USDT', '-USDT')}`;

/** Which books each client subscribes to: random ones of its own, the same in each run. */
export function subscriptionsOf({ clients, instruments, booksEach }: Scenario): number[][] {
  const random = createRandom(17);
  return Array.from({ length: clients }, () => {
    const chosen = new Set<number>();
    while (chosen.size < booksEach) chosen.add(Math.floor(random() * instruments));
    return [...chosen];
  });
}
