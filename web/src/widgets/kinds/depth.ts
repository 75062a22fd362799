import type { BookView } from '@depthwire/shared';
import type { Face, FaceOptions } from '../element.ts';
import { bookOf } from '../core/books.ts';
import { ColourProbe } from '../core/canvas-colours.ts';
import { AUTO_LEVELS, DepthChart, depthChartStyle } from '../core/depth-chart.ts';
import { h, setText } from '../core/dom.ts';
import { instrument, label, measure, span } from '../core/options.ts';
import { Widget } from '../core/widget.ts';
import type { WidgetClient } from '../core/wire.ts';

const style = `${depthChartStyle}
.body { display: flex; flex-direction: column; }
.span { color: var(--_text-2); font-size: var(--_small); }
`;

/** Levels a side for a span that the page wants: what it covers is not known before. */
const MANY_LEVELS = 1_000;

const own = { instrument, label, span, measure };

class DepthWidget extends Widget<typeof own> {
  readonly #name = h('span', { class: 'name', part: 'name' });
  readonly #span = h('span', { class: 'span n end', part: 'span' });
  readonly #probe = new ColourProbe(this.frame);
  #chart: DepthChart | null = null;
  #view: BookView | null = null;

  protected build(): void {
    this.#chart?.destroy();
    const { formats, say } = this;
    const { span, measure } = this.options;
    this.#chart = new DepthChart(this.#probe, { formats, say, span, measure });
    this.body.append(
      h('div', { class: 'head', part: 'header' }, this.#name, this.#span),
      this.#chart.element,
    );
  }

  protected subscribe(client: WidgetClient): void {
    const { instrument, span } = this.options;
    const depth = span === null ? AUTO_LEVELS : MANY_LEVELS;
    this.#view = this.follow(bookOf(client, instrument!, { depth, ...this.cadence }), () => {
      const { instrument: known, book } = this.#view ?? {};
      if (known && book) this.tellPrice(known, { bid: book.bestBid, ask: book.bestAsk });
    });
  }

  protected override release(): void {
    this.#chart?.destroy();
    this.#chart = null;
  }

  protected draw(): void {
    const view = this.#view!;
    const { instrument, hasData } = view;
    if (!instrument || !hasData) return;
    const chart = this.#chart!;
    chart.show(view, instrument);
    setText(this.#name, this.nameOf(instrument));
    setText(this.#span, chart.span ?? '');
  }

  protected describe(): string | null {
    const { instrument } = this;
    return instrument && (this.#chart?.describe(this.nameOf(instrument)) ?? null);
  }

  protected override described(text: string): void {
    this.#chart?.described(text);
  }
}

export function createFace(options: FaceOptions): Face {
  return new DepthWidget(options, style, own);
}
