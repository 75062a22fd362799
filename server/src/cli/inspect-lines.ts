import { styleText } from 'node:util';
import {
  fieldTexts,
  hexDump,
  levelTexts,
  type FrameTotals,
  type InspectedFrame,
  type LevelText,
  type Rates,
} from '@depthwire/shared/inspect';

/** Bytes of a message that are shown as hex at most. */
const MOST_HEX_BYTES = 512;
const KINDS_IN_STATUS = 4;

export interface LineOptions {
  /** All fields and decoded levels below each line, or in each line of JSON. */
  readonly full: boolean;
  readonly hex: boolean;
}

/** One message in one line, and what else was asked for in those below it. */
export function frameLines(frame: InspectedFrame, { full, hex }: LineOptions): string {
  const { raw, bytes, kind, ch, seq, topic, instrumentId, summary, gap } = frame;
  const isOut = raw.direction === 'out';
  const head = [
    styleText('dim', new Date(raw.timeMs).toISOString().slice(11, 23)),
    isOut ? styleText('magenta', '→') : styleText('cyan', '←'),
    `${String(bytes).padStart(6)} B`,
    styleText(kind === 'malformed' || kind === 'error' ? 'red' : 'bold', kind.padEnd(15)),
    (ch === null ? '' : `ch ${ch}`).padEnd(6),
    (seq === null ? '' : `seq ${seq}`).padEnd(10),
    [topic, instrumentId]
      .filter((name) => name !== null)
      .join(' ')
      .padEnd(26),
    gap ? styleText('red', `GAP: expected ${gap.expected}, got ${gap.got}; `) + summary : summary,
  ].join(' ');
  const below = [
    ...(full
      ? [...fieldTexts(frame).map(([name, text]) => `${name.padEnd(12)} ${text}`), ...ladder(frame)]
      : []),
    ...(hex ? dump(frame).split('\n') : []),
  ];
  return [head.trimEnd(), ...below.map((line) => styleText('dim', `    ${line}`))].join('\n');
}

/** One message as one line of JSON: times in unix milliseconds, levels as decimal text, null for a removed one. */
export function frameJson(frame: InspectedFrame, { full, hex }: LineOptions): string {
  const { raw, bytes, kind, ch, seq, topic, instrumentId, summary, gap, levels } = frame;
  const pairs = (side: LevelText[]) => side.map(({ price, size }) => [price, size]);
  const { bids, asks } = levelTexts(frame);
  return JSON.stringify({
    time: raw.timeMs,
    direction: raw.direction,
    bytes,
    kind,
    ch,
    seq,
    topic,
    instrument: instrumentId,
    gap,
    summary,
    ...(full ? { fields: frame.fields, ...(levels ? { bids: pairs(bids), asks: pairs(asks) } : {}) } : {}),
    ...(hex ? { hex: Buffer.from(raw.data).toString('hex') } : {}),
  });
}

/** The line below a live list. */
export function statusLine(totals: FrameTotals, rates: Rates, state: string): string {
  const { framesPerSecond, bytesPerSecond } = rates;
  const kinds = totals
    .ranked()
    .slice(0, KINDS_IN_STATUS)
    .map(([kind, { frames, bytes }]) => `${kind} ${frames} × ${Math.round(bytes / frames)} B`);
  return [
    state,
    `${framesPerSecond.toFixed(0)} frames/s`,
    `${(bytesPerSecond / 1_000).toFixed(1)} kB/s`,
    gapsOf(totals),
    ...kinds,
  ].join(' · ');
}

/** All that was seen, kind by kind. */
export function totalsTable(totals: FrameTotals, seconds: number): string {
  const rows = totals
    .ranked()
    .map(([kind, { frames, bytes }]) => [
      kind,
      String(frames),
      String(bytes),
      (bytes / frames).toFixed(1),
      `${((100 * bytes) / totals.bytes).toFixed(1)} %`,
    ]);
  const table = [['kind', 'frames', 'bytes', 'bytes a frame', 'of all bytes'], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const text = table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
  const sum = `${totals.frames} frames, ${totals.bytes} bytes in ${seconds.toFixed(1)} s; ${gapsOf(totals)}, ${totals.malformed} malformed`;
  return [...text, sum].join('\n');
}

function gapsOf({ gaps }: FrameTotals): string {
  return `${gaps} ${gaps === 1 ? 'gap' : 'gaps'}`;
}

function ladder(frame: InspectedFrame): string[] {
  if (!frame.levels) return [];
  const { bids, asks } = levelTexts(frame);
  const side = (name: string, levels: LevelText[]) =>
    levels.map(({ price, size }) => `${name} ${price.padStart(14)}  ${size ?? 'removed'}`);
  return [...side('ask', asks).reverse(), ...side('bid', bids)];
}

function dump({ raw }: InspectedFrame): string {
  return typeof raw.data === 'string' ? raw.data.slice(0, MOST_HEX_BYTES) : hexDump(raw.data, MOST_HEX_BYTES);
}
