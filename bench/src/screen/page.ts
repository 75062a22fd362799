import { gzipSync } from 'node:zlib';
import type { Browser, CDPSession, Page, Request } from '@playwright/test';

/** What a page's own scripts note for the benchmark. */
interface Notes {
  /** When the first book was drawn, milliseconds since the navigation began. */
  liveAtMs: number | null;
  /** When the first click showed its effect. */
  respondedAtMs: number | null;
  longTasks: { startMs: number; durationMs: number }[];
  /** Times at which frames began, milliseconds; `frameCount` of them are in use. */
  frames: Float64Array;
  frameCount: number;
}

declare global {
  var __screenBench: Notes;
}

const VIEWPORT = { width: 1440, height: 900 };
const PATIENCE_MS = 20_000;
const COARSER = 'Coarser grouping';
const FINER = 'Finer grouping';
const PANELS = ['watchlist', 'chart', 'book', 'depth', 'tape'];

/** The dashboard in a browser without a cache, as it is for a first visit. */
export class BenchPage {
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly #scripts: { readonly request: Request; readonly body: Promise<Buffer> }[] = [];

  private constructor(page: Page, cdp: CDPSession) {
    this.page = page;
    this.cdp = cdp;
    page.on('response', (response) => {
      const request = response.request();
      if (request.resourceType() !== 'script') return;
      const body = response.body();
      body.catch(() => {}); // whoever asks for its size sees it; a page that is closed asks for nothing
      this.#scripts.push({ request, body });
    });
  }

  static async open(browser: Browser): Promise<BenchPage> {
    const context = await browser.newContext({ viewport: VIEWPORT });
    const page = await context.newPage();
    await page.addInitScript(takeNotes, { coarser: COARSER, finer: FINER });
    return new BenchPage(page, await context.newCDPSession(page));
  }

  /** Loads the dashboard, clicks as soon as a book is drawn, and says when that had its effect, in milliseconds. */
  async load(url: string): Promise<number> {
    const { page } = this;
    await page.goto(url, { waitUntil: 'commit' });
    const coarser = page.getByRole('button', { name: COARSER });
    const { x, y, width, height } = (await coarser.boundingBox({ timeout: PATIENCE_MS }))!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.waitForFunction(() => globalThis.__screenBench.liveAtMs !== null, null, {
      timeout: PATIENCE_MS,
    });
    await page.mouse.down();
    await page.mouse.up();
    const notes = await page.waitForFunction(() => globalThis.__screenBench.respondedAtMs, null, {
      timeout: PATIENCE_MS,
    });
    const respondedAtMs = (await notes.jsonValue())!;
    await page.getByRole('button', { name: FINER }).click(); // as it was
    await page.mouse.move(VIEWPORT.width / 2, 2); // over nothing that reacts to it
    return respondedAtMs;
  }

  /** Until all panels show live data, and as many instruments in the list. */
  async settled(instruments: number): Promise<void> {
    for (const panel of PANELS) {
      await this.page
        .locator(`[data-testid=panel-${panel}][data-state=live]`)
        .waitFor({ timeout: PATIENCE_MS });
    }
    await this.page.waitForFunction(
      // Rows out of sight are not drawn.
      (wanted) =>
        document.querySelector(`[data-testid=panel-watchlist] [aria-rowcount="${wanted}"]`) !== null &&
        document.querySelector('[data-testid=watch-row]:not([data-state=live])') === null,
      instruments,
      { timeout: PATIENCE_MS },
    );
    await this.page.locator('[data-testid=panel-chart] canvas').first().waitFor({ timeout: PATIENCE_MS });
  }

  /** Adds a panel, by its title, as somebody would by the palette. */
  async add(title: string): Promise<void> {
    await this.page.keyboard.press('Control+k');
    await this.page.getByPlaceholder('Instrument or command').fill(`add ${title}`);
    await this.page.keyboard.press('Enter');
    await this.page.getByRole('img', { name: /^Liquidity of/ }).waitFor({ timeout: PATIENCE_MS });
  }

  /** Scripts, compressed, bytes: those that were asked for by the time the first book was drawn, and so far. */
  async scriptBytes(): Promise<{ readonly first: number; readonly all: number }> {
    const liveAt = await this.page.evaluate(
      () => performance.timeOrigin + globalThis.__screenBench.liveAtMs!,
    );
    let first = 0;
    let all = 0;
    for (const { request, body } of this.#scripts) {
      const bytes = gzipSync(await body).byteLength;
      all += bytes;
      if (request.timing().startTime <= liveAt) first += bytes;
    }
    return { first, all };
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** Runs in the page, before its own scripts. */
function takeNotes(names: { coarser: string; finer: string }): void {
  const notes: Notes = {
    liveAtMs: null,
    respondedAtMs: null,
    longTasks: [],
    frames: new Float64Array(0),
    frameCount: 0,
  };
  globalThis.__screenBench = notes;
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      notes.longTasks.push({ startMs: startTime, durationMs: duration });
    }
  }).observe({ type: 'longtask', buffered: true });
  const look = () => {
    const book = document.querySelector('[data-testid=panel-book][data-state=live]');
    const [finer, coarser] = [names.finer, names.coarser].map((name) =>
      document.querySelector<HTMLButtonElement>(`button[aria-label="${name}"]`),
    );
    if (!finer || !coarser || !book?.querySelector('[data-testid=bids] .price')?.textContent) {
      requestAnimationFrame(look);
      return;
    }
    notes.liveAtMs = performance.now();
    new MutationObserver(() => (notes.respondedAtMs ??= performance.now())).observe(finer, {
      attributeFilter: ['disabled'], // there is no step below the smallest
    });
  };
  requestAnimationFrame(look);
}
