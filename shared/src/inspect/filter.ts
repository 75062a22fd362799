import type { RawFrame } from '../protocol/codec.ts';
import type { InspectedFrame } from './inspector.ts';

/** What is left out lets everything through. */
export interface FrameFilter {
  readonly direction?: RawFrame['direction'];
  /** Names of topics, all of a channel's messages. */
  readonly topics?: readonly string[];
  /** Kinds: an `op`, or the name of a frame. */
  readonly kinds?: readonly string[];
  /** Ids of instruments. */
  readonly instruments?: readonly string[];
  /** Part of the kind, the topic or the instrument's id, in any case. */
  readonly text?: string;
}

export function passes(frame: InspectedFrame, filter: FrameFilter): boolean {
  const { direction, topics, kinds, instruments, text } = filter;
  if (direction !== undefined && frame.raw.direction !== direction) return false;
  if (topics && !topics.includes(frame.topic ?? '')) return false;
  if (kinds && !kinds.includes(frame.kind)) return false;
  if (instruments && !instruments.includes(frame.instrumentId ?? '')) return false;
  if (!text) return true;
  const wanted = text.toLowerCase();
  return [frame.kind, frame.topic, frame.instrumentId].some((name) => name?.toLowerCase().includes(wanted));
}
