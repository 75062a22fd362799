import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { msgpackCodec } from '@depthwire/shared';
import type { TraceOptions } from '../harness/trace.ts';
import { deltaFrame, forms, type Form, type FormName } from './forms.ts';
import { readUpdates, streamOf, type Update } from './messages.ts';

/** Bytes of all messages of a trace, divided in two ways. */
export interface TraceSize {
  /** By the levels in the messages. */
  readonly perLevel: number;
  /** By the updates that the messages were made of, of which some cancel out within a batch. */
  readonly perChange: number;
}

export function measureTrace(options: TraceOptions): Record<FormName, TraceSize> {
  const { reference, updates, levels, changes } = streamOf(options);
  const sizes = Object.entries(forms).map(([name, form]) => {
    const { encode } = form as Form;
    const bytes = updates.reduce((sum, update, i) => sum + encode(update, reference, i + 1).length, 0);
    return [name, { perLevel: bytes / levels, perChange: bytes / changes }];
  });
  return Object.fromEntries(sizes) as Record<FormName, TraceSize>;
}

export interface RecordingSize {
  readonly name: string;
  readonly levels: number;
  readonly venueBytes: number;
  readonly bytes: number;
}

/**
 * Bytes of the venue's depth frames and of ours for them: of a channel without a cadence, with every
 * level of the venue's frame, also those that a gateway leaves out because they change nothing.
 */
export async function measureRecording(file: string): Promise<RecordingSize> {
  const channels = new Map<string, { reference: number; seq: number; timeMs: number }>();
  let levels = 0;
  let venueBytes = 0;
  let bytes = 0;
  for (const update of await readUpdates(file)) {
    const { symbol, bids, asks } = update;
    const timeMs = Math.floor(update.timeMs);
    let channel = channels.get(symbol);
    if (!channel) channels.set(symbol, (channel = { reference: bids[0] ?? asks[0] ?? 0, seq: 0, timeMs }));
    channel.seq += 1;
    const elapsedMs = timeMs - channel.timeMs;
    channel.timeMs = timeMs;
    const frame = deltaFrame(update, channel.reference, { seq: channel.seq, elapsedMs, lagMs: update.lagMs });
    const wire = msgpackCodec.encode(frame) as Uint8Array;
    expectSame(forms.depthwire.decode(wire, channel.reference), update, file);
    bytes += wire.length;
    venueBytes += update.bytes;
    levels += (bids.length + asks.length) / 2;
  }
  return { name: basename(file, '.jsonl.gz'), levels, venueBytes, bytes };
}

/** @throws Error where a message does not come back as it was */
function expectSame(decoded: Update, { bids, asks }: Update, file: string): void {
  if (!isDeepStrictEqual(decoded, { bids, asks }))
    throw new Error(`${basename(file)}: a frame is decoded as something else`);
}
