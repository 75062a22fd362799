import * as v from 'valibot';
import { m } from '../../paraglide/messages.js';
import type { PanelData, WorkspaceData } from '../../workspace/model.ts';
import { watchlistSettings } from './columns.ts';
import { MAX_GROUPS, sameName, STAR, type Groups } from './groups.ts';

/** What a workspace that leaves this browser says of groups: those that its panels show, and no others. */
export function groupsOf(workspace: WorkspaceData, groups: Groups): Groups {
  const wanted = new Set<string>();
  for (const panel of Object.values(workspace.panels)) {
    if (panel.kind !== 'watchlist') continue;
    const { show, group } = v.parse(watchlistSettings, panel.settings);
    if (show === 'groups') for (const { id } of groups) wanted.add(id);
    else if (show === 'group' && group !== null) wanted.add(group);
  }
  // Everybody has favourites of their own.
  return groups.filter(({ id }) => id !== STAR && wanted.has(id));
}

interface Taken {
  readonly groups: Groups;
  readonly workspace: WorkspaceData;
  /** What to say of it; null where there is nothing. */
  readonly problem: string | null;
}

/**
 * Takes the groups of a workspace that somebody shared. One that is here already, by its id or its name, stays as it
 * is, and the panels show it; the others are added.
 */
export function takeGroups(workspace: WorkspaceData, groups: Groups): Taken {
  const { groups: shared = [], ...rest } = workspace;
  let all = groups;
  let isFull = false;
  const ids = new Map<string, string>();
  for (const group of shared) {
    if (group.id === STAR) continue;
    const twin =
      all.find(({ id }) => id === group.id) ??
      all.find(({ id, name }) => id !== STAR && sameName(name, group.name));
    if (twin) ids.set(group.id, twin.id);
    else if (all.length >= MAX_GROUPS) isFull = true;
    else all = [...all, group];
  }
  const panels = Object.fromEntries(
    Object.entries(rest.panels).map(([key, panel]) => [key, withIds(panel, ids)]),
  );
  const problem = isFull ? m.watch_groups_full({ count: MAX_GROUPS }) : null;
  return { groups: all, workspace: { ...rest, panels }, problem };
}

function withIds(panel: PanelData, ids: ReadonlyMap<string, string>): PanelData {
  const { group, closed } = panel.settings;
  if (panel.kind !== 'watchlist') return panel;
  const of = (id: string) => ids.get(id) ?? id;
  return {
    ...panel,
    settings: {
      ...panel.settings,
      ...(typeof group === 'string' && { group: of(group) }),
      ...(Array.isArray(closed) && {
        closed: closed.map((key: unknown) =>
          typeof key === 'string' && key.startsWith('group:') ? `group:${of(key.slice(6))}` : key,
        ),
      }),
    },
  };
}
