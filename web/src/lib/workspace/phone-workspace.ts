import { storage } from '../state/storage.svelte.ts';
import { readWorkspace, type PanelKind, type WorkspaceData } from './model.ts';
import { Workspace } from './workspace.svelte.ts';

const KEY = 'depthwire.phone';
const EMPTY: WorkspaceData = { name: 'phone', links: {}, panels: {}, layout: null };

/** A phone's panels, one of a kind, with what was chosen for them in this browser. */
export function readPhoneWorkspace(kinds: readonly PanelKind[]): Workspace {
  const workspace = new Workspace('phone', read());
  const shown = new Set([...workspace.panels.values()].map(({ kind }) => kind));
  for (const kind of kinds) if (!shown.has(kind)) workspace.add(kind);
  return workspace;
}

export function writePhoneWorkspace(workspace: Workspace): void {
  storage.write(KEY, JSON.stringify(workspace));
}

function read(): WorkspaceData {
  try {
    return readWorkspace(storage.readJson(KEY));
  } catch {
    return EMPTY; // there is none yet, or something else
  }
}
