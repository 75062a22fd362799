import type { Browser } from '@playwright/test';
import type { Widgets } from './host-page.ts';
import { expectLive } from './live.ts';

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** Of that the time that the thread was running. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** By the clock, and what of it the thread was running: with two processors others are between. */
export interface LongestTask {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** The page is left alone for so long, so that what it does by itself is over. */
const QUIET_MS = 1_500;

/**
 * Longest tasks of the main thread, milliseconds, after widgets were put into a page that had done all of its own:
 * until they are live, and from then on.
 */
export async function longestTasks(
  browser: Browser,
  url: string,
  { script, elements }: Widgets,
  traceMs: number,
): Promise<Record<'begin' | 'live', LongestTask>> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForTimeout(QUIET_MS);
  await browser.startTracing(page, {
    categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'],
  });
  await page.evaluate(
    ([src, html]) => {
      const loader = document.createElement('script');
      loader.type = 'module';
      loader.src = src!;
      document.querySelector('h1')!.insertAdjacentHTML('afterend', html!);
      document.head.append(loader);
    },
    [/src="([^"]+)"/.exec(script)![1]!, elements],
  );
  await expectLive(page);
  // eslint-disable-next-line no-console -- it writes into the trace
  await page.evaluate(() => console.timeStamp('bench-live'));
  await page.waitForTimeout(traceMs);
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
  await page.close();
  const mark = traceEvents.find(
    ({ name, args }) => name === 'TimeStamp' && JSON.stringify(args).includes('bench-live'),
  );
  if (!mark) throw new Error('the trace does not tell when the widgets were live');
  const tasks = traceEvents.filter(
    ({ name, pid, tid, dur }) =>
      name === 'RunTask' && pid === mark.pid && tid === mark.tid && dur !== undefined,
  );
  if (tasks.length === 0) throw new Error('the trace tells of no task');
  const longest = (some: readonly TraceEvent[]) => ({
    wallMs: Math.max(0, ...some.map(({ dur }) => dur! / 1000)),
    cpuMs: Math.max(0, ...some.map(({ dur, tdur }) => (tdur ?? dur!) / 1000)),
  });
  return {
    begin: longest(tasks.filter(({ ts }) => ts < mark.ts)),
    live: longest(tasks.filter(({ ts }) => ts > mark.ts)),
  };
}
