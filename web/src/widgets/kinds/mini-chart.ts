import type { Candle, CandlesView, SubscriptionView, TickerView } from '@depthwire/shared';
import type { Face, FaceOptions } from '../element.ts';
import { ColourProbe } from '../core/canvas-colours.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { candles, instrument, interval, label, type } from '../core/options.ts';
import { PriceChart, rangeOf } from '../core/price-chart.ts';
import { changeOf, Widget } from '../core/widget.ts';
import type { WidgetClient } from '../core/wire.ts';

const style = `
.body { display: flex; flex-direction: column; }
.head { flex: none; }
.head .n { white-space: nowrap; }
.readout { color: var(--_text-2); font-size: var(--_small); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.chart { position: relative; flex: 1 1 auto; min-block-size: 0; overflow: hidden; direction: ltr; }
@container depthwire (inline-size < 15em) { .readout { display: none; } }
`;

const own = { instrument, label, interval, type, candles };

class MiniChart extends Widget<typeof own> {
  readonly #name = h('span', { class: 'name', part: 'name' });
  readonly #last = h('span', { class: 'n', part: 'price' });
  readonly #change = h('span', { class: 'n', part: 'change' });
  readonly #readout = h('span', { class: 'readout n end', part: 'readout' });
  readonly #box = h('div', { class: 'chart', part: 'chart', role: 'img', tabindex: '0' });
  readonly #probe = new ColourProbe(this.frame);
  #candles: CandlesView | null = null;
  #ticker: TickerView | null = null;
  #chart: PriceChart | null = null;
  #pointed: number | null = null;

  protected build(): void {
    this.credit({ text: this.say('charts_by'), url: 'https://www.tradingview.com/' });
    this.body.append(
      h('div', { class: 'head', part: 'header' }, this.#name, this.#last, this.#change, this.#readout),
      this.#box,
    );
    this.#box.onkeydown = (event) => this.#onKey(event);
    this.#box.onblur = () => this.#point(null);
    this.#chart?.setFormats(this.formats);
  }

  protected subscribe(client: WidgetClient): void {
    const { instrument, interval } = this.options;
    this.#chart?.clear();
    this.#read(null);
    this.#candles = this.follow(client.candles(instrument!, { interval, ...this.cadence }), () => {
      const { replaced = true, latest } = this.#candles ?? {};
      if (replaced || latest!.length > 1) this.#chart?.forget();
    });
    this.#ticker = this.follow(client.ticker(instrument!, this.cadence), () => {
      const { instrument: known, ticker } = this.#ticker ?? {};
      if (known && ticker) this.tellPrice(known, { ...ticker, change: changeOf(ticker) });
    });
  }

  protected override needs({ topic }: SubscriptionView): boolean {
    return topic === 'candles';
  }

  protected override release(): void {
    this.#chart?.destroy();
    this.#chart = null;
  }

  protected draw(): void {
    const { instrument } = this;
    if (!instrument) return;
    const { formats } = this;
    const ticker = this.#ticker!.ticker;
    const change = ticker && changeOf(ticker);
    setText(this.#name, this.nameOf(instrument));
    setText(this.#last, formats.price(ticker?.last ?? null, instrument.tick));
    setText(this.#change, formats.percent(change));
    setAttribute(
      this.#change,
      'class',
      `n ${change === null || change === 0 ? '' : change > 0 ? 'up' : 'down'}`,
    );
    this.#chart ??= new PriceChart(this.#box, formats, (candle) => this.#read(candle));
    this.#chart.setInstrument(instrument);
    this.#chart.setType(this.options.type);
    this.#chart.adapt(this.#probe.now);
    if (this.#shown.length > 0) this.#chart.show(this.#shown);
  }

  protected describe(): string | null {
    const { instrument } = this;
    const shown = this.#shown;
    const last = shown.at(-1);
    if (!instrument || !last) return null;
    const { low, high } = rangeOf(shown);
    const price = (ticks: number) => this.formats.price(ticks, instrument.tick);
    return this.say('chart_text', {
      ...{ name: this.nameOf(instrument), count: shown.length, interval: this.options.interval },
      ...{ last: price(last.close), low: price(low), high: price(high) },
    });
  }

  protected override described(text: string): void {
    setAttribute(this.#box, 'aria-label', text);
  }

  get #shown(): readonly Candle[] {
    return this.#candles?.candles.slice(-this.options.candles) ?? [];
  }

  #read(candle: Candle | null): void {
    const { instrument } = this;
    if (!candle || !instrument) {
      setText(this.#readout, '');
      return;
    }
    const price = (ticks: number) => this.formats.price(ticks, instrument.tick);
    const time = this.#chart!.timeOf(candle);
    const { open, high, low, close } = candle;
    const figures = this.options.type === 'candles' ? [open, high, low, close] : [close];
    setText(this.#readout, `${time}  ${figures.map(price).join('  ')}`);
  }

  #onKey(event: KeyboardEvent): void {
    const { length } = this.#shown;
    const at = this.#pointed ?? length;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: length - 1 }[event.key];
    if (event.key === 'Escape') this.#point(null);
    if (to === undefined || length === 0) return;
    event.preventDefault();
    this.#point(Math.min(length - 1, Math.max(0, to)));
  }

  #point(index: number | null): void {
    this.#pointed = index;
    this.#chart?.pointAt(index);
    this.#read(index === null ? null : (this.#shown[index] ?? null));
  }
}

export function createFace(options: FaceOptions): Face {
  return new MiniChart(options, style, own);
}
