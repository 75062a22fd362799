import { attributesFor, attributeTypes, kinds, propertyOf, type AttributeName, type Kind } from './kinds.ts';
import type { DefineOptions } from './types.ts';

/** What draws a widget: it comes when the widget is near to what is seen. */
export interface Face {
  /** The element is in a document, and near to what is seen. */
  attach(): void;
  /** It is in none any more: nothing may be left of it. */
  detach(): void;
  changed(attribute: AttributeName): void;
}

export interface FaceOptions {
  readonly host: HTMLElement;
  readonly root: ShadowRoot;
  readonly kind: Kind;
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
  ticker: '4.5em',
  'ticker-tape': '2.5em',
  'mini-chart': '16em',
  'order-book': '26em',
  depth: '18em',
  trades: '22em',
  'market-table': '20em',
  'heat-tiles': '18em',
  'symbol-overview': '30em',
  status: '1.75em',
};

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
  for (const kind of kinds) {
    const name = `${prefix}-${kind}`;
    if (!customElements.get(name)) customElements.define(name, elementOf(kind, load, rest));
  }
}

function elementOf(
  kind: Kind,
  load: LoadFace,
  { server = null, key = null, worker = null }: DefineOptions,
): CustomElementConstructor {
  const attributes = attributesFor(kind);
  const sheet = new CSSStyleSheet();
  const inline = kind === 'status';
  sheet.replaceSync(
    `:host{display:${inline ? 'inline-block' : 'block'};block-size:${heights[kind]}}:host([hidden]){display:none}`,
  );

  class DepthwireWidget extends HTMLElement {
    static readonly observedAttributes = attributes;
    readonly #root = this.attachShadow({ mode: 'open' });
    #face: Face | null = null;
    #isLoading = false;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [sheet];
      // What the page has between the tags is shown until the widget is there, and where it never comes.
      this.#root.append(document.createElement('slot'));
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

    attributeChangedCallback(name: AttributeName, before: string | null, after: string | null): void {
      if (before !== after) this.#face?.changed(name);
    }

    async #begin(): Promise<void> {
      if (this.#isLoading) return;
      this.#isLoading = true;
      near!.unobserve(this);
      try {
        const { createFace } = await load(kind);
        this.#face = createFace({ host: this, root: this.#root, kind, server, key, worker });
        if (this.isConnected) this.#face.attach();
      } catch (error) {
        // The next time that it is shown or scrolled to it is tried again.
        const message = `<${this.localName}>: its code could not be loaded`;
        this.dispatchEvent(
          new CustomEvent('dw-state', {
            bubbles: true,
            composed: true,
            detail: { state: 'failed', error: { code: 'unavailable', message, retry: true } },
          }),
        );
        reportError(new Error(message, { cause: error }));
        setTimeout(() => this.isConnected && observe(this, () => void this.#begin()), RETRY_MS);
      } finally {
        this.#isLoading = false;
      }
    }
  }

  for (const name of attributes) {
    const type = attributeTypes[name];
    Object.defineProperty(DepthwireWidget.prototype, propertyOf(name), {
      configurable: true,
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
  return DepthwireWidget;
}

const RETRY_MS = 5_000;
