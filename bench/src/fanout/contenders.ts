import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import type { Contender } from '../harness/contender.ts';
import { framesAt, isDue, subscriptionsOf, type Plan, type Subscriptions } from './plan.ts';
import { Receivers } from './receivers.ts';
import type { Recording } from './recording.ts';
import { bytesAt, NetSender, SocketIoSender, WsSender, type Sender } from './senders.ts';

export interface FanOutOptions {
  readonly plan: Plan;
  readonly recording: Recording;
}

/** Frames that are on their way at most before the receivers are waited for. */
const FRAMES_AT_ONCE = 10_000;
/** Every so many clients keep their books as the SDK does; the others count. */
const SAMPLE_EVERY = 500;
/** Clients that come and go before memory is counted, so that compiled code is not. */
const MAX_WARM_UP_CLIENTS = 100;
/** The server hears so late at most that clients have left, milliseconds. */
const DROPPED_MS = 100;
/** Clients that come before the holders of the channels leave. */
const CLIENTS_BEFORE_HOLDERS_LEAVE = 1_000;

export const contenders = {
  async net({ plan, recording }: FanOutOptions) {
    return FanOut.start(plan, recording, (all) => NetSender.start(all, recording));
  },
  async ws({ plan, recording }: FanOutOptions) {
    return FanOut.start(plan, recording, () => WsSender.start(recording, false));
  },
  async wsCorked({ plan, recording }: FanOutOptions) {
    return FanOut.start(plan, recording, () => WsSender.start(recording, true));
  },
  async socketIo({ plan, recording }: FanOutOptions) {
    return FanOut.start(plan, recording, () => SocketIoSender.start(recording));
  },
  async depthwire({ plan, recording }: FanOutOptions) {
    // Loaded by nobody else: the others are to be as small as they are by themselves.
    const { DepthwireSender } = await import('./depthwire.ts');
    return FanOut.start(plan, recording, () => DepthwireSender.start(plan));
  },
};

/** A server and its clients: each round sends the next ticks to all of them. */
class FanOut implements Contender {
  readonly #plan: Plan;
  readonly #recording: Recording;
  readonly #subscriptions: readonly Subscriptions[];
  readonly #sender: Sender;
  readonly #receivers: Receivers;
  readonly #rssBefore: number;
  #nextTick = 1;
  /** Counted once, after the first round: a whole collection throws compiled code away. */
  #rssPerClient: number | undefined;

  static async start(
    plan: Plan,
    recording: Recording,
    startSender: (subscriptions: readonly Subscriptions[]) => Promise<Sender>,
  ): Promise<FanOut> {
    const subscriptions = subscriptionsOf(plan);
    const sender = await startSender(subscriptions);
    const receivers = new Receivers(sender.kind, sender.port);
    const clients = subscriptions.map((wanted, client) => ({
      client,
      subscriptions: wanted,
      isSample: client % SAMPLE_EVERY === 0,
    }));
    // They come first, so that the channels have the numbers of the recording.
    const holders = (await sender.holdChannels?.()) ?? [];
    await receivers.connect(clients.slice(0, MAX_WARM_UP_CLIENTS));
    await receivers.drop();
    await delay(DROPPED_MS);
    const rssBefore = await rss();
    await receivers.connect(clients.slice(0, CLIENTS_BEFORE_HOLDERS_LEAVE));
    for (const holder of holders) await holder.leave();
    await receivers.connect(clients.slice(CLIENTS_BEFORE_HOLDERS_LEAVE));
    return new FanOut(plan, recording, subscriptions, sender, receivers, rssBefore);
  }

  private constructor(
    plan: Plan,
    recording: Recording,
    subscriptions: readonly Subscriptions[],
    sender: Sender,
    receivers: Receivers,
    rssBefore: number,
  ) {
    this.#plan = plan;
    this.#recording = recording;
    this.#subscriptions = subscriptions;
    this.#sender = sender;
    this.#receivers = receivers;
    this.#rssBefore = rssBefore;
  }

  async round() {
    const { ticks, clients } = this.#plan;
    const first = this.#nextTick;
    this.#nextTick += ticks;
    const waits = this.#waits(first);
    await this.#receivers.watch((client) => waits.map((tick) => this.#framesUpTo(client, first, tick)));
    this.#sender.prepare(first, ticks);

    const before = process.cpuUsage();
    for (let tick = first; tick < first + ticks; tick++) {
      this.#sender.send(tick);
      if (waits.includes(tick)) await this.#receivers.reached();
      else await turn();
    }
    const { user, system } = process.cpuUsage(before);

    let frames = 0;
    for (let tick = first; tick < first + ticks; tick++) frames += framesAt(this.#subscriptions, tick);
    const bytes = await this.#checkCounts(first);
    return {
      units: frames,
      cpuUs: user + system,
      check: `${clients} clients, ${frames / ticks} frames a tick`,
      figures: {
        bytesPerFrame: bytes / frames,
        feedNsPerFrame: ((this.#sender.feedUs ?? 0) * 1000) / frames,
        rssPerClient: (this.#rssPerClient ??= ((await rss()) - this.#rssBefore) / clients),
        clients: this.#subscriptions.length,
      },
    };
  }

  /** The ticks after which the receivers are waited for. */
  #waits(first: number): number[] {
    const waits: number[] = [];
    let frames = 0;
    for (let tick = first; tick < first + this.#plan.ticks; tick++) {
      frames += framesAt(this.#subscriptions, tick);
      if (frames < FRAMES_AT_ONCE && tick < first + this.#plan.ticks - 1) continue;
      waits.push(tick);
      frames = 0;
    }
    return waits;
  }

  /** Frames that a client has had after a tick of a round. */
  #framesUpTo(client: number, first: number, last: number): number {
    const { cadenceMs, topics } = this.#subscriptions[client]!;
    let frames = 0;
    for (let tick = first; tick <= last; tick++) if (isDue(cadenceMs, tick)) frames += topics.length;
    return frames;
  }

  /**
   * @returns bytes of all clients together
   * @throws Error where one has not had exactly what was sent to it
   */
  async #checkCounts(first: number): Promise<number> {
    const { counts, books } = await this.#receivers.counts();
    const last = first + this.#plan.ticks - 1;
    let all = 0;
    for (const [client, wanted] of this.#subscriptions.entries()) {
      const [frames, bytes] = counts.get(client) ?? [0, 0];
      const expectedFrames = this.#framesUpTo(client, first, last);
      let expectedBytes = 0;
      for (let tick = first; tick <= last; tick++)
        expectedBytes += bytesAt(wanted, this.#recording.bytes, tick);
      if (frames !== expectedFrames || bytes !== expectedBytes) {
        throw new Error(
          `${this.#sender.kind}: client ${client} has ${frames} frames of ${bytes} bytes, not ${expectedFrames} of ${expectedBytes}`,
        );
      }
      all += bytes;
    }
    this.#sender.expectSameBooks?.(books);
    return all;
  }
}

/** Resident memory once garbage is gone, bytes. */
async function rss(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await delay(30);
  }
  return process.memoryUsage.rss();
}
