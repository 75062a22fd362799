import path from 'node:path';
import { bookChecksum, OrderBook, type BookSubscription, type TradesSubscription } from '@depthwire/shared';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { expect } from './fixtures.ts';

/** For what takes more than a moment on a busy machine. */
const PATIENT = { timeout: 15_000 };

export const everyFrameVerified = ['--config', path.join(import.meta.dirname, 'every-frame-verified.yaml')];

export const panels = ['Watchlist', 'Chart', 'Order book', 'Depth', 'Time and sales'] as const;

/** What the page lets a test look at: `(globalThis as unknown as PageHandle).__depthwire`. */
export interface PageHandle {
  readonly __depthwire?: {
    bookSubscription(): BookSubscription | null;
    tradesSubscription(): TradesSubscription | null;
  };
}

/** The book as the page holds it. */
export interface PageBook {
  readonly instrument: string;
  readonly state: string;
  readonly sequence: number;
  readonly frames: number;
  readonly verified: number;
  readonly resyncs: number;
  readonly checksum: number;
  /** Ticks and lots in turns, best first. */
  readonly bids: readonly number[];
  readonly asks: readonly number[];
}

/** Reads the page's replica; its checksum is worked out here, from the levels. */
export async function readBook(page: Page): Promise<PageBook | null> {
  const held = await page.evaluate(() => {
    const handle = (globalThis as unknown as PageHandle).__depthwire;
    const subscription = handle?.bookSubscription();
    if (!subscription) return null;
    const { book, replica, state, resyncs, instrumentId } = subscription;
    return {
      instrument: instrumentId,
      state,
      sequence: book.sequence,
      frames: replica.seq,
      verified: replica.verified,
      resyncs,
      bids: book.bids.toFlat(),
      asks: book.asks.toFlat(),
    };
  });
  if (!held) return null;
  return { ...held, checksum: checksumOf(held.bids, held.asks) };
}

/** The book as the server holds it. */
export interface RestBook {
  readonly state: string;
  readonly sequence: number;
  readonly checksum: number;
}

export async function restBook(request: APIRequestContext, instrument: string): Promise<RestBook> {
  return (await (await request.get(`/api/v1/instruments/${instrument}/book`)).json()) as RestBook;
}

export function panel(page: Page, name: (typeof panels)[number]): Locator {
  return page.locator(`section[data-label="${name}"]`);
}

/** The bar of a panel, which a group of docked panels has in its header: tools, and how fresh it is. */
export function panelHead(page: Page, name: (typeof panels)[number]): Locator {
  return page
    .locator('.dv-groupview, .page')
    .filter({ has: panel(page, name) })
    .locator('.head');
}

/** Opens the page and waits until every panel draws live data. */
export async function openLive(page: Page, path = '/'): Promise<void> {
  await page.goto(path);
  await expectLive(page);
}

export async function expectLive(page: Page): Promise<void> {
  for (const name of panels) {
    await expect(panel(page, name)).toHaveAttribute('data-state', 'live', PATIENT);
  }
}

export async function expectOrigin(page: Page, origin: string): Promise<void> {
  for (const name of panels) await expect(panel(page, name)).toHaveAttribute('data-origin', origin);
}

/** Waits until a figure of the page's book is above a value. */
export async function expectAbove(page: Page, figure: 'frames' | 'verified', value: number): Promise<void> {
  await expect.poll(async () => (await readBook(page))?.[figure] ?? 0, PATIENT).toBeGreaterThan(value);
}

/** Chooses an instrument in the watchlist and waits until every panel shows it. */
export async function choose(page: Page, text: string | RegExp, instrument: string): Promise<void> {
  await watchRows(page).filter({ hasText: text }).first().click();
  await expect.poll(async () => (await readBook(page))?.instrument).toBe(instrument);
  await expectLive(page);
}

/** Rows out of sight are not drawn. */
export async function expectListed(page: Page, instruments: number): Promise<void> {
  const grid = panel(page, 'Watchlist').getByRole('grid');
  await expect(grid).toHaveAttribute('aria-rowcount', String(instruments), PATIENT);
}

export function watchRows(page: Page): Locator {
  return panel(page, 'Watchlist').getByTestId('watch-row');
}

/** Collects what a page must not have: errors, and requests to other hosts. */
export function watchForTrouble(page: Page, origin: () => string): string[] {
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:' && host !== new URL(origin()).host)
      trouble.push(`request to ${request.url()}`);
  });
  return trouble;
}

function checksumOf(bids: number[], asks: number[]): number {
  const book = new OrderBook();
  book.loadSnapshot(bids, asks);
  return bookChecksum(book);
}
