import type { InstrumentId } from '@depthwire/shared';
import type { SerializedDockview } from 'dockview';
import { SvelteMap } from 'svelte/reactivity';
import {
  linkColours,
  MAIN_LINK,
  type LinkColour,
  type PanelData,
  type PanelKind,
  type WorkspaceData,
} from './model.ts';

/** What a panel is, apart from where it is. */
export class PanelState {
  readonly id: string;
  readonly kind: PanelKind;
  link = $state<LinkColour | null>(MAIN_LINK);
  /** Its instrument where it follows no other. */
  own = $state<InstrumentId | null>(null);
  settings = $state<Record<string, unknown>>({});

  constructor(id: string, { kind, link, instrument, settings }: PanelData) {
    this.id = id;
    this.kind = kind;
    this.link = link;
    this.own = instrument;
    this.settings = settings;
  }

  toJSON(): PanelData {
    return {
      kind: this.kind,
      link: this.link,
      instrument: this.own,
      settings: $state.snapshot(this.settings),
    };
  }
}

/** Panels, where they are, and which of them follow each other. */
export class Workspace {
  readonly id: string;
  name = $state('');
  readonly links = $state<Partial<Record<LinkColour, InstrumentId | null>>>({});
  readonly panels = new SvelteMap<string, PanelState>();
  /** As the docking library writes it; null where the panels are to be laid out anew. */
  layout = $state.raw<SerializedDockview | null>(null);
  /** Whether the layout changes by itself just now, as when the window is resized. */
  isSettling = false;

  constructor(id: string, data: WorkspaceData) {
    this.id = id;
    this.name = data.name;
    this.links = { ...data.links };
    this.layout = data.layout;
    for (const [panelId, panel] of Object.entries(data.panels))
      this.panels.set(panelId, new PanelState(panelId, panel));
  }

  /** The instrument of a link, or of the header where nobody chose one for it. */
  instrumentOf({ link, own }: Pick<PanelState, 'link' | 'own'>): InstrumentId | null {
    return (link === null ? own : this.links[link]) ?? this.links[MAIN_LINK] ?? null;
  }

  /** Shows another instrument in a panel, and in all that follow it. */
  select(panel: PanelState, id: InstrumentId): void {
    if (panel.link === null) panel.own = id;
    else this.links[panel.link] = id;
  }

  /** The panel keeps its instrument where nothing of the colour it joins has one. */
  follow(panel: PanelState, link: LinkColour | null): void {
    const shown = this.instrumentOf(panel);
    panel.link = link;
    if (link === null) panel.own = shown;
    else this.links[link] ??= shown;
  }

  add(kind: PanelKind, data: Partial<PanelData> = {}): PanelState {
    let number = 1;
    while (this.panels.has(`${kind}-${number}`)) number += 1;
    const id = `${kind}-${number}`;
    const panel = new PanelState(id, { kind, link: MAIN_LINK, instrument: null, settings: {}, ...data });
    this.panels.set(id, panel);
    return panel;
  }

  /** The first colour that no panel has; null where all are taken. */
  get freeLink(): LinkColour | null {
    const taken = new Set([...this.panels.values()].map(({ link }) => link));
    return linkColours.find((link) => !taken.has(link)) ?? null;
  }

  toJSON(): WorkspaceData {
    const panels = Object.fromEntries([...this.panels].map(([id, panel]) => [id, panel.toJSON()]));
    const links = $state.snapshot(this.links) as WorkspaceData['links'];
    return { name: this.name, links, panels, layout: this.layout };
  }
}
