import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DepthwireError, every, type Clock, type Timer } from '@depthwire/shared';
import type { CaptureRecord } from './read.ts';

/** A crash loses at most what came since the last block was written. */
const BLOCK_MS = 1_000;
/** A block is written sooner once it is so large. */
const MAX_BLOCK_CHARS = 4 * 2 ** 20;
/** Records that wait because the disk is slow; past it the recording is broken off. */
const MAX_WAITING_CHARS = 256 * 2 ** 20;

const compress = promisify(gzip);

export const fsyncPolicies = ['always', 'second', 'never'] as const;
/**
 * Whether blocks are forced to the disk, so that a power failure loses no more than a crash; `always`
 * also makes a block of what has come as soon as the one before is written, and waits for no second.
 */
export type FsyncPolicy = (typeof fsyncPolicies)[number];

export interface CaptureWriterOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly fsync: FsyncPolicy;
  /** The file cannot be written any more; what came before is in it. */
  onError(error: DepthwireError): void;
}

export type WrittenRecord = Pick<CaptureRecord, 't' | 'conn' | 'kind'> &
  Partial<Pick<CaptureRecord, 'url' | 'data' | 'venue' | 'market'>>;

/**
 * Writes a capture. Each second's records are a gzip member of their own, written in one piece:
 * whatever happens to the process, the file can be read up to its last whole block.
 */
export class CaptureWriter {
  readonly file: string;
  readonly #options: CaptureWriterOptions;
  readonly #descriptor: number;
  readonly #timer: Timer;
  #block: string[] = [];
  #blockChars = 0;
  #waitingChars = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #hasFailed = false;
  #isClosed = false;
  /** Compressed, as written so far. */
  bytes = 0;
  records = 0;

  /** @throws DepthwireError `capture_not_written` where the file is there already, or cannot be made */
  constructor(options: CaptureWriterOptions) {
    this.#options = options;
    this.file = options.file;
    try {
      this.#descriptor = openSync(options.file, 'wx'); // never over an earlier recording
    } catch (error) {
      throw notWritten(options.file, error);
    }
    this.#timer = every(options.clock, BLOCK_MS, () => this.#flush());
  }

  write(record: WrittenRecord): void {
    if (this.#hasFailed || this.#isClosed) return;
    const line = `${JSON.stringify(record)}\n`;
    this.records += 1;
    this.#block.push(line);
    this.#blockChars += line.length;
    this.#waitingChars += line.length;
    if (this.#waitingChars > MAX_WAITING_CHARS)
      this.#fail(notWritten(this.file, new Error('the disk is too slow for what comes in')));
    else if (this.#blockChars >= MAX_BLOCK_CHARS || this.#isDue) this.#flush();
  }

  get #isDue(): boolean {
    return this.#options.fsync === 'always' && !this.#isWriting;
  }

  /** Writes what is held, and ends the file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#flush();
    await this.#writing;
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#block.length === 0) return;
    const text = this.#block.join('');
    this.#block = [];
    this.#blockChars = 0;
    this.#isWriting = true;
    this.#writing = this.#writing.then(() => this.#append(text));
  }

  async #append(text: string): Promise<void> {
    if (this.#hasFailed) return;
    try {
      const block = await compress(text);
      let offset = 0;
      while (offset < block.length) offset += writeSync(this.#descriptor, block, offset);
      if (this.#options.fsync !== 'never') fsyncSync(this.#descriptor);
      this.bytes += block.length;
      this.#waitingChars -= text.length;
    } catch (error) {
      this.#cutBack();
      this.#fail(notWritten(this.file, error));
    }
    this.#isWriting = false;
    if (this.#isDue) this.#flush();
  }

  /** A full disk takes a part of a block, which nobody could read. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#descriptor, this.bytes);
    } catch {
      // A reader takes the file up to its last whole block all the same.
    }
  }

  #fail(error: DepthwireError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#block = [];
    this.#options.onError(error);
  }
}

function notWritten(file: string, cause: unknown): DepthwireError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hint = code === 'EEXIST' ? 'it is there already; name another file' : message;
  return new DepthwireError('capture_not_written', `${file}: cannot be written: ${hint}`, { file }, cause);
}
