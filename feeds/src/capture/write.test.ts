import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DepthwireError } from '@depthwire/shared';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../core/virtual-clock.ts';
import { readCapture, type CaptureRecord } from './read.ts';
import { CaptureFolder, T0 } from './test-harness.ts';
import { CaptureWriter, type FsyncPolicy, type WrittenRecord } from './write.ts';

const folder = new CaptureFolder();
afterAll(() => folder.remove());
let count = 0;

const frame = (i: number): WrittenRecord => ({ t: T0 + i, conn: 'ws.1', kind: 'in', data: `{"frame":${i}}` });

function startWriter(fsync: FsyncPolicy = 'never') {
  const clock = new VirtualClock(T0);
  const file = `${folder.write('', 'beside.jsonl')}-${(count += 1)}.jsonl.gz`;
  const errors: DepthwireError[] = [];
  const writer = new CaptureWriter({ file, clock, fsync, onError: (error) => errors.push(error) });
  return { clock, file, errors, writer };
}

async function read(file: string): Promise<CaptureRecord[]> {
  const records: CaptureRecord[] = [];
  for await (const batch of readCapture(file)) records.push(...batch);
  return records;
}

/** Waits until the file is larger than it was. */
async function grown(file: string, bytes = 0): Promise<number> {
  await vi.waitFor(() => expect(statSync(file).size).toBeGreaterThan(bytes), { interval: 2 });
  return statSync(file).size;
}

describe('CaptureWriter', () => {
  it('writes what the reader reads', async () => {
    const { file, writer } = startWriter();
    const records: WrittenRecord[] = [
      { t: T0 + 0.25, conn: 'ws.1', kind: 'open', url: 'wss://example.com' },
      { t: T0 + 1, conn: 'ws.1', kind: 'out', data: '{"€":"\\n"}' },
      frame(2),
      { t: T0 + 3, conn: 'rest', kind: 'rest', url: 'https://example.com/x', data: '' },
    ];
    for (const record of records) writer.write(record);
    await writer.close();
    expect(await read(file)).toEqual(
      records.map((record, i) => ({ line: i + 1, url: '', data: '', ...record })),
    );
    expect(writer).toMatchObject({ records: 4, bytes: statSync(file).size });
  });

  it('makes a block of each second, after which the file can be read whatever happens', async () => {
    const { clock, file, writer } = startWriter();
    let bytes = 0;
    for (let second = 1; second <= 3; second++) {
      writer.write(frame(second));
      clock.advanceTo(T0 + second * 1_000);
      bytes = await grown(file, bytes);
      expect(await read(file)).toHaveLength(second);
    }
    writer.write(frame(4)); // lost if the process ends now
    expect(await read(file)).toHaveLength(3);
    await writer.close();
    expect(await read(file)).toHaveLength(4);
  });

  it('tells how much of a file can be read whose last block was cut off', async () => {
    const { clock, file, writer } = startWriter();
    for (let i = 0; i < 500; i++) writer.write(frame(i));
    clock.advanceTo(T0 + 1_000);
    const whole = await grown(file);
    writer.write(frame(500));
    await writer.close();
    const cut = folder.write(readFileSync(file).subarray(0, whole + 15), 'cut.jsonl.gz');
    await expect(read(cut)).rejects.toMatchObject({
      code: 'capture_truncated',
      message: expect.stringContaining('after line 500; the 500 records before it could be read') as string,
    });
  });

  it('waits for no second where every record is to be on the disk', async () => {
    const { file, writer } = startWriter('always');
    for (let i = 0; i < 50; i++) writer.write(frame(i));
    await vi.waitFor(async () => expect(await read(file)).toHaveLength(50), { interval: 2 });
    writer.write(frame(50));
    await vi.waitFor(async () => expect(await read(file)).toHaveLength(51), { interval: 2 });
    await writer.close();
  });

  it('writes a large block at once', async () => {
    const { file, writer } = startWriter();
    writer.write({ ...frame(0), data: 'x'.repeat(5 * 2 ** 20) });
    await grown(file);
    expect(gunzipSync(readFileSync(file)).length).toBeGreaterThan(5 * 2 ** 20);
    await writer.close();
  });

  it('breaks off, once, where the disk cannot keep up', async () => {
    const { errors, writer } = startWriter();
    const large = { ...frame(0), data: 'x'.repeat(100 * 2 ** 20) };
    for (let i = 0; i < 3; i++) writer.write(large);
    expect(errors).toEqual([expect.objectContaining({ code: 'capture_not_written' })]);
    await writer.close();
  });

  it('writes over no earlier recording, and takes nothing once it is closed', async () => {
    const { file, writer, clock } = startWriter();
    await writer.close();
    await writer.close();
    writer.write(frame(1));
    expect(readFileSync(file)).toHaveLength(0);
    writeFileSync(file, 'precious');
    const again = () => new CaptureWriter({ file, clock, fsync: 'never', onError: () => {} });
    expect(again).toThrow(expect.objectContaining({ code: 'capture_not_written' }) as Error);
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(existsSync(file)).toBe(true);
  });
});
