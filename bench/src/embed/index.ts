import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser } from '@playwright/test';
import type { Bench, BenchOptions, BenchResult, Goal } from '../harness/bench.ts';
import { figure } from '../harness/report.ts';
import { median, spread } from '../harness/statistics.ts';
import { chromiumFlags, prepareScreen } from '../screen/browser.ts';
import { BenchServer } from '../screen/server.ts';
import { expectLive } from './live.ts';
import { hostPage, IMAGE_PATH, picture, widgetsIn } from './host-page.ts';
import { longestTasks, type LongestTask } from './tasks.ts';

const SIZES = { full: { loads: 15, traceMs: 15_000 }, smoke: { loads: 1, traceMs: 2_000 } };
/** A telephone on a slow network, as Lighthouse has it: round trip, bytes a second, and so many times slower. */
const PHONE = { latencyMs: 150, bytesPerSecond: 200_000, slowdown: 4 };
/** What comes later is no part of loading. */
const LOAD_MS = 8_000;
const LIMITS = { ratio: 1.05, taskMs: 20 };
const FEED = { instruments: 50, levelUpdatesPerSecond: 2_000, share: 0.3, tradesPerSecond: 60, seed: 11 };

/** How fast a page of somebody else is with widgets on it, beside the same page without. */
export const embed: Bench = {
  name: 'embed',
  title: 'a page of another origin, on a slow telephone, with a ticker and a depth widget and without',
  run,
};

interface Load {
  /** Largest contentful paint, milliseconds. */
  readonly lcp: number;
  /** Of tasks over 50 ms what is over, since the first contentful paint, milliseconds. */
  readonly blocking: number;
}

async function run({ size, progress }: BenchOptions): Promise<BenchResult> {
  const executablePath = await prepareScreen();
  const { loads, traceMs } = SIZES[size];
  progress('starting the server and Chromium');
  const server = await BenchServer.start(FEED);
  let site: Server | null = null;
  let browser: Browser | null = null;
  try {
    site = await startSite(server.url);
    browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const without: Load[] = [];
    const withWidgets: Load[] = [];
    for (let i = 0; i < loads; i++) {
      progress(`load ${i + 1} of ${loads}`);
      without.push(await load(browser, `${origin}/without`));
      withWidgets.push(await load(browser, `${origin}/with`));
    }
    progress('tracing');
    const tasks = await longestTasks(browser, `${origin}/without`, widgetsIn(server.url), traceMs);
    return result(without, withWidgets, tasks);
  } finally {
    await browser?.close();
    site?.close();
    await server.stop();
  }
}

function startSite(server: string): Promise<Server> {
  const site = createServer((request, response) => {
    if (request.url === IMAGE_PATH) {
      response.setHeader('content-type', 'image/svg+xml').end(picture());
      return;
    }
    const widgets = request.url === '/with' ? widgetsIn(server) : { script: '', elements: '' };
    response.setHeader('content-type', 'text/html; charset=utf-8').end(hostPage(widgets));
  });
  return new Promise((resolve) => site.listen(0, '127.0.0.1', () => resolve(site)));
}

/** Loads a page as a first visit, and waits until its widgets are live, where it has some. */
async function load(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: PHONE.latencyMs,
    downloadThroughput: PHONE.bytesPerSecond,
    uploadThroughput: PHONE.bytesPerSecond,
  });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: PHONE.slowdown });
  await page.addInitScript(takeNotes);
  await page.goto(url);
  await expectLive(page);
  await page.waitForFunction((until) => performance.now() >= until, LOAD_MS);
  const notes = await page.evaluate(() => globalThis.__embedBench);
  await context.close();
  const blocking = notes.tasks
    .filter(({ startMs }) => startMs >= notes.fcp)
    .reduce((sum, { durationMs }) => sum + Math.max(0, durationMs - 50), 0);
  return { lcp: notes.lcp, blocking };
}

declare global {
  var __embedBench: { fcp: number; lcp: number; tasks: { startMs: number; durationMs: number }[] };
}

/** Runs in the page, before its own scripts. */
function takeNotes(): void {
  const notes: typeof globalThis.__embedBench = { fcp: 0, lcp: 0, tasks: [] };
  globalThis.__embedBench = notes;
  const observe = (type: string, take: (entry: PerformanceEntry) => void) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  observe('paint', ({ name, startTime }) => {
    if (name === 'first-contentful-paint') notes.fcp = startTime;
  });
  observe('largest-contentful-paint', ({ startTime }) => (notes.lcp = startTime));
  observe('longtask', ({ startTime, duration }) =>
    notes.tasks.push({ startMs: startTime, durationMs: duration }),
  );
}

function result(
  without: readonly Load[],
  withWidgets: readonly Load[],
  tasks: Record<'begin' | 'live', LongestTask>,
): BenchResult {
  const of = (loads: readonly Load[], name: keyof Load) => loads.map((one) => one[name]);
  const figures = (loads: readonly Load[]) => ({
    lcpMs: median(of(loads, 'lcp')),
    blockingMs: median(of(loads, 'blocking')),
  });
  const peers = { without: figures(without) };
  const ours = { ...figures(withWidgets), beginTaskMs: tasks.begin.cpuMs, liveTaskMs: tasks.live.cpuMs };
  const ratios = {
    lcp: ours.lcpMs / peers.without.lcpMs,
    blocking: ours.blockingMs / peers.without.blockingMs,
  };
  const goals: Goal[] = [
    { name: 'largest contentful paint, with / without', value: ratios.lcp, bound: { atMost: LIMITS.ratio } },
    { name: 'total blocking time, with / without', value: ratios.blocking, bound: { atMost: LIMITS.ratio } },
    {
      name: 'longest task as widgets begin, CPU time, ms',
      value: ours.beginTaskMs,
      bound: { atMost: LIMITS.taskMs },
    },
    {
      name: 'longest task while they are live, CPU time, ms',
      value: ours.liveTaskMs,
      bound: { atMost: LIMITS.taskMs },
    },
  ];
  const rows = [
    ['', 'without', 'with', 'ratio'],
    ['LCP, ms', figure(peers.without.lcpMs), figure(ours.lcpMs), figure(ratios.lcp)],
    ['TBT, ms', figure(peers.without.blockingMs), figure(ours.blockingMs), figure(ratios.blocking)],
  ];
  const taskRows = [
    ['longest task, ms', 'CPU time', 'by the clock'],
    ...Object.entries(tasks).map(([when, { cpuMs, wallMs }]) => [when, figure(cpuMs), figure(wallMs)]),
  ];
  const noise = Math.max(...[without, withWidgets].map((loads) => spread(of(loads, 'lcp'))));
  const title = `a page of another origin: ${PHONE.slowdown} times slower, ${PHONE.latencyMs} ms a round trip, ${PHONE.bytesPerSecond / 1000} kB a second`;
  return {
    bench: 'embed',
    ours,
    peers,
    ratios,
    goals,
    tables: [
      { title, rows },
      { title: 'tasks of the main thread, a computer that is not slowed down', rows: taskRows },
    ],
    noise,
  };
}
