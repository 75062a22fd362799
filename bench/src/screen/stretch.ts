import { cpus } from 'node:os';
import type { Browser } from '@playwright/test';
import type { BenchPage } from './page.ts';

const SEGMENT_MS = 5_000;
/** Frames of a second at most, on the fastest of screens. */
const MOST_FRAMES = 250;

/** What a stretch of time has cost the page. */
export interface Stretch {
  readonly seconds: number;
  /** Times from the beginning of a frame to that of the next, milliseconds. */
  readonly frames: readonly number[];
  /** Of tasks over 50 ms, milliseconds. */
  readonly longTasks: readonly number[];
  /** CPU time of the main thread over the time, in each segment of the stretch. */
  readonly busy: readonly number[];
  /** From the beginnings of its tasks to their ends: more than that where they had to wait for a core. */
  readonly tasks: number;
  /** Part of the time that the cores of the machine were busy, with whatever. */
  readonly machine: number;
  /** Parts of the time that scripts, styles and layout took on the main thread. */
  readonly parts: { readonly script: number; readonly style: number; readonly layout: number };
  /** CPU time of the browser's processes over the time, by their kind: 1 is a core. */
  readonly processes: Readonly<Record<string, number>>;
  readonly heapBefore: number;
  /** Bytes, after a collection each. */
  readonly heapAfter: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
}

type Metrics = Record<string, number>;

/** Watches the page for so many seconds, which it spends by itself. */
export async function measureStretch(
  browser: Browser,
  page: BenchPage,
  seconds: number,
  progress: (text: string) => void,
): Promise<Stretch> {
  const { cdp } = page;
  const system = await browser.newBrowserCDPSession();
  await cdp.send('Performance.enable');
  const metrics = async (): Promise<Metrics> => {
    const { metrics: list } = await cdp.send('Performance.getMetrics');
    return Object.fromEntries(list.map(({ name, value }) => [name, value]));
  };
  const collected = async (): Promise<Metrics> => {
    // Twice: what the first leaves to finalizers, the second takes.
    await cdp.send('HeapProfiler.collectGarbage');
    await cdp.send('HeapProfiler.collectGarbage');
    return metrics();
  };
  const cpu = async (): Promise<Map<string, number>> => {
    const { processInfo } = await system.send('SystemInfo.getProcessInfo');
    const sums = new Map<string, number>();
    for (const { type, cpuTime } of processInfo) sums.set(type, (sums.get(type) ?? 0) + cpuTime);
    return sums;
  };

  await page.page.evaluate(countFrames, (seconds + SEGMENT_MS / 1000) * MOST_FRAMES);
  const before = await collected();
  const cpuBefore = await cpu();
  const machineBefore = machineTimes();
  await page.page.evaluate(forget);
  const first = await metrics();
  let last = first;
  const busy: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let left = seconds * 1000; left > 0; left = end - performance.now()) {
    progress(`watching the page, ${Math.ceil(left / 1000)} s left`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, SEGMENT_MS)));
    const now = await metrics();
    busy.push((now.ThreadTime! - last.ThreadTime!) / (now.Timestamp! - last.Timestamp!));
    last = now;
  }
  const cpuAfter = await cpu();
  const machineAfter = machineTimes();
  const { frames, longTasks } = await page.page.evaluate(readNotes);
  const after = await collected();
  await system.detach();

  const measured = last.Timestamp! - first.Timestamp!;
  const part = (name: string) => (last[name]! - first[name]!) / measured;
  return {
    seconds: measured,
    frames,
    longTasks,
    busy,
    tasks: part('TaskDuration'),
    machine: (machineAfter.busy - machineBefore.busy) / (machineAfter.all - machineBefore.all),
    parts: {
      script: part('ScriptDuration'),
      style: part('RecalcStyleDuration'),
      layout: part('LayoutDuration'),
    },
    processes: Object.fromEntries(
      [...cpuAfter].map(([type, s]) => [type, (s - (cpuBefore.get(type) ?? 0)) / measured]),
    ),
    heapBefore: before.JSHeapUsedSize!,
    heapAfter: after.JSHeapUsedSize!,
    nodesBefore: before.Nodes!,
    nodesAfter: after.Nodes!,
  };
}

/** Milliseconds of all cores together. */
function machineTimes(): { busy: number; all: number } {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const { idle, user, nice, sys, irq } = times;
    busy += user + nice + sys + irq;
    all += idle + user + nice + sys + irq;
  }
  return { busy, all };
}

/** Runs in the page: notes when each frame begins, in an array that is made once. */
function countFrames(capacity: number): void {
  const notes = globalThis.__screenBench;
  notes.frames = new Float64Array(capacity);
  const count = (timeMs: number) => {
    if (notes.frameCount < capacity) notes.frames[notes.frameCount++] = timeMs;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
}

/** Runs in the page: what was before the stretch does not count, the collection of garbage neither. */
function forget(): void {
  const notes = globalThis.__screenBench;
  notes.frameCount = 0;
  notes.longTasks = [];
}

/** Runs in the page. */
function readNotes(): { frames: number[]; longTasks: number[] } {
  const { frames, frameCount, longTasks } = globalThis.__screenBench;
  const began = frames[0]!;
  return {
    frames: Array.from({ length: frameCount - 1 }, (_, i) => frames[i + 1]! - frames[i]!),
    longTasks: longTasks.filter(({ startMs }) => startMs >= began).map(({ durationMs }) => durationMs),
  };
}
