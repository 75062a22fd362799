import type { PanelKind } from './model.ts';
import type { PanelState } from './workspace.svelte.ts';

/** Where a panel goes, seen from another. */
export type Place = 'within' | 'right' | 'below';

/** What commands do with docked panels: the active one is meant. */
export interface Docking {
  /** The active panel, where somebody went into it by hand and it shows an instrument; null otherwise. */
  readonly chosen: PanelState | null;
  /** @returns whether there was room for one more */
  add(kind: PanelKind, where: Place): boolean;
  /** Brings a panel of the kind to the front; adds one where there is none. */
  show(kind: PanelKind): void;
  /** Shows its group alone, or all again. */
  toggleMaximized(): void;
  closeActive(): void;
  /** @param by 1 for the next panel, -1 for the one before */
  focus(by: 1 | -1): void;
  /** Titles in the language of the page, after that has changed. */
  retitle(): void;
}
