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
  try {
    localStorage.setItem(KEY, JSON.stringify(workspace));
  } catch {
    // storage is blocked or full: the choice lasts as long as the page
  }
}

function read(): WorkspaceData {
  try {
    return readWorkspace(JSON.parse(localStorage.getItem(KEY) ?? 'null'));
  } catch {
    return EMPTY; // there is none yet, storage is blocked or holds something else
  }
}
