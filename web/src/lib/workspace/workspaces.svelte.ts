import { History } from './history.ts';
import { isName, readFile, readWorkspace, writeFile, type WorkspaceData } from './model.ts';
import { fromPreset, presets, type Preset } from './presets.ts';
import { Workspace } from './workspace.svelte.ts';

const KEY = 'depthwire.workspaces';
/** After the last change. */
const SAVE_AFTER_MS = 400;
const MAX_WORKSPACES = 50;

interface Stored {
  readonly version: 1;
  readonly current: string;
  readonly workspaces: readonly { readonly id: string; readonly data: unknown }[];
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
  readonly #histories = new WeakMap<Workspace, History>();

  /** @param size of the room for panels, pixels */
  constructor(size: () => { width: number; height: number }) {
    this.#size = size;
    const stored = this.#read();
    this.all = stored.all;
    this.current = stored.current;
    this.#histories.set(this.current, new History(stepOf(this.current)));
  }

  /** Saves what changes; call within a component. */
  keep(): void {
    $effect(() => {
      const { current } = this;
      const step = stepOf(current);
      const stored = JSON.stringify(this.#stored());
      const timer = setTimeout(() => {
        write(stored);
        const history = this.#histories.get(current);
        if (!history) return;
        if (current.isSettling) history.amend(step);
        else history.record(step);
        this.#tellHistory();
      }, SAVE_AFTER_MS);
      return () => clearTimeout(timer);
    });
  }

  open(id: string): void {
    const workspace = this.all.find((one) => one.id === id);
    if (workspace) this.#show(workspace);
  }

  /** @returns the workspace, which is shown from now on */
  create(data: WorkspaceData): Workspace {
    const workspace = new Workspace(crypto.randomUUID(), { ...data, name: this.#freeName(data.name) });
    this.all = [...this.all.slice(1 - MAX_WORKSPACES), workspace];
    this.#show(workspace);
    return workspace;
  }

  createFrom(preset: Preset): Workspace {
    const { links } = this.current.toJSON();
    return this.create({ ...fromPreset(preset, this.#size()), links });
  }

  duplicate(): Workspace {
    return this.create(this.current.toJSON());
  }

  /** @returns whether it is a name */
  rename(name: string): boolean {
    if (!isName(name)) return false;
    this.current.name = name.trim();
    return true;
  }

  /** The last one is replaced by a fresh one. */
  remove(workspace: Workspace): void {
    const left = this.all.filter((one) => one !== workspace);
    this.all = left.length > 0 ? left : [this.#fresh()];
    if (workspace === this.current) this.#show(this.all.at(-1)!);
    this.notice = `“${workspace.name}” is deleted`;
  }

  export(): string {
    return writeFile(this.current.toJSON());
  }

  /** @throws DepthwireError `invalid_request` */
  import(text: string): Workspace {
    return this.create(readFile(text));
  }

  undo(): void {
    this.#restore(this.#histories.get(this.current)?.undo() ?? null);
  }

  redo(): void {
    this.#restore(this.#histories.get(this.current)?.redo() ?? null);
  }

  /** The layout cannot be used: the panels are laid out as at first. */
  reset(reason: string): void {
    this.#replace({ ...fromPreset(presets[0]!, this.#size()), name: this.current.name });
    this.notice = reason;
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

  #show(workspace: Workspace): void {
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
    for (let number = 2; names.has(name); number++) name = `${wanted} ${number}`;
    return name;
  }

  #fresh(): Workspace {
    return new Workspace(crypto.randomUUID(), fromPreset(presets[0]!, this.#size()));
  }

  #stored(): Stored {
    return {
      version: 1,
      current: this.current.id,
      workspaces: this.all.map((workspace) => ({ id: workspace.id, data: workspace.toJSON() })),
    };
  }

  /** What of it cannot be read is left out. */
  #read(): { all: Workspace[]; current: Workspace } {
    const all: Workspace[] = [];
    let wanted: unknown;
    try {
      const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>;
      wanted = stored.current;
      for (const { id, data } of stored.version === 1 ? (stored.workspaces ?? []) : []) {
        try {
          all.push(new Workspace(String(id), readWorkspace(data)));
        } catch (error) {
          this.notice = `A saved workspace cannot be read: ${(error as Error).message}`;
        }
      }
    } catch {
      // storage is blocked or holds something else
    }
    if (all.length === 0) all.push(this.#fresh());
    return { all, current: all.find(({ id }) => id === wanted) ?? all[0]! };
  }
}

/** Which tab is in front, and what instrument is shown, is no step that could be undone. */
function stepOf(workspace: Workspace) {
  const data = { ...workspace.toJSON(), links: {} };
  return {
    text: JSON.stringify(data),
    key: JSON.stringify(data, (key, value: unknown) =>
      key === 'activeGroup' || key === 'activeView' ? undefined : value,
    ),
  };
}

function write(text: string): void {
  try {
    localStorage.setItem(KEY, text);
  } catch {
    // storage is blocked or full: the workspaces last as long as the page
  }
}
