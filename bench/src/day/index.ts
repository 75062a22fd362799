import path from 'node:path';
import { chromium, type CDPSession, type Page } from '@playwright/test';
import type { Bench, BenchOptions, BenchResult } from '../harness/bench.ts';
import { Worker } from '../harness/worker.ts';
import { chromiumFlags, prepareScreen } from '../screen/browser.ts';
import type { DayServer } from './server.ts';

const HOUR_MS = 3_600_000;
/** Of the market, and how many times as fast it goes by. */
const SIZES = { full: { hours: 8, speed: 60 }, smoke: { hours: 0.1, speed: 60 } };
const INSTRUMENTS = ['sim:BTC-USD', 'sim:ETH-USD', 'sim:SOL-USD', 'sim:EUR-USD'];
/** By the end of the second hour all that is kept for an hour, or by number, is there. */
const FULL_AFTER_HOURS = 2;
const LIMIT_MB = 5;
const MB = 1_000_000;

interface Sample {
  readonly hours: number;
  readonly pageMB: number;
  readonly workerMB: number;
  readonly nodes: number;
  readonly serverMB: number;
}

export const day: Bench = {
  name: 'day',
  title: 'eight hours of the simulated market in as many minutes, with chart, heatmap, ladder and tape open',
  async run({ size, progress }: BenchOptions): Promise<BenchResult> {
    const executablePath = await prepareScreen();
    const { hours, speed } = SIZES[size];
    const server = new Worker<DayServer>('the server', [
      '--expose-gc',
      path.join(import.meta.dirname, 'server.ts'),
    ]);
    const browser = await chromium.launch({ executablePath, args: [...chromiumFlags] });
    try {
      const url = await server.ask('start', { speed, instruments: INSTRUMENTS });
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      await open(page, url);
      const cdp = await page.context().newCDPSession(page);
      const worker = await workerOf(cdp);
      const startMs = await server.ask('marketMs');
      const samples: Sample[] = [];
      const steps = size === 'full' ? 2 * hours : 2;
      for (let step = 0; step <= steps; step++) {
        const dueMs = startMs + (step / steps) * hours * HOUR_MS;
        for (;;) {
          const leftMs = dueMs - (await server.ask('marketMs'));
          if (leftMs <= 0) break;
          progress(`hour ${((step / steps) * hours).toFixed(1)} of ${hours}`);
          await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs / speed, 5_000)));
        }
        samples.push({
          hours: (step / steps) * hours,
          pageMB: (await heapOf(cdp)) / MB,
          workerMB: (await worker.heap()) / MB,
          nodes: (await cdp.send('Memory.getDOMCounters')).nodes,
          serverMB: (await server.ask('memory')) / MB,
        });
      }
      await expectLive(page);
      return result(samples, size === 'full' ? FULL_AFTER_HOURS : 0);
    } finally {
      await browser.close();
      await server.stop();
    }
  },
};

/** The preset with most that remembers, in front of a market that hurries. */
async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('button', { name: /^Workspace: / }).click();
  await page.getByRole('menuitem', { name: 'New' }).hover();
  await page.getByRole('menuitem', { name: 'Liquidity' }).click();
  await expectLive(page);
}

/** @throws Error of Playwright where a panel is gone or has failed */
async function expectLive(page: Page): Promise<void> {
  for (const panel of ['heatmap', 'chart', 'book', 'tape'])
    await page.locator(`[data-testid=panel-${panel}]`).first().waitFor({ timeout: 20_000 });
  await page.locator('[data-testid=bids] .price').first().waitFor({ timeout: 20_000 });
}

async function heapOf(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  return usedSize;
}

/** The worker that decodes: a target of its own behind the page's. */
async function workerOf(cdp: CDPSession): Promise<{ heap(): Promise<number> }> {
  const attached = new Promise<string>((resolve) =>
    cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') resolve(sessionId); // there is a service worker too
    }),
  );
  await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await attached;
  let lastId = 0;
  const ask = (method: string) => {
    const id = ++lastId;
    const answered = new Promise<Record<string, number>>((resolve) => {
      const listener = (event: { sessionId: string; message: string }) => {
        const answer = JSON.parse(event.message) as { id: number; result: Record<string, number> };
        if (event.sessionId !== sessionId || answer.id !== id) return;
        cdp.off('Target.receivedMessageFromTarget', listener);
        resolve(answer.result);
      };
      cdp.on('Target.receivedMessageFromTarget', listener);
    });
    return cdp
      .send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) })
      .then(() => answered);
  };
  return {
    async heap() {
      await ask('HeapProfiler.collectGarbage');
      return (await ask('Runtime.getHeapUsage')).usedSize!;
    },
  };
}

function result(samples: readonly Sample[], fromHours: number): BenchResult {
  const kept = samples.filter(({ hours }) => hours >= fromHours);
  const first = kept[0]!;
  const last = kept.at(-1)!;
  const grown = {
    pageMB: last.pageMB - first.pageMB,
    workerMB: last.workerMB - first.workerMB,
    nodes: last.nodes - first.nodes,
  };
  const over = `from hour ${first.hours} to ${last.hours}`;
  return {
    bench: 'day',
    ours: { pageMB: last.pageMB, workerMB: last.workerMB, serverMB: last.serverMB, nodes: last.nodes },
    peers: {},
    ratios: { page: last.pageMB / first.pageMB, worker: last.workerMB / first.workerMB },
    goals: [
      { name: `heap of the page grows ${over}, MB`, value: grown.pageMB, bound: { atMost: LIMIT_MB } },
      { name: `heap of its worker grows ${over}, MB`, value: grown.workerMB, bound: { atMost: LIMIT_MB } },
      { name: `DOM nodes grow ${over}`, value: grown.nodes, bound: { atMost: 100 } },
    ],
    tables: [
      {
        title: 'After a collection of garbage, MB:',
        rows: [
          ['hours of the market', 'page', 'worker', 'DOM nodes', 'server'],
          ...samples.map(({ hours, pageMB, workerMB, nodes, serverMB }) => [
            hours.toFixed(1),
            pageMB.toFixed(2),
            workerMB.toFixed(2),
            String(nodes),
            serverMB.toFixed(1),
          ]),
        ],
      },
    ],
    noise: 0,
  };
}
