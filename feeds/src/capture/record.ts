import { every, type Clock, type DepthwireError, type EpochMs, type Timer } from '@depthwire/shared';
import type { SocketTap, WireTap } from '../core/wire-tap.ts';
import { CaptureWriter, type FsyncPolicy } from './write.ts';

const WATCH_MS = 1_000;

export interface RecorderOptions {
  /** Ends in `.jsonl.gz`; parts of a rotated recording get a number before that. */
  readonly file: string;
  /** Whose sockets they are, for those who read the capture: an emulator's URL does not tell. */
  readonly venue: string;
  readonly market: string;
  readonly clock: Clock;
  readonly fsync: FsyncPolicy;
  /** Compressed size after which another file begins; null for never. */
  readonly rotateBytes: number | null;
  /** Time after which another file begins, milliseconds; null for never. */
  readonly rotateMs: number | null;
  /** Whether an answer lists instruments: a file cannot be read alone without. */
  isMetadata(url: string, body: string): boolean;
  /**
   * Another file has begun: connections made from now on go into it, so that it has snapshots of
   * its own and can be replayed alone. The old one ends with the connections it has.
   */
  onRotate(file: string): void;
  onError(error: DepthwireError): void;
}

/** Writes everything that goes over a feed's wires into captures. */
export class Recorder implements WireTap {
  readonly #options: RecorderOptions;
  readonly #timer: Timer;
  /** Files that are being written, and the sockets open on each; the newest last. */
  readonly #parts: { readonly writer: CaptureWriter; readonly sockets: Set<string> }[] = [];
  /** The newest list of instruments from each URL. */
  readonly #metadata = new Map<string, string>();
  readonly #closing: Promise<void>[] = [];
  readonly files: string[] = [];
  #socketCount = 0;
  #partSinceMs = 0;
  #pastRecords = 0;
  #pastBytes = 0;

  /** @throws DepthwireError `capture_not_written` */
  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#begin();
    this.#timer = every(options.clock, WATCH_MS, () => this.#watch());
  }

  get records(): number {
    return this.#parts.reduce((sum, { writer }) => sum + writer.records, this.#pastRecords);
  }

  /** Compressed, of all files. */
  get bytes(): number {
    return this.#parts.reduce((sum, { writer }) => sum + writer.bytes, this.#pastBytes);
  }

  opened(url: string, timeMs: EpochMs): SocketTap {
    const part = this.#parts.at(-1)!;
    const conn = `ws.${(this.#socketCount += 1)}`;
    part.sockets.add(conn);
    const { venue, market } = this.#options;
    part.writer.write({ t: timeMs, conn, kind: 'open', url, venue, market });
    return {
      sent: (data, t) => part.writer.write({ t, conn, kind: 'out', data }),
      received: (data, t) => part.writer.write({ t, conn, kind: 'in', data }),
      closed: () => {
        part.sockets.delete(conn);
        this.#endOldParts();
      },
    };
  }

  answered(url: string, body: string, timeMs: EpochMs): void {
    if (this.#options.isMetadata(url, body)) this.#metadata.set(url, body);
    this.#parts.at(-1)!.writer.write({ t: timeMs, conn: 'rest', kind: 'rest', url, data: body });
  }

  /** Writes what is held, and ends every file. */
  async close(): Promise<void> {
    this.#timer.cancel();
    for (const part of this.#parts.splice(0)) this.#end(part.writer);
    await Promise.all(this.#closing);
  }

  #begin(): void {
    const { clock, fsync, onError } = this.#options;
    const file = this.#fileName();
    const writer = new CaptureWriter({ file, clock, fsync, onError });
    this.#parts.push({ writer, sockets: new Set() });
    this.files.push(file);
    this.#partSinceMs = clock.now();
  }

  #watch(): void {
    const { clock, rotateBytes, rotateMs, onRotate, onError } = this.#options;
    const { writer } = this.#parts.at(-1)!;
    const isLarge = rotateBytes !== null && writer.bytes >= rotateBytes;
    const isOld = rotateMs !== null && clock.now() - this.#partSinceMs >= rotateMs;
    if (!isLarge && !isOld) return;
    try {
      this.#begin();
    } catch (error) {
      onError(error as DepthwireError);
      return;
    }
    const now = clock.now();
    const { writer: next } = this.#parts.at(-1)!;
    for (const [url, data] of this.#metadata) next.write({ t: now, conn: 'rest', kind: 'rest', url, data });
    onRotate(next.file);
    this.#endOldParts();
  }

  #endOldParts(): void {
    for (const part of this.#parts.slice(0, -1)) {
      if (part.sockets.size > 0) continue;
      this.#parts.splice(this.#parts.indexOf(part), 1);
      this.#end(part.writer);
    }
  }

  #end(writer: CaptureWriter): void {
    this.#closing.push(
      writer.close().then(() => {
        this.#pastRecords += writer.records;
        this.#pastBytes += writer.bytes;
      }),
    );
  }

  #fileName(): string {
    const { file, rotateBytes, rotateMs } = this.#options;
    if (rotateBytes === null && rotateMs === null) return file;
    const number = String(this.files.length + 1).padStart(4, '0');
    return file.replace(/(\.jsonl)?(\.gz)?$/, (ending) => `-${number}${ending}`);
  }
}
