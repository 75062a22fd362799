import 'dockview/dist/styles/dockview.css';
import './dock.css';
import {
  createDockview,
  type DockviewApi,
  type DockviewGroupPanel,
  type IContentRenderer,
  type IDockviewPanel,
  type IHeaderActionsRenderer,
  type ITabRenderer,
  type SerializedDockview,
} from 'dockview';
import { mount, unmount, type Component } from 'svelte';
import { m } from '../paraglide/messages.js';
import GroupActions from './GroupActions.svelte';
import LinkMenu from './LinkMenu.svelte';
import type { Docking, Place } from './docking.ts';
import { MAX_PANELS, type PanelKind } from './model.ts';
import type { PanelViews } from './panel-views.ts';
import { panelDescriptions } from './panels.ts';
import { props } from './props.svelte.ts';
import Tab from './Tab.svelte';
import type { PanelState, Workspace } from './workspace.svelte.ts';

/** Pixels of a panel that is added beside no other. */
const EDGE_WIDTH = 320;
/** How long after the room has changed the layout changes by itself. */
const SETTLE_MS = 500;

/** The panels of a workspace in an element: they dock, split, tab and resize there. */
export class Dock implements Docking {
  readonly #workspace: Workspace;
  readonly #api: DockviewApi;
  readonly #views: PanelViews;
  readonly #context: Map<unknown, unknown>;
  readonly #slots = new Map<string, HTMLElement>();
  readonly #sizes: ResizeObserver;
  #settled: ReturnType<typeof setTimeout> | undefined;
  readonly #left = new AbortController();
  /** Where somebody went last; null before: the active one is then whichever was made last. */
  #entered: DockviewGroupPanel | null = null;

  /**
   * @param views of the workspace's panels, which move here from wherever they were seen before
   * @param context of the components that it is in
   * @throws where the workspace's layout cannot be used
   */
  constructor(element: HTMLElement, workspace: Workspace, views: PanelViews, context: Map<unknown, unknown>) {
    this.#workspace = workspace;
    this.#views = views;
    this.#context = context;
    this.#api = createDockview(element, {
      className: 'dock',
      createComponent: ({ id }) => this.#content(id),
      createTabComponent: ({ id }) => this.#tab(id),
      defaultTabComponent: 'tab',
      createPrefixHeaderActionComponent: (group) => this.#link(group),
      createRightHeaderActionComponent: (group) => this.#actions(group),
      disableFloatingGroups: true,
      noPanelsOverlay: 'emptyGroup',
      disableTabsOverflowList: false,
      theme: { name: 'depthwire', className: 'dock-theme', dndOverlayMounting: 'relative' },
    });
    const { signal } = this.#left;
    for (const type of ['pointerdown', 'keydown'] as const)
      element.addEventListener(type, ({ target }) => this.#enter(target as Node), { capture: true, signal });
    this.#sizes = new ResizeObserver(() => this.#settle());
    this.#sizes.observe(element);
    const { clientWidth, clientHeight } = element;
    this.#api.layout(clientWidth, clientHeight);
    const { layout } = workspace;
    try {
      if (layout) this.#api.fromJSON(this.#titled(layout));
    } catch (error) {
      this.#release();
      throw error;
    }
    // Panels that the layout does not know are not lost.
    for (const id of workspace.panels.keys()) if (!this.#api.getPanel(id)) this.#place(id, 'right');
    this.#api.onDidRemovePanel(({ id }) => workspace.panels.delete(id));
    this.#api.onDidLayoutChange(() => (workspace.layout = this.#api.toJSON()));
    this.#settle();
    workspace.layout = this.#api.toJSON();
  }

  destroy(): void {
    const { layout } = this.#workspace;
    const panels = new Map(this.#workspace.panels);
    this.#release();
    // What ends with the view goes on in the workspace.
    for (const [id, panel] of panels) this.#workspace.panels.set(id, panel);
    this.#workspace.layout = layout;
  }

  #release(): void {
    clearTimeout(this.#settled);
    this.#left.abort();
    this.#sizes.disconnect();
    this.#api.dispose();
  }

  add(kind: PanelKind, where: Place, beside: IDockviewPanel | undefined = this.#api.activePanel): boolean {
    if (this.#workspace.panels.size >= MAX_PANELS) return false;
    const { link, own } = (beside && this.#workspace.panels.get(beside.id)) ?? {};
    const panel = this.#workspace.add(kind, link === undefined ? {} : { link, instrument: own ?? null });
    this.#place(panel.id, where, beside);
    return true;
  }

  show(kind: PanelKind): void {
    const shown = [...this.#workspace.panels.values()].find((panel) => panel.kind === kind);
    if (shown) this.#api.getPanel(shown.id)?.api.setActive();
    else {
      // Below the list, where there is one: what is read now and then takes no width from charts and books.
      const list = [...this.#workspace.panels.values()].find((panel) => panel.kind === 'watchlist');
      this.add(kind, 'below', list && this.#api.getPanel(list.id));
    }
  }

  toggleMaximized(): void {
    if (this.#api.hasMaximizedGroup()) this.#api.exitMaximizedGroup();
    else if (this.#api.activePanel) this.#api.maximizeGroup(this.#api.activePanel);
  }

  get chosen(): PanelState | null {
    const group = this.#entered;
    const active = group && this.#api.groups.includes(group) ? group.activePanel : undefined;
    const state = active && this.#workspace.panels.get(active.id);
    return state && panelDescriptions[state.kind].hasInstrument ? state : null;
  }

  closeActive(): void {
    this.#api.activePanel?.api.close();
  }

  focus(by: 1 | -1): void {
    if (by === 1) this.#api.activateNext({ includePanel: true });
    else this.#api.activatePrevious({ includePanel: true });
    this.#entered = this.#api.activeGroup ?? null;
  }

  /** Noted alone: to make a group active while a pointer goes down would take the click from what is under it. */
  #enter(target: Node): void {
    this.#entered = this.#api.groups.find(({ element }) => element.contains(target)) ?? this.#entered;
  }

  /** Halves the room of the panel that it is beside, or takes some at the right edge: all others keep theirs. */
  #place(id: string, where: Place, beside = this.#api.activePanel): void {
    const panel = { id, component: 'panel', title: this.#titleOf(id) };
    if (!beside) {
      this.#api.addPanel({ ...panel, position: { direction: 'right' }, initialWidth: EDGE_WIDTH });
      return;
    }
    const { width, height } = beside.group;
    this.#api.addPanel({
      ...panel,
      position: { referencePanel: beside, direction: where },
      ...(where === 'right' ? { initialWidth: width / 2 } : {}),
      ...(where === 'below' ? { initialHeight: height / 2 } : {}),
    });
  }

  /** Titles are words of the page, not of what is saved. */
  #titled(layout: SerializedDockview): SerializedDockview {
    const panels = Object.fromEntries(
      Object.entries(layout.panels).map(([id, panel]) => [id, { ...panel, title: this.#titleOf(id) }]),
    );
    return { ...structuredClone(layout), panels };
  }

  retitle(): void {
    // Nobody did it who could undo it.
    this.#settle();
    for (const { id, api } of this.#api.panels) api.setTitle(this.#titleOf(id));
  }

  #titleOf(id: string): string {
    const state = this.#workspace.panels.get(id);
    if (!state) throw new Error(m.workspace_unknown_panel({ id }));
    return panelDescriptions[state.kind].title();
  }

  #settle(): void {
    this.#workspace.isSettling = true;
    clearTimeout(this.#settled);
    this.#settled = setTimeout(() => (this.#workspace.isSettling = false), SETTLE_MS);
  }

  #content(id: string): IContentRenderer {
    const { element, given } = this.#views.get(id);
    const offs: { dispose(): void }[] = [];
    return {
      element,
      init: ({ api }) => {
        const show = () => {
          given.slot = this.#slots.get(api.group.id) ?? null;
          given.isVisible = api.isVisible;
        };
        offs.push(api.onDidVisibilityChange(show), api.onDidGroupChange(show), api.onDidLocationChange(show));
        // The header of a group is there after its panels.
        queueMicrotask(show);
      },
      dispose: () => {
        for (const off of offs) off.dispose();
        this.#views.remove(id);
      },
    };
  }

  #tab(id: string): ITabRenderer {
    const element = document.createElement('div');
    element.className = 'dock-tab';
    let tab: object | undefined;
    return {
      element,
      init: ({ api }) => {
        const state = this.#workspace.panels.get(id);
        if (!state) return;
        element.addEventListener('dblclick', () =>
          api.isMaximized() ? api.exitMaximized() : api.maximize(),
        );
        const given = { workspace: this.#workspace, state };
        tab = this.#mount(Tab as unknown as Component, element, given);
      },
      dispose: () => {
        if (tab) void unmount(tab);
      },
    };
  }

  /** What the panel in front follows; beside the tabs, for a tab holds nothing else that could be pressed. */
  #link(group: DockviewGroupPanel): IHeaderActionsRenderer {
    const element = document.createElement('div');
    element.className = 'dock-link';
    const given = props({ workspace: this.#workspace, state: null as PanelState | null });
    let menu: object | undefined;
    const offs: { dispose(): void }[] = [];
    return {
      element,
      init: ({ containerApi }) => {
        const show = () => {
          const id = group.activePanel?.id;
          given.state = (id === undefined ? undefined : this.#workspace.panels.get(id)) ?? null;
        };
        offs.push(containerApi.onDidActivePanelChange(show), containerApi.onDidLayoutChange(show));
        menu = this.#mount(LinkMenu as unknown as Component, element, given);
        queueMicrotask(show);
      },
      dispose: () => {
        for (const off of offs) off.dispose();
        if (menu) void unmount(menu);
      },
    };
  }

  /** A group's header has room for the tools of the panel in front. */
  #actions(group: DockviewGroupPanel): IHeaderActionsRenderer {
    const element = document.createElement('div');
    element.className = 'dock-actions';
    const slot = element.appendChild(document.createElement('div'));
    slot.className = 'dock-slot';
    this.#slots.set(group.id, slot);
    const buttons = element.appendChild(document.createElement('div'));
    buttons.className = 'dock-buttons';
    let actions: object | undefined;
    let off: { dispose(): void } | undefined;
    return {
      element,
      init: ({ containerApi, api }) => {
        const given = props({
          isMaximized: api.isMaximized(),
          onmaximize: () => (api.isMaximized() ? api.exitMaximized() : api.maximize()),
          onadd: (kind: PanelKind, where: Place) => void this.add(kind, where, group.activePanel),
          onclose: () => group.activePanel?.api.close(),
        });
        off = containerApi.onDidMaximizedGroupChange(() => (given.isMaximized = api.isMaximized()));
        actions = this.#mount(GroupActions as unknown as Component, buttons, given);
      },
      dispose: () => {
        off?.dispose();
        this.#slots.delete(group.id);
        if (actions) void unmount(actions);
      },
    };
  }

  #mount(component: Component, target: HTMLElement, given: object): object {
    return mount(component, { target, props: given, context: this.#context });
  }
}
