import { DepthwireError } from '@depthwire/shared';
import { untrack } from 'svelte';
import { groupsOf } from '../panels/watchlist/shared-groups.ts';
import { m } from '../paraglide/messages.js';
import type { InstrumentGroups } from '../state/groups.svelte.ts';
import { newId } from '../state/new-id.ts';
import { storage } from '../state/storage.svelte.ts';
import { History } from './history.ts';
import { isName, MAX_NAME_CHARS, readFile, readWorkspace, writeFile, type WorkspaceData } from './model.ts';
import { fromPreset, presets, type Preset } from './presets.ts';
import { mergeEntries, type Entry } from './stored.ts';
import { Workspace } from './workspace.svelte.ts';

const KEY = 'depthwire.workspaces';
/** After the last change. */
const SAVE_AFTER_MS = 400;
const MAX_WORKSPACES = 50;

interface Stored {
  readonly version: 1;
  readonly current: string;
  readonly workspaces: readonly Entry[];
}

/** All workspaces of this browser, of which one is shown. */
export class Workspaces {
  all = $state.raw<readonly Workspace[]>([]);
  current = $state.raw() as Workspace;
  canUndo = $state(false);
  canRedo = $state(false);
  /** What became of something that was asked for; null where there is nothing to say. */
  notice = $state<string | null>(null);

  readonly #size: () => { width: number; height: number };
  readonly #groups: InstrumentGroups;
  readonly #histories = new WeakMap<Workspace, History>();
  /** What is done once changes have paused. */
  #pending: (() => void) | null = null;
  /** What was kept when it was last read or written, by any tab. */
  #base = new Map<string, string>();

  /** @param size of the room for panels, pixels */
  constructor(groups: InstrumentGroups, size: () => { width: number; height: number }) {
    this.#groups = groups;
    this.#size = size;
    const stored = this.#read();
    this.all = stored.all;
    this.current = stored.current;
    this.#histories.set(this.current, new History(stepOf(this.current)));
  }

  /** Saves what changes, and takes what other tabs have saved; call within a component. */
  keep(): void {
    $effect(() => {
      const onStorage = ({ key }: StorageEvent) => {
        if (key === KEY)
          this.#take(mergeEntries(this.#base, this.#entries(), readStored().workspaces), false);
      };
      const onHide = () => this.#settle();
      addEventListener('storage', onStorage);
      addEventListener('pagehide', onHide);
      return () => {
        removeEventListener('storage', onStorage);
        removeEventListener('pagehide', onHide);
      };
    });
    $effect(() => {
      const { current } = this;
      const step = stepOf(current);
      this.#entries(); // for the effect: whatever of them changes is saved
      this.#pending = () => {
        untrack(() => this.#save());
        const history = this.#histories.get(current);
        if (!history) return;
        if (current.isSettling) history.amend(step);
        else history.record(step);
        this.#tellHistory();
      };
      const timer = setTimeout(() => this.#settle(), SAVE_AFTER_MS);
      return () => clearTimeout(timer);
    });
  }

  open(id: string): void {
    const workspace = this.all.find((one) => one.id === id);
    if (workspace) this.#show(workspace);
  }

  createFrom(preset: Preset): void {
    const { links } = this.current.toJSON();
    this.#tryToCreate({ ...fromPreset(preset, this.#size()), links });
  }

  duplicate(): void {
    this.#tryToCreate(this.current.toJSON());
  }

  /** What a copy is called unless somebody says otherwise. */
  get nameOfCopy(): string {
    return this.#freeName(this.current.name);
  }

  /**
   * A copy under a name of its own, which is shown from now on; the one before stays as it is.
   * @returns what is wrong; null where it was made
   */
  saveAs(name: string): string | null {
    if (!isName(name)) return m.workspace_name_problem();
    try {
      this.#create({ ...this.current.toJSON(), name: name.trim() });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** @returns what is wrong with the name; null where it was taken */
  rename(name: string): string | null {
    if (!isName(name)) return m.workspace_name_problem();
    this.current.name = name.trim();
    return null;
  }

  /** The last one is replaced by a fresh one. */
  remove(workspace: Workspace): void {
    const left = this.all.filter((one) => one !== workspace);
    this.all = left.length > 0 ? left : [this.#fresh()];
    if (workspace === this.current) this.#show(this.all.at(-1)!);
    this.notice = m.workspace_deleted({ name: workspace.name });
  }

  /** The one that is shown, with the groups of instruments that its panels need elsewhere. */
  shared(): WorkspaceData {
    const data = this.current.toJSON();
    const groups = [...groupsOf(data, this.#groups.all)];
    return groups.length === 0 ? data : { ...data, groups };
  }

  export(): string {
    return writeFile(this.shared());
  }

  /** @throws DepthwireError `invalid_request` */
  import(text: string): Workspace {
    return this.take(readFile(text));
  }

  /**
   * Adds a workspace that came from elsewhere, and its groups.
   * @throws DepthwireError `invalid_request` where there are as many as can be kept
   */
  take(shared: WorkspaceData): Workspace {
    const { workspace, problem } = this.#groups.takeShared(shared);
    if (problem !== null) this.notice = problem;
    return this.#create(workspace);
  }

  undo(): void {
    this.#settle();
    this.#restore(this.#histories.get(this.current)?.undo() ?? null);
  }

  redo(): void {
    this.#settle();
    this.#restore(this.#histories.get(this.current)?.redo() ?? null);
  }

  /** The layout cannot be used: the panels are laid out as at first. */
  reset(reason: string): void {
    this.#replace({ ...fromPreset(presets[0]!, this.#size()), name: this.current.name });
    this.notice = reason;
  }

  #tryToCreate(data: WorkspaceData): void {
    try {
      this.#create(data);
    } catch (error) {
      this.notice = (error as Error).message;
    }
  }

  /** @returns the workspace, which is shown from now on */
  #create(data: WorkspaceData): Workspace {
    if (this.all.length >= MAX_WORKSPACES)
      throw new DepthwireError('invalid_request', m.workspace_full({ most: MAX_WORKSPACES }));
    const workspace = new Workspace(newId(), { ...data, name: this.#freeName(data.name) });
    this.#histories.set(workspace, new History(stepOf(workspace)));
    this.all = [...this.all, workspace];
    this.#show(workspace);
    return workspace;
  }

  #restore(text: string | null): void {
    if (text === null) return;
    this.#replace(JSON.parse(text) as WorkspaceData);
    this.#tellHistory();
  }

  /** Another state of the same workspace; instruments stay as they are. */
  #replace(data: WorkspaceData): void {
    const { id, links } = this.current;
    const next = new Workspace(id, {
      ...data,
      links: { ...$state.snapshot(links) } as WorkspaceData['links'],
    });
    const history = this.#histories.get(this.current);
    if (history) this.#histories.set(next, history);
    this.all = this.all.map((one) => (one === this.current ? next : one));
    this.current = next;
  }

  /** What changed last is saved and a step at once: it is what an undo is meant for, and a page that goes does not wait. */
  #settle(): void {
    const pending = this.#pending;
    this.#pending = null;
    pending?.();
  }

  #show(workspace: Workspace): void {
    this.#settle();
    const [main] = Object.values(this.current.links);
    // A workspace that never had an instrument begins with the one that is shown.
    if (main && Object.keys(workspace.links).length === 0) Object.assign(workspace.links, this.current.links);
    if (!this.#histories.has(workspace)) this.#histories.set(workspace, new History(stepOf(workspace)));
    this.current = workspace;
    this.#tellHistory();
  }

  #tellHistory(): void {
    const history = this.#histories.get(this.current);
    this.canUndo = history?.canUndo ?? false;
    this.canRedo = history?.canRedo ?? false;
  }

  #freeName(wanted: string): string {
    const names = new Set(this.all.map(({ name }) => name));
    let name = wanted;
    for (let number = 2; names.has(name); number++) {
      const end = ` ${number}`;
      name = wanted.slice(0, MAX_NAME_CHARS - end.length).trimEnd() + end;
    }
    return name;
  }

  #fresh(): Workspace {
    return new Workspace(newId(), fromPreset(presets[0]!, this.#size()));
  }

  #entries(): Entry[] {
    return this.all.map((workspace) => ({ id: workspace.id, data: workspace.toJSON() }));
  }

  #save(): void {
    const theirs = readStored();
    // What a later version has written is not ours to replace.
    if (theirs.version !== 1) return;
    const workspaces = mergeEntries(this.#base, this.#entries(), theirs.workspaces);
    this.#take(workspaces, true);
    storage.write(KEY, JSON.stringify({ version: 1, current: this.current.id, workspaces } satisfies Stored));
  }

  /**
   * What another tab added, changed or deleted; the one that is shown stays as it is.
   * @param areSaved whether what differs from the last time is kept now
   */
  #take(entries: readonly Entry[], areSaved: boolean): void {
    const own = new Map(this.all.map((workspace) => [workspace.id, workspace]));
    const textOf = (workspace: Workspace) => JSON.stringify(workspace.toJSON());
    const all = entries.flatMap(({ id, data }) => {
      const held = own.get(id);
      if (held && (held === this.current || textOf(held) === JSON.stringify(data))) return [held];
      return readEntry(id, data) ?? [];
    });
    if (!all.includes(this.current)) all.push(this.current);
    const isSame = all.length === this.all.length && all.every((one, index) => one === this.all[index]);
    if (!isSame) this.all = all;
    const before = this.#base;
    this.#base = new Map();
    for (const one of all) {
      const isOwn = own.get(one.id) === one;
      const text = areSaved || !isOwn ? textOf(one) : before.get(one.id);
      if (text !== undefined) this.#base.set(one.id, text);
    }
  }

  /** What of it cannot be read is not shown, and stays where it is. */
  #read(): { all: Workspace[]; current: Workspace } {
    const { current: wanted, workspaces } = readStored();
    const all: Workspace[] = [];
    for (const { id, data } of workspaces) {
      const workspace = readEntry(id, data, (problem) => (this.notice = m.workspace_unreadable({ problem })));
      if (!workspace) continue;
      all.push(workspace);
      this.#base.set(id, JSON.stringify(workspace.toJSON()));
    }
    if (all.length === 0) all.push(this.#fresh());
    return { all, current: all.find(({ id }) => id === wanted) ?? all[0]! };
  }
}

function readEntry(id: string, data: unknown, onProblem?: (problem: string) => void): Workspace | null {
  try {
    return new Workspace(id, readWorkspace(data));
  } catch (error) {
    onProblem?.((error as Error).message);
    return null;
  }
}

/** What this browser keeps; nothing where storage is blocked or holds something else. */
function readStored(): Stored | (Omit<Stored, 'version'> & { readonly version: unknown }) {
  const nothing: Stored = { version: 1, current: '', workspaces: [] };
  const stored = storage.readJson(KEY) as Stored | null;
  if (!stored) return nothing;
  const workspaces = Array.isArray(stored.workspaces) ? (stored.workspaces as readonly Entry[]) : [];
  return {
    version: stored.version,
    current: stored.current,
    workspaces: stored.version === 1 ? workspaces.filter((entry) => typeof entry?.id === 'string') : [],
  };
}

/** Which tab is in front, and what instrument is shown, is no step that could be undone. */
function stepOf(workspace: Workspace) {
  const data = { ...workspace.toJSON(), links: {} };
  return {
    text: JSON.stringify(data),
    panels: Object.keys(data.panels).sort().join(),
    key: JSON.stringify(data, (key, value: unknown) =>
      key === 'activeGroup' || key === 'activeView' ? undefined : value,
    ),
  };
}
