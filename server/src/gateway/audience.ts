import type { Instrument } from '@depthwire/shared';
import type { Channel } from './channel.ts';
import { Batch, type SharedFrame } from './frame.ts';

/** Who receives the frames of channels. */
export interface Subscriber {
  /** Frames of channels that it has joined, in order. */
  deliver(batch: Batch): void;
  /** An instrument it subscribes to changed; told before the frames that follow from it. */
  onInstrument(instrument: Instrument): void;
}

/** All who have joined the very same channels: what they get together is put together once. */
export interface Audience {
  readonly key: string;
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
  readonly #unplaced = new Set<Subscriber>();

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
    channel.subscriberCount += 1;
  }

  leave(channel: Channel, subscriber: Subscriber): void {
    const member = this.#members.get(subscriber);
    if (!member?.channels.has(channel)) return;
    this.#unplace(subscriber, member);
    member.channels.delete(channel);
    channel.subscriberCount -= 1;
    if (member.channels.size > 0) return;
    this.#members.delete(subscriber);
    this.#unplaced.delete(subscriber);
  }

  /** All who have joined one of the channels. */
  subscribersOf(channels: Iterable<Channel>): Set<Subscriber> {
    this.#place();
    const found = new Set<Subscriber>();
    for (const { audiences } of channels) {
      for (const { subscribers } of audiences) for (const subscriber of subscribers) found.add(subscriber);
    }
    return found;
  }

  /** @param frames in the order in which they were made */
  deliver(frames: readonly SharedFrame[]): void {
    this.#place();
    const reached: Audience[] = [];
    for (const frame of frames) {
      for (const audience of frame.channel.audiences) {
        if (audience.frames.length === 0) reached.push(audience);
        audience.frames.push(frame);
      }
    }
    for (const audience of reached) {
      const batch = new Batch(audience.frames);
      audience.frames = [];
      for (const subscriber of audience.subscribers) subscriber.deliver(batch);
    }
  }

  #unplace(subscriber: Subscriber, member: Member): void {
    const { audience } = member;
    if (audience === null) return;
    member.audience = null;
    this.#unplaced.add(subscriber);
    audience.subscribers.delete(subscriber);
    if (audience.subscribers.size > 0) return;
    this.#byKey.delete(audience.key);
    for (const channel of audience.channels) channel.audiences.delete(audience);
  }

  #place(): void {
    for (const subscriber of this.#unplaced) {
      const member = this.#members.get(subscriber)!;
      const channels = [...member.channels].sort((a, b) => a.id - b.id);
      const key = channels.map(({ id }) => id).join();
      let audience = this.#byKey.get(key);
      if (!audience) {
        audience = { key, channels, subscribers: new Set(), frames: [] };
        this.#byKey.set(key, audience);
        for (const channel of channels) channel.audiences.add(audience);
      }
      audience.subscribers.add(subscriber);
      member.audience = audience;
    }
    this.#unplaced.clear();
  }
}
