import {
  unitsToNumber,
  type Instrument,
  type InstrumentId,
  type Ticker,
  type TickerView,
} from '@depthwire/shared';
import { setText } from './dom.ts';
import type { OptionTable } from './options.ts';
import type { StateDetail } from '../events.ts';
import { changeOf, Widget } from './widget.ts';
import type { WidgetClient } from './wire.ts';

/** One of the instruments of a list: what is known of it now, and what was known last. */
export interface Market {
  readonly id: InstrumentId;
  readonly view: TickerView | null;
  readonly instrument: Instrument | null;
  readonly ticker: Ticker | null;
}

/** What a row says instead of figures, or of how old they are. */
export type Note = 'unknown' | 'refused' | 'waiting' | 'old';

export function noteOf({ view, ticker }: Pick<Market, 'view' | 'ticker'>): Note | null {
  if (view?.refusal) return view.refusal.code === 'unknown_instrument' ? 'unknown' : 'refused';
  if (!ticker) return 'waiting';
  return view?.state === 'live' ? null : 'old';
}

/** Of a frame for the rows of one widget: the first formats of numbers alone take longer to make. */
const BUDGET_MS = 5;

/** What kinds have in common that follow many instruments, one subscription each. */
export abstract class MarketsWidget<Own extends OptionTable> extends Widget<Own> {
  #markets = new Map<string, Market>();
  #labels: ReadonlyMap<string, string> | null = null;
  /** Where drawing goes on. */
  #next = 0;

  /** In the order of the attribute. */
  protected get markets(): readonly Market[] {
    return this.#ids.map((id) => this.#marketOf(id));
  }

  get #ids(): readonly InstrumentId[] {
    return (this.options as unknown as { readonly instruments: readonly InstrumentId[] }).instruments;
  }

  #marketOf(id: InstrumentId): Market {
    return this.#markets.get(id) ?? { id, view: null, instrument: null, ticker: null };
  }

  protected subscribe(client: WidgetClient): void {
    // What was known of those that stay is shown until there is something newer.
    this.#markets = new Map(this.markets.map((market) => [market.id, market]));
    this.#labels = null;
    for (const id of this.#ids) {
      const view = client.ticker(id, this.cadence);
      this.#markets.set(id, { ...this.#marketOf(id), view });
      this.follow(view, () => this.#take(id, view));
    }
  }

  #take(id: InstrumentId, view: TickerView): void {
    const { instrument, ticker } = view;
    const before = this.#marketOf(id);
    if (instrument !== before.instrument) this.#labels = null;
    this.#markets.set(id, { id, view, instrument, ticker });
    if (instrument && ticker) this.tellPrice(instrument, { ...ticker, change: changeOf(ticker) });
  }

  /** Draws what there is time for in a frame, and the others in the next ones. */
  protected drawSome(draw: (market: Market) => void): void {
    const { markets } = this;
    const until = performance.now() + BUDGET_MS;
    for (let count = 0; count < markets.length; count += 1) {
      if (performance.now() > until) {
        this.redraw();
        return;
      }
      draw(markets[this.#next % markets.length]!);
      this.#next += 1;
    }
  }

  /** What it is called, told apart from the others of the list. */
  protected labelOf(market: Market): string {
    this.#labels ??= labelsOf(this.markets);
    return this.#labels.get(market.id) ?? symbolOf(market.id);
  }

  /** With how many of them are not live, where some are. */
  protected override stateText(detail: StateDetail): string {
    const text = super.stateText(detail);
    const count = this.markets.filter((market) => noteOf(market) === 'old').length;
    return detail.state === 'live' && count > 0 ? `${text} · ${this.say('not_live', { count })}` : text;
  }

  /** Of a row without figures. */
  protected noteText(market: Market, note: Note): string {
    if (note === 'old') return this.say('stale');
    return note === 'waiting' ? this.say('connecting') : this.say(note);
  }

  protected describe(): string | null {
    const changes = this.markets.flatMap(({ ticker }) => (ticker ? (changeOf(ticker) ?? []) : []));
    return this.say('list_text', {
      count: this.#ids.length,
      rising: changes.filter((change) => change > 0).length,
      falling: changes.filter((change) => change < 0).length,
    });
  }
}

const symbolOf = (id: string) => id.slice(id.indexOf(':') + 1);

/**
 * Base and quote; of several that have the same only the one that is traded for delivery at once is called so, and
 * the others by the venue's own name, with the venue where that is the same too.
 */
export function labelsOf(
  markets: readonly { readonly instrument: Instrument | null }[],
): Map<string, string> {
  const known = markets.flatMap(({ instrument }) => instrument ?? []);
  const pairOf = ({ base, quote }: Instrument) => `${base}/${quote}`;
  const pairs = known.map(pairOf);
  const spots = known.filter(({ kind }) => kind === 'spot').map(pairOf);
  const names = known.map(({ kind, symbol }, index) => {
    const pair = pairs[index]!;
    const isAlone = !isTwice(pairs, pair) || (kind === 'spot' && !isTwice(spots, pair));
    return isAlone ? pair : symbol;
  });
  return new Map(
    known.map(({ id, venue }, index) => {
      const name = names[index]!;
      return [id, isTwice(names, name) ? `${name} ${venue}` : name];
    }),
  );
}

const isTwice = (texts: readonly string[], text: string) => texts.indexOf(text) !== texts.lastIndexOf(text);

/** Of these one is worth one of the others, near enough for a comparison of sizes. */
const dollars = new Set(['USD', 'USDT', 'USDC', 'DAI', 'FDUSD']);
export const currencyOf = (code: string) => (dollars.has(code) ? 'USD' : code);

type Traded = Pick<Market, 'instrument' | 'ticker'>;

/** The quote currency that most of the markets have. */
export function commonCurrency(markets: readonly Traded[]): string | null {
  const counts = new Map<string, number>();
  for (const { instrument } of markets) {
    if (!instrument) continue;
    const currency = currencyOf(instrument.quote);
    counts.set(currency, (counts.get(currency) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

/**
 * What was traded in 24 hours, in the currency that most of the markets have, so that it can be compared; converted
 * by the prices of the markets themselves, null where none of them says.
 */
export function turnoversOf(markets: readonly Traded[]): readonly (number | null)[] {
  const common = commonCurrency(markets);
  const rates = new Map<string, number>();
  for (const { instrument, ticker } of markets) {
    if (!instrument || !ticker?.last) continue;
    const [base, quote] = [currencyOf(instrument.base), currencyOf(instrument.quote)];
    const last = unitsToNumber(ticker.last, instrument.tick);
    if (last <= 0) continue;
    if (quote === common) rates.set(base, last);
    else if (base === common) rates.set(quote, 1 / last);
  }
  return markets.map(({ instrument, ticker }) => {
    if (!instrument || !ticker) return null;
    const quote = currencyOf(instrument.quote);
    const rate = quote === common ? 1 : rates.get(quote);
    return rate === undefined ? null : ticker.turnover * rate;
  });
}

/** `up` or `down`, for what is coloured; empty where it did not change, or is not known. */
export function wayOf(change: number | null): 'up' | 'down' | '' {
  return change === null || change === 0 ? '' : change > 0 ? 'up' : 'down';
}

/** Sets a text and the room it has: digits are of one width, and what was that wide once stays so. */
export function setSteady(element: HTMLElement, text: string, extra = 0): void {
  setText(element, text);
  const room = text.length + extra;
  if (room <= (rooms.get(element) ?? 0)) return;
  rooms.set(element, room);
  element.style.minInlineSize = `${room}ch`;
}

const rooms = new WeakMap<HTMLElement, number>();
