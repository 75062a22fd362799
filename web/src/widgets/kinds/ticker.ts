import { formatUnits, type Instrument, type Ticker, type TickerView } from '@depthwire/shared';
import type { Face, FaceOptions } from '../element.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { fields, instrument, label, notation, type TickerField } from '../core/options.ts';
import { NOTHING } from '../core/format.ts';
import { changeOf, Widget } from '../core/widget.ts';
import type { WidgetClient } from '../core/wire.ts';

const style = `
:host { block-size: auto; }
.body { display: flex; flex-wrap: wrap; align-items: center; gap: 0.2em 1.2em; padding: calc(var(--_pad) * 0.8) var(--_pad) 0; align-content: safe center; }
.main { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 0.6em; min-inline-size: 0; max-inline-size: 100%; }
.main .name { flex: none; max-inline-size: 100%; color: var(--_text-2); }
.last { font-size: var(--depthwire-price-size, 1.5em); font-weight: 600; line-height: 1.2; }
.last.rose { animation: rose 900ms ease-out; }
.last.fell { animation: fell 900ms ease-out; }
@keyframes rose { from { color: var(--_up); } }
@keyframes fell { from { color: var(--_down); } }
dl { display: flex; flex-wrap: wrap; gap: 0.2em 1.2em; margin: 0; font-size: var(--_small); }
dl div { display: flex; gap: 0.5em; }
dt { color: var(--_text-2); }
dd { margin: 0; }
@container depthwire (inline-size < 15em) {
  .body { padding-inline: calc(var(--_pad) * 0.6); }
  .last { font-size: 1.25em; }
  dl { flex-direction: column; gap: 0.1em; inline-size: 100%; }
  dl div { justify-content: space-between; }
}
`;

const own = { instrument, label, fields, notation };

class TickerWidget extends Widget<typeof own> {
  readonly #last = h('span', { class: 'last n', part: 'price' });
  readonly #change = h('span', { class: 'n', part: 'change' });
  readonly #name = h('span', { class: 'name', part: 'name' });
  readonly #fields = new Map<TickerField, HTMLElement>();
  #view: TickerView | null = null;
  #drawn: number | null = null;

  protected build(): void {
    const { fields } = this.options;
    const list = h('dl', { part: 'fields' });
    this.#fields.clear();
    for (const field of fields) {
      if (field === 'name') continue;
      const value = h('dd', { class: 'n', part: field });
      this.#fields.set(field, value);
      list.append(h('div', {}, h('dt', {}, this.say(field)), value));
    }
    this.body.append(h('div', { class: 'main' }, this.#name, this.#last, this.#change));
    if (this.#fields.size > 0) this.body.append(list);
    this.#drawn = null;
    // As high as it will be.
    for (const element of [this.#name, this.#last, ...this.#fields.values()])
      if (!element.textContent) setText(element, NOTHING);
  }

  protected subscribe(client: WidgetClient): void {
    this.#view = this.follow(client.ticker(this.options.instrument!, this.cadence), () => {
      const { instrument, ticker } = this.#view ?? {};
      if (instrument && ticker) this.tellPrice(instrument, { ...ticker, change: changeOf(ticker) });
    });
  }

  protected draw(): void {
    const { instrument, ticker } = this.#view!;
    if (!instrument || !ticker) return;
    const { formats } = this;
    const { last } = ticker;
    setText(this.#name, this.options.fields.includes('name') ? instrument.name : this.nameOf(instrument));
    setText(this.#last, formats.price(last, instrument.tick));
    const way = last === null || this.#drawn === null ? 0 : Math.sign(last - this.#drawn);
    if (way !== 0) this.#flash(way > 0 ? 'rose' : 'fell');
    this.#drawn = last;
    const change = changeOf(ticker);
    setText(this.#change, formats.percent(change));
    setAttribute(
      this.#change,
      'class',
      `n ${change === null || change === 0 ? '' : change > 0 ? 'up' : 'down'}`,
    );
    for (const [field, element] of this.#fields) setText(element, this.#value(field, instrument, ticker));
  }

  protected describe(): string | null {
    const { instrument, ticker } = this.#view ?? {};
    if (!instrument || !ticker) return null;
    const price = (ticks: number | null) => this.formats.price(ticks, instrument.tick);
    return this.say('ticker_text', {
      name: this.nameOf(instrument),
      last: price(ticker.last),
      change: this.formats.percent(changeOf(ticker)),
      bid: price(ticker.bid),
      ask: price(ticker.ask),
    });
  }

  #value(field: TickerField, { tick, lot }: Instrument, ticker: Ticker): string {
    const { formats } = this;
    if (field === 'volume') return formats.compact(Number(formatUnits(ticker.volume, lot)));
    if (field === 'spread')
      return formats.price(ticker.bid === null || ticker.ask === null ? null : ticker.ask - ticker.bid, tick);
    return field === 'name' ? '' : formats.price(ticker[field], tick);
  }

  #flash(name: 'rose' | 'fell'): void {
    const { classList } = this.#last;
    classList.remove('rose', 'fell');
    // Begins anew only where it was laid out without it.
    void this.#last.offsetWidth;
    classList.add(name);
  }
}

export function createFace(options: FaceOptions): Face {
  return new TickerWidget(options, style, own);
}
