import { once } from 'node:events';
import { codecs, frameCodes, subprotocols } from '@depthwire/shared';
import { WebSocket } from 'ws';
import { BenchServer } from './market.ts';
import { DEPTH, instrumentOf, isDue, type Plan } from './plan.ts';
import { headerBytes } from '../harness/websocket.ts';

/** What the gateway sends at each tick, so that all others can send as much. */
export interface Recording {
  /** Bytes of a frame with its header: by cadence, tick less 1 and topic. Zero where nothing is sent. */
  readonly bytes: Readonly<Record<number, readonly (readonly number[])[]>>;
  /** Messages of the fastest cadence, in base64: by tick less 1 and topic. */
  readonly messages: readonly (readonly string[])[];
}

/** Subscribes to all topics of one cadence, which gives each channel the same number in each run. */
export class Holder {
  readonly #socket: WebSocket;
  readonly #topics: number;
  readonly #topicOf = new Map<number, number>();
  #frames = new Map<number, Buffer>();
  #missing = 0;
  #complete = Promise.withResolvers<void>();

  private constructor(port: number, topics: number) {
    this.#topics = topics;
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, subprotocols.msgpack);
    this.#socket.on('message', (data: Buffer) => this.#onMessage(data));
    this.#socket.on('close', () => this.#complete.reject(new Error('the connection of a holder closed')));
  }

  static async join(port: number, topics: number, cadenceMs: number): Promise<Holder> {
    const holder = new Holder(port, topics);
    await once(holder.#socket, 'open');
    for (let topic = 0; topic < topics; topic++) {
      const instrument = instrumentOf(topic);
      const request = { op: 'subscribe', topic: 'book', depth: DEPTH, cadence: cadenceMs } as const;
      holder.#socket.send(codecs.msgpack.encode({ ...request, id: topic, instrument }));
    }
    await holder.frames();
    return holder;
  }

  /** The next message of each topic, by topic. */
  async frames(): Promise<Buffer[]> {
    this.#missing += this.#topics;
    if (this.#missing === 0) this.#complete.resolve();
    await this.#complete.promise;
    this.#complete = Promise.withResolvers();
    const frames = Array.from({ length: this.#topics }, (_, topic) => this.#frames.get(topic)!);
    this.#frames = new Map();
    return frames;
  }

  async leave(): Promise<void> {
    this.#complete.promise.catch(() => undefined);
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #onMessage(data: Buffer): void {
    const message = codecs.msgpack.decode(data);
    if (!Array.isArray(message)) {
      const { op, ch, id } = message as { op: string; ch: number; id: number };
      if (op === 'subscribed') this.#topicOf.set(ch, id);
      return;
    }
    if (message[0] !== frameCodes.bookSnapshot && message[0] !== frameCodes.bookDelta)
      this.#complete.reject(new Error(`unexpected frame ${message[0]}`));
    this.#frames.set(this.#topicOf.get(message[1] as number)!, data);
    this.#missing -= 1;
    if (this.#missing === 0) this.#complete.resolve();
  }
}

/** Opens all channels of a plan in the same order each time. */
export async function holdChannels(port: number, { topics, cadencesMs }: Plan): Promise<Holder[]> {
  const holders: Holder[] = [];
  for (const cadenceMs of cadencesMs) holders.push(await Holder.join(port, topics, cadenceMs));
  return holders;
}

/** Runs the gateway for so many ticks with nobody there but who writes down what it sends. */
export async function record(plan: Plan, ticks: number): Promise<Recording> {
  const { topics, cadencesMs } = plan;
  const server = await BenchServer.start(topics);
  const holders = await holdChannels(server.port, plan);
  const bytes: Record<number, number[][]> = Object.fromEntries(
    cadencesMs.map((cadenceMs) => [cadenceMs, []]),
  );
  const messages: string[][] = [];
  for (let tick = 1; tick <= ticks; tick++) {
    server.prepare(1);
    server.feed();
    server.flush();
    for (const [i, cadenceMs] of cadencesMs.entries()) {
      const frames = isDue(cadenceMs, tick) ? await holders[i]!.frames() : null;
      bytes[cadenceMs]!.push(
        frames?.map(({ length }) => headerBytes(length) + length) ?? new Array<number>(topics).fill(0),
      );
      if (i === 0) messages.push(frames!.map((frame) => frame.toString('base64')));
    }
  }
  for (const holder of holders) await holder.leave();
  await server.close();
  return { bytes, messages };
}
