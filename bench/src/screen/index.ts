import { chromium, type Browser } from '@playwright/test';
import type { Bench, BenchOptions, BenchResult, Goal } from '../harness/bench.ts';
import { figure } from '../harness/report.ts';
import { median, quantile, spread } from '../harness/statistics.ts';
import { chromiumFlags, prepareScreen } from './browser.ts';
import type { ScreenFeedOptions, Tally } from './feed.ts';
import { BenchPage } from './page.ts';
import { BenchServer } from './server.ts';
import { measureStretch, type Stretch } from './stretch.ts';

const FEED: ScreenFeedOptions = {
  instruments: 50,
  levelUpdatesPerSecond: 2_000,
  share: 0.3,
  tradesPerSecond: 60,
  seed: 11,
};
const SIZES = {
  full: { loads: 5, settleMs: 8_000, seconds: 60 },
  smoke: { loads: 1, settleMs: 0, seconds: 3 },
};
const LIMITS = { frameMs: 17, mainThreadPercent: 50, scriptKB: 200, interactiveMs: 1_000 };
/** The heap may grow by so much in so long, and in a shorter stretch by its part of it. */
const HEAP = { megabytes: 5, seconds: 300 };
const MB = 1_000_000;

interface Scene {
  readonly name: string;
  readonly title: string;
  readonly feed: ScreenFeedOptions;
  /** Opens more than the first visit has. */
  readonly arrange?: (page: BenchPage) => Promise<void>;
}

export const screen = benchOf({
  name: 'screen',
  title: 'the dashboard in Chromium: 50 instruments, 2,000 level updates a second, all panels open',
  feed: FEED,
});

export const wall = benchOf({
  name: 'wall',
  title: 'the same with a list of 1,000 instruments, and the heatmap beside all panels',
  feed: { ...FEED, instruments: 1_000 },
  arrange: (page) => page.add('Liquidity heatmap'),
});

function benchOf(scene: Scene): Bench {
  const { name, title } = scene;
  return { name, title, run: (options) => measure(scene, options) };
}

async function measure(
  { name, feed, arrange }: Scene,
  { size, progress }: BenchOptions,
): Promise<BenchResult> {
  const executablePath = await prepareScreen();
  const { loads, settleMs } = SIZES[size];
  const seconds = secondsOf(size);
  progress('starting the server and Chromium');
  const server = await BenchServer.start(feed);
  let browser: Browser | null = null;
  try {
    browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
    const interactive: number[] = [];
    let page = await BenchPage.open(browser);
    for (let i = 0; i < loads; i++) {
      progress(`first visit ${i + 1} of ${loads}`);
      if (i > 0) {
        await page.close();
        page = await BenchPage.open(browser);
      }
      interactive.push(await page.load(server.url));
      await page.settled(feed.instruments);
    }
    const scriptBytes = await page.scriptBytes();
    await arrange?.(page);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const tally = server.tally;
    const stretch = await measureStretch(browser, page, seconds, progress);
    await expectRight(page, feed.instruments);
    return result(name, { interactive, scriptBytes, stretch, rate: rateOf(tally, server.tally) });
  } finally {
    await browser?.close();
    await server.stop();
  }
}

/** Those of the size, or for a longer look `DEPTHWIRE_BENCH_SECONDS`. */
function secondsOf(size: BenchOptions['size']): number {
  const wanted = process.env.DEPTHWIRE_BENCH_SECONDS;
  if (size === 'smoke' || wanted === undefined) return SIZES[size].seconds;
  const seconds = Number(wanted);
  if (!(seconds >= 5)) throw new Error(`DEPTHWIRE_BENCH_SECONDS: expected 5 or more, got ${wanted}`);
  return seconds;
}

/** @throws Error where the page was not followed by a right book to the end */
async function expectRight(page: BenchPage, instruments: number): Promise<void> {
  await page.settled(instruments);
  const book = await page.page.evaluate(() => {
    const handle = (globalThis as { __depthwire?: { bookSubscription(): PageBook | null } }).__depthwire;
    const subscription = handle?.bookSubscription();
    return subscription && { verified: subscription.replica.verified, resyncs: subscription.resyncs };
  });
  if (!book || book.verified === 0 || book.resyncs > 0) {
    throw new Error(`the page's book was not right all the time: ${JSON.stringify(book)}`);
  }
}

/** What is read of the page's subscription. */
interface PageBook {
  readonly replica: { readonly verified: number };
  readonly resyncs: number;
}

/** Level updates a second between two words of the feed. */
function rateOf(before: Tally | null, after: Tally | null): number {
  if (!before || !after || after.elapsedMs === before.elapsedMs)
    throw new Error('the feed has not said what it did');
  return ((after.levelUpdates - before.levelUpdates) / (after.elapsedMs - before.elapsedMs)) * 1000;
}

interface Measured {
  readonly interactive: readonly number[];
  readonly scriptBytes: { readonly first: number; readonly all: number };
  readonly stretch: Stretch;
  /** Level updates a second. */
  readonly rate: number;
}

function result(bench: string, { interactive, scriptBytes, stretch, rate }: Measured): BenchResult {
  const { frames, longTasks, busy, parts, processes, seconds } = stretch;
  const over = `in ${Math.round(seconds)} s`;
  const frameP95Ms = quantile(frames, 0.95);
  const mainThreadPercent = 100 * (busy.reduce((sum, share) => sum + share, 0) / busy.length);
  const heapGrowthMB = (stretch.heapAfter - stretch.heapBefore) / MB;
  const heapLimitMB = (HEAP.megabytes * Math.round(seconds)) / HEAP.seconds;
  const nodeGrowth = stretch.nodesAfter - stretch.nodesBefore;
  const scriptKB = scriptBytes.first / 1000;
  const allScriptKB = scriptBytes.all / 1000;
  const interactiveMs = median(interactive);
  const goals: Goal[] = [
    // A part of a batch is due at either end.
    { name: 'level updates a second', value: rate, bound: { atLeast: FEED.levelUpdatesPerSecond * 0.98 } },
    { name: 'frame, p95, ms', value: frameP95Ms, bound: { atMost: LIMITS.frameMs } },
    { name: `tasks over 50 ms ${over}`, value: longTasks.length, bound: { atMost: 0 } },
    {
      name: 'main thread busy, CPU time, %',
      value: mainThreadPercent,
      bound: { atMost: LIMITS.mainThreadPercent },
    },
    {
      name: `JavaScript heap grows ${over}, MB`,
      value: heapGrowthMB,
      bound: { atMost: heapLimitMB },
    },
    { name: `DOM nodes grow ${over}`, value: nodeGrowth, bound: { atMost: 0 } },
    { name: 'JavaScript of the first view, kB gz', value: scriptKB, bound: { atMost: LIMITS.scriptKB } },
    { name: 'interactive after, ms', value: interactiveMs, bound: { atMost: LIMITS.interactiveMs } },
  ];
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const late = frames.filter((ms) => ms > LIMITS.frameMs).length;
  return {
    bench,
    ours: {
      levelUpdatesPerSecond: rate,
      frameP95Ms,
      frameP99Ms: quantile(frames, 0.99),
      longTasks: longTasks.length,
      mainThreadPercent,
      taskPercent: 100 * stretch.tasks,
      machinePercent: 100 * stretch.machine,
      heapMB: stretch.heapAfter / MB,
      heapGrowthMB,
      nodes: stretch.nodesAfter,
      nodeGrowth,
      scriptKB,
      allScriptKB,
      interactiveMs,
      seconds,
    },
    peers: {},
    // Measured over what may be at most.
    ratios: {
      frame: frameP95Ms / LIMITS.frameMs,
      mainThread: mainThreadPercent / LIMITS.mainThreadPercent,
      heapGrowth: heapGrowthMB / heapLimitMB,
      script: scriptKB / LIMITS.scriptKB,
      interactive: interactiveMs / LIMITS.interactiveMs,
    },
    goals,
    tables: [
      {
        title: `The page ${over}:`,
        rows: [
          ['main thread of the page', 'share of the time'],
          ['CPU time', percent(mainThreadPercent / 100)],
          ['CPU time in the busiest 5 s', percent(Math.max(...busy))],
          ['from the beginnings of its tasks to their ends', percent(stretch.tasks)],
          ['scripts', percent(parts.script)],
          ['styles', percent(parts.style)],
          ['layout', percent(parts.layout)],
        ],
      },
      {
        title:
          'CPU time of all threads, by process of the browser (pixels are drawn without a graphics card):',
        rows: [
          ['process', 'share of a core'],
          ...Object.entries(processes).map(([type, share]) => [type, percent(share)]),
          ['the whole machine, of all its cores', percent(stretch.machine)],
        ],
      },
      {
        title: 'Frames and memory:',
        rows: [
          ['', 'measured'],
          ['frames', String(frames.length)],
          [
            'tasks over 50 ms: count / longest, ms',
            `${longTasks.length} / ${longTasks.length > 0 ? figure(Math.max(...longTasks)) : '–'}`,
          ],
          [
            'frame p50 / p95 / p99 / longest, ms',
            [0.5, 0.95, 0.99, 1].map((q) => figure(quantile(frames, q))).join(' / '),
          ],
          [`frames that took longer than ${LIMITS.frameMs} ms`, percent(late / frames.length)],
          [
            'heap before / after, MB',
            [stretch.heapBefore, stretch.heapAfter].map((b) => figure(b / MB)).join(' / '),
          ],
          ['DOM nodes before / after', `${stretch.nodesBefore} / ${stretch.nodesAfter}`],
          [
            'JavaScript until the first book / until all panels live, kB gz',
            `${figure(scriptKB)} / ${figure(allScriptKB)}`,
          ],
          ['first visits interactive, ms', interactive.map((ms) => ms.toFixed(0)).join(', ')],
        ],
      },
    ],
    noise: Math.max(spread(busy), interactive.length > 1 ? spread(interactive) : 0),
  };
}
