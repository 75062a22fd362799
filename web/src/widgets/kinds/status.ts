import type { StatusView, SubscriptionView, TickerView } from '@depthwire/shared';
import type { AttributeName } from '../kinds.ts';
import type { Face, FaceOptions } from '../element.ts';
import { ageOf, inUnits } from '../core/age.ts';
import { h, setAttribute, setText } from '../core/dom.ts';
import { NOTHING } from '../core/format.ts';
import { instrument } from '../core/options.ts';
import { Widget } from '../core/widget.ts';
import type { StateDetail } from '../events.ts';
import type { WidgetClient } from '../core/wire.ts';

/** The foot of other kinds is the badge, and its body what stands at its end. */
const style = `
:host { container: none; contain: layout style; vertical-align: middle; line-height: 1.25; }
.frame { flex-direction: row; align-items: center; border-radius: var(--depthwire-radius, 1em); font-size: var(--_small); }
.foot { flex: none; padding: 0.15em 0.7em; font-size: inherit; color: inherit; }
.body { flex: 1; min-inline-size: 5ch; padding-inline-end: 0.8em; text-align: end; color: var(--_text-2); visibility: visible !important; }
.message { display: none; }
@media print { .body { display: none; } }
`;

const own = { instrument };

const EVERY_MS = 1_000;

class StatusWidget extends Widget<typeof own> {
  readonly #figure = h('span', { class: 'n', part: 'age' });
  #client: WidgetClient | null = null;
  #status: StatusView | null = null;
  #ticker: TickerView | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Without an instrument it is of the connection. */
  protected override get missing(): AttributeName | null {
    return null;
  }

  protected override get isOfConnection(): boolean {
    return this.options.instrument === null;
  }

  protected build(): void {
    this.body.append(this.#figure);
    // Before what is spoken, and behind the word.
    this.frame.insertBefore(this.body, this.frame.lastChild);
  }

  protected subscribe(client: WidgetClient): void {
    this.#client = client;
    this.#status = this.#ticker = null;
    const { instrument } = this.options;
    if (instrument === null) return;
    this.#status = this.follow(client.status(instrument));
    // That the state is the same is no news: when there was some, the prices say.
    const cadenceMs = Math.max(EVERY_MS, this.common.cadence);
    this.#ticker = this.follow(client.ticker(instrument, { cadenceMs }));
  }

  protected override freshnessOf(subscription: SubscriptionView) {
    return subscription === this.#ticker && !this.#status?.refusal ? null : super.freshnessOf(subscription);
  }

  protected draw(): void {
    const text = this.isOfConnection ? this.#delay : this.#age;
    setText(this.#figure, text ?? '');
    setAttribute(this.frame, 'title', this.#delay && this.say('round_trip', { delay: this.#delay }));
    this.release();
    this.#timer = setTimeout(() => this.redraw(), EVERY_MS);
  }

  protected override release(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  protected override stateText(detail: StateDetail): string {
    const { state } = detail;
    if (state === 'live') return this.isOfConnection ? this.say('connected') : super.stateText(detail);
    if (detail.error?.code === 'unknown_instrument') return this.say('unknown');
    // Since when, the age says.
    return this.say(state === 'syncing' ? 'connecting' : state);
  }

  protected describe(): string | null {
    const { instrument } = this;
    if (!instrument) return null;
    return this.say('status_text', {
      name: this.nameOf(instrument),
      state: this.say(
        this.#status?.state === 'syncing' ? 'connecting' : (this.#status?.state ?? 'connecting'),
      ),
      age: this.#age ?? NOTHING,
    });
  }

  /** Of the newest price, or of the state where there are no prices to be had. */
  get #age(): string | null {
    const since = this.#ticker?.receivedAtMs ?? this.#status?.sinceMs ?? null;
    return since === null ? null : ageOf(Date.now() - since, this.formats.locale);
  }

  get #delay(): string | null {
    const delayMs = this.#client?.roundTripMs ?? null;
    return delayMs === null ? null : inUnits(Math.round(delayMs), 'millisecond', this.formats.locale);
  }
}

export function createFace(options: FaceOptions): Face {
  return new StatusWidget(options, style, own);
}
