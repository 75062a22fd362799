import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readCapture, type CaptureRecord, type ReadProgress } from './read.ts';
import { CaptureFolder, diff, open, rest, toJsonl, trade, type Line } from './test-harness.ts';

const folder = new CaptureFolder();
afterAll(() => folder.remove());

const lines: Line[] = [open(0), diff(10, 1, 2), rest(20, 1), trade(30, 'trade', 1)];
const jsonl = toJsonl(lines);

async function read(file: string, onProgress?: (progress: ReadProgress) => void): Promise<CaptureRecord[]> {
  const records: CaptureRecord[] = [];
  for await (const batch of readCapture(file, onProgress)) records.push(...batch);
  return records;
}

const failure = (code: string, line?: number) =>
  expect.objectContaining({
    code,
    ...(line === undefined ? {} : { details: expect.objectContaining({ line }) as unknown }),
  }) as Error;

describe('readCapture', () => {
  it.each([
    ['gzip', 'read.jsonl.gz'],
    ['plain', 'read.jsonl'],
  ])('reads a %s capture', async (_name, name) => {
    const records = await read(folder.write(jsonl, name));
    expect(records).toEqual(lines.map((line, i) => ({ line: i + 1, url: '', data: '', ...line })));
  });

  it('knows gzip by its first bytes, whatever the name', async () => {
    expect(await read(folder.write(gzipSync(jsonl), 'misnamed.jsonl'))).toHaveLength(4);
    const file = folder.write(Buffer.from(jsonl), 'misnamed.jsonl.gz');
    expect(readFileSync(file)[0]).toBe('{'.charCodeAt(0));
    expect(await read(file)).toHaveLength(4);
  });

  it('reads several gzip members, as files that were appended to have', async () => {
    const file = folder.write(
      Buffer.concat([gzipSync(toJsonl(lines.slice(0, 2))), gzipSync(toJsonl(lines.slice(2)))]),
      'members.gz',
    );
    expect(await read(file)).toHaveLength(4);
  });

  it('needs no newline at the end, and passes over empty lines', async () => {
    expect(await read(folder.write(jsonl.trimEnd(), 'no-newline.jsonl'))).toHaveLength(4);
    expect(await read(folder.write(`\n${jsonl.replaceAll('\n', '\n\n')}`, 'blank.jsonl'))).toHaveLength(4);
  });

  it('counts lines as an editor does', async () => {
    const text = `\uFEFF${toJsonl(lines.slice(0, 1))}\r\n  \n${toJsonl(lines.slice(1)).replaceAll('\n', '\r\n')}\r\n`;
    const records = await read(folder.write(text, 'windows.jsonl'));
    expect(records.map(({ line, kind }) => [line, kind])).toEqual([
      [1, 'open'],
      [4, 'in'],
      [5, 'rest'],
      [6, 'in'],
    ]);
  });

  it('reads characters and lines that lie across the pieces a file is read in', async () => {
    const wide: Line = { ...diff(0, 1, 2), data: '€'.repeat(150_000) };
    const many = Array.from({ length: 5 }, () => wide);
    for (const name of ['wide.jsonl', 'wide.jsonl.gz']) {
      const records = await read(folder.write(many, name));
      expect(records.map(({ data }) => data)).toEqual(many.map(({ data }) => data));
    }
  });

  it('yields nothing for an empty file', async () => {
    expect(await read(folder.write('', 'empty.jsonl'))).toEqual([]);
    expect(await read(folder.write('', 'empty.jsonl.gz'))).toEqual([]);
  });

  it('tells how far it is', async () => {
    const file = folder.write(
      Array.from({ length: 2_000 }, () => diff(0, 1, 2)),
      'progress.jsonl.gz',
    );
    const seen: ReadProgress[] = [];
    await read(file, (progress) => seen.push(progress));
    const size = readFileSync(file).length;
    expect(seen.at(-1)).toEqual({ bytesRead: size, bytesTotal: size });
  });

  it('tells that the compressed data ends early, after the records before', async () => {
    const whole = gzipSync(toJsonl(Array.from({ length: 20_000 }, (_, i) => diff(i, i, i))));
    const file = folder.write(whole.subarray(0, whole.length / 2), 'cut.jsonl.gz');
    let count = 0;
    const reading = (async () => {
      for await (const batch of readCapture(file)) count += batch.length;
    })();
    await expect(reading).rejects.toEqual(failure('capture_truncated'));
    expect(count).toBeGreaterThan(100);
  });

  it.each([
    ['zeros at the end', (part: Buffer) => [part, Buffer.alloc(512)]],
    ['zeros between two blocks', (part: Buffer) => [part, Buffer.alloc(512), part]],
  ])('tells of %s, as a power failure leaves them', async (_name, parts) => {
    const file = folder.write(Buffer.concat(parts(gzipSync(jsonl))), 'zeros.jsonl.gz');
    await expect(read(file)).rejects.toEqual(failure('capture_truncated', 5));
  });

  it('tells that a record ends early', async () => {
    await expect(read(folder.write(jsonl.slice(0, -20), 'cut.jsonl'))).rejects.toEqual(
      failure('capture_truncated', 4),
    );
  });

  it('tells a last record that ends early from one that is wrong', async () => {
    const wrong = folder.write(`${jsonl}{"t":1e18,"conn":"a","kind":"in","data":""}`, 'last.jsonl');
    await expect(read(wrong)).rejects.toEqual(failure('capture_corrupt', 5));
  });

  it('tells that the compressed data is damaged', async () => {
    const bytes = gzipSync(toJsonl(Array.from({ length: 2_000 }, (_, i) => diff(i, i, i))));
    bytes.fill(0xff, 40, 60);
    await expect(read(folder.write(bytes, 'damaged.jsonl.gz'))).rejects.toEqual(failure('capture_corrupt'));
  });

  it.each<[name: string, text: string]>([
    ['no JSON', 'hello'],
    ['no object', '5'],
    ['null', 'null'],
    ['no time', '{"conn":"a","kind":"in","data":""}'],
    ['a time as text', '{"t":"1","conn":"a","kind":"in","data":""}'],
    ['a time in seconds', '{"t":1700000000.5,"conn":"a","kind":"in","data":""}'],
    ['a time in microseconds', '{"t":1700000000000000,"conn":"a","kind":"in","data":""}'],
    ['a time past all time', '{"t":1e18,"conn":"a","kind":"in","data":""}'],
    ['a time below zero', '{"t":-1,"conn":"a","kind":"in","data":""}'],
    ['no connection', '{"t":1,"kind":"in","data":""}'],
    ['a kind there is not', '{"t":1,"conn":"a","kind":"close"}'],
    ['a socket without URL', '{"t":1,"conn":"a","kind":"open"}'],
    ['an answer without URL', '{"t":1,"conn":"a","kind":"rest","data":""}'],
    ['a frame without data', '{"t":1,"conn":"a","kind":"in"}'],
    ['data that is no text', '{"t":1,"conn":"a","kind":"in","data":{}}'],
  ])('names the line that has %s', async (_name, text) => {
    const file = folder.write(
      `${toJsonl([open(0), diff(10, 1, 2)])}${text}\n${toJsonl([diff(20, 3, 3)])}`,
      'corrupt.jsonl',
    );
    await expect(read(file)).rejects.toEqual(failure('capture_corrupt', 3));
  });

  it.each([
    ['does not exist', 'nowhere.jsonl'],
    ['is a folder', '.'],
  ])('tells that the file %s', async (_name, name) => {
    await expect(read(`${folder.write('', 'there.jsonl')}/../${name}`)).rejects.toEqual(
      failure('capture_not_found'),
    );
  });
});
