// The venue `example` on this machine, with books that are known: what the tests hold the adapter against.
// `npm run emulator` runs it by itself.
import type { ServerResponse } from 'node:http';
import {
  respondJson,
  unitsText,
  VenueEmulator,
  type BookMessage,
  type EmulatedBook,
  type EmulatedConnection,
  type EmulatorOptions,
  type Levels,
  type WalkTrade,
} from '@depthwire/feeds/kit';

const HEARTBEAT_MS = 5_000;

export class ExampleEmulator extends VenueEmulator<null> {
  /** The venue keeps nothing for a connection but what it has subscribed to. */
  protected createState(): null {
    return null;
  }

  protected override onStart(): void {
    this.repeat(HEARTBEAT_MS, () => {
      for (const connection of this.connections) connection.send({ type: 'heartbeat' });
    });
  }

  protected onMessage(connection: EmulatedConnection<null>, text: string): void {
    const { op, symbols } = JSON.parse(text) as { op: string; symbols: string[] };
    if (op !== 'subscribe') return;
    for (const symbol of symbols) {
      const book = this.books.get(symbol);
      if (!book) continue;
      connection.topics.add(this.bookTopic(symbol));
      if (this.withholds(symbol)) continue;
      // As it was last published: the changes since then come as an update, which follows it.
      const { id: seq, bids, asks } = book.published();
      connection.send({ type: 'snapshot', symbol, seq, time: this.nowMs(), bids, asks });
    }
  }

  protected onRequest(url: URL, response: ServerResponse): void {
    if (url.pathname !== '/symbols') {
      respondJson(response, 404, {});
      return;
    }
    const listed = [...this.books.values()].filter(({ isListed }) => isListed);
    const symbols = listed.map(({ spec: { symbol, base, quote, lot }, tick, isHalted }) => {
      return { symbol, base, quote, tick, lot, status: isHalted ? 'halted' : 'trading' };
    });
    respondJson(response, 200, symbols);
  }

  protected bookTopic(symbol: string): string {
    return symbol;
  }

  protected takeUpdate(book: EmulatedBook): { levels: Levels; message: BookMessage<null> } | null {
    const prev = book.publishedId;
    const levels = book.publish();
    if (!levels) return null;
    const update = {
      type: 'update',
      symbol: book.spec.symbol,
      prev,
      seq: book.publishedId,
      time: this.nowMs(),
    };
    return { levels, message: (_connection, shown) => ({ ...update, ...shown }) };
  }

  protected sendTrade({ spec: { symbol } }: EmulatedBook, trade: WalkTrade, id: number): void {
    const [price, size] = [trade.price, trade.quantity].map((units) => unitsText(units));
    const frame = { type: 'trade', symbol, id, price, size, side: trade.taker, time: this.nowMs() };
    for (const connection of this.subscribers(this.bookTopic(symbol))) connection.send(frame);
  }
}

export async function startExampleEmulator(options: EmulatorOptions): Promise<ExampleEmulator> {
  return new ExampleEmulator(options).start();
}

if (import.meta.main) {
  const symbols = ['BTC', 'ETH'].map((base) => ({ symbol: `${base}-USD`, base, quote: 'USD' }));
  const { endpoints } = await startExampleEmulator({ symbols, tickMs: 100, port: 9700 });
  console.log(`example is at ${endpoints.ws} and ${endpoints.rest}; Ctrl-C ends it`);
}
