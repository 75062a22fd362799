import {
  DepthwireError,
  toDepthwireError,
  formatUnits,
  type BookState,
  type Instrument,
  type SubscriptionView,
} from '@depthwire/shared';
import type { Face, FaceOptions } from '../element.ts';
import type { PriceDetail, SelectDetail, StateDetail, WidgetState } from '../events.ts';
import type { AttributeName } from '../kinds.ts';
import { h, setAttribute, setText, sheetOf } from './dom.ts';
import { Formats } from './format.ts';
import { cancelDraw, requestDraw } from './frames.ts';
import { loadWords, sayIn, type Say } from './language.ts';
import { linkTo, type Link } from './link.ts';
import { commonOptions, readOptions, type OptionTable, type ValuesOf } from './options.ts';
import { commonStyle } from './style.ts';
import type { WidgetClient } from './wire.ts';
import { watchVisibility } from './visibility.ts';

/** What of a book says how good its data is. */
interface Freshness {
  readonly state: BookState;
  readonly reason: string | null;
  readonly isConflated: boolean;
}

interface SharedOptions {
  readonly instrument?: string | null;
  readonly instruments?: readonly string[];
  readonly label?: string | null;
  readonly notation?: 'standard' | 'compact';
}

/** Readers hear of a change of state, or of the summary while the widget has the focus, no more often than this. */
const SPEAK_EVERY_MS = 5_000;
/** A text alternative that changes with every price would be read without end. */
const DESCRIBE_EVERY_MS = 2_000;
/** A connection is given so long before it is said that the server does not answer. */
const OFFLINE_AFTER_MS = 3_000;

/** What all widgets have: options, a connection, a state, a foot, messages, and one drawing a frame. */
export abstract class Widget<Own extends OptionTable> implements Face {
  protected readonly host: HTMLElement;
  protected readonly frame: HTMLElement;
  protected readonly body: HTMLElement;
  /** What the attributes of the kind say. */
  protected options!: ValuesOf<Own>;
  /** What those of all widgets say. */
  protected common!: ValuesOf<typeof commonOptions>;
  protected formats!: Formats;
  protected say!: Say;
  readonly #server: string | null;
  readonly #key: string | null;
  readonly #worker: string | null;
  readonly #own: Own;
  readonly #root: ShadowRoot;
  readonly #style: string;
  readonly #state = h('span', { class: 'state', part: 'state' });
  readonly #source = h('a', { class: 'source', part: 'source', target: '_blank', rel: 'noopener' });
  readonly #credit = h('a', {
    class: 'source',
    part: 'credit',
    target: '_blank',
    rel: 'noopener',
    hidden: true,
  });
  readonly #foot = h('div', { class: 'foot', part: 'footer' }, this.#state, this.#credit, this.#source);
  readonly #message = h('div', { class: 'message', part: 'message', hidden: true });
  readonly #spoken = h('div', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
  readonly #draw = () => this.#drawNow();
  #link: Link | null = null;
  #unuse: (() => void) | null = null;
  #followed: SubscriptionView[] = [];
  #offs: (() => void)[] = [];
  #ends: (() => void)[] = [];
  #isAttached = false;
  #isVisible = false;
  #isBuilt = false;
  #error: DepthwireError | null = null;
  #told = '';
  readonly #toldPrices = new Map<string, string>();
  #spokenAt = -Infinity;
  #describedAt = -Infinity;
  #sinceMs = 0;
  #lastDataMs: number | null = null;
  #later: ReturnType<typeof setTimeout> | null = null;

  constructor({ host, root, server, key, worker }: FaceOptions, style: string, own: Own) {
    this.host = host;
    this.#server = server;
    this.#key = key;
    this.#worker = worker;
    this.#own = own;
    this.body = h('div', { class: 'body', part: 'body' });
    this.frame = h(
      'div',
      { class: 'frame', part: 'frame' },
      this.body,
      this.#message,
      this.#foot,
      this.#spoken,
    );
    this.#root = root;
    this.#style = style;
    this.#dress();
    root.replaceChildren(this.frame);
    this.#read();
    setText(this.#state, this.say('connecting')); // the foot is as high as it will be
  }

  // ── what a kind does ──────────────────────────────────────────────────────────────────────────

  /** Puts into `body` what stays; once, and again when what is said there may differ. */
  protected abstract build(): void;
  /** Subscribes to what the options want, by `follow`; nothing is subscribed yet. */
  protected abstract subscribe(client: WidgetClient): void;
  /** Draws what there is; at most once a frame, and only where it can be seen. */
  protected abstract draw(): void;
  /** What it shows, in words; null where there is nothing yet. */
  protected abstract describe(): string | null;
  /** How good the data of a subscription is; null where it has no word of it. */
  protected freshnessOf(subscription: SubscriptionView): Freshness | null {
    const { topic } = subscription;
    if (topic === 'trades' || topic === 'candles') return null;
    const view = subscription as SubscriptionView & {
      readonly state: BookState;
      readonly reason?: string | null;
      readonly replica?: { readonly isConflated: boolean };
    };
    return {
      state: view.state,
      reason: view.reason ?? null,
      isConflated: view.replica?.isConflated ?? false,
    };
  }
  /** What is told of the whole, where that is more than its own data. */
  protected combined(own: StateDetail): StateDetail {
    return own;
  }
  /** Whether there is nothing to be shown without a subscription. */
  protected needs(_subscription: SubscriptionView): boolean {
    return true;
  }
  /** Lets go of what it holds beside its subscriptions. */
  protected release(): void {}
  /** Whether the options miss what there is nothing without; the attribute. */
  protected get missing(): AttributeName | null {
    const { instrument, instruments } = this.#shared;
    if (instrument === null) return 'instrument';
    return instruments?.length === 0 ? 'instruments' : null;
  }

  /** Whether it shows the connection alone, and follows nothing. */
  protected get isOfConnection(): boolean {
    return false;
  }

  /** Options that many kinds have, where this one does. */
  get #shared(): SharedOptions {
    return this.options as SharedOptions;
  }

  // ── for kinds ─────────────────────────────────────────────────────────────────────────────────

  /** Keeps a subscription while the widget is seen; draws when it changes. */
  protected follow<S extends SubscriptionView>(subscription: S, onChange?: () => void): S {
    this.#followed.push(subscription);
    const changed = () => {
      this.#lastDataMs = Date.now();
      onChange?.();
      this.redraw();
    };
    this.#offs.push(
      subscription.on('change', changed),
      subscription.on('state', () => this.redraw()),
      subscription.on('ready', () => this.redraw()),
      () => subscription.close(),
    );
    // Another widget may have it already.
    if (subscription.hasData) changed();
    return subscription;
  }

  /** Names in the foot whose work is in the picture. */
  protected credit({ text, url }: { readonly text: string; readonly url: string }): void {
    this.#credit.hidden = false;
    setText(this.#credit, text);
    setAttribute(this.#credit, 'href', url);
  }

  protected redraw(): void {
    if (this.#isAttached) requestDraw(this.#draw);
  }

  /** The name of an instrument, as the page wants it to be called. */
  protected nameOf(instrument: Instrument): string {
    return this.#shared.label ?? `${instrument.base}/${instrument.quote}`;
  }

  /** Tells `dw-price`, where a price differs from the one told last. */
  protected tellPrice(
    { id, tick }: Instrument,
    prices: {
      readonly last?: number | null;
      readonly bid?: number | null;
      readonly ask?: number | null;
      readonly change?: number | null;
    },
  ): void {
    const decimal = (ticks: number | null | undefined) => (ticks == null ? null : formatUnits(ticks, tick));
    const { last, bid, ask, change = null } = prices;
    const detail: PriceDetail = {
      ...{ instrument: id, last: decimal(last), bid: decimal(bid), ask: decimal(ask), change },
    };
    const told = JSON.stringify(detail);
    if (told === this.#toldPrices.get(id)) return;
    this.#toldPrices.set(id, told);
    this.#dispatch('dw-price', detail);
  }

  protected tellSelected(detail: SelectDetail): void {
    this.#dispatch('dw-select', detail);
  }

  /** The first instrument that is known. */
  protected get instrument(): Instrument | null {
    return this.#followed.find(({ instrument }) => instrument !== null)?.instrument ?? null;
  }

  protected get cadence(): { readonly cadenceMs: number } {
    return { cadenceMs: this.common.cadence };
  }

  /** A browser takes long for the first number of a kind in a language. */
  get steps(): readonly (() => void)[] {
    return [
      () => this.formats.decimal('0', 2),
      () => this.formats.percent(0),
      () => this.formats.compact(0),
      () => this.#build(),
    ];
  }

  #build(): void {
    if (this.#isBuilt) return;
    this.#isBuilt = true;
    this.body.replaceChildren();
    this.build();
  }

  // ── in the page ───────────────────────────────────────────────────────────────────────────────

  attach(): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    const unwatch = watchVisibility(this.host, (isVisible) => this.#show(isVisible));
    const theme = matchMedia('(prefers-color-scheme: dark)');
    const print = matchMedia('print');
    const recolour = () => this.redraw();
    // What is printed is drawn at once: there are no frames then.
    const onPrint = () => this.#drawNow();
    theme.addEventListener('change', recolour);
    print.addEventListener('change', onPrint);
    const language = new MutationObserver(() => this.#speakLanguage());
    language.observe(this.host.ownerDocument.documentElement, { attributeFilter: ['lang'] });
    this.#speakLanguage();
    const onFocus = () => this.#speak(true);
    this.host.addEventListener('focusin', onFocus);
    this.#ends.push(unwatch, () => {
      theme.removeEventListener('change', recolour);
      print.removeEventListener('change', onPrint);
      language.disconnect();
      this.host.removeEventListener('focusin', onFocus);
    });
    this.redraw();
  }

  detach(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#show(false);
    cancelDraw(this.#draw);
    if (this.#later !== null) clearTimeout(this.#later);
    for (const end of this.#ends.splice(0)) end();
    this.release();
    this.#isBuilt = false;
  }

  changed(attribute: AttributeName): void {
    const end = subscribing.has(attribute) ? this.#takeEnd() : null;
    if (end) {
      this.#lastDataMs = null;
      this.#toldPrices.clear();
    }
    this.#read();
    if (this.#error) this.#stop();
    else if (this.#isVisible || (this.#isAttached && this.common.background)) this.#start();
    // Only now: what is wanted further goes on.
    end?.();
    this.redraw();
  }

  /** It was moved into another document, where style sheets of this one are none. */
  adopted(): void {
    this.#dress();
  }

  #dress(): void {
    const { adoptedStyleSheets, ownerDocument } = this.#root;
    // In a document that is not drawn there are none: the element is told when it comes into another.
    if (!ownerDocument.defaultView) return;
    const styles = [commonStyle, this.#style].map((css) => sheetOf(css, ownerDocument));
    this.#root.adoptedStyleSheets = [...adoptedStyleSheets, ...styles];
  }

  /** The page may be in another language by now. */
  #speakLanguage(): void {
    if (this.formats.locale === (this.common.locale ?? localeOf(this.host))) return;
    this.#read();
    this.redraw();
  }

  #show(isVisible: boolean): void {
    this.#isVisible = isVisible;
    if (isVisible || (this.#isAttached && this.common.background)) this.#start();
    else this.#stop();
    this.redraw();
  }

  #read(): void {
    this.#error = null;
    const get = (name: string) => this.host.getAttribute(name);
    try {
      this.common = readOptions(commonOptions, get);
      this.options = readOptions(this.#own, get);
    } catch (error) {
      this.#error = toDepthwireError(error);
      this.common ??= readOptions(commonOptions, () => null);
      this.options ??= readOptions(this.#own, () => null);
    }
    const locale = this.common.locale ?? localeOf(this.host);
    this.formats = new Formats(locale, this.common['time-zone'], this.#shared.notation ?? 'standard');
    this.say = sayIn(locale);
    void loadWords(locale).then((isNew) => {
      if (!isNew) return;
      this.say = sayIn(locale);
      this.#isBuilt = false;
      this.redraw();
    });
    this.#isBuilt = false;
  }

  #start(): void {
    if (this.#unuse || this.#error || this.missing) return;
    const server = this.common.server ?? this.#server;
    if (server === null) {
      this.#error = new DepthwireError(
        'invalid_argument',
        `server: expected ${'the URL of a Depthwire server'}`,
      );
      return;
    }
    this.#sinceMs = Date.now();
    const link = linkTo({
      server: new URL(server.endsWith('/') ? server : `${server}/`, location.href).href,
      ...{ key: this.common.key ?? this.#key, worker: this.common.worker ?? this.#worker },
    });
    this.#link = link;
    let isSubscribed = false;
    const begin = () => {
      if (link.client && !isSubscribed) {
        isSubscribed = true;
        this.subscribe(link.client);
      }
      this.redraw();
    };
    this.#unuse = link.use(begin);
    begin();
    this.#redrawIn(OFFLINE_AFTER_MS);
  }

  #stop(): void {
    this.#takeEnd()();
  }

  /** Follows nothing any more, from when what it returns is called. */
  #takeEnd(): () => void {
    const offs = this.#offs.splice(0);
    const unuse = this.#unuse;
    this.#followed = [];
    this.#unuse = null;
    return () => {
      for (const off of offs) off();
      unuse?.();
    };
  }

  // ── drawing ───────────────────────────────────────────────────────────────────────────────────

  #drawNow(): void {
    if (!this.#isAttached) return;
    this.#build();
    const own = this.#stateNow();
    const detail = this.combined(own);
    const hasData = this.#lastDataMs !== null;
    this.#drawState(detail, own, hasData);
    if (this.#isVisible && !this.#error && (hasData || this.isOfConnection)) this.draw();
    this.#describe();
    this.#tellState(detail);
  }

  #stateNow(): StateDetail {
    const base = { origin: this.#origin, isConflated: false, reason: null, error: null };
    const wrong = this.#error ?? (this.missing ? this.#missed(this.missing) : null);
    if (wrong) return { ...base, state: 'failed', reason: wrong.message, error: wordOf(wrong) };
    const link = this.#link;
    if (link && !link.isOpen) {
      const { trouble } = link;
      if (trouble && isRefusal(trouble))
        return { ...base, state: 'refused', reason: trouble.message, error: wordOf(trouble) };
      const isLate = trouble !== null && Date.now() - this.#sinceMs >= OFFLINE_AFTER_MS;
      if (this.#lastDataMs === null && !isLate) return { ...base, state: 'connecting' };
      return {
        ...base,
        state: 'offline',
        reason: trouble?.message ?? null,
        error: trouble && wordOf(trouble),
      };
    }
    if (this.isOfConnection) return { ...base, state: 'live' };
    const needed = this.#followed.filter((subscription) => this.needs(subscription));
    const refused = needed.filter((subscription) => subscription.refusal !== null);
    const refusal = refused[0]?.refusal;
    // Of a list the others go on.
    if (refusal && (this.#shared.instruments === undefined || refused.length === needed.length))
      return { ...base, state: 'refused', reason: refusal.message, error: wordOf(refusal) };
    const known = this.#followed.flatMap((subscription) =>
      subscription.refusal || subscription.granted === null ? [] : (this.freshnessOf(subscription) ?? []),
    );
    const isGranted = this.#followed.some(({ granted }) => granted !== null);
    if (!isGranted || this.#followed.every(({ hasData }) => !hasData))
      return { ...base, state: this.#lastDataMs === null ? 'connecting' : 'recovering' };
    const worst = this.worstOf(known);
    return { ...base, ...worst };
  }

  /** Of one market its state; a list is live as long as any of it is. */
  protected worstOf(known: readonly Freshness[]): Freshness {
    for (const state of ['live', 'recovering', 'stale', 'syncing'] as const) {
      const one = known.find((freshness) => freshness.state === state);
      if (one) return { ...one, isConflated: known.some(({ isConflated }) => isConflated) };
    }
    return { state: 'live', reason: null, isConflated: false };
  }

  /** Of several markets the one that says least. */
  get #origin(): StateDetail['origin'] {
    const known = this.#followed.flatMap(({ instrument }) => instrument?.origin ?? []);
    return origins.find((origin) => known.includes(origin)) ?? null;
  }

  #missed(attribute: AttributeName): DepthwireError {
    return new DepthwireError('invalid_argument', this.say('no_instrument', { attribute }), { attribute });
  }

  #drawState(
    { state, origin, isConflated, reason, error }: StateDetail,
    own: StateDetail,
    hasData: boolean,
  ): void {
    const { frame, say } = this;
    setAttribute(frame, 'data-state', state);
    setAttribute(frame, 'data-origin', origin);
    const isOld = hasData && state !== 'live';
    setAttribute(frame, 'data-old', isOld ? '' : null);
    setText(this.#state, this.stateText({ state, origin, isConflated, reason, error }));
    setAttribute(this.#state, 'title', reason);
    const { source, 'source-url': url } = this.common;
    this.#source.hidden = source === null && url === null;
    setText(this.#source, source ?? (url && new URL(url, location.href).host) ?? '');
    setAttribute(this.#source, 'href', url);
    setAttribute(this.#source, 'title', url && say('opens_elsewhere'));
    const message = this.#messageOf(own.state, hasData, own.error, own.reason);
    this.#message.hidden = message === null;
    setAttribute(frame, 'data-message', message === null ? null : '');
    setText(this.#message, message ?? '');
    // What is known to be wrong is not shown beneath the words.
    this.body.style.visibility = message === null ? '' : 'hidden';
  }

  /** The word of the foot. */
  protected stateText({ state, origin, isConflated }: StateDetail): string {
    const { say } = this;
    if (state === 'live') {
      const { status } = this.instrument ?? {};
      const words = [origin === null || origin === 'live' ? say('live') : say(origin)];
      if (isConflated) words.push(say('conflated'));
      if (status === 'halted' || status === 'closed') words.push(say(status));
      return words.join(' · ');
    }
    if (state === 'syncing' || state === 'connecting') return say('connecting');
    const word = say(state);
    const since = this.#lastDataMs;
    return since === null || state === 'refused' || state === 'failed'
      ? word
      : `${word} · ${say('as_of', { time: this.formats.time(since) })}`;
  }

  #messageOf(
    state: WidgetState,
    hasData: boolean,
    error: StateDetail['error'],
    reason: string | null,
  ): string | null {
    const { say } = this;
    if (state === 'failed') return this.#error ? say('wrong_option', { reason: reason! }) : reason;
    if (state === 'refused') {
      if (error?.code === 'unknown_instrument')
        return say('unknown_instrument', {
          instrument: this.#shared.instrument ?? this.#shared.instruments?.join(' ') ?? '',
        });
      return say('key_refused', { reason: reason! });
    }
    if (hasData) return null;
    return state === 'offline' ? say('no_server') : say('waiting');
  }

  // ── words ─────────────────────────────────────────────────────────────────────────────────────

  #describe(): void {
    const now = performance.now();
    if (now - this.#describedAt < DESCRIBE_EVERY_MS) return;
    const text = this.#lastDataMs === null ? null : this.describe();
    if (text === null) return;
    this.#describedAt = now;
    this.described(text);
    if (this.host.matches(':focus-within')) this.#speak(false);
  }

  /** Where the text alternative goes: to the frame, where a kind has no picture. */
  protected described(text: string): void {
    setAttribute(this.frame, 'role', 'group');
    setAttribute(this.frame, 'aria-label', text);
  }

  #speak(isAsked: boolean): void {
    const now = performance.now();
    if (!isAsked && now - this.#spokenAt < SPEAK_EVERY_MS) return;
    const text = this.#lastDataMs === null ? null : this.describe();
    if (text === null) return;
    this.#spokenAt = now;
    setText(this.#spoken, text);
  }

  #tellState(detail: StateDetail): void {
    const told = JSON.stringify(detail);
    if (told === this.#told) return;
    const isFirst = this.#told === '';
    this.#told = told;
    this.#dispatch('dw-state', detail);
    // What goes well from the start is nothing to be told.
    if (!isFirst && performance.now() - this.#spokenAt >= SPEAK_EVERY_MS) {
      this.#spokenAt = performance.now();
      setText(this.#spoken, this.#state.textContent);
    }
  }

  #dispatch(name: string, detail: object): void {
    this.host.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  /** Draws again when that much time has passed, though nothing came: what is said may depend on it. */
  #redrawIn(delayMs: number): void {
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = setTimeout(() => this.redraw(), delayMs);
  }
}

/** What another value of wants other data for; of all others what there is is drawn anew. */
const subscribing: ReadonlySet<AttributeName> = new Set([
  ...([
    'server',
    'key',
    'worker',
    'cadence',
    'instrument',
    'instruments',
    'interval',
    'rows',
    'group',
  ] as const),
]);

/** Where data may come from, what says least first. */
const origins = ['simulated', 'replayed', 'delayed', 'bridged', 'live'] as const;

const refusals: ReadonlySet<string> = new Set([
  'unauthenticated',
  'forbidden',
  'origin_not_allowed',
  'rate_limited',
]);

function isRefusal({ code }: DepthwireError): boolean {
  return refusals.has(code);
}

function wordOf({ code, message, retry }: DepthwireError) {
  return { code, message, retry };
}

/** Of the nearest element that says it, across shadow roots; else the browser's. */
function localeOf(host: HTMLElement): string {
  for (let node: Node | null = host; node; node = node instanceof ShadowRoot ? node.host : node.parentNode) {
    const lang = node instanceof Element ? node.getAttribute('lang') : null;
    if (lang) {
      try {
        return Intl.getCanonicalLocales(lang)[0]!;
      } catch {
        break; // the page's own mistake
      }
    }
  }
  return navigator.language;
}

/** How much of 24 hours' first price the last one differs from it; null where either is not known. */
export function changeOf({
  last,
  open,
}: {
  readonly last: number | null;
  readonly open: number | null;
}): number | null {
  return last === null || open === null || open === 0 ? null : last / open - 1;
}
