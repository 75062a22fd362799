import {
  closeCodes,
  frameCodes,
  topics,
  type ClientRequest,
  type ErrorCode,
  type Topic,
} from '@depthwire/shared';
import { Buckets } from '../metrics/buckets.ts';
import type { Batch } from './batch.ts';
import type { SharedFrame } from './channel.ts';
import type { WireFormat } from './wire-format.ts';

/** What a session sends: frames of a topic; `control` for answers and notices. */
export type Sent = Topic | 'control';

/** Of the requests' names; `other` stands for all that a client may make up. */
const ops: ReadonlySet<unknown> = new Set<ClientRequest['op']>([
  'authenticate',
  'subscribe',
  'unsubscribe',
  'snapshot',
  'limit',
  'ping',
]);
/** Close codes that are told apart: ours, and those that RFC 6455 gives a meaning; `other` stands for the rest. */
const knownCodes: ReadonlySet<number> = new Set([
  ...[1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011],
  ...Object.values(closeCodes).map(({ code }) => code),
]);

interface Amount {
  frames: number;
  bytes: number;
}

/**
 * What the gateway has done since the start: plain counters, added to once for a batch, not for a client
 * where that can be helped, and read when somebody asks. All keys are from bounded sets.
 */
export class GatewayFigures {
  readonly sent = byFormat(() => bySent(() => ({ frames: 0, bytes: 0 }) as Amount));
  /** What brought clients up that had missed frames: one frame for all of them, or a snapshot. */
  readonly catchUps = byTopic(() => ({ merged: 0, snapshot: 0 }));
  /** Frames that those stood for. */
  readonly missedFrames = byTopic(() => ({ count: 0 }));
  /** Updates of books, and trades, that merged frames stood for. */
  readonly mergedUpdates = byTopic(() => ({ count: 0 }));
  /**
   * Subscriptions of clients that said where they were: those that went on in that channel, in one that counts otherwise,
   * as that of another gateway does, and by a snapshot.
   */
  readonly resumes = byTopic(() => ({ channel: 0, gateway: 0, snapshot: 0 }));
  /** Times that a session began to lag. */
  lagged = 0;
  /** By name, then by `ok` or the code of the error. */
  readonly requests = new Map<string, Map<ErrorCode | 'ok', number>>();
  readonly opened = byFormat(() => ({ count: 0 }));
  /** By close code. */
  readonly ended = new Map<string, number>();
  /** Connections that never became a session, by the close code they got. */
  readonly refused = new Map<string, number>();
  /** From the engine's taking the oldest update in a book frame to the frame's being written to sockets. */
  readonly frameWait = new Buckets();

  /** @param to how many got all of the batch */
  onBatch({ frames, sentTo }: Batch, format: WireFormat): void {
    if (sentTo === 0) return;
    const sent = this.sent[format];
    for (const frame of frames) {
      const amount = sent[frame.channel.settings.topic];
      amount.frames += sentTo;
      amount.bytes += sentTo * frame.wire(format).length;
    }
  }

  onSent(what: Sent, format: WireFormat, bytes: number): void {
    const amount = this.sent[format][what];
    amount.frames += 1;
    amount.bytes += bytes;
  }

  /** @param held the frame that the client had */
  onCatchUp({ channel, message, seq }: SharedFrame, held: number): void {
    const { topic } = channel.settings;
    this.missedFrames[topic].count += Math.max(0, seq - held);
    switch (message[0]) {
      case frameCodes.bookMerged:
        this.mergedUpdates[topic].count += message[5];
        break;
      case frameCodes.tradesMerged:
        this.mergedUpdates[topic].count += message[6];
        break;
      case frameCodes.candlesMerged:
        break;
      default:
        this.catchUps[topic].snapshot += 1;
        return;
    }
    this.catchUps[topic].merged += 1;
  }

  /** @param message what the client sent, whatever that is */
  onRequest(message: unknown, outcome: ErrorCode | 'ok'): void {
    const op = (message as { op?: unknown } | null | undefined)?.op;
    const name = ops.has(op) ? (op as string) : 'other';
    let outcomes = this.requests.get(name);
    if (!outcomes) this.requests.set(name, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  onEnded(code: number): void {
    count(this.ended, code);
  }

  onRefused(code: number): void {
    count(this.refused, code);
  }
}

function count(codes: Map<string, number>, code: number): void {
  const label = knownCodes.has(code) ? String(code) : 'other';
  codes.set(label, (codes.get(label) ?? 0) + 1);
}

function byFormat<T>(make: () => T): Readonly<Record<WireFormat, T>> {
  return { msgpack: make(), json: make(), events: make() };
}

function byTopic<T>(make: () => T): Readonly<Record<Topic, T>> {
  return Object.fromEntries(topics.map((topic) => [topic, make()])) as Record<Topic, T>;
}

function bySent<T>(make: () => T): Readonly<Record<Sent, T>> {
  return { ...byTopic(make), control: make() };
}
