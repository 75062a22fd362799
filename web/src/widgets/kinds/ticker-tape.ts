import type { Face, FaceOptions } from '../element.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { MarketsWidget, noteOf, setSteady, wayOf, type Market } from '../core/markets.ts';
import { instruments, speed } from '../core/list-options.ts';
import { rove, settle } from '../core/rove.ts';
import { changeOf } from '../core/widget.ts';

const style = `
.state { min-inline-size: 0; }
.frame { flex-direction: row; }
.body { display: flex; align-items: stretch; min-inline-size: 0; }
.window { display: flex; align-items: center; flex: 1; min-inline-size: 0; overflow: clip; mask-image: linear-gradient(to right, transparent, #000 0.75em calc(100% - 0.75em), transparent); }
.belt { display: flex; flex: none; inline-size: max-content; min-inline-size: 200%; animation: run linear infinite; }
@keyframes run { to { transform: translateX(-50%); } }
@keyframes run-mirrored { to { transform: translateX(50%); } }
.belt:dir(rtl) { animation-name: run-mirrored; }
.window:hover .belt, .window:has(:focus-visible) .belt { animation-play-state: paused; }
.still .belt { animation: none; }
.still .window { overflow-x: auto; mask-image: none; scrollbar-width: thin; scrollbar-color: var(--_line) transparent; }
.still.whole .belt { min-inline-size: 100%; }
.still.whole [aria-hidden] { display: none; }
ul { display: flex; flex: 1 0 auto; justify-content: space-around; margin: 0; padding: 0; list-style: none; }
.item {
  display: flex; align-items: baseline; gap: 0.55em; padding: 0.4em 1em; white-space: nowrap;
  border: 0; border-radius: 0; background: none; cursor: pointer;
}
.item:hover { background: var(--_raised); }
.item .name { overflow: visible; }
.item.old .n { color: var(--_text-2); }
.toggle {
  display: grid; place-items: center; flex: none; align-self: center;
  inline-size: 2em; block-size: 2em; margin-inline: 0.25em; padding: 0;
  border: 0; border-radius: 4px; background: none; color: var(--_text-2); cursor: pointer;
}
.toggle:hover { background: var(--_raised); color: var(--_text); }
.toggle[hidden] { display: none; }
.toggle::before { content: ''; inline-size: 0.7em; block-size: 0.8em; background: currentcolor; clip-path: polygon(0 0, 33% 0, 33% 100%, 67% 100%, 67% 0, 100% 0, 100% 100%, 0 100%); }
.still .toggle::before { clip-path: polygon(0 0, 100% 50%, 0 100%); }
.foot { flex: none; padding-block: 0; border-inline-start: 1px solid var(--_line); }
.message { place-content: center start; padding-block: 0; text-align: start; font-size: var(--_small); line-height: 1.25; }
.message:not([hidden]) ~ .foot { visibility: hidden; }
@container depthwire (inline-size < 30em) {
  .foot .source { display: none; }
  .frame[data-state='live'] .state { inline-size: 0.5em; text-overflow: clip; }
}
@container depthwire (inline-size < 15em) {
  .item { padding-inline: 0.6em; }
  .toggle { margin-inline: 0; }
}
@media print {
  .belt { animation: none; inline-size: auto; }
  .window { overflow: visible; }
  .belt, ul { flex: 1; flex-wrap: wrap; min-inline-size: 0; }
  ul[aria-hidden] { display: none; }
}
`;

const own = { instruments, speed };

interface Part {
  readonly item: HTMLElement;
  readonly name: HTMLElement;
  readonly price: HTMLElement;
  readonly change: HTMLElement;
}

/** A strip that moves on without end: two copies one behind the other, the second for the eye alone. */
class TickerTapeWidget extends MarketsWidget<typeof own> {
  readonly #motion = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #onMotion = () => this.#setMotion();
  /** By instrument, in both copies. */
  readonly #parts = new Map<string, readonly Part[]>();
  readonly #drawn = new Map<string, Market>();
  #window = h('div');
  #belt = h('div');
  #toggle = h('button');
  #sizes: ResizeObserver | null = null;
  /** Of one copy, pixels. */
  #width = 0;
  #isStopped = false;

  protected build(): void {
    this.release();
    this.#drawn.clear();
    this.#parts.clear();
    for (const id of this.options.instruments)
      this.#parts.set(id, [partOf('button', id), partOf('span', id)]);
    const [first, second] = [0, 1].map((copy) =>
      h(
        'ul',
        { 'aria-hidden': copy === 1 && 'true' },
        ...[...this.#parts.values()].map((parts) => h('li', {}, parts[copy]!.item)),
      ),
    );
    this.#belt = h('div', { class: 'belt' }, first!, second!);
    this.#window = h('div', { class: 'window', part: 'strip' }, this.#belt);
    this.#toggle = h('button', { class: 'toggle controls', part: 'toggle', type: 'button' });
    this.body.append(this.#window, this.#toggle);
    rove(first!, 'button');
    settle(first!, 'button');
    this.#window.addEventListener('click', ({ target }) => {
      const id = (target as Element).closest<HTMLElement>('[data-id]')?.dataset.id;
      if (id) this.tellSelected({ instrument: id });
    });
    this.#window.addEventListener('focusin', ({ target }) => this.#reveal(target as HTMLElement));
    this.#toggle.addEventListener('click', () => {
      this.#isStopped = !this.#isStopped;
      this.#setMotion();
    });
    this.#motion.addEventListener('change', this.#onMotion);
    this.#sizes = new ResizeObserver(([entry]) => this.#setWidth(entry!.contentRect.width));
    this.#sizes.observe(first!);
    this.#setMotion();
  }

  protected draw(): void {
    this.drawSome((market) => {
      const parts = this.#parts.get(market.id);
      const note = noteOf(market);
      if (!parts) return;
      for (const { name } of parts) setText(name, this.labelOf(market));
      // Words may change without the figures.
      if (note === null && this.#drawn.get(market.id) === market) return;
      this.#drawn.set(market.id, market);
      const { instrument, ticker } = market;
      const change = ticker && changeOf(ticker);
      for (const { item, price, change: changed } of parts) {
        setAttribute(item, 'class', note === 'old' ? 'item old' : 'item');
        setAttribute(item, 'title', instrument?.name ?? null);
        if (!instrument || !ticker) {
          setText(price, this.noteText(market, note ?? 'waiting'));
          setAttribute(price, 'class', 'muted');
          setText(changed, '');
          continue;
        }
        setAttribute(price, 'class', 'n');
        setSteady(price, this.formats.price(ticker.last, instrument.tick));
        setAttribute(changed, 'class', `n ${wayOf(change)}`);
        // Signs are wider than digits.
        setSteady(changed, this.formats.percent(change), 1);
      }
    });
  }

  protected override release(): void {
    this.#sizes?.disconnect();
    this.#sizes = null;
    this.#width = 0;
    this.#motion.removeEventListener('change', this.#onMotion);
  }

  /** How far it has moved: of one copy, pixels. */
  get #offset(): number {
    const animation = this.#animation;
    const { duration } = animation?.effect?.getComputedTiming() ?? {};
    if (!animation || !duration) return Math.abs(this.#window.scrollLeft);
    return (((animation.currentTime as number) % (duration as number)) / (duration as number)) * this.#width;
  }

  set #offset(pixels: number) {
    const { speed } = this.options;
    const animation = this.#animation;
    const offset = this.#width === 0 ? 0 : ((pixels % this.#width) + this.#width) % this.#width;
    if (animation) animation.currentTime = (offset / speed) * 1_000;
    else this.#window.scrollLeft = this.#belt.matches(':dir(rtl)') ? -offset : offset;
  }

  get #animation(): Animation | undefined {
    return this.#belt.getAnimations()[0];
  }

  #setMotion(): void {
    const offset = this.#offset;
    const isWhole = this.#motion.matches || this.options.speed === 0;
    setAttribute(this.body, 'class', `body ${isWhole ? 'still whole' : this.#isStopped ? 'still' : ''}`);
    this.#toggle.hidden = isWhole;
    setAttribute(this.#toggle, 'aria-label', this.say(this.#isStopped ? 'play' : 'pause'));
    if (!this.#isStopped) this.#window.scrollLeft = 0;
    this.#offset = offset;
  }

  /** What is seen stays where it is, though the way round is longer now. */
  #setWidth(width: number): void {
    if (width === this.#width) return;
    const offset = this.#offset;
    this.#width = width;
    const { speed } = this.options;
    if (speed > 0) this.#belt.style.animationDuration = `${(width / speed) * 1_000}ms`;
    this.#offset = offset;
  }

  /** Moves on to what has the focus, where it is not in sight. */
  #reveal(item: HTMLElement): void {
    if (!this.#animation || !item.matches(':focus-visible')) return;
    const [box, frame] = [item.getBoundingClientRect(), this.#window.getBoundingClientRect()];
    if (box.left >= frame.left && box.right <= frame.right) return;
    const isMirrored = this.#belt.matches(':dir(rtl)');
    this.#offset += isMirrored ? frame.right - box.right : box.left - frame.left;
  }
}

function partOf(tag: 'button' | 'span', id: string): Part {
  const name = h('span', { class: 'name', part: 'name' });
  const price = h('span', { class: 'n', part: 'price' });
  const change = h('span', { class: 'n', part: 'change' });
  const attributes = { class: 'item', part: 'item', 'data-id': id };
  const isButton = tag === 'button';
  const item = h(
    tag,
    isButton ? { ...attributes, type: 'button', tabindex: -1 } : attributes,
    name,
    price,
    change,
  );
  return { item, name, price, change };
}

export function createFace(options: FaceOptions): Face {
  return new TickerTapeWidget(options, style, own);
}
