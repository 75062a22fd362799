import { mount, unmount, type Component } from 'svelte';
import { m } from '../paraglide/messages.js';
import PanelHost from './PanelHost.svelte';
import { props } from './props.svelte.ts';
import type { Workspace } from './workspace.svelte.ts';

/** A panel as it is drawn, in an element that is put where it shall be seen. */
export interface PanelView {
  readonly element: HTMLElement;
  /** What the panel is told; it sees what is written. */
  readonly given: {
    isVisible: boolean;
    /** Whether its code may be loaded by now. */
    mayLoad: boolean;
    /** Where its tools are shown. */
    slot: HTMLElement | null;
  };
}

/** The panels of a workspace as they are drawn: each is made once, and kept while it moves from place to place. */
export class PanelViews {
  readonly #workspace: Workspace;
  readonly #context: Map<unknown, unknown>;
  readonly #views = new Map<string, PanelView & { readonly mounted: object }>();

  /** @param context of the components that they are in */
  constructor(workspace: Workspace, context: Map<unknown, unknown>) {
    this.#workspace = workspace;
    this.#context = context;
  }

  /**
   * Made where there is none yet; not to be seen until it is told so.
   * @throws Error where the workspace has no such panel
   */
  get(id: string): PanelView {
    return this.#views.get(id) ?? this.#make(id);
  }

  remove(id: string): void {
    const view = this.#views.get(id);
    if (!view) return;
    this.#views.delete(id);
    void unmount(view.mounted);
    view.element.remove();
  }

  /** Those that wait for it load their code from now on. */
  loadAll(): void {
    for (const { given } of this.#views.values()) given.mayLoad = true;
  }

  destroy(): void {
    for (const id of [...this.#views.keys()]) this.remove(id);
  }

  #make(id: string): PanelView {
    const state = this.#workspace.panels.get(id);
    if (!state) throw new Error(m.workspace_unknown_panel({ id }));
    const element = document.createElement('div');
    element.className = 'dock-content';
    const given = props({
      workspace: this.#workspace,
      state,
      isVisible: false,
      mayLoad: true,
      slot: null as HTMLElement | null,
    });
    const mounted = mount(PanelHost as unknown as Component, {
      target: element,
      props: given,
      context: this.#context,
    }) as object;
    const view = { element, given, mounted };
    this.#views.set(id, view);
    return view;
  }
}
