import type { Instrument } from '../model/instrument.ts';
import { codecs, type RawFrame } from '../protocol/codec.ts';
import { decodeLevels } from '../protocol/levels.ts';
import type { ClientRequest, ServerMessage, Topic } from '../protocol/messages.ts';
import { Channels, type Gap } from './channels.ts';
import { frameFields, frameNameOf } from './fields.ts';
import { summaryOfFrame, summaryOfMap, type InspectedLevels } from './summary.ts';

/** A message that was on the wire, for people. */
export interface InspectedFrame {
  readonly raw: RawFrame;
  /** Bytes of the message, without the WebSocket's. */
  readonly bytes: number;
  /** The `op` of a map, the name of a data frame, or `unknown` or `malformed`. */
  readonly kind: string;
  readonly ch: number | null;
  /** Of data frames. */
  readonly seq: number | null;
  readonly topic: Topic | null;
  readonly instrumentId: string | null;
  /** Gives the scales of prices and sizes; null where the channel is not known. */
  readonly instrument: Instrument | null;
  /** What the message holds, by name and as it came; empty where it cannot be read. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Null where there are none, or their reference price is not known. */
  readonly levels: InspectedLevels | null;
  /** A frame of the channel is missing before this one. */
  readonly gap: Gap | null;
  readonly summary: string;
}

/**
 * Reads the messages of one client in the order they came and went. It learns from them what each channel is, and so
 * should see them from the first on; what it does not know it leaves out. Never throws.
 */
export class FrameInspector {
  readonly #channels = new Channels();

  read(raw: RawFrame): InspectedFrame {
    const bytes = typeof raw.data === 'string' ? utf8Length(raw.data) : raw.data.length;
    const nothing = { raw, bytes, ...NOTHING };
    try {
      const message = codecs[raw.encoding].decode(raw.data);
      if (Array.isArray(message)) return { ...nothing, ...this.#frame(message) };
      if (typeof message === 'object' && message !== null)
        return { ...nothing, ...this.#map(message as ClientRequest | ServerMessage, raw.direction) };
      return { ...nothing, summary: 'neither a map nor an array' };
    } catch (error) {
      return { ...nothing, summary: (error as Error).message };
    }
  }

  #map(message: ClientRequest | ServerMessage, direction: RawFrame['direction']): Partial<InspectedFrame> {
    const fields = { ...message } as Readonly<Record<string, unknown>>;
    const kind = typeof fields.op === 'string' ? fields.op : 'unknown';
    const answered = this.#channels.requestOf(fields.id);
    const ch = typeof fields.ch === 'number' ? fields.ch : null;
    const known = this.#channels.get(ch);
    try {
      if (direction === 'out') this.#channels.sent(message as ClientRequest);
      else this.#channels.received(message as ServerMessage);
    } catch {
      return { kind, ch, fields, summary: 'a field is missing or wrong' };
    }
    const channel = this.#channels.get(ch) ?? known;
    const asked = [message, answered].find((request) => request?.op === 'subscribe');
    const instrument = channel?.instrument ?? (message.op === 'instrument' ? message.instrument : null);
    return {
      kind,
      ch,
      topic: channel?.topic ?? (asked?.op === 'subscribe' ? asked.topic : null),
      instrumentId: instrument?.id ?? (asked?.op === 'subscribe' ? asked.instrument : null),
      instrument,
      fields,
      summary: quietly(() => summaryOfMap(message)) ?? 'a field is missing or wrong',
    };
  }

  #frame(frame: unknown[]): Partial<InspectedFrame> {
    const [code, ch, seq] = frame;
    const name = frameNameOf(code);
    const channel = this.#channels.get(ch);
    const gap = channel && this.#channels.follow(channel, frame);
    const instrument = channel?.instrument ?? null;
    const fields = Object.fromEntries(
      frame.map((value, i) => [(name && frameFields[name][i]) ?? `#${i}`, value]),
    );
    const levels = levelsOf(fields, channel?.reference ?? null);
    return {
      kind: name ?? 'unknown',
      ch: typeof ch === 'number' ? ch : null,
      seq: typeof seq === 'number' ? seq : null,
      topic: channel?.topic ?? null,
      instrumentId: instrument?.id ?? null,
      instrument,
      fields,
      levels,
      gap,
      summary: name
        ? (quietly(() => summaryOfFrame(name, fields, levels, instrument)) ??
          'an element is missing or wrong')
        : `no frame has code ${String(code)}`,
    };
  }
}

const NOTHING = {
  kind: 'malformed',
  ch: null,
  seq: null,
  topic: null,
  instrumentId: null,
  instrument: null,
  fields: {},
  levels: null,
  gap: null,
  summary: '',
} as const;

function levelsOf(
  fields: Readonly<Record<string, unknown>>,
  reference: number | null,
): InspectedLevels | null {
  const { bids, asks } = fields;
  if (bids === undefined || asks === undefined || reference === null) return null;
  return quietly(() => ({
    bids: decodeLevels(bids, -1, reference),
    asks: decodeLevels(asks, 1, reference),
  }));
}

/** Null where what came is not what it should be. */
function quietly<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
