import type { InstrumentId } from '@depthwire/shared';
import {
  movedGroup,
  movedInstrument,
  readGroups,
  renamed,
  toggled,
  withGroup,
  withoutGroup,
  withoutInstruments,
  writeGroups,
  type Groups,
  type InstrumentGroup,
} from '../panels/watchlist/groups.ts';
import { storage } from './storage.svelte.ts';
import { takeGroups } from '../panels/watchlist/shared-groups.ts';
import type { WorkspaceData } from '../workspace/model.ts';
import { newId } from './new-id.ts';

const KEY = 'depthwire.groups';

/** The groups of instruments of this browser: they belong to the user, not to a panel. */
export class InstrumentGroups {
  #all = $state.raw<Groups>([]);
  /** What was saved and cannot be read; null where there is nothing to say. */
  readonly problem: string | null;

  constructor() {
    const { groups, problem } = readGroups(storage.read(KEY));
    this.#all = groups;
    this.problem = problem;
  }

  get all(): Groups {
    return this.#all;
  }

  get(id: string): InstrumentGroup | undefined {
    return this.#all.find((group) => group.id === id);
  }

  /** Takes what another tab has written; returns how to stop. */
  start(): () => void {
    const onStorage = ({ key, newValue }: StorageEvent) => {
      if (key === KEY || key === null) this.#all = readGroups(newValue).groups;
    };
    addEventListener('storage', onStorage);
    return () => removeEventListener('storage', onStorage);
  }

  /** @returns its id. @throws DepthwireError `invalid_request` where the name is none, or taken */
  create(name: string, instruments: readonly InstrumentId[] = []): string {
    const id = newId();
    this.#keep(toggled(withGroup(this.#all, id, name), id, instruments));
    return id;
  }

  /** @throws DepthwireError `invalid_request` */
  rename(id: string, name: string): void {
    this.#keep(renamed(this.#all, id, name));
  }

  remove(id: string): void {
    this.#keep(withoutGroup(this.#all, id));
  }

  move(id: string, by: -1 | 1): void {
    this.#keep(movedGroup(this.#all, id, by));
  }

  /** Puts them in, or takes them out where all are in. @throws DepthwireError `invalid_request` where it is full */
  toggle(id: string, instruments: readonly InstrumentId[]): void {
    this.#keep(toggled(this.#all, id, instruments));
  }

  takeOut(id: string, instruments: readonly InstrumentId[]): void {
    this.#keep(withoutInstruments(this.#all, id, instruments));
  }

  moveInstrument(id: string, instrument: InstrumentId, to: number): void {
    this.#keep(movedInstrument(this.#all, id, instrument, to));
  }

  /** @returns the workspace without its groups, which are here from now on, and what to say of them */
  takeShared(shared: WorkspaceData): { workspace: WorkspaceData; problem: string | null } {
    const { groups, workspace, problem } = takeGroups(shared, this.#all);
    if (groups !== this.#all) this.#keep(groups);
    return { workspace, problem };
  }

  #keep(groups: Groups): void {
    this.#all = groups;
    storage.write(KEY, writeGroups(groups));
  }
}
