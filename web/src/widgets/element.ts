import { attributesFor, attributeTypes, kinds, propertyOf, type AttributeName, type Kind } from './kinds.ts';
import type { DefineOptions } from './types.ts';

/** What draws a widget: it comes when the widget is near to what is seen. */
export interface Face {
  /** The element is in a document, and near to what is seen. */
  attach(): void;
  /** It is in none any more: nothing may be left of it. */
  detach(): void;
  changed(attribute: AttributeName): void;
  /** The element is in another document than before. */
  adopted(): void;
  /** What can be done before it is drawn, in parts that the page need not wait for together. */
  readonly steps: readonly (() => void)[];
}

export interface FaceOptions {
  readonly host: HTMLElement;
  readonly root: ShadowRoot;
  /** Of the Depthwire server, where the attribute `server` does not say; null where it has to. */
  readonly server: string | null;
  /** Publishable, where the attribute `key` does not say; null where the server wants none. */
  readonly key: string | null;
  /** A script for a SharedWorker, of the page's own origin, where the attribute `worker` names none; null for none. */
  readonly worker: string | null;
}

export type FaceModule = { readonly createFace: (options: FaceOptions) => Face };
export type LoadFace = (kind: Kind) => Promise<FaceModule>;

/** How far from what is seen a widget begins. */
const NEAR = '256px';
/** Of the box where the page says nothing of it, from before the widget's code is there: nothing moves when it comes. */
const heights: Record<Kind, string> = {
  ticker: '4rem',
  'ticker-tape': '2.25rem',
  'mini-chart': '14rem',
  'order-book': '35rem',
  depth: '16rem',
  trades: '19rem',
  'market-table': '18rem',
  'heat-tiles': '16rem',
  'symbol-overview': '26rem',
  status: '1.5rem',
};

/** A page that takes longer than this to load is not waited for, milliseconds. */
const PATIENCE_MS = 3_000;
/** Nor is one that is never idle. */
const BUSY_MS = 100;

/** The widgets' turns, one after the other: the first when the page has loaded what is its own. */
let turns: Promise<unknown> | null = null;

function turn(): Promise<unknown> {
  turns ??= new Promise((resolve) => {
    if (document.readyState === 'complete') {
      resolve(null);
      return;
    }
    addEventListener('load', resolve, { once: true });
    setTimeout(resolve, PATIENCE_MS);
  });
  return (turns = turns.then(idle));
}

/** In a task of its own, when the page has nothing more urgent to do. */
function idle(): Promise<unknown> {
  return new Promise((resolve) => {
    const { scheduler } = globalThis as { scheduler?: Scheduler };
    void scheduler?.postTask(() => resolve(null), { priority: 'background' });
    setTimeout(resolve, scheduler ? BUSY_MS : 0);
  });
}

/** The part of the standard's that is used: TypeScript does not know it, nor do all browsers. */
interface Scheduler {
  postTask(task: () => void, options: { readonly priority: 'background' }): Promise<void>;
}

let near: IntersectionObserver | null = null;
const whenNear = new WeakMap<Element, () => void>();

function observe(element: Element, then: () => void): void {
  whenNear.set(element, then);
  near ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) whenNear.get(target)?.();
    },
    { rootMargin: NEAR },
  );
  near.observe(element);
}

/** Defines the elements that are not defined yet: of several copies on a page the first has the names. */
export function defineWidgets(load: LoadFace, { prefix = 'depthwire', ...rest }: DefineOptions = {}): void {
  const base = reflecting();
  for (const kind of kinds) {
    const name = `${prefix}-${kind}`;
    if (!customElements.get(name)) customElements.define(name, elementOf(base, kind, load, rest));
  }
}

/** As constructed sheets are of one document, one for each element; none where nothing is drawn, as in a template. */
function sheetsFor(kind: Kind, { defaultView }: Document): CSSStyleSheet[] {
  if (!defaultView) return [];
  const sheet = new defaultView.CSSStyleSheet();
  const display = kind === 'status' ? 'inline-block;min-inline-size:9em' : 'block';
  sheet.replaceSync(`:host{display:${display};block-size:${heights[kind]}}:host([hidden]){display:none}`);
  return [sheet];
}

/** Made once, not for each kind: the page waits for it as it loads. */
function reflecting(): new () => HTMLElement {
  class Reflecting extends HTMLElement {}
  for (const [name, type] of Object.entries(attributeTypes)) {
    Object.defineProperty(Reflecting.prototype, propertyOf(name), {
      enumerable: true,
      get(this: HTMLElement) {
        const value = this.getAttribute(name);
        if (type === 'flag') return value !== null;
        return type === 'number' && value !== null ? Number(value) : value;
      },
      set(this: HTMLElement, value: unknown) {
        if (type === 'flag') this.toggleAttribute(name, Boolean(value));
        else if (value === null || value === undefined) this.removeAttribute(name);
        else this.setAttribute(name, String(value));
      },
    });
  }
  return Reflecting;
}

function elementOf(
  Reflecting: new () => HTMLElement,
  kind: Kind,
  load: LoadFace,
  { server = null, key = null, worker = null }: DefineOptions,
): CustomElementConstructor {
  const attributes = attributesFor(kind);

  class DepthwireWidget extends Reflecting {
    static readonly observedAttributes = attributes;
    readonly #root = this.attachShadow({ mode: 'open' });
    readonly #slot = document.createElement('slot');
    #face: Face | null = null;
    #isLoading = false;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = sheetsFor(kind, this.ownerDocument);
      // What the page has between the tags is shown until the widget is there, and where it never comes.
      this.#root.append(this.#slot);
    }

    connectedCallback(): void {
      // What a framework set before the element was defined.
      for (const name of attributes) {
        const property = propertyOf(name) as keyof this;
        if (!Object.hasOwn(this, property)) continue;
        const value = this[property];
        Reflect.deleteProperty(this, property);
        this[property] = value;
      }
      if (this.#face) this.#face.attach();
      else observe(this, () => void this.#begin());
    }

    disconnectedCallback(): void {
      near?.unobserve(this);
      // An element that is moved is there again at once.
      queueMicrotask(() => {
        if (!this.isConnected) this.#face?.detach();
      });
    }

    adoptedCallback(): void {
      this.#root.adoptedStyleSheets = sheetsFor(kind, this.ownerDocument);
      this.#face?.adopted();
    }

    attributeChangedCallback(name: AttributeName, before: string | null, after: string | null): void {
      if (before !== after) this.#face?.changed(name);
    }

    async #begin(): Promise<void> {
      if (this.#isLoading) return;
      this.#isLoading = true;
      near!.unobserve(this);
      try {
        // Each step in a task of its own: the page can answer in between.
        await turn();
        if (!this.isConnected) return; // when it comes back it begins again
        const { createFace } = await load(kind);
        await turn();
        if (!this.isConnected) return;
        const face = createFace({ host: this, root: this.#root, server, key, worker });
        this.#face = face; // from here on it is told of attributes that change
        for (const step of face.steps) {
          await turn();
          step();
        }
        await turn();
        if (this.isConnected) face.attach();
      } catch (error) {
        // The next time that it is shown or scrolled to it is tried again.
        const message = `<${this.localName}>: its code could not be loaded`;
        this.dispatchEvent(
          new CustomEvent('dw-state', {
            bubbles: true,
            composed: true,
            detail: {
              ...{ state: 'failed', origin: null, isConflated: false, reason: message },
              error: { code: 'unavailable', message, retry: true },
            },
          }),
        );
        this.#slot.textContent = message;
        reportError(new Error(message, { cause: error }));
        setTimeout(() => this.isConnected && observe(this, () => void this.#begin()), RETRY_MS);
      } finally {
        this.#isLoading = false;
      }
    }
  }

  return DepthwireWidget;
}

const RETRY_MS = 5_000;
