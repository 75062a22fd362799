import type { InstrumentId } from '@depthwire/shared';
import { createContext } from 'svelte';
import * as v from 'valibot';
import type { App } from '../state/app.svelte.ts';
import { NOTHING_KNOWN, type Freshness } from '../state/freshness.ts';
import type { Market } from '../state/market.svelte.ts';
import type { PanelState, Workspace } from './workspace.svelte.ts';

/** What a panel has of the workspace that it is in. */
export class PanelContext {
  readonly state: PanelState;
  /** Where its tools and its state are shown; null for a bar of its own. */
  slot = $state.raw<HTMLElement | null>(null);
  /** Called after an instrument was chosen here with a pointer: a phone then leaves the list. */
  onChoose: (() => void) | null = null;
  readonly #app: App;
  readonly #workspace: Workspace;
  readonly #market = $derived.by(() => this.#app.markets.get(this.instrumentId));

  constructor(app: App, workspace: Workspace, state: PanelState) {
    this.#app = app;
    this.#workspace = workspace;
    this.state = state;
  }

  get instrumentId(): InstrumentId | null {
    return this.#workspace.instrumentOf(this.state);
  }

  /** Null until the server has told of its instrument. */
  get market(): Market | null {
    return this.#market;
  }

  freshness(kind: 'book' | 'trades' | 'status'): Freshness {
    return this.#market?.freshness(kind) ?? NOTHING_KNOWN;
  }

  /** Shows another instrument here, and in all panels that follow. */
  select(id: InstrumentId): void {
    this.#app.markets.onChoose();
    this.#workspace.select(this.state, id);
  }

  /** What was chosen for this panel, of which what cannot be read is as at first: give each entry a fallback. */
  settings<Schema extends v.GenericSchema<unknown, Record<string, unknown>>>(
    schema: Schema,
  ): v.InferOutput<Schema> {
    this.state.settings = v.parse(schema, $state.snapshot(this.state.settings));
    return this.state.settings as v.InferOutput<Schema>;
  }
}

export const [getPanel, setPanel] = createContext<PanelContext>();
