import type { Instrument } from '@depthwire/shared';
import { BatchRoom, type Batch } from './batch.ts';
import type { Channel, SharedFrame } from './channel.ts';
import type { GatewayFigures } from './figures.ts';
import type { WireFormat } from './wire-format.ts';

/**
 * Bytes of batches that are put together before they are written: the faster the writes follow one
 * another, the less each of them costs.
 */
const ROOM_BYTES = 262_144;

/** Who receives the frames of channels. */
export interface Subscriber {
  readonly encoding: WireFormat;
  /** Frames of channels that it has joined, in order. */
  deliver(batch: Batch): void;
  /** An instrument it subscribes to changed; told before the frames that follow from it. */
  onInstrument(instrument: Instrument, epoch: number): void;
}

/** All who have joined the very same channels in the same encoding: their frames are put together once. */
interface Audience {
  readonly key: string;
  readonly encoding: WireFormat;
  readonly channels: readonly Channel[];
  readonly subscribers: Set<Subscriber>;
  /** What is to go out to them. */
  frames: SharedFrame[];
}

interface Member {
  readonly channels: Set<Channel>;
  /** Null while it has yet to be found. */
  audience: Audience | null;
}

/** Who gets what. Audiences are found when frames go out, not with each of a client's subscriptions. */
export class Audiences {
  readonly #members = new Map<Subscriber, Member>();
  readonly #byKey = new Map<string, Audience>();
  readonly #byChannel = new Map<Channel, Set<Audience>>();
  /** Of each channel, how many have joined it. */
  readonly #counts = new Map<Channel, number>();
  readonly #unplaced = new Set<Subscriber>();
  readonly #room = new BatchRoom(ROOM_BYTES);
  readonly #figures: GatewayFigures;

  constructor(figures: GatewayFigures) {
    this.#figures = figures;
  }

  /** Of each channel that has any. */
  get counts(): ReadonlyMap<Channel, number> {
    return this.#counts;
  }

  join(channel: Channel, subscriber: Subscriber): void {
    let member = this.#members.get(subscriber);
    if (!member) {
      member = { channels: new Set(), audience: null };
      this.#members.set(subscriber, member);
      this.#unplaced.add(subscriber);
    }
    if (member.channels.has(channel)) return;
    this.#unplace(subscriber, member);
    member.channels.add(channel);
    this.#counts.set(channel, (this.#counts.get(channel) ?? 0) + 1);
  }

  /** @returns whether somebody else has joined the channel, still */
  leave(channel: Channel, subscriber: Subscriber): boolean {
    const member = this.#members.get(subscriber);
    const count = this.#counts.get(channel) ?? 0;
    if (!member?.channels.has(channel)) return count > 0;
    this.#unplace(subscriber, member);
    member.channels.delete(channel);
    if (member.channels.size === 0) {
      this.#members.delete(subscriber);
      this.#unplaced.delete(subscriber);
    }
    if (count > 1) this.#counts.set(channel, count - 1);
    else this.#counts.delete(channel);
    return count > 1;
  }

  /** All who have joined one of the channels. */
  subscribersOf(channels: Iterable<Channel>): Set<Subscriber> {
    this.#place();
    const found = new Set<Subscriber>();
    for (const channel of channels) {
      for (const { subscribers } of this.#byChannel.get(channel) ?? [])
        for (const subscriber of subscribers) found.add(subscriber);
    }
    return found;
  }

  /** @param frames in the order in which they were made */
  deliver(frames: readonly SharedFrame[]): void {
    this.#place();
    const reached: Audience[] = [];
    for (const frame of frames) {
      for (const audience of this.#byChannel.get(frame.channel) ?? []) {
        if (audience.frames.length === 0) reached.push(audience);
        audience.frames.push(frame);
      }
    }
    // Taken from all before anything is written: whatever fails below, they begin with nothing at the next tick.
    const due = reached.map((audience) => {
      const { frames: ofAudience } = audience;
      audience.frames = [];
      return ofAudience;
    });
    const batches: Batch[] = [];
    let written = 0;
    const writeAll = () => {
      for (let i = written; i < batches.length; i++) {
        for (const subscriber of reached[i]!.subscribers) subscriber.deliver(batches[i]!);
        this.#figures.onBatch(batches[i]!, reached[i]!.encoding);
      }
      written = batches.length;
      this.#room.clear();
    };
    for (const [i, { encoding }] of reached.entries()) {
      let batch = this.#room.join(due[i]!, encoding);
      if (batch === null) {
        writeAll();
        batch = this.#room.join(due[i]!, encoding)!;
      }
      batches.push(batch);
    }
    writeAll();
  }

  #unplace(subscriber: Subscriber, member: Member): void {
    const { audience } = member;
    if (audience === null) return;
    member.audience = null;
    this.#unplaced.add(subscriber);
    audience.subscribers.delete(subscriber);
    if (audience.subscribers.size > 0) return;
    this.#byKey.delete(audience.key);
    for (const channel of audience.channels) {
      const audiences = this.#byChannel.get(channel)!;
      audiences.delete(audience);
      if (audiences.size === 0) this.#byChannel.delete(channel);
    }
  }

  #place(): void {
    for (const subscriber of this.#unplaced) {
      const member = this.#members.get(subscriber)!;
      const channels = [...member.channels].sort((a, b) => a.id - b.id);
      const { encoding } = subscriber;
      const key = `${encoding} ${channels.map(({ id }) => id).join()}`;
      let audience = this.#byKey.get(key);
      if (!audience) {
        audience = { key, encoding, channels, subscribers: new Set(), frames: [] };
        this.#byKey.set(key, audience);
        for (const channel of channels) {
          const audiences = this.#byChannel.get(channel);
          if (audiences) audiences.add(audience);
          else this.#byChannel.set(channel, new Set([audience]));
        }
      }
      audience.subscribers.add(subscriber);
      member.audience = audience;
    }
    this.#unplaced.clear();
  }
}
