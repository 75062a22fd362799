import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** Recorded venue frames, which lie beside the project and never in it. */
export const recordedFolder = fileURLToPath(new URL('../../../shared/captures/', import.meta.url));
export const hasRecorded = existsSync(`${recordedFolder}index.json`);
if (!hasRecorded)
  console.warn('the recorded captures (../shared/captures) are absent: tests that read them are skipped');

const START_MS = 1_700_000_000_000;

/** A small market of our own, in the frames of Binance Spot: one symbol, in sequence throughout. */
export function spotCapture(updates = 20): object[] {
  const records: object[] = [
    { t: START_MS, conn: 'ws', kind: 'open', url: 'wss://stream.binance.com:9443/stream' },
  ];
  const frame = (t: number, data: object) =>
    records.push({ t, conn: 'ws', kind: 'in', data: JSON.stringify(data) });
  for (let i = 0; i < updates; i++) {
    const t = START_MS + 100 + i * 100;
    const data = {
      e: 'depthUpdate',
      E: t - 5,
      s: 'ABCUSDT',
      U: 101 + i,
      u: 101 + i,
      b: [['9.98', String(1 + (i % 7))]],
      a: [['10.02', String(2 + (i % 5))]],
    };
    frame(t, { stream: 'abcusdt@depth@100ms', data });
    if (i === 2) {
      const body = {
        lastUpdateId: 102,
        bids: [
          ['9.99', '5'],
          ['9.98', '1.25'],
        ],
        asks: [
          ['10.01', '4'],
          ['10.02', '0.5'],
        ],
      };
      records.push({
        t: t + 10,
        conn: 'rest',
        kind: 'rest',
        url: 'https://api.binance.com/api/v3/depth?symbol=ABCUSDT&limit=1000',
        data: JSON.stringify(body),
      });
    }
    if (i % 3 === 0) {
      frame(t + 20, {
        stream: 'abcusdt@trade',
        data: { e: 'trade', E: t, s: 'ABCUSDT', t: i, p: '10.01', q: '0.25', T: t, m: false, M: true },
      });
    }
  }
  return records;
}

export async function writeCapture(file: string, records: readonly object[]): Promise<string> {
  const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await writeFile(file, file.endsWith('.gz') ? gzipSync(text) : text);
  return file;
}
