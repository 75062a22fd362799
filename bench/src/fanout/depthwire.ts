import { BenchServer } from './market.ts';
import { DEPTH, instrumentOf, type Plan } from './plan.ts';
import type { SampledBook } from './receiver.ts';
import { holdChannels, type Holder } from './recording.ts';
import type { Sender } from './senders.ts';

/** The whole server, in this process. */
export class DepthwireSender implements Sender {
  readonly kind = 'depthwire';
  feedUs = 0;
  readonly #server: BenchServer;
  readonly #plan: Plan;

  static async start(plan: Plan): Promise<DepthwireSender> {
    return new DepthwireSender(await BenchServer.start(plan.topics), plan);
  }

  private constructor(server: BenchServer, plan: Plan) {
    this.#server = server;
    this.#plan = plan;
  }

  get port(): number {
    return this.#server.port;
  }

  prepare(_firstTick: number, ticks: number): void {
    this.feedUs = 0;
    this.#server.prepare(ticks);
  }

  send(): void {
    const before = process.cpuUsage();
    this.#server.feed();
    const { user, system } = process.cpuUsage(before);
    this.feedUs += user + system;
    this.#server.flush();
  }

  holdChannels(): Promise<Holder[]> {
    return holdChannels(this.port, this.#plan);
  }

  expectSameBooks(books: readonly SampledBook[]): void {
    if (books.length === 0) throw new Error('no client keeps its books');
    for (const { topic, state, sequence, verified, bids, asks } of books) {
      const { book } = this.#server.depthwire.source.markets.get(instrumentOf(topic))!;
      const levels = bids.length / 2;
      const isSame =
        state === 'live' &&
        verified > 0 &&
        sequence === book.sequence &&
        levels === DEPTH &&
        String(book.bids.toFlat(levels)) === String(bids) &&
        String(book.asks.toFlat(levels)) === String(asks);
      if (!isSame)
        throw new Error(`a client's book of topic ${topic} is not the engine's: ${state}, ${sequence}`);
    }
  }
}
