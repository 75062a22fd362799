import type { TickerView } from '@depthwire/shared';
import type { Face, FaceOptions } from '../element.ts';
import type { SelectDetail, StateDetail, WidgetState } from '../events.ts';
import { h, setAttribute } from '../core/dom.ts';
import { candles, instrument, interval, label, measure, notation, span, type } from '../core/options.ts';
import { changeOf, Widget } from '../core/widget.ts';
import type { WidgetClient } from '../core/wire.ts';
import { attributesOf, commonAttributes, type Kind } from '../kinds.ts';

const style = `
.body { display: grid; grid-template: 'ticker' auto 'chart' minmax(0, 3fr) 'depth' minmax(0, 2fr) / minmax(0, 1fr); }
.ticker { grid-area: ticker; }
.chart { grid-area: chart; border-block-start: 1px solid var(--_line); }
.depth { grid-area: depth; border-block-start: 1px solid var(--_line); }
.part { block-size: auto; min-block-size: 0; --depthwire-border: 0; --depthwire-radius: 0; --depthwire-ground: transparent; }
.part::part(footer) { display: none; }
.chart::part(name), .chart::part(price), .chart::part(change), .depth::part(name) { display: none; }
@container depthwire (inline-size > 44em) {
  .body { grid-template: 'ticker ticker' auto 'chart depth' minmax(0, 1fr) / minmax(0, 3fr) minmax(0, 2fr); }
  .depth { border-inline-start: 1px solid var(--_line); }
}
`;

const own = { instrument, label, interval, type, candles, span, measure, notation };

/** Of which it is made, what is shown first. */
const parts = { ticker: 'ticker', chart: 'mini-chart', depth: 'depth' } as const satisfies Record<
  string,
  Kind
>;
/** The whole has them: of its parts they would be there three times. */
const ofTheWhole: readonly string[] = ['source', 'source-url', 'theme', 'transparent'];

const worst = [
  ...(['failed', 'refused', 'offline', 'recovering', 'stale', 'syncing', 'connecting'] as const),
] satisfies WidgetState[];

/** Ticker, chart and depth of one instrument: three widgets in one frame, with one foot. */
class SymbolOverview extends Widget<typeof own> {
  readonly #elements = Object.entries(parts).map(([name, kind]) => ({
    kind,
    element: h(`${this.#prefix}-${kind}` as 'div', {
      class: `part ${name}`,
      part: name,
      exportparts: `body: ${name}-body, header: ${name}-header, price: ${name}-price, change: ${name}-change, chart: ${name}-picture`,
    }),
  }));
  readonly #parts = new Map<Kind, StateDetail>();
  #ticker: TickerView | null = null;

  get #prefix(): string {
    return this.host.localName.replace(/-symbol-overview$/, '');
  }

  protected build(): void {
    this.credit({ text: this.say('charts_by'), url: 'https://www.tradingview.com/' });
    for (const { kind, element } of this.#elements) {
      const names: readonly string[] = [...attributesOf[kind], ...Object.keys(commonAttributes)];
      for (const name of names)
        if (!ofTheWhole.includes(name)) setAttribute(element, name, this.host.getAttribute(name));
      // The page hears of the whole, not of each part.
      element.addEventListener('dw-price', (event) => event.stopPropagation());
      element.addEventListener('dw-state', (event) => {
        event.stopPropagation();
        this.#parts.set(kind, (event as CustomEvent<StateDetail>).detail);
        this.redraw();
      });
      element.addEventListener('dw-select', (event) => {
        event.stopPropagation();
        this.tellSelected((event as CustomEvent<SelectDetail>).detail);
      });
    }
    this.body.append(...this.#elements.map(({ element }) => element));
  }

  protected subscribe(client: WidgetClient): void {
    // The subscription of its first part.
    this.#ticker = this.follow(client.ticker(this.options.instrument!, this.cadence), () => {
      const { instrument: known, ticker } = this.#ticker ?? {};
      if (known && ticker) this.tellPrice(known, { ...ticker, change: changeOf(ticker) });
    });
  }

  protected draw(): void {
    // Its parts draw themselves.
  }

  /** What its parts say least well of themselves is said of the whole. */
  protected override combined(own: StateDetail): StateDetail {
    const all = [own, ...this.#parts.values()];
    return worst.map((state) => all.find((one) => one.state === state)).find(Boolean) ?? own;
  }

  protected describe(): string | null {
    return this.instrument && this.nameOf(this.instrument);
  }
}

export function createFace(options: FaceOptions): Face {
  return new SymbolOverview(options, style, own);
}
